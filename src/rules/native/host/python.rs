//! What Patroni's Python has of the packages that this configuration needs.

use crate::bundle::host::Patroni;
use crate::facts::gap::{Fact, Gap};
use crate::facts::{Facts, PatroniFile};
use crate::rules::native::on_host::{OnHost, each, each_with, is_patroni};
use crate::rules::report::Report;
use crate::source::Span;

/// The installation that runs or that the unit starts, else the only one; and its path.
fn installation<'a>(on: &OnHost<'a>) -> Fact<(&'a str, &'a Patroni)> {
    let all = on.node.answer("the installations of Patroni", &on.host.value().patroni)?;
    let running = on.processes().into_iter().flatten().filter(|p| is_patroni(p)).flat_map(|p| p.command.iter().take(3));
    let units = on.patroni_units().into_iter().flatten();
    let started =
        units.flat_map(|(_, unit)| unit.exec_start.got().into_iter().flatten().flat_map(|w| w.iter().take(3)));
    if let Some(found) = running.chain(started).find_map(|word| all.get_key_value(word)) {
        return Ok((found.0, found.1));
    }
    let mut paths = all.iter();
    match (paths.next(), paths.next()) {
        (Some((path, patroni)), None) => Ok((path, patroni)),
        _ => on.gap("the installation of Patroni that is used"),
    }
}

fn at(on: &OnHost<'_>, path: &str, part: &str) -> Span {
    on.host.at(&["patroni", path, part])
}

fn modules<'a>(on: &OnHost<'a>) -> Fact<(&'a str, &'a Patroni, &'a [String])> {
    let (path, patroni) = installation(on)?;
    Ok((path, patroni, on.node.answer("the modules of Patroni's Python", &patroni.modules)?))
}

/// Whether Patroni's Python could import a module.
///
/// # Errors
/// When that is not known.
pub(in crate::rules::native) fn has_module(on: &OnHost<'_>, name: &str) -> Fact<bool> {
    Ok(modules(on)?.2.iter().any(|module| module == name))
}

/// Whether a package is older than some version.
fn is_older(version: &str, than: (u32, u32, u32)) -> bool {
    let mut parts = version.split(['.', ' ']).map(|p| p.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) < than
}

/// A client library of PostgreSQL: its module, the packages that bring it, and the least version that Patroni takes (`patroni/psycopg.py`).
type Driver = (&'static str, &'static [&'static str], (u32, u32, u32));

const PSYCOPG2: Driver = ("psycopg2", &["psycopg2", "psycopg2-binary"], (2, 5, 4));
const PSYCOPG: Driver = ("psycopg", &["psycopg"], (3, 0, 0));

fn takes(patroni: &Patroni, modules: &[String], (module, packages, least): &Driver) -> bool {
    let package = patroni.packages.got().and_then(|all| packages.iter().find_map(|n| all.get(*n)));
    modules.iter().any(|m| m == module) && package.is_none_or(|version| !is_older(version, *least))
}

/// Whether Patroni talks to its server through psycopg2, which it takes where both libraries are.
///
/// # Errors
/// When that is not known.
pub(in crate::rules::native) fn takes_psycopg2(on: &OnHost<'_>) -> Fact<bool> {
    let (_, patroni, modules) = modules(on)?;
    Ok(takes(patroni, modules, &PSYCOPG2))
}

/// `python-driver-missing`
pub(in crate::rules::native) fn driver(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let (path, patroni, modules) = modules(on)?;
        let usable = takes(patroni, modules, &PSYCOPG2) || takes(patroni, modules, &PSYCOPG);
        if !usable {
            let problem = report.problem(at(on, path, "modules")).arg("member", on.member.name.as_str());
            report.add(problem.arg("path", path).arg("python", interpreter(patroni)));
        }
        Ok(())
    });
    Ok(())
}

fn interpreter(patroni: &Patroni) -> String {
    patroni.interpreter.got().cloned().unwrap_or_else(|| "python3".to_owned())
}

/// What Patroni imports for a store (`patroni/dcs/*.py`), with the extra of its package that brings it.
fn clients(kind: &str) -> (&'static [&'static str], &'static str) {
    match kind {
        "etcd" => (&["dns", "etcd"], "etcd"),
        "etcd3" => (&["dns", "etcd"], "etcd3"),
        "consul" => (&["consul"], "consul"),
        "zookeeper" => (&["kazoo"], "zookeeper"),
        "exhibitor" => (&["kazoo"], "exhibitor"),
        "raft" => (&["pysyncobj"], "raft"),
        _ => (&[], ""),
    }
}

/// `python-dcs-client-missing`
pub(in crate::rules::native) fn dcs(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((kind, section)) = on.file.config.dcs() else { return Ok(()) };
        let (needed, extra) = clients(kind);
        let (path, patroni, modules) = modules(on)?;
        let missing: Vec<&str> = needed.iter().copied().filter(|n| !modules.iter().any(|m| m == n)).collect();
        if !missing.is_empty() {
            report.add(
                report
                    .problem(section.key_or_value())
                    .arg("member", on.member.name.as_str())
                    .arg("kind", kind)
                    .arg("path", path)
                    .arg("modules", missing.join(" and "))
                    .arg("extra", extra)
                    .arg("python", interpreter(patroni))
                    .label(at(on, path, "modules"), "what it has"),
            );
        }
        Ok(())
    });
    Ok(())
}

/// `python-mixed-site-packages`: pyOpenSSL before 22.0 takes from cryptography what 38 and later do not have any more. The client of etcd
/// imports it (`etcd/__init__.py`), those of other stores do not.
pub(in crate::rules::native) fn mixed(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let imports = |file: &PatroniFile| file.config.dcs().is_some_and(|(kind, _)| matches!(kind, "etcd" | "etcd3"));
    each_with(facts, report, imports, |on, report| {
        let (path, patroni) = installation(on)?;
        let packages = on.node.answer("the packages of Patroni's Python", &patroni.packages)?;
        let (Some(openssl), Some(cryptography)) = (packages.get("pyopenssl"), packages.get("cryptography")) else {
            return Ok(());
        };
        if is_older(openssl, (22, 0, 0)) && !is_older(cryptography, (38, 0, 0)) {
            let problem = report.problem(at(on, path, "packages")).arg("member", on.member.name.as_str());
            let problem = problem.arg("openssl", openssl.as_str()).arg("cryptography", cryptography.as_str());
            report.add(problem.arg("python", interpreter(patroni)));
        }
        Ok(())
    });
    Ok(())
}

/// `log-json-module`
pub(in crate::rules::native) fn json(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let is_json = |file: &PatroniFile| file.config.get("log.type").is_some_and(|i| i.as_str() == Some("json"));
    each_with(facts, report, is_json, |on, report| {
        let Some(item) = on.file.config.get("log.type") else { return Ok(()) };
        let (path, patroni, modules) = modules(on)?;
        if !modules.iter().any(|m| m == "pythonjsonlogger") {
            let problem = report.problem(item.span).arg("member", on.member.name.as_str());
            let problem = problem.arg("python", interpreter(patroni));
            report.add(problem.label(at(on, path, "modules"), "what it has"));
        }
        Ok(())
    });
    Ok(())
}
