//! A test collection: documents, queries, and which documents answer which query how well.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use super::metrics::Grades;

/// Why a collection cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    #[error("{folder} has no {name}: a collection is corpus.jsonl, queries.jsonl (.gz too) and qrels.tsv")]
    Missing { folder: PathBuf, name: &'static str },
    #[error("{folder} has both {name} and {name}.gz: remove the one that is not meant")]
    Ambiguous { folder: PathBuf, name: &'static str },
    #[error("cannot read {path}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}:{line}: {problem}")]
    Line { path: PathBuf, line: usize, problem: String },
}

/// A document of the corpus; either part may be empty.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "DocumentFields")]
pub struct Document {
    pub id: String,
    pub title: String,
    pub text: String,
}

#[derive(Deserialize)]
struct DocumentFields {
    #[serde(alias = "_id", deserialize_with = "text_or_number")]
    id: String,
    title: Option<String>,
    #[serde(alias = "content")]
    text: Option<String>,
}

impl TryFrom<DocumentFields> for Document {
    type Error = &'static str;

    fn try_from(DocumentFields { id, title, text }: DocumentFields) -> Result<Self, Self::Error> {
        if title.is_none() && text.is_none() {
            return Err("has neither title nor text");
        }
        Ok(Self { id, title: title.unwrap_or_default(), text: text.unwrap_or_default() })
    }
}

/// A query.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Query {
    #[serde(alias = "_id", deserialize_with = "text_or_number")]
    pub id: String,
    pub text: String,
}

/// Documents, the queries that somebody judged, and their grades.
#[derive(Clone, Debug)]
pub struct Collection {
    pub documents: Vec<Document>,
    /// In the order of the file. A judged query that the file lacks has an empty text: nothing can be found for it.
    pub queries: Vec<Query>,
    /// The judged queries that the file lacks.
    pub lacking_queries: Vec<String>,
    /// By query.
    pub grades: HashMap<String, Grades>,
}

impl Collection {
    /// Reads a folder; queries that nobody judged are left out.
    pub fn read(folder: &Path) -> Result<Self, CollectionError> {
        let documents: Vec<Document> =
            lines(&file(folder, "corpus.jsonl")?, |document: &Document| &document.id)?;
        let grades = grades(&file(folder, "qrels.tsv")?)?;
        let mut queries: Vec<Query> = lines(&file(folder, "queries.jsonl")?, |query: &Query| &query.id)?;
        queries.retain(|query| grades.contains_key(&query.id));
        let asked: HashSet<_> = queries.iter().map(|query| query.id.clone()).collect();
        let mut lacking: Vec<_> = grades.keys().filter(|id| !asked.contains(*id)).cloned().collect();
        lacking.sort();
        queries.extend(lacking.iter().map(|id| Query { id: id.clone(), text: String::new() }));
        Ok(Self { documents, queries, lacking_queries: lacking, grades })
    }

    /// The documents with a grade above 0 that the corpus lacks: they count as not found.
    pub fn lacking_documents(&self) -> Vec<&str> {
        let present: HashSet<_> = self.documents.iter().map(|document| document.id.as_str()).collect();
        let graded = self.grades.values().flatten().filter(|(_, grade)| **grade > 0.0);
        let lacking = graded.map(|(document, _)| document.as_str()).filter(|id| !present.contains(id));
        let mut lacking: Vec<_> = lacking.collect::<HashSet<_>>().into_iter().collect();
        lacking.sort_unstable();
        lacking
    }
}

/// A file of the folder, compressed or not.
fn file(folder: &Path, name: &'static str) -> Result<PathBuf, CollectionError> {
    let (plain, compressed) = (folder.join(name), folder.join(format!("{name}.gz")));
    let folder = folder.to_owned();
    match (plain.is_file(), compressed.is_file()) {
        (true, false) => Ok(plain),
        (false, true) => Ok(compressed),
        (true, true) => Err(CollectionError::Ambiguous { folder, name }),
        (false, false) => Err(CollectionError::Missing { folder, name }),
    }
}

