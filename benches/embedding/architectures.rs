//! Every architecture at full size: vectors beside those of transformers, on the same texts.

use std::path::{Path, PathBuf};

use sentio::embedding::Embedding;
use serde::Deserialize;

use crate::corpus::{Article, lines};
use crate::vectors::{engine_without_prompts, passages};
use crate::{python, repository};

const TEXTS: usize = 200;

/// What the script writes.
#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    vector: Vec<f32>,
}

/// Makes models of random weights in the shapes of published ones, or takes the folders that are there already, and
/// compares each.
pub async fn compare(articles: &Path, models: &Path) -> anyhow::Result<()> {
    let python = python::environment()?;
    let script = repository("benches/reference/architectures.py");
    if !models.is_dir() {
        python::run(std::process::Command::new(&python).arg(&script).arg("make").arg(models).arg(articles))?;
    }
    let texts = texts(articles)?;
    let folder = tempfile::tempdir()?;
    let (input, output) = (folder.path().join("texts.json"), folder.path().join("vectors.json"));
    std::fs::write(&input, serde_json::to_vec(&texts)?)?;
    let threads = std::thread::available_parallelism()?.get();
    println!("{TEXTS} texts; cosines to transformers in fp32: mean (least)\n");
    println!("{:28} {:>22} {:>22}  arithmetic", "", "fp32", "int8");
    for model in folders(models)? {
        let vectors = std::process::Command::new(&python)
            .arg(&script)
            .arg("vectors")
            .arg(&model)
            .args([&input, &output])
            .status()?;
        anyhow::ensure!(vectors.success(), "no vectors of {}", model.display());
        let expected: Reference = serde_json::from_slice(&std::fs::read(&output)?)?;
        let name = model.display().to_string();
        let mut row = format!("{:28}", model.file_name().unwrap_or_default().to_string_lossy());
        let mut arithmetic = String::new();
        for precision in ["fp32", "int8"] {
            let embedder = engine_without_prompts(&name, precision, threads)?;
            let found = passages(&embedder, &texts).await?;
            let cosines = found.iter().zip(&expected.cases).map(|(found, expected)| {
                Ok(f64::from(found.cosine(&Embedding::normalised(expected.vector.clone())?)))
            });
            let cosines: Vec<f64> = cosines.collect::<anyhow::Result<_>>()?;
            let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
            let least = cosines.iter().copied().fold(1.0, f64::min);
            row += &format!(" {:>22}", format!("{mean:.7} ({least:.7})"));
            arithmetic = embedder.model().arithmetic();
        }
        println!("{row}  {arithmetic}");
    }
    Ok(())
}

/// Titles, short texts, whole abstracts, and what is longer than any window.
fn texts(articles: &Path) -> anyhow::Result<Vec<String>> {
    let articles: Vec<Article> = lines(articles)?;
    let text = |number: usize| {
        let article = &articles[number * 97 % articles.len()];
        match number % 4 {
            0 => article.title.clone(),
            1 => article.content.split_whitespace().take(1 + number % 60).collect::<Vec<_>>().join(" "),
            2 => article.content.clone(),
            _ => format!("{}\n{}", article.title, article.content.repeat(1 + number % 6)),
        }
    };
    Ok((0..TEXTS).map(text).collect())
}

/// The model folders in a folder.
fn folders(models: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders: Vec<_> =
        std::fs::read_dir(models)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| folder.join("modules.json").exists());
    folders.sort();
    Ok(folders)
}
