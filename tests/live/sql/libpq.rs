//! Where we connect to, as whom and with which password, against `psql` in the same surroundings.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use patroni_preflight::collect::sql::{Limits, Target};

use super::recorder::{Recorder, Seen};
use super::{ask, environment};
use crate::support::TempDir;
use crate::support::pg::{command, program};

/// Surroundings of a connection; `{a}`, `{b}` are ports that answer, `{closed}` one that does not, `{s}` the directory of a socket on
/// port 5433, `{h}` the home directory.
#[derive(Debug, Default, Clone, Copy)]
struct Case {
    dsn: &'static str,
    env: &'static [(&'static str, &'static str)],
    pgpass: &'static str,
    service: &'static str,
    /// The mode of `.pgpass`; 0 is 0600.
    mode: u32,
    /// Both refuse it before they connect, and both messages say this.
    refused: &'static str,
    /// Only this version of psql: others differ, or were not built with what it takes.
    only: u16,
}

const NONE: Case = Case { dsn: "", env: &[], pgpass: "", service: "", mode: 0, refused: "", only: 0 };

macro_rules! case {
    ($dsn:expr $(, $field:ident: $value:expr)*) => { Case { dsn: $dsn, $($field: $value,)* ..NONE } };
}

const L: &str = "*:*:*:*:last\n";