/// The numbered lines of a file, compressed or not, empty ones left out, and without the mark that some programs begin a file
/// with.
pub(super) fn numbered_lines(
    path: &Path,
) -> Result<impl Iterator<Item = Result<(usize, String), CollectionError>>, CollectionError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| CollectionError::Unreadable { path: path.clone(), source }
    };
    let file = File::open(path).map_err(unreadable(path))?;
    let bytes: Box<dyn Read> = match path.extension().is_some_and(|extension| extension == "gz") {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let failed = unreadable(path);
    let lines = BufReader::new(bytes).lines().zip(1..);
    Ok(lines
        .map(move |(line, number)| {
            let line = line.map_err(&failed)?;
            let marked = (number == 1).then(|| line.strip_prefix('\u{feff}').map(str::to_owned)).flatten();
            Ok((number, marked.unwrap_or(line)))
        })
        .filter(|line| line.as_ref().is_ok_and(|(_, line)| !line.trim().is_empty()) || line.is_err()))
}

/// The records of a file of JSON Lines, whose ids must differ.
fn lines<T>(path: &Path, id: impl Fn(&T) -> &str) -> Result<Vec<T>, CollectionError>
where
    T: DeserializeOwned,
{
    let mut records = Vec::new();
    let mut known = HashSet::new();
    for line in numbered_lines(path)? {
        let (number, line) = line?;
        let invalid = |problem| CollectionError::Line { path: path.to_owned(), line: number, problem };
        if !line.trim_start().starts_with('{') {
            return Err(invalid("is not a JSON object".to_owned()));
        }
        let record: T = serde_json::from_str(&line).map_err(|error| {
            // The line that the library tells is that within the line.
            let error = error.to_string();
            invalid(error.split(" at line ").next().unwrap_or(&error).to_owned())
        })?;
        if !known.insert(id(&record).to_owned()) {
            return Err(invalid(format!("the id {:?} comes twice", id(&record))));
        }
        records.push(record);
    }
    Ok(records)
}

/// The judgements: a query, a document and a grade in each line, tabs between them, maybe a heading.
fn grades(path: &Path) -> Result<HashMap<String, Grades>, CollectionError> {
    let mut grades: HashMap<String, Grades> = HashMap::new();
    for line in numbered_lines(path)? {
        let (number, line) = line?;
        let fields: Vec<_> = line.split('\t').map(str::trim).collect();
        let [query, document, grade] = fields[..] else {
            let problem = "is not a query, a document and a grade with tabs between them".to_owned();
            return Err(CollectionError::Line { path: path.to_owned(), line: number, problem });
        };
        match grade.parse::<u32>() {
            Ok(grade) => {
                let judged = grades.entry(query.to_owned()).or_default();
                if judged.insert(document.to_owned(), f64::from(grade)).is_some() {
                    let problem = format!("query {query:?} and document {document:?} are judged twice");
                    return Err(CollectionError::Line { path: path.to_owned(), line: number, problem });
                }
            }
            Err(_) if number == 1 && is_heading(grade) => {}
            Err(_) => {
                let problem = format!("the grade {grade:?} is not a whole number, 0 or more");
                return Err(CollectionError::Line { path: path.to_owned(), line: number, problem });
            }
        }
    }
    Ok(grades)
}

/// Whether a field of the first line names a column: a word, and no mistyped number.
pub(super) fn is_heading(field: &str) -> bool {
    field.chars().count() > 1
        && field.chars().all(|character| character.is_alphabetic() || " _-".contains(character))
}

/// Some collections number their documents.
fn text_or_number<'de, D>(deserializer: D) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(i64),
    }
    let id = Id::deserialize(deserializer)
        .map_err(|_| D::Error::custom("the id is neither a text nor a whole number"))?;
    Ok(match id {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    })
}
