//! The index of words: language, coverage while articles come, scores that do not depend on what else is asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentio::article::{ArticleFilter, ArticleId};
use sentio::index::{TextHit, Words};
use sentio::sync::Step;

use crate::app::{Builder, TestApp};

async fn matches(app: &TestApp, text: &str, words: Words) -> Vec<TextHit> {
    let snapshot = app.app.index.live().unwrap().snapshot();
    snapshot.best_matches(text, words, 200, &ArticleFilter::default(), &[]).await.unwrap()
}

async fn found(app: &TestApp, text: &str) -> Vec<i64> {
    let mut ids: Vec<_> = matches(app, text, Words::Any).await.iter().map(|hit| hit.article.0).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_language_brings_the_forms_of_its_words_together() {
    let app = Builder::new().start().await;
    app.create("Recipes", "All the recipes of my grandmother. \u{dc}ber H\u{e4}user.").await;
    app.create("Houses", "Ein Haus und die Rezepte.").await;
    assert_eq!(found(&app, "recipe").await, [1]);
    assert_eq!(found(&app, "RECIPES haus").await, [1, 2]);
    assert_eq!(found(&app, "uber").await, [1]);
    assert!(found(&app, "the of and").await.is_empty());
    assert!(found(&app, "\u{1f35d} !? \u{200b}").await.is_empty());
    let (folder, database_url) = app.stop().await;

    // Another language needs no other vectors: the words alone are indexed anew.
    let app = Builder::new().set("SENTIO_TEXT_LANGUAGE", "German").start_in(folder, database_url).await;
    app.create("Haus am Meer", "Ein altes Haus.").await;
    let begun = Instant::now();
    loop {
        let houses = found(&app, "H\u{e4}usern").await;
        if houses == [1, 2, 3] {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{houses:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(found(&app, "Rezept").await, [2]);
    assert!(found(&app, "und die").await.is_empty());
    app.stop().await;
}

#[tokio::test]
async fn all_words_or_any() {
    let app = Builder::new().start().await;
    app.create("One", "red apples").await;
    app.create("Two", "red pears and apples").await;
    app.create("Three", "pears").await;
    let all = matches(&app, "apples pears", Words::All).await;
    assert_eq!(all.iter().map(|hit| hit.article).collect::<Vec<_>>(), [ArticleId(2)]);
    assert_eq!(found(&app, "apples pears").await, [1, 2, 3]);
    app.stop().await;
}

#[tokio::test]
async fn long_words_are_found() {
    let app = Builder::new().start().await;
    let hash = "0123456789abcdef".repeat(4);
    let words = [
        "частнопредпринимательский",
        "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz",
        &hash,
    ];
    for word in words {
        app.create("Word", &format!("Here stands {word} in a text.")).await;
    }
    for (word, id) in words.into_iter().zip(1..) {
        assert_eq!(found(&app, word).await, [id], "{word}");
    }
    app.stop().await;
}

/// What is outside the index of words when single articles come, and what a search by ids says of them.
#[tokio::test(flavor = "multi_thread")]
async fn scores_by_id_are_those_of_the_whole() {
    // In quiet every text is taken into the index; the few outside before must not tell. So the worker stops there.
    let (done, held) = tokio::sync::watch::channel(());
    let on_step = Arc::new(move |step| {
        if step == Step::Tidying {
            // It ends with an error when `done` goes.
            let _ = tokio::task::block_in_place(|| futures::executor::block_on(held.clone().changed()));
        }
    });
    let app = Builder::new().on_step(on_step).start().await;
    let sentence =
        |number: usize| format!("Article {number} about subject {} and thing {}.", number % 7, number % 50);
    for number in 0..400 {
        app.raw_sql(&format!(
            "INSERT INTO article (title, content) VALUES ('Number {number}', '{}')",
            sentence(number)
        ))
        .await;
    }
    app.until_in_step().await;
    let text = "subject 3 thing 31";
    let begun = Instant::now();
    loop {
        // Both from one snapshot: upkeep goes on until it is tidied.
        let snapshot = app.app.index.live().unwrap().snapshot();
        let whole =
            snapshot.best_matches(text, Words::Any, 200, &ArticleFilter::default(), &[]).await.unwrap();
        assert_eq!(whole.len(), 200);
        let some: Vec<_> = whole.iter().step_by(7).map(|hit| hit.article).collect();
        let by_id = snapshot.matches_of(text, &some).await.unwrap();
        let differs = |hit: &&TextHit| (by_id[&hit.article] - hit.bm25).abs() >= 1e-3;
        let Some(other) = whole.iter().step_by(7).find(differs) else { break };
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{other:?} is scored {} by its id",
            by_id[&other.article]
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(done);
    app.stop().await;
}
