//! What follows from what was read and collected. Pure.

pub mod gap;
pub mod hba_decision;
pub mod hba_shadow;
pub mod ident_map;
pub mod roles;
