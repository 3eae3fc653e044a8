//! What is collected from real programs that run.

mod ansible;
mod booted;
mod check;
mod host;
mod predict;
mod predict_connections;
mod predict_slots;
mod predict_touched;
mod site;
mod sql;
mod ssh;
mod stores;
