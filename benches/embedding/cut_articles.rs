//! Articles as vectors of their passages.

use std::time::Instant;

use sentio::embedding::{Embedder, Embedding};
use sentio::sync::article_vector;

use crate::corpus::Article;
use crate::vectors::{best, cut, passages};

pub struct CutArticles {
    /// The first passage of each article, and the end.
    starts: Vec<usize>,
    pub vectors: Vec<Embedding>,
    pub seconds: f64,
}

impl CutArticles {
    /// By Sentio's rule, or by passages of other tokens and overlap.
    pub async fn of(
        embedder: &Embedder,
        lengths: Option<(usize, usize)>,
        articles: &[Article],
    ) -> anyhow::Result<Self> {
        let started = Instant::now();
        let (mut starts, mut texts) = (vec![0], Vec::new());
        for article in articles {
            texts.extend(cut(embedder, lengths, article)?);
            starts.push(texts.len());
        }
        let vectors = passages(embedder, &texts).await?;
        Ok(Self { starts, vectors, seconds: started.elapsed().as_secs_f64() })
    }

    pub fn of_article(&self, article: usize) -> &[Embedding] {
        &self.vectors[self.starts[article]..self.starts[article + 1]]
    }

    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The articles' own vectors.
    pub fn wholes(&self, lead_share: f32) -> anyhow::Result<Vec<Embedding>> {
        let whole = |article| article_vector(self.of_article(article), lead_share);
        (0..self.count())
            .map(|article| whole(article).ok_or_else(|| anyhow::anyhow!("passages cancel each other out")))
            .collect()
    }

    /// Articles by their best passage, mixed half and half with the article's vector, as Sentio ranks them.
    pub fn rank(&self, query: &Embedding, wholes: &[Embedding], most: usize) -> Vec<usize> {
        let score = |article: usize| {
            let best =
                self.of_article(article).iter().map(|passage| query.cosine(passage)).fold(-1.0, f32::max);
            f32::midpoint(best, query.cosine(&wholes[article]))
        };
        best(&(0..self.count()).map(score).collect::<Vec<_>>(), most)
    }
}
