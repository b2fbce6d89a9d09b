//! Documents that are asked for by a hash or an id.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::{Builder, TestApp};

const TEXT: &str = "query Count { articles { totalCount } }";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn get(app: &TestApp, parameters: &[(&str, String)]) -> (u16, Value) {
    let request = reqwest::Client::new().get(format!("{}/graphql", app.url)).query(parameters);
    let response = request.header("accept", "application/graphql-response+json").send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_persisted_query_is_sent_once() {
    let app = Builder::new().start().await;
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(TEXT) } }).to_string();
    let by_hash = [("extensions", extensions.clone()), ("operationName", "Count".to_owned())];
    let (status, answer) = get(&app, &by_hash).await;
    assert_eq!((status, &answer["errors"][0]["message"]), (400, &json!("PersistedQueryNotFound")));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    let with_text = [("extensions", extensions), ("query", TEXT.to_owned())];
    assert_eq!(get(&app, &with_text).await.1["data"]["articles"]["totalCount"], 0);
    assert_eq!(get(&app, &by_hash).await.1["data"]["articles"]["totalCount"], 0);
    let wrong = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash("{ other }") } }).to_string();
    let (status, answer) = get(&app, &[("extensions", wrong), ("query", TEXT.to_owned())]).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (400, &json!("BAD_USER_INPUT")));
    let metrics = reqwest::get(format!("{}/metrics", app.url)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("sentio_graphql_requests_total{document=\"known\"} 1"), "{metrics}");
    app.stop().await;
}

#[tokio::test]
async fn a_persisted_mutation_cannot_be_sent_by_get() {
    let app = Builder::new().start().await;
    let text = "mutation { deleteArticle(input: { id: \"1\" }) { deletedArticleId } }";
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(text) } });
    let posted = app.post(&json!({ "query": text, "extensions": extensions })).await;
    assert_eq!(posted.status(), 200);
    assert_eq!(get(&app, &[("extensions", extensions.to_string())]).await.0, 405);
    app.stop().await;
}

#[tokio::test]
async fn only_the_documents_of_the_manifest_are_executed() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.json");
    std::fs::write(&manifest, json!({ "count": TEXT }).to_string()).unwrap();
    let trusting = Builder::new().set("SENTIO_TRUSTED_DOCUMENTS", manifest.display().to_string());
    let app = trusting.clone().start().await;
    assert_eq!(get(&app, &[("documentId", "count".to_owned())]).await.1["data"]["articles"]["totalCount"], 0);
    assert_eq!(get(&app, &[("query", "{ __typename }".to_owned())]).await.0, 200);
    app.stop().await;

    let app = trusting.set("SENTIO_TRUSTED_DOCUMENTS_ONLY", "true").start().await;
    let id = json!({ "persistedQuery": { "version": 1, "sha256Hash": "count" } }).to_string();
    let by_hash = format!("sha256:{}", hash(TEXT));
    for known in [
        ("documentId", "count".to_owned()),
        ("documentId", by_hash),
        ("extensions", id),
        ("query", TEXT.to_owned()),
    ] {
        assert_eq!(get(&app, std::slice::from_ref(&known)).await.0, 200, "{known:?}");
    }
    for (parameter, value, code) in [
        ("query", "{ __typename }", "FORBIDDEN"),
        ("documentId", "other", "PERSISTED_QUERY_NOT_FOUND"),
        ("query", "{ __schema { types { name } } }", "FORBIDDEN"),
    ] {
        let (status, answer) = get(&app, &[(parameter, value.to_owned())]).await;
        assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (400, &json!(code)), "{value}");
    }
    app.stop().await;
}
