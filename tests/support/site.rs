//! A site: several hosts with real PostgreSQL, etcd and Patroni, each with its own address, files, processes and name, and one host for
//! the operator, from which the others are reached by `ssh`. `tests/oracle/site.py` says how. Needs root and iproute2.
//!
//! ```text
//! let site = Site::of(15).standbys(2).start();             // pg1 streams to pg2 and pg3; etcd1; operator
//! site.sql("pg1", "SHOW wal_level");                       // "replica": as postgres, over the socket
//! site.preflight(&["check", "/etc/patroni/pg1.yml"]);      // the program that is tested, on the operator's host
//! site.take_over();                                        // Patroni on the primary, then on the standbys
//! site.patronictl("pg1", &["list"]);
//! site.partition("pg2");                                  // and heal, freeze, thaw, crash; stop, kill, start of each program
//! ```
//!
//! Nothing of a site can be seen from outside, and several may run at the same time with the same addresses. All of it ends with the value, and with
//! the process of the test, however that one ends.

mod files;
mod plan;
mod ssh;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::{path, pg};
pub(crate) use plan::{Layout, Plan};
pub(crate) use ssh::SSH_HOME;

/// The host without a database, where the program that is tested runs.
pub(crate) const OPERATOR: &str = "operator";
/// Patroni's roles.
pub(crate) const SUPERUSER: &str = "patroni_su";
pub(crate) const REPLICATION: &str = "replicator";
pub(crate) const REWIND: &str = "rewinder";

/// How a program ended and what it has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its exit code, nothing when a signal has ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// A host that runs.
#[derive(Debug)]
struct Host {
    /// Its first process, as it is known outside.
    pid: u32,
    /// Its link to the others, at their end.
    link: String,
}

/// A site that runs. See the module's text.
pub(crate) struct Site {
    /// What it was made from.
    pub(crate) plan: Plan,
    child: Child,
    input: Option<ChildStdin>,
    /// The first process of all.
    first: u32,
    hosts: BTreeMap<String, Host>,
    /// When what was ready, in seconds.
    pub(crate) took: Json,
}

impl Site {
    /// A plan for one primary of this major and one etcd.
    pub(crate) fn of(major: u16) -> Plan {
        let members = vec!["pg1".to_owned()];
        let (conf, sql) = Default::default();
        Plan { major, layout: Layout::Debian, members, etcds: 1, logical: false, conf, sql }
    }

