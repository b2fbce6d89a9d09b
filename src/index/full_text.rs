//! Full text: articles by the words they share with a query, scored by BM25 (Lance's, k₁ = 1.2 and b = 0.75).

use std::collections::HashMap;

use arrow_array::types::{Float32Type, Int64Type};
use lancedb::Table;
use lancedb::index::Index;
use lancedb::index::scalar::{FtsIndexBuilder, FtsQuery, FullTextSearchQuery, MatchQuery, Operator};
use lancedb::query::{Query, QueryBase, Select};

use super::columns::column;
use super::composed::composed;
use super::snapshot::Snapshot;
use super::{IndexError, predicate};
use crate::article::{ArticleFilter, ArticleId};
use crate::config::TextLanguage;

/// The column of title and content, composed: one, because two lose 3 to 4 points of nDCG@10 on two test collections.
const TEXT: &str = "text";
/// Texts read at a time: a text has a megabyte at most.
const TEXTS_READ: usize = 10;

/// Bytes of the longest word that is indexed; LanceDB's own limit of 40 leaves out long words of Greek and Cyrillic, and hashes.
const WORD_BYTES_MAX: usize = 256;
/// Most matches that are asked for to find all that match equally well. Of more, such as so many copies, which are taken is
/// LanceDB's choice.
const EQUALS_MAX: usize = 20_000;

/// An article that shares words with a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextHit {
    pub article: ArticleId,
    /// 0 or more, without an upper bound.
    pub bm25: f32,
}

/// Which words of a query an article must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    Any,
    All,
}

/// Indexes the texts of the article table in `language`, in place of an index in another one; `true` when that changed
/// something.
///
/// An empty table is indexed too: what is outside an index is cut into words as inside it.
pub(super) async fn create(table: &Table, language: TextLanguage) -> Result<bool, IndexError> {
    let failed = IndexError::during("index its texts");
    let name = format!("words_{}", language.name().unwrap_or("as_written"));
    let indices = table.list_indices().await.map_err(&failed)?;
    let (same, other): (Vec<_>, Vec<_>) =
        indices.into_iter().filter(|index| index.columns == [TEXT]).partition(|index| index.name == name);
    let create = same.is_empty();
    if create {
        // Searches that have begun keep the version with the other one.
        let rows = table.count_rows(None).await.map_err(&failed)?;
        let index = Index::FTS(words(language).map_err(&failed)?);
        table.create_index(&[TEXT], index).name(name).train(rows > 0).execute().await.map_err(&failed)?;
    }
    for index in &other {
        table.drop_index(&index.name).await.map_err(&failed)?;
    }
    Ok(create || !other.is_empty())
}

/// How texts become words: small letters, without accents, and of a language without endings and stop words.
pub(super) fn words(language: TextLanguage) -> lancedb::Result<FtsIndexBuilder> {
    let plain = FtsIndexBuilder::default()
        .stem(false)
        .remove_stop_words(false)
        .max_token_length(Some(WORD_BYTES_MAX));
    let Some(name) = language.name() else { return Ok(plain) };
    let capitalised = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    let words = plain.stem(true).remove_stop_words(true).language(&capitalised)?;
    // LanceDB's own list has no pieces of contractions, which its tokenizer makes: 1.7 points of nDCG@10 on a collection
    // of questions, `docs/decisions/0019-index-of-words.md`.
    Ok(if name == "english" { words.custom_stop_words(Some(english_stop_words())) } else { words })
}

/// NLTK's.
fn english_stop_words() -> Vec<String> {
    stop_words::get(stop_words::Language::English).iter().map(|word| (*word).to_owned()).collect()
}

