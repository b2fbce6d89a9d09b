//! Articles and test collections from files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use sentio::evaluation::{self, Document, Grades, Query, QueryScores};
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

impl From<Document> for Article {
    fn from(Document { id, title, text }: Document) -> Self {
        Self { id, title, content: text, tags: Vec::new() }
    }
}

/// A test collection, its documents as articles.
pub struct Collection {
    pub name: String,
    pub documents: Vec<Article>,
    pub queries: Vec<Query>,
    grades: HashMap<String, Grades>,
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

impl Collection {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let collection = evaluation::Collection::read(folder)?;
        let documents = collection.documents.into_iter().map(Article::from).collect();
        Ok(Self { name, documents, queries: collection.queries, grades: collection.grades })
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

    /// nDCG@10 of each query's ranking: numbers of documents, best first.
    pub fn ndcg(&self, rankings: &[Vec<usize>]) -> Vec<f64> {
        let of_query = |(query, ranking): (&Query, &Vec<usize>)| {
            let ids = ranking.iter().map(|document| self.documents[*document].id.as_str());
            QueryScores::of(ids, &self.grades[&query.id]).ndcg_at_10
        };
        self.queries.iter().zip(rankings).map(of_query).collect()
    }
}
