//! Which generations are kept in step: the live one and, while the index changes to another model or is rebuilt, the
//! one that will take its place.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::SyncError;
use super::generations::{Generations, Target, set_state, stored_model};
use crate::embedding::{Embedder, ReopenError, StoredModel};
use crate::entity::index_generation::{self, State};
use crate::error_chain::Chain;
use crate::outbox::{self, Request};

/// No search takes longer: requests are cancelled before.
const SEARCH_MAX_MILLIS: i64 = 60_000;

/// What the worker keeps in step.
#[derive(Clone)]
pub struct Targets {
    pub live: Target,
    pub building: Option<Building>,
}

/// A generation that is being filled.
#[derive(Clone)]
pub struct Building {
    pub target: Target,
    /// It was live before and has missed changes since: it must be compared first.
    pub revived: bool,
}

impl Targets {
    /// The live generation first.
    pub fn all(&self) -> Vec<&Target> {
        let building = self.building.as_ref().map(|building| &building.target);
        std::iter::once(&self.live).chain(building).collect()
    }
}

impl Generations {
    /// Opens, makes and removes generations beside the live one until they are what the settings and the requests ask
    /// for. For the holder of the writer lock, while nothing is being written. `lost` names generations whose tables are
    /// known to be damaged.
    pub async fn targets(&self, live: Target, lost: &[i64]) -> Result<Targets, SyncError> {
        self.carry_out_rollback(&live).await?;
        let building = self.building(&live, lost).await?;
        self.carry_out_prune().await?;
        self.remove_superseded(&live).await?;
        self.remove_unknown().await?;
        let targets = Targets { live, building };
        let fingerprints: Vec<_> =
            targets.all().iter().map(|target| target.embedder.model().fingerprint.clone()).collect();
        self.models.keep(&fingerprints.iter().map(String::as_str).collect::<Vec<_>>());
        Ok(targets)
    }

    /// The live generation; an empty one when there is none, or it cannot be used. For the holder of the writer lock.
    pub async fn live(&self, lost: &[i64]) -> Result<Target, SyncError> {
        let Some(row) = self.row(State::Live).await? else {
            let (embedder, setting) = self.requested().await?;
            return self.create_live(None, &embedder, &setting).await;
        };
        if lost.contains(&row.id) {
            return self.replace_live(&row).await;
        }
        match self.open_target(&row).await {
            Err(error) if error.is_lost() => {
                tracing::error!(generation = row.id, error = %Chain(&error), "index.lost: building it anew");
                self.replace_live(&row).await
            }
            // A new index of the same model would be filled with the cached vectors of the other machine.
            Err(error @ SyncError::Model(ReopenError::ComputesOtherwise { .. }))
                if row.fingerprint == self.models.requested().fingerprint =>
            {
                Err(error)
            }
            Err(error @ SyncError::Model(_)) => {
                tracing::error!(
                    generation = row.id,
                    error = %Chain(&error),
                    "index.model_gone: building the index anew; until it is complete, searches see the articles that are in it"
                );
                self.replace_live(&row).await
            }
            opened => opened,
        }
    }

    /// Puts the generation that is being built, or an empty one, in the place of a live one that cannot be used.
    async fn replace_live(&self, row: &index_generation::Model) -> Result<Target, SyncError> {
        let model = match self.embedder(row).await {
            Ok(embedder) => Ok((embedder, stored_model(row))),
            Err(SyncError::Model(_)) => self.requested().await,
            Err(error) => Err(error),
        };
        let (embedder, setting) = model?;
        let building = self.row(State::Building).await?;
        if let Some(building) = building.filter(|building| building.retired_at.is_none())
            && let Ok(target) = self.open_target(&building).await
        {
            let transaction = self.db.transaction().await?;
            sea_orm::ModelTrait::delete(row.clone(), &transaction).await?;
            set_state(&transaction, building.id, State::Live).await?;
            outbox::record_everything(&transaction).await?;
            transaction.commit().await?;
            self.remove_tables(row).await;
            return Ok(target);
        }
        self.create_live(Some(row), &embedder, &setting).await
    }

    /// Makes an empty generation live, in place of `replaced`, and records every article for it.
    async fn create_live(
        &self,
        replaced: Option<&index_generation::Model>,
        embedder: &Embedder,
        setting: &StoredModel,
    ) -> Result<Target, SyncError> {
        let target = self.create(State::Live, embedder, setting, replaced).await?;
        if let Some(row) = replaced {
            self.remove_tables(row).await;
        }
        Ok(target)
    }

    /// The generation that is to take the place of the live one, if any: for a request to rebuild, or because the
    /// settings name another model that was not turned down by a rollback.
    async fn building(&self, live: &Target, lost: &[i64]) -> Result<Option<Building>, SyncError> {
        let declined = outbox::declined_model(self.db.reader()).await?;
        let stays = declined.as_ref() == Some(&self.models.requested_setting().setting);
        if declined.is_some() && !stays {
            let transaction = self.db.transaction().await?;
            outbox::set_declined_model(&transaction, None).await?;
            transaction.commit().await?;
        }
        let live_fingerprint = live.generation.tables.fingerprint();
        let wanted =
            if stays { live_fingerprint } else { self.models.requested().fingerprint.as_str() }.to_owned();
        let rebuild = outbox::is_submitted(self.db.reader(), Request::Rebuild).await?;

        if let Some(row) = self.row(State::Building).await? {
            let wanted = row.fingerprint == wanted || (stays && row.retired_at.is_some());
            if wanted && !rebuild && !lost.contains(&row.id) {
                match self.open_target(&row).await {
                    Ok(target) => return Ok(Some(Building { target, revived: row.retired_at.is_some() })),
                    Err(error) if error.is_lost() || matches!(error, SyncError::Model(_)) => {
                        tracing::error!(generation = row.id, error = %Chain(&error), "index.building_lost");
                        self.delete(&row).await?;
                    }
                    Err(error) => return Err(error),
                }
            } else {
                self.shelve(&row, lost).await?;
            }
        }
        if live_fingerprint == wanted && !rebuild {
            return Ok(None);
        }
        if !rebuild && let Some(revived) = self.revive(&wanted).await? {
            return Ok(Some(revived));
        }
        let (embedder, setting) = if stays {
            let row = self.row(State::Live).await?.ok_or(SyncError::NoGeneration)?;
            (live.embedder.clone(), stored_model(&row))
        } else {
            self.requested().await?
        };
        tracing::info!(
            model = embedder.model().name,
            "index.building: a new generation; the live one answers until it is complete"
        );
        let target = self.create(State::Building, &embedder, &setting, None).await?;
        Ok(Some(Building { target, revived: false }))
    }

