//! What `pg_controldata` says of the old cluster and of the new one (`controldata.c:check_control_data`).

use crate::bundle::host::DataDir;
use crate::facts::gap::{Fact, Gap};
use crate::facts::{Cluster, Facts};
use crate::rules::native::on_host::OnHost;
use crate::rules::native::upgrade::{Upgraded, each, each_primary};
use crate::rules::report::Report;
use crate::source::Span;

const CHECKSUMS: &str = "Data page checksum version";
const STATE: &str = "Database cluster state";

/// The first major whose initdb switches checksums on by itself.
const CHECKSUMS_BY_DEFAULT: u16 = 18;

/// What initdb and the build decide: the column of `pg_control_init()`, the line of `pg_controldata`, what it is, and the option.
const SIZES: [(&str, &str, &str, &str); 4] = [
    ("bytes_per_wal_segment", "Bytes per WAL segment", "segments of WAL", "--wal-segsize"),
    ("database_block_size", "Database block size", "blocks", "a build with the same --with-blocksize"),
    ("wal_block_size", "WAL block size", "blocks of WAL", "a build with the same --with-wal-blocksize"),
    (
        "blocks_per_segment",
        "Blocks per segment of large relation",
        "files of relations",
        "a build with the same --with-segsize",
    ),
];

/// What the running server says of its own data.
fn running<'a>(on: &Upgraded<'a>, column: &str) -> Fact<(&'a str, Span)> {
    let missing = || on.node.not_asked(&format!("`{column}`"));
    let row = on.node.row("control_init")?.ok_or_else(missing)?;
    Ok((row.get(column).ok_or_else(missing)?, row.at))
}

/// `upgrade-checksums-differ`
pub(in crate::rules::native) fn checksums(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_primary(facts, report, |on, report| {
        let (old, at) = running(on, "data_page_checksum_version")?;
        let has_old = old != "0";
        let (has_new, place, state) = match on.new_data()? {
            Some((dir, server)) => {
                let has_new = on.new_control(server, CHECKSUMS)? != "0";
                (has_new, Some((server.at(&["data", "control", CHECKSUMS]), dir)), "has")
            }
            None => (on.to >= CHECKSUMS_BY_DEFAULT, None, "will have"),
        };
        if has_old == has_new {
            // What initdb would do of itself is no promise.
            return if place.is_none() { on.made_data().map(|_| ()) } else { Ok(()) };
        }
        let option = if has_old { "--data-checksums" } else { "--no-data-checksums" };
        let switch = if has_new { "--disable" } else { "--enable" };
        let words = |has: bool| if has { "data checksums" } else { "no data checksums" };
        let mut problem = report
            .problem(at)
            .arg("member", &*on.node.name)
            .arg("old", words(has_old))
            .arg("new", words(has_new))
            .arg("state", state)
            .arg("how", if place.is_some() { "" } else { ", as initdb makes it of itself" })
            .arg("to", on.to.to_string())
            .arg("option", if has_old || on.to >= CHECKSUMS_BY_DEFAULT { option } else { "without `--data-checksums`" })
            .arg("bin", on.ready()?.bin_dir(on.node)?.trim_end_matches('/'))
            .arg("data", on.ready()?.data_dir(on.node)?)
            .arg("switch", switch);
        if let Some((place, dir)) = place {
            problem = problem.label(place, format!("of {dir}"));
        }
        report.add(problem);
        Ok(())
    });
    Ok(())
}

/// `upgrade-encoding-locale`: since 16 `pg_upgrade` gives the new cluster encoding and locale of the old one; sizes it cannot change.
pub(in crate::rules::native) fn sizes(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    const SETS_LOCALE: u16 = 16;
    each_primary(facts, report, |on, report| {
        let (dir, server) = on.made_data()?;
        for (column, label, what, option) in SIZES {
            let ((old, at), new) = (running(on, column)?, on.new_control(server, label)?);
            if old != new {
                report.add(
                    report
                        .problem(at)
                        .arg("member", &*on.node.name)
                        .arg("what", what)
                        .arg("old", old)
                        .arg("new", new)
                        .arg("dir", dir)
                        .arg("option", option)
                        .label(server.at(&["data", "control", label]), format!("of {dir}")),
                );
            }
        }
        if on.to < SETS_LOCALE {
            let what = "encoding and locale of the new cluster, which pg_upgrade compares before 16,";
            return Err(on.node.not_asked(what).because("a server that does not run does not tell them"));
        }
        Ok(())
    });
    Ok(())
}

