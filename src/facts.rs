//! What is known about a cluster, put together from what was parsed.

pub mod patroni_keys;
