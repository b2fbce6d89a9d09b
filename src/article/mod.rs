//! What an article is, apart from where it is stored: its id, its limits, and which articles a filter selects, and
//! how places in its text are counted.

mod composed;
mod draft;
mod filter;
mod id;
mod utf16;

pub use composed::composed;
pub use draft::{
    ArticleChanges, ArticleDraft, CATEGORY_MAX_CHARS, CONTENT_MAX_BYTES, EXTERNAL_ID_MAX_CHARS,
    TAG_MAX_CHARS, TITLE_MAX_CHARS, Violation, ViolationCode,
};
pub use filter::{ArticleFacets, ArticleFilter};
pub use id::{ArticleId, ParseArticleIdError};
pub use utf16::{Offsets, Slices, slice_utf16};
