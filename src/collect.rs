//! Looks at the world: the only place that opens files, reads the clock and runs programs. Everything right of it is pure.

pub mod clock;
mod embedded;
pub mod files;
pub mod git;
pub mod own;
