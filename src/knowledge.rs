//! Tables of outside facts, each with its source.

pub mod guc;
pub mod guc_history;
pub mod units;
