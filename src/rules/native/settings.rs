//! PostgreSQL settings that Patroni overrides, refuses or deletes.

pub(super) mod archive_overwrites;
pub(super) mod around_restart;
pub(super) mod cmdline_guc_below_runtime_minimum;
pub(super) mod cmdline_guc_in_local_parameters;
pub(super) mod cmdline_guc_not_carried_over;
pub(super) mod config_dir;
pub(super) mod listen_mismatch;
pub(super) mod managed_guc_in_parameters;
pub(super) mod recovery_gucs_in_auto_conf;
pub(super) mod sockets;
mod today;
