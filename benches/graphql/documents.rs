//! How long documents take that were not seen before: ordinary ones, and those that are sent to keep a server busy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentio::graphql::{Documents, Parameters, TrustedDocuments, compiler};
use serde_json::json;

use crate::hostile;

const ROUNDS: usize = 9;

const ORDINARY: [(&str, &str); 3] = [
    ("article(id)", "query($id: ID!) { article(id: $id) { id title category tags createdAt } }"),
    (
        "a page with fragments",
        "query($n: Int = 20) { articles(first: $n) { nodes { ...Card similarTo(k: 3) { score article { ...Card } } }
         pageInfo { hasNextPage endCursor } } } fragment Card on Article { id title category tags createdAt }",
    ),
    (
        "introspection",
        "query { __schema { queryType { name } types { kind name description fields(includeDeprecated: true) { name
         description args { name type { ...T } defaultValue } type { ...T } } inputFields { name type { ...T } } } } }
         fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }",
    ),
];

pub async fn measure() -> anyhow::Result<()> {
    let compiler = Arc::new(compiler()?);
    println!("{:<55} {:>8} {:>12} {:>10}  medians of {ROUNDS}", "", "bytes", "microseconds", "verdict");
    let ordinary = ORDINARY.map(|(name, text)| (name, text.to_owned()));
    let mut slowest = Duration::ZERO;
    for (name, text) in ordinary.into_iter().chain(hostile::documents()) {
        let mut times = Vec::new();
        let mut verdict = "valid";
        for _ in 0..ROUNDS {
            // Nothing is known to this one.
            let documents = Documents::new(Arc::clone(&compiler), TrustedDocuments::default());
            let parameters: Parameters = serde_json::from_value(json!({ "query": text }))?;
            let started = Instant::now();
            verdict = documents.find(&parameters).await.err().map_or("valid", |error| error.code());
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let median = times[ROUNDS / 2];
        slowest = slowest.max(median);
        println!("{name:<55} {:>8} {:>12} {verdict:>10}", text.len(), median.as_micros());
    }
    println!("\nthe slowest took {:.1} ms", slowest.as_secs_f64() * 1000.0);
    Ok(())
}
