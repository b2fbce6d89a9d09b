//! The embedding engine: speed beside raw ONNX Runtime and sentence-transformers, and what else is claimed of it.
//!
//!     cargo bench --bench embedding -- speed ARTICLES [MODEL]              rates on the same texts
//!     cargo bench --bench embedding -- fidelity ARTICLES COLLECTIONS [MODEL]   what 8 bits cost
//!     cargo bench --bench embedding -- architectures ARTICLES MODELS       vectors of full-size models beside transformers'
//!     cargo bench --bench embedding -- long-articles DATA [MODEL]          passages of long articles
//!     cargo bench --bench embedding -- lead DATA [MODEL]                   what the first passage counts for an article
//!     cargo bench --bench embedding -- edited-copies ARTICLES [MODEL]      how like an article its edited copies are
//!     cargo bench --bench embedding -- lanes ARTICLES [MODEL]              queries beside an import
//!     cargo bench --bench embedding -- footprint ARTICLES [MODEL]          import rate, start, memory
//!
//! ARTICLES is a file of JSON Lines, `.gz` too, with `title` and `content`; COLLECTIONS and DATA are folders, MODEL and
//! MODELS too. Contestants are processes of their own; the rounds take turns among them, and medians are printed. The
//! first run with Python makes an environment in the cache folder, of some gigabytes.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod architectures;
mod contestant;
mod corpus;
mod cut_articles;
mod edited_copies;
mod engine;
mod fidelity;
mod footprint;
#[expect(dead_code, reason = "other benchmarks use the rest")]
#[path = "../harness/mod.rs"]
mod harness;
mod interval;
mod lanes;
mod lead;
mod long_articles;
mod python;
mod raw_runtime;
mod shared_tags;
mod vectors;

use std::path::{Path, PathBuf};

use contestant::{Contestant, Request};
use corpus::{Article, lines};

const ROUNDS: usize = 5;
/// Words of the short texts: about 60 tokens of scientific English.
const SHORT_WORDS: usize = 41;

/// Texts of one kind, and how they are embedded.
struct Kind {
    name: &'static str,
    one_by_one: bool,
    texts: Vec<String>,
}

const DEFAULT_MODEL: &str = "models/all-MiniLM-L6-v2";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let path = |argument: &str| repository(argument);
    let model = |argument: Option<&&str>| {
        repository(argument.copied().unwrap_or(DEFAULT_MODEL)).display().to_string()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.as_slice() {
        ["engine", model, precision, threads] => engine::serve(model, precision, threads.parse()?),
        ["raw", model, file, threads, window] => {
            raw_runtime::serve(model, file, threads.parse()?, window.parse()?)
        }
        ["speed", articles, rest @ ..] => compare(&path(articles), Path::new(&model(rest.first()))),
        ["fidelity", articles, collections, rest @ ..] => {
            runtime.block_on(fidelity::measure(&path(articles), &path(collections), &model(rest.first())))
        }
        ["architectures", articles, models] => {
            runtime.block_on(architectures::compare(&path(articles), &path(models)))
        }
        ["edited-copies", articles, rest @ ..] => {
            runtime.block_on(edited_copies::measure(&path(articles), &model(rest.first())))
        }
        ["long-articles", data, rest @ ..] => {
            runtime.block_on(long_articles::measure(&path(data), &model(rest.first())))
        }
        ["lead", data, rest @ ..] => runtime.block_on(lead::measure(&path(data), &model(rest.first()))),
        ["lanes", articles, rest @ ..] => {
            runtime.block_on(lanes::measure(&path(articles), &model(rest.first())))
        }
        ["footprint", articles, rest @ ..] => {
            runtime.block_on(footprint::measure(&path(articles), &model(rest.first())))
        }
        _ => anyhow::bail!("say what to measure: the first lines of benches/embedding/main.rs list it"),
    }
}

fn compare(articles: &Path, model: &Path) -> anyhow::Result<()> {
    let kinds = kinds(articles)?;
    let threads = std::thread::available_parallelism()?.get();
    let model = model.display().to_string();
    let python = python::environment()?;
    let exported = python::export(&python, &model)?;
    let all = threads.to_string();
    let window = vectors::engine(&model, "fp32", 1)?.model().window.to_string();
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
        let arguments = ["raw", &model, &file, "1", &window];
        contestants.push(Contestant::of_this(&format!("raw runtime {name}, 1"), &arguments)?);
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
    let mut articles: Vec<Article> = lines(articles)?;
    articles.truncate(2_500);
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
