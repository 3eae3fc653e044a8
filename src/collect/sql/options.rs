//! Puts the options of a connection together, in the order in which libpq lets them win: the connection string, the service
//! file, the environment, what is compiled in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use crate::knowledge::libpq;
use crate::parse::dsn::read_dsn;
use crate::parse::pg_service;

/// Options by keyword; an empty value stays, as it keeps others out.
#[derive(Debug, Clone, Default)]
pub(super) struct Options(BTreeMap<String, String>);

impl Options {
    /// The value of an option when it is set and not empty.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        self.0.get(keyword).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The value of an option when it is set, even when it is empty.
    pub(super) fn written(&self, keyword: &str) -> Option<&str> {
        self.0.get(keyword).map(String::as_str)
    }

    fn add(&mut self, keyword: &str, value: impl Into<String>) {
        self.0.entry(keyword.to_owned()).or_insert_with(|| value.into());
    }

    /// All that must not be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(k, v)| libpq::is_secret(k) && !v.is_empty()).map(|(_, v)| v.as_str())
    }
}

/// The options of a connection string in its surroundings.
///
/// # Errors
/// What libpq would refuse, without any value of a secret.
pub(super) fn settle(dsn: &str, env: &Environment) -> Result<Options, String> {
    let mut options = Options(read_dsn(dsn)?.into_iter().collect());
    if let Some(service) = options.written("service").or(env.variable("PGSERVICE")).map(str::to_owned) {
        for (keyword, value) in find_service(&service, env)? {
            options.add(&keyword, value);
        }
    }
    let sslmode_is_chosen = options.written("sslmode").is_some() || env.variables.contains_key("PGSSLMODE");
    for (keyword, variable) in libpq::OPTIONS {
        if let Some(value) = variable.and_then(|v| env.variable(v)) {
            options.add(keyword, value);
        }
    }
    if !sslmode_is_chosen {
        let system = options.get("sslrootcert") == Some("system");
        let wanted = env.variable("PGREQUIRESSL").is_some_and(|v| v.starts_with('1'));
        options.add(
            "sslmode",
            if system {
                "verify-full"
            } else if wanted {
                "require"
            } else {
                "prefer"
            },
        );
    }
    Ok(options)
}

/// The options of a service, from the files in libpq's order.
fn find_service(name: &str, env: &Environment) -> Result<Vec<(String, String)>, String> {
    let not_found = || format!("definition of service \"{name}\" not found");
    let own = match env.variable("PGSERVICEFILE") {
        Some(file) => Some(PathBuf::from(file)),
        None => env.home_file(".pg_service.conf").filter(|f| f.exists()),
    };
    if let Some(file) = own
        && let Some(found) = read_service(&file, name)?
    {
        return Ok(found);
    }
    let dirs = env.variable("PGSYSCONFDIR").map_or_else(|| env.config_dirs.clone(), |dir| vec![PathBuf::from(dir)]);
    let file = dirs.iter().map(|dir| dir.join("pg_service.conf")).find(|f| f.exists());
    let found = file.map(|file| read_service(&file, name)).transpose()?.flatten();
    found.ok_or_else(not_found)
}

fn read_service(file: &Path, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|e| format!("service file \"{shown}\" cannot be read: {e}"))?;
    pg_service::service(&String::from_utf8_lossy(&bytes), name).map_err(|e| format!("service file \"{shown}\": {e}"))
}
