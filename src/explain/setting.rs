//! The page of a setting of PostgreSQL.

use super::about::rules_about;
use super::{Page, Subject, layers};
use crate::facts::enforced::{default_of, floor_of};
use crate::knowledge::guc::{self, Context, Guc, Kind};
use crate::knowledge::guc_history::{added_in, removed_in, renamed};
use crate::knowledge::patroni::{Accepts, Version, command_line_setting, setting};

pub(super) fn page(name: &str) -> Option<Page> {
    let newest = guc::MAJORS.rev().find_map(|v| guc::find(name, v).map(|g| (v, g)));
    let rename = renamed(name, *guc::MAJORS.end());
    let known = setting(name).next();
    let own = newest.map(|n| n.1.name).or_else(|| known.map(|s| s.name)).or_else(|| rename.map(|r| r.old))?;
    let mut page = Page::new(Subject::Setting, own, "setting of PostgreSQL");
    for (since, until, guc) in runs(own) {
        let majors = if since == until { format!("in {since}") } else { format!("in {since} to {until}") };
        page.fact("value", format!("{majors}: {}", value(guc)));
    }
    if newest.is_none_or(|(_, g)| !g.name.eq_ignore_ascii_case(name)) {
        page.fact(
            "name",
            rename.map(|r| format!("`{name}` is its name before {}; now `{}`", r.since, r.new)).unwrap_or_default(),
        );
    }
    let history: Vec<String> = [
        added_in(own).map(|v| format!("new in {v}")),
        removed_in(own).map(|v| format!("gone in {v}")),
        renamed(own, *guc::MAJORS.end()).map(|r| format!("`{}` since {}", r.new, r.since)),
    ]
    .into_iter()
    .flatten()
    .collect();
    page.fact("PostgreSQL", history.join("; "));
    under_patroni(&mut page, own);
    page.fact("change", newest.map(|(_, g)| change(g.context)).unwrap_or_default());
    let told = layers::told(own, newest.map(|(_, guc)| guc));
    (page.layers, page.edits, page.change) = (told.layers, told.edits, Some(told.change));
    page.rules = rules_about(own, own);
    if command_line_setting(own, Version::LATEST).is_some() {
        let family =
            crate::rules::builtin::BUILTIN.iter().map(|r| r.id.to_string()).filter(|id| id.starts_with("cmdline-guc-"));
        page.rules.extend(family);
        page.rules.sort();
        page.rules.dedup();
    }
    Some(page)
}

/// The majors in which a setting is the same, oldest first.
fn runs(name: &str) -> Vec<(u16, u16, &'static Guc)> {
    let mut runs: Vec<(u16, u16, &'static Guc)> = Vec::new();
    for major in guc::MAJORS {
        let Some(guc) = guc::find(name, major) else { continue };
        match runs.last_mut() {
            Some((_, until, last)) if *until + 1 == major && value(last) == value(guc) => *until = major,
            _ => runs.push((major, major, guc)),
        }
    }
    runs
}

fn value(guc: &Guc) -> String {
    let unit =
        |u: Option<crate::knowledge::units::Unit>| u.map(|u| format!(" counted in {}", u.name())).unwrap_or_default();
    let kind = match &guc.kind {
        Kind::Bool => "on or off".to_owned(),
        Kind::Int { min, max, unit: u } => format!("an integer{}, {min} to {max}", unit(*u)),
        Kind::Real { min, max, unit: u } => format!("a number{}, {min} to {max}", unit(*u)),
        Kind::Enum { labels, .. } => format!("one of {}", labels.join(", ")),
        Kind::Str => "text".to_owned(),
    };
    if guc.default.is_empty() { kind } else { format!("{kind}; default {}", guc.default) }
}

fn under_patroni(page: &mut Page, name: &str) {
    let known = setting(name).next();
    if let Some(own) = command_line_setting(name, Version::LATEST) {
        // `postmaster.py:PostmasterProcess.start` is given all of them but these two.
        let in_file = name.starts_with("wal_keep_");
        let way = if in_file {
            "writes it into postgresql.conf"
        } else {
            "gives it on the command line of PostgreSQL, which beats every file"
        };
        page.fact("Patroni", way);
        if own.accepts == Accepts::Never {
            page.fact(
                "wins",
                "Patroni itself, which takes it from `scope` or `postgresql.listen`; no parameter counts",
            );
        } else {
            page.fact(
                "wins",
                format!(
                    "`postgresql.parameters.{name}` of the dynamic configuration (`patronictl edit-config`), in a file `bootstrap.dcs.postgresql.parameters.{name}` while \
                     there is none; postgresql.conf and `postgresql.parameters` of a file have no say"
                ),
            );
            page.fact("accepted", format!("{}; anything else becomes {}", floor_of(own), default_of(own)));
            page.fact("default", format!("{} under Patroni", default_of(own)));
        }
        return;
    }
    match known {
        Some(s) if s.recovery && layers::FOLLOWED.contains(&name) => {
            page.fact(
                "Patroni",
                "writes its own where the server follows another one, and removes it from postgresql.auto.conf",
            );
            return;
        }
        Some(s) if s.recovery => {
            page.fact(
                "Patroni",
                "belongs into `postgresql.recovery_conf`; Patroni removes it from postgresql.auto.conf",
            );
            return;
        }
        Some(s) => {
            let bounds = match (s.min, s.max) {
                (None, None) => String::new(),
                (low, high) => format!(
                    "; numbers are drawn into {} to {}{}",
                    low.unwrap_or("-"),
                    high.unwrap_or("-"),
                    s.unit.map(|u| format!(" {u}")).unwrap_or_default()
                ),
            };
            page.fact("Patroni", format!("writes it into postgresql.conf after checking it{bounds}"));
        }
        None => page.fact("Patroni", "hands it on when the server knows it"),
    }
    page.fact(
        "wins",
        "postgresql.auto.conf (ALTER SYSTEM) over `postgresql.parameters` of a file over the dynamic configuration over the former postgresql.conf, now postgresql.base.conf",
    );
}

const fn change(context: Context) -> &'static str {
    match context {
        Context::Internal => "cannot be set",
        Context::Postmaster => "restart of PostgreSQL: `patronictl restart` where it shows `Pending restart`",
        Context::Sighup => "reload, which Patroni makes by itself",
        Context::SuperuserBackend | Context::Backend => "reload, which Patroni makes by itself; new sessions see it",
        Context::Superuser => "reload, which Patroni makes by itself; superusers may set it in a session",
        Context::User => "reload, which Patroni makes by itself; anyone may set it in a session",
    }
}
