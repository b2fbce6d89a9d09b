//! How like each other passages of a generation are that have nothing to do with each other.

use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

use super::index_generation;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "index_background")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub generation_id: i64,
    /// How many the generation had when the sample was taken.
    pub passages: i64,
    /// Of random pairs, in ascending order, as little-endian 32-bit floats one after the other.
    pub cosines: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::index_generation::Entity",
        from = "Column::GenerationId",
        to = "super::index_generation::Column::Id"
    )]
    Generation,
}

impl Related<index_generation::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Generation.def()
    }
}

impl Model {
    /// The sample in ascending order.
    pub fn cosines(&self) -> Vec<f32> {
        self.cosines.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// The sample of the generation whose tables' names begin with `location`.
pub async fn of_location<C>(connection: &C, location: &str) -> Result<Option<Model>, DbErr>
where
    C: ConnectionTrait,
{
    let joined = Entity::find().join(sea_orm::JoinType::InnerJoin, Relation::Generation.def());
    joined.filter(index_generation::Column::Location.eq(location)).one(connection).await
}
