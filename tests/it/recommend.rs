//! Recommendations: what is left out, what is refused, how often the index is asked.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

async fn with_articles(count: usize) -> TestApp {
    let app = Builder::new().start().await;
    let articles: Vec<_> = (0..count)
        .map(|number| {
            json!({
                "title": format!("Article {number}"),
                "content": format!("Some words about the number {number}. And {} more.", number * 7),
                "category": if number % 2 == 0 { "even" } else { "odd" },
                "tags": if number % 3 == 0 { vec!["three"] } else { vec![] },
            })
        })
        .collect();
    app.create_all(&json!(articles)).await;
    app
}

const RECOMMEND: &str = "query($query: String, $articleId: ID, $k: Int! = 10, $options: RecommendOptions) {
  recommend(query: $query, articleId: $articleId, k: $k, options: $options) {
    score explanation { tier semantic keyword rankingScore cosine } passage { text start end } article { id title category tags }
  }
}";

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["article"]["id"].as_str().unwrap()).collect()
}

/// The same articles without a worker: its upkeep looks into the index now and then, and would be counted with the rest.
async fn at_rest(app: TestApp) -> TestApp {
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().without_worker().start_in(folder, database_url).await;
    app.app.generations.open_for_search().await.map(drop).unwrap();
    app
}

#[tokio::test]
async fn an_article_is_never_recommended_to_itself() {
    let app = with_articles(12).await;
    let nodes = app.query("{ articles { nodes { id similarTo(k: 100) { article { id } } } } }").await;
    for node in nodes["articles"]["nodes"].as_array().unwrap() {
        let id = node["id"].as_str().unwrap();
        let similar = ids(&node["similarTo"]);
        assert_eq!(similar.len(), 11);
        assert!(!similar.contains(&id));
        let recommended = app.query_with(RECOMMEND, json!({ "articleId": id, "k": 100 })).await;
        assert_eq!(ids(&recommended["recommend"]), similar);
    }
    app.stop().await;
}

