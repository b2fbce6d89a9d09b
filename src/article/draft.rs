//! What a client may write: the fields of a new or changed article and their limits.

/// The most characters of a title.
pub const TITLE_MAX_CHARS: usize = 300;
/// The most bytes of a content: 1 MiB.
pub const CONTENT_MAX_BYTES: usize = 1 << 20;
/// The most characters of a category.
pub const CATEGORY_MAX_CHARS: usize = 100;
/// The most tags of an article.
pub const TAGS_MAX: usize = 50;
/// The most characters of one tag.
pub const TAG_MAX_CHARS: usize = 100;
/// The most characters of an external id.
pub const EXTERNAL_ID_MAX_CHARS: usize = 200;

/// A new article as a client gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArticleDraft {
    pub external_id: Option<String>,
    pub title: String,
    pub content: String,
    pub category: Option<String>,
    pub tags: Vec<String>,
}

/// The fields to change in an article; `None` leaves a field alone, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArticleChanges {
    pub external_id: Option<Option<String>>,
    pub title: Option<String>,
    pub content: Option<String>,
    pub category: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
}

/// What kind of rule a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationCode {
    Blank,
    TooLong,
    TooMany,
    InvalidCharacter,
}

/// A rule that a field breaks, with a message for the person who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The way to the value inside the input, such as `["tags", "3"]`.
    pub path: Vec<String>,
    pub code: ViolationCode,
    pub message: String,
}

impl ArticleDraft {
    /// Every rule that the draft breaks; empty when it may be written.
    pub fn violations(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.title(&self.title);
        check.content(&self.content);
        check.tags(&self.tags);
        check.category(self.category.as_deref());
        check.external_id(self.external_id.as_deref());
        check.violations
    }
}

impl ArticleChanges {
    /// Every rule that the changes break; empty when they may be written.
    pub fn violations(&self) -> Vec<Violation> {
        let mut check = Check::default();
        if let Some(title) = &self.title {
            check.title(title);
        }
        if let Some(content) = &self.content {
            check.content(content);
        }
        if let Some(tags) = &self.tags {
            check.tags(tags);
        }
        check.category(self.category.as_ref().and_then(Option::as_deref));
        check.external_id(self.external_id.as_ref().and_then(Option::as_deref));
        check.violations
    }
}

#[derive(Default)]
struct Check {
    violations: Vec<Violation>,
}

impl Check {
    fn title(&mut self, title: &str) {
        let path = || vec!["title".to_owned()];
        self.not_blank(path(), "title", title);
        self.characters(path(), "title", title, TITLE_MAX_CHARS);
    }

    fn content(&mut self, content: &str) {
        let path = || vec!["content".to_owned()];
        if content.is_empty() {
            self.add(path(), ViolationCode::Blank, "content must not be empty".to_owned());
        }
        if content.len() > CONTENT_MAX_BYTES {
            let message = format!(
                "content has {} bytes, at most {CONTENT_MAX_BYTES} are allowed: split the article",
                content.len()
            );
            self.add(path(), ViolationCode::TooLong, message);
        }
        self.no_nul(path(), "content", content);
    }

    fn category(&mut self, category: Option<&str>) {
        if let Some(category) = category {
            self.not_blank(vec!["category".to_owned()], "category", category);
            self.characters(vec!["category".to_owned()], "category", category, CATEGORY_MAX_CHARS);
        }
    }

    fn external_id(&mut self, external_id: Option<&str>) {
        if let Some(external_id) = external_id {
            self.not_blank(vec!["externalId".to_owned()], "externalId", external_id);
            self.characters(vec!["externalId".to_owned()], "externalId", external_id, EXTERNAL_ID_MAX_CHARS);
        }
    }

    fn tags(&mut self, tags: &[String]) {
        if tags.len() > TAGS_MAX {
            let message = format!("there are {} tags, at most {TAGS_MAX} are allowed", tags.len());
            self.add(vec!["tags".to_owned()], ViolationCode::TooMany, message);
            return;
        }
        for (position, tag) in tags.iter().enumerate() {
            let path = || vec!["tags".to_owned(), position.to_string()];
            self.not_blank(path(), "a tag", tag);
            self.characters(path(), "a tag", tag, TAG_MAX_CHARS);
        }
    }

    fn not_blank(&mut self, path: Vec<String>, name: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(path, ViolationCode::Blank, format!("{name} must not be blank"));
        }
    }

    fn characters(&mut self, path: Vec<String>, name: &str, text: &str, most: usize) {
        let count = text.chars().count();
        if count > most {
            let message = format!("{name} has {count} characters, at most {most} are allowed");
            self.add(path.clone(), ViolationCode::TooLong, message);
        }
        self.no_nul(path, name, text);
    }

    /// PostgreSQL cannot store NUL, and C libraries cut text at it: it is refused everywhere.
    fn no_nul(&mut self, path: Vec<String>, name: &str, text: &str) {
        if let Some(at) = text.find('\0') {
            let message = format!("{name} has a NUL character at byte {at}: remove it");
            self.add(path, ViolationCode::InvalidCharacter, message);
        }
    }

    fn add(&mut self, path: Vec<String>, code: ViolationCode, message: String) {
        self.violations.push(Violation { path, code, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(title: &str, content: &str) -> ArticleDraft {
        ArticleDraft { title: title.to_owned(), content: content.to_owned(), ..ArticleDraft::default() }
    }

    fn codes(draft: &ArticleDraft) -> Vec<(String, ViolationCode)> {
        draft.violations().into_iter().map(|violation| (violation.path.join("."), violation.code)).collect()
    }

    #[test]
    fn limits_are_inclusive_and_count_characters() {
        let longest = draft(&"é".repeat(TITLE_MAX_CHARS), &"x".repeat(CONTENT_MAX_BYTES));
        assert_eq!(codes(&longest), []);
        let beyond = draft(&"é".repeat(TITLE_MAX_CHARS + 1), &"x".repeat(CONTENT_MAX_BYTES + 1));
        let expected =
            [("title".to_owned(), ViolationCode::TooLong), ("content".to_owned(), ViolationCode::TooLong)];
        assert_eq!(codes(&beyond), expected);
    }

    #[test]
    fn every_broken_rule_is_reported_with_its_path() {
        let broken = ArticleDraft {
            external_id: Some("x".repeat(EXTERNAL_ID_MAX_CHARS + 1)),
            title: " \u{a0}".to_owned(),
            content: "a\0b".to_owned(),
            category: Some(String::new()),
            tags: vec!["fine".to_owned(), "t".repeat(TAG_MAX_CHARS + 1)],
        };
        let expected = [
            ("title", ViolationCode::Blank),
            ("content", ViolationCode::InvalidCharacter),
            ("tags.1", ViolationCode::TooLong),
            ("category", ViolationCode::Blank),
            ("externalId", ViolationCode::TooLong),
        ]
        .map(|(path, code)| (path.to_owned(), code));
        assert_eq!(codes(&broken), expected);
    }

    #[test]
    fn an_absent_or_cleared_field_breaks_no_rule() {
        let changes =
            ArticleChanges { category: Some(None), external_id: Some(None), ..ArticleChanges::default() };
        assert_eq!(changes.violations(), []);
    }
}
