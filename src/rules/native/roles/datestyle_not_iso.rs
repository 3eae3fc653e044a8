//! A `DateStyle` in which psycopg 3 cannot read the times that Patroni asks for (`api.py:get_postgresql_status`). psycopg2 sets its own.

use std::collections::BTreeSet;

use super::quoted;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::running::{speaker_of, told};
use crate::facts::take_over::later;
use crate::facts::{Facts, LiveMember, Member};
use crate::parse::date_style::DateStyle;
use crate::parse::patroni::Item;
use crate::rules::native::host::python::takes_psycopg2;
use crate::rules::native::on_host::OnHost;
use crate::rules::report::Report;
use crate::secret::Secret;
use crate::source::Span;

const SETTING: &str = "DateStyle";

/// What a session gets, and where that is set.
struct Set {
    style: DateStyle,
    at: Span,
}

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for member in facts.members() {
        let config = &facts.patroni[member.file].config;
        let text = |path: &str| config.get(path).and_then(Item::as_str);
        let Some(user) = text("postgresql.authentication.superuser.username") else { continue };
        let database = text("postgresql.database").unwrap_or("postgres");
        let Some(Some(set)) = report.known(of_session(facts, member, user, database)) else { continue };
        if set.style.is_iso() || reads_any(facts, member) || !said.insert(set.at) {
            continue;
        }
        let iso = DateStyle { style: DateStyle::DEFAULT.style, ..set.style };
        let problem = report.problem(set.at).node(&member.name).arg("role", user).arg("quoted", quoted(user));
        report.add(problem.arg("style", set.style.to_string()).arg("iso", iso.to_string()));
    }
    Ok(())
}

/// What a session of a role in a database starts with: what is set for both counts before what is set for the role, for the
/// database, and for all (`process_settings` in `src/backend/utils/init/postinit.c`), and that before what the server has.
fn of_session(facts: &Facts, member: &Member, user: &str, database: &str) -> Fact<Option<Set>> {
    let server = match later(facts, member, SETTING) {
        // That nobody handed over any says another rule, for all that ask for it.
        Err(gap) if gap.why == GapReason::NotGiven && facts.confs.is_empty() && told(facts, member).is_none() => None,
        known => known?,
    };
    let unknown = || {
        let what = format!("what `{SETTING}` is for role `{user}`");
        Gap::new(what, GapReason::Unreadable).on(&member.name)
    };
    if server.as_ref().is_some_and(|used| !DateStyle::is_one(&used.value)) {
        return Err(unknown());
    }
    let mut set = server.and_then(|used| Some(Set { style: DateStyle::DEFAULT.then(&used.value), at: used.at? }));
    let before = set.as_ref().map_or(DateStyle::DEFAULT, |set| set.style);
    let mut forced: [Option<Set>; 4] = [const { None }; 4];
    // What a template leaves out of a script may be what makes it right.
    let mut is_open = false;
    let mut force = |role: Option<&str>, of: Option<&str>, value: Option<&str>, at: Span| {
        if role.is_none_or(|role| role == user) && of.is_none_or(|of| of == database) {
            is_open |= value.is_some_and(|value| !DateStyle::is_one(value));
            let rank = 2 * usize::from(role.is_some()) + usize::from(of.is_some());
            forced[rank] = value.map(|value| Set { style: before.then(value), at });
        }
    };
    if let Some(node) = speaker_of(facts, member) {
        for row in node.rows("role_settings")? {
            let filled = |column: &str| row.get(column).filter(|text| !text.is_empty());
            if row.get("name").is_some_and(|name| name.eq_ignore_ascii_case(SETTING)) {
                force(filled("role"), filled("database"), row.get("setting"), row.at);
            }
        }
    } else {
        for of_file in member.sqls.iter().flat_map(|i| &facts.sqls[*i].sql.role_settings) {
            if of_file.name.eq_ignore_ascii_case(SETTING) || of_file.name == "all" {
                let role = of_file.role.as_ref().map(|role| role.value.as_str());
                force(role, of_file.database.as_deref(), of_file.value.as_ref().map(Secret::reveal), of_file.span);
            }
        }
    }
    if let Some(last) = forced.into_iter().rev().flatten().next() {
        set = Some(last);
    }
    is_open |= speaker_of(facts, member).is_none() && member.sqls.iter().any(|i| facts.sqls[*i].sql.is_open());
    match set {
        Some(set) if is_open && !set.style.is_iso() => Err(unknown()),
        set => Ok(set),
    }
}

/// Whether Patroni is known to use psycopg2, which asks for ISO itself.
fn reads_any(facts: &Facts, member: &Member) -> bool {
    let live = facts.live().find(|live| live.member.is_some_and(|m| m.file == member.file));
    let on = live.and_then(|live: LiveMember<'_>| OnHost::of(facts, live).ok());
    on.is_some_and(|on| takes_psycopg2(&on) == Ok(true))
}
