//! Unit and environment files against systemd's own library, and a few pins.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use patroni_preflight::parse::unit::{Unit, merge, parse, parse_env_file, split_words};
use patroni_preflight::source::Source;
use serde_json::Value;

/// The Python program that asks libsystemd-shared.
struct Systemd {
    child: Child,
    answers: BufReader<ChildStdout>,
}

#[expect(clippy::disallowed_methods, reason = "the oracle is a program")]
fn systemd() -> Systemd {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = std::env::var_os("PREFLIGHT_TOOLS").map_or_else(|| root.join("target/tools"), PathBuf::from);
    let mut child = Command::new(tools.join("py/bin/python3"))
        .arg(root.join("tests/oracles/systemd.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("no Python in target/tools: run `make setup`");
    let answers = BufReader::new(child.stdout.take().expect("piped"));
    Systemd { child, answers }
}

impl Systemd {
    fn ask(&mut self, op: &str, text: &[u8]) -> Value {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{{\"op\":\"{op}\",\"hex\":\"{}\"}}", hex(text)).expect("the oracle ended: run `make setup`");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("the oracle ended: run `make setup`")
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

/// Numbers that depend on nothing but the seed (splitmix64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).expect("small")
    }

    fn join(&mut self, parts: &[&[u8]], most: usize) -> Vec<u8> {
        (0..self.below(most)).flat_map(|_| parts[self.below(parts.len())].to_vec()).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "size and seed of a test come from the environment")]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// Runs both readers over generated texts, plus `fixed` ones.
#[expect(clippy::print_stdout, reason = "a failure needs its seed")]
fn compare(op: &str, fixed: &[&[u8]], parts: &[&[u8]], ours: impl Fn(&[u8]) -> Value) {
    let (seed, n) = (number("PREFLIGHT_SEED", 1), number("PREFLIGHT_ORACLE_N", 4000));
    println!("{op}: seed {seed}, {n} texts");
    let mut rng = Rng(seed);
    let mut oracle = systemd();
    let mut check = |text: &[u8]| {
        let wrapped = if op == "words" { [b"_", text, b"_"].concat() } else { text.to_vec() };
        let (theirs, ours) = (oracle.ask(op, &wrapped), ours(&wrapped));
        (ours != theirs)
            .then(|| format!("{op} of {:?}\nsystemd: {theirs}\nours:    {ours}", String::from_utf8_lossy(text)))
    };
    for text in fixed {
        assert_eq!(check(text), None, "seed {seed}");
    }
    for _ in 0..n {
        let mut text = rng.join(parts, 24);
        let Some(mut difference) = check(&text) else { continue };
        let mut at = 0;
        while at < text.len() {
            let mut shorter = text.clone();
            shorter.remove(at);
            match check(&shorter) {
                Some(d) => (text, difference) = (shorter, d),
                None => at += 1,
            }
        }
        panic!("seed {seed}: {difference}");
    }
}

fn unit_answer(text: &[u8]) -> Value {
    let unit = parse(&Source::lone("x.service", text)).tree;
    let known = unit.assignments().iter().filter(|a| matches!(&*a.section, "Unit" | "Service" | "Install"));
    let set: Vec<_> =
        known.map(|a| [hex(a.section.as_bytes()), hex(a.key.value.as_bytes()), hex(a.value.text.as_bytes())]).collect();
    serde_json::json!({ "refused": unit.is_refused(), "set": set })
}

#[test]
fn oracle_systemd_lines() {
    let parts: [&[u8]; 30] = [
        b"[Service]\n",
        b"[Unit]\n",
        b"\n[Foo]\n",
        b"\n[X-a]\n",
        b"A=",
        b"Key",
        b"=",
        b"b c",
        b" ",
        b"\t",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\\\n",
        b"\\",
        b"\\\r\n",
        b"#",
        b"\n# c \\\n",
        b"\n;c\n",
        b"\xEF\xBB\xBF",
        b"\xff",
        "é".as_bytes(),
        b"[",
        b"]",
        b"'",
        b"\"",
        b"\x0b",
        b"\n\nB=\n",
    ];
    let long = [b"[Unit]\nA=".as_slice(), &vec![b'x'; 1 << 20], b"\nB=c\n"].concat();
    let continued =
        [b"[Unit]\nA=".as_slice(), &[vec![b'x'; 65_534], b"\\\n".to_vec()].concat().repeat(17), b"\nB=c\n"].concat();
    let edge: Vec<Vec<u8>> = (-4..4_isize)
        .map(|d| [b"[Unit]\nA=".as_slice(), &vec![b'x'; (1_usize << 20).wrapping_add_signed(d - 2)], b"\n"].concat())
        .collect();
    let mut fixed: Vec<&[u8]> =
        vec![b"", b"A=b\n", b"[Unit", b"[Unit]\nA=b\n[Serv", b"[Unit]\nA=b\\", &long, &continued];
    fixed.extend(edge.iter().map(Vec::as_slice));
    compare("unit", &fixed, &parts, unit_answer);
}

#[test]
fn oracle_systemd_words() {
    let parts: [&[u8]; 30] = [
        b"a",
        b"B=c",
        b" ",
        b"  ",
        b"\t",
        b"'",
        b"\"",
        b"\\",
        b"\\\\",
        b"\\n",
        b"\\x41",
        b"\\x",
        b"\\101",
        b"\\777",
        b"\\000",
        b"\\u00e9",
        b"\\ud800",
        b"\\U0001F600",
        b"\\U00110000",
        b"\\s",
        b"\\q",
        b";",
        b"\\;",
        b"%i",
        b"=",
        "é".as_bytes(),
        b"\\\"",
        b"''",
        b"\\xff",
        b"\\u0000",
    ];
    compare("words", &[b"", b"''", b"'' ''"], &parts, |text| {
        let text = std::str::from_utf8(text).expect("the parts are UTF-8");
        let unit = parse(&Source::lone("x.service", format!("[Service]\nA={text}"))).tree;
        let (words, broken) = split_words(&unit.assignments()[0].value);
        let words: Vec<_> = words.iter().map(|w| hex(&w.bytes)).collect();
        serde_json::json!({ "words": words, "broken": broken.is_some() })
    });
}

#[test]
fn oracle_systemd_environment_files() {
    let parts: [&[u8]; 26] = [
        b"A=",
        b"B =",
        b"\nC=",
        b"export D=",
        b"1E=",
        b"=",
        b"b c",
        b" ",
        b"\t",
        b"\n",
        b"\r\n",
        b"'",
        b"\"",
        b"\\",
        b"\\\n",
        b"\\$",
        b"$x",
        b"`",
        b"\\q",
        b"#",
        b"\n# c \\\n",
        b"\n;c\n",
        "é".as_bytes(),
        b"\xff",
        b"\nA=x\n",
        b"\\\r\n",
    ];
    compare("env", &[b"", b"A=b\0C=d\n", b"A='b", b"A=\"b\\"], &parts, |text| {
        let parsed = parse_env_file(&Source::lone("env", text));
        let set: Vec<_> = parsed
            .tree
            .iter()
            .map(|v| [hex(v.name.value.as_bytes()), hex(v.value.value.reveal().as_bytes())])
            .collect();
        let refused = parsed.problems.iter().any(|p| p.args.iter().any(|(_, text)| text.contains("does not load")));
        serde_json::json!({ "refused": refused, "set": set })
    });
}

fn unit(text: &str) -> Unit {
    parse(&Source::lone("x.service", text)).tree
}

#[test]
fn an_empty_assignment_takes_back_what_a_drop_in_replaces() {
    let main = unit("[Unit]\nAfter=a.service\n[Service]\nExecStart=/bin/a x\nEnvironment=A=1 B=2\n");
    let dropin =
        unit("[Unit]\nAfter=\n[Service]\nExecStart=\nExecStart=-/bin/b \"y z\" ; @/bin/c d \\; e\nEnvironment=B=3\n");
    let merged = merge(vec![main, dropin]);
    let commands = merged.commands("ExecStart").tree;
    let shown: Vec<_> = commands
        .iter()
        .map(|c| (&*c.prefix, &*c.path.value, c.args.iter().map(|a| &*a.value).collect::<Vec<_>>()))
        .collect();
    assert_eq!(shown, [("-", "/bin/b", vec!["y z"]), ("@", "/bin/c", vec!["d", ";", "e"])]);
    let environment = merged.environment().tree;
    let names: Vec<_> = environment.iter().map(|v| (&*v.name.value, v.value.value.reveal())).collect();
    assert_eq!(names, [("A", "1"), ("B", "3")]);
    assert_eq!(merged.all("Unit", "After").len(), 1, "dependencies are never taken back");
}

#[test]
fn places_survive_continuation_lines() {
    let text = "[Service]\nEnvironment=A=1 \\\n  # not this\n  \"B=two words\" \\\n\tC=3\n";
    let source = Source::lone("x.service", text);
    let environment = parse(&source).tree.environment().tree;
    let shown: Vec<_> = environment.iter().map(|v| (source.text(v.name.span), source.text(v.value.span))).collect();
    let expected = [("A", "1"), ("B", "two words"), ("C", "3")].map(|(a, b)| (a.into(), b.into()));
    assert_eq!(shown, expected);
}

#[test]
fn passwords_in_a_unit_are_not_shown() {
    let unit = unit("[Service]\nEnvironment=PATRONI_SUPERUSER_PASSWORD=hunter2 hunter2\n");
    let environment = unit.environment();
    assert!(!format!("{unit:?} {environment:?}").contains("hunter2"));
    assert_eq!(environment.problems.len(), 1);
}

#[test]
fn real_units_read_without_complaint() {
    let text = "[Unit]\nDescription=Patroni\nAfter=network-online.target etcd.service\n\n[Service]\nType=simple\nUser=postgres\n\
        EnvironmentFile=-/etc/default/patroni\nExecStart=/usr/bin/patroni /etc/patroni/%i.yml\nKillMode=process\n";
    let parsed = parse(&Source::lone("patroni@.service", text));
    assert!(parsed.problems.is_empty());
    let files = parsed.tree.environment_files();
    assert!(files[0].optional && files[0].path.value == "/etc/default/patroni");
    assert_eq!(parsed.tree.last("Service", "User").map(|v| &*v.text), Some("postgres"));
}
