//! Addresses and time limits of members.

pub(super) mod connect_address_port;
pub(super) mod connect_address_unusable;
pub(super) mod listen_missing_port;
pub(super) mod timeouts_rule;
pub(super) mod watchdog;
