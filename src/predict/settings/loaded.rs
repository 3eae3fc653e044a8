//! What Patroni takes over of a server that runs (`ConfigHandler.load_current_server_parameters`), and whether that differs from what it wants
//! (`ConfigHandler.reload_config`).

use std::collections::BTreeMap;

use super::server::{COMMAND_LINE, ENVIRONMENT, FILE};
use super::shape::Shape;
use super::wants::{Parameter, Parameters, Patroni};
use super::{By, State, Value};
use crate::facts::clamp::is_recovery;
use crate::facts::gap::{Fact, Gap};
use crate::knowledge::guc::Context;
use crate::knowledge::patroni::{Accepts, command_line_setting};
use crate::parse::patroni::{parse_bool, parse_int, parse_real};

/// A setting of today.
#[derive(Debug)]
pub(super) struct Today<'a> {
    pub(super) shape: Shape<'a>,
    /// What it is.
    pub(super) state: Fact<State>,
    /// What the server has once it reads its files, where our own session hides what it has now.
    pub(super) beneath: Option<State>,
    /// Whether the file that Patroni will write is where it was set (`pg_settings.sourcefile`).
    pub(super) in_main: bool,
}

impl Today<'_> {
    /// What later steps begin with.
    pub(super) fn before(&self) -> Result<&State, &Gap> {
        self.beneath.as_ref().map_or(self.state.as_ref(), Ok)
    }
}

/// All settings of today, by their names in small letters.
pub(super) type Settings<'a> = BTreeMap<String, Today<'a>>;

/// Patroni sets it for its own session, so that it never finds there what it wants (`connection.py`).
const OF_ITS_SESSION: &str = "statement_timeout";

/// Whether Patroni alone sets it: never from parameters.
fn is_managed(patroni: &Patroni<'_>, name: &str) -> bool {
    command_line_setting(name, patroni.version())
        .is_some_and(|row| row.accepts == Accepts::Never && row.default.is_none())
}

/// What it takes over, and what it holds to itself of what it wants.
pub(super) fn loaded(patroni: &Patroni<'_>, today: &Settings<'_>, wanted: &Parameters) -> Parameters {
    let mut all = Parameters::new();
    for (name, setting) in today {
        if is_managed(patroni, name) || is_recovery(name) || name == OF_ITS_SESSION {
            continue;
        }
        let by_command = command_line_setting(name, patroni.version()).is_some();
        let parameter = match setting.before() {
            Err(gap) => Err(gap.clone()),
            Ok(state) => {
                let is_given = state.source == COMMAND_LINE || state.source == ENVIRONMENT;
                let in_file = setting.in_main && state.source == FILE;
                if !(is_given || by_command || in_file) {
                    continue;
                }
                let (text, is_secret) = match &state.value {
                    Value::Is(text) => (text.clone(), false),
                    Value::Computed | Value::Hidden => (String::new(), true),
                };
                Ok(Parameter { name: setting.shape.name().to_owned(), text, is_secret, by: By::Kept, at: state.at })
            }
        };
        all.insert(name.clone(), parameter);
    }
    for (name, parameter) in wanted.iter().filter(|(name, _)| is_managed(patroni, name)) {
        all.insert(name.clone(), parameter.clone());
    }
    all
}

/// The first setting in which what Patroni wants differs from what it has taken over, so that it writes its file anew, in words; `None` when there
/// is none.
///
/// # Errors
/// When a value that decides is not known.
pub(super) fn difference(today: &Settings<'_>, taken: &Parameters, wanted: &Parameters) -> Fact<Option<String>> {
    let skipped = |name: &str| is_recovery(name) || name == "hot_standby";
    let is_left = |name: &&String| !wanted.contains_key(*name) && !skipped(name) && today.contains_key(*name);
    if let Some(name) = taken.keys().find(is_left) {
        return Ok(Some(format!("`{name}` is not among Patroni's settings")));
    }
    let mut unknown: Option<Gap> = None;
    for (name, parameter) in wanted.iter().filter(|(name, _)| !skipped(name)) {
        match parameter {
            Err(gap) => drop(unknown.get_or_insert_with(|| gap.clone())),
            Ok(parameter) => match is_other(today, taken, name, parameter) {
                Ok(true) if parameter.is_secret => return Ok(Some(format!("`{name}` is to be set"))),
                Ok(true) => return Ok(Some(format!("`{name}` is to be `{}`", parameter.text))),
                Ok(false) => {}
                Err(gap) => drop(unknown.get_or_insert(gap)),
            },
        }
    }
    unknown.map_or(Ok(None), Err)
}

/// Whether a setting is not what Patroni wants.
fn is_other(today: &Settings<'_>, taken: &Parameters, name: &str, parameter: &Parameter) -> Fact<bool> {
    let Some(setting) = today.get(name) else {
        // One with a dot is compared with what was taken over; another one is forgotten.
        let same = taken.get(name).and_then(|t| t.as_ref().ok()).is_some_and(|t| t.text == parameter.text);
        return Ok(name.contains('.') && !same);
    };
    if setting.shape.context() == Context::Internal {
        return Ok(false);
    }
    if name == OF_ITS_SESSION {
        return Ok(true);
    }
    match setting.before() {
        Err(gap) => Err(gap.clone()),
        Ok(State { value: Value::Is(value), .. }) => {
            let is_left_to_server = name == "wal_buffers" && parameter.text.trim() == "-1";
            Ok(!is_left_to_server && !same(&setting.shape, value, &parameter.text))
        }
        Ok(_) => Ok(true),
    }
}

/// `utils.py:compare_values`
fn same(shape: &Shape<'_>, setting: &str, wanted: &str) -> bool {
    match shape.kind() {
        "bool" => parse_bool(setting).is_some() && parse_bool(setting) == parse_bool(wanted),
        "integer" => parse_int(setting, None).is_some_and(|n| parse_int(wanted, shape.unit()) == Some(n)),
        "real" => parse_real(setting, None).is_some_and(|n| parse_real(wanted, shape.unit()) == Some(n)),
        "enum" => setting.to_lowercase() == wanted.to_lowercase(),
        _ => setting == wanted,
    }
}
