//! PostgreSQL settings that Patroni overrides, refuses or deletes.

pub(super) mod archive_overwrites;
pub(super) mod around_restart;
pub(super) mod auto_conf;
pub(super) mod cmdline_guc_below_runtime_minimum;
pub(super) mod cmdline_guc_in_local_parameters;
pub(super) mod cmdline_guc_not_carried_over;
pub(super) mod config_dir;
pub(super) mod custom_conf;
pub(super) mod host_specific_guc_in_dcs;
mod lasting;
pub(super) mod listen_mismatch;
pub(super) mod local_hides_dynamic;
pub(super) mod managed_guc_in_parameters;
pub(super) mod not_in_force;
pub(super) mod parameters_of_patroni;
pub(super) mod recovery_conf;
pub(super) mod recovery_gucs_in_auto_conf;
pub(super) mod sockets;
pub(super) mod superuser_reserved_vs_max_connections;
pub(super) mod sync_names_in_parameters;
mod today;
pub(super) mod wal_level_lowered_with_logical_slots;
