//! Whether the passage that is shown of an article has the sentence that was asked for, word for word.

use sea_orm::EntityTrait;
use sentio::article::{ArticleFilter, ArticleId, slice_utf16};
use sentio::entity::article;
use sentio::recommend::{Mode, Moment, RecommendOptions, Recommender};

use crate::filled::Filled;

/// Articles are long from so many bytes on.
const LONG: usize = 4_000;
/// Bytes of a sentence that is asked for.
const SENTENCE: std::ops::Range<usize> = 60..250;

pub async fn measure(filled: &Filled) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(5);
    let mut asked = Vec::new();
    for article in article::Entity::find().all(filled.app.db.reader()).await? {
        let sentence = random.choice(sentences(&article.content)).map(str::to_owned);
        asked.extend(sentence.filter(|_| article.content.len() >= LONG).map(|sentence| (article, sentence)));
    }
    println!("the passage that is shown of a long article has the sentence that was asked for:");
    let recommender = Recommender::new(filled.app.models.clone(), filled.app.index.clone());
    for mode in Mode::ALL {
        let mut shown = 0;
        for (article, sentence) in &asked {
            let passage = passage(&recommender, mode, article, sentence).await?;
            shown += usize::from(passage.is_some_and(|passage| passage.contains(sentence)));
        }
        println!("{:<9} {shown} of {}", mode.name(), asked.len());
    }
    Ok(())
}

/// Without line breaks and quotation marks, which make phrases.
fn sentences(content: &str) -> Vec<&str> {
    let sentences = content.split_inclusive(['.', '!', '?']).map(str::trim);
    let is_plain =
        |sentence: &&str| SENTENCE.contains(&sentence.len()) && !sentence.contains(['\n', '"', '“', '«']);
    sentences.filter(is_plain).collect()
}

/// What `recommend` shows of `article` for `text`.
async fn passage(
    recommender: &Recommender,
    mode: Mode,
    article: &article::Model,
    text: &str,
) -> anyhow::Result<Option<String>> {
    let id = ArticleId(article.id);
    let filter = ArticleFilter { ids_in: Some(vec![id]), ..ArticleFilter::default() };
    let options = RecommendOptions { mode, filter, ..RecommendOptions::default() };
    let matches = recommender.by_text(text, 1, &options, Moment::now()).await?;
    let by_words = match matches.words_tell_passages() {
        true => matches.passages_by_words().await?.remove(&id),
        false => None,
    };
    let best = match by_words {
        Some(best) => Some(best),
        None => matches.nearness(id).await?.map(|nearness| nearness.passage),
    };
    Ok(best.and_then(|best| slice_utf16(&article.content, best.start, best.end).map(str::to_owned)))
}
