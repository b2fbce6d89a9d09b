//! The article and its hooks: a change made through an active model raises the revision and records itself in the
//! outbox, on the connection (and so in the transaction) it is made with.

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, FromJsonQueryResult, QuerySelect, Set};
use serde::{Deserialize, Serialize};

use crate::article::{ArticleChanges, ArticleDraft, ArticleId};
use crate::outbox;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "article")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub external_id: Option<String>,
    pub title: String,
    pub content: String,
    pub category: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub tags: Tags,
    /// Starts at 1, raised by every change.
    pub revision: i64,
    /// UTC, whole microseconds: the precision both databases keep.
    pub created_at: DateTime<Utc>,
    /// UTC, whole microseconds.
    pub updated_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

/// The tags of an article, a JSON array in SQL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Tags(pub Vec<String>);

#[async_trait::async_trait]
impl ActiveModelBehavior for ActiveModel {
    async fn before_save<C>(mut self, _connection: &C, insert: bool) -> Result<Self, DbErr>
    where
        C: ConnectionTrait,
    {
        let now = now();
        if insert {
            self.revision = Set(1);
            self.updated_at = Set(now);
            if self.created_at.is_not_set() {
                self.created_at = Set(now);
            }
        } else if let ActiveValue::Unchanged(revision) = self.revision {
            let next = revision.checked_add(1);
            self.revision =
                Set(next.ok_or_else(|| DbErr::Custom("the revision has no successor".to_owned()))?);
            self.updated_at = Set(now);
        }
        Ok(self)
    }

    async fn after_save<C>(model: Model, connection: &C, _insert: bool) -> Result<Model, DbErr>
    where
        C: ConnectionTrait,
    {
        outbox::record(connection, model.article_id()).await?;
        Ok(model)
    }

    async fn after_delete<C>(self, connection: &C) -> Result<Self, DbErr>
    where
        C: ConnectionTrait,
    {
        if let ActiveValue::Set(id) | ActiveValue::Unchanged(id) = self.id {
            outbox::record(connection, ArticleId(id)).await?;
        }
        Ok(self)
    }
}

impl Model {
    pub fn article_id(&self) -> ArticleId {
        ArticleId(self.id)
    }

    /// The article `id` as it is now, kept from changing until the transaction ends, so that two writers never make the
    /// same revision. (SQLite needs no lock: its transactions that may write run one at a time.)
    pub async fn find_for_update<C>(connection: &C, id: ArticleId) -> Result<Option<Self>, DbErr>
    where
        C: ConnectionTrait,
    {
        Entity::find_by_id(id.0).lock_exclusive().one(connection).await
    }
}

impl ActiveModel {
    /// A new article; revision and times are set when it is saved.
    pub fn from_draft(draft: ArticleDraft) -> Self {
        Self {
            external_id: Set(draft.external_id),
            title: Set(draft.title),
            content: Set(draft.content),
            category: Set(draft.category),
            tags: Set(Tags(draft.tags)),
            ..Self::new()
        }
    }

    /// Takes over the fields that `changes` names.
    pub fn apply(&mut self, changes: ArticleChanges) {
        fn set<V: Into<Value>>(field: &mut ActiveValue<V>, change: Option<V>) {
            if let Some(value) = change {
                *field = Set(value);
            }
        }
        set(&mut self.external_id, changes.external_id);
        set(&mut self.title, changes.title);
        set(&mut self.content, changes.content);
        set(&mut self.category, changes.category);
        set(&mut self.tags, changes.tags.map(Tags));
    }
}

/// The present time in the precision that SQL keeps.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
