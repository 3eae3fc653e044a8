//! `check` of members as they run, on a site of real hosts.

use crate::support::site::{Layout, Ran, Site};

/// `check` of all members, with the ways to their hosts.
fn check(site: &Site, more: &[&str]) -> Ran {
    let files: Vec<String> = site.members().iter().map(|m| format!("/etc/patroni/{m}.yml")).collect();
    let ssh: Vec<String> = site.members().iter().map(|m| format!("{m}={m}")).collect();
    let dsns: Vec<String> = site.members().iter().map(|m| format!("{m}={}", site.dsn(m, "dba", "postgres"))).collect();
    let mut args = vec!["check"];
    args.extend(files.iter().map(String::as_str));
    args.extend(ssh.iter().flat_map(|s| ["--ssh", s.as_str()]));
    args.extend(dsns.iter().flat_map(|s| ["--dsn", s.as_str()]));
    args.extend(more);
    site.preflight(&args)
}

#[test]
fn a_prepared_site_is_ready() {
    let site = Site::of(15).layout(Layout::Debian).standbys(2).start();
    // As Debian makes it, the cluster is started at boot.
    for member in site.members() {
        site.sh(member, "sed -i s/auto/manual/ /etc/postgresql/15/main/start.conf");
    }
    let ran = check(&site, &["--manifest", "/tmp/manifest"]);
    println!("{}\n{}\n{:?}", ran.out, ran.err, ran.code);

    assert_eq!(ran.code, Some(0));
}
