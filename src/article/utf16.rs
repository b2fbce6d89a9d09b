//! Offsets in UTF-16 code units, as JavaScript counts.

/// The part of `text` between two offsets in UTF-16 code units; `None` when they do not lie on characters.
pub fn slice_utf16(text: &str, start: i32, end: i32) -> Option<&str> {
    let start = byte_offset(text, usize::try_from(start).ok()?)?;
    let end = byte_offset(text, usize::try_from(end).ok()?)?;
    text.get(start..end)
}

fn byte_offset(text: &str, units: usize) -> Option<usize> {
    let mut passed = 0;
    for (offset, character) in text.char_indices() {
        if passed >= units {
            return (passed == units).then_some(offset);
        }
        passed += character.len_utf16();
    }
    (passed == units).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::slice_utf16;

    #[test]
    fn offsets_count_utf16_units_and_never_cut_a_character() {
        assert_eq!(slice_utf16("a😀b", 1, 3), Some("😀"));
        assert_eq!(slice_utf16("a😀b", 3, 4), Some("b"));
        assert_eq!(slice_utf16("a😀b", 2, 4), None);
        assert_eq!(slice_utf16("ab", 0, 3), None);
        assert_eq!(slice_utf16("", 0, 0), Some(""));
    }
}
