//! What nothing carries over from the old cluster: its configuration and its rules of access.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bundle::Answer;
use crate::bundle::upgrade::NewServer;
use crate::facts::conf_check::check_assignment;
use crate::facts::gap::{Fact, Gap};
use crate::facts::nodes::Row;
use crate::facts::settings::{default_value, equal};
use crate::facts::written::Written;
use crate::facts::{Facts, PatroniFile};
use crate::knowledge::guc;
use crate::knowledge::patroni::command_line_setting;
use crate::parse::conf::{self, Conf, Located};
use crate::parse::hba::{self, Address, ConnType, HbaRule, Method};
use crate::rules::native::upgrade::{MOST, Upgraded, each, each_primary, listed};
use crate::rules::report::Report;
use crate::source::{Origin, ReadError, Reader, Source, SourceMap};

/// Settings that name places and things of one major or one host, and those that Patroni or initdb set anyhow.
const OWN: [&str; 19] = [
    "cluster_name",
    "config_file",
    "data_directory",
    "dynamic_shared_memory_type",
    "external_pid_file",
    "hba_file",
    "hot_standby",
    "ident_file",
    "lc_messages",
    "listen_addresses",
    "log_timezone",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "promote_trigger_file",
    "recovery_target_timeline",
    "stats_temp_directory",
    "unix_socket_directories",
    "wal_log_hints",
];

/// What the files of the new cluster set, as its server will read them.
pub(super) struct Settings(Conf);

impl Settings {
    /// Of the files that were read.
    ///
    /// # Errors
    /// When one of them could not be read.
    pub(super) fn of(on: &Upgraded<'_>, server: &Written<NewServer>) -> Fact<Self> {
        let ready = on.ready()?;
        let main = format!("{}/postgresql.conf", ready.config_dir(on.node)?.trim_end_matches('/'));
        let auto = format!("{}/postgresql.auto.conf", ready.data_dir(on.node)?.trim_end_matches('/'));
        let files = &server.value().files;
        for path in [&main, &auto] {
            let answer = files.get(path).ok_or_else(|| on.node.not_asked(path))?;
            on.node.answer(path, answer)?;
        }
        let conf = conf::load(&Texts::of(files), Path::new(&main), Some(Path::new(&auto))).tree;
        let Some(include) = conf.outside().first() else { return Ok(Self(conf)) };
        let missed = files.iter().find_map(|(path, answer)| on.node.answer(path, answer).err());
        let not_asked = || on.node.not_asked(&format!("`{}`, which {main} includes,", include.value));
        Err(missed.unwrap_or_else(not_asked))
    }

    /// What a setting is set to, if it is.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.effective(name).map(|located| located.set.value.value.as_str())
    }
}

/// `upgrade-base-conf-lost`: what the files of the running server set, and neither Patroni nor the files of the new cluster.
pub(in crate::rules::native) fn settings(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_primary(facts, report, |on, report| {
        let file = on.file(facts)?;
        let rows = on.node.rows("settings")?;
        let (_, server) = on.made_data()?;
        let new = Settings::of(on, server)?;
        let mut lost = Vec::new();
        let mut first: Option<&Row> = None;
        for row in rows.iter().filter(|row| is_of_file(row)) {
            let name = row.get("name").unwrap_or_default();
            if OWN.contains(&name) || is_of_patroni(file, name) || !is_known(name, on.to) {
                continue;
            }
            let unit = row.get("unit");
            let today = with_unit(row.get("setting").unwrap_or_default(), unit);
            let default = with_unit(&default_value(name, Some(on.to)).unwrap_or_default(), unit);
            let later = new.value(name).unwrap_or(&default);
            if equal(name, &today, later) {
                continue;
            }
            first.get_or_insert(row);
            lost.push(format!("`{name}` ({today} today, {} later)", if later.is_empty() { "nothing" } else { later }));
        }
        let Some(first) = first else { return Ok(()) };
        let dir = on.ready()?.config_dir(on.node)?.trim_end_matches('/');
        let mut problem = report
            .problem(first.at)
            .arg("member", &*on.node.name)
            .arg("lost", listed(&lost))
            .arg("count", lost.len().to_string())
            .arg("dir", dir)
            .label(server.at(&["files", &format!("{dir}/postgresql.conf")]), "what is set there");
        if lost.len() > MOST {
            problem = problem.note(format!("the others are {}", lost[MOST..].join(", ")));
        }
        report.add(problem);
        Ok(())
    });
    Ok(())
}

