//! The REST API on the port of PostgreSQL.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::rules::native::host::ports;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        // An address without a port has a finding of its own.
        let (Some(rest), Some(server)) = (file.config.address("restapi.listen", 0), file.config.listen()) else {
            continue;
        };
        let ((host, port), (hosts, other)) = (&rest.value, &server.value);
        if port != other || is_placeholder(host) || is_placeholder(hosts) {
            continue;
        }
        let host = plain(host);
        if hosts.split(',').map(plain).any(|h| is_every(&h) || is_every(&host) || h == host) {
            let problem = report.problem(rest.span).arg("port", port.to_string()).arg("what", "PostgreSQL too");
            report.add(problem.label(server.span, "PostgreSQL listens here"));
        }
    }
    ports::restapi(facts, report)
}

fn plain(host: &str) -> String {
    let host = host.trim().trim_matches(['[', ']']).to_ascii_lowercase();
    if host == "localhost" { "127.0.0.1".to_owned() } else { host }
}

fn is_every(host: &str) -> bool {
    ["", "*", "0.0.0.0", "::"].contains(&host)
}
