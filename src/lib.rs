//! What happens to a PostgreSQL server when Patroni takes it over, said beforehand.
//!
//! Data flows one way, `source ◄ knowledge ◄ parse ◄ collect ◄ facts ◄ rules ◄ report ◄ baseline ◄ run`: a module may use what stands
//! left of it. `collect` alone reads disks; `rules` and `report` are pure.

pub mod baseline;
pub mod cli;
pub mod collect;
pub mod config;
pub mod date;
pub mod facts;
pub mod finding;
pub mod knowledge;
pub mod parse;
pub mod pattern;
pub mod problem;
pub mod report;
pub mod rules;
pub mod run;
pub mod secret;
pub mod selftest;
pub mod source;
