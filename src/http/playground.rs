//! The playground: GraphiQL at `/`. `playground/` builds it.

use super::embedded::{Asset, Page};

/// Everything comes from this origin, and no string becomes code. Monaco writes style elements; its icons and fonts
/// are data addresses in the style sheet. `'self'` covers WebSockets of the same origin.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page at `/`, the rest below `/playground/`.
pub const PLAYGROUND: Page = Page {
    assets: include!("../../playground/dist/assets.rs"),
    content_security_policy: CONTENT_SECURITY_POLICY,
};
