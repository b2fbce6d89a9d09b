//! Which index of vectors, from which size, with how many probes and how much refinement.
//!
//! Up to 40,000 the vectors are those of real articles. More are made of them: each further one lies between a real article
//! and one of its ten nearest, at a random place, so that neighbourhoods become denser as they do when articles come. The
//! queries are real articles that the tables do not have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::types::{Float32Type, Int64Type};
use arrow_array::{FixedSizeListArray, Int64Array, RecordBatch, cast::AsArray};
use arrow_schema::{DataType, Field, Schema};
use futures::TryStreamExt;
use lancedb::index::Index;
use lancedb::index::vector::{
    IvfFlatIndexBuilder, IvfHnswSqIndexBuilder, IvfPqIndexBuilder, IvfSqIndexBuilder,
};
use lancedb::query::{ExecutableQuery, QueryBase, Select};
use lancedb::{DistanceType, Table};

use crate::filled::Filled;
use crate::harness::percentile;

const QUERIES: usize = 200;
const SIZES: [usize; 6] = [1_000, 4_000, 10_000, 39_800, 80_000, 160_000];
const ROWS_PER_PARTITION: usize = 1_000;
const NEAREST: usize = 10;
/// Rows that a search of ten articles asks for: Sentio's pool.
const LIMITS: [usize; 2] = [10, 200];

/// How an index is searched; `None` for a scan.
#[derive(Clone, Copy, Debug)]
struct Search {
    probes: Option<usize>,
    refine: Option<u32>,
}

pub async fn measure(filled: &Filled) -> anyhow::Result<()> {
    let mut vectors = filled.vectors(usize::MAX).await?;
    let queries = vectors.split_off(vectors.len() - QUERIES);
    let real = vectors.len();
    densify(&mut vectors, SIZES[SIZES.len() - 1]).await?;
    println!("{real} real vectors, {} in all, {QUERIES} queries", vectors.len());
    println!(
        "{:>8} {:<12} {:>8} {:>7} {:>6} {:>9} {:>9} {:>9} {:>9}",
        "rows", "index", "built s", "probes", "refine", "recall@10", "p50 ms 10", "rec. 200", "p50 ms 200"
    );
    for rows in SIZES {
        let folder = tempfile::tempdir()?;
        let table = table(&folder.path().display().to_string(), &vectors[..rows]).await?;
        let scan = Search { probes: None, refine: None };
        let mut exact = Vec::new();
        for limit in LIMITS {
            exact.push(ask(&table, &queries, scan, limit).await?);
        }
        print(rows, "scan", 0.0, scan, &exact, &exact);
        for kind in ["IVF_SQ", "IVF_FLAT", "IVF_PQ", "IVF_HNSW_SQ"] {
            if rows < 4_000 && kind != "IVF_SQ" || rows > 40_000 && kind == "IVF_HNSW_SQ" {
                continue;
            }
            let started = Instant::now();
            table.create_index(&["vector"], index(kind, rows)).replace(true).execute().await?;
            let built = started.elapsed().as_secs_f64();
            for search in searches(kind) {
                let mut found = Vec::new();
                for limit in LIMITS {
                    found.push(ask(&table, &queries, search, limit).await?);
                }
                print(rows, kind, built, search, &found, &exact);
            }
        }
    }
    Ok(())
}

fn searches(kind: &str) -> Vec<Search> {
    let search = |probes, refine| Search { probes: Some(probes), refine };
    match kind {
        "IVF_SQ" => [8, 16, 24, 32, 48]
            .into_iter()
            .flat_map(|probes| [None, Some(1), Some(2)].map(|refine| search(probes, refine)))
            .collect(),
        "IVF_FLAT" => [8, 16, 24, 32].map(|probes| search(probes, None)).to_vec(),
        _ => [16, 32]
            .into_iter()
            .flat_map(|probes| [None, Some(4)].map(|refine| search(probes, refine)))
            .collect(),
    }
}

fn index(kind: &str, rows: usize) -> Index {
    let partitions = u32::try_from((rows / ROWS_PER_PARTITION).max(1)).unwrap_or(u32::MAX);
    let cosine = DistanceType::Cosine;
    match kind {
        "IVF_SQ" => {
            Index::IvfSq(IvfSqIndexBuilder::default().distance_type(cosine).num_partitions(partitions))
        }
        "IVF_FLAT" => {
            Index::IvfFlat(IvfFlatIndexBuilder::default().distance_type(cosine).num_partitions(partitions))
        }
        "IVF_PQ" => {
            Index::IvfPq(IvfPqIndexBuilder::default().distance_type(cosine).num_partitions(partitions))
        }
        _ => Index::IvfHnswSq(
            IvfHnswSqIndexBuilder::default().distance_type(cosine).num_partitions(partitions),
        ),
    }
}

