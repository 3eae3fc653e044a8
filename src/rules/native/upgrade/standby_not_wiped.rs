//! Standbys that keep the data of the old major.

use crate::facts::gap::{Fact, Gap};
use crate::facts::{Facts, LiveMember};
use crate::rules::native::on_host::OnHost;
use crate::rules::native::upgrade::control::is_older;
use crate::rules::native::upgrade::{Upgraded, each};
use crate::rules::report::Report;
use crate::source::Span;

/// Data of the old major, and what tells so.
struct Left<'a> {
    here: OnHost<'a>,
    dir: &'a str,
    version: &'a str,
    bin: Span,
    /// The member that has the new major.
    first: &'a str,
}

/// `upgrade-standby-not-wiped`: one member has the new major, and another one still the data of the old one under new programs.
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some(left) = left(facts, on)? else { return Ok(()) };
        let name = &*on.node.name;
        report.add(
            report
                .problem(left.bin)
                .arg("member", name)
                .arg("dir", left.dir)
                .arg("old", left.version)
                .arg("to", on.to.to_string())
                .arg("first", left.first)
                .label(left.here.data_at(left.dir, "version"), format!("the data of {name}")),
        );
        Ok(())
    });
    Ok(())
}

/// Whether that is so at a member: that it belongs to another cluster by now has no other cause then.
pub(in crate::rules::native) fn is_left(facts: &Facts, live: LiveMember<'_>) -> bool {
    let on = facts.upgrade.as_ref().map(|upgrade| Upgraded { to: upgrade.to, node: live.node, member: live.member });
    on.is_some_and(|on| left(facts, &on).is_ok_and(|left| left.is_some()))
}

fn left<'a>(facts: &'a Facts, on: &Upgraded<'a>) -> Fact<Option<Left<'a>>> {
    let here = OnHost::of(facts, LiveMember { node: on.node, member: on.member })?;
    let Some((dir, version)) = version_of(&here)?.filter(|(_, version)| is_older(version, on.to)) else {
        return Ok(None);
    };
    let Some(bin) = here.path("postgresql.bin_dir")? else { return Ok(None) };
    let Some(programs) = here.host.value().programs.get(bin.value) else {
        return here.gap(format!("the programs in {}", bin.value));
    };
    let said = on.node.answer("the version of the programs", &programs.version)?;
    // With old programs nothing is changed here yet; that members differ, another rule says.
    let Some(cluster) = facts.cluster_of(here.member.file).filter(|_| is_of(said, on.to)) else { return Ok(None) };
    let to = on.to.to_string();
    let others = cluster.members.iter().filter(|member| member.file != here.member.file);
    let mut upgraded = others.filter_map(|member| {
        let live = LiveMember { node: facts.node_of(member)?, member: Some(member) };
        let (_, version) = version_of(&OnHost::of(facts, live).ok()?).ok()??;
        (version == to).then_some(&*live.node.name)
    });
    Ok(upgraded.next().map(|first| Left { here, dir, version, bin: bin.span, first }))
}

/// The data directory of a member and its `PG_VERSION`; `None` where there is none.
fn version_of<'a>(on: &OnHost<'a>) -> Fact<Option<(&'a str, &'a str)>> {
    let Some((dir, data)) = on.data()? else { return Ok(None) };
    if on.names(data)?.is_none() {
        return Ok(None);
    }
    let version = on.node.answer("the version of the data", &data.version)?;
    Ok(version.as_deref().map(|version| (dir.value, version)))
}

/// Whether what `postgres -V` says is of a major: `postgres (PostgreSQL) 16.4`.
fn is_of(said: &str, major: u16) -> bool {
    let number = said.split(' ').find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number.and_then(|n| n.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()) == Some(major)
}
