//! Certificates of the REST API (`api.py:RestApiServer.__initialize`) and of its clients (`request.py:PatroniRequest`).

use crate::facts::gap::Gap;
use crate::facts::{Facts, Member, PatroniFile};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// A value that Python takes for true.
fn set<'a>(file: &'a PatroniFile, path: &str) -> Option<&'a Item> {
    file.config.get(path).filter(|i| i.is_truthy())
}

/// Whether it is certain that a key is not set.
fn unset(file: &PatroniFile, path: &str) -> bool {
    (file.is_absent(path) && !file.is_misspelt(path)) || file.config.get(path).is_some_and(|i| !i.is_truthy())
}

/// `restapi.verify_client` when it asks for certificates.
fn verify_client(file: &PatroniFile) -> Option<(&Item, String)> {
    let item = file.config.get("restapi.verify_client")?;
    let word = item.as_str()?.to_lowercase();
    ["optional", "required"].contains(&word.as_str()).then_some((item, word))
}

/// A key without its certificate.
pub(in crate::rules::native) fn files(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (section, effect) in
            [("restapi", "the REST API is served without TLS"), ("ctl", "Patroni and patronictl show no certificate")]
        {
            let (key, certificate) = (format!("{section}.keyfile"), format!("{section}.certfile"));
            if let Some(item) = set(file, &key).filter(|_| unset(file, &certificate)) {
                let problem = report.problem(item.key_or_value());
                report.add(problem.arg("key", key).arg("certificate", certificate).arg("effect", effect));
            }
        }
    }
    Ok(())
}

/// Clients are to be checked, and there is no TLS.
pub(in crate::rules::native) fn without_certfile(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        // A key without certificate has a finding of its own.
        if !unset(file, "restapi.certfile") || set(file, "restapi.keyfile").is_some() {
            continue;
        }
        let asked = verify_client(file).map(|(item, _)| (item, "verify_client"));
        // Patroni's own requests and patronictl take the file too, where they have none of their own.
        let trusted = || set(file, "restapi.cafile").filter(|_| unset(file, "ctl.cacert")).map(|item| (item, "cafile"));
        if let Some((item, key)) = asked.or_else(trusted) {
            report.add(report.problem(item.key_or_value()).arg("key", key));
        }
    }
    Ok(())
}

/// Clients are checked, and Patroni itself has no certificate to show.
pub(in crate::rules::native) fn without_ctl_cert(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some((item, word)) = verify_client(file) else { continue };
        if set(file, "restapi.certfile").is_none() || !unset(file, "ctl.certfile") {
            continue;
        }
        let effect = if word == "required" {
            "no member can ask another one for its state"
        } else {
            "patronictl and failsafe mode are refused"
        };
        report.add(report.problem(item.key_or_value()).arg("word", word).arg("effect", effect));
    }
    Ok(())
}

/// Some members with TLS, some without.
pub(in crate::rules::native) fn mixed(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| c.has_own_names(facts)) {
        let file = |member: &Member| &facts.patroni[member.file];
        let Some(model) = cluster.members.iter().find(|m| set(file(m), "restapi.certfile").is_some()) else { continue };
        for member in &cluster.members {
            let plain = file(member);
            if plain.is_absent("restapi.certfile") && set(plain, "restapi.keyfile").is_none() {
                let mut problem = report.problem(plain.place_of("restapi.certfile"));
                if let Some(other) = set(file(model), "restapi.certfile") {
                    problem = problem.label(other.key_or_value(), format!("as in {}", model.name));
                }
                report.add(problem);
            }
        }
    }
    Ok(())
}
