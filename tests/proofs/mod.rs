//! For each error rule: the real program fails as the rule says, lint says it of the same files, and once the fix that it prints is
//! applied the failure is gone and the rule is silent.

mod bootstrap;
mod cluster;
mod dcs;
mod hba;
mod host;
mod restapi;
mod roles;
mod scripts;
mod settings;
mod slots;
pub(crate) mod starts;
mod table;
mod tags;
mod yaml;
