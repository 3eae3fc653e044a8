//! From findings to changes.

pub mod edit;
