//! `sentio config`

use std::process::ExitCode;

use super::output;
use crate::auth::Authenticator;
use crate::config::{Config, SETTINGS, Setting, SettingValues, Source};

pub fn run(config: &Config, values: &SettingValues) -> anyhow::Result<ExitCode> {
    let rows: Vec<_> = SETTINGS
        .iter()
        .map(|setting| (setting.name, shown(setting, config, values), values.source(setting)))
        .collect();
    let name_width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let value_width = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0).min(60);
    let mut text = String::new();
    for (name, value, source) in rows {
        text += &format!("{name:name_width$}  {value:value_width$}  {source}\n");
    }
    for warning in values.warnings() {
        text += &format!("warning: {warning}\n");
    }
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The value in use; defaults that follow from other settings as they came out.
fn shown(setting: &Setting, config: &Config, values: &SettingValues) -> String {
    match (setting.name, values.source(setting)) {
        ("DATABASE_URL", _) => config.database.url.to_string(),
        ("SENTIO_INDEX_URI", _) => config.index.uri.clone(),
        ("SENTIO_EMBED_THREADS", _) => config.embedding.threads.to_string(),
        ("SENTIO_ANONYMOUS", Source::Default) => {
            Authenticator::new(&config.server).open_directly().to_string()
        }
        (_, Source::Default) if setting.default.is_empty() => "(not set)".to_owned(),
        (name, _) if setting.secret => {
            format!(
                "(hidden, {} set)",
                values.text(name).split(',').filter(|key| !key.trim().is_empty()).count()
            )
        }
        (name, _) => values.text(name).to_owned(),
    }
}
