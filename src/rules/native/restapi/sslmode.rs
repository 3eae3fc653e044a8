//! How Patroni's own roles connect to PostgreSQL: options of libpq below `postgresql.authentication`.

use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, PatroniFile};
use crate::knowledge::patroni::key;
use crate::parse::patroni::Item;
use crate::rules::report::Report;

const ROLES: [&str; 3] = ["replication", "rewind", "superuser"];

/// Options that Patroni passes over for an older PostgreSQL (`postgresql/config.py:AUTH_ALLOWED_PARAMETERS_VERSIONS`).
const SINCE: [(&str, u16); 5] =
    [("channel_binding", 13), ("gssencmode", 12), ("sslcrldir", 14), ("sslnegotiation", 17), ("sslpassword", 13)];

/// The first PostgreSQL that understands `sslnegotiation: direct`.
const DIRECT_SINCE: u16 = 17;

fn roles(file: &PatroniFile) -> impl Iterator<Item = (String, &Item)> {
    ROLES.into_iter().filter_map(|role| {
        let path = format!("postgresql.authentication.{role}");
        let item = file.config.get(&path)?;
        Some((path, item))
    })
}

/// A mode that libpq does not know, or that it refuses together with another option.
pub(in crate::rules::native) fn value(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let known = key("postgresql.authentication.superuser.sslmode").map_or(&[][..], |row| row.words);
    for (index, file) in facts.numbered_files() {
        let major = facts.member_of(index).and_then(|m| m.postgresql);
        for (path, role) in roles(file) {
            let is_superuser = path.ends_with(".superuser");
            let mode = role.get("sslmode").and_then(|item| Some((item, item.as_str()?)));
            let mode = mode.filter(|(_, text)| !is_placeholder(text));
            let negotiation = role.get("sslnegotiation").filter(|i| i.as_str() == Some("direct"));
            let section = path;
            let path = format!("{section}.sslmode");
            match (mode, negotiation) {
                (Some((item, text)), _) if !known.contains(&text) => {
                    let problem =
                        format!("`{text}` is none of {} (`invalid sslmode value: \"{text}\"`)", known.join(", "));
                    report.add(report.problem(item.span).arg("path", path).arg("problem", problem));
                }
                (Some((item, text @ ("disable" | "allow" | "prefer"))), Some(direct)) => {
                    let problem = format!(
                        "libpq refuses `{text}` together with `sslnegotiation: direct` (`weak sslmode \"{text}\" may not be used`)"
                    );
                    let problem = report.problem(item.span).arg("path", path).arg("problem", problem);
                    report.add(problem.label(direct.key_or_value(), ""));
                }
                (None, Some(direct)) if file.is_absent(&path) => {
                    let problem = "without it, it is `prefer`, which libpq refuses together with `sslnegotiation: direct` (`weak sslmode \"prefer\" may not be used`)";
                    report.add(report.problem(direct.key_or_value()).arg("path", path).arg("problem", problem));
                }
                (_, Some(direct)) if is_superuser && major.is_some_and(|m| m < DIRECT_SINCE) => {
                    let major = major.unwrap_or_default();
                    let problem = format!(
                        "`direct` begins with TLS at once, which PostgreSQL understands since {DIRECT_SINCE}; this member runs {major}, so Patroni cannot log in"
                    );
                    let path = format!("{section}.sslnegotiation");
                    report.add(report.problem(direct.span).arg("path", path).arg("problem", problem));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The server's certificate is to be verified, and nothing says against what.
pub(in crate::rules::native) fn without_root(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files().iter().filter(|f| f.config.is_complete()) {
        for (path, role) in roles(file) {
            let Some(item) = role.get("sslmode") else { continue };
            if let Some(mode @ ("verify-ca" | "verify-full")) = item.as_str()
                && file.is_absent(&format!("{path}.sslrootcert"))
                && !file.is_misspelt(&format!("{path}.sslrootcert"))
            {
                report
                    .add(report.problem(item.key_or_value()).arg("path", format!("{path}.sslmode")).arg("mode", mode));
            }
        }
    }
    Ok(())
}

/// Options that do not reach what this version of PostgreSQL connects with. Patroni's own connections have them in any case, and with
/// the superuser nothing else connects where `pg_rewind` has a role of its own.
pub(in crate::rules::native) fn newer(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let Some(major) = member.postgresql else { continue };
        let file = &facts.patroni[member.file];
        let rewinds = !file.is_absent("postgresql.authentication.rewind");
        for (path, role) in roles(file).filter(|(path, _)| !(rewinds && path.ends_with(".superuser"))) {
            for (name, since) in SINCE.into_iter().filter(|(_, since)| *since > major) {
                let Some(item) = role.get(name) else { continue };
                report.add(
                    report
                        .problem(item.key_or_value())
                        .arg("path", format!("{path}.{name}"))
                        .arg("since", since.to_string())
                        .arg("major", major.to_string()),
                );
            }
        }
    }
    Ok(())
}
