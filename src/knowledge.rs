//! Tables of outside facts, per version of the program that they speak of, each with its source.

pub mod guc;
pub mod guc_history;
pub mod libpq;
pub mod names;
pub mod options;
pub mod passwords;
pub mod patroni;
pub mod queries;
pub mod units;
