//! PostgreSQL settings that Patroni overrides, refuses or deletes.

pub(super) mod cmdline_guc_below_runtime_minimum;
pub(super) mod cmdline_guc_in_local_parameters;
pub(super) mod cmdline_guc_not_carried_over;
pub(super) mod managed_guc_in_parameters;
pub(super) mod recovery_gucs_in_auto_conf;
