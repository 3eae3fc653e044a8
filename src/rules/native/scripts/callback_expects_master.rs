//! A callback that waits for the role `master`, which Patroni has called `primary` since 4.0.

use crate::bundle::host::Kind;
use crate::facts::gap::Gap;
use crate::facts::scripts::{Purpose, commands};
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::split_command;
use crate::rules::native::on_host::each_with;
use crate::rules::report::Report;
use crate::source::Source;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for command in commands(&file.config).into_iter().filter(|c| c.purpose == Purpose::Callback) {
            let words = split_command(command.text).unwrap_or_default();
            let mut scripts = file.scripts.iter().filter(|s| words.contains(&s.path));
            let Some((script, line)) = scripts.find_map(|s| Some((s, expects_master(&s.source)?))) else {
                continue;
            };
            report.add(
                report
                    .problem(command.item.span)
                    .arg("path", &command.path)
                    .arg("script", script.source.name())
                    .arg("line", (line + 1).to_string()),
            );
        }
    }
    let concerns = |file: &PatroniFile| commands(&file.config).iter().any(|c| c.purpose == Purpose::Callback);
    each_with(facts, report, concerns, |on, _| {
        for command in commands(&on.file.config).into_iter().filter(|c| c.purpose == Purpose::Callback) {
            let words = split_command(command.text).unwrap_or_default();
            let is_known = on.file.scripts.iter().any(|script| words.contains(&script.path));
            // That a program is not there is said elsewhere; one without a path is found by `PATH`, which is not known.
            if let Some(program) = words.first().filter(|word| !is_known && word.starts_with('/'))
                && on.entry(program)?.is_some_and(|entry| entry.kind == Kind::File)
            {
                return on.gap(format!("what {program} makes of a role (it is no small script that we may read)"));
            }
        }
        Ok(())
    });
    Ok(())
}

/// The first line, counted from 0, that speaks of `master`, when none speaks of `primary`. Comments do not count.
fn expects_master(script: &Source) -> Option<usize> {
    let text = String::from_utf8_lossy(script.bytes());
    let code = || text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with('#'));
    let has = |line: &str, word: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word);
    if code().any(|(_, l)| has(l, "primary")) {
        return None;
    }
    code().find(|(_, l)| has(l, "master")).map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_in_code_counts() {
        let line = |text: &str| expects_master(&Source::lone("x", text));
        assert_eq!(line("#!/bin/sh\nif [ \"$2\" = master ]; then"), Some(1));
        assert_eq!(line("case $2 in master|primary) ;; esac"), None);
        assert_eq!(line("# master\nMASTER_IP=1 master_ip=2"), None);
    }
}
