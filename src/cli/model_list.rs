//! `sentio model list`

use clap::Args;
use serde::Serialize;

use crate::config::Config;
use crate::embedding::{self, FolderDescription, OpenError, known};

/// List the models that Sentio knows or that are installed; `*` marks the one in use
#[derive(Args)]
pub struct List {
    /// Print JSON, with the prompts and folders
    #[arg(long)]
    json: bool,
}

/// A model, known or installed.
#[derive(Serialize)]
struct Listed {
    name: String,
    in_use: bool,
    installed: bool,
    /// Why an installed folder cannot be used.
    unusable: Option<String>,
    /// On the Hugging Face Hub; unknown for folders from elsewhere.
    repository: Option<&'static str>,
    licence: Option<&'static str>,
    megabytes: Option<u64>,
    dimension: Option<usize>,
    window: Option<usize>,
    query_prompt: String,
    passage_prompt: String,
}

impl List {
    pub fn run(self, config: &Config) -> anyhow::Result<String> {
        let models = models(config);
        if self.json {
            return Ok(serde_json::to_string_pretty(&models)? + "\n");
        }
        Ok(table(&models) + &footnotes(&models))
    }
}

/// The known models, then what else is installed.
fn models(config: &Config) -> Vec<Listed> {
    let mut installed = embedding::installed(&config.embedding.model_dir);
    let mut models = Vec::new();
    for model in known::MODELS {
        let mut listed = Listed {
            name: model.name.to_owned(),
            in_use: model.name == config.embedding.model,
            installed: false,
            unusable: None,
            repository: Some(model.repository),
            licence: model.licence,
            megabytes: Some(u64::from(model.megabytes)),
            dimension: Some(model.dimension),
            window: Some(model.window),
            query_prompt: model.query_prompt.to_owned(),
            passage_prompt: model.passage_prompt.to_owned(),
        };
        if let Some(at) = installed.iter().position(|(name, _)| name == model.name) {
            listed.describe(installed.remove(at).1);
        }
        models.push(listed);
    }
    models.extend(installed.into_iter().map(|(name, folder)| {
        let mut listed = Listed {
            in_use: name == config.embedding.model,
            name,
            installed: false,
            unusable: None,
            repository: None,
            licence: None,
            megabytes: None,
            dimension: None,
            window: None,
            query_prompt: String::new(),
            passage_prompt: String::new(),
        };
        listed.describe(folder);
        listed
    }));
    models
}

impl Listed {
    /// Takes over what the installed folder says.
    fn describe(&mut self, folder: Result<FolderDescription, OpenError>) {
        self.installed = true;
        match folder {
            Ok(folder) => {
                self.megabytes = Some(folder.weight_bytes.div_ceil(1_000_000));
                self.dimension = Some(folder.dimension);
                self.window = Some(folder.window);
                if let Some(prompt) = folder.query_prompt {
                    self.query_prompt = prompt;
                }
                if let Some(prompt) = folder.passage_prompt {
                    self.passage_prompt = prompt;
                }
            }
            Err(error) => self.unusable = Some(error.to_string()),
        }
    }

    fn state(&self) -> &'static str {
        match (self.installed, &self.unusable) {
            (_, Some(_)) => "unusable",
            (true, None) => "installed",
            (false, None) => "",
        }
    }

    fn prompts(&self) -> (&str, &str) {
        (&self.query_prompt, &self.passage_prompt)
    }

    /// Which texts get a prompt.
    fn prompted(&self) -> &'static str {
        match (self.query_prompt.is_empty(), self.passage_prompt.is_empty()) {
            (true, true) => "",
            (false, true) => "query",
            (true, false) => "passage",
            (false, false) => "query, passage",
        }
    }

    fn row(&self) -> [String; 8] {
        let number = |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
        [
            format!("{} {}", if self.in_use { '*' } else { ' ' }, self.name),
            self.megabytes.map_or_else(String::new, |size| format!("{size} MB")),
            number(self.dimension),
            number(self.window),
            self.licence.unwrap_or(if self.repository.is_some() { "unstated" } else { "" }).to_owned(),
            self.prompted().to_owned(),
            self.state().to_owned(),
            self.owner().to_owned(),
        ]
    }

    /// Whose repository it is; the repository's own name is the model's.
    fn owner(&self) -> &str {
        self.repository.and_then(|repository| repository.split('/').next()).unwrap_or_default()
    }
}

fn table(models: &[Listed]) -> String {
    let names = ["  name", "size", "dimension", "window", "licence", "prompts", "state", "from"];
    let mut rows = vec![names.map(str::to_owned)];
    rows.extend(models.iter().map(Listed::row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    let cell = |column: usize, text: &str| {
        let width = widths[column];
        // Numbers end at the same place.
        if (1..=3).contains(&column) { format!("{text:>width$}") } else { format!("{text:width$}") }
    };
    let line = |row: &[String; 8]| {
        let cells: Vec<_> = row.iter().enumerate().map(|(column, text)| cell(column, text)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// What does not fit into the table.
fn footnotes(models: &[Listed]) -> String {
    let mut text = String::new();
    for model in models {
        if let Some(reason) = &model.unusable {
            text += &format!("\n{}: {reason}\n", model.name);
        }
    }
    text += "\nfrom: https://huggingface.co/FROM/NAME; `sentio model pull NAME` fetches it\n";
    let mut prompts: Vec<_> = models.iter().map(Listed::prompts).collect();
    prompts.sort_unstable();
    prompts.dedup();
    for (query, passage) in prompts {
        let same = models.iter().filter(|model| model.prompts() == (query, passage));
        let names: Vec<_> = same.map(|model| model.name.as_str()).collect();
        let lines = [("query", query), ("passage", passage)].into_iter().filter(|(_, text)| !text.is_empty());
        let lines: String = lines.map(|(kind, text)| format!("  {kind:7} {text:?}\n")).collect();
        if !lines.is_empty() {
            text += &format!("prompts of {}:\n{lines}", names.join(", "));
        }
    }
    text
}
