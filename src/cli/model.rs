//! `sentio model`

use std::process::ExitCode;

use clap::Subcommand;

use super::model_list::List;
use super::model_pull::Pull;
use super::model_show::show;
use super::output;
use crate::config::Config;

/// Embedding models: known, installed, in use; fetch others.
#[derive(Subcommand)]
pub enum Model {
    List(List),
    Pull(Pull),
    /// Show the model in use as it is loaded, and how its arithmetic was chosen
    Show,
}

impl Model {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let text = match self {
            Self::List(list) => list.run(config)?,
            Self::Pull(pull) => pull.run(config).await?,
            Self::Show => show(config).await?,
        };
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
