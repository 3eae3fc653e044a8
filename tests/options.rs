//! The tables of options against the programs themselves.

use patroni_preflight::knowledge::options::{Answer, INITDB, LongOption, PG_BASEBACKUP, answer};

use crate::support::pg::{VERSIONS, pg_command};

/// Names that are in no table, and old ones.
const STRANGERS: [&str; 6] = ["clobber-cache", "data-check", "no-such-option", "wal-dir", "xlog-method", "xlogdir"];

/// What a program says. It never does anything: it is not told a data directory, or an option follows that does not exist.
fn said(version: u16, program: &str, name: &str, argument: bool) -> Answer {
    let mut command = pg_command(version, program);
    if argument {
        command.args([&format!("--{name}=x"), "--zzz"])
    } else {
        command.arg(format!("--{name}"))
    };
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let first = text.lines().next().unwrap_or_default();
    let own = first.contains(&format!("--{name}'")) || first.contains(&format!("--{name}=x'"));
    match first {
        _ if first.contains("is ambiguous") => Answer::Ambiguous,
        _ if first.contains("requires an argument") => Answer::NeedsArgument,
        _ if first.contains("doesn't allow an argument") => Answer::AllowsNone,
        _ if first.contains("unrecognized option") && own => Answer::Unknown,
        _ => Answer::Taken,
    }
}

fn compare(program: &str, table: &[LongOption], versions: &[u16]) {
    let mut wrong = Vec::new();
    let names: Vec<&str> = table.iter().map(|o| o.name).chain(STRANGERS).collect();
    for version in versions {
        for name in &names {
            // These two answer at once, whatever stands behind them.
            if ["help", "version"].contains(name) {
                continue;
            }
            for argument in [false, true] {
                let (ours, theirs) = (answer(table, *version, name, argument), said(*version, program, name, argument));
                if ours != theirs {
                    wrong.push(format!(
                        "{program} {version} --{name} {argument}: {ours:?}, and the program says {theirs:?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn options_of_initdb_are_those_of_the_program() {
    compare("initdb", INITDB, &VERSIONS);
}

#[test]
fn options_of_pg_basebackup_are_those_of_the_program() {
    // The other versions come without it.
    compare("pg_basebackup", PG_BASEBACKUP, &[15, 16, 18]);
}