    /// Starts what is planned: every server runs, standbys stream, etcd answers; Patroni does not run yet.
    ///
    /// # Panics
    /// When something of it does not start; the logs are in the message.
    fn start(plan: Plan) -> Self {
        let mut child = pg::command("unshare")
            .args(["--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"])
            .arg(pg::tools().join("py/bin/python"))
            .arg("-B")
            .arg(path("tests/oracle/site.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare and Python: run `make setup`");
        let mut input = child.stdin.take().expect("a pipe");
        writeln!(input, "{}", plan.request()).expect("the site listens");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("an answer");
        let answer: Json = serde_json::from_str(&line).expect("the site died");
        let (hosts, took) = (BTreeMap::new(), answer["took"].clone());
        let mut site = Self { plan, child, input: Some(input), first: 0, hosts, took };
        if let Some(error) = answer["error"].as_str() {
            panic!("{error}");
        }
        site.find(&answer["hosts"]);
        site
    }

    /// Hosts by name, from what the site itself says of them.
    fn find(&mut self, said: &Json) {
        let children = |pid: u32| -> Vec<u32> {
            let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("proc");
            text.split_whitespace().map(|p| p.parse().expect("a pid")).collect()
        };
        let said = said.as_object().expect("hosts by name");
        self.first = children(self.child.id())[0];
        for pid in children(self.first) {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let Some(pids) = status.lines().find_map(|l| l.strip_prefix("NSpid:")) else { continue };
            // The last ones are its pid on the host, which is 1, and that in the site.
            let pids: Vec<&str> = pids.split_whitespace().rev().collect();
            let inner: Option<u64> = pids.get(1).and_then(|p| p.parse().ok());
            let host = said.iter().find(|(_, h)| inner.is_some() && h["pid"].as_u64() == inner);
            if let Some((name, host)) = host.filter(|_| pids[0] == "1") {
                let link = host["link"].as_str().expect("a name").to_owned();
                self.hosts.insert(name.clone(), Host { pid, link });
            }
        }
        assert_eq!(self.hosts.len(), said.len(), "{:?} {said:?}", self.hosts);
    }

    fn host(&self, host: &str) -> &Host {
        self.hosts.get(host).unwrap_or_else(|| panic!("there is no host {host}"))
    }

    fn pid(&self, host: &str) -> u32 {
        self.host(host).pid
    }

    /// The members' names, the first primary first.
    pub(crate) fn members(&self) -> &[String] {
        &self.plan.members
    }

    /// The address of a host.
    pub(crate) fn address(&self, host: &str) -> String {
        self.plan.address(host)
    }

    /// A connection string by which the operator, or an application, gets at a member.
    pub(crate) fn dsn(&self, member: &str, user: &str, database: &str) -> String {
        format!("host={} port=5432 user={user} password={} dbname={database}", self.address(member), password(user))
    }

    /// The words that run others on a host when the operator's programs start them.
    pub(crate) fn ssh(&self, host: &str) -> Vec<String> {
        self.pid(host);
        vec!["ssh".to_owned(), host.to_owned()]
    }

    /// A file of a host as it is reached from outside, without links on the way: they would lead to files of the machine.
    pub(crate) fn outside(&self, host: &str, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{file}", self.pid(host)))
    }

    /// A program on a host that a user there runs, in a plain environment and without input.
    pub(crate) fn command_as(&self, host: &str, user: &str, program: &str) -> Command {
        let mut c = pg::command("nsenter");
        let bin = self.plan.bin_dir();
        let home = if user == "root" { "/root" } else { "/var/lib/postgresql" };
        c.env_clear().env("PATH", format!("/usr/sbin:/usr/bin:/sbin:/bin:{bin}")).env("LC_ALL", "C.UTF-8");
        c.env("HOME", home).env("USER", user).env("LOGNAME", user).current_dir("/").stdin(Stdio::null());
        c.args(["-t", &self.pid(host).to_string(), "-a", "--"]);
        if user != "root" {
            c.args(["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"]);
        }
        c.arg(program);
        c
    }

    /// The same as root.
    pub(crate) fn command(&self, host: &str, program: &str) -> Command {
        self.command_as(host, "root", program)
    }

    /// Runs words on a host as a user.
    pub(crate) fn run_as(&self, host: &str, user: &str, words: &[&str]) -> Ran {
        self.command_as(host, user, words[0]).args(&words[1..]).output().expect("nsenter").into()
    }

    /// Runs words on a host as root.
    pub(crate) fn run(&self, host: &str, words: &[&str]) -> Ran {
        self.run_as(host, "root", words)
    }

    /// What a program writes.
    ///
    /// # Panics
    /// When it does not end with 0.
    pub(crate) fn must(&self, host: &str, user: &str, words: &[&str]) -> String {
        let ran = self.run_as(host, user, words);
        assert_eq!(ran.code, Some(0), "{host}: {words:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// A text of a shell that root runs on a host.
    pub(crate) fn sh(&self, host: &str, text: &str) -> String {
        self.must(host, "root", &["sh", "-c", text])
    }

    /// Runs the program that is tested on the operator's host, where the members' files of Patroni lie in `/etc/patroni`.
    pub(crate) fn preflight(&self, args: &[&str]) -> Ran {
        self.run(OPERATOR, &[&["patroni-preflight"], args].concat())
    }

    /// What stands in a file of a host.
    pub(crate) fn read(&self, host: &str, file: &str) -> String {
        let bytes = fs::read(self.outside(host, file)).unwrap_or_else(|e| panic!("{host}: {file}: {e}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Writes a file of a host, for user postgres. One that was there keeps its mode.
    pub(crate) fn write(&self, host: &str, file: &str, text: impl AsRef<[u8]>) {
        pg::write(&self.outside(host, file), text);
    }

    /// Replaces a text that stands once in a file of a host.
    pub(crate) fn replace(&self, host: &str, file: &str, from: &str, to: &str) {
        let text = self.read(host, file);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {host}:{file}:\n{text}");
        fs::write(self.outside(host, file), text.replace(from, to)).expect("written");
    }

    /// Lines of the rows that statements return on a member, columns with `|` between them; as the user postgres over the socket.
    ///
    /// # Panics
    /// When the server does not run or does not like them.
    pub(crate) fn sql(&self, member: &str, sql: &str) -> String {
        self.try_sql(member, "postgres", sql).unwrap_or_else(|e| panic!("{member}: {sql}: {e}"))
    }

    /// The same in a database.
    ///
    /// # Errors
    /// What psql says.
    pub(crate) fn try_sql(&self, member: &str, database: &str, sql: &str) -> Result<String, String> {
        psql(self.command_as(member, "postgres", "psql").args(["-h", "/var/run/postgresql", "-d", database, "-c", sql]))
    }

    /// What a statement returns to a role that logs in by TCP, with its password, from a host to a member.
    ///
    /// # Errors
    /// What psql says.
    pub(crate) fn login(&self, from: &str, to: &str, user: &str, database: &str, sql: &str) -> Result<String, String> {
        let dsn = format!("{} connect_timeout=3", self.dsn(to, user, database));
        psql(self.command(from, "psql").args(["-d", &dsn, "-c", sql]))
    }

    /// Starts a member's server as it is started without Patroni.
    pub(crate) fn start_postgres(&self, member: &str) {
        let words = self.plan.start_words();
        self.must(member, "postgres", &words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Stops a member's server; the mode is `smart`, `fast` or `immediate`.
    pub(crate) fn stop_postgres(&self, member: &str, mode: &str) {
        self.must(member, "postgres", &["pg_ctl", "-s", "-w", "-m", mode, "-D", &self.plan.data_dir(), "stop"]);
    }

    /// Kills a member's server; its processes see that and end too.
    pub(crate) fn kill_postgres(&self, member: &str) {
        let data = self.plan.data_dir();
        self.sh(
            member,
            &format!("kill -KILL $(head -1 {data}/postmaster.pid) && while cat /proc/[0-9]*/comm | grep -qx postgres; do sleep 0.05; done"),
        );
    }

    /// Makes a member's server read its files again.
    pub(crate) fn reload_postgres(&self, member: &str) {
        self.sql(member, "SELECT pg_reload_conf()");
    }

    /// Starts Patroni on a member, with its file there; it is up when its REST API answers, which is not waited for.
    pub(crate) fn start_patroni(&self, member: &str) {
        self.start_daemon(member, "postgres", "patroni", &["patroni", &format!("/etc/patroni/{member}.yml")]);
    }

    /// Stops Patroni as systemd does, and PostgreSQL with it.
    pub(crate) fn stop_patroni(&self, member: &str) {
        self.end_daemon(member, "patroni", "TERM");
    }

    /// Kills Patroni; PostgreSQL goes on.
    pub(crate) fn kill_patroni(&self, member: &str) {
        self.end_daemon(member, "patroni", "KILL");
    }

    /// Starts an etcd again that was stopped.
    pub(crate) fn start_etcd(&self, host: &str) {
        let plan = self.plan.etcd_member(host);
        let words: Vec<&str> = plan["etcd"].as_array().expect("words").iter().filter_map(Json::as_str).collect();
        self.start_daemon(host, "root", "etcd", &words);
    }

    /// Stops an etcd.
    pub(crate) fn stop_etcd(&self, host: &str) {
        self.end_daemon(host, "etcd", "TERM");
    }

    fn start_daemon(&self, host: &str, user: &str, name: &str, words: &[&str]) {
        let text =
            format!("setsid \"$@\" >> /var/log/{name}/{name}.log 2>&1 < /dev/null & echo $! > {}", pid_file(name));
        self.must(host, user, &[&["sh", "-c", &text, "sh"], words].concat());
    }

    fn end_daemon(&self, host: &str, name: &str, signal: &str) {
        let file = pid_file(name);
        let text = format!(
            "pid=$(cat {file}) && kill -{signal} $pid && for i in $(seq 600); do kill -0 $pid 2>/dev/null || exit 0; sleep 0.05; done; exit 1"
        );
        self.sh(host, &text);
    }

    /// Cuts a host off from all others.
    pub(crate) fn partition(&self, host: &str) {
        self.link(host, "down");
    }

    /// Connects it again.
    pub(crate) fn heal(&self, host: &str) {
        self.link(host, "up");
    }

    fn link(&self, host: &str, state: &str) {
        // At the other end, so that the host loses its carrier and keeps its addresses.
        let first = self.first.to_string();
        let mut c = pg::command("nsenter");
        c.args(["-t", &first, "-n", "ip", "link", "set", &self.host(host).link, state]);
        assert!(c.status().expect("nsenter").success(), "{host} is not {state}");
    }

    /// Stops all processes of a host where they are, as a machine that hangs.
    pub(crate) fn freeze(&self, host: &str) {
        self.sh(host, "kill -STOP -1");
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self, host: &str) {
        self.sh(host, "kill -CONT -1");
    }

    /// Ends all processes of a host at once, as a machine that has lost its power. Its files stay.
    pub(crate) fn crash(&self, host: &str) {
        self.sh(host, "kill -KILL -1; rm -f /run/patroni/*.pid /run/postgresql/.s.* /run/postgresql/*.pid");
    }

    /// The log of the server as it is without Patroni. Under Patroni the server writes into Patroni's.
    pub(crate) fn postgres_log(&self, member: &str) -> String {
        self.read(member, &self.plan.postgres_log())
    }

    /// Patroni's log.
    pub(crate) fn patroni_log(&self, member: &str) -> String {
        self.read(member, "/var/log/patroni/patroni.log")
    }

    /// The log of an etcd.
    pub(crate) fn etcd_log(&self, host: &str) -> String {
        self.read(host, "/var/log/etcd/etcd.log")
    }

    /// The status and the document that Patroni's REST API answers the operator with.
    pub(crate) fn rest(&self, member: &str, path: &str) -> Option<(u16, Json)> {
        let text = format!(
            "exec 3<>/dev/tcp/{}/8008 && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3",
            self.address(member)
        );
        let ran = self.run(OPERATOR, &["timeout", "5", "bash", "-c", &text]);
        let (head, body) = ran.out.split_once("\r\n\r\n")?;
        let status = head.split_whitespace().nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).unwrap_or(Json::Null)))
    }

    /// The members as `GET /cluster` of one of them has them: role, state and timeline by name.
    pub(crate) fn cluster(&self, asked: &str) -> BTreeMap<String, (String, String, u64)> {
        let Some((200, cluster)) = self.rest(asked, "/cluster") else { return BTreeMap::new() };
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let members = cluster["members"].as_array().cloned().unwrap_or_default();
        let one = |m: &Json| (text(&m["role"]), text(&m["state"]), m["timeline"].as_u64().unwrap_or_default());
        members.iter().map(|m| (text(&m["name"]), one(m))).collect()
    }

    /// `patronictl` with words, on a member.
    pub(crate) fn patronictl(&self, member: &str, words: &[&str]) -> Ran {
        let file = format!("/etc/patroni/{member}.yml");
        self.run_as(member, "postgres", &[&["patronictl", "-c", &file], words].concat())
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// When it does not within so many seconds, and as many again for a machine that has other things to do; the ends of Patroni's logs are in the message.
    pub(crate) fn wait(&self, what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
        let since = Instant::now();
        while !holds() {
            assert!(since.elapsed() < 2 * Duration::from_secs(seconds), "{what} does not come\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The ends of all logs of members.
    pub(crate) fn logs(&self) -> String {
        let one = |member: &String| {
            self.run(member, &["sh", "-c", "tail -n 40 /var/log/postgresql/* /var/log/patroni/* 2>/dev/null"]).out
        };
        self.members().iter().flat_map(|m| ["--- ".to_owned(), m.clone(), "\n".to_owned(), one(m)]).collect()
    }

    /// Whether a member leads and all others stream from it, on one timeline.
    pub(crate) fn is_led_by(&self, leader: &str) -> bool {
        let cluster = self.cluster(leader);
        let timeline = cluster.get(leader).map(|m| m.2);
        cluster.len() == self.members().len()
            && cluster.iter().all(|(name, (role, state, on))| {
                let (a_role, a_state) = if name == leader { ("leader", "running") } else { ("replica", "streaming") };
                (role.as_str(), state.as_str(), Some(*on)) == (a_role, a_state, timeline)
            })
    }

    /// Whether all standbys stream with Patroni's role, each by its own slot.
    fn has_own_slots(&self, leader: &str) -> bool {
        let own = "SELECT count(*) FROM pg_stat_replication JOIN pg_replication_slots ON pid = active_pid";
        let own =
            format!("{own} WHERE state = 'streaming' AND usename = '{REPLICATION}' AND slot_name NOT LIKE 'standby_%'");
        self.try_sql(leader, "postgres", &own).is_ok_and(|n| n == (self.members().len() - 1).to_string())
    }

    /// Leaves it to Patroni alone to start a member's server when the host starts, where Debian's scripts do it.
    pub(crate) fn leave_start_to_patroni(&self, member: &str) {
        let file = format!("{}/start.conf", self.plan.config_dir());
        if self.plan.layout == Layout::Debian && self.read(member, &file).contains("\nauto\n") {
            self.replace(member, &file, "\nauto\n", "\nmanual\n");
        }
    }

    /// Starts Patroni on the primary and then on its standbys, and waits until it leads them all.
    pub(crate) fn take_over(&self) {
        let (primary, standbys) = self.members().split_first().expect("a primary");
        self.members().iter().for_each(|m| self.leave_start_to_patroni(m));
        self.start_patroni(primary);
        self.wait("a leader", 20, || self.rest(primary, "/primary").is_some_and(|(status, _)| status == 200));
        for standby in standbys {
            self.start_patroni(standby);
        }
        self.wait("all members", 30, || self.is_led_by(primary) && self.has_own_slots(primary));
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Its input ends, so it does, and whatever runs on its hosts with it.
        self.input = None;
        let _ = self.child.wait();
    }
}

impl Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("plan", &self.plan).field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

fn pid_file(daemon: &str) -> String {
    if daemon == "etcd" { "/run/etcd.pid".to_owned() } else { format!("/run/{daemon}/{daemon}.pid") }
}

/// The password of a role.
pub(crate) fn password(role: &str) -> &'static str {
    let found = files::PASSWORDS.iter().find(|(name, _, _)| *name == role);
    found.map_or_else(|| panic!("there is no role {role}"), |(_, _, password)| *password)
}

/// Runs psql for what it prints.
fn psql(c: &mut Command) -> Result<String, String> {
    let ran = Ran::from(c.args(["-XAtq", "-v", "ON_ERROR_STOP=1"]).output().expect("nsenter"));
    if ran.code == Some(0) { Ok(ran.out.trim_end().to_owned()) } else { Err(ran.err) }
}