struct Found {
    rows: Vec<Vec<i64>>,
    times: Vec<Duration>,
}

async fn ask(table: &Table, queries: &[Vec<f32>], search: Search, limit: usize) -> anyhow::Result<Found> {
    let mut found = Found { rows: Vec::new(), times: Vec::new() };
    for query in queries {
        let started = Instant::now();
        let mut asked =
            table.query().nearest_to(query.as_slice())?.column("vector").distance_type(DistanceType::Cosine);
        asked = match search.probes {
            Some(probes) => asked.minimum_nprobes(probes)?.maximum_nprobes(None)?,
            None => asked.bypass_vector_index(),
        };
        if let Some(refine) = search.refine {
            asked = asked.refine_factor(refine);
        }
        let batches: Vec<RecordBatch> = asked
            .limit(limit)
            .select(Select::columns(&["number", "_distance"]))
            .execute()
            .await?
            .try_collect()
            .await?;
        found.times.push(started.elapsed());
        let numbers =
            batches.iter().flat_map(|batch| batch["number"].as_primitive::<Int64Type>().values().to_vec());
        found.rows.push(numbers.collect());
    }
    Ok(found)
}

fn print(rows: usize, kind: &str, built: f64, search: Search, found: &[Found], exact: &[Found]) {
    let recall = |found: &Found, exact: &Found, of: usize| {
        let (mut common, mut wanted) = (0, 0);
        for (found, exact) in found.rows.iter().zip(&exact.rows) {
            let exact = &exact[..of.min(exact.len())];
            wanted += exact.len();
            common += exact.iter().filter(|row| found[..of.min(found.len())].contains(row)).count();
        }
        common as f64 / wanted as f64
    };
    let text = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    println!(
        "{rows:>8} {kind:<12} {built:>8.1} {:>7} {:>6} {:>9.4} {:>9.2} {:>9.4} {:>9.2}",
        text(search.probes.map(|probes| probes as u64)),
        text(search.refine.map(u64::from)),
        recall(&found[0], &exact[0], NEAREST),
        percentile(&found[0].times, 0.5),
        recall(&found[1], &exact[1], LIMITS[1]),
        percentile(&found[1].times, 0.5),
    );
}

async fn table(folder: &str, vectors: &[Vec<f32>]) -> anyhow::Result<Table> {
    let dimension = i32::try_from(vectors[0].len())?;
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    let schema = Arc::new(Schema::new(vec![
        Field::new("number", DataType::Int64, false),
        Field::new("vector", DataType::FixedSizeList(item, dimension), false),
    ]));
    let connection = lancedb::connect(folder).execute().await?;
    let table = connection.create_empty_table("vectors", Arc::clone(&schema)).execute().await?;
    let numbers: Vec<i64> = (0..i64::try_from(vectors.len())?).collect();
    for (numbers, vectors) in numbers.chunks(40_000).zip(vectors.chunks(40_000)) {
        let values = vectors.iter().map(|vector| Some(vector.iter().copied().map(Some)));
        let values = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(values, dimension);
        let numbers = Int64Array::from(numbers.to_vec());
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(numbers), Arc::new(values)])?;
        table.add(batch).execute().await?;
    }
    Ok(table)
}

/// Adds vectors between neighbours until there are `count`.
async fn densify(vectors: &mut Vec<Vec<f32>>, count: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let table = table(&folder.path().display().to_string(), vectors).await?;
    table.create_index(&["vector"], index("IVF_FLAT", vectors.len())).execute().await?;
    let search = Search { probes: Some(16), refine: None };
    let near = ask(&table, vectors, search, NEAREST + 1).await?;
    let mut random = fastrand::Rng::with_seed(1);
    let real = vectors.len();
    for number in real..count {
        let from = number % real;
        let others: Vec<_> =
            near.rows[from].iter().filter(|row| **row != i64::try_from(from).unwrap_or(0)).collect();
        let to = usize::try_from(**random.choice(&others).unwrap_or(&&0))?;
        let share = random.f32();
        let mut between: Vec<f32> =
            vectors[from].iter().zip(&vectors[to]).map(|(a, b)| a * (1.0 - share) + b * share).collect();
        let length = between.iter().map(|value| value * value).sum::<f32>().sqrt();
        between.iter_mut().for_each(|value| *value /= length);
        vectors.push(between);
    }
    Ok(())
}
