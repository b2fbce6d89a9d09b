//! What a list tells about itself: highlighted words, the best passage, how unusual a likeness is.

use std::time::{Duration, Instant};

use sentio::entity::index_background;
use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

const EXPLAINED: &str = "query($query: String, $articleId: ID, $options: RecommendOptions) {
  recommend(query: $query, articleId: $articleId, options: $options) {
    confidence explanation { cosine } article { id content } passage { text start end highlights { start end } }
  }
}";

async fn list(app: &TestApp, variables: Value) -> Vec<Value> {
    app.query_with(EXPLAINED, variables).await["recommend"].as_array().unwrap().clone()
}

/// The highlighted words, as JavaScript would cut them out.
fn highlighted(item: &Value) -> Vec<String> {
    let text: Vec<u16> = item["passage"]["text"].as_str().unwrap().encode_utf16().collect();
    let place = |highlight: &Value, name: &str| usize::try_from(highlight[name].as_u64().unwrap()).unwrap();
    let highlights = item["passage"]["highlights"].as_array().unwrap();
    let word = |highlight: &Value| {
        String::from_utf16(&text[place(highlight, "start")..place(highlight, "end")]).unwrap()
    };
    highlights.iter().map(word).collect()
}

#[tokio::test]
async fn words_of_the_query_are_highlighted() {
    let app = Builder::new().start().await;
    app.create("One", "😀 Recipes of the café: a RECIPE with 🍝 and more.").await;
    for mode in ["SEMANTIC", "KEYWORD", "HYBRID"] {
        let found = list(&app, json!({ "query": "the recipe, cafe", "options": { "mode": mode } })).await;
        assert_eq!(highlighted(&found[0]), ["Recipes", "café", "RECIPE"], "{mode}");
    }
    app.create("Two", "Something else.").await;
    let similar = list(&app, json!({ "articleId": "2" })).await;
    assert_eq!(similar[0]["passage"]["highlights"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn words_are_the_same_however_unicode_writes_them() {
    let app = Builder::new().start().await;
    let filler = "Nothing of it is said in this sentence, which is only there to be long. ".repeat(60);
    let (one, two) = ("D\u{fc}sseldorf", "Du\u{308}sseldorf");
    for city in [one, two] {
        let content = format!("Cafe\u{301} 😀. {filler}\n\nIn {city} they serve altbier. {filler}");
        app.create("A town", &content).await;
    }
    app.create("Another", "Nothing of it").await;
    for query in [one, two, "dusseldorf", "\"in D\u{fc}sseldorf\"", "\"in Du\u{308}sseldorf\""] {
        let found = list(&app, json!({ "query": query, "options": { "mode": "KEYWORD" } })).await;
        assert_eq!(found.len(), 2, "{query}");
        for (item, city) in found.iter().zip([one, two]) {
            assert!(highlighted(item).contains(&city.to_owned()), "{query}: {:#}", item["passage"]);
        }
    }
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn by_words_the_best_passage_is_the_one_with_the_words() {
    let app = Builder::new().start().await;
    let filler = "Nothing of it is said in this sentence, which is only there to be long. ".repeat(60);
    let content =
        format!("{filler}\n\nAn avocado is a fruit. {filler}\n\nThe avocado and the mango. {filler}");
    app.create("Fruit", &content).await;
    app.create("Avocado mango", &filler).await;
    let found = list(&app, json!({ "query": "avocado mango", "options": { "mode": "KEYWORD" } })).await;
    let fruit = found.iter().find(|item| item["article"]["id"] == "1").unwrap();
    assert_eq!(highlighted(fruit), ["avocado", "mango"], "{:#}", fruit["passage"]);
    // In the hybrid mode a passage without any word is none of those that fit best, and a phrase is shown in any mode.
    let found = list(&app, json!({ "query": "avocado" })).await;
    let hybrid = found.iter().find(|item| item["article"]["id"] == "1").unwrap();
    assert_eq!(highlighted(hybrid)[0], "avocado", "{:#}", hybrid["passage"]);
    for mode in ["SEMANTIC", "KEYWORD", "HYBRID"] {
        let query = "sentence \"the mango\"";
        let found = list(&app, json!({ "query": query, "options": { "mode": mode } })).await;
        assert_eq!(found[0]["article"]["id"], "1", "{mode}");
        assert!(found[0]["passage"]["text"].as_str().unwrap().contains("the mango"), "{mode} {:#}", found[0]);
    }
    let found = list(&app, json!({ "query": "avocado mango", "options": { "mode": "KEYWORD" } })).await;
    // Only its title has the words: the nearest passage is shown.
    let titled = found.iter().find(|item| item["article"]["id"] == "2").unwrap();
    assert!(!titled["passage"]["text"].as_str().unwrap().is_empty());
    app.stop().await;
}

#[tokio::test]
async fn confidence_is_the_share_of_random_pairs_that_are_less_alike() {
    let app = Builder::new().start().await;
    // Long enough for several passages: pairs of one article's own passages are no background.
    app.create("One", &"Words about one thing. ".repeat(400)).await;
    let alone = list(&app, json!({ "query": "words" })).await;
    assert_eq!(alone[0]["confidence"], Value::Null, "one article has no pair");
    for number in 0..20 {
        app.create(&format!("Title {number}"), &format!("Something else is told about {number}.")).await;
    }
    let sample = async || {
        let snapshot = app.app.index.live().unwrap().snapshot();
        let row = index_background::of_location(app.app.db.reader(), snapshot.location()).await.unwrap();
        row.map(|row| row.cosines()).filter(|cosines| !cosines.is_empty())
    };
    // The sample is taken again while articles are added.
    let begun = Instant::now();
    let mut known = None;
    let (found, similar) = loop {
        let before = known;
        let lists = (
            list(&app, json!({ "query": "words about one thing" })).await,
            list(&app, json!({ "articleId": "1" })).await,
        );
        known = sample().await;
        if known.is_some() && before == known {
            break lists;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no sample was taken");
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let cosines = known.unwrap();
    assert_eq!(cosines.len(), 10_000);
    assert!(cosines.is_sorted());
    for item in found.iter().chain(&similar) {
        let confidence = item["confidence"].as_f64().unwrap();
        let cosine = item["explanation"]["cosine"].as_f64().unwrap();
        let below = cosines.iter().filter(|known| f64::from(**known) < cosine).count();
        assert!((confidence - below as f64 / 10_000.0).abs() < 1e-9, "{confidence} {below}");
    }
    app.stop().await;
}
