//! Whether a user map lets a client be a role: `check_usermap` and `check_ident_usermap` in `src/backend/libpq/hba.c`.

use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::hba_decision::not_understood;
use crate::facts::roles::RoleGraph;
use crate::parse::are::GroupMatch;
use crate::parse::ident::{Ident, IdentLine, IdentName};

/// What is asked of a map.
#[derive(Debug, Clone, Copy)]
pub struct MapQuestion<'a> {
    /// The `map` option of the deciding line. Without one the two names must be equal.
    pub map: Option<&'a str>,
    /// Who the client is outside of the database.
    pub system_user: &'a str,
    /// Who it wants to be.
    pub pg_user: &'a str,
    /// `krb_caseins_users`, for `gss` and `sspi` alone.
    pub ignore_case: bool,
}

/// Whether the client may be that role.
///
/// The first line that fits lets it in. A line whose `\1` has no group to stand for ends the search with "no".
///
/// # Errors
/// When a fact is missing that could change the answer.
pub fn ident_maps(ident: &Ident, ask: &MapQuestion<'_>, roles: &Fact<&RoleGraph>) -> Fact<bool> {
    let Some(map) = ask.map.filter(|m| !m.is_empty()) else { return Ok(same(ask, ask.pg_user, ask.system_user)) };
    if ident.is_open() {
        return Err(Gap::new("`pg_ident.conf` (a template fills it in)", GapReason::Unreadable));
    }
    let (mut missing, mut may_break) = (None, false);
    for line in ident.lines.iter().filter(|l| l.map.value == map) {
        match fits(line, ident.version, ask, roles) {
            // A line in doubt could have let the client in before, or have ended the search.
            Ok(Answer::Yes) if !may_break => return Ok(true),
            Ok(Answer::Yes) => return missing.map_or(Ok(true), Err),
            Ok(Answer::Broken) => return missing.map_or(Ok(false), Err),
            Ok(Answer::No) => {}
            Err(gap) => {
                missing = missing.or(Some(gap));
                may_break |= line.system_user.value.regex.is_some() && line.pg_user.value.text.contains("\\1");
            }
        }
    }
    missing.map_or(Ok(false), Err)
}

enum Answer {
    Yes,
    No,
    /// The server logs an error and looks no further.
    Broken,
}

fn same(ask: &MapQuestion<'_>, a: &str, b: &str) -> bool {
    if ask.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b }
}

fn fits(line: &IdentLine, version: u16, ask: &MapQuestion<'_>, roles: &Fact<&RoleGraph>) -> Fact<Answer> {
    let wanted = &line.pg_user.value;
    let yes_no = |fits: Fact<bool>| fits.map(|yes| if yes { Answer::Yes } else { Answer::No });
    let Some(are) = &line.system_user.value.regex else {
        if !same(ask, &line.system_user.value.text, ask.system_user) {
            return Ok(Answer::No);
        }
        return yes_no(role_fits(wanted, version, ask, roles));
    };
    match are.is_match(ask.system_user) {
        None => return Err(not_understood(are.pattern())),
        Some(false) => return Ok(Answer::No),
        Some(true) => {}
    }
    let special = version >= 16 && (is_group(wanted) || wanted.regex.is_some());
    if special || !wanted.text.contains("\\1") {
        return yes_no(role_fits(wanted, version, ask, roles));
    }
    match are.first_group(ask.system_user) {
        None => Err(Gap::new(
            format!("what the first group of \"{}\" takes from \"{}\" is not certain", are.pattern(), ask.system_user),
            GapReason::Unreadable,
        )),
        Some(GroupMatch::NoMatch) => Ok(Answer::No),
        Some(GroupMatch::NoGroup) => Ok(Answer::Broken),
        Some(GroupMatch::Text(group)) => {
            let expanded = wanted.text.replacen("\\1", &group, 1);
            Ok(if same(ask, &expanded, ask.pg_user) { Answer::Yes } else { Answer::No })
        }
    }
}

fn is_group(name: &IdentName) -> bool {
    !name.quoted && name.text.starts_with('+')
}

/// `check_role`; before 16 a role in a map is nothing but a name.
fn role_fits(wanted: &IdentName, version: u16, ask: &MapQuestion<'_>, roles: &Fact<&RoleGraph>) -> Fact<bool> {
    if version >= 16 {
        if is_group(wanted) {
            let roles = roles.clone()?;
            return Ok(roles.memberships(ask.pg_user).contains(&wanted.text[1..]));
        }
        if !wanted.quoted && wanted.text == "all" {
            return Ok(true);
        }
        if let Some(are) = &wanted.regex {
            return are.is_match(ask.pg_user).ok_or_else(|| not_understood(are.pattern()));
        }
    }
    Ok(same(ask, &wanted.text, ask.pg_user))
}
