//! A container that starts a second server on the data of a member: what it sees of the server outside, and what is found of it.

use std::fs;

use super::on_site::check;
use crate::support::path;
use crate::support::site::{Layout, Site};

/// Puts the files of a container, as a Docker 20.10 has written them, where a host has them. Its name is one of those in the record.
fn put_container(site: &Site, member: &str, name: &str) -> String {
    let containers = fs::read_dir(path("fixtures/recorded/docker/containers")).expect("a directory");
    for container in containers.map(|c| c.expect("an entry")) {
        let read = |file: &str| fs::read_to_string(container.path().join(file)).expect("a file");
        let config = read("config.v2.json");
        if config.contains(&format!("\"/{name}\"")) {
            // `/var/lib` belongs to the machine, `/srv` to the host.
            site.write(member, "/etc/docker/daemon.json", r#"{"data-root": "/srv/docker"}"#);
            let dir = format!("/srv/docker/containers/{}", container.file_name().display());
            // It was made for the directory that Debian's packages have.
            let own = |text: String| text.replace("/var/lib/postgresql/15/main", &site.plan.data_dir());
            site.write(member, &format!("{dir}/config.v2.json"), own(config));
            site.write(member, &format!("{dir}/hostconfig.json"), own(read("hostconfig.json")));
            return dir;
        }
    }
    panic!("no container {name} was recorded");
}

#[test]
fn a_container_starts_a_second_server() {
    let rule = "other-ha-manager";
    let site = Site::of(15).layout(Layout::Directory).start();
    check(&site).is_silent(&[rule]);
    let dir = put_container(&site, "pg1", "shop_db_1");
    let data = site.plan.data_dir();
    let before = check(&site);
    before.finding(rule, "Docker starts the container `shop_db_1` (postgres:15, restart policy `unless-stopped`");
    let found = before.finding(rule, &format!("with the host: a second server on {data}"));
    let words = found.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("`docker update --restart=no CONTAINER`"), "{found}");

    // Docker does not run here, but what a container is does: processes, shared memory, network and mounts of its own.
    site.sql("pg1", "CREATE TABLE t AS SELECT 1 AS id");
    let own = "unshare --pid --ipc --net --mount --fork --kill-child --mount-proc";
    let user = "setpriv --reuid postgres --regid postgres --init-groups";
    let server = format!("{}/postgres -D {data} -c unix_socket_directories=/tmp", site.plan.bin_dir());
    let outside = site.sh("pg1", &format!("head -1 {data}/postmaster.pid"));
    site.sh(
        "pg1",
        &format!("setsid {own} {user} {server} > /tmp/inside.log 2>&1 < /dev/null & echo $! > /tmp/inside.pid"),
    );
    let said = || site.read("pg1", "/tmp/inside.log");
    site.wait("the second server", 20, || {
        site.run_as("pg1", "postgres", &["psql", "-h", "/tmp", "-XAtc", "SELECT 1"]).out.trim() == "1"
    });
    assert!(!said().contains("lock file \"postmaster.pid\" already exists"), "{}", said());
    // Both run on the same files, and do not see what the other one writes.
    assert_eq!(site.sql("pg1", "INSERT INTO t VALUES (2); SELECT count(*) FROM t"), "2");
    let pid = site.sh("pg1", &format!("head -1 {data}/postmaster.pid"));
    assert_ne!(pid.trim(), outside.trim(), "the second one has made the file its own");
    site.sh("pg1", "kill -KILL $(cat /tmp/inside.pid)");

    // What `docker update --restart=no shop_db_1` has written; Docker did not start it again then.
    let updated = fs::read_to_string(path("fixtures/recorded/docker/hostconfig.after-update.json")).expect("a file");
    site.write("pg1", &format!("{dir}/hostconfig.json"), updated);
    check(&site).is_silent(&[rule]);
    // One that was stopped by hand stays stopped; with `always` it does not.
    put_container(&site, "pg1", "by-hand");
    check(&site).is_silent(&[rule]);
}
