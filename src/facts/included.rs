//! What the postgresql.conf that Patroni writes includes: today's, under another name; or another file, where `custom_conf` names one or an
//! earlier `postgresql.base.conf` is still there (`ConfigHandler.write_postgresql_conf`).

use std::path::Path;

use rayon::prelude::*;

use super::Whole;
use super::gap::{Fact, Gap, GapReason};
use super::member::Member;
use crate::parse::conf::{self, Conf};
use crate::parse::patroni::Item;
use crate::source::{ReadError, Reader};

/// What stands below Patroni's own lines.
#[derive(Debug)]
pub enum Included {
    /// Today's postgresql.conf.
    Today,
    /// Another file, with all that it includes.
    Other {
        /// Whether `custom_conf` names it.
        custom: bool,
        /// What it says.
        conf: Conf,
    },
}

/// Reads it for every member with a `postgresql.conf`.
pub(super) fn read(facts: &mut Whole, reader: &dyn Reader) {
    let with_file: Vec<(usize, usize, &Member, usize)> = facts
        .clusters
        .iter()
        .enumerate()
        .flat_map(|(c, cluster)| cluster.members.iter().enumerate().map(move |(m, member)| (c, m, member)))
        .filter_map(|(c, m, member)| Some((c, m, member, *member.conf.as_ref().ok()?)))
        .collect();
    let found: Vec<(usize, usize, Fact<Included>)> =
        with_file.into_par_iter().map(|(c, m, member, conf)| (c, m, of_member(facts, member, conf, reader))).collect();
    for (c, m, included) in found {
        if let Ok(Included::Other { conf, .. }) = &included {
            facts.secret_spans.extend(conf.assignments().iter().flat_map(|l| l.set.secret_spans()));
        }
        facts.clusters[c].members[m].included = included;
    }
}

fn of_member(facts: &Whole, member: &Member, conf: usize, reader: &dyn Reader) -> Fact<Included> {
    let file = &facts.patroni[member.file];
    let known = |key: &str| file.known_postgresql(key).map_err(|gap| gap.on(&member.name));
    let custom = known("custom_conf")?.filter(|item| item.is_true()).map(|item| item.as_str().unwrap_or_default());
    let base = known("config_base_name")?.and_then(Item::as_str).unwrap_or("postgresql");
    let beside = format!("{base}.base.conf");
    let name = custom.unwrap_or(&beside);
    let gap = |why| Gap::new(format!("`{name}`, which Patroni's postgresql.conf includes,"), why).on(&member.name);
    let conf = &facts.confs[conf];
    // One that Patroni has written includes it already.
    if conf.is_written_by_patroni() {
        return Ok(Included::Today);
    }
    let Some(main) = conf.source.path() else {
        return if custom.is_some() { Err(gap(GapReason::NotGiven)) } else { Ok(Included::Today) };
    };
    let path = reader.resolve(name, main);
    if custom.is_some() && path == *main {
        return Ok(Included::Today);
    }
    match reader.read(&path) {
        Ok(source) => Ok(other(reader, source.path().unwrap_or(&path), custom.is_some())),
        Err(ReadError::Missing) if custom.is_none() => Ok(Included::Today),
        Err(ReadError::Missing) => Err(gap(GapReason::Unreadable).because("there is no such file")),
        Err(ReadError::Denied) => Err(gap(GapReason::Denied)),
        Err(_) => Err(gap(GapReason::NotGiven)),
    }
}

fn other(reader: &dyn Reader, path: &Path, custom: bool) -> Included {
    Included::Other { custom, conf: conf::load(reader, path, None).tree }
}
