//! The passage rule: how an article is cut into the texts that are embedded.
//!
//! A passage is a run of tokens of the content with the title in front. It ends at the end of a sentence where one lies
//! in its second half, and begins with the last sentences of the passage before, so that no thought is cut in two.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::article::composed;
use crate::words::without_runs;

/// The share of a passage that the title may take: one third.
const TITLE_SHARE: usize = 3;

/// How long passages are, in tokens of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassageRule {
    /// Tokens of a passage, the title and the model's special tokens included.
    pub tokens: usize,
    /// Tokens that a passage shares with the one before.
    pub overlap: usize,
    /// Tokens that the model adds by itself.
    pub special: usize,
}

/// A passage as a part of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassageSpan {
    /// In bytes of the content.
    pub bytes: Range<usize>,
    /// In UTF-16 code units of the content, as JavaScript counts.
    pub utf16: Range<usize>,
}

/// Cuts an article. `title_tokens` and `content_tokens` are the tokens' byte ranges in the two texts.
///
/// Returns how much of the title goes in front of each passage, in bytes, and at least one passage: an article without
/// words has one that is empty but for its title.
pub fn split(
    rule: PassageRule,
    title_tokens: &[Range<usize>],
    content: &str,
    content_tokens: &[Range<usize>],
) -> (usize, Vec<PassageSpan>) {
    let room = rule.tokens.saturating_sub(rule.special).max(TITLE_SHARE);
    let title_count = title_tokens.len().min(room / TITLE_SHARE);
    let title_end = title_count.checked_sub(1).map_or(0, |last| title_tokens[last].end);
    let length = room - title_count;
    let overlap = rule.overlap.min(length / 2);

    let sentences = sentence_starts(content, content_tokens);
    let mut spans = Vec::new();
    let mut utf16 = Utf16Counter::new(content);
    let mut start = 0;
    loop {
        let end = passage_end(start, length, content_tokens.len(), &sentences);
        let bytes =
            match (content_tokens.get(start), end.checked_sub(1).and_then(|last| content_tokens.get(last))) {
                (Some(first), Some(last)) => first.start..last.end.max(first.start),
                _ => 0..0,
            };
        spans.push(PassageSpan { utf16: utf16.range(&bytes), bytes });
        if end >= content_tokens.len() {
            return (title_end, spans);
        }
        start = next_start(start, end, overlap, content, content_tokens, &sentences);
    }
}

/// What is embedded of the passage `bytes` of `content`: the title, so that it is known what is spoken of, and the passage without `encoded`
/// runs; composed, as queries are.
pub fn passage_text(title: &str, content: &str, bytes: &Range<usize>, encoded: &[Range<usize>]) -> String {
    let within: Vec<_> = encoded
        .iter()
        .filter(|run| run.start < bytes.end && bytes.start < run.end)
        .map(|run| run.start.max(bytes.start) - bytes.start..run.end.min(bytes.end) - bytes.start)
        .collect();
    let text = format!("{title}\n{}", without_runs(&content[bytes.clone()], &within));
    match composed(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(composed) => composed,
    }
}

/// At most `most` of `spans`, as evenly as can be, the first and the last among them.
pub fn sample(spans: Vec<PassageSpan>, most: usize) -> Vec<PassageSpan> {
    let (in_all, most) = (spans.len(), most.max(1));
    if in_all <= most {
        return spans;
    }
    let mut kept = (0..most).map(|number| number * (in_all - 1) / (most - 1).max(1)).peekable();
    let numbered = spans.into_iter().enumerate();
    numbered.filter_map(|(number, span)| kept.next_if_eq(&number).map(|_| span)).collect()
}

/// The indexes of the tokens that begin a sentence, ascending.
fn sentence_starts(content: &str, tokens: &[Range<usize>]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut token = 0;
    for (offset, _) in content.split_sentence_bound_indices() {
        while tokens.get(token).is_some_and(|span| span.start < offset) {
            token += 1;
        }
        if token >= tokens.len() {
            break;
        }
        if starts.last() != Some(&token) {
            starts.push(token);
        }
    }
    starts
}

/// The token after the passage's last: the last sentence end in the second half, else where the room ends.
fn passage_end(start: usize, length: usize, tokens: usize, sentences: &[usize]) -> usize {
    let limit = start + length;
    if limit >= tokens {
        return tokens;
    }
    let upto_limit = &sentences[..sentences.partition_point(|sentence| *sentence <= limit)];
    match upto_limit.last() {
        Some(sentence) if *sentence > start + length / 2 => *sentence,
        _ => limit,
    }
}

/// Where the next passage begins: at the first sentence within the overlap, else at the first word.
fn next_start(
    start: usize,
    end: usize,
    overlap: usize,
    content: &str,
    tokens: &[Range<usize>],
    sentences: &[usize],
) -> usize {
    let earliest = (end - overlap.min(end)).max(start + 1);
    let sentence = sentences[sentences.partition_point(|sentence| *sentence < earliest)..].first();
    if let Some(sentence) = sentence.filter(|sentence| **sentence < end) {
        return *sentence;
    }
    let begins_word = |token: &usize| content[..tokens[*token].start].ends_with(char::is_whitespace);
    (earliest..end).find(begins_word).unwrap_or(earliest)
}