impl Snapshot {
    /// The `limit` articles that pass `filter` and match `text` best, best first, equal ones by id.
    ///
    /// LanceDB takes any of those that match equally well, each time others. So more are asked for, until the last of them
    /// matches worse than the last that is wanted.
    pub async fn best_matches(
        &self,
        text: &str,
        words: Words,
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<TextHit>, IndexError> {
        let operator = match words {
            Words::Any => Operator::Or,
            Words::All => Operator::And,
        };
        let matching = MatchQuery::new(composed(text).into_owned())
            .with_column(Some(TEXT.to_owned()))
            .with_operator(operator);
        let query = FullTextSearchQuery::new_query(FtsQuery::Match(matching));
        let mut query =
            self.articles.query().full_text_search(query).select(Select::columns(&["article_id", "_score"]));
        if let Some(predicate) = predicate::of_filter(filter, excluded) {
            query = query.only_if(predicate);
        }
        let mut asked = limit + limit.div_ceil(4);
        loop {
            let mut hits = self.matches(query.clone().limit(asked)).await?;
            let is_cut_among_equals = hits.len() >= asked
                && hits
                    .get(limit.saturating_sub(1))
                    .zip(hits.last())
                    .is_some_and(|(last, beyond)| last.bm25.total_cmp(&beyond.bm25).is_eq());
            if !is_cut_among_equals || asked >= EQUALS_MAX {
                hits.truncate(limit);
                return Ok(hits);
            }
            asked = (asked * 4).min(EQUALS_MAX);
        }
    }

    /// What `query` finds, best first, equal ones by id.
    async fn matches(&self, query: Query) -> Result<Vec<TextHit>, IndexError> {
        let mut hits = Vec::new();
        for batch in self.collect(query, "search texts").await? {
            let articles = column::<Int64Type>(&batch, "article_id")?.iter();
            let scores = column::<Float32Type>(&batch, "_score")?;
            hits.extend(
                articles.zip(scores).map(|(id, score)| TextHit { article: ArticleId(*id), bm25: *score }),
            );
        }
        hits.sort_by(|a, b| b.bm25.total_cmp(&a.bm25).then(a.article.cmp(&b.article)));
        Ok(hits)
    }

    /// How well each of `articles` matches `text`; those that share no word with it are absent.
    pub async fn matches_of(
        &self,
        text: &str,
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, f32>, IndexError> {
        if articles.is_empty() {
            return Ok(HashMap::new());
        }
        let only = ArticleFilter { ids_in: Some(articles.to_vec()), ..ArticleFilter::default() };
        let hits = self.best_matches(text, Words::Any, articles.len(), &only, &[]).await?;
        Ok(hits.into_iter().map(|hit| (hit.article, hit.bm25)).collect())
    }

    /// Articles that pass `filter` and have this title or this external id, by id; at most `limit`.
    pub async fn named(
        &self,
        title_key: &str,
        external_id: &str,
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<ArticleId>, IndexError> {
        let named = predicate::named(title_key, external_id);
        let passing = predicate::of_filter(filter, excluded);
        let predicate = passing.map_or_else(|| named.clone(), |passing| format!("{named} AND {passing}"));
        let query =
            self.articles.query().only_if(predicate).select(Select::columns(&["article_id"])).limit(limit);
        let mut found = Vec::new();
        for batch in self.collect(query, "look for titles").await? {
            found.extend(column::<Int64Type>(&batch, "article_id")?.iter().map(|id| ArticleId(*id)));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Those of `articles` whose text, title and content, is as wanted, in no particular order. Few texts are in memory at a
    /// time, and they are looked into on a thread that may be held up.
    pub async fn articles_whose_text(
        &self,
        articles: &[ArticleId],
        is_wanted: impl Fn(&str) -> bool + Clone + Send + 'static,
    ) -> Result<Vec<ArticleId>, IndexError> {
        let mut found = Vec::new();
        for articles in articles.chunks(TEXTS_READ) {
            let texts = self.texts_of(articles).await?;
            let is_wanted = is_wanted.clone();
            let wanted = move || {
                let wanted = texts.into_iter().filter(|(_, text)| is_wanted(text));
                wanted.map(|(article, _)| article).collect::<Vec<_>>()
            };
            found.extend(tokio::task::spawn_blocking(wanted).await?);
        }
        Ok(found)
    }
}
