//! systemd units that run Patroni.

pub(super) mod directories;
pub(super) mod systemd_killmode;
pub(super) mod systemd_user_mismatch;
