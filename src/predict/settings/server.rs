//! How a server comes to the values of its settings: when it starts, and when it reads its files again (`guc.c`: `ProcessConfigFile`,
//! `set_config_option`, `SelectConfigFiles`).

use super::files::{Assigned, Line};
use super::shape::Shape;
use super::{By, State, Value};
use crate::facts::gap::Fact;
use crate::knowledge::guc::Context;

/// `pg_settings.source` of what a file sets.
pub(super) const FILE: &str = "configuration file";
/// Of what nobody sets.
pub(super) const DEFAULT: &str = "default";
/// Of what the command line sets.
pub(super) const COMMAND_LINE: &str = "command line";
/// Of what the environment of the server sets.
pub(super) const ENVIRONMENT: &str = "environment variable";
/// Of what the server sets itself.
pub(super) const OVERRIDE: &str = "override";

/// Where the server looks for itself, once it knows its files: shown as `override`, whatever sets them.
const PLACES: [&str; 4] = ["config_file", "data_directory", "hba_file", "ident_file"];

/// Whether a session or its role sets it, which hides what the server itself has.
pub(super) fn is_of_session(source: &str) -> bool {
    matches!(source, "client" | "session" | "interactive" | "database" | "user" | "database user" | "global")
}

/// Behind `pg_reload_conf()`, from what was before and what the files say now.
pub(super) fn reloaded(shape: &Shape<'_>, before: &State, assigned: Fact<Assigned<'_>>) -> Fact<State> {
    if shape.context() == Context::Internal || is_of_session(&before.source) {
        return Ok(before.clone());
    }
    let pending = |pending: bool| State { pending, ..before.clone() };
    let is_fixed = shape.context() == Context::Postmaster;
    let Some(line) = assigned? else {
        // What a file has set and sets no more goes back to the default; where that takes a restart, it waits for one.
        return Ok(match (before.source == FILE, is_fixed) {
            (false, _) => before.clone(),
            (true, true) => pending(true),
            (true, false) => default(shape),
        });
    };
    // A value that the server does not take changes nothing.
    let Some(value) = shape.value_of(line) else { return Ok(before.clone()) };
    if is_fixed {
        let same = value == before.value || shape.is_worked_out_of(line);
        let by_file = before.source == FILE && same;
        return Ok(State { pending: !same, ..if by_file { placed(before, line) } else { before.clone() } });
    }
    if before.source == COMMAND_LINE || before.source == OVERRIDE {
        return Ok(before.clone());
    }
    Ok(State { value, source: FILE.to_owned(), by: line.by, at: line.at, pending: false })
}

/// The same value, that another line sets now.
fn placed(before: &State, line: &Line) -> State {
    State { by: line.by, at: line.at, ..before.clone() }
}

/// What nobody sets.
fn default(shape: &Shape<'_>) -> State {
    State { value: shape.default(), source: DEFAULT.to_owned(), by: By::Server, at: None, pending: false }
}

/// Behind a start with these files and this command line.
pub(super) fn started(
    shape: &Shape<'_>,
    before: Option<&State>,
    assigned: Fact<Assigned<'_>>,
    option: Option<&Line>,
) -> Fact<State> {
    if let Some(before) = before
        && (shape.context() == Context::Internal || is_of_session(&before.source))
    {
        return Ok(before.clone());
    }
    let set = |line: &Line, source: &str| {
        let value = shape.value_of(line).unwrap_or_else(|| Value::Is(line.value.clone()));
        let source = if PLACES.contains(&shape.name()) { OVERRIDE } else { source };
        State { value, source: source.to_owned(), by: line.by, at: line.at, pending: false }
    };
    if let Some(option) = option {
        return Ok(set(option, COMMAND_LINE));
    }
    if let Some(line) = assigned? {
        return Ok(set(line, FILE));
    }
    // What a server has of itself it will have again; limits of the process and variables are taken for the same as today.
    match before {
        Some(before) if matches!(&*before.source, DEFAULT | ENVIRONMENT | OVERRIDE) => {
            Ok(State { pending: false, ..before.clone() })
        }
        _ => Ok(default(shape)),
    }
}
