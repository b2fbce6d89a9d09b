//! Counts in the text of a document, without a parser.

/// What a text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The deepest nesting of brackets of any kind.
    pub nesting: u64,
    /// Names, numbers, strings and punctuators, as the specification counts them.
    pub tokens: u64,
}

/// Counts in `document`. What is no GraphQL is counted somehow and left to the parser.
pub fn scan(document: &[u8]) -> Scan {
    let (mut found, mut depth, mut at) = (Scan::default(), 0_u64, 0);
    while let Some(byte) = document.get(at) {
        let rest = &document[at..];
        let (length, is_token) = match byte {
            b'{' | b'(' | b'[' => {
                depth += 1;
                found.nesting = found.nesting.max(depth);
                (1, true)
            }
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                (1, true)
            }
            b'#' => (rest.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(), false),
            b'"' => (string_length(rest), true),
            b' ' | b'\t' | b'\n' | b'\r' | b',' => (1, false),
            b'.' => (rest.iter().take(3).take_while(|byte| **byte == b'.').count(), true),
            b'-' | b'0'..=b'9' => {
                (length_of(rest, |byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E')), true)
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                (length_of(rest, |byte| byte == b'_' || byte.is_ascii_alphanumeric()), true)
            }
            _ => (1, true),
        };
        found.tokens += u64::from(is_token);
        at += length;
    }
    found
}

/// How many bytes that `text` begins with are part of a token.
fn length_of(text: &[u8], is_part: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| is_part(**byte)).count()
}

/// Bytes of the string or block string that `text` begins with; an unfinished one ends with its line or the document.
fn string_length(text: &[u8]) -> usize {
    let block = text.starts_with(b"\"\"\"");
    let mut at = if block { 3 } else { 1 };
    while at < text.len() {
        match (block, &text[at..]) {
            (true, [b'\\', b'"', b'"', b'"', ..]) => at += 4,
            (true, [b'"', b'"', b'"', ..]) => return at + 3,
            (false, [b'\\', _, ..]) => at += 2,
            (false, [b'"', ..]) => return at + 1,
            (false, [b'\n' | b'\r', ..]) => return at,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn brackets_count_outside_strings_and_comments_only() {
        let nesting = |document: &[u8]| scan(document).nesting;
        assert_eq!(nesting(b"{ a(b: [[1]]) { c } }"), 4);
        assert_eq!(nesting(br#"{ a(b: "[[[[\"[[") # [[[["#), 2);
        assert_eq!(nesting(b"{ a(b: \"\"\"[[ \\\"\"\" [[ \"\"\") }"), 2);
        assert_eq!(nesting(b"{ a(b: \"[[\n[[[[ "), 6);
    }

    #[test]
    fn tokens_count_as_the_specification_says() {
        for (document, tokens) in [
            ("", 0),
            (" , # nothing\n", 0),
            ("{ a }", 3),
            ("{a(b:-1.5e+3,c:$d)...on E@f{g}}", 20),
            ("{ a(b: \"c d e\", f: \"\"\"g h\"\"\") }", 11),
            ("query A($b: [C!]! = [D]) { ...e }", 20),
        ] {
            assert_eq!(scan(document.as_bytes()).tokens, tokens, "{document}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_counted(document: Vec<u8>) {
            let found = scan(&document);
            prop_assert!(found.tokens <= document.len() as u64 && found.nesting <= found.tokens);
        }

        #[test]
        fn any_text_of_graphql_is_counted(document in "[{}()\\[\\]\"\\\\#\n .,a1$@-]{0,200}") {
            let found = scan(document.as_bytes());
            prop_assert!(found.tokens <= document.len() as u64 && found.nesting <= found.tokens);
        }
    }
}
