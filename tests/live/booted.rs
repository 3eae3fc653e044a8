//! Units of a systemd that was booted, with Debian's generator: what is collected is what `systemctl` says, and what the same tree says.

use std::collections::BTreeSet;

use patroni_preflight::bundle::Answer;
use patroni_preflight::bundle::host::{Host, Unit};
use patroni_preflight::collect::host::{Limits, Questions, Way, look};
use serde_json::Value as Json;

use crate::support::TempDir;
use crate::support::booted::Booted;
use crate::support::pg::{command, tools};
use crate::support::site::Ran;

const INSTANCE: &str = "postgresql@15-main.service";
const PARENT: &str = "postgresql.service";
const PATRONI: &str = "[Unit]\nDescription=Patroni\nAfter=network.target\nConflicts=postgresql@15-main.service\n[Service]\nUser=postgres\n\
    EnvironmentFile=-/etc/patroni/env\nEnvironment=PATRONI_SCOPE=orders\nExecStartPre=/bin/true before\nExecStart=/usr/bin/patroni /etc/patroni/patroni.yml\n\
    KillMode=process\nTimeoutSec=30\nRestart=no\nLimitNOFILE=65536\n[Install]\nWantedBy=multi-user.target\n";

/// One with units in every state.
fn prepared() -> Booted {
    let booted = Booted::new();
    let unit = |name: &str, text: &str| booted.write(&format!("etc/systemd/system/{name}"), text);
    unit("patroni.service", PATRONI);
    unit(
        "patroni.service.d/10-local.conf",
        "[Service]\nRestart=on-failure\nTimeoutStopSec=2min 30s\nOOMScoreAdjust=-500\n",
    );
    unit("patroni.service.d/05-first.conf", "[Unit]\nAfter=time-sync.target\n[Service]\nRestart=always\n");
    unit(
        "patroni-runs.service",
        "[Service]\nType=exec\nUser=postgres\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    );
    unit("patroni-fails.service", "[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n");
    unit("patroni-static.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    unit("patroni-also.service", "[Service]\nExecStart=/bin/true\n[Install]\nAlso=patroni-runs.service\n");
    booted.link("/dev/null", "etc/systemd/system/patroni-masked.service");
    for name in ["patroni-runs.service", "patroni-fails.service"] {
        let wants = format!("etc/systemd/system/multi-user.target.wants/{name}");
        booted.link(&format!("/etc/systemd/system/{name}"), &wants);
    }
    booted.write("etc/patroni/env", "PATRONI_NAME=pg1\n");
    booted
}

fn see(way: &Way) -> Host {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(look(way, &Questions::default(), Limits::default())).host {
        Answer::Got(host) => host,
        Answer::Missing(miss) => panic!("{miss:?}"),
    }
}

fn got<T: std::fmt::Debug>(answer: &Answer<T>) -> &T {
    answer.got().unwrap_or_else(|| panic!("{answer:?}"))
}

fn unit<'a>(host: &'a Host, name: &str) -> &'a Unit {
    got(got(&host.units).get(name).unwrap_or_else(|| panic!("{name}: {:?}", got(&host.units).keys())))
}

/// The words of a property, or of a list, as a set.
fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn set(list: &Answer<Vec<String>>) -> BTreeSet<String> {
    got(list).iter().cloned().collect()
}