/// Converts ascending byte offsets to UTF-16 offsets in one pass over the text.
struct Utf16Counter<'a> {
    text: &'a str,
    byte: usize,
    unit: usize,
}

impl<'a> Utf16Counter<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, byte: 0, unit: 0 }
    }

    fn range(&mut self, bytes: &Range<usize>) -> Range<usize> {
        // Passages overlap: the next one begins at or after this start, so the position is kept there.
        self.unit += units(&self.text[self.byte..bytes.start]);
        self.byte = bytes.start;
        self.unit..self.unit + units(&self.text[bytes.clone()])
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One token per word, as the simplest tokenizer would.
    fn words(text: &str) -> Vec<Range<usize>> {
        text.split_word_bound_indices()
            .filter(|(_, word)| !word.trim().is_empty())
            .map(|(start, word)| start..start + word.len())
            .collect()
    }

    fn passages(rule: PassageRule, title: &str, content: &str) -> Vec<String> {
        let (title_end, spans) = split(rule, &words(title), content, &words(content));
        spans.iter().map(|span| format!("{}|{}", &title[..title_end], &content[span.bytes.clone()])).collect()
    }

    const RULE: PassageRule = PassageRule { tokens: 14, overlap: 4, special: 2 };

    #[test]
    fn a_short_article_is_one_passage() {
        assert_eq!(passages(RULE, "A title", "Few words here."), ["A title|Few words here."]);
    }

    #[test]
    fn an_article_without_words_has_one_passage() {
        assert_eq!(passages(RULE, "A title", " \n "), ["A title|"]);
        assert_eq!(passages(RULE, "", ""), ["|"]);
    }

    #[test]
    fn passages_end_with_sentences_and_begin_with_the_one_before() {
        let content = "One two three. Four five six. Seven eight nine. Ten eleven twelve.";
        assert_eq!(
            passages(RULE, "", content),
            ["|One two three. Four five six. Seven eight nine.", "|Seven eight nine. Ten eleven twelve."]
        );
    }

    #[test]
    fn a_long_title_leaves_room_for_the_content() {
        let content = "a b c d e f g h i j k l m n o p";
        let parts = passages(RULE, "t1 t2 t3 t4 t5 t6 t7 t8", content);
        assert!(parts.iter().all(|part| part.starts_with("t1 t2 t3 t4|")), "{parts:?}");
    }

    #[test]
    fn a_sample_is_even_and_has_both_ends() {
        let spans = |count: usize| -> Vec<_> {
            (0..count).map(|number| PassageSpan { bytes: number..number, utf16: 0..0 }).collect()
        };
        let kept = |count: usize, most: usize| -> Vec<_> {
            sample(spans(count), most).iter().map(|span| span.bytes.start).collect()
        };
        assert_eq!(kept(4, 4), [0, 1, 2, 3]);
        assert_eq!(kept(5, 4), [0, 1, 2, 4]);
        assert_eq!(kept(101, 5), [0, 25, 50, 75, 100]);
        assert_eq!((kept(7, 2), kept(7, 1), kept(7, 0)), (vec![0, 6], vec![0], vec![0]));
    }

    #[test]
    fn offsets_count_utf16_units() {
        let content = "😀 grinning. 😀 grinning again and again, for ever and ever and ever and ever.";
        let (_, spans) = split(RULE, &[], content, &words(content));
        let utf16: Vec<u16> = content.encode_utf16().collect();
        for span in spans {
            assert_eq!(String::from_utf16(&utf16[span.utf16]).unwrap(), content[span.bytes]);
        }
    }

    proptest! {
        #[test]
        fn every_token_is_in_a_passage_and_no_passage_is_too_long(
            content in "([a-zé😀]{1,5}[ .!?\n]{1,3}){0,80}",
            tokens in 4usize..40,
            overlap in 0usize..40,
        ) {
            let rule = PassageRule { tokens, overlap, special: 2 };
            let spans_of_words = words(&content);
            let (_, spans) = split(rule, &[], &content, &spans_of_words);
            let room = (tokens - 2).max(3);
            let mut covered = 0;
            for span in &spans {
                let inside = spans_of_words
                    .iter()
                    .filter(|word| word.start >= span.bytes.start && word.end <= span.bytes.end);
                prop_assert!(inside.count() <= room);
                let first = spans_of_words.partition_point(|word| word.start < span.bytes.start);
                prop_assert!(first <= covered, "a gap before {:?}", span);
                covered = spans_of_words.partition_point(|word| word.end <= span.bytes.end);
            }
            prop_assert_eq!(covered, spans_of_words.len());
        }
    }
}
