//! Standbys that keep the data of the old major.

use crate::facts::gap::{Fact, Gap};
use crate::facts::{Facts, LiveMember};
use crate::rules::native::on_host::OnHost;
use crate::rules::native::upgrade::control::is_older;
use crate::rules::native::upgrade::each;
use crate::rules::report::Report;

/// `upgrade-standby-not-wiped`: one member has the new major, and another one still the data of the old one under new programs.
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let here = OnHost::of(facts, LiveMember { node: on.node, member: on.member })?;
        let Some((dir, version)) = version_of(&here)? else { return Ok(()) };
        if !is_older(version, on.to) {
            return Ok(());
        }
        let Some(bin) = here.path("postgresql.bin_dir")? else { return Ok(()) };
        let Some(programs) = here.host.value().programs.get(bin.value) else {
            return here.gap(format!("the programs in {}", bin.value));
        };
        let said = on.node.answer("the version of the programs", &programs.version)?;
        if !is_of(said, on.to) {
            // Nothing is changed here yet; that members differ, another rule says.
            return Ok(());
        }
        let Some(cluster) = facts.cluster_of(here.member.file) else { return Ok(()) };
        let to = on.to.to_string();
        let mut upgraded =
            cluster.members.iter().filter(|member| member.file != here.member.file).filter_map(|member| {
                let other =
                    OnHost::of(facts, LiveMember { node: facts.node_of(member)?, member: Some(member) }).ok()?;
                let (_, version) = version_of(&other).ok()??;
                (version == to).then_some(other)
            });
        let Some(first) = upgraded.next() else { return Ok(()) };
        report.add(
            report
                .problem(bin.span)
                .arg("member", &*on.node.name)
                .arg("dir", dir)
                .arg("old", version)
                .arg("to", to.as_str())
                .arg("first", &*first.node.name)
                .label(here.data_at(dir, "version"), format!("the data of {}", on.node.name)),
        );
        Ok(())
    });
    Ok(())
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
