//! Options that steer a list: examples, variety, age, caps, jumps.

use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

const RECOMMEND: &str = "query($query: String, $articleId: ID, $k: Int! = 10, $options: RecommendOptions) {
  recommend(query: $query, articleId: $articleId, k: $k, options: $options) {
    score
    explanation {
      tier semantic keyword freshness diversity rankingScore cosine reasons { kind articleIds }
    }
    passage { text }
    article { id title category }
  }
}";

/// Ids 1 to 4 are about cooking, 5 and 6 about space; 2 is a copy of 1.
async fn kitchen_and_space() -> TestApp {
    let app = Builder::new().real_model().start().await;
    let articles = json!([
        { "title": "Pasta", "content": "Boil the pasta in salted water and serve it with sauce.", "category": "food" },
        { "title": "Pasta", "content": "Boil the pasta in salted water and serve it with sauce.", "category": "food" },
        { "title": "Soup", "content": "Simmer vegetables in broth and serve the soup hot.", "category": "food" },
        { "title": "Bread", "content": "Knead the dough and bake the bread in a hot oven." },
        { "title": "Moons", "content": "The moons of Jupiter were seen by a telescope.", "category": "space" },
        { "title": "Rockets", "content": "A rocket carries a telescope into orbit.", "category": "space" },
    ]);
    app.create_all(&json!(articles)).await;
    app
}

