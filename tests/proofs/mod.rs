//! For each rule, as far as real programs can tell: what the rule says happens, lint says it of the same files, and once the fix that
//! it prints is applied it does not happen any more and the rule is silent.

mod bootstrap;
mod cluster;
mod containers;
mod dcs;
mod following;
mod hba;
mod host;
mod older;
mod on_host;
mod on_host_paths;
mod on_site;
mod passwords;
mod places;
mod reach;
mod restapi;
mod roles;
mod scripts;
mod servers;
mod settings;
mod slots;
pub(crate) mod starts;
mod store;
mod table;
mod tags;
mod upgrade;
mod yaml;
