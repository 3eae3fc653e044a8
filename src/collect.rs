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
pub(crate) mod mask;
pub mod member;
pub mod net;
pub mod own;
pub mod recorded;
pub mod rest;
pub mod search;
pub mod sql;

use crate::source::{Reader, SourceMap};

/// Where includes lead: to files of this machine behind a fence, or to those of a bundle.
pub trait Door: Sync {
    /// The reader that adds to some sources.
    fn reader<'a>(&'a self, sources: &'a SourceMap) -> Box<dyn Reader + 'a>;
}
