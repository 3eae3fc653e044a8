//! What is collected from real programs that run.

mod host;
mod sql;
mod stores;
