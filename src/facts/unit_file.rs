//! Units of systemd, and what they start.

use std::path::Path;
use std::sync::Arc;

use crate::parse::unit::Unit;
use crate::source::Source;

/// A systemd unit or drop-in.
#[derive(Debug)]
pub struct UnitFile {
    /// Its text.
    pub source: Arc<Source>,
    /// What it says.
    pub unit: Unit,
}

impl UnitFile {
    /// Whether it starts Patroni.
    #[must_use]
    pub fn runs_patroni(&self) -> bool {
        self.patroni_arguments().is_some()
    }

    /// Whether it starts Patroni, or does if a template says so.
    #[must_use]
    pub fn may_run_patroni(&self) -> bool {
        self.runs_patroni()
            || self.unit.is_open()
            || self.unit.all("Service", "ExecStart").iter().any(|start| start.is_unknown())
    }

    /// The file or directory that it starts Patroni with, specifiers as they stand.
    #[must_use]
    pub fn patroni_configuration(&self) -> Option<String> {
        self.patroni_arguments()?.into_iter().find(|word| !word.starts_with('-'))
    }

    /// Whether it starts, or extends a unit that starts, PostgreSQL by itself.
    #[must_use]
    pub fn runs_postgresql(&self) -> bool {
        let server = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            ["pg_ctl", "pg_ctlcluster", "postgres", "postmaster", "postgresql-check-db-dir"].contains(&name)
        };
        let words =
            self.unit.commands("ExecStart").tree.into_iter().flat_map(|c| std::iter::once(c.path).chain(c.args));
        if words.into_iter().any(|word| server(&word.value)) {
            return true;
        }
        // A drop-in whose unit is not given says by its directory what it extends.
        let dir = self.source.path().and_then(Path::parent).and_then(Path::file_name).and_then(|d| d.to_str());
        self.unit.commands("ExecStart").tree.is_empty()
            && dir.and_then(|d| d.strip_suffix(".d")).is_some_and(is_postgresql_unit)
    }

    /// What stands behind the name of the program, when that is Patroni.
    fn patroni_arguments(&self) -> Option<Vec<String>> {
        let is_patroni =
            |word: &str| word.rsplit('/').next().is_some_and(|name| name == "patroni" || name == "patroni.py");
        self.unit.commands("ExecStart").tree.into_iter().find_map(|command| {
            // What a container does inside is no matter of the unit: whose user, which signals, which files.
            if ["docker", "podman", "nerdctl"].contains(&command.path.value.rsplit('/').next().unwrap_or_default()) {
                return None;
            }
            // What a template puts there may be one of those.
            let at = command.path.span;
            if at.source == self.source.id() && self.source.is_unknown(at) && !is_patroni(&command.path.value) {
                return None;
            }
            let mut words = std::iter::once(command.path).chain(command.args).map(|word| word.value);
            words.find(|word| is_patroni(word))?;
            Some(words.collect())
        })
    }
}

/// Whether a unit is called like those of PostgreSQL's packages: `postgresql.service`, `postgresql@15-main.service`, `postgresql-15.service`.
#[must_use]
pub fn is_postgresql_unit(name: &str) -> bool {
    let stem = name.strip_suffix(".service").unwrap_or(name);
    let rest = stem.strip_prefix("postgresql").or_else(|| stem.strip_prefix("postgres"));
    rest.is_some_and(|r| {
        r.is_empty() || r.starts_with('@') || r.strip_prefix('-').unwrap_or(r).bytes().all(|b| b.is_ascii_digit())
    })
}
