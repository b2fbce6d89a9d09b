//! Names of tables: a generation's location, and which of its two tables it is.

const ARTICLE: &str = "_article";
const PASSAGE: &str = "_passage";

pub(super) fn article_table(location: &str) -> String {
    format!("{location}{ARTICLE}")
}

pub(super) fn passage_table(location: &str) -> String {
    format!("{location}{PASSAGE}")
}

/// The location that an article table's name begins with.
pub(super) fn of_article_table(name: &str) -> &str {
    name.strip_suffix(ARTICLE).unwrap_or(name)
}
