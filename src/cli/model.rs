//! `sentio model`

use std::process::ExitCode;

use clap::Subcommand;

use super::output;
use crate::config::Config;
use crate::embedding::{self, Embedder, FolderDescription, known};

/// Embedding models: known, installed, in use.
#[derive(Subcommand)]
pub enum Model {
    /// List the models that Sentio knows or that are installed; `*` marks the one in use
    List,
    /// Show the model in use as it is loaded
    Show,
}

impl Model {
    pub fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let text = match self {
            Self::List => list(config),
            Self::Show => show(config)?,
        };
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn list(config: &Config) -> String {
    let installed = embedding::installed(&config.embedding.model_dir);
    let mut text =
        format!("  {:28} {:>9} {:>6} {:12} {}\n", "name", "dimension", "window", "licence", "state");
    let mut line = |name: &str, dimension: String, window: String, licence: &str, state: &str| {
        let mark = if name == config.embedding.model { '*' } else { ' ' };
        text += &format!("{mark} {name:28} {dimension:>9} {window:>6} {licence:12} {state}\n");
    };
    for model in known::MODELS {
        let state = match installed.iter().find(|(name, _)| name == model.name) {
            Some((_, Ok(_))) => "installed".to_owned(),
            Some((_, Err(error))) => format!("unusable: {error}"),
            None => format!("{} MB from huggingface.co/{}", model.megabytes, model.repository),
        };
        let licence = model.licence.unwrap_or("unstated");
        line(model.name, model.dimension.to_string(), model.window.to_string(), licence, &state);
    }
    for (name, folder) in &installed {
        if known::MODELS.iter().any(|model| model.name == name) {
            continue;
        }
        match folder {
            Ok(FolderDescription { dimension, window, .. }) => {
                line(name, dimension.to_string(), window.to_string(), "", "installed");
            }
            Err(error) => line(name, String::new(), String::new(), "", &format!("unusable: {error}")),
        }
    }
    text
}

fn show(config: &Config) -> anyhow::Result<String> {
    let embedder = Embedder::open(&config.embedding)?;
    let model = embedder.model();
    let rows = [
        ("name", model.name.clone()),
        ("folder", model.folder.display().to_string()),
        ("architecture", model.architecture.clone()),
        ("dimension", model.dimension.to_string()),
        ("window", format!("{} tokens", model.window)),
        ("passages", format!("{} tokens, overlap {}", model.passage_tokens, model.passage_overlap)),
        ("pooling", format!("{:?}", model.pooling).to_lowercase()),
        ("arithmetic", model.arithmetic()),
        ("query prompt", format!("{:?}", model.query_prompt)),
        ("passage prompt", format!("{:?}", model.passage_prompt)),
        ("weights sha256", model.weights_sha256.clone()),
        ("fingerprint", model.fingerprint.clone()),
    ];
    Ok(rows.iter().map(|(name, value)| format!("{name:15} {value}\n")).collect())
}
