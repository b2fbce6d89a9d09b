//! Offsets in UTF-16 code units, as JavaScript counts.

use std::ops::Range;

/// The part of `text` between two offsets in UTF-16 code units; `None` when they do not lie on characters.
pub fn slice_utf16(text: &str, start: i32, end: i32) -> Option<&str> {
    Slices::of(text).next(start, end)
}

/// Parts of a text one after the other, each beginning and ending where the one before does or later: the text is walked
/// through once, however many there are.
pub struct Slices<'a> {
    text: &'a str,
    start: Place,
    end: Place,
}

impl<'a> Slices<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text, start: Place::default(), end: Place::default() }
    }

    /// The part between two offsets in UTF-16 code units; `None` when they do not lie on characters, or before those asked for
    /// last.
    pub fn next(&mut self, start: i32, end: i32) -> Option<&'a str> {
        self.text.get(self.range(start, end)?)
    }

    /// The same part in bytes.
    pub fn range(&mut self, start: i32, end: i32) -> Option<Range<usize>> {
        let start = self.start.move_to(self.text, start)?;
        let end = self.end.move_to(self.text, end)?;
        Some(start..end)
    }
}

/// Offsets in UTF-16 code units of places in a text, which are asked for in their order: the text is walked through once.
pub struct Offsets<'a> {
    text: &'a str,
    place: Place,
}

impl<'a> Offsets<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text, place: Place::default() }
    }

    /// The offset in UTF-16 code units of the place at `byte`, which is not before the one asked for last.
    pub fn at(&mut self, byte: usize) -> i32 {
        let passed = self.text.get(self.place.bytes..byte).unwrap_or_default();
        self.place.units += passed.chars().map(char::len_utf16).sum::<usize>();
        self.place.bytes += passed.len();
        i32::try_from(self.place.units).unwrap_or(i32::MAX)
    }
}

/// A place between two characters of a text.
#[derive(Default)]
struct Place {
    bytes: usize,
    units: usize,
}

impl Place {
    /// The offset in bytes of `units`.
    fn move_to(&mut self, text: &str, units: i32) -> Option<usize> {
        let units = usize::try_from(units).ok()?;
        for character in text[self.bytes..].chars() {
            if self.units >= units {
                break;
            }
            self.bytes += character.len_utf8();
            self.units += character.len_utf16();
        }
        (self.units == units).then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_utf16_units_and_never_cut_a_character() {
        assert_eq!(slice_utf16("a😀b", 1, 3), Some("😀"));
        assert_eq!(slice_utf16("a😀b", 3, 4), Some("b"));
        assert_eq!(slice_utf16("a😀b", 2, 4), None);
        assert_eq!(slice_utf16("ab", 0, 3), None);
        assert_eq!(slice_utf16("", 0, 0), Some(""));
    }

    #[test]
    fn parts_that_overlap_are_cut_in_one_walk() {
        let mut slices = Slices::of("a😀bcd");
        assert_eq!(
            [slices.next(0, 3), slices.next(1, 4), slices.next(1, 5)],
            [Some("a😀"), Some("😀b"), Some("😀bc")]
        );
        assert_eq!([slices.next(0, 6), slices.next(4, 6)], [None, Some("cd")]);
    }
}
