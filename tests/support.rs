//! What several tests share.
#![expect(clippy::disallowed_methods, reason = "sizes and seeds of tests come from the environment")]

pub(crate) mod rng;

/// A number from the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}
