//! What libpq takes from its surroundings: variables, the home directory, the user, and where things lie on this system.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// The surroundings of a connection.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Where `.pgpass`, `.pg_service.conf` and `.postgresql/` lie.
    pub home: Option<PathBuf>,
    /// The user of the operating system.
    pub user: Option<String>,
    /// Where servers put their sockets when nobody says otherwise, likeliest first.
    pub socket_dirs: Vec<String>,
    /// Where `pg_service.conf` lies without `PGSYSCONFDIR`: it is compiled into libpq, so this differs between systems.
    pub config_dirs: Vec<PathBuf>,
}

impl Environment {
    /// Those of this process. A variable that is not UTF-8 counts as not set.
    #[must_use]
    pub fn of_process() -> Self {
        let variables: BTreeMap<String, String> =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        let passwd = std::fs::metadata("/proc/self").ok().and_then(|m| passwd_entry(m.uid()));
        let home = variables.get("HOME").filter(|h| !h.is_empty()).map(PathBuf::from);
        let home = home.or_else(|| passwd.as_ref().map(|(_, home)| home.clone()));
        let user = passwd.map(|(name, _)| name).or_else(|| variables.get("LOGNAME").or(variables.get("USER")).cloned());
        Self { variables, home, user, ..Self::of_system() }
    }

    /// Those of an empty process: only where things lie on this system.
    #[must_use]
    pub fn of_system() -> Self {
        Self {
            socket_dirs: ["/var/run/postgresql", "/tmp"].map(str::to_owned).to_vec(),
            config_dirs: ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/usr/local/pgsql/etc"]
                .map(PathBuf::from)
                .to_vec(),
            ..Self::default()
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A file of libpq's in the home directory.
    pub(super) fn home_file(&self, name: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(name))
    }
}

/// Name and home directory of a user by number.
fn passwd_entry(uid: u32) -> Option<(String, PathBuf)> {
    let passwd = std::fs::read("/etc/passwd").ok()?;
    String::from_utf8_lossy(&passwd).lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2)?.parse() == Ok(uid)).then(|| Some((fields[0].to_owned(), PathBuf::from(fields.get(5)?))))?
    })
}

/// The name of a user by number.
pub(super) fn user_name(uid: u32) -> Option<String> {
    passwd_entry(uid).map(|(name, _)| name)
}
