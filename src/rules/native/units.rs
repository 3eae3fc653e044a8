//! Units beside that of Patroni, and how it fits to them.

pub(super) mod configuration_path;
pub(super) mod dcs_ordering;
pub(super) mod dependencies;
pub(super) mod postgres_started;
pub(super) mod service;
pub(super) mod settings_lost;
pub(super) mod wanted_by;
