//! SeaORM models and their hooks.

pub mod article;
pub mod article_filter;
pub mod article_index;
pub mod article_row;
pub mod article_time;
pub mod index_background;
pub mod index_generation;

pub use article::Entity as Article;
