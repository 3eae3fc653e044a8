//! Looks at the world: the only place that opens files, reads the clock and runs programs. Everything right of it is pure.

pub mod clock;
pub mod dcs;
pub mod disk;
mod embedded;
pub mod fence;
pub mod git;
pub mod host;
pub mod http;
pub mod kind;
mod mask;
pub mod member;
pub mod net;
pub mod own;
pub mod rest;
pub mod search;
