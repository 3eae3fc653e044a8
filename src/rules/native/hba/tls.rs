//! What `sslmode` demands and the server cannot give.

use crate::facts::connections::{LocalEnd, local_end};
use crate::facts::gap::Gap;
use crate::facts::{Facts, has_tls};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// The `sslmode` of a section of `postgresql.authentication`.
fn sslmode<'a>(authentication: &'a Item, section: &str) -> Option<(&'a Item, &'a str)> {
    let item = authentication.get(section)?.get("sslmode")?;
    Some((item, item.as_str()?))
}

/// `hba-ssl-requirement-mismatch`
pub(in crate::rules::native) fn requirement(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let file = &facts.patroni[member.file];
        let Some(authentication) = file.config.get("postgresql.authentication") else { continue };
        if has_tls(facts, member) != Some(false) {
            continue;
        }
        for section in ["superuser", "replication", "rewind"] {
            let Some((item, mode)) = sslmode(authentication, section) else { continue };
            // Over a socket nothing is encrypted and nothing is demanded; the other roles come over TCP from other members.
            let switch = "use_unix_socket";
            let by_socket = section == "superuser"
                && authentication.get("rewind").is_some()
                && matches!(local_end(facts, member, switch), Ok(LocalEnd::Socket(_)));
            if by_socket || !["require", "verify-ca", "verify-full"].contains(&mode) {
                continue;
            }
            let mut problem = report.problem(item.span).arg("section", section).arg("mode", mode);
            if let Some(ssl) = file.written_parameter("ssl") {
                problem = problem.label(ssl.key_or_value(), "TLS is off");
            } else if let Some(set) = member.conf.as_ref().ok().and_then(|c| facts.confs[*c].conf.effective("ssl")) {
                problem = problem.label(set.set.span, "TLS is off");
            }
            report.add(problem);
        }
    }
    Ok(())
}

/// `sslmode-verify-full-to-localhost`
pub(in crate::rules::native) fn verify_full(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let Some(authentication) = facts.patroni[member.file].config.get("postgresql.authentication") else { continue };
        for (section, switch) in [("superuser", "use_unix_socket"), ("replication", "use_unix_socket_repl")] {
            let Some((item, "verify-full")) = sslmode(authentication, section) else { continue };
            let Some(end) = report.known(local_end(facts, member, switch)) else { continue };
            if end == LocalEnd::Localhost {
                report.add(report.problem(item.span).arg("section", section).arg("switch", switch));
            }
        }
    }
    Ok(())
}