/// Data of the old major that no server runs on.
struct Stopped<'a> {
    on: OnHost<'a>,
    state: &'a str,
    dir: &'a str,
    is_standby: bool,
}

/// `upgrade-unclean-shutdown`
pub(in crate::rules::native) fn shutdown(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut stopped: Vec<Stopped<'_>> = Vec::new();
    each(facts, report, |on, _| {
        stopped.extend(of_stopped(facts, on)?);
        Ok(())
    });
    for cluster in facts.clusters() {
        let own: Vec<&Stopped<'_>> = stopped.iter().filter(|s| is_in(cluster, s)).collect();
        let runs =
            |member: &crate::facts::Member| facts.node_of(member).is_some_and(|node| node.is_standby() == Ok(false));
        if own.iter().any(|s| s.state == "shut down") || cluster.members.iter().any(runs) {
            continue;
        }
        // Behind the upgrade of one member the data of the others are of no use any more.
        if cluster.members.iter().any(|member| is_upgraded(facts, member)) {
            continue;
        }
        // The one that was the primary, as far as the data tell it.
        let was = own.iter().find(|s| !s.is_standby).or(own.first());
        let Some(was) = was else { continue };
        let is_recovered = was.state == "shut down in recovery";
        let (effect, said) = if is_recovered {
            ("was stopped as a standby", "The source cluster was shut down while in recovery mode.")
        } else {
            ("was not shut down", "The source cluster was not shut down cleanly")
        };
        let todo = if is_recovered {
            "start it as a primary: without `standby.signal` and `recovery.signal`, with Patroni stopped or paused"
        } else {
            "start it once more with the old programs"
        };
        let name = &was.on.node.name;
        report.add(
            report
                .problem(was.on.data_at(was.dir, "control"))
                .node(name)
                .arg("member", &**name)
                .arg("dir", was.dir)
                .arg("state", was.state)
                .arg("effect", effect)
                .arg("said", said)
                .arg("todo", todo),
        );
    }
    Ok(())
}

/// Whether the data directory of a member holds the new major.
fn is_upgraded(facts: &Facts, member: &crate::facts::Member) -> bool {
    let to = facts.upgrade.as_ref().map(|upgrade| upgrade.to.to_string());
    let Some(node) = facts.node_of(member) else { return false };
    let live = crate::facts::LiveMember { node, member: Some(member) };
    let data = OnHost::of(facts, live).and_then(|host| host.data());
    data.is_ok_and(|data| data.is_some_and(|(_, data)| data.version.got().is_some_and(|version| *version == to)))
}

fn is_in(cluster: &Cluster, stopped: &Stopped<'_>) -> bool {
    cluster.members.iter().any(|member| member.file == stopped.on.member.file)
}

fn of_stopped<'a>(facts: &'a Facts, on: &Upgraded<'a>) -> Fact<Option<Stopped<'a>>> {
    if on.node.is_standby().is_ok() {
        return Ok(None);
    }
    let live = crate::facts::LiveMember { node: on.node, member: on.member };
    let host = OnHost::of(facts, live)?;
    let Some((dir, data)) = host.data()? else { return host.gap("the data directory") };
    let Some(names) = host.names(data)? else { return Ok(None) };
    let version = on.node.answer("the version of the data", &data.version)?;
    if !version.as_ref().is_some_and(|v| is_older(v, on.to)) || host.server_in(data)?.is_some() {
        return Ok(None);
    }
    let is_standby = names.iter().any(|name| name == "standby.signal");
    Ok(Some(Stopped { on: host, state: state(on, data)?, dir: dir.value, is_standby }))
}

/// Whether a major that `PG_VERSION` names comes before another one.
pub(super) fn is_older(version: &str, to: u16) -> bool {
    version.parse::<u16>().is_ok_and(|major| major < to)
}

fn state<'a>(on: &Upgraded<'a>, data: &'a DataDir) -> Fact<&'a str> {
    let control = on.node.answer("pg_controldata", &data.control)?;
    control.get(STATE).map(String::as_str).ok_or_else(|| on.node.not_asked(&format!("`{STATE}`")))
}
