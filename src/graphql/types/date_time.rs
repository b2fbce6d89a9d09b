//! The scalar `DateTime`: RFC 3339 in, one form of it out.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{TimeDelta, Timelike, Utc};

/// A moment in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a moment as RFC 3339 writes it, such as 2026-01-31T12:00:00Z, not {0:?}")]
pub struct NotADateTime(String);

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(time: chrono::DateTime<Utc>) -> Self {
        Self(time)
    }
}

/// A moment, as RFC 3339 writes it. Answers are in UTC and have six digits of a second and `Z`: 2026-01-31T12:00:00.000000Z.
/// Arguments may have any offset and any number of digits, of which six count. A leap second is the first moment of the next
/// minute.
#[Scalar(name = "DateTime", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(parse_date_time(text)?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if parse_date_time(text).is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
    }
}

/// Reads the `date-time` of RFC 3339, section 5.6; `T` and `Z` may be small letters there.
pub fn parse_date_time(text: &str) -> Result<chrono::DateTime<Utc>, NotADateTime> {
    let no_date_time = || NotADateTime(text.chars().take(50).collect());
    if !has_the_form(text) {
        return Err(no_date_time());
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| no_date_time())?.to_utc();
    // chrono keeps a leap second as more nanoseconds than a second has, which no database knows.
    match time.nanosecond().checked_sub(1_000_000_000) {
        None => Ok(time),
        Some(fraction) => {
            let next = time
                .with_nanosecond(fraction)
                .and_then(|time| time.checked_add_signed(TimeDelta::seconds(1)));
            next.ok_or_else(no_date_time)
        }
    }
}

/// Whether the separators are those of RFC 3339: chrono takes others besides, as a space for the `T`.
fn has_the_form(text: &str) -> bool {
    let Some((date_and_time, rest)) = text.split_at_checked("2026-01-31T12:00:00".len()) else {
        return false;
    };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|sign: char| sign.is_ascii_digit()),
        None => rest,
    };
    let has_digits = !rest.starts_with('.') || rest.len() > offset.len() + 1;
    let offset = match offset.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hours @ .., b':', ten, one] => {
            hours.len() == 2 && hours.iter().chain([ten, one]).all(u8::is_ascii_digit)
        }
        _ => false,
    };
    matches!(date_and_time.as_bytes()[10], b'T' | b't') && has_digits && offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        DateTime(parse_date_time(text).unwrap()).to_value().to_string()
    }

    #[test]
    fn every_moment_is_written_in_one_form() {
        for (text, expected) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
            ("2026-01-31t12:00:00z", "2026-01-31T12:00:00.000000Z"),
            ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500000Z"),
            ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"),
            ("2026-01-31T12:00:00.1234567890123Z", "2026-01-31T12:00:00.123456Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000000Z"),
            ("2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00.000000Z"),
            ("2026-01-01T00:30:00+23:59", "2025-12-31T00:31:00.000000Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
            ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250000Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(written(text), format!("\"{expected}\""), "{text}");
        }
    }

    #[test]
    fn what_rfc_3339_does_not_allow_is_refused() {
        for text in [
            "",
            "now",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00Z",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00:00 Z",
            " 2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z ",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00+0200",
            "2026-01-31T12:00:00+02",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00+02:60",
            "2026-01-31T12:00:00UTC",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:61Z",
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "26-01-31T12:00:00Z",
            "+10000-01-01T00:00:00Z",
            "-001-01-01T00:00:00Z",
            "2026-01-31T12:00:00\u{2212}02:00",
            "２026-01-31T12:00:00Z",
            "2026-01-31T12:00:0éZ",
            "1769860800",
        ] {
            assert!(parse_date_time(text).is_err(), "{text:?}");
        }
        let error = parse_date_time(&"9".repeat(1_000_000)).unwrap_err().to_string();
        assert!(error.len() < 200, "{error}");
    }
}
