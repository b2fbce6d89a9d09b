//! The types of the API, one file each.

mod article;
mod article_change;
mod article_connection;
mod article_filter;
mod article_input;
mod article_order;
mod article_page;
pub mod date_time;
mod index_status;
mod node;
mod page_info;
mod recommend_options;
mod recommendation;
mod recommendation_connection;
mod user_error;

pub use article::{Article, PassageCoverage};
pub use article_change::ArticleChange;
pub use article_connection::ArticleConnection;
pub use article_filter::ArticleFilterInput;
pub use article_input::{
    CreateArticleInput, CreateArticlePayload, CreateArticlesInput, CreateArticlesPayload, DeleteArticleInput,
    DeleteArticlePayload, UpdateArticleInput, UpdateArticlePayload,
};
pub use article_order::{ArticleOrder, ArticleOrderField, OrderDirection};
pub use article_page::ArticlePage;
pub use date_time::{DateTime, parse_date_time};
pub use index_status::{IndexGeneration, IndexState, IndexStatus, SearchBackend};
pub use node::Node;
pub use page_info::PageInfo;
pub use recommend_options::{FreshnessInput, RecommendOptionsInput, RecommendWeights};
pub use recommendation::Recommendation;
pub use recommendation_connection::RecommendationConnection;
pub use user_error::{UserError, UserErrorCode};
