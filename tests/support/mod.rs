//! What several test modules need.

pub(crate) mod hba_files;
pub(crate) mod pg;
pub(crate) mod rng;
