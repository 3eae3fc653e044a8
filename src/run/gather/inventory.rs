//! Many clusters in one run: a file that says of each member where its configuration is and how it is reached.
//!
//! ```yaml
//! clusters:
//!   orders:
//!     pg1: {patroni: orders/pg1.yml, ssh: pg1.example.net}
//!     pg2: {patroni: orders/pg2.yml, ssh: pg2.example.net, dsn: service=orders-pg2}
//!   billing:
//!     db: {dsn: host=192.0.2.40 user=dba}
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Given, Request};
use crate::cli::Named;
use crate::collect::own;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inventory {
    clusters: BTreeMap<String, BTreeMap<String, Listed>>,
}

/// How a member is reached.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Listed {
    /// Patroni's configuration: a file or directory, relative to the inventory.
    patroni: Option<PathBuf>,
    /// A connection string.
    dsn: Option<String>,
    /// A target of ssh.
    ssh: Option<String>,
    /// The tree of a host that does not run, relative to the inventory.
    root: Option<PathBuf>,
}

/// Adds what an inventory lists to a request.
///
/// # Errors
/// What is wrong with the inventory, with line and column.
pub fn add(path: &Path, request: &mut Request) -> Result<(), String> {
    let name = path.display();
    let text = own::text(path).map_err(|why| format!("{name}: {why}"))?;
    let inventory: Inventory = serde_yaml::from_str(&text).map_err(|why| format!("{name}: {why}"))?;
    let dir = path.parent().unwrap_or(Path::new(""));
    for (cluster, members) in inventory.clusters {
        for (member, listed) in members {
            let key = format!("{cluster}/{member}");
            if listed.patroni.is_none() && listed.dsn.is_none() {
                return Err(format!("{name}: member `{member}` of `{cluster}` has neither `patroni` nor `dsn`"));
            }
            let named = |value: String| Named { name: key.clone(), value };
            request.files.extend(listed.patroni.map(|p| Given { path: dir.join(p), key: Some(key.clone()) }));
            request.dsns.extend(listed.dsn.map(named));
            request.ssh.extend(listed.ssh.map(named));
            request.roots.extend(listed.root.map(|root| named(dir.join(root).display().to_string())));
        }
    }
    if request.files.is_empty() && request.dsns.is_empty() {
        return Err(format!("{name}: it lists no member"));
    }
    Ok(())
}
