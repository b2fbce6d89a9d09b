//! `sentio model show`

use crate::config::{Config, DatabaseConfig};
use crate::db::Database;
use crate::embedding::{Closeness, Embedder, Models, RememberedModel, Trial};
use crate::sync::Generations;

/// Opens the model as `serve` would, and describes it.
pub async fn show(config: &Config) -> anyhow::Result<String> {
    let remembered = remembered(&config.database).await;
    let embedding = config.embedding.clone();
    let opened = tokio::task::spawn_blocking(move || Models::open(&embedding, &remembered)).await?;
    let models = opened?;
    let embedder = models.with_fingerprint(&models.requested().fingerprint);
    Ok(embedder.map(|embedder| describe(&embedder)).unwrap_or_default())
}

/// The models of the index, which have their arithmetic already; none where there is no index, or none that can be read.
async fn remembered(config: &DatabaseConfig) -> Vec<RememberedModel> {
    if config.sqlite_path().is_some_and(|path| !path.exists()) {
        return Vec::new();
    }
    let Ok(db) = Database::open(config).await else { return Vec::new() };
    let remembered = Generations::remembered(&db).await.unwrap_or_default();
    // What was read is read.
    let _ = db.close().await;
    remembered
}

fn describe(embedder: &Embedder) -> String {
    let model = embedder.model();
    let mut rows = vec![
        ("name", model.name.clone()),
        ("folder", model.folder.display().to_string()),
        ("architecture", model.architecture.clone()),
        ("dimension", model.dimension.to_string()),
        ("window", format!("{} tokens", model.window)),
        ("passages", format!("{} tokens, overlap {}", model.passage_tokens, model.passage_overlap)),
        ("pooling", format!("{:?}", model.pooling).to_lowercase()),
        ("arithmetic", model.arithmetic()),
    ];
    rows.extend(embedder.trials().iter().map(|trial| ("  tried", tried(trial))));
    rows.extend([
        ("query prompt", format!("{:?}", model.query_prompt)),
        ("passage prompt", format!("{:?}", model.passage_prompt)),
        ("weights sha256", model.weights_sha256.clone()),
        ("fingerprint", model.fingerprint.clone()),
    ]);
    rows.iter().map(|(name, value)| format!("{name:15} {value}\n")).collect()
}

fn tried(trial: &Trial) -> String {
    let Trial { arithmetic, closeness: Closeness { mean_cosine, smallest_cosine, overlap } } = trial;
    let shared = 100.0 * overlap;
    format!(
        "{arithmetic}: centred cosine to fp32 {mean_cosine:.4} (least {smallest_cosine:.4}), {shared:.0} % of the ten nearest the same"
    )
}
