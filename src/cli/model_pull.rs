//! `sentio model pull`

use clap::Args;

use super::progress::Progress;
use crate::config::Config;
use crate::embedding::FolderDescription;
use crate::hub::{self, Part, Pulled, Record, Source};

/// Fetch a model from the Hugging Face Hub into the folder of models
///
/// An interrupted pull is started again and goes on where it stopped. Every file is compared with what the Hub says of
/// it. `HF_ENDPOINT` names a mirror, `HF_TOKEN` a token for gated and private repositories.
#[derive(Args)]
pub struct Pull {
    /// A name that `sentio model list` knows, or OWNER/REPOSITORY, or either with @REVISION
    #[arg(value_name = "NAME|OWNER/REPOSITORY")]
    model: String,
    /// Commit, branch or tag [default: the one that Sentio was tried with, else the newest commit]
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Fetch it although it is there, and replace whatever has its name
    #[arg(long)]
    force: bool,
}

impl Pull {
    pub async fn run(self, config: &Config) -> anyhow::Result<String> {
        let source = Source::parse(&self.model, self.revision.as_deref())?;
        let mut shown: Option<(Part, Progress)> = None;
        let on_progress = |part: Part, done: u64, total: u64| {
            if shown.as_ref().is_none_or(|(before, _)| *before != part) {
                shown = Some((part, Progress::bytes(label(part), Some(total))));
            }
            if let Some((_, progress)) = &mut shown {
                progress.advance_to(done);
            }
        };
        let pulled =
            hub::pull(&config.hub, &config.embedding.model_dir, &source, self.force, on_progress).await;
        drop(shown);
        Ok(report(&pulled?, config))
    }
}

fn label(part: Part) -> &'static str {
    match part {
        Part::SmallFiles => "tokenizer",
        Part::Weights => "weights",
    }
}

fn report(pulled: &Pulled, config: &Config) -> String {
    let (description, record) = match pulled {
        Pulled::Present { description, record } => (description, record.as_ref()),
        Pulled::Fetched { description, record } => (description, Some(record)),
    };
    let folder = description.folder.display();
    let mut text = match pulled {
        Pulled::Present { .. } => format!("{folder} is there already; --force fetches it again\n"),
        Pulled::Fetched { .. } => format!("{folder} is complete\n"),
    };
    for (name, value) in rows(description, record) {
        text += &format!("{name:15} {value}\n");
    }
    if description.name != config.embedding.model {
        text += &format!("Set SENTIO_MODEL={} to use it.\n", description.name);
    }
    text
}

fn rows(description: &FolderDescription, record: Option<&Record>) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(record) = record {
        rows.push(("from", format!("{}@{}", record.repository, record.revision)));
    }
    let weights = &description.weights;
    let relative = weights.path().strip_prefix(&description.folder).unwrap_or(weights.path());
    rows.push(("architecture", description.architecture.clone()));
    rows.push(("dimension", description.dimension.to_string()));
    rows.push(("window", format!("{} tokens", description.window)));
    rows.push(("weights", format!("{}, {} bytes", relative.display(), description.weight_bytes)));
    let recorded = record.and_then(|record| record.files.iter().find(|file| relative.ends_with(&file.path)));
    rows.extend(recorded.map(|file| ("weights sha256", file.sha256.clone())));
    rows
}