/// Every unit that was collected is what `systemctl` says of it.
fn is_as_systemctl_says(booted: &Booted, host: &Host) {
    for (name, unit) in got(&host.units) {
        let unit = got(unit);
        let said = |verb: &str| booted.run(&["systemctl", verb, name]).out.trim().to_owned();
        let show = |property: &str| {
            let ran = booted.run(&["systemctl", "show", "--value", "-p", property, "--", name]);
            assert_eq!(ran.code, Some(0), "{name} {property}: {}", ran.err);
            ran.out.trim().to_owned()
        };
        assert_eq!((got(&unit.active), got(&unit.enabled)), (&said("is-active"), &said("is-enabled")), "{name}");
        for (answer, property) in [
            (&unit.load, "LoadState"),
            (&unit.sub, "SubState"),
            (&unit.preset, "UnitFilePreset"),
            (&unit.r#type, "Type"),
            (&unit.kill_mode, "KillMode"),
            (&unit.restart, "Restart"),
            (&unit.limit_nofile, "LimitNOFILE"),
            (&unit.oom_score_adjust, "OOMScoreAdjust"),
        ] {
            // Of a unit that is masked systemd tells no properties of a service, and nothing is what is kept.
            assert_eq!(answer.got().cloned().unwrap_or_default(), show(property), "{name} {property}");
        }
        for (answer, property) in [(&unit.fragment, "FragmentPath"), (&unit.user, "User")] {
            let text = answer.got().cloned().flatten().unwrap_or_default();
            assert_eq!(text, show(property), "{name} {property}");
        }
        for (answer, property) in [
            (&unit.drop_ins, "DropInPaths"),
            (&unit.conflicts, "Conflicts"),
            (&unit.after, "After"),
            (&unit.requires, "Requires"),
            (&unit.wants, "Wants"),
        ] {
            assert_eq!(set(answer), words(&show(property)), "{name} {property}");
        }
        let pid = unit.main_pid.got().map(ToString::to_string).unwrap_or_default();
        assert_eq!(pid, show("MainPID"), "{name}");
    }
}

/// What a tree tells of units is what systemd makes of them; it adds more by itself.
fn agrees(tree: &Host, host: &Host) {
    for (name, offline) in got(&tree.units) {
        let (offline, running) = (got(offline), unit(host, name));
        // Masked ones have nothing to compare.
        if got(&offline.load) == "masked" {
            assert_eq!(got(&running.load), "masked", "{name}");
            continue;
        }
        let file = |u: &Unit| got(&u.fragment).as_deref().map(|f| f.trim_start_matches("/usr").to_owned());
        assert_eq!(file(offline), file(running), "{name}");
        let plain = |u: &Unit| {
            let one = [&u.load, &u.preset, &u.r#type, &u.kill_mode, &u.restart].map(|a| got(a).clone());
            let spans = [&u.timeout_start, &u.timeout_stop].map(|a| *got(a));
            (one, spans, got(&u.user).clone(), got(&u.drop_ins).clone(), got(&u.oom_score_adjust).clone())
        };
        assert_eq!(plain(offline), plain(running), "{name}");
        assert_eq!(got(&offline.exec_start), got(&running.exec_start), "{name}");
        assert_eq!(got(&offline.exec_start_pre), got(&running.exec_start_pre), "{name}");
        assert_eq!(got(&offline.environment), got(&running.environment), "{name}");
        assert_eq!(got(&offline.environment_files), got(&running.environment_files), "{name}");
        for (a, b) in [
            (&offline.conflicts, &running.conflicts),
            (&offline.after, &running.after),
            (&offline.wants, &running.wants),
            (&offline.requires, &running.requires),
        ] {
            assert!(set(a).is_subset(&set(b)), "{name}: {a:?} {b:?}");
        }
        if name != INSTANCE {
            assert_eq!(got(&offline.enabled), got(&running.enabled), "{name}");
        }
    }
}

#[test]
fn units_of_a_booted_systemd_are_as_it_says_and_as_its_tree_says() {
    let mut booted = prepared();
    let tree = see(&Way::Root(booted.root()));
    let said = |ran: Ran| ran.out.trim().to_owned();
    let offline = said(booted.offline(&["is-enabled", INSTANCE]));
    booted.boot();
    let host = see(&Way::Through(booted.way()));
    assert!(got(&got(&host.systemd).version).starts_with(|c: char| c.is_ascii_digit()), "{:?}", host.systemd);

    // Debian's generator has it started, which is told neither by `is-enabled` of the tree nor by a link below /etc.
    assert_eq!((offline.as_str(), got(&unit(&tree, INSTANCE).enabled).as_str()), ("disabled", "disabled"));
    let instance = unit(&host, INSTANCE);
    let state = [&instance.load, &instance.active, &instance.sub, &instance.enabled].map(|a| got(a).as_str());
    assert_eq!(state, ["loaded", "active", "running", "enabled-runtime"]);
    assert_eq!(set(&instance.wanted_by), words(PARENT));
    assert_eq!((got(&instance.timeout_start), got(&instance.timeout_stop)), (&None, &Some(3_600_000)));
    let server = got(&host.processes).iter().find(|p| p.name == "postgres").expect("the server");
    assert_eq!(got(&instance.main_pid), &server.pid);
    assert!(got(&server.cgroup).ends_with(&format!("/{INSTANCE}")), "{server:?}");
    for seen in [&tree, &host] {
        let clusters = got(&seen.clusters);
        assert_eq!((clusters.len(), got(&clusters[0].start).as_str()), (1, "auto"));
    }

    let patroni = unit(&host, "patroni.service");
    let state = [&patroni.load, &patroni.active, &patroni.sub, &patroni.enabled].map(|a| got(a).as_str());
    assert_eq!(state, ["loaded", "inactive", "dead", "disabled"]);
    let local = ["05-first.conf", "10-local.conf"].map(|f| format!("/etc/systemd/system/patroni.service.d/{f}"));
    assert_eq!(got(&patroni.drop_ins), &local);
    assert_eq!((got(&patroni.restart).as_str(), got(&patroni.kill_mode).as_str()), ("on-failure", "process"));
    assert_eq!((got(&patroni.timeout_start), got(&patroni.timeout_stop)), (&Some(30_000), &Some(150_000)));
    assert!(set(&patroni.conflicts).contains(INSTANCE) && set(&patroni.after).contains("time-sync.target"));
    let states = [
        ("patroni-runs.service", "active", "enabled"),
        ("patroni-fails.service", "failed", "enabled"),
        ("patroni-static.service", "inactive", "static"),
        ("patroni-also.service", "inactive", "indirect"),
        ("patroni-masked.service", "inactive", "masked"),
        (PARENT, "active", "enabled"),
    ];
    for (name, active, enabled) in states {
        let unit = unit(&host, name);
        assert_eq!((got(&unit.active).as_str(), got(&unit.enabled).as_str()), (active, enabled), "{name}");
    }
    is_as_systemctl_says(&booted, &host);
    agrees(&tree, &host);
}

/// The rules that find something, among some, of a host that was collected and then checked.
fn findings(booted: &Booted, ways: &[String], among: &[&str]) -> Vec<String> {
    let dir = TempDir::new("bundle");
    let member = "scope: orders\nname: pg1\netcd3: {hosts: '127.0.0.1:1'}\npostgresql:\n  listen: 127.0.0.1:1\n  connect_address: 127.0.0.1:1\n  \
        data_dir: /var/lib/postgresql/15/main\n  config_dir: /etc/postgresql/15/main\n  bin_dir: /usr/lib/postgresql/15/bin\n";
    let member = dir.write("patroni.yml", member);
    let bundle = dir.0.join("bundle.json");
    let program = || command(env!("CARGO_BIN_EXE_patroni-preflight"));
    let collected: Ran =
        program().arg("collect").arg(member).args(ways).arg("-o").arg(&bundle).output().expect("collect").into();
    assert!(matches!(collected.code, Some(0 | 3)), "{}{}", collected.out, collected.err);
    assert!(!collected.err.contains("not collected: the host of"), "{}", collected.err);
    let checked: Ran =
        program().args(["check", "--format", "json", "--bundle"]).arg(&bundle).output().expect("check").into();
    let report: Json =
        serde_json::from_str(&checked.out).unwrap_or_else(|e| panic!("{e}: {}{}", checked.out, checked.err));
    let rules = report["findings"].as_array().expect("a list").iter().map(|f| f["rule"].as_str().expect("a rule"));
    let mut found: Vec<String> = rules.filter(|rule| among.contains(rule)).map(str::to_owned).collect();
    found.sort();
    // Nothing was written on the way.
    assert_eq!(booted.offline(&["is-enabled", INSTANCE]).out.trim(), "disabled");
    found
}

fn through_tree(booted: &Booted) -> [String; 2] {
    ["--root".to_owned(), format!("pg1={}", booted.root().display())]
}

/// As with ssh, there is a word between that stands for the host.
fn through_host(booted: &Booted) -> [String; 4] {
    ["--ssh-command".to_owned(), booted.way().join(" "), "--ssh".to_owned(), "pg1=env".to_owned()]
}

#[test]
fn the_texts_of_units_and_their_files_of_variables_are_checked() {
    let mut booted = prepared();
    booted.write("etc/systemd/system/patroni.service.d/20-old.conf", "[Service]\nKillMode process\nKillMode=mixed\n");
    booted.write("etc/patroni/env", "PATRONI_SCOPE=others\nPATRONI_SCOPPE=other\n");
    let of_texts = [
        "env-file-syntax-error",
        "env-overrides-file",
        "env-unknown-variable",
        "systemd-killmode",
        "systemd-restart-policy",
        "unit-line-ignored",
        "unit-syntax-error",
    ];
    let found = [
        "env-overrides-file",
        "env-unknown-variable",
        "systemd-killmode",
        "systemd-restart-policy",
        "unit-line-ignored",
    ];
    assert_eq!(findings(&booted, &through_tree(&booted), &of_texts), found);
    booted.boot();
    assert_eq!(findings(&booted, &through_host(&booted), &of_texts), found);
}

#[test]
fn what_starts_postgresql_at_boot_is_a_finding_and_what_does_not_is_none() {
    let mut booted = prepared();
    let at_boot = ["debian-start-conf-auto", "systemd-postgres-unit-active"];
    let of_tree = |b: &Booted| findings(b, &through_tree(b), &at_boot);
    let of_host = |b: &Booted| findings(b, &through_host(b), &at_boot);
    let active = |b: &Booted| b.run(&["systemctl", "is-active", INSTANCE]).out.trim().to_owned();
    let enabled = |b: &Booted| b.run(&["systemctl", "is-enabled", INSTANCE]).out.trim().to_owned();
    assert_eq!(of_tree(&booted), ["debian-start-conf-auto"]);
    booted.boot();
    assert_eq!((active(&booted).as_str(), enabled(&booted).as_str()), ("active", "enabled-runtime"));
    assert_eq!(of_host(&booted), ["debian-start-conf-auto", "systemd-postgres-unit-active"]);
    // To disable the unit of the cluster changes nothing, as the rule says.
    assert_eq!(booted.run(&["systemctl", "disable", INSTANCE]).code, Some(0));
    booted.power_off();
    booted.boot();
    assert_eq!((active(&booted).as_str(), enabled(&booted).as_str()), ("active", "enabled-runtime"));
    assert_eq!(of_host(&booted), ["debian-start-conf-auto", "systemd-postgres-unit-active"]);
    // To disable the one that it hangs below does, though `is-enabled` does not say so.
    assert_eq!(booted.run(&["systemctl", "disable", PARENT]).code, Some(0));
    booted.power_off();
    booted.boot();
    assert_eq!((active(&booted).as_str(), enabled(&booted).as_str()), ("inactive", "enabled-runtime"));
    assert_eq!(of_host(&booted), [""; 0]);
    // What the rule advises, with that one on again.
    assert_eq!(booted.run(&["systemctl", "enable", PARENT]).code, Some(0));
    let manual = "sed -i 's/^auto$/manual/' /etc/postgresql/15/main/start.conf";
    assert_eq!(booted.run(&["sh", "-c", manual]).code, Some(0));
    booted.power_off();
    booted.boot();
    assert_eq!((active(&booted).as_str(), enabled(&booted).as_str()), ("inactive", "disabled"));
    assert_eq!(of_host(&booted), [""; 0]);
    assert_eq!(of_tree(&booted), [""; 0]);
}

const STORE: &str =
    "[Service]\nExecStart={tools}/etcd/etcd --data-dir /srv/etcd --heartbeat-interval 50 --election-timeout 500\n";
const TAKES_OVER: &str = "[Service]\nUser=postgres\nExecStart={tools}/py/bin/python {tools}/py/bin/patroni /etc/patroni/patroni.yml\n\
    StandardOutput=append:/var/log/postgresql/patroni.log\nStandardError=append:/var/log/postgresql/patroni.log\nKillMode=process\n";
const MEMBER: &str = "scope: orders\nname: pg1\nrestapi: {listen: '127.0.0.1:8008', connect_address: '127.0.0.1:8008'}\n\
    etcd3: {hosts: '127.0.0.1:2379'}\nbootstrap: {dcs: {ttl: 20, loop_wait: 1, retry_timeout: 3}}\npostgresql:\n  \
    listen: 127.0.0.1:5432\n  connect_address: 127.0.0.1:5432\n  use_unix_socket: true\n  pgpass: /tmp/pgpass\n  \
    data_dir: /var/lib/postgresql/15/main\n  config_dir: /etc/postgresql/15/main\n  bin_dir: /usr/lib/postgresql/15/bin\n  \
    authentication: {superuser: {username: postgres}, replication: {username: postgres}}\n  \
    parameters: {unix_socket_directories: /var/run/postgresql}\n";

/// `postmaster-in-foreign-cgroup`: whoever stops the unit that had started the server stops the server of Patroni.
#[test]
fn a_server_that_belongs_to_its_old_unit_is_stopped_with_it() {
    let rule = ["postmaster-in-foreign-cgroup"];
    let mut booted = prepared();
    let unit = |name: &str, text: &str| {
        let text = text.replace("{tools}", &tools().display().to_string());
        booted.write(&format!("etc/systemd/system/{name}"), &text);
    };
    unit("etcd.service", STORE);
    unit("patroni.service", TAKES_OVER);
    std::fs::remove_dir_all(booted.root().join("etc/systemd/system/patroni.service.d")).unwrap();
    booted.write("etc/patroni/patroni.yml", MEMBER);
    std::fs::create_dir_all(booted.root().join("srv")).unwrap();
    booted.boot();
    let must = |words: &[&str]| {
        let ran = booted.run(words);
        assert_eq!(ran.code, Some(0), "{words:?}: {}{}", ran.out, ran.err);
        ran.out
    };
    let log = || booted.run(&["cat", "/var/log/postgresql/patroni.log"]).out;
    let wait = |what: &str, holds: &dyn Fn() -> bool| {
        let since = std::time::Instant::now();
        while !holds() {
            let journal = || booted.run(&["journalctl", "-n", "30", "--no-pager"]).out;
            assert!(since.elapsed().as_secs() < 40, "{what} does not come:\n{}{}", log(), journal());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    let leads = || booted.run(&["curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:8008/primary"]).code == Some(0);
    let pid = || booted.run(&["head", "-1", "/var/lib/postgresql/15/main/postmaster.pid"]).out.trim().to_owned();
    let group = || must(&["cat", &format!("/proc/{}/cgroup", pid())]);
    let found = |booted: &Booted| findings(booted, &through_host(booted), &rule);
    must(&["systemctl", "start", "etcd", "patroni"]);
    wait("a leader", &leads);
    assert!(group().contains(INSTANCE), "{}", group());
    assert_eq!(found(&booted), rule);
    let (old, so_far) = (pid(), log().len());
    // As a script of a package, or an administrator who thinks that this is over.
    must(&["systemctl", "stop", INSTANCE]);
    wait("a server that is down", &|| log()[so_far..].contains("starting primary after failure"));
    wait("a leader", &|| leads() && !["", &*old].contains(&&*pid()));
    assert_eq!(found(&booted), [""; 0]);

    // The same again, with the fix.
    must(&["systemctl", "stop", "patroni"]);
    must(&["systemctl", "start", INSTANCE]);
    must(&["systemctl", "start", "patroni"]);
    wait("a leader", &leads);
    assert_eq!(found(&booted), rule);
    let python = tools().join("py/bin/python").display().to_string();
    let program = "from patroni.ctl import ctl; ctl()";
    let patronictl = [&*python, "-c", program, "-c", "/etc/patroni/patroni.yml"];
    let said = must(&[&patronictl[..], &["restart", "orders", "pg1", "--force"]].concat());
    assert!(said.contains("Success: restart on member pg1"), "{said}");
    wait("a leader", &leads);
    assert_eq!(found(&booted), [""; 0]);
    assert!(group().contains("patroni.service"), "{}", group());
    let own = pid();
    booted.run(&["systemctl", "stop", INSTANCE]);
    assert_eq!((pid(), leads()), (own, true));
}
