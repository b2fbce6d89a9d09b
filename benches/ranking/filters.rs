//! What is found through filters, beside an exact scan of 20,000 articles.
//!
//! A filter lets a share of the rows pass: random ones; those of the query's own topic; all but those. A topic is what lies
//! nearest to one of a few random articles, so that it is a region, as large on average as the share says.

use std::sync::Arc;

use sentio::article::{ArticleFilter, ArticleId};
use sentio::config::{Config, SettingValues};
use sentio::index::{
    ArticleRow, Batch, Facets, Generation, GenerationIdentity, PassageRow, Previous, Snapshot, VectorIndex,
    dot,
};

use crate::filled::Filled;

const ROWS: usize = 20_000;
const QUERIES: usize = 100;
const NEAREST: usize = 10;
/// In thousandths of the rows.
const SHARES: [usize; 4] = [1, 10, 200, 500];
const BATCH: usize = 2_000;

/// Which rows a filter lets pass.
#[derive(Clone, Copy)]
enum Kind {
    Random,
    OwnTopic,
    AllButOwnTopic,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::OwnTopic => "own topic",
            Self::AllButOwnTopic => "all but own topic",
        }
    }

    fn filter(self, share: usize, topic: String) -> ArticleFilter {
        match self {
            Self::Random => {
                ArticleFilter { tags_any: Some(vec![format!("random {share}")]), ..ArticleFilter::default() }
            }
            Self::OwnTopic => ArticleFilter { tags_any: Some(vec![topic]), ..ArticleFilter::default() },
            Self::AllButOwnTopic => {
                ArticleFilter { tags_none: Some(vec![topic]), ..ArticleFilter::default() }
            }
        }
    }
}

pub async fn measure(filled: &Filled) -> anyhow::Result<()> {
    let vectors = filled.vectors(ROWS + QUERIES).await?;
    anyhow::ensure!(vectors.len() == ROWS + QUERIES, "fewer than {} articles", ROWS + QUERIES);
    let (rows, queries) = vectors.split_at(ROWS);
    let mut random = fastrand::Rng::with_seed(7);
    let leaders: Vec<Vec<&Vec<f32>>> =
        SHARES.iter().map(|share| random.choose_multiple(rows, 1_000 / share)).collect();
    let topics = |vector: &[f32]| -> Vec<String> {
        let of = |(share, leaders): (&usize, &Vec<&Vec<f32>>)| {
            format!("topic {share}: {}", nearest(vector, leaders))
        };
        SHARES.iter().zip(&leaders).map(of).collect()
    };
    let tags: Vec<Vec<String>> = rows
        .iter()
        .map(|vector| {
            let mut tags = topics(vector);
            tags.extend(
                SHARES
                    .iter()
                    .filter(|share| random.usize(..1_000) < **share)
                    .map(|share| format!("random {share}")),
            );
            tags
        })
        .collect();
    let folder = tempfile::tempdir()?;
    let generation = index(filled, folder.path().display().to_string(), rows, &tags).await?;
    let (found, exact) = (generation.snapshot(), generation.snapshot().exact());
    println!("{ROWS} rows, {QUERIES} queries; recall@{NEAREST} of articles and of passages");
    for (share, position) in SHARES.iter().zip(0..) {
        let percent = *share as f64 / 10.0;
        for kind in [Kind::Random, Kind::OwnTopic, Kind::AllButOwnTopic] {
            let filter = |query: &Vec<f32>| kind.filter(*share, topics(query).swap_remove(position));
            let filters: Vec<_> = queries.iter().map(filter).collect();
            let (articles, passages) = recalls(&found, &exact, queries, &filters).await?;
            println!("{percent:>5} % {:<18} {articles:.4} {passages:.4}", kind.name());
        }
    }
    let none = ArticleFilter { tags_any: Some(vec!["no such tag".to_owned()]), ..ArticleFilter::default() };
    let three = ArticleFilter { ids_in: Some(filled.articles[..3].to_vec()), ..ArticleFilter::default() };
    for (name, filter) in [("no row", none), ("three rows", three)] {
        let hits = found.nearest_articles(&[queries[0].clone()], NEAREST, &filter, &[]).await?;
        println!("{name}: {} found", hits[0].len());
    }
    Ok(())
}

