//! Which columns of a table hold the fields of an article: CSV and Parquet.

use super::OpenError;

/// The columns that an error message lists at most.
const LISTED_COLUMNS: usize = 20;

/// A column of the table and the name under which it is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub index: usize,
    pub field: &'static str,
}

/// The columns with a meaning; all others are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub id: Option<Column>,
    pub title: Column,
    pub content: Column,
    pub category: Option<Column>,
    pub tags: Option<Column>,
    pub created_at: Option<Column>,
}

impl Columns {
    /// Finds them by name, regardless of ASCII case and of blanks around the names.
    pub fn find<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, OpenError> {
        let names: Vec<&str> = names.collect();
        let column = |field| single(&names, field);
        let missing = |expected| OpenError::MissingColumn { expected, found: listed(&names) };
        Ok(Self {
            id: column("id")?,
            title: column("title")?.ok_or_else(|| missing("`title`"))?,
            content: column("content")?
                .or(column("text")?)
                .ok_or_else(|| missing("`content` (or `text`)"))?,
            category: column("category")?,
            tags: column("tags")?,
            created_at: column("created_at")?.or(column("date")?),
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = Column> {
        [self.id, Some(self.title), Some(self.content), self.category, self.tags, self.created_at]
            .into_iter()
            .flatten()
    }
}

fn single(names: &[&str], field: &'static str) -> Result<Option<Column>, OpenError> {
    let mut matching = names
        .iter()
        .enumerate()
        .filter(|(_, name)| name.trim().eq_ignore_ascii_case(field))
        .map(|(index, _)| index);
    match (matching.next(), matching.next()) {
        (Some(_), Some(_)) => Err(OpenError::DuplicateColumn { column: field }),
        (index, _) => Ok(index.map(|index| Column { index, field })),
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut list: Vec<String> = names.iter().take(LISTED_COLUMNS).map(|name| format!("{name:?}")).collect();
    if names.len() > LISTED_COLUMNS {
        list.push(format!("and {} more", names.len() - LISTED_COLUMNS));
    }
    list.join(", ")
}
