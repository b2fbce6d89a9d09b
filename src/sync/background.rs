//! Keeps the background sample of each generation that is written: taken anew when the generation has twice or half as many
//! passages as when it was taken.

use sea_orm::{ActiveModelTrait, EntityTrait, QuerySelect, Set};

use super::SyncError;
use super::generations::Target;
use crate::db::Database;
use crate::entity::index_background::{ActiveModel, Column, Entity};

/// Takes the sample of `target` when it is due.
pub async fn refresh(db: &Database, target: &Target) -> Result<(), SyncError> {
    let generation = &target.generation;
    let snapshot = generation.tables.snapshot();
    let passages = snapshot.passage_count().await?;
    let stored = Entity::find_by_id(generation.id).select_only().column(Column::Passages);
    let stored: Option<i64> = stored.into_tuple().one(db.reader()).await?;
    let taken_of = stored.map_or(0, |passages| u64::try_from(passages).unwrap_or(0));
    if passages < taken_of.saturating_mul(2) && passages > taken_of / 2 || passages < 2 {
        return Ok(());
    }
    let seed = generation.id.unsigned_abs();
    let cosines = snapshot.background_cosines(seed).await?;
    // All passages are of one article: a sample of nothing, once stored, would stand until their number had doubled.
    if cosines.is_empty() {
        return Ok(());
    }
    let row = ActiveModel {
        generation_id: Set(generation.id),
        passages: Set(i64::try_from(passages).unwrap_or(i64::MAX)),
        cosines: Set(cosines.iter().flat_map(|cosine| cosine.to_le_bytes()).collect()),
    };
    let transaction = db.transaction().await?;
    if stored.is_some() {
        row.update(&transaction).await?;
    } else {
        row.insert(&transaction).await?;
    }
    Ok(transaction.commit().await?)
}
