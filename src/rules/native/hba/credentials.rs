//! Lines that ask Patroni for credentials that it does not have.

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::facts::asked::{self, Asked};
use crate::facts::gap::{Gap, GapReason};
use crate::facts::running::speaker_of;
use crate::parse::hba::{ClientCert, ConnType, HbaRule, Method};
use crate::parse::sql::RoleFacts;
use crate::rules::report::Report;

/// A password that is stored as it is given: `md5` and 32 hexadecimal digits (`get_password_type` in `src/backend/libpq/crypt.c`).
fn is_md5_secret(password: &str) -> bool {
    password.strip_prefix("md5").is_some_and(|d| d.len() == 32 && d.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `hba-method-needs-scram-secret`
pub(in crate::rules::native) fn scram(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    if facts.sqls.is_empty() && facts.nodes.is_empty() {
        return Ok(());
    }
    let mut said = BTreeSet::new();
    for asked in asked::all(facts, |rule| rule.method.value == Method::Scram) {
        if let Some(server) = speaker_of(facts, asked.target) {
            let Some(rows) = report.known(server.rows("role_passwords")) else { continue };
            let user = asked.login.user.as_str();
            let row = rows.iter().find(|row| row.get("rolname") == Some(user) && row.get("kind") == Some("md5"));
            if let Some(row) = row.filter(|row| said.insert(row.at)) {
                let at = asked.rule(facts).method.span;
                let problem = report.problem(row.at).node(&server.name).arg("role", user);
                report.add(problem.label(at, "this line wants a SCRAM secret"));
            }
            continue;
        }
        let Some(role) = role_of(facts, &asked) else { continue };
        let Some(password) = role.password.as_ref() else { continue };
        if !password.value.as_ref().is_some_and(|p| is_md5_secret(p.reveal())) {
            continue;
        }
        let at = asked.rule(facts).method.span;
        report.add(
            report
                .problem(role.named)
                .arg("role", asked.login.user.as_str())
                .label(at, "this line wants a SCRAM secret"),
        );
    }
    Ok(())
}

/// What the SQL files of a cluster say of the role that logs in.
fn role_of<'a>(facts: &'a Facts, asked: &Asked<'_>) -> Option<&'a RoleFacts> {
    asked.target.sqls.iter().find_map(|i| facts.sqls[*i].sql.roles().get(&asked.login.user))
}

/// `hba-peer-or-ident-for-patroni`
pub(in crate::rules::native) fn peer(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for asked in asked::all(facts, |rule| matches!(rule.method.value, Method::Ident | Method::Peer)) {
        let rule = asked.rule(facts);
        let user = asked.login.user.as_str();
        let problem = match rule.method.value {
            Method::Ident => "asks an ident server on Patroni's host who it is".to_owned(),
            Method::Peer if rule.settings.as_ref().is_some_and(|s| s.map.is_some()) => continue,
            Method::Peer => match service_user(facts) {
                Some(service) if service == user => continue,
                Some(service) => {
                    format!("lets in the operating system user of that name alone, and Patroni runs as `{service}`")
                }
                // `postgres` is who runs Patroni unless somebody says otherwise.
                None if user == "postgres" => continue,
                None => {
                    let gap = Gap::new("the user that Patroni runs as", GapReason::NotGiven);
                    report.known::<()>(Err(gap.on(&asked.target.name)));
                    continue;
                }
            },
            _ => continue,
        };
        report.add(
            report
                .problem(rule.method.span)
                .arg("role", user)
                .arg("method", rule.method.value.name())
                .arg("problem", problem),
        );
    }
    Ok(())
}

/// The only user that units run Patroni as.
fn service_user(facts: &Facts) -> Option<&str> {
    let mut users = facts.units.iter().filter(|u| u.runs_patroni()).map(|u| u.unit.last("Service", "User"));
    let first = users.next()??;
    let same = users.all(|other| other.is_some_and(|o| o.text.trim() == first.text.trim() && !o.is_unknown()));
    (same && !first.is_unknown()).then(|| first.text.trim())
}

/// `hba-clientcert-covers-patroni`
pub(in crate::rules::native) fn clientcert(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let of = |rule: &HbaRule| {
        let wanted = rule.settings.as_ref().and_then(|s| s.clientcert);
        wanted.filter(|_| rule.kind.value == ConnType::HostSsl)
    };
    for asked in asked::all(facts, |rule| of(rule).is_some()) {
        let rule = asked.rule(facts);
        let Some(wanted) = of(rule) else { continue };
        let file = &facts.patroni[asked.client.file];
        let section = match asked.section {
            "rewind" if file.config.get("postgresql.authentication.rewind").is_none() => "superuser",
            other => other,
        };
        let Some(login) = file.config.get(&format!("postgresql.authentication.{section}")) else { continue };
        if login.open || login.get("sslcert").is_some() {
            continue;
        }
        let what = match (rule.method.value, wanted) {
            (Method::Cert, _) => "a client certificate in place of a password",
            (_, ClientCert::VerifyCa) => "a client certificate beside the password",
            (_, ClientCert::VerifyFull) => "a client certificate in the name of the role",
        };
        let at = rule.options.iter().find(|o| o.name == "clientcert").map_or(rule.method.span, |o| o.span);
        report.add(
            report
                .problem(at)
                .arg("role", asked.login.user.as_str())
                .arg("what", what)
                .arg("section", section)
                .label(login.key_or_value(), "no `sslcert` here"),
        );
    }
    Ok(())
}
