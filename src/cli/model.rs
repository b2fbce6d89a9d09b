//! `sentio model`

use std::process::ExitCode;

use clap::Subcommand;

use super::model_list::List;
use super::model_pull::Pull;
use super::output;
use crate::config::Config;
use crate::embedding::Embedder;

/// Embedding models: known, installed, in use; fetch others.
#[derive(Subcommand)]
pub enum Model {
    List(List),
    Pull(Pull),
    /// Show the model in use as it is loaded
    Show,
}

impl Model {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let text = match self {
            Self::List(list) => list.run(config)?,
            Self::Pull(pull) => pull.run(config).await?,
            Self::Show => show(config)?,
        };
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
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
