//! The name of the replication slot that a member gets.

/// The slot that Patroni makes for a member: lower case, `-` and `.` become `_`, any other character outside
/// `[a-z0-9_]` becomes `u` and its code point in at least four decimal digits, cut to 63 characters
/// (`dcs/__init__.py:slot_name_from_member_name`).
#[must_use]
pub fn slot_name(member: &str) -> String {
    use std::fmt::Write as _;
    let mut slot = String::with_capacity(member.len());
    for c in member.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => slot.push(c),
            '-' | '.' => slot.push('_'),
            _ => write!(slot, "u{:04}", u32::from(c)).expect("invariant: a String takes all"),
        }
        if slot.len() >= 63 {
            break;
        }
    }
    slot.truncate(63);
    slot
}

#[cfg(test)]
mod tests {
    use super::slot_name;

    #[test]
    fn names_are_mangled_as_patroni_does() {
        for (name, slot) in [
            ("Node-1.example", "node_1_example"),
            ("a b", "au0032b"),
            ("é/ü", "u0233u0047u0252"),
            ("\u{1F600}", "u128512"),
            ("", ""),
        ] {
            assert_eq!(slot_name(name), slot);
        }
        assert_eq!(slot_name(&"x".repeat(80)).len(), 63);
    }
}
