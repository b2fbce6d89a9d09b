//! How near given articles are to a vector, and what rankings look at of them: in memory.

use std::collections::HashMap;

use super::IndexError;
use super::snapshot::Snapshot;
use crate::article::{ArticleFilter, ArticleId};
use crate::search::{LookedFor, PassageHit, PassageSpan, Phrase, Portrait, Target};
use crate::words::QueryWords;

impl Snapshot {
    /// The cosine of each of `articles` to `vector`; articles that are not indexed are absent.
    pub fn cosines_of(
        &self,
        vector: &[f32],
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, f32>, IndexError> {
        let cosines = self.view()?.cosines_of(&Target::new(vector), articles);
        let found = articles.iter().zip(cosines);
        Ok(found.filter_map(|(article, cosine)| Some((*article, cosine?))).collect())
    }

    /// The passage of each of `articles` that is nearest to `vector`, of equal ones the first; articles that are not indexed
    /// are absent.
    pub fn nearest_passage_of_each(
        &self,
        vector: &[f32],
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, PassageHit>, IndexError> {
        let nearest = self.view()?.nearest_passage_of_each(&Target::new(vector), articles);
        let found = articles.iter().zip(nearest);
        Ok(found.filter_map(|(article, hit)| Some((*article, hit?))).collect())
    }

    /// All passages of `articles` with their cosines to `vector`.
    pub fn passages_of(&self, vector: &[f32], articles: &[ArticleId]) -> Result<Vec<PassageHit>, IndexError> {
        Ok(self.view()?.passages_of(&Target::new(vector), articles))
    }

    /// Where the passages of `articles` lie.
    pub fn passage_spans(&self, articles: &[ArticleId]) -> Result<Vec<PassageSpan>, IndexError> {
        Ok(self.view()?.passage_spans(articles))
    }

    /// The passages of `articles` with their vectors.
    pub fn passage_vectors(
        &self,
        articles: &[ArticleId],
    ) -> Result<Vec<(PassageSpan, Vec<f32>)>, IndexError> {
        Ok(self.view()?.passage_vectors(articles))
    }

    /// The vectors of `articles`; articles that are not indexed are absent.
    pub fn article_vectors(
        &self,
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, Vec<f32>>, IndexError> {
        let view = self.view()?;
        Ok(articles.iter().filter_map(|article| Some((*article, view.article_vector(*article)?))).collect())
    }

    /// The portraits of `articles`; articles that are not indexed are absent.
    pub fn portraits(&self, articles: &[ArticleId]) -> Result<HashMap<ArticleId, Portrait>, IndexError> {
        let view = self.view()?;
        Ok(articles.iter().filter_map(|article| Some((*article, view.portrait(*article)?))).collect())
    }

    /// What is looked for of the words of a query.
    pub fn looked_for(&self, words: &QueryWords) -> Result<LookedFor, IndexError> {
        Ok(self.view()?.looked_for(words))
    }

    /// Whether all of `words` mean little on their own in most texts that have them.
    pub fn are_stop_words(&self, words: &QueryWords) -> Result<bool, IndexError> {
        Ok(self.view()?.are_stop_words(words))
    }

    /// The articles that pass and have this title or this external id, by id.
    pub fn named(
        &self,
        title_key: &str,
        external_id: &str,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<ArticleId>, IndexError> {
        Ok(self.view()?.named(title_key, external_id, filter, excluded))
    }

    /// The articles that pass and have all of `phrases`, by id.
    pub fn with_phrases(
        &self,
        phrases: &[Phrase],
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<ArticleId>, IndexError> {
        Ok(self.view()?.with_phrases(phrases, filter, excluded))
    }
}
