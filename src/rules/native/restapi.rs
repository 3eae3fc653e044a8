//! Who may use the REST API, and how it is encrypted.

pub(super) mod allowlist_blocks_failsafe;
pub(super) mod allowlist_invalid;
pub(super) mod auth_incomplete;
pub(super) mod sslmode;
pub(super) mod tls;
pub(super) mod weak_secrets;