#[tokio::test]
async fn scores_fall_and_passages_are_parts_of_the_content() {
    let app = with_articles(12).await;
    for variables in [json!({ "query": "number 3", "k": 5 }), json!({ "articleId": "1", "k": 5 })] {
        let data = app.query_with(RECOMMEND, variables).await;
        let list = data["recommend"].as_array().unwrap();
        assert_eq!(list.len(), 5);
        let scores: Vec<_> = list.iter().map(|item| item["score"].as_f64().unwrap()).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        for item in list {
            let passage = &item["passage"];
            assert!(passage["text"].as_str().unwrap().starts_with("Some words about the number"), "{item}");
            assert_eq!(passage["start"], 0);
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn options_filter_exclude_and_cut() {
    let app = with_articles(12).await;
    let all = app.query_with(RECOMMEND, json!({ "query": "words", "k": 12 })).await;
    let cosine = |item: &Value| item["explanation"]["cosine"].as_f64().unwrap();
    let mut cosines: Vec<_> = all["recommend"].as_array().unwrap().iter().map(cosine).collect();
    cosines.sort_by(|a, b| b.total_cmp(a));
    let third = cosines[2];
    for source in [json!({ "query": "words" }), json!({ "articleId": "1" })] {
        let with = |options: Value| {
            let mut variables = source.clone();
            variables["options"] = options;
            app.query_with(RECOMMEND, variables)
        };
        let odd = with(json!({ "filter": { "categoryIn": ["odd"], "tagsNone": ["three"] } })).await;
        let odd = odd["recommend"].as_array().unwrap();
        assert!(!odd.is_empty());
        for item in odd {
            assert_eq!((&item["article"]["category"], &item["article"]["tags"]), (&json!("odd"), &json!([])));
        }
        let excluded = with(json!({ "excludeIds": ["2", "3", "999999"] })).await;
        assert!(ids(&excluded["recommend"]).iter().all(|id| !["2", "3"].contains(id)));
        let nothing = with(json!({ "filter": { "categoryIn": ["none"] } })).await;
        assert_eq!(nothing["recommend"], json!([]));
        let impossible = with(json!({ "minScore": 1.0 })).await;
        assert_eq!(impossible["recommend"], json!([]));
    }
    // The least cosine means the same in every mode.
    for mode in ["SEMANTIC", "KEYWORD", "HYBRID"] {
        let options = json!({ "minScore": third - 1e-6, "mode": mode });
        let cut = app.query_with(RECOMMEND, json!({ "query": "words", "options": options })).await;
        assert_eq!(cut["recommend"].as_array().unwrap().len(), 3, "{mode}");
    }
    app.stop().await;
}

#[tokio::test]
async fn bad_arguments_are_refused_and_cost_no_other_field() {
    let app = with_articles(2).await;
    let document = "query($query: String, $articleId: ID, $k: Int! = 10, $options: RecommendOptions) {
      recommend(query: $query, articleId: $articleId, k: $k, options: $options) { score }
      article(id: \"1\") { title }
    }";
    let cases = [
        (json!({}), "BAD_USER_INPUT", Some("query")),
        (json!({ "query": "x", "articleId": "1" }), "BAD_USER_INPUT", Some("articleId")),
        (json!({ "query": " \n" }), "BAD_USER_INPUT", Some("query")),
        (json!({ "query": "" }), "BAD_USER_INPUT", Some("query")),
        (json!({ "query": "x\u{0}" }), "BAD_USER_INPUT", Some("query")),
        (json!({ "query": "é".repeat(8_193) }), "BAD_USER_INPUT", Some("query")),
        (json!({ "query": "word ".repeat(20_000) }), "BAD_USER_INPUT", Some("query")),
        (json!({ "query": "x", "k": 0 }), "BAD_USER_INPUT", Some("k")),
        (json!({ "query": "x", "k": 101 }), "BAD_USER_INPUT", Some("k")),
        (json!({ "query": "x", "options": { "minScore": 1.5 } }), "BAD_USER_INPUT", Some("options.minScore")),
        (
            json!({ "query": "x", "options": { "excludeIds": ["1", "x"] } }),
            "BAD_USER_INPUT",
            Some("options.excludeIds.1"),
        ),
        (json!({ "articleId": "999999" }), "NOT_FOUND", None),
        (json!({ "articleId": "no id" }), "NOT_FOUND", None),
    ];
    for (variables, code, argument) in cases {
        let response = app.execute(document, variables).await;
        let error = &response["errors"][0];
        assert_eq!(error["extensions"]["code"], code, "{response}");
        assert_eq!(error["extensions"]["argument"].as_str(), argument);
        assert_eq!(error["path"], json!(["recommend"]));
        assert_eq!(response["data"], json!({ "recommend": null, "article": { "title": "Article 0" } }));
    }
    let longest = app.query_with(document, json!({ "query": "é".repeat(8_192), "k": 1 })).await;
    assert_eq!(longest["recommend"].as_array().unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn a_page_of_similar_articles_costs_the_same_whatever_its_length() {
    let app = at_rest(with_articles(60).await).await;
    let mut costs = Vec::new();
    for first in [1, 10, 50] {
        let before = (app.app.db.statements(), app.app.index.calls());
        let data = app
            .query_with(
                "query($first: Int!) {
                   articles(first: $first) { nodes { title indexState similarTo(k: 3) {
                     score confidence passage { text } article { title indexState similarTo(k: 2) { article { title } } }
                   } } }
                 }",
                json!({ "first": first }),
            )
            .await;
        let nodes = data["articles"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), first);
        assert!(nodes.iter().all(|node| node["similarTo"].as_array().unwrap().len() == 3));
        costs.push((app.app.db.statements() - before.0, app.app.index.calls() - before.1));
    }
    assert!(
        costs.iter().all(|cost| cost.1 == 0),
        "LanceDB is not asked, the answers are in memory: {costs:?}"
    );
    // The worker looks at the outbox now and then; a statement per article would be dozens.
    let spread =
        costs.iter().map(|cost| cost.0).max().unwrap() - costs.iter().map(|cost| cost.0).min().unwrap();
    assert!(spread <= 8, "SQL statements: {costs:?}");
    app.stop().await;
}

#[tokio::test]
async fn an_article_has_the_same_similar_ones_alone_and_on_a_page() {
    let app = with_articles(60).await;
    for options in [json!({}), json!({ "filter": { "idsNotIn": ["7", "8"] }, "excludeIds": ["9"] })] {
        let list = "similarTo(k: 7, options: $options) { score article { id } }";
        let page = app
            .query_with(
                &format!(
                    "query($options: RecommendOptions) {{ articles(first: 50) {{ nodes {{ id {list} }} }} }}"
                ),
                json!({ "options": options }),
            )
            .await;
        for node in page["articles"]["nodes"].as_array().unwrap() {
            let alone = app
                .query_with(
                    &format!(
                        "query($id: ID!, $options: RecommendOptions) {{ article(id: $id) {{ id {list} }} }}"
                    ),
                    json!({ "id": node["id"], "options": options }),
                )
                .await;
            assert_eq!(alone["article"], *node);
            assert_eq!(node["similarTo"].as_array().unwrap().len(), 7);
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn options_in_use_keep_a_page_batched() {
    let app = at_rest(with_articles(60).await).await;
    let options = json!({
        "like": ["1", "2"], "dislike": ["3"], "diversity": 0.3, "nearDuplicates": "HIDE", "perCategory": 2, "autocut": 1,
        "freshness": { "halfLifeDays": 30 }, "filter": { "contentLengthMin": 1 }, "excludeIds": ["4"], "minScore": -1,
    });
    let mut calls = Vec::new();
    for first in [1, 10, 50] {
        let before = app.app.index.calls();
        let document = "query($first: Int!, $options: RecommendOptions) {
          articles(first: $first) { nodes { similarTo(k: 3, options: $options) { score passage { text } article { id } } } }
        }";
        let data = app.query_with(document, json!({ "first": first, "options": options })).await;
        assert_eq!(data["articles"]["nodes"].as_array().unwrap().len(), first);
        calls.push(app.app.index.calls() - before);
    }
    assert_eq!(calls, [0, 0, 0], "LanceDB is not asked, the answers are in memory");
    let before = app.app.index.calls();
    let ids: Vec<_> = (1..=20).map(|id| id.to_string()).collect();
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Article { similarTo(k: 3) { passage { text } } } } }";
    let data = app.query_with(document, json!({ "ids": ids })).await;
    assert_eq!(data["nodes"].as_array().unwrap().len(), 20);
    assert_eq!(app.app.index.calls(), before);
    app.stop().await;
}

#[tokio::test]
async fn however_many_have_the_title_all_that_are_listed_come_first() {
    let app = Builder::new().start().await;
    for _ in 0..3 {
        let same: Vec<_> = (0..80)
            .map(|number| json!({ "title": "Weekly report", "content": format!("Item {number}") }))
            .collect();
        app.create_all(&json!(same)).await;
    }
    let document = "{ recommendations(query: \"weekly report\", first: 100) {
      nodes { article { id } explanation { tier } } pageInfo { endCursor } } }";
    let mut data = app.query(document).await;
    let mut listed = HashSet::new();
    for _ in 0..3 {
        let nodes = data["recommendations"]["nodes"].as_array().unwrap();
        listed.extend(nodes.iter().map(|node| node["article"]["id"].as_str().unwrap().to_owned()));
        assert!(nodes.iter().all(|node| node["explanation"]["tier"] == "TITLE_OR_ID"), "{data}");
        let after = data["recommendations"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
        data = app.query(&document.replace("first: 100", &format!("first: 100, after: \"{after}\""))).await;
        if data["recommendations"]["nodes"] == json!([]) {
            break;
        }
    }
    assert!(listed.len() >= 200, "{}", listed.len());
    app.stop().await;
}

#[tokio::test]
async fn a_changed_passage_is_read_from_the_revision_it_belongs_to() {
    let app = with_articles(3).await;
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().without_worker().start_in(folder, database_url).await;
    app.app.generations.open_for_search().await.unwrap();
    app.query(
        "mutation { updateArticle(input: { id: \"1\", content: \"😀\", waitForIndex: false }) { userErrors { message } } }",
    )
    .await;
    let data = app.query_with(RECOMMEND, json!({ "query": "words" })).await;
    let changed =
        data["recommend"].as_array().unwrap().iter().find(|item| item["article"]["id"] == "1").unwrap();
    assert_eq!(changed["passage"]["text"], "Some words about the number 0. And 0 more.");
    // However many have changed, they are read together.
    app.raw_sql("UPDATE article SET content = 'changed' WHERE id > 1").await;
    let before = app.app.index.calls();
    let data = app.query("{ articles { nodes { similarTo(k: 2) { passage { text } } } } }").await;
    assert_eq!(app.app.index.calls() - before, 1, "the texts");
    let texts = data.to_string();
    assert_eq!(texts.matches("Some words about the number").count(), 6, "{texts}");
    app.stop().await;
}

#[tokio::test]
async fn an_article_of_many_passages_hides_no_other() {
    let app = Builder::new().start().await;
    app.create("Long", &"lorem ipsum dolor sit amet. ".repeat(3_000)).await;
    for number in 0..9 {
        app.create(&format!("Small {number}"), &format!("lorem ipsum {number}")).await;
    }
    for k in [2, 5, 10] {
        let data = app.query_with(RECOMMEND, json!({ "query": "lorem ipsum dolor sit amet", "k": k })).await;
        assert_eq!(data["recommend"].as_array().unwrap().len(), k, "{data:#}");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_longest_lists_of_a_filter_are_answered() {
    let app = with_articles(3).await;
    let ids: Vec<_> = (0..10_000).map(|number| number.to_string()).collect();
    let tags: Vec<_> = (0..10_000).map(|number| format!("tag {number}")).collect();
    let document = "query($filter: ArticleFilter) {
      articles(filter: $filter) { totalCount }
      recommend(query: \"words\", options: { filter: $filter }) { article { id } }
    }";
    for filter in [
        json!({ "idsIn": ids, "tagsNone": tags, "categoryNotIn": tags }),
        json!({ "idsNotIn": ["2"], "tagsNone": tags }),
    ] {
        let data = app.query_with(document, json!({ "filter": filter })).await;
        let found = data["articles"]["totalCount"].as_u64().unwrap();
        assert!(found >= 2, "{data}");
        assert_eq!(data["recommend"].as_array().unwrap().len() as u64, found);
    }
    let first = app.query("{ article(id: 1) { content } }").await["article"]["content"].clone();
    let length = first.as_str().unwrap().chars().count();
    let bounds = json!({ "contentLengthMin": length, "contentLengthMax": length, "idsIn": ["1"] });
    let data = app.query_with(document, json!({ "filter": bounds })).await;
    assert_eq!(data, json!({ "articles": { "totalCount": 1 }, "recommend": [{ "article": { "id": "1" } }] }));
    let data = app.query_with(document, json!({ "filter": { "contentLengthMax": 0 } })).await;
    assert_eq!(data, json!({ "articles": { "totalCount": 0 }, "recommend": [] }));
    let nothing = app.query_with(document, json!({ "filter": { "tagsAll": tags } })).await;
    assert_eq!(nothing, json!({ "articles": { "totalCount": 0 }, "recommend": [] }));
    for mode in ["SEMANTIC", "KEYWORD", "HYBRID"] {
        let but_one: Vec<_> = ids.iter().filter(|id| *id != "2").collect();
        let options = json!({ "mode": mode, "excludeIds": but_one });
        let data = app.query_with(RECOMMEND, json!({ "query": "words", "options": options })).await;
        assert_eq!(self::ids(&data["recommend"]), ["2"], "{mode}");
        let too_many: Vec<_> = (0..10_001).map(|number| number.to_string()).collect();
        let options = json!({ "mode": mode, "excludeIds": too_many });
        let refused = app.execute(RECOMMEND, json!({ "query": "words", "options": options })).await;
        assert_eq!(refused["errors"][0]["extensions"]["argument"], "options.excludeIds", "{mode}");
    }
    app.stop().await;
}

#[tokio::test]
async fn each_mode_ranks_by_its_own_likeness() {
    let app = Builder::new().real_model().start().await;
    app.create("Carbonara", "Eggs, cheese and spaghetti make a Roman dish.").await;
    app.create("Pasta prices", "The pasta futures market fell. Pasta, pasta, pasta.").await;
    app.create("Volcanoes", "Lava flows down the mountain.").await;
    let find = async |mode: &str, weights: Value| {
        let options = json!({ "mode": mode, "weights": weights });
        let data = app.query_with(RECOMMEND, json!({ "query": "pasta", "options": options })).await;
        data["recommend"].as_array().unwrap().clone()
    };
    let number = |item: &Value, part: &str| item["explanation"][part].as_f64().unwrap();

    let keyword = find("KEYWORD", Value::Null).await;
    assert_eq!(keyword.len(), 1, "only articles that share a word");
    assert_eq!(keyword[0]["article"]["id"], "2");
    assert!(number(&keyword[0], "keyword") > 0.0 && number(&keyword[0], "semantic") == 0.0);
    let semantic = find("SEMANTIC", Value::Null).await;
    assert_eq!(semantic.len(), 3);
    for item in &semantic {
        assert_eq!(item["score"], item["explanation"]["cosine"]);
        assert_eq!(number(item, "keyword"), 0.0);
    }
    let hybrid = find("HYBRID", Value::Null).await;
    assert_eq!(hybrid[0]["article"]["id"], "2");
    let largest = semantic.iter().map(|item| number(item, "cosine")).fold(0.0, f64::max);
    for item in &hybrid {
        assert_eq!(item["score"], item["explanation"]["rankingScore"]);
        let sum = number(item, "semantic") + number(item, "keyword");
        assert!((sum - number(item, "rankingScore")).abs() < 1e-6);
        let lifted = (number(item, "cosine") / largest).powf(13.0 / 16.0);
        assert!((number(item, "semantic") - 0.5 * lifted).abs() < 1e-6, "{item}");
    }
    assert_eq!(number(&hybrid[0], "keyword"), 0.5);

    let one_sided = find("HYBRID", json!({ "semantic": 1, "keyword": 0 })).await;
    assert_eq!(ids(&Value::from(one_sided)), ids(&Value::from(semantic)));
    for (weights, argument) in [
        (json!({ "semantic": 1.1 }), "options.weights.semantic"),
        (json!({ "keyword": -0.1 }), "options.weights.keyword"),
        (json!({ "semantic": 0, "keyword": 0 }), "options.weights"),
    ] {
        let variables = json!({ "query": "pasta", "options": { "weights": weights } });
        let response = app.execute(RECOMMEND, variables).await;
        assert_eq!(response["errors"][0]["extensions"]["argument"], argument, "{response}");
    }
    app.stop().await;
}

/// An empty list is an answer: nothing has the words, or nothing is a word.
#[tokio::test]
async fn queries_without_words_find_by_meaning_alone() {
    let app = with_articles(12).await;
    // Stop words are found where nothing else is asked for.
    for (query, by_words) in
        [("the of and", 10), ("\u{1f35d}\u{1f35d}", 0), ("!?", 0), ("\u{4f60}\u{597d}", 0)]
    {
        for (mode, count) in [("KEYWORD", by_words), ("SEMANTIC", 10), ("HYBRID", 10)] {
            let options = json!({ "mode": mode });
            let data = app.query_with(RECOMMEND, json!({ "query": query, "options": options })).await;
            assert_eq!(ids(&data["recommend"]).len(), count, "{query} {mode}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn named_articles_come_first_then_those_with_the_phrase() {
    let app = Builder::new().start().await;
    let articles = json!([
        { "title": "Apples", "content": "Green apples and red pears." },
        { "title": "Fruit", "content": "A red\n  APPLE a day. It's a red apple." },
        { "title": "Fruit again", "content": "An apple that is red; red apples." },
        { "title": "Red  Apple", "content": "Nothing else.", "externalId": "b-1" },
        { "title": "Stra\u{df}e", "content": "red apple red apple red apple red apple", "externalId": "red apple" },
        { "title": "Quotes", "content": "Somebody's 'single' \"double\" quotes; DROP TABLE." },
    ]);
    app.create_all(&json!(articles)).await;
    let tiers = async |query: &str, options: Value| {
        let data = app.query_with(RECOMMEND, json!({ "query": query, "options": options })).await;
        let list = data["recommend"].as_array().unwrap().clone();
        let first = list.iter().filter(|item| item["explanation"]["tier"] != "REST");
        let tier = |item: &Value| {
            format!(
                "{} {}",
                item["explanation"]["tier"].as_str().unwrap(),
                item["article"]["id"].as_str().unwrap()
            )
        };
        let count = first.clone().count();
        assert!(list[count..].iter().all(|item| item["explanation"]["tier"] == "REST"), "tiers in order");
        let mut first: Vec<_> = first.map(tier).collect();
        first.sort();
        first
    };
    for mode in ["SEMANTIC", "KEYWORD", "HYBRID"] {
        let options = json!({ "mode": mode });
        assert_eq!(tiers(" red APPLE\n", options.clone()).await, ["TITLE_OR_ID 4"], "a title in other case");
        assert_eq!(tiers("red apple", options.clone()).await, ["TITLE_OR_ID 4", "TITLE_OR_ID 5"]);
        assert_eq!(
            tiers("\"Red Apple\"", options.clone()).await,
            ["PHRASE 2", "PHRASE 5", "TITLE_OR_ID 4"],
            "a title in quotation marks"
        );
        assert_eq!(
            tiers("fruit \u{201c}red apple\u{201d} \u{ab}a day\u{bb}", options.clone()).await,
            ["PHRASE 2"]
        );
        assert_eq!(tiers("STRASSE", options.clone()).await, ["TITLE_OR_ID 5"]);
        assert_eq!(tiers("B-1", options).await, Vec::<String>::new(), "an external id is exact");
    }
    // Stop words alone: meaning ranks. Beside another phrase they ask for nothing.
    assert_eq!(tiers("\"the of and\" \"a day\"", Value::Null).await, ["PHRASE 2"]);
    assert_eq!(tiers("\"the of and\"", Value::Null).await, Vec::<String>::new());
    assert_eq!(tiers("'; DROP TABLE article; --", Value::Null).await, Vec::<String>::new());
    let filtered = json!({ "filter": { "idsNotIn": ["4"] }, "excludeIds": ["2"] });
    assert_eq!(tiers("red apple", filtered.clone()).await, ["TITLE_OR_ID 5"]);
    assert_eq!(tiers("\"red apple\"", filtered).await, ["PHRASE 5"]);
    app.stop().await;
}

/// The model is asked when nearness in meaning is, once for the list.
#[tokio::test]
async fn by_words_nothing_is_embedded_unless_nearness_is_told() {
    let app = with_articles(5).await;
    let runs = || {
        let live = app.app.index.live().unwrap();
        app.app.models.with_fingerprint(live.fingerprint()).unwrap().runs()
    };
    let ask = async |query: &str, options: Value, fields: &str| {
        let before = runs();
        let document = format!(
            "query($query: String!, $options: RecommendOptions) {{ recommend(query: $query, options: $options) {{ {fields} }} }}"
        );
        let data = app.query_with(&document, json!({ "query": query, "options": options })).await;
        assert!(data["recommend"].as_array().unwrap().len() >= 4, "{data}");
        (runs() - before, data["recommend"].clone())
    };
    let (embedded, _) = ask(
        "words number 1",
        json!({ "mode": "KEYWORD" }),
        "score passage { text } explanation { tier keyword }",
    )
    .await;
    assert_eq!(embedded, 0);
    let told = "article { id } confidence explanation { cosine } passage { text }";
    let (embedded, by_words) = ask("words number 2", json!({ "mode": "KEYWORD" }), told).await;
    assert_eq!(embedded, 1);
    let by_id = |list: &Value| {
        let items = list.as_array().unwrap().iter();
        let cosines =
            items.map(|item| (item["article"]["id"].to_string(), item["explanation"]["cosine"].to_string()));
        cosines.collect::<std::collections::BTreeMap<_, _>>()
    };
    let (embedded, by_both) = ask("words number 2", json!({ "mode": "HYBRID" }), told).await;
    assert_eq!((embedded, by_id(&by_words)), (0, by_id(&by_both)));
    let least = json!({ "mode": "KEYWORD", "minScore": -1 });
    assert_eq!(ask("words number 3", least, "score").await.0, 1, "it is needed to rank");
    app.stop().await;
}
