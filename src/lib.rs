//! What happens to a PostgreSQL server when Patroni takes it over, said beforehand.
//!
//! Data flows one way, `source ◄ parse ◄ facts ◄ rules ◄ report ◄ run`: a module may use what stands left of it.
//! `collect` reads disks; `rules` and `report` are pure.

pub mod facts;
pub mod knowledge;
pub mod parse;
pub mod problem;
pub mod secret;
pub mod source;
