//! Members of a cluster: their addresses, time limits and destructive options, alone and against each other.

pub(super) mod bootstrap_dcs_drift;
pub(super) mod bootstrap_section_without_effect;
pub(super) mod connect_address_port;
pub(super) mod connect_address_unusable;
mod connect_names;
pub(super) mod duplicates;
pub(super) mod dynamic_settings;
pub(super) mod listen_missing_port;
pub(super) mod listen_multiple_ports;
pub(super) mod listen_narrower;
pub(super) mod remove_data_dir_options;
pub(super) mod restapi_port_in_use;
pub(super) mod rewind_restore_command_outside_pgdata;
pub(super) mod running_servers;
pub(super) mod standby_cluster;
pub(super) mod start_order;
pub(super) mod timeouts_rule;
pub(in crate::rules::native) mod watchdog;
