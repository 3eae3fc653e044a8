//! What this machine says of itself.

/// The name of this machine; empty where it cannot be had.
#[must_use]
pub fn name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}
