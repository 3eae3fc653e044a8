//! Where the files lie that Patroni writes (`ConfigHandler.__init__`).

use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::host_path::normal;
use crate::facts::nodes::Node;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Member, PatroniFile};
use crate::parse::patroni::Item;

/// Paths on the host of a member.
#[derive(Debug)]
pub(in crate::predict) struct Paths {
    /// The data directory.
    pub(in crate::predict) data: String,
    /// `postgresql.conf`
    pub(in crate::predict) conf: String,
    /// `postgresql.base.conf`
    pub(in crate::predict) base: String,
    /// `pg_hba.conf`
    pub(in crate::predict) hba: String,
    /// `pg_ident.conf`
    pub(in crate::predict) ident: String,
    /// The password file; `None` where it lies in the home directory of Patroni's user, which is not known.
    pub(in crate::predict) pgpass: Option<String>,
    /// Patroni includes a file of the user's choice, and renames nothing.
    pub(in crate::predict) has_custom_conf: bool,
}

impl Paths {
    pub(in crate::predict) fn of(file: &PatroniFile, member: &Member) -> Fact<Self> {
        let gap = |key: &str| Gap::new(format!("`postgresql.{key}`"), GapReason::Unreadable).on(&member.name);
        let known = |dir: Option<&str>| dir.filter(|d| d.starts_with('/') && !is_placeholder(d)).map(normal);
        let data = known(file.config.data_dir().map(|d| d.value)).ok_or_else(|| gap("data_dir"))?;
        let home = known(file.config.config_dir().map(|d| d.value)).ok_or_else(|| gap("config_dir"))?;
        let name = match file.known_postgresql("config_base_name")? {
            Some(item) => item.as_str().filter(|name| !is_placeholder(name)).ok_or_else(|| gap("config_base_name"))?,
            None => "postgresql",
        };
        let pgpass = file.config.get("postgresql.pgpass").and_then(Item::as_str);
        Ok(Self {
            conf: format!("{home}/{name}.conf"),
            base: format!("{home}/{name}.base.conf"),
            hba: format!("{home}/pg_hba.conf"),
            ident: format!("{home}/pg_ident.conf"),
            pgpass: known(pgpass),
            has_custom_conf: file.postgresql("custom_conf").is_some(),
            data,
        })
    }

    /// The file that makes a server a standby.
    pub(in crate::predict) fn standby_signal(&self) -> String {
        format!("{}/standby.signal", self.data)
    }

    /// What Patroni keeps copies of, by name (`ConfigHandler._configuration_to_save`).
    pub(in crate::predict) fn saved(&self, file: &PatroniFile) -> Vec<(String, String)> {
        let mut all = vec![&self.conf];
        if !self.has_custom_conf {
            all.push(&self.base);
        }
        if file.redirected("hba_file", "pg_hba.conf").is_none() {
            all.push(&self.hba);
        }
        if file.redirected("ident_file", "pg_ident.conf").is_none() {
            all.push(&self.ident);
        }
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        all.into_iter().map(|path| (name(path), path.clone())).collect()
    }

    /// Whether a file is there.
    pub(in crate::predict) fn exists(&self, node: Option<&Node>, member: &Member, path: &str) -> Fact<bool> {
        let missing = || Gap::new(format!("whether there is {path}"), GapReason::NotGiven).on(&member.name);
        let node = node.ok_or_else(missing)?;
        let host = node.host()?.value();
        if let Some(name) = path.strip_prefix(&self.data).and_then(|rest| rest.strip_prefix('/'))
            && !name.contains('/')
            && let Some(data) = host.data.get(&self.data)
        {
            return Ok(node.answer("what is in the data directory", &data.names)?.iter().any(|n| n == name));
        }
        let entry = host.paths.get(path).ok_or_else(missing)?;
        Ok(node.answer(&format!("what there is at {path}"), entry)?.is_some())
    }
}
