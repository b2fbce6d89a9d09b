//! Responses are bounded: each, and all together.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::app::{Builder, TestApp};
use crate::web_socket::client::{BOTH, Client};

const MEBIBYTE: usize = 1024 * 1024;

/// One that says so, and nothing of what was asked for.
fn is_too_large(response: &Value, path: &Value) {
    assert_eq!(response["data"], Value::Null, "{response}");
    assert!(response.as_object().unwrap().contains_key("data"), "{response}");
    let error = &response["errors"][0];
    assert_eq!(response["errors"].as_array().unwrap().len(), 1, "{response}");
    assert_eq!(
        error["extensions"],
        json!({ "code": "LIMIT_EXCEEDED", "limit": "response", "max": MEBIBYTE })
    );
    assert!(error["message"].as_str().unwrap().contains("SENTIO_RESPONSE_MAX"), "{response}");
    assert_eq!(&error["path"], path, "{response}");
}

fn small_limit() -> Builder {
    Builder::new().set("SENTIO_RESPONSE_MAX", "1")
}

/// Stores an article, searchable some time later; returns its id.
async fn store(app: &TestApp, title: &str, content: &str) -> String {
    let document = "mutation($title: String!, $content: String!) {
        createArticle(input: { title: $title, content: $content, waitForIndex: false }) { article { id } } }";
    let data = app.query_with(document, json!({ "title": title, "content": content })).await;
    data["createArticle"]["article"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_response_beyond_the_limit_is_an_error_on_every_transport() {
    let app = small_limit().without_worker().start().await;
    let id = store(&app, "Long", &"words ".repeat(100_000)).await;
    let document = format!("{{ article(id: {id}) {{ a: content b: content }} }}");
    let path = json!(["article", "b"]);
    let client = reqwest::Client::new();
    for accept in ["application/json", "application/graphql-response+json"] {
        let post = client.post(format!("{}/graphql", app.url)).header("accept", accept);
        let posted = post.json(&json!({ "query": document })).send().await.unwrap();
        assert_eq!(posted.status(), 200);
        is_too_large(&posted.json().await.unwrap(), &path);
        let get = client.get(format!("{}/graphql", app.url)).header("accept", accept);
        let got = get.query(&[("query", &document)]).send().await.unwrap();
        is_too_large(&got.json().await.unwrap(), &path);
    }
    let post = client.post(format!("{}/graphql", app.url)).header("accept", "text/event-stream");
    let events = post.json(&json!({ "query": document })).send().await.unwrap().text().await.unwrap();
    let (next, complete) = events.split_once("\n\n").unwrap();
    is_too_large(&serde_json::from_str(next.strip_prefix("event: next\ndata: ").unwrap()).unwrap(), &path);
    assert_eq!(complete, "event: complete\ndata:\n\n");
    for protocol in BOTH {
        let mut client = Client::connect(&app, protocol).await;
        client.begin("1", &document).await;
        is_too_large(&client.result("1").await, &path);
        client.completed("1").await;
    }
    // One of them is no more than the limit.
    let one = app.query(&format!("{{ article(id: {id}) {{ content }} }}")).await;
    assert_eq!(one["article"]["content"].as_str().unwrap().len(), 600_000);
    app.stop().await;
}

#[tokio::test]
async fn everything_that_stands_in_a_response_counts() {
    let app = small_limit().without_worker().start().await;
    let escaped = store(&app, "Escaped", &"\u{1}".repeat(200_000)).await;
    let long = "k".repeat(20_000);
    for number in 0..60 {
        store(&app, &format!("Article {number}"), "words").await;
    }
    let tags: Vec<_> = (0..50).map(|number| format!("{number}{}", "𝄞".repeat(98))).collect();
    let input = json!({ "title": "Tagged", "content": "words", "tags": tags });
    let create = "mutation($input: CreateArticleInput!) { createArticle(input: $input) { article { id } } }";
    let tagged = app.query_with(create, json!({ "input": input })).await;
    let tagged = tagged["createArticle"]["article"]["id"].as_str().unwrap().to_owned();
    let aliases =
        |count: usize, field: &str| (0..count).map(|n| format!("a{n}: {field} ")).collect::<String>();
    let described: String = (0..100).map(|n| format!("a{n}{}: description ", "x".repeat(40))).collect();
    let introspection = format!("{{ __schema {{ types {{ fields {{ {described} }} }} }} }}");
    for (what, document) in [
        ("escapes", format!("{{ article(id: {escaped}) {{ content }} }}")),
        ("keys", format!("{{ articles(first: 60) {{ nodes {{ {long}: id }} }} }}")),
        ("lists", format!("{{ article(id: {tagged}) {{ {} }} }}", aliases(100, "tags"))),
        ("introspection", introspection),
    ] {
        let started = Instant::now();
        let response = app.execute(&document, json!({})).await;
        let extensions = &response["errors"][0]["extensions"];
        assert_eq!(extensions["limit"], "response", "{what}: {:.300}", response.to_string());
        assert_eq!(response["data"], Value::Null);
        assert!(started.elapsed() < Duration::from_secs(10), "{what}: {:?}", started.elapsed());
    }
    app.stop().await;
}

#[tokio::test]
async fn fields_that_wait_take_memory_until_they_are_resolved() {
    let app = small_limit().set("SENTIO_RESPONSES_MEMORY", "8").without_worker().start().await;
    let values: Vec<_> = (0..100).map(|number| format!("('Article {number}', 'words')")).collect();
    app.raw_sql(&format!("INSERT INTO article (title, content) VALUES {}", values.join(", "))).await;
    // All fields of a page wait for the same statement.
    let document = |count: usize| {
        let fields: String = (0..count).map(|n| format!("a{n}: indexState ")).collect();
        format!("{{ articles(first: 100) {{ nodes {{ {fields} }} }} }}")
    };
    let few = app.query(&document(2)).await;
    assert_eq!(few["articles"]["nodes"].as_array().unwrap().len(), 100);
    // Now and then the statement is answered before most of them wait.
    let started = Instant::now();
    while app.post(&json!({ "query": document(20) })).await.status() != 503 {
        assert!(started.elapsed() < Duration::from_secs(30), "all of them took no memory");
    }
    until(&app, |bytes| bytes == 0.0).await;
    app.stop().await;
}

#[tokio::test]
async fn an_error_repeats_little_of_what_was_sent() {
    let app = Builder::new().start().await;
    let fields: String = (0..50).map(|n| format!("a{n}: recommend(articleId: $id) {{ score }} ")).collect();
    let document = format!("query($id: ID!) {{ {fields} }}");
    let response = app.execute(&document, json!({ "id": "é".repeat(500_000) })).await;
    assert_eq!(response["errors"].as_array().unwrap().len(), 50);
    assert!(response.to_string().len() < 100_000, "{}", response.to_string().len());
    app.stop().await;
}

#[tokio::test]
async fn a_mutation_whose_response_is_too_large_was_executed() {
    let app = small_limit().without_worker().start().await;
    let document = "mutation($content: String!) {
        createArticle(input: { title: \"t\", content: $content }) { article { a: content b: content } } }";
    let response = app.execute(document, json!({ "content": "words ".repeat(100_000) })).await;
    is_too_large(&response, &json!(["createArticle", "article", "b"]));
    assert_eq!(app.query("{ articles { totalCount } }").await["articles"]["totalCount"], 1);
    app.stop().await;
}

#[tokio::test]
async fn each_event_of_a_subscription_has_the_limit_for_itself() {
    for (fields, too_large) in [("content", false), ("a: content b: content", true)] {
        let app = small_limit().start().await;
        let id = store(&app, "Long", &"words ".repeat(100_000)).await;
        app.until_told().await;
        let document = format!("subscription {{ articleChanged {{ article {{ {fields} }} }} }}");
        let client = reqwest::Client::new();
        let post = client.post(format!("{}/graphql", app.url)).header("accept", "text/event-stream");
        let mut response = post.json(&json!({ "query": document })).send().await.unwrap();
        app.until_heard().await;
        app.tell_updates(&id, 3).await;
        let mut text = String::new();
        let mut results = Vec::new();
        while results.len() < 3 {
            let chunk = response.chunk().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                if let Some(data) = event.strip_prefix("event: next\ndata: ") {
                    results.push(serde_json::from_str::<Value>(data).unwrap());
                }
                text = rest.to_owned();
            }
        }
        for result in &results {
            if too_large {
                is_too_large(result, &json!(["articleChanged", "article", "b"]));
            } else {
                assert_eq!(
                    result["data"]["articleChanged"]["article"]["content"].as_str().unwrap().len(),
                    600_000
                );
            }
        }
        drop(response);
        app.stop().await;
    }
}

#[tokio::test]
async fn contents_are_not_read_beyond_the_limit() {
    let app = small_limit().set("SENTIO_PASSAGES_MAX", "4").start().await;
    for number in 0..6 {
        store(&app, &format!("Article {number}"), &"words ".repeat(40_000)).await;
    }
    // Four fit into the response; the one that tells whether there are more does not count.
    let document =
        "query($first: Int!) { articles(first: $first) { nodes { content } pageInfo { hasNextPage } } }";
    let data = app.query_with(document, json!({ "first": 4 })).await;
    assert_eq!(data["articles"]["pageInfo"]["hasNextPage"], true);
    let response = app.execute(document, json!({ "first": 5 })).await;
    assert_eq!(response["errors"][0]["extensions"]["limit"], "response", "{:.300}", response.to_string());
    // Passages are read from all of them and take little.
    app.until_idle().await;
    let data = app.query("{ recommend(query: \"words\", k: 6) { passage { text } } }").await;
    let passages = data["recommend"].as_array().unwrap();
    assert!(
        passages.len() == 6
            && passages.iter().all(|it| it["passage"]["text"].as_str().unwrap().contains("words")),
        "{:.500}",
        data.to_string()
    );
    app.stop().await;
}

/// A client with small buffers that reads nothing of its answer.
async fn stalled(app: &TestApp, document: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let address = app.url.trim_start_matches("http://").parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let body = json!({ "query": document }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    stream
}

/// The bytes that responses take, as `/metrics` tells.
async fn responses_bytes(app: &TestApp) -> f64 {
    let text = reqwest::get(format!("{}/metrics", app.url)).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("sentio_graphql_responses_bytes ")).unwrap();
    line.parse().unwrap()
}

/// Waits until the responses have taken some time as many megabytes as this.
async fn until_settled(app: &TestApp, megabytes: f64) {
    let mut looks = 0;
    let started = Instant::now();
    while looks < 5 {
        let bytes = responses_bytes(app).await;
        looks = if (bytes / MEBIBYTE as f64).round() == megabytes { looks + 1 } else { 0 };
        assert!(started.elapsed() < Duration::from_secs(30), "{bytes}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until(app: &TestApp, enough: impl Fn(f64) -> bool) {
    let started = Instant::now();
    while !enough(responses_bytes(app).await) {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", responses_bytes(app).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn slow_readers_of_large_responses_leave_room_for_small_ones() {
    let app =
        Builder::new().set("SENTIO_RESPONSE_MAX", "8").set("SENTIO_RESPONSES_MEMORY", "40").start().await;
    let id = store(&app, "Long", &"x".repeat(MEBIBYTE)).await;
    let aliases: String = (0..7).map(|n| format!("a{n}: content ")).collect();
    let large = format!("{{ article(id: {id}) {{ {aliases} }} }}");
    let mut slow = Vec::new();
    for held in 1..=3 {
        slow.push(stalled(&app, &large).await);
        until_settled(&app, f64::from(held) * 7.0).await;
    }
    let refused = app.post(&json!({ "query": large })).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "OVERLOADED", "{body}");
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("SENTIO_RESPONSES_MEMORY"), "{body}");
    for protocol in BOTH {
        let mut client = Client::connect(&app, protocol).await;
        client.begin("1", &large).await;
        assert_eq!(client.refusal("1").await["extensions"]["code"], "OVERLOADED", "{protocol:?}");
    }
    // A mutation was executed, which a refusal would hide.
    let mutation = format!(
        "mutation {{ updateArticle(input: {{ id: {id}, title: \"new\" }}) {{ article {{ {aliases} }} }} }}"
    );
    let response = app.execute(&mutation, json!({})).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "OVERLOADED", "{response}");
    assert_eq!(response["data"], Value::Null);
    let data = app.query(&format!("{{ article(id: {id}) {{ title content }} }}")).await;
    assert_eq!(data["article"]["title"], "new");
    // What is read or left is given back.
    let mut whole = Vec::new();
    while whole.len() < 7 * MEBIBYTE {
        let mut part = vec![0; MEBIBYTE];
        let length = slow[0].read(&mut part).await.unwrap();
        assert!(length > 0, "{} bytes", whole.len());
        whole.extend_from_slice(&part[..length]);
    }
    assert_eq!(app.post(&json!({ "query": large })).await.status(), 200);
    drop(slow);
    until(&app, |bytes| bytes == 0.0).await;
    app.stop().await;
}

#[tokio::test]
async fn a_web_socket_counts_for_as_much_as_its_largest_result() {
    for protocol in BOTH {
        let app =
            Builder::new().set("SENTIO_RESPONSE_MAX", "8").set("SENTIO_RESPONSES_MEMORY", "38").start().await;
        let id = store(&app, "Long", &"x".repeat(MEBIBYTE)).await;
        let aliases: String = (0..7).map(|n| format!("a{n}: content ")).collect();
        let large = format!("{{ article(id: {id}) {{ {aliases} }} }}");
        let mut clients = Vec::new();
        for _ in 0..2 {
            let mut client = Client::connect(&app, protocol).await;
            for operation in ["1", "2"] {
                client.begin(operation, &large).await;
                assert!(client.result(operation).await["errors"].is_null());
                client.completed(operation).await;
            }
            clients.push(client);
        }
        // They have read everything, and their connections keep the buffers.
        until_settled(&app, 14.0).await;
        let mut refused = Client::connect(&app, protocol).await;
        refused.begin("1", &large).await;
        assert_eq!(refused.refusal("1").await["extensions"]["code"], "OVERLOADED", "{protocol:?}");
        drop(clients);
        until(&app, |bytes| bytes == 0.0).await;
        app.stop().await;
    }
}