async fn list(app: &TestApp, variables: Value) -> Vec<Value> {
    let data = app.query_with(RECOMMEND, variables).await;
    let list = data["recommend"].as_array().unwrap().clone();
    for item in &list {
        let explanation = &item["explanation"];
        let part = |name: &str| explanation[name].as_f64().unwrap();
        let sum: f64 = ["semantic", "keyword", "freshness", "diversity"].into_iter().map(part).sum();
        assert!((sum - part("rankingScore")).abs() < 1e-6, "{explanation}");
        assert!((item["score"].as_f64().unwrap() - part("rankingScore")).abs() < 1e-12);
    }
    let scores: Vec<_> = list.iter().map(|item| item["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    list
}

fn ids(list: &[Value]) -> Vec<&str> {
    list.iter().map(|item| item["article"]["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn examples_move_a_list_and_are_not_in_it() {
    let app = kitchen_and_space().await;
    let liked = list(&app, json!({ "options": { "like": ["5"] } })).await;
    assert_eq!(ids(&liked)[0], "6");
    assert!(!ids(&liked).contains(&"5"));
    assert!(liked.iter().all(|item| item["passage"]["text"] != ""));
    // The same as for the article itself.
    assert_eq!(ids(&liked), ids(&list(&app, json!({ "articleId": "5" })).await));

    let query = json!({ "query": "something hot", "options": { "mode": "SEMANTIC", "like": ["5"], "dislike": ["3"] } });
    let moved = list(&app, query).await;
    assert_eq!(ids(&moved)[0], "6");
    assert!(!ids(&moved).iter().any(|id| ["3", "5"].contains(id)));

    let gone = json!({ "query": "something hot", "options": { "like": ["999"], "dislike": ["998"] } });
    assert_eq!(list(&app, gone).await, list(&app, json!({ "query": "something hot" })).await);
    app.stop().await;
}

#[tokio::test]
async fn copies_can_be_hidden_and_are_named() {
    let app = kitchen_and_space().await;
    for purpose in [json!({ "query": "pasta dish" }), json!({ "options": { "like": ["3"] } })] {
        let mut shown = purpose.clone();
        shown["options"]["nearDuplicates"] = json!("SHOW");
        assert!(ids(&list(&app, shown).await).contains(&"2"));
        let mut hidden = purpose;
        hidden["options"]["nearDuplicates"] = json!("HIDE");
        let hidden = list(&app, hidden).await;
        assert!(!ids(&hidden).contains(&"2"));
        let first = hidden.iter().find(|item| item["article"]["id"] == "1").unwrap();
        let reasons = json!([{ "kind": "NEAR_DUPLICATES", "articleIds": ["2"] }]);
        assert_eq!(first["explanation"]["reasons"], reasons);
    }
    // Nor what is a copy of the article, or of an example, that the list is for.
    for purpose in [
        json!({ "articleId": "2" }),
        json!({ "options": { "like": ["2"] } }),
        json!({ "query": "pasta dish", "options": { "like": ["2"] } }),
    ] {
        let mut hidden = purpose.clone();
        hidden["options"]["nearDuplicates"] = json!("HIDE");
        assert!(ids(&list(&app, purpose).await).contains(&"1"));
        let hidden = list(&app, hidden).await;
        assert!(!hidden.is_empty() && !ids(&hidden).iter().any(|id| ["1", "2"].contains(id)), "{hidden:?}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_category_has_no_more_than_its_cap() {
    let app = kitchen_and_space().await;
    let capped = list(&app, json!({ "query": "food", "options": { "perCategory": 1 } })).await;
    let of = |category: Value| {
        capped.iter().filter(|item| item["article"]["category"] == category).collect::<Vec<_>>()
    };
    assert_eq!((of(json!("food")).len(), of(json!("space")).len(), of(Value::Null).len()), (1, 1, 1));
    let reason = &of(json!("food"))[0]["explanation"]["reasons"][0];
    assert_eq!(
        (&reason["kind"], reason["articleIds"].as_array().unwrap().len()),
        (&json!("CATEGORY_FULL"), 2)
    );
    app.stop().await;
}

#[tokio::test]
async fn a_varied_list_puts_a_copy_down() {
    let app = kitchen_and_space().await;
    for mode in ["SEMANTIC", "KEYWORD", "HYBRID"] {
        let query = |diversity: f64| json!({ "query": "boil pasta or vegetables", "options": { "mode": mode, "diversity": diversity } });
        let plain = list(&app, query(0.0)).await;
        assert_eq!(&ids(&plain)[..2], ["1", "2"], "{mode}");
        let varied = list(&app, query(1.0)).await;
        assert_eq!(ids(&varied)[0], "1");
        assert_ne!(ids(&varied)[1], "2");
        assert!(varied[1]["explanation"]["diversity"].as_f64().unwrap() < 0.0);
        assert!(plain.iter().all(|item| item["explanation"]["diversity"] == 0.0));
    }
    app.stop().await;
}

#[tokio::test]
async fn age_lowers_scores() {
    let app = kitchen_and_space().await;
    let options = |days: f64| json!({ "mode": "SEMANTIC", "freshness": { "halfLifeDays": days } });
    let fresh = list(&app, json!({ "query": "pasta dish", "options": options(1000.0) })).await;
    let old = list(&app, json!({ "query": "pasta dish", "options": options(0.000_02) })).await;
    assert!(fresh[0]["explanation"]["freshness"].as_f64().unwrap() > -1e-4);
    assert!(old[0]["score"].as_f64().unwrap() < fresh[0]["score"].as_f64().unwrap());
    app.stop().await;
}

#[tokio::test]
async fn what_is_new_comes_before_what_fits_better() {
    let app = kitchen_and_space().await;
    let plain = list(&app, json!({ "query": "vegetable soup" })).await;
    assert_eq!(ids(&plain)[0], "3");
    app.raw_sql("UPDATE article SET created_at = '2001-01-01T00:00:00+00:00' WHERE id = 3").await;
    app.until_in_step().await;
    let freshness = json!({ "freshness": { "halfLifeDays": 30 } });
    let fresh = list(&app, json!({ "query": "vegetable soup", "options": freshness })).await;
    assert_eq!(ids(&fresh).last(), Some(&"3"));
    app.stop().await;
}

#[tokio::test]
async fn a_list_can_end_at_a_jump() {
    let app = kitchen_and_space().await;
    let cut = |jump: i32| json!({ "query": "boil pasta and serve it hot", "options": { "mode": "KEYWORD", "autocut": jump } });
    assert_eq!(ids(&list(&app, cut(1)).await), ["1", "2"]);
    assert!(list(&app, cut(100)).await.len() > 2, "there are not so many jumps");
    app.stop().await;
}

#[tokio::test]
async fn options_of_similar_articles_are_asked_for_all_at_once() {
    let app = kitchen_and_space().await;
    let data = app
        .query(
            "{ articles { nodes { id similarTo(k: 3, options: { diversity: 0.5, perCategory: 1,
               nearDuplicates: HIDE, freshness: { halfLifeDays: 10 }, dislike: [\"4\"], autocut: 3 }) {
               article { id category } } } } }",
        )
        .await;
    for node in data["articles"]["nodes"].as_array().unwrap() {
        let similar = node["similarTo"].as_array().unwrap();
        assert!(!similar.is_empty());
        assert!(
            similar.iter().all(|item| item["article"]["id"] != node["id"] && item["article"]["id"] != "4")
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn where_meaning_counts_nothing_only_words_are_listed() {
    let app = kitchen_and_space().await;
    let by_words =
        |query: &str| json!({ "query": query, "options": { "weights": { "semantic": 0, "keyword": 1 } } });
    assert_eq!(list(&app, by_words("zzzzqqq")).await, [] as [Value; 0]);
    let boiled = list(&app, by_words("boil pasta")).await;
    assert!(!boiled.is_empty());
    let keyword = json!({ "query": "boil pasta", "options": { "mode": "KEYWORD" } });
    assert_eq!(ids(&boiled), ids(&list(&app, keyword).await));
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_go_together_is_refused() {
    let app = kitchen_and_space().await;
    let refused = [
        (json!({ "query": " \u{a0}\n" }), "blank"),
        (json!({ "query": "\u{200b}\u{feff}\u{ad}\u{1}" }), "blank"),
        (json!({ "options": { "dislike": ["1"] } }), "options.like"),
        (json!({ "query": "a", "options": { "like": ["1"], "dislike": ["1"] } }), "options.dislike"),
        (json!({ "articleId": "1", "options": { "dislike": ["1"] } }), "articleId"),
        (json!({ "articleId": "1", "options": { "mode": "KEYWORD" } }), "KEYWORD"),
        (json!({ "query": "a", "options": { "mode": "KEYWORD", "like": ["1"] } }), "KEYWORD"),
        (json!({ "query": "a", "options": { "mode": "SEMANTIC", "weights": {} } }), "options.weights"),
        (json!({ "query": "a", "options": { "diversity": 1.5 } }), "options.diversity"),
        (json!({ "query": "a", "options": { "perCategory": 0 } }), "options.perCategory"),
        (json!({ "query": "a", "options": { "autocut": -1 } }), "options.autocut"),
        (json!({ "query": "a", "options": { "freshness": { "halfLifeDays": 0 } } }), "halfLifeDays"),
        (json!({ "query": "a", "options": { "like": vec!["1"; 101] } }), "options.like"),
        (json!({ "articleId": "1", "options": { "weights": {} } }), "options.weights"),
        (json!({ "options": { "like": ["1"], "weights": {} } }), "options.weights"),
    ]
    .map(|(variables, part)| (variables, part, "BAD_USER_INPUT"));
    let absent = [
        (json!({ "articleId": "999" }), "articleId", "NOT_FOUND"),
        (json!({ "options": { "like": ["999"] } }), "options.like", "NOT_FOUND"),
    ];
    for (variables, part, code) in refused.into_iter().chain(absent) {
        let body = app.execute(RECOMMEND, variables.clone()).await;
        let error = &body["errors"][0];
        assert!(error["message"].as_str().unwrap_or_default().contains(part), "{variables}: {body}");
        assert_eq!(error["extensions"]["code"], code, "{variables}");
    }
    app.stop().await;
}
