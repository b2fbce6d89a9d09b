//! Many clients with the largest of requests: the server lives on in the memory it was given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::app::database_url;
use crate::server::Server;

const CLIENTS: usize = 512;
const DATA_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Requests for as much as there is, each of another kind.
fn heavy_requests(id: &str) -> Vec<Value> {
    let aliases =
        |field: &str, count: usize| (0..count).map(|n| format!("a{n}: {field} ")).collect::<String>();
    let contents = |count| aliases("content", count);
    let long = "k".repeat(25_000);
    let documents = [
        // Each just within the limit of a response, and one beyond it.
        format!("{{ article(id: {id}) {{ {} }} }}", contents(31)),
        format!("{{ article(id: {id}) {{ {} }} }}", contents(100)),
        "{ articles(first: 31) { nodes { content } } }".to_owned(),
        format!("{{ articles(first: 100) {{ nodes {{ {} }} }} }}", contents(4)),
        format!(
            "{{ articles(first: 100) {{ nodes {{ similarTo(k: 8) {{ article {{ {long}: id }} }} }} }} }}"
        ),
        format!(
            "{{ articles(first: 100) {{ nodes {{ {} }} }} }}",
            "id ".to_owned() + &aliases("revision", 100)
        ),
        format!(
            "{{ __schema {{ types {{ fields {{ type {{ ofType {{ fields {{ {} }} }} }} }} }} }} }}",
            aliases("description", 100)
        ),
        format!(
            "{{ recommend(query: \"words\", k: 100) {{ passage {{ text }} article {{ {} }} }} }}",
            contents(2)
        ),
    ];
    documents.into_iter().map(|document| json!({ "query": document })).collect()
}

fn limit_data(process: u32) {
    let pid = Pid::from_raw(process.try_into().unwrap());
    let limit = Rlimit { current: Some(DATA_MAX_BYTES), maximum: Some(DATA_MAX_BYTES) };
    prlimit(pid, Resource::Data, limit).unwrap();
}

/// Sends `request` again and again, and reads only some of the answers; returns how many came whole.
async fn client(number: usize, url: String, requests: Arc<Vec<Value>>, stop: Arc<AtomicBool>) -> usize {
    let mut whole = 0;
    // A connection for each request: there are too many to be kept. Reading root certificates would be most of the test's work.
    let client =
        reqwest::Client::builder().pool_max_idle_per_host(0).tls_built_in_root_certs(false).build().unwrap();
    while !stop.load(Ordering::Relaxed) {
        let request = &requests[(number + whole) % requests.len()];
        let post = client.post(&url).header("accept-encoding", "gzip, zstd");
        let Ok(mut response) = post.json(request).send().await else { return whole };
        match response.status() {
            StatusCode::OK => {
                // Every third reads slowly.
                while let Ok(Some(_)) = response.chunk().await {
                    if number.is_multiple_of(3) && !stop.load(Ordering::Relaxed) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
                whole += 1;
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(response.headers().contains_key("retry-after"));
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            // Some are too much for a busy machine.
            status => assert_eq!(status, StatusCode::GATEWAY_TIMEOUT),
        }
    }
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_clients_with_the_largest_requests_do_not_end_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), database_url().await.as_deref());
    let one = reqwest::Client::new();
    let create = "mutation($content: String!) { createArticle(input: { title: \"Large\", content: $content, waitForIndex: false })
        { article { id } } }";
    let mut id = String::new();
    // Every other content is long in memory, every other as JSON.
    for number in 0..100 {
        let content = if number % 2 == 0 { "words ".repeat(174_000) } else { "\u{1}".repeat(170_000) };
        let created = server.execute(&one, create, json!({ "content": content })).await;
        let created = created["data"]["createArticle"]["article"]["id"].as_str().unwrap().to_owned();
        id = if number == 0 { created } else { id };
    }
    limit_data(server.id());
    let stop = Arc::new(AtomicBool::new(false));
    let requests = Arc::new(heavy_requests(&id));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(number, server.url.clone(), Arc::clone(&requests), Arc::clone(&stop)));
    }
    let started = Instant::now();
    let (mut answered, mut refused) = (0, 0);
    while answered < 5 || started.elapsed() < Duration::from_secs(10) {
        let small = server.execute(&one, "{ articles(first: 1) { nodes { title } } }", json!({})).await;
        // On a busy machine some find no free connection to the database in time.
        if small["errors"][0]["extensions"]["code"] == "OVERLOADED" {
            refused += 1;
            assert!(refused < 1_000, "nothing is answered: {small}");
        } else {
            assert_eq!(small["data"]["articles"]["nodes"][0]["title"], "Large", "{small}");
            answered += 1;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut whole = 0;
    while let Some(count) = clients.join_next().await {
        whole += count.unwrap();
    }
    println!("{answered} small answers, {refused} refused, {whole} large ones, beside {CLIENTS} clients");
    let small = server.execute(&one, "{ articles { totalCount } }", json!({})).await;
    assert_eq!(small["data"]["articles"]["totalCount"], 100);
    assert!(whole > 0);
}
