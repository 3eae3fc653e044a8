//! What is collected from real programs that run.

mod sql;
