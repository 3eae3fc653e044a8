//! PostgreSQL's programs, as they are on the host.

use crate::bundle::host::Programs;
use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap};
use crate::rules::native::on_host::{OnHost, each, each_with};
use crate::rules::report::Report;
use crate::source::Spanned;

/// What Patroni runs to take over a server, to start it and to clone it.
const NEEDED: [&str; 5] = ["pg_basebackup", "pg_controldata", "pg_ctl", "pg_isready", "postgres"];

/// `bin_dir` and what is there; `None` when it is left to `PATH`.
fn programs<'a>(on: &OnHost<'a>) -> Fact<Option<(Spanned<&'a str>, &'a Programs)>> {
    let Some(dir) = on.path("postgresql.bin_dir")? else { return Ok(None) };
    match on.host.value().programs.get(dir.value) {
        Some(programs) => Ok(Some((dir, programs))),
        None => on.gap(format!("the programs in {}", dir.value)),
    }
}

/// Those of some programs that are not there.
fn missing<'n>(on: &OnHost<'_>, programs: &Programs, names: &[&'n str]) -> Fact<Vec<&'n str>> {
    let mut missing = Vec::new();
    for name in names {
        let Some(file) = programs.files.get(*name) else { return on.gap(*name) };
        if on.node.answer(name, file)?.is_none() {
            missing.push(*name);
        }
    }
    Ok(missing)
}

/// `bin-dir-programs-missing`
pub(in crate::rules::native) fn needed(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, programs)) = programs(on)? else { return Ok(()) };
        let missing = missing(on, programs, &NEEDED)?;
        if !missing.is_empty() {
            let what = if missing.len() == NEEDED.len() {
                "no program of PostgreSQL".to_owned()
            } else {
                format!("no {}", missing.join(", no "))
            };
            let problem = report.problem(dir.span).arg("member", on.member.name.as_str()).arg("dir", dir.value);
            report.add(problem.arg("what", what).label(on.host.at(&["programs", dir.value, "files"]), "what is there"));
        }
        Ok(())
    });
    Ok(())
}

/// `rewind-binary-missing`
pub(in crate::rules::native) fn rewind(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_with(
        facts,
        report,
        |file| file.is_on("use_pg_rewind"),
        |on, report| {
            let Some((dir, programs)) = programs(on)? else { return Ok(()) };
            if !missing(on, programs, &["postgres"])?.is_empty() {
                return Ok(());
            }
            let missing = missing(on, programs, &["pg_rewind", "pg_waldump"])?;
            if !missing.is_empty() {
                let problem = report.problem(dir.span).arg("member", on.member.name.as_str()).arg("dir", dir.value);
                let problem = problem.arg("missing", missing.join(" and "));
                report.add(problem.label(on.host.at(&["programs", dir.value, "files"]), "what is there"));
            }
            Ok(())
        },
    );
    Ok(())
}

/// The live half of `bin-dir-version-mismatch`: what the programs and the data say themselves.
pub(in crate::rules::native) fn version(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let (Some((bin, programs)), Some((dir, data))) = (programs(on)?, on.data()?) else { return Ok(()) };
        if on.names(data)?.is_none() || !missing(on, programs, &["postgres"])?.is_empty() {
            return Ok(());
        }
        let Some(of_data) = on.node.answer("the version of the data", &data.version)?.as_deref() else { return Ok(()) };
        let said = on.node.answer("the version of the programs", &programs.version)?;
        let of_programs = said.split(' ').find(|w| w.starts_with(|c: char| c.is_ascii_digit()));
        let major = of_programs.map(|v| v.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
        if let Some(major) = major.filter(|major| *major != of_data) {
            report.add(
                report
                    .problem(bin.span)
                    .arg("bin", major)
                    .arg("key", "data_dir")
                    .arg("other", of_data)
                    .label(dir.span, format!("PostgreSQL {of_data}"))
                    .label(on.host.at(&["programs", bin.value, "version"]), "what the programs say"),
            );
        }
        Ok(())
    });
    Ok(())
}
