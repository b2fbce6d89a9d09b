//! What comes before all scores: an article that is named exactly, then one that has a quoted phrase.

use super::phrases::Phrases;
use super::{RecommendError, RecommendOptions};
use crate::article::ArticleId;
use crate::index::Snapshot;
use crate::search::Matches;
use crate::words::title_key;

/// Articles that each tier brings; titles are not unique.
const ARTICLES_MAX: usize = 200;

/// Where an article stands before its score counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Its title or its external id is the query.
    TitleOrId,
    /// It has every quoted phrase of the query: of two words or more, or of one where the query is nothing else.
    Phrase,
    Rest,
}

/// The articles of the first two tiers.
#[derive(Default)]
pub struct Tiers {
    /// By id.
    named: Vec<ArticleId>,
    with_phrases: Vec<ArticleId>,
}

impl Tiers {
    /// Finds those that are named `text`, and those with its `phrases`.
    pub fn find(
        snapshot: &Snapshot,
        text: &str,
        phrases: &Phrases,
        options: &RecommendOptions,
    ) -> Result<Self, RecommendError> {
        let RecommendOptions { filter, exclude, .. } = options;
        let view = snapshot.view()?;
        let named = view.named(&title_key(text), text.trim(), filter, exclude);
        let with_phrases =
            if phrases.are_none() { Vec::new() } else { view.with_phrases(phrases.all(), filter, exclude) };
        Ok(Self { named, with_phrases })
    }

    pub fn of(&self, article: ArticleId) -> Tier {
        if self.named.binary_search(&article).is_ok() {
            Tier::TitleOrId
        } else if self.with_phrases.binary_search(&article).is_ok() {
            Tier::Phrase
        } else {
            Tier::Rest
        }
    }

    /// Those that a list is ranked among: of each tier so many, those that match best.
    pub fn best(&self, matches: Option<&Matches>) -> Vec<ArticleId> {
        let best_of = |tier: &Vec<ArticleId>| {
            let bm25 = |article: ArticleId| matches.map_or(0.0, |matches| matches.of(article));
            let mut scored: Vec<_> = tier.iter().map(|article| (bm25(*article), *article)).collect();
            scored.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.cmp(b)));
            scored.into_iter().take(ARTICLES_MAX).map(|(_, article)| article)
        };
        best_of(&self.named).chain(best_of(&self.with_phrases)).collect()
    }

    /// Whether there are more than a list is ranked among.
    pub fn are_many(&self) -> bool {
        self.named.len().max(self.with_phrases.len()) > ARTICLES_MAX
    }
}
