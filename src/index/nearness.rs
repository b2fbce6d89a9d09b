//! How near given articles are to a vector, and what rankings look at of them: in memory.

use std::collections::HashMap;

use super::IndexError;
use super::snapshot::Snapshot;
use crate::article::ArticleId;
use crate::search::{PassageHit, Portrait, Target};

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
}
