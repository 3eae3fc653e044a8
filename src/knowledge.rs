//! Tables of outside facts, per version of the program that they speak of, each with its source.

pub mod patroni;
