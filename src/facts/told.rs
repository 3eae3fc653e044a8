//! PostgreSQL's configuration as the server tells it, for members whose files were not had: `pg_monitor` may read all settings, and no file.

use std::path::Path;
use std::sync::Arc;

use super::conf_file::Told;
use super::gap::Gap;
use super::nodes::{Node, Row};
use super::running::{is_auto, is_started_by_patroni, value};
use super::{ConfFile, Whole};
use crate::parse::conf::{Assignment, Conf, Located};
use crate::source::{SourceMap, Span, Spanned};

/// Gives each member without a postgresql.conf the one that its server tells of.
pub(super) fn add(facts: &mut Whole, sources: &SourceMap) {
    let without = facts.clusters.iter().enumerate().flat_map(|(c, cluster)| {
        let members = cluster.members.iter().enumerate();
        members.filter_map(move |(m, member)| Some(((c, m), member, member.conf.as_ref().err()?)))
    });
    let told: Vec<((usize, usize), ConfFile)> =
        without.filter_map(|(place, member, gap)| Some((place, conf(facts.node_of(member)?, gap, sources)?))).collect();
    for ((c, m), conf) in told {
        facts.clusters[c].members[m].conf = Ok(facts.confs.len());
        facts.confs.push(conf);
    }
}

/// What the server shows of `archive_command` while `archive_mode` is off (`show_archive_command` in `xlog.c`).
const UNUSED: &str = "(disabled)";

/// `None` when the server tells only a part of its settings, or not where its files are.
fn conf(node: &Node, unread: &Gap, sources: &SourceMap) -> Option<ConfFile> {
    let sees_all = node.rows("server").is_ok_and(|rows| rows.iter().any(|row| row.is("reads_all_settings")));
    let rows = node.rows("settings").ok().filter(|_| sees_all)?;
    let main = node.setting("config_file").ok()??;
    let mut conf = Conf::default();
    for row in rows {
        let (Some(name), Some(from)) = (row.get("name"), row.get("source")) else { continue };
        match from {
            "configuration file" if row.get("setting") != Some(UNUSED) => conf.push(located(name, row)),
            // Nothing sets it; `override` is what the server makes of what it was given.
            "default" | "override" => {}
            // What stands above the files hides what they say.
            _ => conf.hide(Spanned::new(name.to_owned(), name_at(name, row))),
        }
    }
    let source = sources.get(main.at.source);
    let told = Told {
        place: main.get("setting")?.to_owned(),
        at: main.at,
        by_patroni: is_started_by_patroni(node),
        unread: unread.clone(),
    };
    Some(ConfFile::told(source, conf, told))
}

/// A row as a line of the file that it was read from.
fn located(name: &str, row: &Row) -> Located {
    let text = value(row);
    let setting = row.get("setting").unwrap_or_default();
    let start = name_at(name, row).end + 3;
    let at = Span { start, end: start.saturating_add(length(setting)).min(row.at.end), ..row.at };
    let file: Arc<Path> = Path::new(row.get("sourcefile").unwrap_or_default()).into();
    let line = row.number("sourceline").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let set = Assignment::told(Spanned::new(name.to_owned(), name_at(name, row)), Spanned::new(text, at));
    Located { set, file, line, auto: is_auto(row), seq: 0 }
}

/// Where the name stands in the text of a row: at its beginning.
fn name_at(name: &str, row: &Row) -> Span {
    Span { end: row.at.start.saturating_add(length(name)).min(row.at.end), ..row.at }
}

/// The length of a part of a text.
fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}
