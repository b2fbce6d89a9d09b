//! Runs of characters that encode something else than language: pictures and fonts inlined as base64, long hexadecimal digits, keys. They are
//! no words, and tell a model nothing.

use std::borrow::Cow;
use std::ops::Range;

/// A run of so many characters is looked at: no word, name or hash in common use is that long.
const RUN_MIN: usize = 129;
/// Lines of so many characters are, where several of one length follow each other: base64 in mail and keys is broken into lines of 64 or 76.
const LINE_MIN: usize = 40;
const LINES_MIN: usize = 3;
/// Letters and digits between two signs, at least, in the mean. In base64 there are 31, in a path or a list of words 5 to 10.
const PIECE_MIN: usize = 16;
/// What comes before a file that is inlined, at most.
const PREFIX_MAX: usize = 100;

/// Where in `text` such runs are, in bytes, ascending.
pub fn encoded_runs(text: &str) -> Vec<Range<usize>> {
    let runs: Vec<_> = runs(text).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut number = 0;
    while let Some(run) = runs.get(number) {
        let continues = |pair: &&[Range<usize>]| continues(text, run.len(), &pair[0], &pair[1]);
        let lines = 1 + runs[number..].windows(2).take_while(continues).count();
        if lines >= LINES_MIN {
            let end = runs[number + lines - 1].end;
            found.push(run.start..end + padded_line(&text[end..]));
        } else if let Some(long) = runs[number..number + lines].iter().find(|run| run.len() >= RUN_MIN) {
            found.push(long.clone());
        }
        number += lines;
    }
    for run in &mut found {
        run.start -= prefix(&text[..run.start]);
    }
    found
}

/// `text` with a space in place of each of its `runs`, which ascend.
pub fn without_runs<'a>(text: &'a str, runs: &[Range<usize>]) -> Cow<'a, str> {
    if runs.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for run in runs {
        left.push_str(&text[at..run.start]);
        left.push(' ');
        at = run.end;
    }
    left.push_str(&text[at..]);
    Cow::Owned(left)
}

/// Whether `range` has a part in one of `runs`, which ascend.
pub fn meets_run(range: &Range<usize>, runs: &[Range<usize>]) -> bool {
    let next = runs.partition_point(|run| run.end <= range.start);
    runs.get(next).is_some_and(|run| run.start < range.end)
}

/// Runs of letters, digits and the signs of base64 that may be part of such a thing.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes[at..].iter().position(|byte| is_part(*byte))?;
            let length = bytes[start..].iter().take_while(|byte| is_part(**byte)).count();
            at = start + length;
            if length >= LINE_MIN && is_dense(&bytes[start..at]) {
                return Some(start..at);
            }
        }
    })
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Whether a run has few signs, and more than one letter.
fn is_dense(run: &[u8]) -> bool {
    let run = run.trim_ascii_end();
    let padding = run.iter().rev().take_while(|byte| **byte == b'=').count();
    let run = &run[..run.len() - padding];
    let signs = run.iter().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    run.len() >= PIECE_MIN * (signs + 1)
}

/// Whether `next` goes on on the line after `run`: all lines but the last are of one length.
fn continues(text: &str, length: usize, run: &Range<usize>, next: &Range<usize>) -> bool {
    run.len() == length && next.len() <= length && matches!(&text[run.end..next.start], "\n" | "\r\n")
}

/// The length of a last line that is short and ends with the padding of base64, with the line break before it.
fn padded_line(rest: &str) -> usize {
    let (break_length, line) = match (rest.strip_prefix("\r\n"), rest.strip_prefix('\n')) {
        (Some(line), _) => (2, line),
        (None, Some(line)) => (1, line),
        (None, None) => return 0,
    };
    let length = line.bytes().take_while(|byte| is_part(*byte)).count();
    if line[..length].ends_with('=') { break_length + length } else { 0 }
}

/// The length of what names an inlined file at the end of `text`: `data:image/png;base64,`.
fn prefix(text: &str) -> usize {
    let before = text.len().saturating_sub(PREFIX_MAX);
    let tail = &text[text.ceil_char_boundary(before)..];
    let is_prefix = |from: &usize| {
        let name = &tail[*from..];
        name.ends_with(";base64,") && !name.contains(char::is_whitespace)
    };
    tail.rfind("data:").filter(is_prefix).map_or(0, |from| tail.len() - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base64 of bytes that look random.
    fn base64(characters: usize) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut random = 7_u64;
        let mut character = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(alphabet[(random >> 58) as usize])
        };
        (0..characters).map(|_| character()).collect()
    }

    fn left(text: &str) -> String {
        without_runs(text, &encoded_runs(text)).into_owned()
    }

    #[test]
    fn inlined_files_are_found_with_what_names_them() {
        let picture = format!("An <img src=\"data:image/png;base64,{}=\"> and ïmages.", base64(5_000));
        assert_eq!(left(&picture), "An <img src=\" \"> and ïmages.");
        let two = format!("{} ] text [ {}", base64(200), base64(300));
        assert_eq!(left(&two), "  ] text [  ");
    }

    #[test]
    fn lines_of_base64_are_one_run() {
        let lines: Vec<_> = (0..9).map(|_| base64(64)).collect();
        let key = format!("A key:\n{}\nand so on", lines.join("\n"));
        assert_eq!(left(&key), "A key:\n \nand so on");
        let crlf = format!("A key:\r\n{}\r\nAbCd==\r\n", lines.join("\r\n"));
        assert_eq!(left(&crlf), "A key:\r\n \r\n");
    }

    #[test]
    fn language_and_what_is_searched_for_stays() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let path = format!("https://example.org/{}", "a-long-way/to_say-it/".repeat(20));
        let word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
        let line = "-".repeat(300);
        let names = "AbstractAnnotationConfigDispatcherServletInitializer\nAbstractDispatcherServletInitializerFactories\nAbstractContextLoaderInitializerOfEverything";
        let chinese = "春天的故事".repeat(100);
        for text in [hash, &format!("{hash}\n{hash}"), &path, word, &line, names, &chinese, ""] {
            assert!(encoded_runs(text).is_empty(), "{text}");
        }
    }
}
