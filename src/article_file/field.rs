//! Field values that are written as text: what a tag list and a date look like, and what counts as blank.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::RecordError;

/// How much of a value an error message repeats, in characters.
const QUOTED_CHARACTERS: usize = 40;

/// The separators of a tag cell: the first of them that the cell contains separates.
const TAG_SEPARATORS: [char; 3] = [';', '|', ','];

/// `text` unless it is blank. It is not trimmed: an identifier with a space around it is another identifier.
pub(super) fn unless_blank(text: Cow<'_, str>) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.into_owned())
}

/// Tags from one cell of a table. A cell that begins with `[` is a JSON array of strings, taken as it is. Any other
/// is a list separated by `;`, else by `|`, else by `,`; its tags are trimmed and blank ones dropped.
pub(super) fn tags_from_cell(cell: &str) -> Result<Vec<String>, RecordError> {
    if cell.trim_start().starts_with('[') {
        return serde_json::from_str(cell).map_err(|_| RecordError::TagCell);
    }
    let separator = TAG_SEPARATORS.into_iter().find(|&separator| cell.contains(separator)).unwrap_or(',');
    Ok(cell.split(separator).map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
}

/// The instant that `text` names: RFC 3339, or `YYYY-MM-DD` alone or followed by `T` or a space and `HH:MM:SS` with an
/// optional fraction, which are taken as UTC. Blank is none.
pub(super) fn created_at_from_text(
    field: &'static str,
    text: &str,
) -> Result<Option<DateTime<Utc>>, RecordError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let instant = parse_instant(text)
        .ok_or_else(|| RecordError::Date { field, value: text.chars().take(QUOTED_CHARACTERS).collect() })?;
    created_at(field, Some(instant)).map(Some)
}

/// `instant` cut to microseconds; `None` stands for one that is too far away to be represented.
pub(super) fn created_at(
    field: &'static str,
    instant: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, RecordError> {
    instant
        // By way of the count, a leap second becomes the second after it: databases know no second 60.
        .and_then(|instant| DateTime::from_timestamp_micros(instant.timestamp_micros()))
        .filter(|instant| (1..=9999).contains(&instant.year()))
        .ok_or(RecordError::Year { field })
}

fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    // chrono's `%Y` also takes a sign and other numbers of digits: +201-03-12 would be a day of the year 201.
    let (date, rest) = text.split_at_checked("YYYY-MM-DD".len())?;
    let four_digit_year = date.bytes().position(|byte| !byte.is_ascii_digit()) == Some(4);
    if !four_digit_year {
        return None;
    }
    if rest.is_empty() {
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.to_utc());
    }
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .into_iter()
        .find_map(|layout| NaiveDateTime::parse_from_str(text, layout).ok())
        .map(|instant| instant.and_utc())
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    fn date(text: &str) -> Result<String, RecordError> {
        created_at_from_text("date", text)
            .map(|instant| instant.unwrap().to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    #[test]
    fn dates_are_read_as_utc_and_cut_to_microseconds() {
        for (text, expected) in [
            ("2014-03-12", "2014-03-12T00:00:00.000000Z"),
            (" 2014-03-12 09:05:07 ", "2014-03-12T09:05:07.000000Z"),
            ("2014-03-12 09:05:07.25", "2014-03-12T09:05:07.250000Z"),
            ("2014-03-12T09:05:07", "2014-03-12T09:05:07.000000Z"),
            ("2014-03-12T09:05:07Z", "2014-03-12T09:05:07.000000Z"),
            ("2014-03-12T09:05:07.123456999+02:00", "2014-03-12T07:05:07.123456Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
            ("0001-01-01", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(date(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(created_at_from_text("date", "  "), Ok(None));
    }

    #[test]
    fn other_dates_are_refused() {
        for text in [
            "1394582400",
            "14-03-12",
            "12/03/2014",
            "2014-02-30",
            "2014-03-12 25:00:00",
            "yesterday",
            "+201-03-12",
            "00201-3-12",
            "2014-03-1é",
        ] {
            let value = text.to_owned();
            assert_eq!(date(text), Err(RecordError::Date { field: "date", value }), "{text}");
        }
        for text in ["0000-12-31", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"] {
            assert_eq!(date(text), Err(RecordError::Year { field: "date" }), "{text}");
        }
        let Err(RecordError::Date { value, .. }) = date(&"x".repeat(1_000)) else { panic!("not a date") };
        assert_eq!(value.len(), QUOTED_CHARACTERS);
    }

    #[test]
    fn a_tag_cell_is_an_array_or_a_separated_list() {
        for (cell, expected) in [
            ("", &[][..]),
            (" , ;", &[","]),
            ("rust", &["rust"]),
            ("rust, search ,", &["rust", "search"]),
            ("a, b; c", &["a, b", "c"]),
            ("a, b|c", &["a, b", "c"]),
            (r#" ["a, b"," c;",""]"#, &["a, b", " c;", ""]),
        ] {
            assert_eq!(tags_from_cell(cell).unwrap(), expected, "{cell}");
        }
        for cell in ["[draft]", r#"["a", 1]"#, r#"["a"] b"#] {
            assert_eq!(tags_from_cell(cell), Err(RecordError::TagCell), "{cell}");
        }
    }
}
