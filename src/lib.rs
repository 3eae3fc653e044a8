//! What happens to a PostgreSQL server when Patroni takes it over, said beforehand.
//!
//! Data flows one way, `source ◄ knowledge ◄ parse ◄ collect ◄ facts ◄ rules ◄ report ◄ run`: a module may use what stands
//! left of it. `collect` alone reads disks and `output` alone writes to them; `rules` and `report` are pure.

pub mod cli;
pub mod collect;
pub mod config;
pub mod facts;
pub mod finding;
pub mod knowledge;
pub mod output;
pub mod parse;
pub mod problem;
pub mod progress;
pub mod report;
pub mod rules;
pub mod run;
pub mod secret;
pub mod source;
pub mod terminal;
