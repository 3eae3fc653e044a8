//! Ports that Patroni or its server are to have, and what listens there today.

use crate::bundle::host::Listener;
use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap};
use crate::rules::native::on_host::{OnHost, each, is_patroni};
use crate::rules::report::Report;

/// `listen-port-in-use`: a program other than the server of the data directory has the port of `postgresql.listen`.
pub(in crate::rules::native) fn postgresql(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some(listen) = on.file.config.listen() else { return Ok(()) };
        let Some((_, data)) = on.data()? else { return Ok(()) };
        let own = on.server_in(data)?;
        let servers = on.servers()?;
        for (n, listener) in on.on_port(&listen.value.0, listen.value.1)? {
            let holders = on.holders(listener)?;
            let is_own = |pid: u32| own == Some(pid);
            // Without a server of its own, that of another directory has a finding of its own.
            let is_server = |pid: u32| own.is_none() && servers.iter().any(|(_, s)| s.pid == pid);
            if holders.iter().any(|h| is_own(h.pid) || is_server(h.pid)) {
                continue;
            }
            report.add(
                report
                    .problem(listen.span)
                    .arg("member", on.member.name.as_str())
                    .arg("port", listen.value.1.to_string())
                    .arg("holder", holder(on, listener)?)
                    .label(on.host.at(&["listeners", &n.to_string()]), "listens there"),
            );
            break;
        }
        Ok(())
    });
    Ok(())
}

/// The live half of `restapi-port-in-use`: a program other than Patroni has the port of `restapi.listen`.
pub(in crate::rules::native) fn restapi(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some(listen) = on.file.config.address("restapi.listen", 0).filter(|l| l.value.1 != 0) else {
            return Ok(());
        };
        // Both at one port: the files say that.
        if on.file.config.listen().is_some_and(|l| l.value.1 == listen.value.1) {
            return Ok(());
        }
        let processes = on.processes()?;
        let ours = |pid: u32| processes.iter().any(|p| p.pid == pid && is_patroni(p));
        for (n, listener) in on.on_port(&listen.value.0, listen.value.1)? {
            if on.holders(listener)?.iter().any(|h| ours(h.pid)) {
                continue;
            }
            report.add(
                report
                    .problem(listen.span)
                    .arg("what", format!("{}, on the host of {}", holder(on, listener)?, on.member.name))
                    .arg("port", listen.value.1.to_string())
                    .label(on.host.at(&["listeners", &n.to_string()]), "listens there"),
            );
            break;
        }
        Ok(())
    });
    Ok(())
}

fn holder(on: &OnHost<'_>, listener: &Listener) -> Fact<String> {
    let holders = on.node.answer("the process that listens", &listener.holders)?;
    let first = holders.first().map(|h| format!("`{}` (process {})", h.name, h.pid));
    Ok(first.unwrap_or_else(|| "another program".to_owned()))
}
