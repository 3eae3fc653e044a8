//! `listen` without a port.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in &facts.patroni {
        for (key, effect, port) in [
            ("restapi.listen", ", and Patroni does not start without one", "8008"),
            ("postgresql.listen", ", so Patroni takes 5432", "5432"),
        ] {
            let Some(item) = file.config.get(key) else { continue };
            let Some(address) = item.as_str().filter(|a| !a.is_empty()) else { continue };
            if has_port(address) {
                continue;
            }
            report.add(
                report
                    .problem(item.span)
                    .arg("key", key)
                    .arg("effect", effect)
                    .arg("example", format!("{address}:{port}")),
            );
        }
    }
    Ok(())
}

/// Whether `split_host_port` (`patroni/utils.py`) finds a port: a number behind the last colon, which for a bare IPv6
/// address it takes for one too.
fn has_port(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::has_port;

    #[test]
    fn a_port_is_a_number_behind_the_last_colon() {
        assert!(has_port("0.0.0.0:8008") && has_port("a,b:5432") && has_port("[::]:5432"));
        assert!(!has_port("0.0.0.0") && !has_port("host:") && !has_port("[::]"));
    }
}
