//! Looks at the world: the only place that opens files. Everything right of it is pure.

pub mod files;
