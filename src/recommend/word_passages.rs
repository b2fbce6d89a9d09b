//! Which passages have most of the words of a query.

use std::collections::{HashMap, HashSet};

use super::by_text::TextMatches;
use super::{BestPassage, RecommendError};
use crate::article::ArticleId;
use crate::index::{Highlight, IndexError, PassageSpan, QueryWords};

/// Articles whose texts are in memory together: a text has a megabyte at most.
const ARTICLES_AT_A_TIME: usize = 10;

impl TextMatches {
    /// Of each listed article the passage with most of the query's words, each counted once; of equal ones the first. Articles
    /// without any in their contents are absent.
    pub async fn passages_with_most_words(
        &self,
        words: &QueryWords,
    ) -> Result<HashMap<ArticleId, BestPassage>, RecommendError> {
        let listed: Vec<_> = self.ranked.iter().map(|ranked| ranked.article).collect();
        let mut best = HashMap::new();
        for articles in listed.chunks(ARTICLES_AT_A_TIME) {
            let texts = self.snapshot.texts_of(articles).await?;
            let mut spans: HashMap<ArticleId, Vec<PassageSpan>> = HashMap::new();
            for span in self.snapshot.passage_spans(articles).await? {
                spans.entry(span.article).or_default().push(span);
            }
            // On a thread that may be held up.
            let words = words.clone();
            let of_articles = move || {
                let of_article = |(article, mut spans): (ArticleId, Vec<PassageSpan>)| {
                    spans.sort_unstable_by_key(|span| span.start);
                    // The title is the text's first line.
                    let (_title, content) = texts.get(&article)?.split_once('\n')?;
                    Some((article, with_most_words(&spans, &words.in_text(content))?.into()))
                };
                spans.into_iter().filter_map(of_article).collect::<Vec<_>>()
            };
            best.extend(tokio::task::spawn_blocking(of_articles).await.map_err(IndexError::from)?);
        }
        Ok(best)
    }
}

/// Both are in the order of the text.
fn with_most_words(spans: &[PassageSpan], words: &[Highlight]) -> Option<PassageSpan> {
    let distinct = |span: &PassageSpan| {
        let begin = words.partition_point(|word| word.start < span.start);
        let end = words.partition_point(|word| word.start < span.end);
        words[begin..end].iter().map(|word| &word.word).collect::<HashSet<_>>().len()
    };
    let counted = spans.iter().rev().map(|span| (distinct(span), span));
    counted.filter(|(words, _)| *words > 0).max_by_key(|(words, _)| *words).map(|(_, span)| *span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_passage_with_most_distinct_words_is_best() {
        let span = |start, end| PassageSpan { article: ArticleId(1), revision: 1, start, end };
        let spans = [span(0, 10), span(8, 20), span(18, 30)];
        let words = [(1, "a"), (5, "a"), (9, "b"), (15, "a"), (19, "b"), (25, "a")];
        let words = words.map(|(start, word)| Highlight { start, end: start + 1, word: word.to_owned() });
        assert_eq!(with_most_words(&spans, &words), Some(spans[0]));
        assert_eq!(with_most_words(&spans, &words[2..]), Some(spans[1]));
        assert_eq!(with_most_words(&spans, &words[..0]), None);
    }
}
