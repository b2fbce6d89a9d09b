//! Lists of a test collection, by its own ids.

use std::collections::HashMap;

use sentio::article::ArticleId;
use sentio::evaluation::{Collection, Grades, Query, QueryScores};
use sentio::recommend::{Moment, Ranked, RecommendOptions, Recommender};

/// Documents of a list.
pub const LISTED: usize = 10;

pub struct Lists<'a> {
    pub recommender: Recommender,
    pub collection: &'a Collection,
}

impl Lists<'_> {
    pub async fn by_text(
        &self,
        text: &str,
        options: &RecommendOptions,
        count: usize,
    ) -> anyhow::Result<Vec<Ranked>> {
        Ok(self.recommender.by_text(text, count, options, Moment::now()).await?.ranked)
    }

    /// The queries that have a text and a relevant document, with their grades.
    pub fn judged(&self) -> impl Iterator<Item = (&Query, &Grades)> {
        let graded = self.collection.queries.iter().filter(|query| !query.text.trim().is_empty());
        let graded = graded.filter_map(|query| Some((query, self.collection.grades.get(&query.id)?)));
        graded.filter(|(_, grades)| grades.values().any(|grade| *grade > 0.0))
    }

    pub fn document(&self, article: ArticleId) -> &str {
        &self.collection.documents[usize::try_from(article.0 - 1).unwrap_or(0)].id
    }

    /// The articles as they were stored: in the order of the documents, from 1 on.
    pub fn articles(&self) -> HashMap<&str, ArticleId> {
        let ids = self.collection.documents.iter().map(|document| document.id.as_str());
        ids.zip(1..).map(|(document, number)| (document, ArticleId(number))).collect()
    }

    pub fn ndcg(&self, ranking: &[ArticleId], grades: &Grades) -> f64 {
        QueryScores::of(ranking.iter().map(|article| self.document(*article)), grades).ndcg_at_10
    }
}
