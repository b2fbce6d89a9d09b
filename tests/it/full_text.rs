//! The words of articles: their languages, and how long they may be.

use std::time::{Duration, Instant};

use sentio::article::ArticleFilter;

use crate::app::{Builder, TestApp};

async fn found(app: &TestApp, text: &str) -> Vec<i64> {
    let live = app.app.index.live().unwrap();
    let snapshot = live.snapshot();
    let looked_for = snapshot.view().unwrap().looked_for(&live.analyzer().query(text));
    let matches = looked_for.matches().best(200, &ArticleFilter::default(), &[]);
    let mut ids: Vec<_> = matches.iter().map(|hit| hit.article.0).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_language_brings_the_forms_of_its_words_together() {
    let app = Builder::new().set("SENTIO_TEXT_LANGUAGE", "english").start().await;
    app.create("Recipes", "All the recipes of my grandmother. \u{dc}ber H\u{e4}user.").await;
    app.create("Houses", "Ein Haus und die Rezepte.").await;
    assert_eq!(found(&app, "recipe").await, [1]);
    assert_eq!(found(&app, "RECIPES haus").await, [1, 2]);
    assert_eq!(found(&app, "uber").await, [1]);
    assert_eq!(found(&app, "the of and").await, [1], "there are no other words");
    assert!(found(&app, "\u{1f35d} !? \u{200b}").await.is_empty());
    let (folder, database_url) = app.stop().await;

    // Another language needs no other vectors.
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
    assert_eq!(found(&app, "und die").await, [2]);
    app.stop().await;
}

#[tokio::test]
async fn each_article_has_its_own_language() {
    let app = Builder::new().start().await;
    app.create("Cats", "The cats were sleeping all day on the old sofas in the living rooms.").await;
    app.create("Katzen", "Die Katzen schliefen den ganzen Tag auf den alten Sofas in den Wohnzimmern.").await;
    app.create("Chats", "Les chats dormaient toute la journée sur les vieux canapés du salon.").await;
    app.create("猫", "猫は一日中ソファで眠っていました。").await;
    for (query, ids) in [
        ("cat", vec![1]),
        ("Katze", vec![2]),
        ("Wohnzimmer", vec![2]),
        ("chat", vec![3]),
        ("canapé", vec![3]),
        ("sofas", vec![1, 2]),
        ("猫", vec![4]),
        ("ソファ", vec![4]),
        ("die Katze", vec![2]),
    ] {
        assert_eq!(found(&app, query).await, ids, "{query}");
    }
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
