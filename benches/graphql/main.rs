//! What GraphQL costs, over loopback.
//!
//!     cargo bench --bench graphql -- requests       requests per second by `wrk`, beside a bare handler with the same bytes
//!     cargo bench --bench graphql -- subscriptions  memory of idle subscriptions over WebSocket
//!     cargo bench --bench graphql -- documents      time to parse and validate documents, hostile ones among them
//!     cargo bench --bench graphql -- processor PROGRAM OTHER  processor time of a request, of one `sentio` beside another

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod documents;
#[expect(dead_code, reason = "other benchmarks use the rest")]
#[path = "../harness/mod.rs"]
mod harness;
mod hostile;
mod processor;
mod requests;
mod subscriptions;
mod wrk;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["requests"] => requests::measure().await,
        ["documents"] => documents::measure().await,
        ["processor", program, other] => processor::measure(program, other).await,
        ["subscriptions"] => subscriptions::measure().await,
        ["subscribe", url, count] => subscriptions::subscribe(url, count.parse()?).await,
        _ => anyhow::bail!("say what to measure: the first lines of benches/graphql/main.rs list it"),
    }
}
