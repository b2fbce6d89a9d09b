//! Recommendations by their stages, in one process, and the rate at which a server answers.
//!
//! Queries are titles of articles. The stages of one query are timed one after the other and take turns from query to query, so
//! that all of them meet the same machine. "Bare" is what LanceDB takes for the search alone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sea_orm::EntityTrait;
use sentio::article::ArticleFilter;
use sentio::entity::article;
use sentio::recommend::{Mode, Moment, RecommendOptions, Recommender};
use serde_json::{Value, json};

use crate::filled::{Filled, settings};
use crate::harness::percentile;

const QUERIES: usize = 300;
/// What a list of ten needs.
const SHORT: usize = 10;
/// Articles and passages that each leg brings to the pool.
const POOL: usize = 200;
const PASSAGES: usize = 2 * POOL;
/// Articles of the page whose similar articles are asked for.
const PAGE_LENGTH: usize = 50;
const ROUND: Duration = Duration::from_secs(5);

const BY_TEXT: &str = "query($text: String, $mode: RecommendMode!) {
  recommend(query: $text, options: { mode: $mode }) { score article { id title } } }";
const BY_ARTICLE: &str = "query($id: ID) { recommend(articleId: $id) { score article { id title } } }";
const PAGE: &str = "{ articles(first: 50) { nodes { id similarTo(k: 3) { score article { id title } } } } }";
const ONE: &str =
    "query($id: ID!) { article(id: $id) { id similarTo(k: 3) { score article { id title } } } }";

pub async fn measure(filled: &Filled) -> anyhow::Result<()> {
    let ids = &filled.articles;
    let mut titles = Vec::new();
    for number in 0..QUERIES {
        let id = ids[number * 97 % ids.len()];
        let row =
            article::Entity::find_by_id(id.0).one(filled.app.db.reader()).await?.context("no such row")?;
        titles.push((id.to_string(), row.title));
    }
    stages(filled, &titles).await?;
    let server = Server::start(&filled.folder)?;
    latencies(&server, &titles).await?;
    rates(&server, &titles).await
}

/// Named times.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<Duration>)>);

impl Times {
    async fn take<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        let result = work.await?;
        let took = started.elapsed();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, times)) => times.push(took),
            None => self.0.push((name, vec![took])),
        }
        Ok(result)
    }

    fn p50(&self, name: &str) -> f64 {
        let times = self.0.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, times)| times);
        percentile(times, 0.5)
    }

    fn print(&self) {
        for (name, times) in &self.0 {
            println!("{name:<48} {:>8.2} {:>8.2}", percentile(times, 0.5), percentile(times, 0.99));
        }
    }
}

async fn stages(filled: &Filled, titles: &[(String, String)]) -> anyhow::Result<()> {
    let app = &filled.app;
    let live = app.index.live()?;
    let (snapshot, model) =
        (live.snapshot(), app.models.with_fingerprint(live.fingerprint()).context("no model")?);
    let recommender = Recommender::new(app.models.clone(), app.index.clone());
    let all = ArticleFilter::default();
    let options = |mode| RecommendOptions { mode, ..RecommendOptions::default() };
    let page = filled.vectors(PAGE_LENGTH).await?;
    let mut times = Times::default();
    for (number, (_, title)) in titles.iter().enumerate() {
        // Each text differs, so that the cache of query vectors has none of them.
        let text = |stage: &str| format!("{title} {stage}{number}");
        let vector = times
            .take("embed the query", async { Ok(model.embed_query(&text("a")).await?) })
            .await?
            .as_slice()
            .to_vec();
        let vectors = [vector.clone()];
        times
            .take("bare: 10 passages", async {
                Ok(snapshot.nearest_passages(&vector, SHORT, &all, &[]).await?)
            })
            .await?;
        times
            .take("bare: 400 passages", async {
                Ok(snapshot.nearest_passages(&vector, PASSAGES, &all, &[]).await?)
            })
            .await?;
        times
            .take("bare: 10 articles", async {
                Ok(snapshot.nearest_articles(&vectors, SHORT, &all, &[]).await?)
            })
            .await?;
        let near = times
            .take("bare: 200 articles", async {
                Ok(snapshot.nearest_articles(&vectors, POOL, &all, &[]).await?)
            })
            .await?;
        times
            .take("bare: both of these side by side", async {
                let passages = snapshot.nearest_passages(&vector, PASSAGES, &all, &[]);
                Ok(futures::try_join!(passages, snapshot.nearest_articles(&vectors, POOL, &all, &[]))?)
            })
            .await?;
        let near: Vec<_> = near[0].iter().map(|hit| hit.article).collect();
        times
            .take("bare: words, 200 articles", async {
                let looked_for = snapshot.view()?.looked_for(&live.analyzer().query(title));
                Ok(looked_for.matches().best(POOL, &all, &[]))
            })
            .await?;
        times
            .take("fill in: cosines of 200 articles", async { Ok(snapshot.cosines_of(&vector, &near)?) })
            .await?;
        times
            .take("fill in: passages of 200 articles", async {
                Ok(snapshot.nearest_passage_of_each(&vector, &near)?)
            })
            .await?;
        for (name, mode) in [
            ("SEMANTIC, ranked", Mode::Semantic),
            ("KEYWORD, ranked", Mode::Keyword),
            ("HYBRID, ranked", Mode::Hybrid),
        ] {
            let text = text(mode.name());
            times
                .take(name, async {
                    Ok(recommender.by_text(&text, SHORT, &options(mode), Moment::now()).await?)
                })
                .await?;
        }
        for (name, vectors) in
            [("bare: 4 articles", &page[..1]), ("bare: 4 articles for each of 50", &page[..])]
        {
            times.take(name, async { Ok(snapshot.nearest_articles(vectors, 4, &all, &[]).await?) }).await?;
        }
        let id = filled.articles[number];
        let plain = RecommendOptions::default();
        times
            .take("by article, ranked", async {
                Ok(recommender.by_articles(&[id], SHORT, &plain, Moment::now()).await?)
            })
            .await?;
    }
    println!("{:<48} {:>8} {:>8}", "milliseconds, one query at a time", "p50", "p99");
    times.print();
    let embed = times.p50("embed the query");
    let vector = times.p50("bare: 400 passages").max(times.p50("bare: 200 articles"));
    let filled_in =
        ["words", "cosines", "passages"].map(|what| times.p50(&format!("fill in: {what} of 200 articles")));
    let semantic = embed + vector;
    let hybrid = embed
        + vector.max(times.p50("bare: words, 200 articles"))
        + filled_in.into_iter().fold(0.0, f64::max);
    println!(
        "SEMANTIC takes {:.2} of embedding + the slower bare search of the pool",
        times.p50("SEMANTIC, ranked") / semantic
    );
    println!(
        "SEMANTIC takes {:.2} of embedding + both bare searches of the pool",
        times.p50("SEMANTIC, ranked") / (embed + times.p50("bare: both of these side by side"))
    );
    println!(
        "SEMANTIC takes {:.2} of embedding + the slower bare search of ten",
        times.p50("SEMANTIC, ranked")
            / (embed + times.p50("bare: 10 passages").max(times.p50("bare: 10 articles")))
    );
    println!(
        "HYBRID takes {:.2} of embedding + slower bare leg + filling in",
        times.p50("HYBRID, ranked") / hybrid
    );
    Ok(())
}

