//! Reads the articles of a response, with their contents only where the document selects them.

use async_graphql::Context;
use futures::TryStreamExt;
use sea_orm::{QuerySelect, Select};

use super::error::ApiError;
use super::responses::ResponseBudget;
use crate::db::Database;
use crate::entity::article::Entity;
use crate::entity::article_row::{ArticleHead, ArticleRow};

/// Whether the contents of articles are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contents {
    Wanted,
    LeftOut,
}

/// The ways from a field to the articles that it returns.
pub mod ways {
    /// The field is an article, or an object that may be one.
    pub const ARTICLE: &[&[&str]] = &[&[]];
    /// A connection of articles.
    pub const ARTICLES: &[&[&str]] = &[&["nodes"], &["edges", "node"]];
    /// A list of recommendations.
    pub const RECOMMENDATIONS: &[&[&str]] = &[&["article"]];
    /// A connection of recommendations.
    pub const RECOMMENDATION_PAGE: &[&[&str]] = &[&["nodes", "article"], &["edges", "node", "article"]];
}

impl Contents {
    /// Wanted when the field that is being resolved selects `content` at the end of one of `ways`, in whichever fragment.
    pub fn selected(context: &Context<'_>, ways: &[&[&str]]) -> Self {
        let selects = |way: &&[&str]| {
            let articles = way.iter().fold(context.look_ahead(), |fields, name| fields.field(name));
            articles.field("content").exists()
        };
        if ways.iter().any(selects) { Self::Wanted } else { Self::LeftOut }
    }
}

/// So many contents are read at once; more may be long.
const FEW: usize = 2;

/// Reads the articles that one field returns.
#[derive(Clone)]
pub struct ArticleReader {
    pub db: Database,
    pub budget: ResponseBudget,
    pub contents: Contents,
}

impl ArticleReader {
    /// For the field that is being resolved, from which `ways` lead to articles.
    pub fn of(context: &Context<'_>, ways: &[&[&str]]) -> Self {
        Self {
            db: context.data_unchecked::<Database>().clone(),
            budget: context.data_unchecked::<ResponseBudget>().clone(),
            contents: Contents::selected(context, ways),
        }
    }

    /// Reads the rows of `select`. Contents are counted as they come, so that no more of them are in memory than a response may
    /// have; those beyond the first `shown` rows are dropped. Many are read in turns: the connection is kept as long as it takes.
    pub async fn read(&self, select: Select<Entity>, shown: usize) -> Result<Vec<ArticleRow>, ApiError> {
        if self.contents == Contents::LeftOut {
            let heads = select.select_only().columns(ArticleHead::COLUMNS).into_model::<ArticleHead>();
            return Ok(heads.all(self.db.reader()).await?.into_iter().map(ArticleRow::from).collect());
        }
        if shown > FEW {
            self.budget.take_turn().await?;
        }
        let mut stream = select.stream(self.db.reader()).await?;
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            let mut row = ArticleRow::from(row);
            if rows.len() < shown {
                self.budget.load(row.content.as_deref().unwrap_or_default())?;
            } else {
                row.content = None;
            }
            rows.push(row);
        }
        Ok(rows)
    }
}