/// `upgrade-setting-refused`: the files of the new cluster hold what the new server does not take.
pub(in crate::rules::native) fn refused(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((_, server)) = on.new_data()? else { return Ok(()) };
        let new = Settings::of(on, server)?;
        let wins = |l: &&Located| new.0.effective(&l.set.name.value).is_some_and(|winner| winner.seq == l.seq);
        for located in new.0.assignments().iter().filter(wins) {
            let Some(wrong) = check_assignment(&located.set, on.to).into_iter().next() else { continue };
            let said = wrong.args.iter().find(|(name, _)| name == "message").map(|(_, text)| text.as_str());
            let path = located.file.display().to_string();
            report.add(
                report
                    .problem(server.at(&["files", &path]))
                    .arg("member", &*on.node.name)
                    .arg("to", on.to.to_string())
                    .arg("name", &*located.set.name.value)
                    .arg("path", path)
                    .arg("said", said.unwrap_or("invalid value")),
            );
        }
        Ok(())
    });
    Ok(())
}

/// A value in the base unit of a setting as a file would have it.
fn with_unit(value: &str, unit: Option<&str>) -> String {
    let number = value.parse::<i64>().ok().filter(|number| *number > 0);
    let (Some(number), Some(unit)) = (number, unit) else { return value.to_owned() };
    // Some are counted in blocks, `8kB`.
    let name = unit.trim_start_matches(|c: char| c.is_ascii_digit());
    let total = number * unit[..unit.len() - name.len()].parse::<i64>().unwrap_or(1);
    match name {
        "kB" if total % (1 << 20) == 0 => format!("{}GB", total >> 20),
        "kB" if total % (1 << 10) == 0 => format!("{}MB", total >> 10),
        "ms" if total % 1000 == 0 => format!("{}s", total / 1000),
        _ => format!("{total}{name}"),
    }
}

/// Whether a setting comes from a file, and is not the default.
fn is_of_file(row: &Row) -> bool {
    row.get("source") == Some("configuration file") && row.get("setting") != row.get("boot_val")
}

fn is_of_patroni(file: &PatroniFile, name: &str) -> bool {
    file.local_parameter(name).is_some()
        || file.dynamic_parameter(name).is_some()
        || command_line_setting(name, file.version).is_some()
}

/// A setting that the new major does not know must not be carried over; one of an extension goes with it.
fn is_known(name: &str, to: u16) -> bool {
    name.contains('.') || guc::find(name, to).is_some()
}

/// `upgrade-hba-default`: the new cluster lets in nobody from elsewhere, and Patroni writes no other rules.
pub(in crate::rules::native) fn access(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let file = on.file(facts)?;
        if !file.hba_lines().is_empty() {
            return Ok(());
        }
        let Some((_, server)) = on.new_data()? else { return Ok(()) };
        let dir = on.ready()?.config_dir(on.node)?.trim_end_matches('/');
        let path = format!("{dir}/pg_hba.conf");
        let Some(answer) = server.value().files.get(&path) else { return Err(on.node.not_asked(&path)) };
        let Some(text) = on.node.answer(&path, answer)? else { return Ok(()) };
        let texts = Texts::of(&server.value().files);
        let source = texts.add(Path::new(&path), text);
        let new = hba::parse(&source, &texts, on.to).tree;
        if new.rules.iter().any(is_for_others) {
            return Ok(());
        }
        if !new.is_accepted() {
            // It has no rules, bad ones, or others in files that were not read: it is not that of initdb.
            return Err(on.node.not_asked(&format!("what {path} lets in")));
        }
        let member = on.member.ok_or_else(|| on.node.not_asked("Patroni's configuration"))?;
        let others = facts.cluster_of(member.file).is_some_and(|cluster| cluster.members.len() > 1);
        let lets_in =
            if others { Some("not even the other members") } else { of_old(on)?.then_some("unlike the old server") };
        let Some(whom) = lets_in else { return Ok(()) };
        let trusts = new.rules.iter().any(|rule| rule.method.value == Method::Trust);
        let trust = if trusts { "; everybody on this host gets in without a password" } else { "" };
        report.add(
            report
                .problem(server.at(&["files", &path]))
                .arg("member", &*on.node.name)
                .arg("path", &*path)
                .arg("whom", whom)
                .arg("trust", trust)
                .label(file.place_of("postgresql.pg_hba"), "no rules are written here"),
        );
        Ok(())
    });
    Ok(())
}

