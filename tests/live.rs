//! What is collected from real programs that run.

mod host;
mod site;
mod sql;
mod stores;
