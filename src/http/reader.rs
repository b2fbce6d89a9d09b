//! The example front end at `/reader/`. `examples/reader/` builds it.

use super::embedded::{Asset, Page};

/// Everything comes from this origin, from files of its own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page at `/reader/`, the rest below it.
pub const READER: Page = Page {
    assets: include!("../../examples/reader/embedded/assets.rs"),
    content_security_policy: CONTENT_SECURITY_POLICY,
};
