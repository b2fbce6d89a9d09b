//! Articles and test collections from files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Clone, Deserialize)]
pub struct Article {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub title: String,
    /// Import files may call it `text`.
    #[serde(alias = "text")]
    pub content: String,
    #[serde(default)]
    pub tags: Vec<String>,
}

#[derive(Deserialize)]
pub struct Query {
    pub id: String,
    pub text: String,
}

/// Documents, queries, and which documents answer which query how well.
pub struct Collection {
    pub name: String,
    pub documents: Vec<Article>,
    pub queries: Vec<Query>,
    /// Grades above zero by query and document.
    pub grades: HashMap<String, HashMap<String, f64>>,
}

/// The lines of a file of JSON Lines, compressed or not.
pub fn lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let bytes: Box<dyn Read> = match path.extension().is_some_and(|extension| extension == "gz") {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    BufReader::new(bytes).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

fn plain_or_compressed(folder: &Path, name: &str) -> PathBuf {
    let plain = folder.join(name);
    if plain.exists() { plain } else { folder.join(format!("{name}.gz")) }
}

impl Collection {
    /// Reads `corpus.jsonl`, `queries.jsonl`, both maybe `.gz`, and `qrels.tsv` of a folder. Queries that nobody judged are left out.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut grades: HashMap<String, HashMap<String, f64>> = HashMap::new();
        for line in std::fs::read_to_string(folder.join("qrels.tsv"))?.lines().skip(1) {
            let mut fields = line.split('\t');
            let (Some(query), Some(document), Some(grade)) = (fields.next(), fields.next(), fields.next())
            else {
                anyhow::bail!("{name}: {line:?} is no judgement");
            };
            let grade: f64 = grade.parse()?;
            if grade > 0.0 {
                grades.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
            }
        }
        let mut queries: Vec<Query> = lines(&plain_or_compressed(folder, "queries.jsonl"))?;
        queries.retain(|query| grades.contains_key(&query.id));
        Ok(Self { name, documents: lines(&plain_or_compressed(folder, "corpus.jsonl"))?, queries, grades })
    }

    /// All collections below a folder.
    pub fn all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .filter(|path: &anyhow::Result<PathBuf>| {
                path.as_ref().is_ok_and(|path| path.join("qrels.tsv").exists())
            })
            .collect::<anyhow::Result<_>>()?;
        folders.sort();
        anyhow::ensure!(!folders.is_empty(), "{} has no test collections", folder.display());
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    /// nDCG@10 with linear gain, as trec_eval's, of each query's ranking: numbers of documents, best first.
    pub fn ndcg(&self, rankings: &[Vec<usize>]) -> Vec<f64> {
        let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
        let of_query = |(query, ranking): (&Query, &Vec<usize>)| {
            let grades = &self.grades[&query.id];
            let mut ideal: Vec<_> = grades.values().copied().collect();
            ideal.sort_by(|a, b| b.total_cmp(a));
            let best: f64 =
                ideal.iter().take(10).enumerate().map(|(rank, grade)| grade * discount(rank)).sum();
            let found: f64 = ranking
                .iter()
                .take(10)
                .enumerate()
                .map(|(rank, document)| {
                    grades.get(&self.documents[*document].id).copied().unwrap_or(0.0) * discount(rank)
                })
                .sum();
            found / best
        };
        self.queries.iter().zip(rankings).map(of_query).collect()
    }
}
