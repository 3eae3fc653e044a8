//! Addresses and time limits of members.

pub(super) mod connect_address_unusable;
pub(super) mod listen_missing_port;
pub(super) mod listen_multiple_ports;
pub(super) mod listen_narrower;
pub(super) mod timeouts_rule;
