//! placeholder until merge
use crate::knowledge::patroni::Version;
use crate::parse::patroni::Patroni;
use crate::problem::Problem;
/// x
#[must_use]
pub fn check_keys(_: &Patroni, _: Version) -> Vec<Problem> { Vec::new() }
