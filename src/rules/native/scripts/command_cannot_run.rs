//! A command line of which it is certain that it does not do what it says: Patroni starts programs without a shell.

use crate::bundle::host::Kind;
use crate::facts::gap::{Fact, Gap};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::scripts::{Command, Purpose, Script, commands};
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::split_command;
use crate::rules::native::on_host::{OnHost, each_with};
use crate::rules::report::Report;

pub(in crate::rules::native) fn callback(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(Purpose::Callback, facts, report)
}

pub(in crate::rules::native) fn pre_promote(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(Purpose::PrePromote, facts, report)
}

pub(in crate::rules::native) fn post_bootstrap(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(Purpose::PostBootstrap, facts, report)
}

pub(in crate::rules::native) fn bootstrap(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(Purpose::Bootstrap, facts, report)
}

pub(in crate::rules::native) fn replica(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(Purpose::Replica, facts, report)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a check")]
fn find(purpose: Purpose, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for command in commands(&file.config).into_iter().filter(|c| c.purpose == purpose) {
            if let Some(problem) = fault(&command, file) {
                report.add(report.problem(command.item.span).arg("path", &command.path).arg("problem", problem));
            }
        }
    }
    let concerns = |file: &PatroniFile| commands(&file.config).iter().any(|c| c.purpose == purpose);
    each_with(facts, report, concerns, |on, report| {
        for command in commands(&on.file.config).into_iter().filter(|c| c.purpose == purpose) {
            // What is wrong with the words themselves is said already.
            if fault(&command, on.file).is_some() {
                continue;
            }
            let Some(program) = split_command(command.text).unwrap_or_default().into_iter().next() else { continue };
            if let Some(problem) = fault_there(on, &program)? {
                report.add(report.problem(command.item.span).arg("path", &command.path).arg("problem", problem));
            }
        }
        Ok(())
    });
    Ok(())
}

/// Why a program cannot be started on the host of a member. One without a path is found by `PATH`, which is not known.
fn fault_there(on: &OnHost<'_>, program: &str) -> Fact<Option<String>> {
    if !program.starts_with('/') || is_placeholder(program) {
        return Ok(None);
    }
    let name = &on.member.name;
    match on.entry(program)? {
        None => {
            return Ok(Some(format!("{program} does not exist on the host of {name} (`No such file or directory`)")));
        }
        Some(entry) if entry.kind != Kind::File => {
            return Ok(Some(format!("{program} is no file on the host of {name}")));
        }
        Some(_) => {}
    }
    let (user, access) = on.access(program)?;
    let problem = || format!("user {user} may not execute {program} on the host of {name} (`Permission denied`)");
    Ok((!access.execute).then(problem))
}

/// Words that only a shell understands.
const OF_SHELLS: [&str; 12] = ["&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1", "&>", ">/dev/null"];

fn fault(command: &Command<'_>, file: &PatroniFile) -> Option<String> {
    if is_placeholder(command.text) {
        return None;
    }
    let words = match split_command(command.text) {
        Ok(words) => words,
        Err(error) => return Some(format!("it cannot be split into words (`ValueError: {error}`)")),
    };
    let program = words.first()?;
    if let Some(word) = words.iter().find(|w| OF_SHELLS.contains(&w.as_str())) {
        return Some(format!("no shell reads it, so `{word}` is handed to the program as an argument"));
    }
    if program.starts_with("~/") {
        return Some("no shell reads it, so `~` is not replaced by the home directory".to_owned());
    }
    if program.split('/').next().is_some_and(|first| first.contains('=')) {
        return Some(format!("no shell reads it, so `{program}` is taken for the program"));
    }
    script_fault(file.scripts.iter().find(|s| s.path == *program)?)
}

/// Why the system does not start a script.
fn script_fault(script: &Script) -> Option<String> {
    let name = script.source.name();
    let bytes = script.source.bytes();
    let first_line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    if script.executable == Some(false) {
        Some(format!("{name} is not executable (`Permission denied`)"))
    } else if first_line.starts_with(b"#!") && first_line.ends_with(b"\r") {
        Some(format!(
            "the first line of {name} ends in a carriage return, which belongs to the interpreter's name then (`No such file or directory`)"
        ))
    } else if !bytes.starts_with(b"#!") && !bytes.starts_with(b"\x7fELF") {
        Some(format!("{name} does not begin with `#!` and an interpreter (`Exec format error`)"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn script(text: &str, executable: bool) -> Option<String> {
        let source = std::sync::Arc::new(Source::lone("x.sh", text));
        script_fault(&Script { path: "/x.sh".into(), source, executable: Some(executable) })
    }

    #[test]
    fn scripts_need_an_interpreter_and_the_right_to_be_executed() {
        assert_eq!(script("#!/bin/sh\ntrue\r\n", true), None);
        assert_eq!(script("\u{7f}ELF\u{2}", true), None);
        assert!(script("#!/bin/sh\n", false).is_some_and(|p| p.contains("not executable")));
        assert!(script("#!/bin/sh\r\n", true).is_some_and(|p| p.contains("carriage return")));
        assert!(script("echo\n", true).is_some_and(|p| p.contains("Exec format error")));
    }
}
