//! Proofs of the rules about the host: directories, units, files of passwords.

use crate::support::proof::prove;

#[test]
fn directories_and_programs() {
    prove("host", "directories_and_programs");
}

#[test]
fn units() {
    prove("host", "units");
}
