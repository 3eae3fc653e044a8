//! Files that Patroni will look for in another place than the server does today (`ConfigHandler.__init__`,
//! `write_postgresql_conf`).

use super::today;
use crate::facts::gap::{Fact, Gap};
use crate::facts::nodes::Node;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::running::told;
use crate::facts::{Facts, Member, PatroniFile, host_path};
use crate::parse::patroni::Item;
use crate::rules::native::on_host::{OnHost, each};
use crate::rules::report::Report;
use crate::source::Span;

/// The name of the main file without `.conf`; `None` when it is not known.
fn base_name(file: &PatroniFile) -> Option<&str> {
    match file.known("postgresql.config_base_name").ok()? {
        None => Some("postgresql"),
        Some(item) => item.as_str().filter(|n| !is_placeholder(n)),
    }
}

/// Whether Patroni leaves postgresql.conf to another file.
fn custom_conf(file: &PatroniFile) -> Option<&Item> {
    file.postgresql("custom_conf")
}

/// `config-dir-missing`: postgresql.conf does not lie in the data directory, and Patroni is told no other.
pub(in crate::rules::native) fn missing(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut looked_at = Vec::new();
    each(facts, report, |on, report| {
        looked_at.push(on.member.file);
        missing_there(on, report)
    });
    for (member, file, conf) in today::confs(facts) {
        if looked_at.contains(&member.file) {
            continue;
        }
        let Some(None) = report.known(file.known_postgresql("custom_conf")) else { continue };
        let dir = report.known(today::outside_data_dir(file, conf)).flatten();
        let (Some(dir), Some(data_dir)) = (dir, file.config.data_dir()) else { continue };
        let mut problem = report
            .problem(data_dir.span)
            .arg("member", member.name.as_str())
            .arg("dir", dir)
            .arg("told", "without `config_dir`")
            .arg("data_dir", host_path::normal(data_dir.value));
        if let Some(named) = today::path(conf, "hba_file") {
            problem = problem.label(named.set.value.span, "the files lie here");
        }
        report.add(problem);
    }
    Ok(())
}

/// The same on the host of a member: the file is not where Patroni looks for it.
fn missing_there(on: &OnHost<'_>, report: &mut Report) -> Fact<()> {
    let Some((data_dir, data)) = on.data()? else { return Ok(()) };
    let holds_data = on.node.answer("the version of the data", &data.version)?.is_some();
    let left = on.file.known_postgresql("custom_conf").map_err(|gap| gap.on(&on.node.name))?.is_some();
    if !holds_data || left {
        return Ok(());
    }
    let dir = on.path("postgresql.config_dir")?.unwrap_or(data_dir);
    let Some(base) = base_name(on.file) else { return on.gap("`postgresql.config_base_name`") };
    let home = dir.value.trim_end_matches('/');
    for name in [format!("{base}.conf"), format!("{base}.base.conf")] {
        if on.entry(&format!("{home}/{name}"))?.is_some() {
            return Ok(());
        }
    }
    let of_server = on.node.setting("config_file").ok().flatten().and_then(|row| Some((row, row.get("setting")?)));
    let place = of_server.map_or("another directory", |(_, file)| host_path::parent(file));
    let told = if on.path("postgresql.config_dir")?.is_some() { "by `config_dir`" } else { "without `config_dir`" };
    let mut problem = report
        .problem(dir.span)
        .arg("member", on.member.name.as_str())
        .arg("dir", place)
        .arg("told", told)
        .arg("data_dir", host_path::normal(dir.value));
    if let Some((row, _)) = of_server {
        problem = problem.label(row.at, "the server reads this one");
    }
    report.add(problem);
    Ok(())
}

