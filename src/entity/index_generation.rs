//! A generation: one complete index made by one model.

use sea_orm::{QueryOrder, entity::prelude::*};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "index_generation")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub state: State,
    /// The model's name, for people.
    pub model: String,
    /// The model as the setting named it.
    pub model_setting: String,
    /// The name of the model's arithmetic: opens it with the same one.
    pub arithmetic: String,
    /// As `SENTIO_PRECISION` was; `None` in generations older than the column.
    pub precision_setting: Option<String>,
    /// What was tried before the arithmetic was chosen, as JSON.
    pub arithmetic_trials: Option<String>,
    /// The vectors of a few texts that are always the same, as little-endian 32-bit floats one after the other.
    pub probe_vectors: Option<Vec<u8>>,
    pub query_prompt: String,
    pub passage_prompt: String,
    /// Names everything that shapes a vector; vectors of two fingerprints never meet.
    pub fingerprint: String,
    pub dimension: i32,
    /// What the names of the generation's tables begin with.
    pub location: String,
    /// The versions of the two tables that belong together.
    pub article_version: i64,
    pub passage_version: i64,
    /// When the two were written: tells versions of the same numbers apart.
    pub version_stamp: i64,
    /// Articles per second while it is being built.
    pub rate: Option<f64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// When it last ceased to be live, in unix milliseconds.
    pub retired_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Being filled beside the live one.
    #[sea_orm(string_value = "building")]
    Building,
    /// Answers all searches.
    #[sea_orm(string_value = "live")]
    Live,
    /// Kept for a way back; gets no writes.
    #[sea_orm(string_value = "retired")]
    Retired,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The generation in this state, of which there is one at most; of retired ones the last that was live.
pub async fn in_state<C>(connection: &C, state: State) -> Result<Option<Model>, DbErr>
where
    C: ConnectionTrait,
{
    let in_state = Entity::find().filter(Column::State.eq(state));
    in_state.order_by_desc(Column::RetiredAt).order_by_desc(Column::Id).one(connection).await
}
