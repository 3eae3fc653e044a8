//! For each rule: the real program does what the rule says, lint says it of the same files, and once the fix that it prints is
//! applied it does so no longer and the rule is silent.

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
mod starts;
mod table;
mod tags;
mod yaml;
