//! The real ssh between the hosts of a site: what is collected through it is what the other tests collect without it.

use crate::support::site::{OPERATOR, Ran, SSH_HOME as HOME, Site};

/// `check` of all members through an ssh.
fn check(site: &Site, ssh: Option<&str>) -> Ran {
    let mut args = vec!["check".to_owned()];
    args.extend(site.members().iter().map(|m| format!("/etc/patroni/{m}.yml")));
    args.extend(site.members().iter().map(|m| format!("--ssh={m}=postgres@{m}")));
    args.extend(ssh.map(|ssh| format!("--ssh-command={ssh}")));
    site.preflight(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_real_ssh_tells_what_is_told_without_it() {
    let site = Site::of(15).standbys(1).start();
    let ssh = site.serve_ssh();
    let without = check(&site, None);
    let with = check(&site, Some(&ssh));
    assert_eq!((&with.out, with.code), (&without.out, without.code), "{}", with.err);
    assert!(with.out.contains("debian-start-conf-auto"), "{}", with.out);
    // Someone who is not let in, and a host that is another one than it was.
    site.sh(OPERATOR, &format!("sed 's,/own,/strange,' {HOME}/config > {HOME}/strange-config"));
    let strange = check(&site, Some(&ssh.replace("/config", "/strange-config")));
    assert!(strange.out.contains("the host of pg1 is refused to us"), "{}{}", strange.out, strange.err);
    assert!(strange.out.contains("Permission denied"), "{}", strange.out);
    site.sh(OPERATOR, &format!("sed -i 's/^pg1 /pg3 /; s/^pg2 /pg1 /' {HOME}/known"));
    let changed = check(&site, Some(&ssh));
    assert!(changed.out.contains("the host of pg1 is"), "{}", changed.out);
    assert!(changed.out.contains("Host key verification failed"), "{}{}", changed.out, changed.err);
    for ran in [&strange, &changed] {
        assert!(!ran.out.lines().last().unwrap_or_default().contains("ready"), "{}", ran.out);
        assert!(matches!(ran.code, Some(1 | 3)), "{:?}", ran.code);
    }
}