/// `config-base-name-mismatch`: the main file has another name than Patroni looks for.
pub(in crate::rules::native) fn base_name_mismatch(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (_, file, conf) in today::confs(facts) {
        let kept = conf.place();
        let (Some(kept), Some(home)) = (kept, today::known(file.config.config_dir())) else { continue };
        let (Some(base), Some(name)) = (base_name(file), kept.rsplit('/').next()) else { continue };
        let wanted = format!("{base}.conf");
        let is_part = name.ends_with(".base.conf") || name.ends_with(".auto.conf");
        let left = !matches!(file.known_postgresql("custom_conf"), Ok(None));
        if host_path::parent(&kept) != home.value || name == wanted || is_part || left {
            continue;
        }
        let at = file.config.get("postgresql.config_base_name").map_or(home.span, |i| i.span);
        report.add(
            report
                .problem(at)
                .arg("name", name)
                .arg("dir", home.value)
                .arg("wanted", wanted)
                .arg("base", name.trim_end_matches(".conf"))
                .label(conf.at(), "the main file"),
        );
    }
    Ok(())
}

/// `base-conf-already-exists`: Patroni takes the old `postgresql.base.conf` and overwrites postgresql.conf.
pub(in crate::rules::native) fn base_exists(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (member, file, conf) in today::confs(facts) {
        let (Some(base), Some(path)) = (base_name(file), conf.source.path()) else { continue };
        if !matches!(file.known_postgresql("custom_conf"), Ok(None))
            || path.file_name().is_none_or(|n| n.to_str() != Some(&format!("{base}.conf")))
        {
            continue;
        }
        let old = path.with_file_name(format!("{base}.base.conf"));
        // What the file itself includes is no leftover.
        if conf.conf.files().contains(&old) || conf.conf.is_open() {
            continue;
        }
        let at = match facts.conf_at(&old) {
            // With the same text nothing is lost.
            Some(old) if old.source.bytes() == conf.source.bytes() => continue,
            Some(old) => Some(old.source.span(0, 0)),
            None => match facts.node_of(member) {
                Some(node) => report.known(leftover_there(node, file, base)).flatten(),
                None => None,
            },
        };
        if let Some(at) = at {
            report.add(
                report
                    .problem(at)
                    .node(&member.name)
                    .arg("base", format!("{base}.base.conf"))
                    .arg("conf", format!("{base}.conf"))
                    .label(conf.at(), "overwritten"),
            );
        }
    }
    Ok(())
}

/// The leftover on the host of a member, where its text was not had.
fn leftover_there(node: &Node, file: &PatroniFile, base: &str) -> Fact<Option<Span>> {
    let host = node.host()?;
    let Some(home) = today::known(file.config.config_dir()) else { return Ok(None) };
    let path = format!("{}/{base}.base.conf", home.value);
    let gap = || node.not_asked(&path);
    let entry = host.value().paths.get(&path).ok_or_else(gap)?;
    let is_there = node.answer(&path, entry)?.is_some();
    Ok(is_there.then(|| host.at(&["paths", &path])))
}

/// `custom-conf-is-postgresql-conf`: the file that Patroni is to include is the one that it writes.
pub(in crate::rules::native) fn custom_is_own(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let (Some(item), Some(base)) = (custom_conf(file), base_name(file)) else { continue };
        let Some(text) = item.as_str().filter(|t| !is_placeholder(t)) else { continue };
        let own = format!("{base}.conf");
        let is_own = if text.starts_with('/') {
            today::known(file.config.config_dir())
                .is_some_and(|home| host_path::normal(text) == format!("{}/{own}", home.value))
        } else {
            host_path::normal(text) == own
        };
        if is_own {
            report.add(report.problem(item.span).arg("path", text).arg("own", own));
        }
    }
    Ok(())
}

/// `custom-conf-replaces-postgresql-conf`: with a file to include Patroni overwrites postgresql.conf and keeps no copy of it
/// (`ConfigHandler.write_postgresql_conf`).
pub(in crate::rules::native) fn custom_replaces(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (member, file, conf) in today::confs(facts) {
        let (Some(item), Some(base)) = (custom_conf(file), base_name(file)) else { continue };
        let Some(custom) = item.as_str().filter(|t| !is_placeholder(t)) else { continue };
        let own = format!("{base}.conf");
        let is_main = conf.name().as_ref() == Some(&own);
        // A file of the same name elsewhere is most likely this one.
        if custom.is_empty() || !is_main || custom.rsplit('/').next() == Some(&own) {
            continue;
        }
        // Where it lies elsewhere, Patroni writes a new one.
        let kept = conf.place();
        let home = today::known(file.config.config_dir());
        if kept.zip(home).is_some_and(|(kept, home)| host_path::parent(&kept) != home.value) {
            continue;
        }
        report.add(
            report
                .problem(item.span)
                .arg("member", member.name.as_str())
                .arg("own", own)
                .arg("custom", custom)
                .label(conf.at(), "overwritten"),
        );
    }
    Ok(())
}

