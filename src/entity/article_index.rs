//! What a generation of the index holds of an article.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "article_index")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub generation_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: i64,
    /// The change that was indexed.
    pub seq: i64,
    /// The revision that was indexed.
    pub revision: i64,
    /// Hash of everything that was indexed of the article.
    pub content_hash: Vec<u8>,
    /// How many passages of the article searches see…
    pub passages: i32,
    /// …of how many that it was split into.
    pub passages_in_all: i32,
    /// Unix milliseconds.
    pub indexed_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
