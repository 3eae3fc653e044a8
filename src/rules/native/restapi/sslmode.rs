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
    for file in facts.files() {
        for (path, role) in roles(file) {
            let mode = role.get("sslmode").and_then(|item| Some((item, item.as_str()?)));
            let mode = mode.filter(|(_, text)| !is_placeholder(text));
            let negotiation = role.get("sslnegotiation").filter(|i| i.as_str() == Some("direct"));
            let path = format!("{path}.sslmode");
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

/// Options that do not reach this version of PostgreSQL.
pub(in crate::rules::native) fn newer(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let Some(major) = member.postgresql else { continue };
        for (path, role) in roles(&facts.patroni[member.file]) {
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