/// `hba-file-outside-config-dir`
pub(in crate::rules::native) fn hba_file(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    outside("hba_file", "pg_hba", facts, report);
    Ok(())
}

/// `ident-file-outside-config-dir`
pub(in crate::rules::native) fn ident_file(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    outside("ident_file", "pg_ident", facts, report);
    Ok(())
}

/// The server reads a file of its own choice today, and Patroni will make it read that in `config_dir`.
fn outside(parameter: &str, list: &str, facts: &Facts, report: &mut Report) {
    for (member, file, conf) in today::confs(facts) {
        let (Some(named), Some(home)) = (today::path(conf, parameter), today::known(file.config.config_dir())) else {
            continue;
        };
        let plain = format!("{}/{list}.conf", home.value);
        let today_file = host_path::normal(&named.set.value.value);
        let unset = matches!(file.known_parameter(parameter), Ok(None));
        let has_list = file.known_postgresql(list).map_or(true, |l| l.is_some_and(|i| i.open || !i.items().is_empty()));
        // Without `config_dir` all files are sought in the wrong place, which is one cause.
        let all = custom_conf(file).is_none() && !matches!(today::outside_data_dir(file, conf), Ok(None));
        if today_file == plain || !unset || has_list || all {
            continue;
        }
        report.add(
            report
                .problem(named.set.value.span)
                .arg("member", member.name.as_str())
                .arg("file", today_file)
                .arg("plain", plain)
                .label(home.span, "Patroni looks here"),
        );
    }
}

/// `data-directory-guc-mismatch`
pub(in crate::rules::native) fn data_directory(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (member, file, conf) in today::confs(facts).filter(|(member, ..)| told(facts, member).is_none()) {
        let Some(named) = today::path(conf, "data_directory") else { continue };
        differ(member, file, &named.set.value.value, named.set.value.span, report);
    }
    for member in facts.members() {
        let Some(node) = told(facts, member) else { continue };
        let Some(row) = report.known(node.setting("data_directory")) else { continue };
        // Only some roles are told it.
        let Some(row) = report.known(row.ok_or_else(|| node.not_asked("`data_directory`"))) else { continue };
        let file = &facts.patroni[member.file];
        let Some(real) = row.get("setting") else { continue };
        let named = today::known(file.config.data_dir()).map(|d| d.value).unwrap_or_default();
        if without_links(node, &named) != without_links(node, real) {
            differ(member, file, real, row.at, report);
        }
    }
    Ok(())
}

/// Where a path leads, as far as its host tells.
fn without_links(node: &Node, path: &str) -> String {
    let path = host_path::normal(path);
    let entry = node.host().ok().and_then(|host| {
        let host = host.value();
        host.data.get(&path).and_then(|data| data.entry.got()).or_else(|| host.paths.get(&path)?.got())
    });
    let real = entry.and_then(|entry| entry.as_ref()?.real.clone());
    real.unwrap_or(path)
}

fn differ(member: &Member, file: &PatroniFile, today: &str, at: Span, report: &mut Report) {
    let Some(data_dir) = today::known(file.config.data_dir()) else { return };
    let today = host_path::normal(today);
    if today != data_dir.value {
        let problem = report
            .problem(at)
            .node(&member.name)
            .arg("member", member.name.as_str())
            .arg("guc", today)
            .arg("data_dir", data_dir.value);
        report.add(problem.label(data_dir.span, "Patroni watches this one"));
    }
}
