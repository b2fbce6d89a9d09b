//! With the real model, searches go by meaning.

use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

async fn with_samples() -> TestApp {
    let app = Builder::new().real_model().start().await;
    let samples: Value = serde_json::from_str(include_str!("../../src/cli/samples.json")).unwrap();
    let data = app
        .query_with(
            "mutation($articles: [NewArticleInput!]!) {
               createArticles(input: { articles: $articles }) { articles { id } userErrors { message } }
             }",
            json!({ "articles": samples }),
        )
        .await;
    assert_eq!(data["createArticles"]["articles"].as_array().unwrap().len(), 12);
    app
}

fn categories(recommendations: &Value) -> Vec<&str> {
    let list = recommendations.as_array().unwrap();
    list.iter().map(|recommendation| recommendation["article"]["category"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pasta_finds_carbonara_although_the_word_is_not_in_it() {
    let app = with_samples().await;
    let data = app
        .query("{ recommend(query: \"pasta\", k: 3) { score article { title content } passage { text } } }")
        .await;
    let first = &data["recommend"][0];
    assert!(first["article"]["title"].as_str().unwrap().contains("Carbonara"), "{data:#}");
    assert!(!first["article"]["content"].as_str().unwrap().to_lowercase().contains("pasta"));
    assert!(first["passage"]["text"].as_str().unwrap().starts_with("Carbonara needs five things"));
    app.stop().await;
}

#[tokio::test]
async fn a_question_finds_the_articles_of_its_theme() {
    let app = with_samples().await;
    let data = app
        .query("{ recommend(query: \"How to build neural networks\", k: 2) { article { category title } } }")
        .await;
    assert_eq!(categories(&data["recommend"]), ["Tech", "Tech"]);
    assert!(data["recommend"][0]["article"]["title"].as_str().unwrap().starts_with("Neural Networks"));
    app.stop().await;
}

#[tokio::test]
async fn an_articles_neighbours_come_from_its_theme() {
    let app = with_samples().await;
    let data = app
        .query("{ articles { nodes { category title similarTo(k: 1) { article { category title } } } } }")
        .await;
    let articles = data["articles"]["nodes"].as_array().unwrap();
    assert_eq!(articles.len(), 12);
    for article in articles {
        assert_eq!(categories(&article["similarTo"]), [article["category"].as_str().unwrap()], "{article:#}");
    }
    app.stop().await;
}
