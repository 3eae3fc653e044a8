//! Hosts: directories and files that the configuration names, programs, units that run Patroni, and what else runs there.

pub(super) mod clone_space;
pub(super) mod config_readable;
pub(super) mod data_directory;
pub(super) mod directories;
pub(super) mod dynamic_json;
pub(super) mod libraries;
pub(super) mod managers;
pub(super) mod names;
pub(super) mod pgpass;
pub(super) mod ports;
pub(super) mod programs;
pub(super) mod python;
pub(super) mod reach;
pub(super) mod systemd_killmode;
pub(super) mod systemd_user_mismatch;
pub(super) mod tls_files;
pub(super) mod watchdog_device;
pub(super) mod writable;

/// Programs that start another one as somebody else.
pub(super) const CHANGERS: [&str; 6] = ["gosu", "runuser", "setpriv", "su", "su-exec", "sudo"];
