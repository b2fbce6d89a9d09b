//! A hash of everything that is indexed of an article: equal hashes need no new index rows but for the revision.

use crate::entity::article;

/// BLAKE3 over the indexed fields, each with its length in front so that no two articles run together.
pub fn content_hash(article: &article::Model) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(article.title.as_bytes());
    field(article.content.as_bytes());
    for optional in [&article.external_id, &article.category] {
        field(&[u8::from(optional.is_some())]);
        field(optional.as_deref().unwrap_or_default().as_bytes());
    }
    field(&article.created_at.timestamp_micros().to_le_bytes());
    for tag in &article.tags.0 {
        field(tag.as_bytes());
    }
    *hasher.finalize().as_bytes()
}
