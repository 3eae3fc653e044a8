//! What several integration tests share.

pub(crate) mod hba_files;
pub(crate) mod pg;
