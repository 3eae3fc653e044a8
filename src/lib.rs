//! What happens to a PostgreSQL server when Patroni takes it over, said beforehand.
//!
//! Data flows one way, `source ◄ gap ◄ knowledge ◄ parse ◄ bundle ◄ collect ◄ facts ◄ predict ◄ rules ◄ remedy ◄ report ◄ baseline ◄ run`: a module may use what
//! stands left of it. `collect` alone reads disks, `output` alone writes to them; `rules`, `remedy` and `report` are pure.

pub mod baseline;
pub mod bundle;
pub mod cli;
pub mod collect;
pub mod config;
pub mod date;
pub mod explain;
pub mod facts;
pub mod finding;
pub mod gap;
pub mod knowledge;
pub mod output;
pub mod parse;
pub mod pattern;
pub mod predict;
pub mod problem;
pub mod progress;
pub mod remedy;
pub mod report;
pub mod rules;
pub mod run;
pub mod schema;
pub mod secret;
pub mod selftest;
pub mod source;
pub mod terminal;
pub mod words;
