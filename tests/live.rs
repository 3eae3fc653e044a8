//! What is collected from real programs that run.

mod ansible;
mod booted;
mod check;
mod host;
mod predict;
mod site;
mod sql;
mod ssh;
mod stores;
