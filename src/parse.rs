//! Text in, spanned trees and problems out. Pure: no disk, no network, no output.

pub mod patroni;
pub mod yaml;