async fn latencies(server: &Server, titles: &[(String, String)]) -> anyhow::Result<()> {
    let mut times = Times::default();
    for (id, title) in titles {
        for (name, mode) in [
            ("SEMANTIC over HTTP", "SEMANTIC"),
            ("KEYWORD over HTTP", "KEYWORD"),
            ("HYBRID over HTTP", "HYBRID"),
        ] {
            times
                .take(name, server.ask(BY_TEXT, json!({ "text": format!("{title} {mode}"), "mode": mode })))
                .await?;
        }
        times.take("by article over HTTP", server.ask(BY_ARTICLE, json!({ "id": id }))).await?;
    }
    for (number, (id, _)) in titles.iter().enumerate() {
        times.take("one article with similarTo(k: 3)", server.ask(ONE, json!({ "id": id }))).await?;
        if number % 5 == 0 {
            times.take("a page of 50 with similarTo(k: 3)", server.ask(PAGE, json!({}))).await?;
        }
    }
    times.print();
    let ratio =
        times.p50("a page of 50 with similarTo(k: 3)") / times.p50("one article with similarTo(k: 3)");
    println!("the page takes {ratio:.1} times as long as one");
    Ok(())
}

async fn rates(server: &Server, titles: &[(String, String)]) -> anyhow::Result<()> {
    println!(
        "{:<12} {:>8} {:>12} {:>10} {:>10} {:>14}",
        "", "clients", "requests/s", "p50 ms", "p99 ms", "CPU ms/request"
    );
    for what in ["SEMANTIC", "KEYWORD", "HYBRID", "by article"] {
        for clients in [1, 8, 64] {
            let number = Arc::new(AtomicUsize::new(0));
            let (before, started) = (server.cpu()?, Instant::now());
            let tasks: Vec<_> = (0..clients)
                .map(|client: usize| {
                    let (server, number, titles) = (server.client(), Arc::clone(&number), titles.to_vec());
                    tokio::spawn(async move {
                        let mut times = Vec::new();
                        while started.elapsed() < ROUND {
                            let number = number.fetch_add(1, Ordering::Relaxed);
                            let (id, title) = &titles[number % titles.len()];
                            let asked = Instant::now();
                            match what {
                                "by article" => server.ask(BY_ARTICLE, json!({ "id": id })).await?,
                                mode => {
                                    let text = format!("{title} {mode} {clients} {client} {number}");
                                    server.ask(BY_TEXT, json!({ "text": text, "mode": mode })).await?
                                }
                            };
                            times.push(asked.elapsed());
                        }
                        anyhow::Ok(times)
                    })
                })
                .collect();
            let mut times = Vec::new();
            for task in tasks {
                times.extend(task.await??);
            }
            let (seconds, cpu) = (started.elapsed().as_secs_f64(), server.cpu()? - before);
            println!(
                "{what:<12} {clients:>8} {:>12.1} {:>10.1} {:>10.1} {:>14.1}",
                times.len() as f64 / seconds,
                percentile(&times, 0.5),
                percentile(&times, 0.99),
                cpu.as_secs_f64() * 1e3 / times.len() as f64
            );
        }
    }
    Ok(())
}

/// The program as a process of its own, so that its processor time is its own.
struct Server {
    process: Child,
    client: Client,
}

#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let answer: Value = self.http.post(&self.url).json(&body).send().await?.json().await?;
        ensure!(answer["errors"].is_null(), "{answer}");
        Ok(answer)
    }
}

impl Server {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sentio"))
            .args(["serve", "--port", "0"])
            .envs(settings(folder))
            .env("SENTIO_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).context("no address")?;
        Ok(Self { process, client: Client { http: reqwest::Client::new(), url: format!("{url}graphql") } })
    }

    async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        self.client.ask(query, variables).await
    }

    /// With connections of its own.
    fn client(&self) -> Client {
        Client { http: reqwest::Client::new(), url: self.client.url.clone() }
    }

    /// What the process has used of all processors.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields = stat.rsplit_once(')').context("not a stat file")?.1;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        // Linux counts in hundredths of a second.
        Ok(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>()?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
