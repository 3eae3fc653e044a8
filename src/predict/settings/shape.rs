//! What a setting is: its type, what it takes to change it, and how the server shows its values.

use super::Value;
use super::files::Line;
use crate::facts::nodes::Row;
use crate::knowledge::guc::{Context, Guc};
use crate::knowledge::units::Unit;
use crate::parse::date_style::DateStyle;
use crate::parse::guc_value::{GucValue, parse_bool, parse_value, shown};

/// A setting of a server of a major.
#[derive(Debug, Clone)]
pub(super) struct Shape<'a> {
    name: &'a str,
    major: u16,
    guc: Option<&'static Guc>,
    row: Option<&'a Row>,
}

impl<'a> Shape<'a> {
    /// As the table knows it, or as the server tells of it: settings of extensions.
    pub(super) const fn new(name: &'a str, major: u16, guc: Option<&'static Guc>, row: Option<&'a Row>) -> Self {
        Self { name, major, guc, row }
    }

    pub(super) const fn name(&self) -> &'a str {
        self.name
    }

    /// What it takes to change it.
    pub(super) fn context(&self) -> Context {
        let told = self.row.and_then(|row| row.get("context"));
        match (told, self.guc) {
            (Some("internal"), _) => Context::Internal,
            (Some("postmaster"), _) => Context::Postmaster,
            (Some("sighup"), _) => Context::Sighup,
            (Some("superuser-backend"), _) => Context::SuperuserBackend,
            (Some("backend"), _) => Context::Backend,
            (Some("superuser"), _) => Context::Superuser,
            (None, Some(guc)) => guc.context,
            _ => Context::User,
        }
    }

    /// `pg_settings.vartype`
    pub(super) fn kind(&self) -> &str {
        use crate::knowledge::guc::Kind;
        let of_table = self.guc.map(|guc| match guc.kind {
            Kind::Bool => "bool",
            Kind::Int { .. } => "integer",
            Kind::Real { .. } => "real",
            Kind::Enum { .. } => "enum",
            Kind::Str => "string",
        });
        self.row.and_then(|row| row.get("vartype")).or(of_table).unwrap_or("string")
    }

    /// `pg_settings.unit`
    pub(super) fn unit(&self) -> Option<&str> {
        use crate::knowledge::guc::Kind;
        match (self.row, self.guc.map(|guc| &guc.kind)) {
            (Some(row), _) => row.get("unit"),
            (None, Some(Kind::Int { unit, .. } | Kind::Real { unit, .. })) => unit.map(Unit::name),
            _ => None,
        }
    }

    /// The value that nobody sets, as the server shows it.
    pub(super) fn default(&self) -> Value {
        let told = self.row.map(|row| row.get("boot_val").unwrap_or_default());
        let text = told.or_else(|| self.guc.map(|guc| guc.default)).unwrap_or_default();
        self.canonical(text).map_or_else(|| Value::Is(text.to_owned()), Value::Is)
    }

    /// The value of a line as the server would show it; `None` when it does not take it.
    pub(super) fn value_of(&self, line: &Line) -> Option<Value> {
        if line.is_secret { Some(Value::Hidden) } else { self.canonical(&line.value).map(Value::Is) }
    }

    /// Whether a line leaves the value to the server.
    pub(super) fn is_worked_out_of(&self, line: &Line) -> bool {
        self.name == "wal_buffers" && line.value.trim() == "-1"
    }

    /// A text as the server would show the value; `None` when it does not take it.
    pub(super) fn canonical(&self, text: &str) -> Option<String> {
        let Some(guc) = self.guc else { return self.told(text) };
        let value = parse_value(guc, text, self.major).ok()?;
        Some(match value {
            GucValue::Int(n) if is_mode(guc.name) => format!("{n:04o}"),
            GucValue::Str(text) if guc.name == "DateStyle" => DateStyle::DEFAULT.then(&text).to_string(),
            GucValue::Str(text) if is_path(guc.name) => canonical_path(&text),
            other => shown(&other),
        })
    }

    /// Of a setting that only the server knows.
    fn told(&self, text: &str) -> Option<String> {
        match self.kind() {
            "bool" => parse_bool(text).map(|value| if value { "on" } else { "off" }.to_owned()),
            "enum" => {
                let words = self.row.and_then(|row| row.get("enumvals")).unwrap_or_default();
                let mut words = words.trim_matches(['{', '}']).split(',').map(|word| word.trim_matches('"'));
                words.find(|word| word.eq_ignore_ascii_case(text)).map(str::to_owned)
            }
            _ => Some(text.to_owned()),
        }
    }
}

/// Permission bits, which the server shows in octal (`show_log_file_mode` and others).
fn is_mode(name: &str) -> bool {
    matches!(name, "unix_socket_permissions" | "log_file_mode" | "data_directory_mode")
}

/// Settings whose check is `check_canonical_path`.
fn is_path(name: &str) -> bool {
    matches!(name, "log_directory" | "external_pid_file" | "stats_temp_directory")
}

/// `canonicalize_path` in `src/port/path.c`: no slash at the end, none doubled, no `.` in between.
fn canonical_path(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let start = if text.starts_with('/') { "/" } else { "" };
    let joined = format!("{start}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::guc::find;

    fn canonical(name: &str, text: &str) -> Option<String> {
        Shape::new(name, 16, find(name, 16), None).canonical(text)
    }

    #[test]
    fn values_are_shown_as_the_server_shows_them() {
        for (name, text, shown) in [
            ("shared_buffers", "128MB", "16384"),
            ("random_page_cost", "1.10", "1.1"),
            ("fsync", "yes", "on"),
            ("wal_level", "hot_standby", "replica"),
            ("unix_socket_permissions", "0770", "0770"),
            ("DateStyle", "dmy, sql", "SQL, DMY"),
            ("log_directory", "/var/log//pg/", "/var/log/pg"),
        ] {
            assert_eq!(canonical(name, text).as_deref(), Some(shown), "{name}");
        }
        assert_eq!(canonical("work_mem", "64 pages"), None);
    }
}
