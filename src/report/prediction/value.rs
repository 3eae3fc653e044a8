//! Values as people write them.

use crate::knowledge::guc::{self, Kind};
use crate::predict::settings::Value;

/// What stands in the place of a value that the server works out itself.
pub(super) const COMPUTED: &str = "(worked out at start)";
/// What stands in the place of a value that holds a secret.
pub(super) const HIDDEN: &str = "(holds a secret)";

/// A value of a setting: `128MB`, not 16384. An empty text is `''`.
pub(super) fn human(name: &str, postgresql: Option<u16>, value: &Value) -> String {
    match value {
        Value::Is(text) => written(name, postgresql, text),
        Value::Computed => COMPUTED.to_owned(),
        Value::Hidden => HIDDEN.to_owned(),
    }
}

/// A value that is known, with its unit.
pub(super) fn written(name: &str, postgresql: Option<u16>, text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let guc = guc::find(name, postgresql.unwrap_or(*guc::MAJORS.end()));
    match guc.map(|guc| &guc.kind) {
        Some(Kind::Int { unit: Some(unit), .. }) => {
            text.parse().map_or_else(|_| text.to_owned(), |number| unit.shown(number))
        }
        Some(Kind::Real { unit: Some(unit), .. }) => unit.shown_real(text),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_unit() {
        let is = |text: &str| Value::Is(text.to_owned());
        assert_eq!(human("shared_buffers", Some(15), &is("16384")), "128MB");
        assert_eq!(human("wal_keep_size", None, &is("128")), "128MB");
        assert_eq!(human("archive_command", Some(15), &is("")), "''");
        assert_eq!(human("my.own", Some(15), &is("16384")), "16384");
        assert_eq!(human("shared_buffers", Some(15), &is("128MB")), "128MB");
        assert_eq!(human("primary_conninfo", Some(15), &Value::Hidden), HIDDEN);
    }
}