const CASES: &[Case] = &[
    // Both forms of connection strings.
    case!("host=127.0.0.1 port={a} user=u dbname=d password=p"),
    case!("host = 127.0.0.1  port= {a} user='u\\' x' dbname=d\\ e password='a\\\\b'"),
    case!("host=127.0.0.1 port={closed} port={a} user=u user=v"),
    case!("host=127.0.0.1 port={a} user=u dbname="),
    case!("host=127.0.0.1 port={a}"),
    case!("postgresql://u:p%40%3a@127.0.0.1:{a}/d"),
    case!("postgres://u@127.0.0.1:{a}?dbname=e&application_name=x"),
    case!("postgresql://u@127.0.0.1:{a}/d?dbname=e&user=w"),
    case!("postgresql://127.0.0.1:{a}/?user=u%20v&password=%26"),
    case!("postgresql://:p@127.0.0.1:{a}/d"),
    case!("postgresql://u@%2Ftmp%2Fnowhere,127.0.0.1:{a}/d"),
    case!("postgresql://u@%2Ftmp%2Fnowhere:1,127.0.0.1:{a}/d?connect_timeout=3", pgpass: "localhost:*:*:*:l\n127.0.0.1:*:*:*:four\n"),
    case!("postgresql://u@127.0.0.1:{closed},127.0.0.1:{b}/d"),
    case!("postgresql://u@[::ffff:127.0.0.1]:{a}/d"),
    case!("postgresql:///d?host={s}&port=5433&user=u"),
    case!("postgresql://u@127.0.0.1:{a}/d%"  , refused: "percent"),
    case!("postgresql://u@127.0.0.1:{a}/d?hostt=x", refused: "hostt"),
    case!("postgresql://u@127.0.0.1:{a}/d?user", refused: "="),
    case!("postgresql://u@127.0.0.1:{a}/d?user=a=b", refused: "="),
    case!("postgresql://u@127.0.0.1:{a}/d?user=a&", pgpass: L),
    case!("postgresql://u@[::1:{a}/d", refused: "]"),
    case!("postgresql://u@[]:{a}/d", refused: "IPv6"),
    case!("postgresql:// u @127.0.0.1:{a}/ d ", only: 18),
    case!("postgresql://u u@127.0.0.1:{a}/d", only: 18, refused: "space"),
    case!("host=127.0.0.1 port={a} hostt=x", refused: "hostt"),
    case!("host=127.0.0.1 port={a} user", refused: "user"),
    case!("host=127.0.0.1 port={a} password='x", refused: "quoted"),
    // Values.
    case!("host=127.0.0.1 port=x user=u", refused: "port"),
    case!("host=127.0.0.1 port=70000 user=u", refused: "port"),
    case!("host=127.0.0.1 port=' {a} ' user=u"),
    case!("host=127.0.0.1 port={a} sslmode=maybe user=u", refused: "sslmode"),
    case!("host=127.0.0.1 port={a} sslmode= user=u", refused: "sslmode"),
    case!("host=127.0.0.1 port={a} user=u target_session_attrs=best", refused: "target_session_attrs"),
    case!("host=127.0.0.1 port={a} user=u channel_binding=x", refused: "channel_binding"),
    case!("host=127.0.0.1 port={a} user=u connect_timeout=1s", refused: "connect_timeout"),
    case!("host=127.0.0.1 port={a} user=u connect_timeout=5", env: &[("PGPASSWORD", "e")]),
    case!("host=127.0.0.1 port={a} user=u ssl_min_protocol_version=TLSv9", refused: "ssl_min_protocol_version", only: 15),
    case!("host=127.0.0.1 port={a} user=u load_balance_hosts=x", refused: "load_balance_hosts", only: 18),
    // Several hosts, ports and addresses.
    case!("host=127.0.0.1,127.0.0.1 port={closed},{a} user=u"),
    case!("host=127.0.0.1,127.0.0.1 port={b} user=u"),
    case!("host=127.0.0.1,127.0.0.1 port={a},{b} user=u"),
    case!("host=a,b port=1,2,3 user=u", refused: "3 port numbers to 2 hosts"),
    case!("host=a,b hostaddr=127.0.0.1 port={a} user=u", refused: "host names"),
    case!("hostaddr=127.0.0.1 port={a} user=u", pgpass: "127.0.0.1:*:*:*:addr\n"),
    case!("host=db1 hostaddr=127.0.0.1 port={a} user=u", pgpass: "127.0.0.1:*:*:*:addr\ndb1:*:*:*:name\n"),
    case!("hostaddr=nonsense port={a} user=u", refused: "nonsense"),
    case!("host=no-such-host.invalid,127.0.0.1 port={a} user=u"),
    case!("host=/nonexistent,127.0.0.1 port={a} user=u"),
    case!("host={s},127.0.0.1 port=5433,{a} user=u"),
    case!("host=127.0.0.1, port={closed} user=u"),
    // Sockets.
    case!("host={s} port=5433 user=u dbname=d", pgpass: "{s}:5433:d:u:sock\nlocalhost:*:*:*:loc\n"),
    case!("host={s} port=5433 user=u", pgpass: "localhost:*:*:*:loc\n"),
    case!("host=@{s} port=5433 user=u", pgpass: "@{s}:5433:*:*:abstract\n"),
    case!("port={tmp} user=u", pgpass: "/tmp:*:*:*:dir\nlocalhost:*:*:*:loc\n", only: 18),
    case!("host=/tmp port={tmp} user=u", pgpass: "/tmp:*:*:*:dir\nlocalhost:*:*:*:loc\n", only: 18),
    case!("host=/tmp port={tmp} user=u", pgpass: "/tmp:*:*:*:dir\nlocalhost:*:*:*:loc\n", only: 15),
    case!("port={closed} user=u"),
    case!("host={s} port=5433 user=u sslmode=require", only: 15),
    case!("host={s} port=5433 user=u requirepeer=nobody"),
    case!("host={s} port=5433 user=u requirepeer=root"),
    // The environment.
    case!("", env: &[("PGHOST", "127.0.0.1"), ("PGPORT", "{a}"), ("PGUSER", "eu"), ("PGDATABASE", "ed"), ("PGPASSWORD", "ep")]),
    case!("user=u password=p", env: &[("PGHOST", "127.0.0.1"), ("PGPORT", "{a}"), ("PGUSER", "eu"), ("PGPASSWORD", "ep")]),
    case!("port={a}", env: &[("PGHOSTADDR", "127.0.0.1"), ("PGOPTIONS", "-c work_mem=1MB"), ("PGUSER", "u")]),
    case!("host=127.0.0.1 port={a} options='-c geqo=off'", env: &[("PGOPTIONS", "-c work_mem=1MB")]),
    case!("host=127.0.0.1 port={a} user=u", env: &[("PGSSLMODE", "nonsense")], refused: "sslmode"),
    case!("host=127.0.0.1 port={a} user=u", env: &[("PGPASSWORD", "")], pgpass: L),
    case!("host=127.0.0.1 port={a} user=", env: &[("PGUSER", "eu")]),
    case!("host=127.0.0.1 port=", env: &[("PGPORT", "{a}"), ("PGUSER", "u")]),
    case!("postgresql://127.0.0.1:{a}", env: &[("PGUSER", "eu"), ("PGDATABASE", "ed")], pgpass: L),
    // Password files.
    case!("host=127.0.0.1 port={a} user=u", pgpass: L),
    case!("host=127.0.0.1 port={a} user=u password=p", pgpass: L),
    case!("host=127.0.0.1 port={a} user=u password=", pgpass: L),
    case!("host=127.0.0.1 port={a} user=u", pgpass: L, mode: 0o640),
    case!("host=127.0.0.1 port={a} user=u", pgpass: L, mode: 0o604),
    case!("host=127.0.0.1 port={a} user=u", pgpass: L, mode: 0o400),
    case!("host=127.0.0.1 port={a} user=u", pgpass: "# *:*:*:*:comment\n127.0.0.1:1:*:*:no\n127.0.0.1:{a}:u:u:yes:more\n"),
    case!("host=127.0.0.1 port={a} user=u:v dbname=d\\\\e", pgpass: "*:*:d\\\\e:u\\:v:a\\:b\\\\c\\\n"),
    case!("host=127.0.0.1 port={a} user=u", pgpass: "127.0.0.1:*:*:*:\n*:*:*:*:second\n"),
    case!("host=127.0.0.1 port={a} user=u", pgpass: "*:*:*:*:crlf\r\n"),
    case!("host=127.0.0.1 port={a} user=u", pgpass: "127.0.0.*:*:*:*:no\n 127.0.0.1:*:*:*:no\n127.0.0.1:*:*:u\n*:*:*:u: spaced \n"),
    case!("host=127.0.0.1,127.0.0.1 port={closed},{b} user=u", pgpass: "*:{closed}:*:*:one\n*:{b}:*:*:two\n"),
    case!("host=127.0.0.1 port={a} user=u passfile={h}/other", pgpass: L),
    case!("host=127.0.0.1 port={a} user=u passfile={h}/.pgpass", env: &[("PGPASSFILE", "/nonexistent")], pgpass: L),
    case!("host=127.0.0.1 port={a} user=u", env: &[("PGPASSFILE", "/nonexistent")], pgpass: L),
    case!("host=127.0.0.1 port={a} user=u passfile={h}", pgpass: L),
    // Service files.
    case!("service=s1", service: "[s0]\nhost=x\n[s1]\n# c\nhost=127.0.0.1\nport={a}\nuser=su\npassword=sp =\n[s2]\nhost=y\n"),
    case!("service=s1 user=u", service: "[s1]\nhost=127.0.0.1\nport={a}\nuser=su\nuser=sv\ndbname=sd\n"),
    case!("", env: &[("PGSERVICE", "s1"), ("PGUSER", "eu"), ("PGDATABASE", "ed")], service: "[s1]\nhost=127.0.0.1\nport={a}\nuser=su\n"),
    case!("service=s1", service: "[s1]\nhost = 127.0.0.1\n", refused: "line 2"),
    case!("service=s1", service: "[s1]\nhostt=127.0.0.1\n", refused: "line 2"),
    case!("service=s1", service: "[s1]\nservice=s2\n", refused: "line 2"),
    case!("service=s3", service: "[s1]\nhost=127.0.0.1\n", refused: "s3"),
    case!("service=s3", refused: "s3"),
    case!("service=s1", env: &[("PGSERVICEFILE", "/nonexistent/file")], refused: "/nonexistent/file"),
    case!("service=s1", env: &[("PGSERVICEFILE", "{h}/other-services")], service: "[s1]\nhost=127.0.0.1\nport={a}\n"),
    case!("service=sys", env: &[("PGSYSCONFDIR", "{h}/etc"), ("PGUSER", "u")], service: "[s1]\nhost=127.0.0.1\n"),
    case!("postgresql:///?service=s1", service: "[s1]\n host=127.0.0.1 \nport={a}\nuser=su\n", pgpass: L),
    case!("service=s1 host=127.0.0.1", service: "[s1]\nport={a}\nuser=su\noptions=-c work_mem=2MB\n"),
];

