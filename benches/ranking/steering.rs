//! What examples and autocut do for the lists of a test collection.
//!
//! Examples: of each query with enough relevant documents some are liked, and the first ones that are not relevant disliked; what
//! counts is how the other relevant ones are found. Rocchio's formula, which Sentio uses, stands beside the best score: the
//! cosine to the nearest liked document, half of it added to the query's own.

use std::path::Path;

use sentio::app::App;
use sentio::article::ArticleId;
use sentio::config::{Config, SettingValues};
use sentio::evaluation::{Collection, Grades, store};
use sentio::index::dot;
use sentio::recommend::{Mode, Moment, Ranked, RecommendOptions, Recommender};

use crate::autocut;
use crate::filled::{catch_up, settings};
use crate::lists::{LISTED, Lists};

const LIKED: [usize; 2] = [1, 3];
const DISLIKED: [usize; 2] = [0, 2];
/// Relevant documents that must be left to be found.
const LEFT: usize = 3;

pub async fn measure(collection: &Path) -> anyhow::Result<()> {
    let collection = Collection::read(collection)?;
    let folder = tempfile::tempdir()?;
    let settings = settings(folder.path());
    let app = App::open(Config::from_values(&SettingValues::from_flags(settings))?).await?;
    store(&app.db, &collection.documents, |_| {}).await?;
    catch_up(&app).await?.stop().await;
    let lists = Lists {
        recommender: Recommender::new(app.models.clone(), app.index.clone()),
        collection: &collection,
    };
    println!("nDCG@10 of the relevant documents that were not given as examples");
    println!(
        "{:>6} {:>9} {:>8} {:>10} {:>8} {:>11} {:>8} {:>11}",
        "liked", "disliked", "queries", "text only", "Rocchio", "best score", "Rocchio", "best score"
    );
    println!("{:>46} {:>20} {:>20}", "with the text", "", "without it");
    for liked in LIKED {
        for disliked in DISLIKED {
            examples(&app, &lists, liked, disliked).await?;
        }
    }
    autocut::measure(&lists).await?;
    app.close().await
}

async fn examples(app: &App, lists: &Lists<'_>, liked: usize, disliked: usize) -> anyhow::Result<()> {
    let live = app.index.live()?;
    let model = app.models.with_fingerprint(live.fingerprint()).ok_or_else(|| anyhow::anyhow!("no model"))?;
    let articles = lists.articles();
    let all: Vec<_> = articles.values().copied().collect();
    let vectors = live.snapshot().article_vectors(&all)?;
    let mut random = fastrand::Rng::with_seed(5);
    let (mut sums, mut queries) = ([0.0; 5], 0.0);
    for (query, grades) in lists.judged() {
        let mut relevant: Vec<_> = grades
            .iter()
            .filter(|(_, grade)| **grade > 0.0)
            .filter_map(|(document, _)| articles.get(document.as_str()).copied())
            .collect();
        if relevant.len() < liked + LEFT {
            continue;
        }
        relevant.sort_unstable();
        let like = random.choose_multiple(relevant.iter().copied(), liked);
        let semantic = RecommendOptions { mode: Mode::Semantic, ..RecommendOptions::default() };
        let found = lists.by_text(&query.text, &semantic, 100).await?;
        let wrong = found.iter().map(|ranked| ranked.article).filter(|article| !relevant.contains(article));
        let dislike: Vec<_> = wrong.take(disliked).collect();
        let left: Grades = grades
            .iter()
            .filter(|(document, _)| !like.iter().any(|article| lists.document(*article) == document.as_str()))
            .map(|(document, grade)| (document.clone(), *grade))
            .collect();
        let given: Vec<_> = like.iter().chain(&dislike).copied().collect();

        let plain = RecommendOptions { exclude: given.clone(), ..semantic.clone() };
        let steered = RecommendOptions { like: like.clone(), dislike: dislike.clone(), ..semantic };
        let ids = |ranked: Vec<Ranked>| ranked.into_iter().map(|ranked| ranked.article).collect::<Vec<_>>();
        let text = model.embed_query(&query.text).await?;
        let nearest = |vector: &[f32], to: &[ArticleId]| {
            to.iter().filter_map(|article| Some(dot(vector, vectors.get(article)?))).fold(f32::MIN, f32::max)
        };
        let by_best = |with_text: bool| {
            let mut ranking: Vec<_> = vectors
                .iter()
                .filter(|(article, _)| !given.contains(article))
                .map(|(article, vector)| {
                    let mut score = nearest(vector, &like) * if with_text { 0.5 } else { 1.0 };
                    if !dislike.is_empty() {
                        score -= 0.15 * nearest(vector, &dislike);
                    }
                    if with_text {
                        score += dot(vector, text.as_slice());
                    }
                    (score, *article)
                })
                .collect();
            ranking.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            ranking.into_iter().take(LISTED).map(|(_, article)| article).collect::<Vec<_>>()
        };
        let alone = lists.recommender.by_examples(LISTED, &steered, Moment::now()).await?;
        let rankings = [
            ids(lists.by_text(&query.text, &plain, LISTED).await?),
            ids(lists.by_text(&query.text, &steered, LISTED).await?),
            by_best(true),
            ids(alone.ranked.into_values().next().unwrap_or_default()),
            by_best(false),
        ];
        for (sum, ranking) in sums.iter_mut().zip(&rankings) {
            *sum += lists.ndcg(ranking, &left);
        }
        queries += 1.0;
    }
    if queries == 0.0 {
        println!("{liked:>6} {disliked:>9} {:>8}", "none");
        return Ok(());
    }
    let [text, with, best_with, alone, best_alone] = sums.map(|sum| sum / queries);
    println!(
        "{liked:>6} {disliked:>9} {queries:>8} {text:>10.4} {with:>8.4} {best_with:>11.4} {alone:>8.4} {best_alone:>11.4}"
    );
    Ok(())
}
