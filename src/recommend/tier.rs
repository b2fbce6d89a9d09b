//! What comes before all scores: an article that is named exactly, then one that has a quoted phrase.

use std::collections::{HashMap, HashSet};

use super::{RecommendError, RecommendOptions};
use crate::article::{ArticleId, title_key};
use crate::index::{Generation, Snapshot, Words};

/// Articles of one tier at most; titles are not unique.
const ARTICLES_MAX: usize = 200;
/// Articles with all words of the phrases whose texts are looked into, those that match best.
const TEXTS_MAX: usize = 1_000;
/// Phrases of one query that count, the first ones.
const PHRASES_MAX: usize = 5;
/// What begins and ends a phrase.
const QUOTES: [(char, char); 4] =
    [('"', '"'), ('\u{201c}', '\u{201d}'), ('\u{201e}', '\u{201c}'), ('\u{ab}', '\u{bb}')];

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
        let title = title_key(text);
        let named = async { Ok(snapshot.named(&title, text.trim(), ARTICLES_MAX, filter, exclude).await?) };
        let mut tiers = Self { tiers: HashMap::new(), phrases, examined: HashSet::new() };
        let (named, ()) = futures::try_join!(named, tiers.find_phrases(snapshot, options))?;
        tiers.tiers.extend(named.into_iter().map(|article| (article, Tier::TitleOrId)));
        Ok(tiers)
    }

    pub fn of(&self, article: ArticleId) -> Tier {
        self.tiers.get(&article).copied().unwrap_or(Tier::Rest)
    }

    pub fn articles(&self) -> impl Iterator<Item = &ArticleId> {
        self.tiers.keys()
    }

    /// Looks for the phrases in the texts of `articles` that were found in other ways.
    pub async fn examine(
        &mut self,
        snapshot: &Snapshot,
        articles: impl Iterator<Item = ArticleId>,
    ) -> Result<(), RecommendError> {
        if self.phrases.are_none() {
            return Ok(());
        }
        let articles: Vec<_> = articles.filter(|article| self.examined.insert(*article)).collect();
        for article in snapshot.articles_whose_text(&articles, |text| self.phrases.are_in(text)).await? {
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
            self.examine(snapshot, matching.iter().map(|hit| hit.article)).await?;
            if self.tiers.len() >= ARTICLES_MAX {
                break;
            }
        }
        Ok(())
    }
}

/// The quoted phrases of a query.
pub struct Phrases(Vec<String>);

impl Phrases {
    /// Those of `text`, but for such as have stop words of the index's language only.
    pub fn of(text: &str, generation: &Generation) -> Result<Self, RecommendError> {
        let quoted = phrases_in(text);
        if quoted.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let words = generation.words_of("")?;
        let phrases = quoted.into_iter().filter(|phrase| words.sees_words_in(phrase)).take(PHRASES_MAX);
        Ok(Self(phrases.map(title_key).collect()))
    }

    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `text` has all of them.
    fn are_in(&self, text: &str) -> bool {
        let text = title_key(text);
        self.0.iter().all(|phrase| contains_words(&text, phrase))
    }

    fn words(&self) -> String {
        self.0.join(" ")
    }
}

/// What stands in quotation marks: two words or more. One quoted word in a longer text is emphasis, as in `a "smart" city`:
/// to put its articles first costs 1.3 points of nDCG@10 on a collection of questions. Where all is quoted, one word counts.
fn phrases_in(text: &str) -> Vec<&str> {
    let (mut phrases, between) = quoted(text);
    if between {
        phrases.retain(|phrase| {
            phrase
                .split(|character: char| !character.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .count()
                > 1
        });
    }
    phrases
}

/// What stands in quotation marks, blank ones left out, and whether words stand outside of them.
fn quoted(text: &str) -> (Vec<&str>, bool) {
    let mut phrases = Vec::new();
    let mut between = false;
    let mut rest = text;
    let has_words = |text: &str| text.chars().any(char::is_alphanumeric);
    while let Some((begin, open)) =
        rest.char_indices().find(|(_, character)| QUOTES.iter().any(|(open, _)| open == character))
    {
        let inside = &rest[begin + open.len_utf8()..];
        let closing =
            |character: char| QUOTES.iter().any(|(opens, closes)| *opens == open && *closes == character);
        let Some(end) = inside.find(closing) else { break };
        between |= has_words(&rest[..begin]);
        let phrase = inside[..end].trim();
        if has_words(phrase) {
            phrases.push(phrase);
        }
        rest = inside[end..].char_indices().nth(1).map_or("", |(next, _)| &inside[end + next..]);
    }
    (phrases, between || has_words(rest))
}

/// Whether `text` has `phrase`, not as parts of longer words.
fn contains_words(text: &str, phrase: &str) -> bool {
    let inner = |character: Option<char>, edge: Option<char>| {
        character.is_some_and(char::is_alphanumeric) && edge.is_some_and(char::is_alphanumeric)
    };
    !phrase.is_empty()
        && text.match_indices(phrase).any(|(begin, _)| {
            let (before, after) =
                (text[..begin].chars().next_back(), text[begin + phrase.len()..].chars().next());
            !inner(before, phrase.chars().next()) && !inner(after, phrase.chars().next_back())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_stand_in_quotation_marks() {
        assert_eq!(
            phrases_in(r#"the "red apple" and “blue sky” or „graue Maus“"#),
            ["red apple", "blue sky", "graue Maus"]
        );
        assert_eq!(phrases_in(r#"«le chat» "" " " "!?" "x""#), ["le chat", "x"]);
        assert_eq!(phrases_in(r#"a "smart" city with "low-cost" housing"#), ["low-cost"]);
        assert_eq!(phrases_in(r#""smart" cities"#), [""; 0]);
        assert_eq!(phrases_in(r#" "smart"!"#), ["smart"]);
        assert!(phrases_in(r#"it is 5" wide"#).is_empty());
        assert!(phrases_in("plain words").is_empty());
    }

    #[test]
    fn a_phrase_is_whole_words() {
        assert!(contains_words("a red apple.", "red apple"));
        assert!(contains_words("red apple", "red apple"));
        assert!(!contains_words("a red apples", "red apple"));
        assert!(!contains_words("bred apple", "red apple"));
        assert!(contains_words("bred apple, red apple", "red apple"));
        assert!(contains_words("in c++ code", "c++"));
        assert!(!contains_words("anything", ""));
    }
}
