//! Text in, spanned trees and problems out. Pure: no disk, no network, no output.

pub mod are;
pub mod hba;
pub mod ident;
pub mod yaml;