/// Whether the old server lets in anybody from elsewhere.
fn of_old(on: &Upgraded<'_>) -> Fact<bool> {
    let is_old = on.major()? < on.to;
    if !is_old {
        return Err(on.node.not_asked("pg_hba.conf of the old server"));
    }
    let is_loopback = |address: &str| address.starts_with("127.") || address == "::1" || address == "samehost";
    let rows = on.node.rows("hba_rules")?;
    let is_tcp = |row: &&Row| row.get("type").is_some_and(|kind| kind.starts_with("host"));
    Ok(rows.iter().filter(is_tcp).any(|row| row.get("address").is_some_and(|address| !is_loopback(address))))
}

/// Whether a rule is about other hosts, and lets them in.
fn is_for_others(rule: &HbaRule) -> bool {
    let is_elsewhere = match rule.address.as_ref().map(|address| &address.value) {
        Some(Address::Range { addr, .. }) => !addr.is_loopback(),
        Some(Address::SameHost) | None => false,
        Some(_) => true,
    };
    rule.kind.value != ConnType::Local && is_elsewhere && rule.method.value != Method::Reject
}

/// The files of the new cluster that were read.
struct Texts<'a> {
    files: &'a BTreeMap<String, Answer<Option<String>>>,
    sources: SourceMap,
}

impl<'a> Texts<'a> {
    fn of(files: &'a BTreeMap<String, Answer<Option<String>>>) -> Self {
        Self { files, sources: SourceMap::default() }
    }

    fn add(&self, path: &Path, text: &str) -> Arc<Source> {
        self.sources.add(Origin::File(path.to_path_buf()), path.display().to_string(), text.as_bytes().to_vec())
    }

    fn answer(&self, path: &Path) -> Option<&Answer<Option<String>>> {
        self.files.get(path.to_str()?)
    }
}

impl Reader for Texts<'_> {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if let Some(known) = self.sources.by_path(path) {
            return Ok(known);
        }
        match self.answer(path) {
            Some(Answer::Got(Some(text))) => Ok(self.add(path, text)),
            Some(Answer::Got(None)) => Err(ReadError::Missing),
            Some(Answer::Missing(_)) | None => Err(ReadError::Outside),
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        // A directory that could not be listed stands among the files; of one that could, its files do.
        if self.answer(dir).is_some() {
            return Err(ReadError::Outside);
        }
        Ok(self.files.keys().map(PathBuf::from).filter(|path| path.parent() == Some(dir)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::with_unit;

    #[test]
    fn values_are_shown_as_a_file_has_them() {
        for (value, unit, shown) in [
            ("65536", Some("kB"), "64MB"),
            ("131072", Some("8kB"), "1GB"),
            ("3", Some("8kB"), "24kB"),
            ("7000", Some("ms"), "7s"),
            ("-1", Some("ms"), "-1"),
            ("1.1", None, "1.1"),
            ("60", Some("s"), "60s"),
        ] {
            assert_eq!(with_unit(value, unit), shown);
        }
    }
}
