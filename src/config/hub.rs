//! Where models are fetched from.

use secrecy::SecretString;
use url::Url;

use super::{ConfigError, SettingValues};

/// Settings of the hub room. Names and meanings are those of the Hub's own programs.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Address of the Hugging Face Hub, or of a mirror that speaks its protocol.
    pub endpoint: Url,
    /// Sent to the endpoint, for repositories that are private or gated.
    pub token: Option<SecretString>,
    /// Nothing is asked of the network.
    pub offline: bool,
}

impl HubConfig {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let expected = "expected an address such as https://huggingface.co";
        let endpoint: Url = values.parse("HF_ENDPOINT", expected, |text| {
            let whole = |url: &Url| url.query().is_none() && url.fragment().is_none();
            Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && whole(url))
        })?;
        // What stands in it is shown and logged.
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err(ConfigError::BadSecret {
                name: "HF_ENDPOINT",
                expected: "an address may hold no password: give a token in HF_TOKEN".to_owned(),
            });
        }
        let token = values.given("HF_TOKEN").map(str::trim).filter(|token| !token.is_empty());
        if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(ConfigError::BadSecret {
                name: "HF_TOKEN",
                expected: "a token may have visible ASCII characters only, because it travels in a header"
                    .to_owned(),
            });
        }
        // Another program's variable: what that one takes for no is no here too.
        let yes = ["1", "on", "yes", "true"];
        let offline = values.text("HF_HUB_OFFLINE").trim().to_ascii_lowercase();
        let offline = yes.contains(&offline.as_str());
        Ok(Self { endpoint, token: token.map(SecretString::from), offline })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(settings: &[(&'static str, &str)]) -> Result<HubConfig, ConfigError> {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        HubConfig::from_values(&SettingValues::from_flags(settings))
    }

    #[test]
    fn defaults_and_values_are_those_of_the_hubs_own_programs() {
        let config = read(&[]).unwrap();
        assert_eq!((config.endpoint.as_str(), config.offline), ("https://huggingface.co/", false));
        assert!(config.token.is_none());
        for (value, offline) in [("1", true), ("TRUE", true), ("on", true), ("0", false), ("no", false)] {
            assert_eq!(read(&[("HF_HUB_OFFLINE", value)]).unwrap().offline, offline, "{value}");
        }
        for endpoint in
            ["huggingface.co", "ftp://hub.example", "https://me:pass@hub.example", "https://hub.example/?x"]
        {
            let error = read(&[("HF_ENDPOINT", endpoint)]).unwrap_err().to_string();
            assert!(error.starts_with("HF_ENDPOINT") && !error.contains("pass@"), "{error}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let config = read(&[("HF_TOKEN", " hf_secret\n")]).unwrap();
        assert_eq!(config.token.as_ref().unwrap().expose_secret(), "hf_secret");
        assert!(!format!("{config:?}").contains("hf_secret"));
        let error = read(&[("HF_TOKEN", "hf_sécret")]).unwrap_err().to_string();
        assert!(error.starts_with("HF_TOKEN has a value") && !error.contains("cret"), "{error}");
    }
}
