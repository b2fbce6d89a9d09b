//! The embedding engine beside raw ONNX Runtime and sentence-transformers, on the same texts.
//!
//!     cargo bench --bench embedding -- ARTICLES.jsonl.gz [MODEL_FOLDER]
//!
//! The articles need `title` and `content`. Contestants are processes of their own; the rounds take turns among them, and
//! medians are printed. The first run makes a Python environment in the cache folder, of some gigabytes.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod contestant;
mod engine;
mod python;
mod raw_runtime;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::Context;
use contestant::{Contestant, Request};
use serde::Deserialize;

const ROUNDS: usize = 5;
/// Words of the short texts: about 60 tokens of scientific English.
const SHORT_WORDS: usize = 41;

#[derive(Deserialize)]
struct Article {
    title: String,
    /// Import files may call it `text`.
    #[serde(alias = "text")]
    content: String,
}

/// Texts of one kind, and how they are embedded.
struct Kind {
    name: &'static str,
    one_by_one: bool,
    texts: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["engine", model, precision, threads] => engine::serve(model, precision, threads.parse()?),
        ["raw", model, file, threads] => raw_runtime::serve(model, file, threads.parse()?),
        [articles] => compare(Path::new(articles), &repository("models/all-MiniLM-L6-v2")),
        [articles, model] => compare(Path::new(articles), Path::new(model)),
        _ => anyhow::bail!(
            "call it with a file of articles: cargo bench --bench embedding -- ARTICLES.jsonl.gz"
        ),
    }
}

fn compare(articles: &Path, model: &Path) -> anyhow::Result<()> {
    let kinds = kinds(articles)?;
    let threads = std::thread::available_parallelism()?.get();
    let model = model.display().to_string();
    let python = python::environment()?;
    let exported = python::export(&python, &model)?;
    let all = threads.to_string();
    let mut contestants = Vec::new();
    for threads in ["1", &all] {
        contestants.push(Contestant::of_this(
            &format!("Sentio int8, {threads}"),
            &["engine", &model, "int8", threads],
        )?);
    }
    contestants.push(Contestant::of_this("Sentio fp32, 1", &["engine", &model, "fp32", "1"])?);
    for (name, file) in [("int8", "int8.onnx"), ("fp32", "fp32.onnx")] {
        let file = exported.join(file).display().to_string();
        contestants
            .push(Contestant::of_this(&format!("raw runtime {name}, 1"), &["raw", &model, &file, "1"])?);
    }
    contestants.push(python::contestant(&python, &model, threads)?);
    println!("model {model}; threads behind the names; medians of {ROUNDS} interleaved rounds");
    for kind in &kinds {
        measure(kind, &mut contestants)?;
    }
    Ok(())
}

/// Lets all contestants embed the texts of one kind, round by round, and prints their rates.
fn measure(kind: &Kind, contestants: &mut [Contestant]) -> anyhow::Result<()> {
    let mut seconds = vec![Vec::new(); contestants.len()];
    let mut typical = vec![Vec::new(); contestants.len()];
    for round in 0..ROUNDS {
        let chunk = kind.texts.len() / ROUNDS;
        let texts = &kind.texts[round * chunk..(round + 1) * chunk];
        for (number, contestant) in contestants.iter_mut().enumerate() {
            let answer = contestant.embed(&Request { one_by_one: kind.one_by_one, texts: texts.to_vec() })?;
            #[expect(clippy::cast_precision_loss, reason = "a count of texts")]
            seconds[number].push(answer.seconds / texts.len() as f64);
            if kind.one_by_one {
                typical[number].push(median(answer.times));
            }
        }
    }
    println!(
        "\n{} ({} texts)\n{:28} {:>10} {:>10} {:>14}",
        kind.name,
        kind.texts.len(),
        "",
        "texts/s",
        "p50 ms",
        "Sentio int8, 1"
    );
    let seconds: Vec<_> = seconds.into_iter().map(median).collect();
    for (number, contestant) in contestants.iter().enumerate() {
        let p50 = match median(typical[number].clone()) {
            seconds if seconds.is_nan() => String::new(),
            seconds => format!("{:.2}", seconds * 1000.0),
        };
        let ratio = seconds[number] / seconds[0];
        println!("{:28} {:>10.1} {p50:>10} {ratio:>12.2} ×", contestant.name, 1.0 / seconds[number]);
    }
    Ok(())
}

fn kinds(articles: &Path) -> anyhow::Result<Vec<Kind>> {
    let file =
        std::fs::File::open(articles).with_context(|| format!("cannot open {}", articles.display()))?;
    let lines = std::io::BufReader::new(flate2::read::MultiGzDecoder::new(file)).lines();
    let articles: Vec<Article> =
        lines.take(2_500).map(|line| anyhow::Ok(serde_json::from_str(&line?)?)).collect::<Result<_, _>>()?;
    let long = articles.iter().filter(|article| article.content.split_whitespace().count() > SHORT_WORDS);
    let short = long
        .clone()
        .map(|article| article.content.split_whitespace().take(SHORT_WORDS).collect::<Vec<_>>().join(" "));
    Ok(vec![
        Kind { name: "about 60 tokens", one_by_one: false, texts: short.take(1_500).collect() },
        Kind {
            name: "whole abstracts",
            one_by_one: false,
            texts: long.skip(1_500).take(500).map(|article| article.content.clone()).collect(),
        },
        Kind {
            name: "titles, one by one",
            one_by_one: true,
            texts: articles.into_iter().take(1_500).map(|article| article.title).collect(),
        },
    ])
}

/// The middle value; not a number when there is none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A path in the repository: cargo runs benchmarks in its folder.
fn repository(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}