/// The places that listen.
struct Site {
    seen: Recorder,
    replace: Vec<(&'static str, String)>,
    tmp_socket: std::path::PathBuf,
    home: TempDir,
}

impl Site {
    fn new() -> Self {
        let seen = Recorder::default();
        let home = TempDir::new("libpq");
        let sockets = home.0.join("s");
        std::fs::create_dir_all(&sockets).unwrap();
        let [a, b] = ["a", "b"].map(|name| seen.listen_tcp(name));
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        seen.listen_unix("socket", &sockets.join(".s.PGSQL.5433"));
        seen.listen_abstract("abstract", &format!("{}/.s.PGSQL.5433", sockets.display()));
        let tmp_socket = Path::new("/tmp").join(format!(".s.PGSQL.{a}"));
        seen.listen_unix("tmp", &tmp_socket);
        home.write("etc/pg_service.conf", format!("[sys]\nhost=127.0.0.1\nport={a}\ndbname=from-etc\n"));
        home.write("other-services", format!("[s1]\nhost=127.0.0.1\nport={b}\nuser=other\n"));
        let other = home.write("other", "*:*:*:*:other\n");
        std::fs::set_permissions(other, std::fs::Permissions::from_mode(0o600)).unwrap();
        let replace = vec![
            ("{a}", a.to_string()),
            ("{b}", b.to_string()),
            ("{tmp}", a.to_string()),
            ("{closed}", closed.to_string()),
            ("{s}", sockets.display().to_string()),
            ("{h}", home.0.display().to_string()),
        ];
        Self { seen, replace, tmp_socket, home }
    }

