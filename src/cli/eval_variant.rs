//! Ways to rank, as a line of text: what is compared.

use std::collections::HashSet;

use super::throwaway;
use crate::config::SETTINGS;
use crate::recommend::{Mode, NearDuplicates, RecommendOptions};

/// A way to rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// The line of text that it was read from.
    pub name: String,
    /// Settings that differ from the configured ones.
    pub settings: Vec<(&'static str, String)>,
    pub options: RecommendOptions,
}

impl Variant {
    /// Reads `default`, or assignments with commas in between: a setting (`SENTIO_MODEL=…`), or an option of recommendations:
    /// `mode`, `semantic` and `keyword` (the weights), `diversity`, `autocut`, `near-duplicates`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut variant =
            Self { name: text.to_owned(), settings: Vec::new(), options: RecommendOptions::default() };
        let mut assigned = HashSet::new();
        for assignment in text.split(',').map(str::trim).filter(|assignment| *assignment != "default") {
            let Some((name, value)) = assignment.split_once('=') else {
                return Err(format!("{assignment:?} is not NAME=VALUE"));
            };
            if !assigned.insert(name.trim()) {
                return Err(format!("{} comes twice", name.trim()));
            }
            variant.assign(name.trim(), value.trim())?;
        }
        let RecommendOptions { weights, mode, .. } = variant.options;
        if mode != Mode::Hybrid && (assigned.contains("semantic") || assigned.contains("keyword")) {
            return Err(format!(
                "semantic and keyword are weights of the mode hybrid, not of {}",
                mode.name()
            ));
        }
        if weights.semantic + weights.keyword <= 0.0 {
            return Err(
                "semantic and keyword must not both be 0: nothing would rank the documents".to_owned()
            );
        }
        Ok(variant)
    }

    fn assign(&mut self, name: &str, value: &str) -> Result<(), String> {
        let share = || {
            let number = value.parse().ok().filter(|number| (0.0..=1.0).contains(number));
            number.ok_or_else(|| format!("{name} is {value:?}, expected a number from 0 to 1"))
        };
        let options = &mut self.options;
        match name {
            "mode" => {
                options.mode = value
                    .parse::<Mode>()
                    .map_err(|()| format!("mode is {value:?}, expected semantic, keyword or hybrid"))?;
            }
            "semantic" => options.weights.semantic = share()?,
            "keyword" => options.weights.keyword = share()?,
            "diversity" => options.diversity = share()?,
            "autocut" => {
                let jumps = value.parse().ok().filter(|jumps| (1..=100).contains(jumps));
                options.autocut =
                    Some(jumps.ok_or_else(|| format!("autocut is {value:?}, expected 1 to 100"))?);
            }
            "near-duplicates" => {
                options.near_duplicates = match value.to_lowercase().as_str() {
                    "hide" => NearDuplicates::Hide,
                    "show" => NearDuplicates::Show,
                    _ => return Err(format!("near-duplicates is {value:?}, expected hide or show")),
                };
            }
            _ => {
                let setting = SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
                    format!(
                        "{name:?} is neither a setting nor one of mode, semantic, keyword, diversity, autocut, \
                         near-duplicates"
                    )
                })?;
                if throwaway::OWN_SETTINGS.contains(&setting.name) {
                    return Err(format!("{name} changes nothing: all is measured in a folder of its own"));
                }
                self.settings.push((setting.name, value.to_owned()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_settings_are_read_from_a_line() {
        let variant = Variant::parse("mode=semantic, diversity=0.3,SENTIO_MODEL=x").unwrap();
        assert_eq!(variant.options.mode, Mode::Semantic);
        assert!((variant.options.diversity - 0.3).abs() < 1e-6);
        assert_eq!(variant.settings, [("SENTIO_MODEL", "x".to_owned())]);
        assert_eq!(Variant::parse("default").unwrap().options, RecommendOptions::default());
        let hidden = Variant::parse("near-duplicates=HIDE,autocut=2,semantic=1,keyword=0").unwrap().options;
        assert_eq!((hidden.near_duplicates, hidden.autocut), (NearDuplicates::Hide, Some(2)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("", "NAME=VALUE"),
            ("hybrid", "NAME=VALUE"),
            ("mode=words", "semantic, keyword or hybrid"),
            ("semantic=2", "0 to 1"),
            ("diversity=NaN", "0 to 1"),
            ("semantic=0,keyword=0", "both"),
            ("autocut=0", "1 to 100"),
            ("near-duplicates=no", "hide or show"),
            ("SENTIO_MODLE=x", "neither"),
            ("mode=keyword,semantic=0.3", "mode hybrid"),
            ("mode=keyword,semantic=0.5", "mode hybrid"),
            ("mode=hybrid,mode=semantic", "twice"),
            ("SENTIO_DATA_DIR=/tmp/x", "changes nothing"),
        ] {
            let error = Variant::parse(text).unwrap_err();
            assert!(error.contains(named), "{text:?}: {error}");
        }
    }
}