fn nearest(vector: &[f32], leaders: &[&Vec<f32>]) -> usize {
    let cosine = |leader: &Vec<f32>| dot(leader, vector);
    (0..leaders.len()).max_by(|a, b| cosine(leaders[*a]).total_cmp(&cosine(leaders[*b]))).unwrap_or(0)
}

/// Means over the queries that let any row pass.
async fn recalls(
    found: &Snapshot,
    exact: &Snapshot,
    queries: &[Vec<f32>],
    filters: &[ArticleFilter],
) -> anyhow::Result<(f64, f64)> {
    let (mut articles, mut passages) = (Vec::new(), Vec::new());
    for (query, filter) in queries.iter().zip(filters) {
        let of_articles = async |snapshot: &Snapshot| -> anyhow::Result<Vec<(ArticleId, i32)>> {
            let hits = snapshot.nearest_articles(std::slice::from_ref(query), NEAREST, filter, &[]).await?;
            Ok(hits[0].iter().map(|hit| (hit.article, 0)).collect())
        };
        let of_passages = async |snapshot: &Snapshot| -> anyhow::Result<Vec<(ArticleId, i32)>> {
            let hits = snapshot.nearest_passages(query, NEAREST, filter, &[]).await?;
            Ok(hits.iter().map(|hit| (hit.span.article, hit.span.start)).collect())
        };
        articles.extend(recall(&of_articles(found).await?, &of_articles(exact).await?));
        passages.extend(recall(&of_passages(found).await?, &of_passages(exact).await?));
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Ok((mean(&articles), mean(&passages)))
}

fn recall(found: &[(ArticleId, i32)], exact: &[(ArticleId, i32)]) -> Option<f64> {
    let common = exact.iter().filter(|hit| found.contains(hit)).count();
    (!exact.is_empty()).then(|| common as f64 / exact.len() as f64)
}

/// An index of the first articles with these tags, made by Sentio's own code.
async fn index(
    filled: &Filled,
    folder: String,
    rows: &[Vec<f32>],
    tags: &[Vec<String>],
) -> anyhow::Result<Generation> {
    let values = SettingValues::from_flags([("SENTIO_INDEX_URI", folder)]);
    let index = VectorIndex::connect(&Config::from_values(&values)?.index).await?;
    let identity = GenerationIdentity {
        database_uuid: "benchmark".to_owned(),
        fingerprint: "benchmark".to_owned(),
        dimension: rows[0].len(),
    };
    let generation = index.create("benchmark", &identity).await?;
    let snapshot = filled.app.index.live()?.snapshot();
    for (number, chunk) in filled.articles[..ROWS].chunks(BATCH).enumerate() {
        let mut batch = Batch::default();
        let facets = |at: usize| Facets {
            category: None,
            tags: Arc::from(tags[at].as_slice()),
            created_at: 0,
            content_length: 0,
        };
        for (at, article) in (number * BATCH..).zip(chunk) {
            batch.articles.push(ArticleRow {
                article_id: article.0,
                revision: 1,
                content_hash: [0; 32],
                vector: rows[at].clone(),
                text: String::new(),
                title_key: String::new(),
                external_id: None,
                facets: facets(at),
            });
        }
        let passages = &mut batch.passages;
        for (span, vector) in snapshot.view()?.passage_vectors(chunk) {
            passages.push(PassageRow {
                article_id: span.article.0,
                ordinal: i32::try_from(passages.len()).unwrap_or(i32::MAX),
                revision: 1,
                vector,
                start: span.start,
                end: span.end,
            });
        }
        generation.write(&batch, Previous::None).await?;
    }
    generation.maintain().await?;
    generation.load().await?;
    Ok(generation)
}
