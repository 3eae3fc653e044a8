//! Options that Patroni hands to a program (`postgresql/bootstrap.py:Bootstrap.process_user_options`).

use std::ops::RangeInclusive;

use crate::facts::patroni_file::is_placeholder;
use crate::knowledge::options::{Answer, LongOption, answer};
use crate::parse::patroni::{Item, ItemValue, Type};
use crate::source::Span;

/// What is wrong with an option.
pub(super) struct Fault {
    pub(super) at: Span,
    pub(super) text: String,
}

/// A program that gets a user's options.
pub(super) struct Tool<'a> {
    pub(super) name: &'a str,
    pub(super) options: &'static [LongOption],
    /// Names that Patroni refuses.
    pub(super) refused: &'a [&'a str],
    /// The versions that it may be.
    pub(super) majors: RangeInclusive<u16>,
}

/// An option as the program sees it.
pub(super) struct Given<'a> {
    pub(super) at: Span,
    pub(super) name: &'a str,
    pub(super) argument: Option<&'a str>,
    /// Patroni looks at a text of a list as a whole, so that `pgdata=x` passes where `pgdata` does not.
    is_hidden: bool,
    /// A template decides whether it is there.
    is_optional: bool,
}

/// Every fault of the options, and the options that reach the program.
pub(super) fn check<'a>(tool: &Tool<'_>, options: &'a Item) -> (Vec<Fault>, Vec<Given<'a>>) {
    let (mut faults, mut given) = (Vec::new(), Vec::new());
    match &options.value {
        ItemValue::List(items) => {
            for item in items {
                match of_list(item) {
                    Ok(Some(option)) => given.push(option),
                    Ok(None) => {}
                    Err(text) => faults.push(Fault { at: item.span, text }),
                }
            }
        }
        ItemValue::Map(pairs) => {
            for pair in pairs {
                let Some(name) = pair.key.value.as_str().filter(|n| !n.is_empty()) else { continue };
                match (&pair.item.value, pair.item.kind()) {
                    (ItemValue::Str(text), _) if !text.is_empty() => {
                        given.push(Given {
                            at: pair.key.span,
                            name,
                            argument: Some(text),
                            is_hidden: false,
                            is_optional: pair.item.optional,
                        });
                    }
                    (_, Type::Unknown) => {}
                    (ItemValue::Null | ItemValue::Str(_) | ItemValue::Bool(false), _) => {
                        let right = right_name(tool, name).unwrap_or(name);
                        let text = format!(
                            "`{name}` has no value, so Patroni leaves it out; an option without a value stands in a list, `- {right}`"
                        );
                        faults.push(Fault { at: pair.key.span, text });
                    }
                    (_, kind) => {
                        let text = format!("the value of `{name}` is {}, and must be a string", kind.name());
                        faults.push(Fault { at: pair.key.span, text });
                    }
                }
            }
        }
        _ => {}
    }
    given.retain(|option| match refusal(tool, option) {
        Some(text) => {
            faults.push(Fault { at: option.at, text });
            false
        }
        None => true,
    });
    (faults, given)
}

/// An item of a list: a name, or a name with a value.
fn of_list(item: &Item) -> Result<Option<Given<'_>>, String> {
    match &item.value {
        ItemValue::Str(text) => {
            let (name, argument) = text.split_once('=').map_or((&**text, None), |(n, a)| (n, Some(a)));
            Ok(Some(Given { at: item.span, name, argument, is_hidden: argument.is_some(), is_optional: item.optional }))
        }
        ItemValue::Map(pairs) => match pairs.as_slice() {
            [pair] => match (&pair.item.value, pair.key.value.as_str()) {
                (ItemValue::Str(text), Some(name)) => Ok(Some(Given {
                    at: item.span,
                    name,
                    argument: Some(text),
                    is_hidden: false,
                    is_optional: item.optional,
                })),
                (ItemValue::Unknown, _) => Ok(None),
                (ItemValue::Bool(_) | ItemValue::Null, Some(name)) => Err(format!(
                    "the value of `{name}` is {}; an option without a value is written `- {name}`",
                    pair.item.kind().name()
                )),
                (_, name) => {
                    let name = name.unwrap_or("the option");
                    Err(format!("the value of `{name}` is {}, and must be a string", pair.item.kind().name()))
                }
            },
            _ if item.open => Ok(None),
            _ => Err("an item of the list holds one option only".to_owned()),
        },
        ItemValue::Unknown => Ok(None),
        _ => Err(format!("an option is a name, or a name with a value, and not {}", item.kind().name())),
    }
}

/// The option that was probably meant.
fn right_name(tool: &Tool<'_>, name: &str) -> Option<&'static str> {
    let plain = name.replace('_', "-");
    let near = tool.options.iter().map(|o| (strsim::damerau_levenshtein(o.name, &plain), o.name)).min()?;
    (near.0 <= 2 && near.1 != name).then_some(near.1)
}

/// Why Patroni or the program refuses an option.
fn refusal(tool: &Tool<'_>, option: &Given<'_>) -> Option<String> {
    let Given { name, argument, is_hidden, .. } = option;
    if is_placeholder(name) {
        return None;
    }
    if !is_hidden && tool.refused.contains(name) {
        return Some(format!("Patroni refuses `{name}` (`{name} option for {} is not allowed`)", tool.name));
    }
    if name.starts_with('-') {
        return Some(format!("`{name}` begins with a dash; Patroni puts `--` in front of it"));
    }
    // A template may have it for another program of that name.
    if option.is_optional {
        return None;
    }
    let program = if tool.name == "basebackup" { "pg_basebackup" } else { tool.name };
    let mut answers = tool.majors.clone().map(|major| answer(tool.options, major, name, argument.is_some()));
    let first = answers.next()?;
    // Where the version is not known only that counts which all of them say.
    if !answers.all(|other| other == first) {
        return None;
    }
    match first {
        Answer::Taken => None,
        Answer::Unknown => {
            let hint = right_name(tool, name).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            Some(format!("{program} has no option `{name}` (`unrecognized option '--{name}'`){hint}"))
        }
        Answer::Ambiguous => {
            Some(format!("several options of {program} begin with `{name}` (`option '--{name}' is ambiguous`)"))
        }
        Answer::NeedsArgument => Some(format!(
            "`{name}` needs a value; it takes the next option for one, or ends with `option '--{name}' requires an argument`"
        )),
        Answer::AllowsNone => {
            Some(format!("`{name}` takes no value (`option '--{name}' doesn't allow an argument`); write `- {name}`"))
        }
    }
}
