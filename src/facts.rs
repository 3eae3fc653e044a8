//! What is known about a cluster, drawn from what was parsed.

pub mod conf_check;
