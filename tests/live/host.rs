//! What is seen of hosts: of this machine with real servers, through prefixes, of namespaces with a real systemd, of trees.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use patroni_preflight::bundle::Answer;
use patroni_preflight::bundle::host::{Container, Engine, Host, Kind, Place, Reach, Runs, Unit};
use patroni_preflight::collect::host::{Limits, Looked, Questions, Way, look};
use patroni_preflight::gap::GapReason;
use serde_json::{Value as Json, json};

use crate::support::cases::copy;
use crate::support::pg::{Server, command, data_dir, give, program, temp_dir, tools, write};
use crate::support::{TempDir, host as spaces, path};

const MAJOR: u16 = 15;

fn see(way: &Way, questions: &Questions, limits: Limits) -> Looked {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(look(way, questions, limits))
}

fn host(way: &Way, questions: &Questions) -> Host {
    match see(way, questions, Limits::default()).host {
        Answer::Got(host) => host,
        Answer::Missing(miss) => panic!("{miss:?}"),
    }
}

fn through(words: &[&str]) -> Way {
    Way::Through(words.iter().map(|w| (*w).to_owned()).collect())
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn got<T: std::fmt::Debug>(answer: &Answer<T>) -> &T {
    answer.got().unwrap_or_else(|| panic!("{answer:?}"))
}

fn why<T: std::fmt::Debug>(answer: &Answer<T>) -> GapReason {
    answer.as_result().expect_err("no answer").why
}

fn bin_dir() -> String {
    text(program(MAJOR, "postgres").parent().unwrap())
}

fn about(server: &Server) -> Questions {
    Questions {
        data_dirs: vec![text(&server.data_dir)],
        config_dirs: vec![text(&server.data_dir)],
        bin_dirs: vec![bin_dir()],
        paths: vec![text(&server.data_dir.join("postgresql.conf")), "/no/such".to_owned(), "relative".to_owned()],
        names: vec!["localhost".to_owned(), "no-such-name.invalid".to_owned()],
        watchdogs: vec!["/dev/watchdog".to_owned(), "/dev/null".to_owned()],
        units: vec!["no-such-unit.service".to_owned()],
        reach: vec![
            format!("127.0.0.1:{}", server.port),
            format!("[::1]:{}", server.port),
            "127.0.0.1:1".to_owned(),
            "a/b:1".to_owned(),
        ],
        lasting: vec![text(&server.socket_dir)],
        password_files: Vec::new(),
    }
}

#[test]
fn a_running_server_is_seen_as_it_says_itself() {
    let listen = "listen_addresses = '127.0.0.1, ::1'\nwal_log_hints = on\nmax_connections = 33\n";
    let server = Server::start(MAJOR, |_| listen.to_owned());
    let mut db = server.client();
    let mut one = |sql: &str| db.query(sql)[0][0].clone().unwrap();
    let looked = see(&Way::Here, &about(&server), Limits::default());
    let host = got(&looked.host);
    let dir = text(&server.data_dir);
    let data = &host.data[&dir];
    assert_eq!(
        got(&data.control)["Database system identifier"],
        one("SELECT system_identifier FROM pg_control_system()")
    );
    assert_eq!(got(&data.control)["wal_log_hints setting"], "on");
    assert_eq!(got(&data.control)["max_connections setting"], "33");
    assert_eq!(got(&data.control)["Database cluster state"], "in production");
    assert_eq!(got(&data.version).as_deref(), Some("15"));
    assert_eq!((got(&data.dynamic), got(&data.backup_label)), (&None, &None));
    assert!(got(&data.names).iter().any(|n| n == "PG_VERSION") && got(&data.tablespaces).is_empty());
    let entry = got(&data.entry).as_ref().unwrap();
    assert_eq!((entry.kind, entry.mode, entry.owner.as_deref()), (Kind::Directory, 0o700, Some("postgres")));
    assert_eq!(entry.uid, fs::metadata(&server.data_dir).unwrap().uid());
    let pid: u32 =
        fs::read_to_string(server.data_dir.join("postmaster.pid")).unwrap().lines().next().unwrap().parse().unwrap();
    let file = got(&data.pid_file).as_ref().unwrap();
    assert_eq!((file.pid, file.port, file.status.as_deref()), (pid, Some(server.port), Some("ready")));
    assert_eq!(got(&file.alive).as_deref(), Some("postgres"));

    let processes = got(&host.processes);
    let process = processes.iter().find(|p| p.pid == pid).expect("the postmaster");
    let started: u64 = one("SELECT extract(epoch FROM pg_postmaster_start_time())::bigint").parse().unwrap();
    assert!(process.started.abs_diff(started) <= 2, "{process:?} {started}");
    assert_eq!((process.name.as_str(), process.ppid, process.uid), ("postgres", std::process::id(), entry.uid));
    assert_eq!(got(&process.directory), &dir);
    assert!(process.command.windows(2).any(|w| w[0] == "-D" && w[1] == dir), "{process:?}");
    assert!(got(&process.cgroup).starts_with('/'));
    // The processes of its sessions are not listed.
    assert_eq!(processes.iter().filter(|p| p.ppid == pid).count(), 0);

    let socket = format!("{}/.s.PGSQL.{}", server.socket_dir.display(), server.port);
    let tcp = |address: &str| Place::Tcp { address: address.to_owned(), port: server.port };
    for at in [tcp("127.0.0.1"), tcp("::1"), Place::Unix(socket)] {
        let listener = got(&host.listeners).iter().find(|l| l.at == at).unwrap_or_else(|| panic!("{at:?}"));
        assert!(got(&listener.holders).iter().any(|h| h.pid == pid && h.name == "postgres"), "{listener:?}");
    }
    let programs = &host.programs[&bin_dir()];
    let full = one("SHOW server_version");
    assert!(got(&programs.version).starts_with(&format!("postgres (PostgreSQL) {full}")), "{programs:?}");
    assert!(got(&programs.files["pg_controldata"]).is_some());
    assert!(got(&programs.libraries).iter().any(|name| name == "plpgsql"), "{programs:?}");
    let reach: Vec<_> = host.reach.iter().map(|(place, reach)| (place.as_str(), *got(reach))).collect();
    let (four, six) = (format!("127.0.0.1:{}", server.port), format!("[::1]:{}", server.port));
    assert_eq!(reach, [("127.0.0.1:1", Reach::Refused), (&*four, Reach::Open), (&*six, Reach::Open)]);
    assert_eq!(got(&host.paths["/no/such"]), &None);
    assert_eq!(why(&host.paths["relative"]), GapReason::Unreadable);
    assert!(got(&host.names["localhost"]).iter().any(|a| a == "127.0.0.1" || a == "::1"));
    assert!(got(&host.names["no-such-name.invalid"]).is_empty());
    assert_eq!(got(&host.paths["/dev/null"]).as_ref().unwrap().kind, Kind::Device);
    let space = got(&host.filesystems[&dir]);
    assert!(space.total > space.free && space.free > 0 && space.mounted.starts_with('/'), "{space:?}");
    assert!(got(&host.addresses).iter().any(|a| a.address == "127.0.0.1" && a.prefix == 8));
    let clock = got(&host.clock);
    assert!(clock.there.abs_diff(clock.here) < 5000, "{clock:?}");
    assert_eq!(*got(&host.uid), 0);
    assert_eq!(got(&host.name), fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim());
    assert!(looked.manifest.files.contains(&dir) && looked.manifest.programs.contains("ip -o addr show"));
    assert!(looked.manifest.programs.iter().any(|p| p.starts_with("sh -s")));
    let tried = format!("TCP connections, closed at once, to {four} {six} 127.0.0.1:1");
    assert!(looked.manifest.programs.iter().any(|p| p.ends_with(&tried)), "{:?}", looked.manifest.programs);
    // What was written is what is read again.
    let json = serde_json::to_string(host).unwrap();
    assert_eq!(&serde_json::from_str::<Host>(&json).unwrap(), host);
}

/// Without what changes from one look to the next, and without what other tests start at the same time.
fn lasting(mut host: Host, pid: u32) -> String {
    host.clock = Answer::missing(GapReason::NotGiven, "");
    host.filesystems.values_mut().for_each(|f| {
        if let Answer::Got(f) = f {
            f.free = 0;
        }
    });
    if let Answer::Got(processes) = &mut host.processes {
        processes.retain(|p| p.pid == pid);
        assert_eq!(processes.len(), 1);
    }
    if let Answer::Got(listeners) = &mut host.listeners {
        listeners.retain(|l| l.holders.got().is_some_and(|h| h.iter().any(|h| h.pid == pid)));
        assert_eq!(listeners.len(), 1);
    }
    host.watchdogs.clear();
    host.patroni = Answer::missing(GapReason::NotGiven, "");
    serde_json::to_string_pretty(&host).unwrap()
}

#[test]
fn every_way_gives_the_same_answers() {
    let server = Server::start(MAJOR, |_| "listen_addresses = ''\n".to_owned());
    let questions = about(&server);
    let seen = host(&Way::Here, &questions);
    let pid = got(&seen.data[&text(&server.data_dir)].pid_file).as_ref().unwrap().pid;
    let here = lasting(seen, pid);
    // As a program that runs its words, and as ssh, which makes one text of them for a shell there.
    for prefix in [&["env"][..], &["sh", "-c", "exec \"$@\"", "x"], &["sh", "-c", "exec sh -c \"$*\"", "x"]] {
        assert_eq!(lasting(host(&through(prefix), &questions), pid), here, "{prefix:?}");
    }
    let noisy = through(&["sh", "-c", "echo Welcome; echo hello; echo warning >&2; exec \"$@\"", "x"]);
    assert_eq!(lasting(host(&noisy, &questions), pid), here);
}

#[test]
fn a_host_that_cannot_be_had_is_no_host() {
    let limits = Limits { probe: 1, round: Duration::from_secs(1), bytes: 1 << 16 };
    let miss = |words: &[&str]| match see(&through(words), &Questions::default(), limits).host {
        Answer::Missing(miss) => miss,
        Answer::Got(host) => panic!("{host:?}"),
    };
    assert_eq!(miss(&["/no/such/program"]).why, GapReason::Unreachable);
    let refused = miss(&["sh", "-c", "echo 'ssh: no route to host' >&2; exit 255"]);
    assert_eq!((refused.why, refused.detail.as_str()), (GapReason::Unreachable, "ssh: no route to host"));
    let since = Instant::now();
    assert_eq!(miss(&["sh", "-c", "exec sleep 60"]).why, GapReason::TimedOut);
    assert!(since.elapsed() < Duration::from_secs(10));
    // One that breaks in the middle leaves gaps behind what it had said.
    let questions = Questions { paths: vec!["/etc".to_owned()], ..Questions::default() };
    let cut = through(&["sh", "-c", "\"$@\" | head -c 400", "x"]);
    let Answer::Got(host) = see(&cut, &questions, limits).host else { panic!("what was said is kept") };
    assert_eq!(why(&host.paths["/etc"]), GapReason::Unreachable);
}

/// A program that does what a shell text says.
fn script(path: &Path, text: &str) {
    write(path, format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_probe_that_hangs_or_floods_is_cut_off() {
    let dir = temp_dir("hang");
    script(&dir.join("slow/postgres"), "trap '' TERM; while :; do sleep 100; done");
    script(&dir.join("loud/postgres"), "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
    assert!(command("mkfifo").arg(dir.join("fifo")).status().unwrap().success());
    fs::create_dir(dir.join("data")).unwrap();
    symlink(dir.join("fifo"), dir.join("data/PG_VERSION")).unwrap();
    let questions = Questions {
        bin_dirs: vec![text(&dir.join("slow")), text(&dir.join("loud"))],
        data_dirs: vec![text(&dir.join("data"))],
        ..Questions::default()
    };
    let limits = Limits { probe: 1, round: Duration::from_secs(30), bytes: 1 << 16 };
    for (way, tail) in [(Way::Here, ""), (without(&["timeout"]), " without `timeout`")] {
        let since = Instant::now();
        let looked = see(&way, &questions, limits);
        assert!(since.elapsed() < Duration::from_secs(25), "{:?}{tail}", since.elapsed());
        let host = got(&looked.host);
        assert_eq!(why(&host.programs[&text(&dir.join("slow"))].version), GapReason::TimedOut, "{tail}");
        assert_eq!(why(&host.programs[&text(&dir.join("loud"))].version), GapReason::Unreadable, "{tail}");
        assert_eq!(why(&host.data[&text(&dir.join("data"))].version), GapReason::Unreadable, "{tail}");
        assert!(host.data[&text(&dir.join("data"))].entry.got().is_some(), "what comes later is still seen");
    }
    fs::remove_dir_all(dir).unwrap();
}

/// This machine without some programs.
fn without(programs: &[&str]) -> Way {
    let hide: Vec<_> = programs.iter().map(|p| format!("mknod /tmp/upper/{p} c 0 0")).collect();
    let mount = "mount -t tmpfs tmpfs /mnt; mkdir /mnt/upper /mnt/work";
    let hide = hide.join("; ").replace("/tmp/", "/mnt/");
    let over = "mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=/mnt/upper,workdir=/mnt/work /usr/bin";
    through(&["unshare", "--mount", "sh", "-c", &format!("set -e; {mount}; {hide}; {over}; exec \"$@\""), "x"])
}

#[test]
fn a_missing_program_is_a_gap_and_not_an_absence() {
    let questions = Questions {
        paths: vec!["/etc/passwd".to_owned(), "/no/such".to_owned()],
        data_dirs: vec!["/no/such".to_owned()],
        names: vec!["localhost".to_owned()],
        ..Questions::default()
    };
    let seen = host(&without(&["stat", "od", "getent", "awk", "mawk", "systemctl", "timedatectl", "grep"]), &questions);
    assert_eq!(why(&seen.paths["/etc/passwd"]), GapReason::Unreachable);
    assert_eq!(why(&seen.paths["/no/such"]), GapReason::Unreachable);
    assert_eq!(why(&seen.data["/no/such"].version), GapReason::Unreachable);
    assert_eq!(why(&seen.data["/no/such"].pid_file), GapReason::Unreachable);
    assert_eq!(why(&seen.processes), GapReason::Unreachable);
    assert_eq!(why(&seen.listeners), GapReason::Unreachable);
    assert_eq!(why(&seen.names["localhost"]), GapReason::Unreachable);
    assert_eq!(why(&seen.synchronised), GapReason::Unreachable);
    assert_eq!(why(&seen.launchers), GapReason::Unreachable);
    assert_eq!(why(&seen.clusters), GapReason::Unreachable);
    assert_eq!(why(&seen.units), GapReason::Unreachable);
    assert_eq!(why(&seen.systemd), GapReason::Unreachable);
    assert!(seen.addresses.got().is_some());
    let questions = Questions { data_dirs: vec!["/etc".to_owned()], ..Questions::default() };
    let seen = host(&without(&["ls"]), &questions);
    assert_eq!(why(&seen.data["/etc"].names), GapReason::Unreachable);
}

#[test]
fn who_may_not_look_has_gaps_and_not_absences() {
    let server = Server::start(MAJOR, |_| "listen_addresses = '127.0.0.1'\n".to_owned());
    write(&server.data_dir.join("patroni.dynamic.json"), "{}");
    let dir = text(&server.data_dir);
    let mut questions = about(&server);
    questions.paths.push(format!("{dir}/no/such"));
    let seen = host(&through(&["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]), &questions);
    assert_ne!(*got(&seen.uid), 0);
    let data = &seen.data[&dir];
    for miss in [why(&data.version), why(&data.dynamic), why(&data.backup_label), why(&data.pid_file), why(&data.names)]
    {
        assert_eq!(miss, GapReason::Denied);
    }
    assert_eq!(why(&data.wal), GapReason::Denied);
    assert_eq!(why(&data.tablespaces), GapReason::Denied);
    assert_eq!(why(&data.control), GapReason::Denied);
    assert_eq!(why(&seen.paths[&format!("{dir}/no/such")]), GapReason::Denied);
    assert_eq!(why(&seen.paths[&format!("{dir}/postgresql.conf")]), GapReason::Denied);
    let at = Place::Tcp { address: "127.0.0.1".to_owned(), port: server.port };
    let listener = got(&seen.listeners).iter().find(|l| l.at == at).expect("everybody sees that it listens");
    assert_eq!(why(&listener.holders), GapReason::Denied);
    assert_eq!(why(&seen.watchdogs["/dev/watchdog"]), GapReason::Denied);
    let process = got(&seen.processes).iter().find(|p| p.command.contains(&dir)).expect("processes are seen");
    assert_eq!(why(&process.directory), GapReason::Denied);
    let unread = &got(&seen.launchers).unread;
    assert!(unread.iter().all(|u| u.what.why == GapReason::Denied), "{unread:?}");
    if Path::new("/var/spool/cron/crontabs").exists() {
        assert!(unread.iter().any(|u| u.what.detail.contains("/var/spool/cron/crontabs")), "{unread:?}");
    }
}

/// Names, sizes and times of all below a directory.
fn snapshot(dir: &Path) -> Vec<(PathBuf, u64, i64, i64)> {
    let entries = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().map(Result::unwrap);
    let one = |e: walkdir::DirEntry| {
        let m = e.metadata().unwrap();
        (e.into_path(), m.len(), m.mtime_nsec() + m.mtime() * 1_000_000_000, m.ctime_nsec() + m.ctime() * 1_000_000_000)
    };
    entries.map(one).collect()
}

#[test]
fn hostile_names_are_only_names_and_nothing_is_written() {
    let dir = temp_dir("names");
    for name in
        ["a b", "it's", "x\ny", "$(touch planted)", "`touch planted`", "\"; touch planted; \"", "*", "-rf", "ü\u{202e}"]
    {
        let one = dir.join(name);
        fs::create_dir(&one).unwrap();
        give(&one);
        let data = data_dir(MAJOR, &one);
        symlink("../base/it's $(touch planted)\n", data.join("pg_tblspc/1 2\n3")).unwrap();
        let before = snapshot(&dir);
        let questions = Questions {
            data_dirs: vec![text(&data)],
            config_dirs: vec![text(&data)],
            bin_dirs: vec![bin_dir(), text(&one)],
            names: vec![name.to_owned()],
            units: vec![name.to_owned()],
            watchdogs: vec![text(&one.join("watchdog"))],
            ..Questions::default()
        };
        let seen = host(&Way::Here, &questions);
        let found = &seen.data[&text(&data)];
        assert_eq!(got(&found.version).as_deref(), Some("15"), "{name}");
        assert_eq!(got(&found.control)["Database cluster state"], "shut down", "{name}");
        assert_eq!(got(&found.pid_file), &None);
        assert_eq!(got(&found.entry).as_ref().unwrap().real.as_deref(), Some(&*text(&data)));
        assert_eq!(got(&found.tablespaces)["1 2\n3"], "../base/it's $(touch planted)", "the last line's end is lost");
        assert!(seen.filesystems[&text(&data)].got().is_some(), "{:?}", seen.filesystems);
        // The same as a tree: the root of the host is the directory.
        let questions = Questions { data_dirs: vec![format!("/{name}/data")], ..Questions::default() };
        let seen = host(&Way::Root(dir.clone()), &questions);
        assert_eq!(got(&seen.data[&format!("/{name}/data")].version).as_deref(), Some("15"), "{name}");
        assert_eq!(snapshot(&dir), before, "{name}");
        fs::remove_dir_all(&one).unwrap();
    }
    assert!(!Path::new("/planted").exists() && !Path::new("planted").exists() && !dir.join("planted").exists());
    fs::remove_dir_all(dir).unwrap();
}

const PATRONI_UNIT: &str = "[Unit]\nAfter=network.target etcd.service\nConflicts=postgresql@15-main.service\n[Service]\nUser=postgres\n\
    EnvironmentFile=-/etc/patroni/env\nEnvironment=PATRONI_SCOPE=orders PGPASSWORD=planted-in-unit\n\
    ExecStart=/usr/bin/patroni /etc/patroni/patroni.yml --token planted-in-words\nKillMode=process\nTimeoutSec=30\n[Install]\nWantedBy=multi-user.target\n";

/// The tree of a host.
fn tree() -> TempDir {
    let dir = TempDir::new("root");
    let put = |path: &str, text: &str| dir.write(path, text);
    put("etc/hostname", "pg1\n");
    put("etc/passwd", "root:x:0:0::/root:/bin/sh\npostgres:x:105:113::/var/lib/postgresql:/bin/sh\n");
    put("etc/group", "root:x:0:\nssl-cert:x:42:postgres\npostgres:x:113:\n");
    put(
        "etc/patroni/env",
        "PATRONI_NAME=pg1\nPATRONI_SUPERUSER_PASSWORD='planted-in-env'\nPATRONI_ETCD3_HOSTS=\"h:2379\"\n",
    );
    put("etc/patroni/patroni.yml", "scope: orders\n");
    put("etc/systemd/system/patroni.service", PATRONI_UNIT);
    put("etc/systemd/system/patroni.service.d/10-x.conf", "[Service]\nRestart=on-failure\nExecStartPre=/bin/true\n");
    put("usr/lib/systemd/system/patroni.service.d/05-y.conf", "[Service]\nRestart=always\nTimeoutStopSec=1min 30s\n");
    put("usr/lib/systemd/system/patroni@.service", PATRONI_UNIT);
    put("usr/lib/systemd/system/odd.service", "[Service]\nExecStart=/usr/lib/postgresql/15/bin/pg_ctl start\n");
    let install = "[Install]\nWantedBy=multi-user.target\n";
    put(
        "usr/lib/systemd/system/postgresql.service",
        &format!("[Service]\nType=oneshot\nExecStart=/bin/true\n{install}"),
    );
    let instance = "[Service]\nType=forking\nExecStart=-/usr/bin/pg_ctlcluster --skip-systemctl-redirect %i start\nTimeoutStopSec=1h\nOOMScoreAdjust=-900\n";
    put("usr/lib/systemd/system/postgresql@.service", &format!("{instance}{install}"));
    put("usr/lib/systemd/system/postgresql-14.service", &format!("[Service]\nExecStart=/x\n{install}"));
    put("usr/lib/systemd/system/repmgrd.service", &format!("[Service]\nExecStart=/x\n{install}"));
    put(
        "usr/lib/systemd/system/keepalived.service",
        "[Service]\nExecStart=/x\n[Install]\nAlias=keepalived-vrrp.service\n",
    );
    put("usr/lib/systemd/system/stolon-keeper.service", "[Service]\nExecStart=/x\n[Install]\nAlso=x.service\n");
    put("usr/lib/systemd/system-preset/90-all.preset", "enable patroni.service\ndisable *\n");
    put("etc/systemd/system.conf", "[Manager]\n#RuntimeWatchdogSec=1\nRuntimeWatchdogSec=20s\n");
    put(
        "etc/postgresql/15/main/postgresql.conf",
        "port = 5432\ndata_directory = '/srv/old'\ndata_directory = '/srv/it''s' # x\n",
    );
    put("etc/postgresql/15/main/start.conf", "# how\nauto\n");
    put("etc/postgresql/16/b/postgresql.conf", "port = 5433\n");
    put("etc/postgresql/17/c/postgresql.conf", "port = 5433\n");
    put("etc/postgresql/17/c/start.conf", "manual\n");
    let postgres = put("usr/lib/postgresql/15/bin/postgres", "");
    fs::set_permissions(postgres, fs::Permissions::from_mode(0o755)).unwrap();
    put(
        "etc/cron.d/pg",
        "# pg_ctl in a comment\n@reboot postgres PGPASSWORD=planted-in-cron pg_ctl -D /srv/data start\n5 * * * * root true\n",
    );
    put("etc/rc.local", "#!/bin/sh\nsystemctl start postgresql\n");
    put("etc/tmpfiles.d/pg.conf", "d /var/run/pg-of-tree 2775 postgres postgres - -\n");
    put("usr/lib/tmpfiles.d/own.conf", "d /run/own 0755 postgres postgres - -\n");
    put("etc/tmpfiles.d/own.conf", "# nothing any more\n");
    put("srv/pgpass", "# mine\ndb1:5432:app:reporter:planted-in-pgpass\n");
    put("srv/pg/16/PG_VERSION", "16\n");
    put("srv/pg/16/postmaster.pid", "4242\n/srv/data\n1700000000\n5432\n/tmp\n*\n 1 2\nready\n");
    put("srv/pg/16/standby.signal", "");
    put(
        "srv/pg/16/patroni.dynamic.json",
        r#"{"ttl":30,"standby_cluster":{"host":"a"},"postgresql":{"parameters":{"primary_conninfo":"host=a password=planted-in-json"}}}"#,
    );
    fs::create_dir_all(dir.0.join("srv")).unwrap();
    let link = |target: &str, path: &str| {
        let path = dir.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    };
    // Links of a host lead to places of that host.
    link("/srv/pg/16", "srv/data");
    link("../../../../../../../../srv/pg/wal", "srv/pg/16/pg_wal");
    link("/etc/nothing", "srv/dead");
    link("/srv/round", "srv/round");
    fs::create_dir(dir.0.join("srv/pg/wal")).unwrap();
    link("/srv/space one", "srv/pg/16/pg_tblspc/16400");
    link("usr/lib", "lib");
    let wants = "etc/systemd/system/multi-user.target.wants";
    link("/etc/systemd/system/patroni.service", &format!("{wants}/patroni.service"));
    link("/lib/systemd/system/patroni@.service", &format!("{wants}/patroni@two.service"));
    link("/lib/systemd/system/postgresql.service", &format!("{wants}/postgresql.service"));
    link("/dev/null", "etc/systemd/system/postgresql-14.service");
    link("/lib/systemd/system/keepalived.service", "etc/systemd/system/keepalived-vrrp.service");
    dir
}

fn unit<'a>(host: &'a Host, name: &str) -> &'a Unit {
    got(got(&host.units).get(name).unwrap_or_else(|| panic!("{name}: {:?}", got(&host.units).keys())))
}

fn of_tree() -> Questions {
    let list = |l: &[&str]| l.iter().map(|w| (*w).to_owned()).collect();
    Questions {
        data_dirs: list(&["/srv/data", "/srv/none"]),
        bin_dirs: list(&["/usr/lib/postgresql/15/bin"]),
        paths: list(&["/etc/patroni/patroni.yml", "/etc/patroni/env", "/srv/dead", "/srv/round", "/etc/passwd/x"]),
        names: list(&["pg2"]),
        watchdogs: list(&["/dev/watchdog"]),
        lasting: list(&["/run/pg-of-tree", "/run/own"]),
        password_files: list(&["/srv/pgpass", "/srv/none"]),
        ..Questions::default()
    }
}

#[test]
fn a_tree_is_read_as_its_host_would_read_it() {
    let dir = tree();
    let seen = host(&Way::Root(dir.0.clone()), &of_tree());
    assert!(!seen.running);
    assert_eq!(got(&seen.name), "pg1");
    assert_eq!(got(&seen.made_at_boot), &["/run/pg-of-tree"]);
    assert_eq!(got(&seen.password_files["/srv/pgpass"]).as_deref(), Some(&["db1:5432:app:reporter".to_owned()][..]));
    assert_eq!(got(&seen.password_files["/srv/none"]), &None);
    let data = &seen.data["/srv/data"];
    let entry = got(&data.entry).as_ref().unwrap();
    assert_eq!((entry.kind, entry.is_link, entry.real.as_deref()), (Kind::Directory, true, Some("/srv/pg/16")));
    assert_eq!(got(&data.wal).as_ref().unwrap().real.as_deref(), Some("/srv/pg/wal"));
    assert_eq!(got(&data.version).as_deref(), Some("16"));
    assert!(got(&data.names).iter().any(|n| n == "standby.signal"));
    assert_eq!(got(&data.tablespaces)["16400"], "/srv/space one");
    let file = got(&data.pid_file).as_ref().unwrap();
    assert_eq!((file.pid, why(&file.alive)), (4242, GapReason::NotGiven));
    assert!(got(&data.dynamic).as_ref().unwrap().contains(r#""ttl":30"#));
    assert_eq!(why(&data.control), GapReason::NotGiven);
    assert_eq!((got(&seen.data["/srv/none"].entry), got(&seen.data["/srv/none"].version)), (&None, &None));
    assert_eq!(got(&seen.paths["/srv/dead"]).as_ref().unwrap().kind, Kind::DeadLink);
    assert_eq!(got(&seen.paths["/srv/round"]).as_ref().unwrap().kind, Kind::DeadLink);
    assert_eq!(got(&seen.paths["/etc/passwd/x"]), &None);
    for gap in
        [why(&seen.processes), why(&seen.listeners), why(&seen.clock), why(&seen.addresses), why(&seen.names["pg2"])]
    {
        assert_eq!(gap, GapReason::NotGiven);
    }

    let patroni = unit(&seen, "patroni.service");
    assert_eq!(got(&patroni.user).as_deref(), Some("postgres"));
    assert_eq!((got(&patroni.kill_mode).as_str(), got(&patroni.r#type).as_str()), ("process", "simple"));
    // A drop-in of the vendor with a lower number counts less than one of /etc, whatever the directories.
    assert_eq!(got(&patroni.restart), "on-failure");
    assert_eq!((got(&patroni.timeout_start), got(&patroni.timeout_stop)), (&Some(30_000), &Some(90_000)));
    assert_eq!(got(&patroni.drop_ins).len(), 2);
    assert_eq!(got(&patroni.conflicts), &["postgresql@15-main.service"]);
    assert_eq!(got(&patroni.exec_start)[0], ["/usr/bin/patroni", "/etc/patroni/patroni.yml", "--token", "***"]);
    let env = &got(&patroni.environment_files)[0];
    let variables = got(&env.variables).as_ref().unwrap();
    let shown: Vec<_> = variables.iter().map(|v| (v.name.as_str(), v.value.as_deref())).collect();
    assert_eq!(
        shown,
        [("PATRONI_NAME", Some("pg1")), ("PATRONI_SUPERUSER_PASSWORD", None), ("PATRONI_ETCD3_HOSTS", Some("h:2379"))]
    );
    assert_eq!(got(&env.entry).as_ref().unwrap().kind, Kind::File);
    assert_eq!(why(&patroni.active), GapReason::NotGiven);
    assert_eq!(
        (got(&patroni.preset).as_str(), got(&patroni.wanted_by)),
        ("enabled", &vec!["multi-user.target".to_owned()])
    );
    let instance = unit(&seen, "postgresql@15-main.service");
    assert_eq!(got(&instance.exec_start)[0][2], "15-main");
    assert_eq!((got(&instance.timeout_stop), got(&instance.oom_score_adjust).as_str()), (&Some(3_600_000), "-900"));
    let systemd = got(&seen.systemd);
    assert_eq!((got(&systemd.runtime_watchdog), got(&systemd.watchdog_device)), (&20_000, &None));

    let clusters = got(&seen.clusters);
    let shown: Vec<_> =
        clusters.iter().map(|c| (c.version.as_str(), got(&c.start).as_str(), *got(&c.has_programs))).collect();
    assert_eq!(shown, [("15", "auto", true), ("16", "auto", false), ("17", "manual", false)]);
    assert_eq!(got(&clusters[0].data_dir).as_deref(), Some("/srv/it's"));
    let lines = &got(&seen.launchers).lines;
    let shown: Vec<_> = lines.iter().map(|l| (l.file.as_str(), l.line, l.text.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("/etc/cron.d/pg", 2, "@reboot postgres PGPASSWORD=*** pg_ctl -D /srv/data start"),
            ("/etc/rc.local", 2, "systemctl start postgresql")
        ]
    );
    let access = got(&seen.access["postgres"]);
    assert!(!got(&access["/etc/patroni/patroni.yml"]).tried && got(&access["/etc/patroni/patroni.yml"]).read);
    assert!(!got(&access["/etc/patroni/patroni.yml"]).write && !access.contains_key("/dev/watchdog"));
    let json = serde_json::to_string(&seen).unwrap();
    assert!(!json.contains("planted"), "{json}");
}

#[test]
fn units_of_a_tree_are_enabled_as_systemctl_says() {
    let dir = tree();
    let seen = host(&Way::Root(dir.0.clone()), &of_tree());
    let units = got(&seen.units);
    assert!(units.len() >= 9, "{:?}", units.keys());
    for (name, unit) in units {
        let out = command("systemctl")
            .arg(format!("--root={}", dir.0.display()))
            .args(["is-enabled", name])
            .output()
            .unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        assert_eq!(got(&got(unit).enabled), said.trim(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
    }
    let kinds: std::collections::BTreeSet<_> = units.values().map(|u| got(&got(u).enabled).as_str()).collect();
    assert!(
        ["enabled", "disabled", "masked", "static", "alias", "indirect"].iter().all(|k| kinds.contains(k)),
        "{kinds:?}"
    );
}

#[test]
fn the_tree_of_a_host_and_the_host_agree() {
    // The same tree as the root of processes: our script runs in it, and its systemd does not.
    let dir = tree();
    let way = Way::Through(
        ["unshare", "--mount", "sh", "-c", "set -e; r=$1; shift; for d in etc srv usr/lib/systemd usr/lib/postgresql; do mount --bind $r/$d /$d; done; exec \"$@\"", "x"]
            .into_iter()
            .map(str::to_owned)
            .chain([text(&dir.0)])
            .collect(),
    );
    let running = host(&way, &of_tree());
    let tree = host(&Way::Root(dir.0.clone()), &of_tree());
    assert!(running.running && running.processes.got().is_some());
    assert_eq!(running.clusters, tree.clusters);
    assert_eq!(running.launchers, tree.launchers);
    assert_eq!(running.data["/srv/data"].entry, tree.data["/srv/data"].entry);
    assert_eq!(running.data["/srv/data"].names, tree.data["/srv/data"].names);
    assert_eq!(running.data["/srv/data"].tablespaces, tree.data["/srv/data"].tablespaces);
    assert_eq!(running.paths, tree.paths);
    assert_eq!(running.made_at_boot, tree.made_at_boot);
    assert_eq!(running.password_files, tree.password_files);
    for (name, unit) in got(&tree.units) {
        let mut other = got(&got(&running.units)[name]).clone();
        let unit = got(unit);
        assert_eq!(why(&other.active), GapReason::Unreachable, "{name}");
        (other.active, other.sub, other.main_pid) = (unit.active.clone(), unit.sub.clone(), unit.main_pid.clone());
        assert_eq!(&other, unit, "{name}");
    }
}

#[test]
fn a_systemd_that_runs_is_asked() {
    let mut space = spaces::Host::start();
    let service = "[Unit]\nConflicts=postgresql.service\nAfter=other.service\n[Service]\nUser=postgres\nType=simple\nKillMode=process\nTimeoutStopSec=2min\nRestart=on-failure\n\
        EnvironmentFile=-/etc/patroni/env\nEnvironment=\"PATRONI_NAME=a b\" PGPASSWORD=planted-in-unit\nExecStart=/usr/bin/patroni /etc/patroni.yml --password planted-in-words\n[Install]\nWantedBy=default.target\n";
    let request = json!({
        "files": {
            "etc/systemd/system/patroni.service": service,
            "etc/patroni/env": "PATRONI_SCOPE=orders\nPATRONI_SUPERUSER_PASSWORD=planted-in-env\n",
        },
        "conf": "/srv/data",
        "steps": [
            "units other.service postgresql.service",
            "root cp /usr/bin/systemctl /usr/bin/systemctl.real; rm /usr/bin/systemctl",
            "root printf '#!/bin/sh\\nXDG_RUNTIME_DIR=/run/user/0 exec /usr/bin/systemctl.real --user \"$@\"\\n' > /usr/bin/systemctl; chmod 755 /usr/bin/systemctl",
            "root d=/run/user/0/systemd/user/patroni.service.d; mkdir $d; printf '[Service]\\nRestart=always\\n' > $d/10.conf; systemctl daemon-reload",
            "root timeout 10 systemctl start patroni",
            "program until grep -q ready /run/said/server; do sleep 0.1; done",
        ],
    });
    let said = space.ask(&request).unwrap_or_else(|e| panic!("{e}"));
    let pid = space.pid().to_string();
    let way = through(&["nsenter", "-t", &pid, "-m", "-n", "-i", "-p"]);
    let questions = Questions {
        data_dirs: vec!["/srv/data".to_owned()],
        paths: vec!["/etc/patroni/env".to_owned()],
        units: vec!["other.service".to_owned(), "no-such.service".to_owned()],
        ..Questions::default()
    };
    let seen = host(&way, &questions);
    let systemd = got(&seen.systemd);
    assert!(got(&systemd.version).starts_with(|c: char| c.is_ascii_digit()), "{systemd:?}");
    let patroni = unit(&seen, "patroni.service");
    let state = [&patroni.load, &patroni.active, &patroni.sub].map(|a| got(a).as_str());
    assert_eq!(state, ["loaded", "active", "running"], "{said}");
    assert_eq!((got(&patroni.kill_mode).as_str(), got(&patroni.restart).as_str()), ("process", "always"));
    assert_eq!(got(&patroni.timeout_stop), &Some(120_000));
    assert!(got(&patroni.after).iter().any(|n| n == "other.service"), "{patroni:?}");
    assert_eq!(got(&patroni.conflicts).iter().filter(|n| n.starts_with("postgresql")).count(), 1);
    assert_eq!(got(&patroni.fragment).as_deref(), Some("/run/user/0/systemd/user/patroni.service"));
    assert_eq!(got(&patroni.drop_ins), &["/run/user/0/systemd/user/patroni.service.d/10.conf"]);
    assert_eq!(got(&patroni.exec_start)[0], ["/usr/bin/patroni", "/etc/patroni.yml", "--password", "***"]);
    let variables: Vec<_> = got(&patroni.environment).iter().map(|v| (v.name.as_str(), v.value.as_deref())).collect();
    assert_eq!(variables, [("PATRONI_NAME", Some("a b")), ("PGPASSWORD", None)]);
    let file = &got(&patroni.environment_files)[0];
    assert!(file.optional && got(&file.variables).as_ref().unwrap().len() == 2, "{file:?}");
    assert_eq!(got(&unit(&seen, "no-such.service").load), "not-found");
    assert_eq!(got(&unit(&seen, "postgresql.service").active), "inactive");

    // Who starts the server: its group tells.
    let main = *got(&patroni.main_pid);
    let processes = got(&seen.processes);
    let daemon = processes.iter().find(|p| p.name == "patroni").expect("patroni");
    assert_eq!((daemon.pid, main), (main, daemon.pid));
    assert!(got(&daemon.cgroup).ends_with("/patroni.service"), "{daemon:?}");
    let server = processes.iter().find(|p| p.name == "postgres").expect("the server");
    assert!(got(&server.cgroup).ends_with("/patroni.service"), "{server:?}");
    assert_eq!(got(&server.directory), "/srv/data");
    assert_eq!(server.ppid, daemon.pid);
    let file = got(&seen.data["/srv/data"].pid_file).as_ref().unwrap();
    assert_eq!((file.pid, got(&file.alive).as_deref()), (server.pid, Some("postgres")));
    assert!(got(&seen.access["postgres"]).contains_key("/etc/patroni/env"), "{:?}", seen.access);
    assert!(!serde_json::to_string(&seen).unwrap().contains("planted"));
}

#[test]
fn secrets_of_a_host_are_nowhere_in_what_is_kept() {
    let dir = temp_dir("secrets");
    script(&dir.join("patroni"), "exec 3>&1; while :; do sleep 1; done");
    fs::create_dir(dir.join("pg")).unwrap();
    give(&dir.join("pg"));
    let data = data_dir(MAJOR, &dir.join("pg"));
    let secrets = ["Planted-one-1", "Planted two 2", "Planted-three", "Planted%2Dfour", "Planted'five"];
    let json: Json = json!({
        "postgresql": {"parameters": {"primary_conninfo": format!("host=a password='{}'", secrets[1]), "x": "about Planted-one-1"},
                       "authentication": {"superuser": {"password": secrets[4]}}},
        "restapi": {"url": format!("https://u:{}@h/", secrets[3])}
    });
    write(&data.join("patroni.dynamic.json"), json.to_string());
    write(&data.join("backup_label"), "LABEL: password=Planted-three\n");
    let mut child = command(dir.join("patroni"))
        .args([
            "/etc/x.yml",
            &format!("--api-token={}", secrets[0]),
            "-x",
            &format!("dbname=a password={}", secrets[2]),
            "--secret",
            secrets[4],
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let questions = Questions { data_dirs: vec![text(&data)], ..Questions::default() };
    let seen = host(&Way::Here, &questions);
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = serde_json::to_string(&seen).unwrap();
    assert!(
        got(&seen.processes).iter().any(|p| p.pid == child.id() && p.command.iter().any(|w| w == "/etc/x.yml")),
        "{:?}",
        seen.processes
    );
    assert!(got(&seen.data[&text(&data)].dynamic).as_ref().unwrap().contains("about ***"));
    for secret in secrets.iter().copied().chain(["Planted"]) {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn the_installed_patroni_is_asked_for_its_python() {
    let patroni = tools().join("py/bin/patroni").canonicalize().unwrap();
    let dir = TempDir::new("unit");
    // A unit names the program, in a place where nobody looks.
    dir.write(
        "patroni.service",
        format!("[Service]\nUser=postgres\nExecStart={} /etc/patroni.yml\n", patroni.display()),
    );
    let prefix = "set -e; f=$1; shift; mkdir -p /run/systemd; mount -t tmpfs tmpfs /run/systemd; mkdir /run/systemd/system; cp \"$f\" /run/systemd/system/; exec \"$@\"";
    let file = text(&dir.0.join("patroni.service"));
    let server = temp_dir("access");
    fs::set_permissions(&server, fs::Permissions::from_mode(0o700)).unwrap();
    let questions =
        Questions { paths: vec![text(&server), "/root".to_owned(), "/etc/shadow".to_owned()], ..Questions::default() };
    let seen = host(&through(&["unshare", "--mount", "sh", "-c", prefix, "x", &file]), &questions);
    let all = got(&seen.patroni);
    let found = all.get(&text(&patroni)).unwrap_or_else(|| panic!("{all:?}"));
    let said = command(&patroni).arg("--version").output().unwrap();
    assert_eq!(format!("patroni {}", got(&found.version)), String::from_utf8(said.stdout).unwrap().trim());
    assert!(got(&found.python).starts_with("3."), "{found:?}");
    assert_eq!(got(&found.packages)["patroni"], *got(&found.version));
    assert!(got(&found.modules).iter().any(|m| m == "psycopg"), "{found:?}");
    assert!(got(&found.packages).keys().any(|p| p.starts_with("psycopg")));
    let access = got(&seen.access["postgres"]);
    let may = |path: &str| {
        let a = got(&access[path]);
        (a.read, a.write, a.tried)
    };
    assert_eq!(may(&text(&server)), (true, true, true));
    assert_eq!(may("/etc/shadow"), (false, false, true));
    fs::remove_dir_all(server).unwrap();
}

/// A tree with the containers that a Docker 20.10 has left below its directory, and with quadlets.
fn with_containers(data_root: &str) -> TempDir {
    let dir = TempDir::new("containers");
    let put = |path: &str, text: &str| {
        fs::create_dir_all(dir.0.join(path).parent().unwrap()).unwrap();
        fs::write(dir.0.join(path), text).unwrap();
    };
    for below in ["etc", "run", "srv", "usr/share", "var/lib/docker"] {
        fs::create_dir_all(dir.0.join(below)).unwrap();
    }
    copy(&path("fixtures/recorded/docker/containers"), &dir.0.join(data_root).join("containers"));
    fs::set_permissions(dir.0.join(data_root), fs::Permissions::from_mode(0o710)).unwrap();
    let quadlet = "[Unit]\nDescription=the shop\n[Container]\nImage=docker.io/library/postgres:15\nContainerName=shop\n\
        Environment=POSTGRES_PASSWORD=planted-in-quadlet\nVolume=/srv/one:/var/lib/postgresql/data:Z\nVolume=/srv/wal:/wal:ro\n";
    put("etc/containers/systemd/shop.container", quadlet);
    put(
        "etc/containers/systemd/shop.container.d/10-boot.conf",
        "[Install]\nWantedBy=multi-user.target default.target\n",
    );
    put("etc/containers/systemd/idle.container", quadlet);
    // The first one of a name counts: that of the distribution is not looked at.
    put("usr/share/containers/systemd/idle.container", &format!("{quadlet}[Install]\nWantedBy=multi-user.target\n"));
    let spilo = "[Container]\nImage=ghcr.io/zalando/spilo-16:3.2-p3\nExec=/launch.sh --password planted-in-exec\n\
        Mount=type=bind,source=/srv/two,destination=/home/postgres\n[Install]\nWantedBy=default.target\n";
    put("etc/containers/systemd/users/1001/spilo.container", spilo);
    dir
}

const SHOP: &str = "/srv/shop/docker-compose.yml";

#[test]
fn containers_that_start_with_the_host() {
    let seen = |way: &Way| {
        let host = host(way, &Questions::default());
        let json = serde_json::to_string(&host).unwrap();
        assert!(!json.contains("planted") && !json.contains("max_connections=50"), "{json}");
        got(&host.launchers).clone()
    };
    let dir = with_containers("var/lib/docker");
    let tree = seen(&Way::Root(dir.0.clone()));
    assert!(tree.unread.is_empty(), "{:?}", tree.unread);
    let find = |name: &str| -> &Container {
        let found = tree.containers.iter().find(|c| c.name == name);
        found.unwrap_or_else(|| panic!("{name}: {:?}", tree.containers))
    };
    let mut names: Vec<_> = tree.containers.iter().map(|c| c.name.as_str()).collect();
    names.sort_unstable();
    // As it was then, after Docker had been started again: not the one without a policy (`plain`), the one with `unless-stopped`
    // that was stopped (`by-hand`), and the one that was never started (`never`).
    assert_eq!(names, ["agent", "always-stopped", "failed", "shop", "shop_db_1", "systemd-spilo", "web"]);
    let shop = find("shop_db_1");
    assert_eq!(
        (shop.engine, shop.runs, shop.starts.as_str()),
        (Engine::Docker, Some(Runs::Postgresql), "unless-stopped")
    );
    assert_eq!((shop.image.as_str(), shop.compose.as_deref()), ("postgres:15", Some(SHOP)));
    assert_eq!(shop.writes, ["/var/lib/postgresql/15/main"]);
    assert!(shop.file.starts_with("/var/lib/docker/containers/") && shop.file.ends_with("/config.v2.json"), "{shop:?}");
    let stopped = find("always-stopped");
    assert_eq!((stopped.runs, stopped.starts.as_str()), (Some(Runs::Postgresql), "always"));
    assert_eq!(stopped.image, "registry.example:5000/shop/db:7");
    assert_eq!(find("failed").writes, ["/var/lib/docker/volumes/pgdata/_data"]);
    assert_eq!((find("agent").runs, find("agent").writes.len()), (None, 1));
    assert_eq!(find("web").writes, [""; 0]);
    let quadlet = find("shop");
    assert_eq!(
        (quadlet.engine, quadlet.runs, quadlet.writes.as_slice()),
        (Engine::Podman, Some(Runs::Postgresql), &["/srv/one".to_owned()][..])
    );
    assert_eq!(
        (quadlet.starts.as_str(), quadlet.file.as_str()),
        ("multi-user.target default.target", "/etc/containers/systemd/shop.container")
    );
    let spilo = find("systemd-spilo");
    assert_eq!(
        (spilo.engine, spilo.runs, spilo.writes.as_slice()),
        (Engine::PodmanOfUser, Some(Runs::Patroni), &["/srv/two".to_owned()][..])
    );

    // The same tree as the root of processes.
    let mounts =
        "set -e; r=$1; shift; for d in etc run srv usr/share var/lib; do mount --bind $r/$d /$d; done; exec \"$@\"";
    let through = |dir: &TempDir, user: &[&str]| {
        let way = ["unshare", "--mount", "sh", "-c", mounts, "x"].map(str::to_owned).to_vec();
        Way::Through([way, vec![text(&dir.0)], user.iter().map(|w| (*w).to_owned()).collect()].concat())
    };
    let running = seen(&through(&dir, &[]));
    assert_eq!((running.containers, running.unread.len()), (tree.containers.clone(), 0));
    // Who may not look has no answer, and not the answer that there are none.
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let unread = seen(&through(&dir, &nobody)).unread;
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert_eq!(unread[0].what.why, GapReason::Denied);
    assert!(unread[0].what.detail.contains("/var/lib/docker/containers"), "{unread:?}");

    // Docker may have its data elsewhere.
    let dir = with_containers("srv/docker");
    fs::create_dir_all(dir.0.join("etc/docker")).unwrap();
    fs::write(dir.0.join("etc/docker/daemon.json"), "{\n  \"data-root\": \"/srv/docker/\"\n}\n").unwrap();
    let moved = seen(&Way::Root(dir.0.clone()));
    assert_eq!((moved.containers.len(), moved.unread.len()), (names.len(), 0), "{moved:?}");
    fs::write(dir.0.join("etc/docker/daemon.json"), "{").unwrap();
    let broken = seen(&Way::Root(dir.0.clone()));
    assert_eq!((broken.unread.len(), broken.unread[0].what.why), (1, GapReason::Unreadable), "{broken:?}");
}
