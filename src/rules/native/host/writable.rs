//! Directories that Patroni has to write to, as they are on the host.

use crate::bundle::host::Kind;
use crate::facts::gap::{Fact, Gap};
use crate::facts::host_path::parent;
use crate::facts::{Facts, PatroniFile};
use crate::rules::native::on_host::{OnHost, each, each_with};
use crate::rules::report::Report;

/// Why Patroni cannot make a file in a directory; `None` when it can. One that does not exist Patroni makes, if it may
/// (`utils.py:validate_directory`); `is_made` says whether it tries to.
pub(in crate::rules::native) fn fault(on: &OnHost<'_>, dir: &str, is_made: bool) -> Fact<Option<String>> {
    let mut dir = match dir.trim_end_matches('/') {
        "" => "/",
        dir => dir,
    };
    let asked = dir;
    loop {
        match on.entry(dir)? {
            Some(entry) if entry.kind != Kind::Directory => return Ok(Some(format!("{dir} is not a directory"))),
            Some(_) => break,
            None if !is_made => return Ok(Some(format!("{dir} does not exist"))),
            None => dir = parent(dir),
        }
    }
    let (user, access) = on.access(dir)?;
    Ok(match (access.write && access.execute, dir == asked) {
        (true, _) => None,
        (false, true) => Some(format!("user {user} may not write to it")),
        (false, false) => Some(format!("it does not exist, and user {user} may not make it in {dir}")),
    })
}

/// `pgpass-dir-not-writable`
pub(in crate::rules::native) fn pgpass(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    // With Kerberos there is no such file.
    let has_file = |file: &PatroniFile| {
        file.config.get("postgresql.pgpass").is_some() && file.config.get("postgresql.krbsrvname").is_none()
    };
    each_with(facts, report, has_file, |on, report| {
        let Some(path) = on.path("postgresql.pgpass")? else { return Ok(()) };
        let dir = parent(path.value);
        // What is there and is no file is the fault, wherever it lies.
        if let Ok(Some(entry)) = on.entry(path.value)
            && !matches!(entry.kind, Kind::File | Kind::DeadLink)
        {
            return Ok(());
        }
        if let Some(fault) = fault(on, dir, true)? {
            let problem = report.problem(path.span).arg("member", on.member.name.as_str()).arg("dir", dir);
            report.add(problem.arg("fault", fault).arg("user", on.user()?));
        }
        Ok(())
    });
    Ok(())
}

/// `config-dir-not-writable`
pub(in crate::rules::native) fn config_dir(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let key =
            if on.path("postgresql.config_dir")?.is_some() { "postgresql.config_dir" } else { "postgresql.data_dir" };
        let Some(dir) = on.path(key)? else { return Ok(()) };
        // Without a directory there is nothing to take over.
        if on.entry(dir.value)?.is_none() {
            return Ok(());
        }
        if let Some((path, fault)) = conf_fault(on, dir.value.trim_end_matches('/'))? {
            let problem = report.problem(dir.span).arg("member", on.member.name.as_str()).arg("path", path);
            report.add(problem.arg("fault", fault).arg("user", on.user()?));
        }
        Ok(())
    });
    Ok(())
}

/// What Patroni may not write to, and why: at take-over it renames postgresql.conf, so the directory counts; with the old file beside
/// it already, only the file (`config.py:ConfigHandler.write_postgresql_conf`).
fn conf_fault(on: &OnHost<'_>, dir: &str) -> Fact<Option<(String, String)>> {
    let (file, old) = (format!("{dir}/postgresql.conf"), format!("{dir}/postgresql.base.conf"));
    if on.entry(&file)?.is_none() || on.entry(&old)?.is_none() {
        return Ok(fault(on, dir, false)?.map(|fault| (dir.to_owned(), fault)));
    }
    let (user, access) = on.access(&file)?;
    Ok((!access.write).then(|| (file, format!("user {user} may not write to it"))))
}

/// `socket-dir-not-writable`
pub(in crate::rules::native) fn sockets(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_with(
        facts,
        report,
        |file| file.written_parameter("unix_socket_directories").is_some(),
        |on, report| {
            let known = on.file.known_parameter("unix_socket_directories").map_err(|gap| gap.on(&on.node.name))?;
            let Some((item, list)) = known.and_then(|item| Some((item, item.as_str()?))) else { return Ok(()) };
            for dir in list.split(',').map(str::trim).filter(|d| d.starts_with('/')) {
                if let Some(fault) = fault(on, dir, true)? {
                    let problem = report.problem(item.span).arg("member", on.member.name.as_str()).arg("dir", dir);
                    report.add(problem.arg("fault", fault).arg("user", on.user()?));
                }
            }
            Ok(())
        },
    );
    Ok(())
}

/// `log-dir-missing`
pub(in crate::rules::native) fn log(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_with(
        facts,
        report,
        |file| file.config.get("log.dir").is_some(),
        |on, report| {
            let Some(dir) = on.path("log.dir")? else { return Ok(()) };
            if let Some(fault) = fault(on, dir.value, false)? {
                let problem = report.problem(dir.span).arg("member", on.member.name.as_str()).arg("dir", dir.value);
                report.add(problem.arg("fault", fault).arg("user", on.user()?));
            }
            Ok(())
        },
    );
    Ok(())
}
