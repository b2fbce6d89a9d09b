//! What responses may take: how long one may be, and the memory of all.

use super::{ConfigError, SettingValues};

/// What responses may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseLimits {
    /// Most bytes of JSON of one response. Default: 32 MiB.
    pub response_max: u64,
    /// Memory for all responses under way, in bytes. Default: 512 MiB.
    pub memory: u64,
}

impl ResponseLimits {
    /// A response takes up to three times its JSON while it is made (its articles as they are read, its values, its text),
    /// and an eighth of the memory is kept for small ones.
    const MEMORY_PER_RESPONSE: u64 = 4;

    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let mebibytes = |name, most: u64, expected| {
            values.parse(name, expected, |text| {
                let number = text.parse().ok().filter(|number| (1..=most).contains(number))?;
                Some(number * 1024 * 1024)
            })
        };
        let response_max = mebibytes("SENTIO_RESPONSE_MAX", 1_024, "expected MiB, a number from 1 to 1024")?;
        let memory =
            mebibytes("SENTIO_RESPONSES_MEMORY", 1_048_576, "expected MiB, a number from 1 to 1048576")?;
        if memory / Self::MEMORY_PER_RESPONSE < response_max {
            let least = response_max * Self::MEMORY_PER_RESPONSE / 1024 / 1024;
            return Err(ConfigError::BadValue {
                name: "SENTIO_RESPONSES_MEMORY",
                value: (memory / 1024 / 1024).to_string(),
                expected: format!(
                    "expected at least {least}, four times SENTIO_RESPONSE_MAX: raise it, or lower SENTIO_RESPONSE_MAX"
                ),
            });
        }
        Ok(Self { response_max, memory })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_for_responses_has_room_for_the_largest() {
        let limits = |settings: &[(&'static str, &str)]| {
            let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
            ResponseLimits::from_values(&SettingValues::from_flags(settings.collect::<Vec<_>>()))
        };
        let mebibytes = |response_max: u64, memory: u64| ResponseLimits {
            response_max: response_max << 20,
            memory: memory << 20,
        };
        assert_eq!(limits(&[]).unwrap(), mebibytes(32, 512));
        assert_eq!(limits(&[("SENTIO_RESPONSE_MAX", "128")]).unwrap(), mebibytes(128, 512));
        assert_eq!(
            limits(&[("SENTIO_RESPONSE_MAX", "1"), ("SENTIO_RESPONSES_MEMORY", "4")]).unwrap(),
            mebibytes(1, 4)
        );
        for (settings, part) in [
            (&[("SENTIO_RESPONSE_MAX", "129")][..], "at least 516"),
            (&[("SENTIO_RESPONSES_MEMORY", "127")], "SENTIO_RESPONSE_MAX"),
            (&[("SENTIO_RESPONSE_MAX", "0")], "from 1 to 1024"),
            (&[("SENTIO_RESPONSE_MAX", "1025")], "from 1 to 1024"),
            (&[("SENTIO_RESPONSE_MAX", "-1")], "from 1 to 1024"),
            (&[("SENTIO_RESPONSE_MAX", "1.5")], "from 1 to 1024"),
            (&[("SENTIO_RESPONSES_MEMORY", "18446744073709551615")], "from 1 to 1048576"),
        ] {
            let error = limits(settings).unwrap_err().to_string();
            assert!(error.contains(part), "{settings:?}: {error}");
        }
    }
}