    fn fill(&self, text: &str) -> String {
        self.replace.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.tmp_socket);
    }
}

/// What counts: where, as whom, with what.
fn essence(seen: Vec<Seen>) -> Vec<String> {
    let one = |seen: Seen| {
        let get = |name: &str| seen.told.get(name).cloned();
        let options = get("options").unwrap_or_default();
        let options = options.split("-c default_transaction_read_only=").next().unwrap_or_default().trim().to_owned();
        format!("{}: {:?} {:?} {options:?} {:?}", seen.at, get("user"), get("database"), seen.password)
    };
    seen.into_iter().map(one).collect()
}

#[test]
fn oracle_libpq_chooses_the_same_server_user_and_password() {
    let site = Site::new();
    let mut compared = 0;
    let mut differ = Vec::new();
    for case in CASES {
        for (version, socket_dir) in [(15, "/var/run/postgresql"), (18, "/tmp")] {
            if case.only != 0 && case.only != version {
                continue;
            }
            for (file, text) in [(".pgpass", case.pgpass), (".pg_service.conf", case.service)] {
                let _ = std::fs::remove_file(site.home.0.join(file));
                if !text.is_empty() {
                    let path = site.home.write(file, site.fill(text));
                    let mode = if case.mode == 0 { 0o600 } else { case.mode };
                    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
                }
            }
            let dsn = site.fill(case.dsn);
            let env: Vec<(&str, String)> = case.env.iter().map(|(k, v)| (*k, site.fill(v))).collect();
            let mut psql = command(program(version, "psql"));
            psql.env_clear().env("HOME", &site.home.0).envs(env.iter().map(|(k, v)| (k, v)));
            psql.env("LC_ALL", "C").args(["-X", "-w", "-At", "-c", "SELECT 1"]);
            if !dsn.is_empty() {
                psql.args(["-d", &dsn]);
            }
            let said = psql.output().unwrap();
            let said = String::from_utf8_lossy(&said.stderr).into_owned();
            let theirs = essence(site.seen.take());

            let vars: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
            let mut surroundings = environment(&site.home.0, &vars);
            surroundings.user = patroni_preflight::collect::sql::Environment::of_process().user;
            surroundings.socket_dirs = vec![socket_dir.to_owned()];
            let target = Target::new(&dsn, &surroundings);
            let words = match target {
                Ok(target) => {
                    let answer = ask(target, vec![], Limits::default());
                    super::missed(&answer).1.to_owned()
                }
                Err(e) => e,
            };
            let ours = essence(site.seen.take());
            compared += 1;
            if theirs != ours {
                differ.push(format!("psql {version} {case:?}\n  psql: {theirs:?} {said}\n  ours: {ours:?} {words}"));
            }
            if !case.refused.is_empty()
                && (!theirs.is_empty() || !said.contains(case.refused) || !words.contains(case.refused))
            {
                differ.push(format!("psql {version} {case:?}\n  psql says: {said}\n  we say: {words}"));
            }
            if case.refused.is_empty() && theirs.is_empty() && !case.dsn.contains("{closed} user=u") {
                println!("nobody connected: psql {version} {} : {said}", case.dsn);
            }
        }
    }
    println!("compared {compared} times in {} cases", CASES.len());
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
