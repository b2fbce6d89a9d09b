//! Places in the text of a document: byte offsets → lines and columns.

use async_graphql::Pos;

/// Bytes between two counts of characters.
const STEP: usize = 64;

/// Where lines begin, and how many characters come before certain bytes, so that no place takes a walk through the text.
#[derive(Debug)]
pub struct Places {
    /// Byte offsets.
    lines: Vec<usize>,
    /// The text and its characters before each [`STEP`] bytes; none when every character is a byte.
    characters: Option<(String, Vec<usize>)>,
}

impl Places {
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let characters = (!text.is_ascii()).then(|| {
            let mut counts = Vec::with_capacity(bytes.len() / STEP + 1);
            let mut count = 0;
            for chunk in bytes.chunks(STEP) {
                counts.push(count);
                count += chunk.iter().filter(|byte| begins_character(**byte)).count();
            }
            (text.to_owned(), counts)
        });
        Self { lines, characters }
    }

    /// The line and the column, in characters, of the byte at `offset`; both begin with 1.
    pub fn at(&self, offset: usize) -> Pos {
        let line = self.lines.partition_point(|begin| *begin <= offset);
        let begin = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        Pos { line, column: self.characters_before(offset) - self.characters_before(begin) + 1 }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let Some((text, counts)) = &self.characters else { return offset };
        let offset = offset.min(text.len());
        let step = (offset / STEP).min(counts.len().saturating_sub(1));
        let rest = text.as_bytes().get(step * STEP..offset).unwrap_or_default();
        counts.get(step).copied().unwrap_or_default()
            + rest.iter().filter(|byte| begins_character(**byte)).count()
    }

    /// What it takes, in bytes.
    pub fn memory(&self) -> usize {
        let characters = self.characters.as_ref().map_or(0, |(text, counts)| text.len() + counts.len() * 8);
        self.lines.len() * 8 + characters
    }
}

/// Whether a byte of UTF-8 is the first of its character.
fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_and_all_kinds_of_lines() {
        let text = "{ a }\r\n{ é😀b }\r{ c }\n  d";
        let places = Places::new(text);
        for (name, line, column) in [('a', 1, 3), ('b', 2, 5), ('c', 3, 3), ('d', 4, 3)] {
            let offset = text.find(name).unwrap();
            assert_eq!(places.at(offset), Pos { line, column }, "{name}");
        }
        assert_eq!(places.at(text.len()), Pos { line: 4, column: 4 });
    }

    #[test]
    fn a_long_line_is_counted_in_steps() {
        let text = format!("{}x", "é".repeat(10_000));
        assert_eq!(Places::new(&text).at(20_000), Pos { line: 1, column: 10_001 });
        assert_eq!(Places::new("").at(0), Pos { line: 1, column: 1 });
    }
}
