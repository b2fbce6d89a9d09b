//! What comes before all scores: an article that is named exactly, then one that has a quoted phrase.

use std::collections::{HashMap, HashSet};

use super::phrases::Phrases;
use super::{RecommendError, RecommendOptions};
use crate::article::{ArticleFilter, ArticleId, title_key};
use crate::index::{Snapshot, Words};

/// Articles of one tier at most; titles are not unique.
const ARTICLES_MAX: usize = 200;
/// Articles with all words of the phrases whose texts are looked into, those that match best.
const TEXTS_MAX: usize = 1_000;

/// Where an article stands before its score counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Its title or its external id is the query.
    TitleOrId,
    /// It has every quoted phrase of the query: of two words or more, or of one where the query is nothing else.
    Phrase,
    Rest,
}

/// The articles of the first two tiers, as far as they are known.
pub struct Tiers {
    tiers: HashMap<ArticleId, Tier>,
    phrases: Phrases,
    more_are_named: bool,
    /// Articles whose texts were looked into.
    examined: HashSet<ArticleId>,
}

impl Tiers {
    /// Finds those that are named, and those with the phrases of the ones that match the phrases' words best.
    pub async fn find(
        snapshot: &Snapshot,
        text: &str,
        phrases: Phrases,
        options: &RecommendOptions,
    ) -> Result<Self, RecommendError> {
        let RecommendOptions { filter, exclude, .. } = options;
        let mut tiers =
            Self { tiers: HashMap::new(), phrases, more_are_named: false, examined: HashSet::new() };
        let (named, ()) = futures::try_join!(
            named(snapshot, text, ARTICLES_MAX, filter, exclude),
            tiers.find_phrases(snapshot, options)
        )?;
        tiers.more_are_named = named.len() >= ARTICLES_MAX;
        tiers.tiers.extend(named.into_iter().map(|article| (article, Tier::TitleOrId)));
        Ok(tiers)
    }

    /// Whether more articles are named than are known.
    pub fn more_are_named(&self) -> bool {
        self.more_are_named
    }

    pub fn of(&self, article: ArticleId) -> Tier {
        self.tiers.get(&article).copied().unwrap_or(Tier::Rest)
    }

    pub fn articles(&self) -> impl Iterator<Item = &ArticleId> {
        self.tiers.keys()
    }

    /// Looks among `articles`, which were found in other ways, for those that are named or have the phrases.
    pub async fn examine(
        &mut self,
        snapshot: &Snapshot,
        text: &str,
        articles: impl Iterator<Item = ArticleId> + Clone,
    ) -> Result<(), RecommendError> {
        if self.more_are_named {
            let among: Vec<_> = articles.clone().collect();
            let count = among.len();
            let among = ArticleFilter { ids_in: Some(among), ..ArticleFilter::default() };
            let named = named(snapshot, text, count, &among, &[]).await?;
            self.tiers.extend(named.into_iter().map(|article| (article, Tier::TitleOrId)));
        }
        self.look_for_phrases(snapshot, articles).await
    }

    async fn look_for_phrases(
        &mut self,
        snapshot: &Snapshot,
        articles: impl Iterator<Item = ArticleId>,
    ) -> Result<(), RecommendError> {
        if self.phrases.are_none() {
            return Ok(());
        }
        let articles: Vec<_> = articles.filter(|article| self.examined.insert(*article)).collect();
        let phrases = self.phrases.clone();
        for article in snapshot.articles_whose_text(&articles, move |text| phrases.are_in(text)).await? {
            self.tiers.entry(article).or_insert(Tier::Phrase);
        }
        Ok(())
    }

    async fn find_phrases(
        &mut self,
        snapshot: &Snapshot,
        options: &RecommendOptions,
    ) -> Result<(), RecommendError> {
        if self.phrases.are_none() {
            return Ok(());
        }
        // Without positions in the index of words: all words first, then a look into the texts.
        let RecommendOptions { filter, exclude, .. } = options;
        let words = self.phrases.words();
        let matching = snapshot.best_matches(&words, Words::All, TEXTS_MAX, filter, exclude).await?;
        for matching in matching.chunks(ARTICLES_MAX) {
            self.look_for_phrases(snapshot, matching.iter().map(|hit| hit.article)).await?;
            if self.tiers.len() >= ARTICLES_MAX {
                break;
            }
        }
        Ok(())
    }
}

/// At most `limit` articles whose title or external id is `text`.
async fn named(
    snapshot: &Snapshot,
    text: &str,
    limit: usize,
    filter: &ArticleFilter,
    excluded: &[ArticleId],
) -> Result<Vec<ArticleId>, RecommendError> {
    Ok(snapshot.named(&title_key(text), text.trim(), limit, filter, excluded).await?)
}