    /// Puts a generation aside that is no longer to be built.
    async fn shelve(&self, row: &index_generation::Model, lost: &[i64]) -> Result<(), SyncError> {
        if row.retired_at.is_none() || lost.contains(&row.id) {
            return self.delete(row).await;
        }
        self.change_state(row.id, State::Retired).await
    }

    async fn change_state(&self, id: i64, state: State) -> Result<(), SyncError> {
        let transaction = self.db.transaction().await?;
        set_state(&transaction, id, state).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes up a retired generation of the model with this fingerprint: it only has gaps to be filled.
    async fn revive(&self, fingerprint: &str) -> Result<Option<Building>, SyncError> {
        let row = self.newest_retired(index_generation::Column::Fingerprint.eq(fingerprint)).await?;
        let Some(row) = row else { return Ok(None) };
        match self.open_target(&row).await {
            Ok(target) => {
                tracing::info!(generation = row.id, model = row.model, "index.revived: filling its gaps");
                self.change_state(row.id, State::Building).await?;
                Ok(Some(Building { target, revived: true }))
            }
            Err(error) if error.is_lost() => {
                tracing::error!(generation = row.id, error = %Chain(&error), "index.retired_lost");
                self.delete(&row).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Goes back to the generation that was live before, or stays with the live one when another is being built. The
    /// choice holds until the setting names another model.
    async fn carry_out_rollback(&self, live: &Target) -> Result<(), SyncError> {
        if !outbox::is_submitted(self.db.reader(), Request::Rollback).await? {
            return Ok(());
        }
        let requested = self.models.requested();
        let decline = |fingerprint: &str| {
            (fingerprint != requested.fingerprint).then(|| self.models.requested_setting().setting)
        };
        let building = self.row(State::Building).await?;
        let target = self.rollback_target(live.generation.tables.fingerprint()).await?;
        if let Some(row) = &building {
            self.shelve(row, &[]).await?;
        }
        let transaction = self.db.transaction().await?;
        let declined = match (&building, &target) {
            // A change is under way: staying is the way back.
            (Some(_), _) | (None, None) => decline(live.generation.tables.fingerprint()),
            (None, Some(row)) => {
                tracing::info!(generation = row.id, model = row.model, "index.rollback: filling its gaps");
                set_state(&transaction, row.id, State::Building).await?;
                decline(&row.fingerprint)
            }
        };
        outbox::set_declined_model(&transaction, declined.as_deref()).await?;
        outbox::withdraw(&transaction, Request::Rollback).await?;
        Ok(transaction.commit().await?)
    }

    /// The generation that a rollback would go back to: the last live one of another model.
    pub async fn rollback_target(
        &self,
        live_fingerprint: &str,
    ) -> Result<Option<index_generation::Model>, SyncError> {
        self.newest_retired(index_generation::Column::Fingerprint.ne(live_fingerprint)).await
    }

    /// Of the retired generations that `condition` names, the one that was live last.
    async fn newest_retired(
        &self,
        condition: SimpleExpr,
    ) -> Result<Option<index_generation::Model>, SyncError> {
        Ok(index_generation::Entity::find()
            .filter(index_generation::Column::State.eq(State::Retired))
            .filter(condition)
            .order_by_desc(index_generation::Column::RetiredAt)
            .one(self.db.reader())
            .await?)
    }

    /// Removes all retired generations and the cached vectors that only they could use.
    async fn carry_out_prune(&self) -> Result<(), SyncError> {
        if !outbox::is_submitted(self.db.reader(), Request::Prune).await? {
            return Ok(());
        }
        while let Some(row) = self.row(State::Retired).await? {
            tracing::info!(generation = row.id, model = row.model, "index.pruned");
            self.delete(&row).await?;
        }
        let transaction = self.db.transaction().await?;
        super::cache::forget_unused_models(&transaction).await?;
        outbox::withdraw(&transaction, Request::Prune).await?;
        Ok(transaction.commit().await?)
    }

    /// Removes what a rebuild has replaced, when no search can be reading it any more.
    pub(super) async fn remove_superseded(&self, live: &Target) -> Result<(), SyncError> {
        let long_ago = outbox::unix_millis() - SEARCH_MAX_MILLIS;
        let superseded = index_generation::Entity::find()
            .filter(index_generation::Column::State.eq(State::Retired))
            .filter(index_generation::Column::Fingerprint.eq(live.generation.tables.fingerprint()))
            .filter(index_generation::Column::RetiredAt.lt(long_ago))
            .all(self.db.reader())
            .await?;
        for row in superseded {
            self.delete(&row).await?;
        }
        Ok(())
    }
}
