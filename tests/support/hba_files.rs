//! Made-up `pg_hba.conf` and `pg_ident.conf` files: realistic lines, then mutations.

#![expect(clippy::print_stdout, reason = "what was compared, and the seed, belong into the log")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patroni_preflight::source::{Origin, ReadError, Reader, Source, SourceMap};

/// A small random number generator (xorshift64*), so that a seed tells everything.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % n
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// The seed of a run: `PREFLIGHT_SEED`, or a fixed one.
pub(crate) fn seed() -> u64 {
    let seed = super::pg::env("PREFLIGHT_SEED").and_then(|s| s.parse().ok()).unwrap_or(20_261_122);
    println!("seed {seed}");
    seed
}

/// The size of a run: `PREFLIGHT_ORACLE_N`, or a small one.
pub(crate) fn size(small: usize) -> usize {
    super::pg::env("PREFLIGHT_ORACLE_N").and_then(|s| s.parse().ok()).unwrap_or(small)
}

/// Reads files as they are on disk.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) sources: SourceMap,
}

impl Reader for Disk {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if path.is_dir() {
            return Err(ReadError::NotAFile("directory"));
        }
        let bytes = std::fs::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing,
            std::io::ErrorKind::PermissionDenied => ReadError::Denied,
            _ => ReadError::Other(e.to_string()),
        })?;
        Ok(self.sources.add(Origin::File(path.to_owned()), path.to_string_lossy(), bytes))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let entries = std::fs::read_dir(dir).map_err(|e| ReadError::Other(e.to_string()))?;
        let mut names: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
        names.sort();
        Ok(names)
    }
}

const KINDS: [&str; 12] = [
    "local",
    "host",
    "host",
    "host",
    "hostssl",
    "hostnossl",
    "hostgssenc",
    "hostnogssenc",
    "Host",
    "\"host\"",
    "hostx",
    "host,local",
];
const DATABASES: [&str; 30] = [
    "all",
    "all",
    "all",
    "replication",
    "sameuser",
    "samerole",
    "samegroup",
    "app",
    "app,billing",
    "\"all\"",
    "\"My DB\"",
    "a\"b",
    "@names",
    "x,@names,y",
    "@nested",
    "@\"with space\"",
    "@missing",
    "@empty",
    "@looped",
    "/^db[0-9]+$",
    "\"/^q\"",
    "/[",
    "/(a",
    "/a{3,1}",
    "app , billing",
    "app,,billing",
    "postgres,",
    ",app",
    "+grp",
    "@dir.d",
];
const USERS: [&str; 24] = [
    "all",
    "all",
    "postgres",
    "replicator",
    "app_user,app_ro",
    "+admins",
    "\"+admins\"",
    "\"all\"",
    "@names",
    "@users",
    "/^svc_",
    "/*",
    "/a**",
    "\"Name, With\"",
    "sameuser",
    "replication",
    "+",
    "@",
    "\"\"",
    "joe\"\"x",
    "alice bob",
    "@inc/more",
    "/\\",
    "ä",
];
const ADDRESSES: [&str; 54] = [
    "127.0.0.1/32",
    "::1/128",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/8",
    "192.168.1.0/24",
    "10.1.2.3/8",
    "samehost",
    "samenet",
    "all",
    "localhost",
    ".example.com",
    "db1.example.com",
    "10.0.0.1",
    "10.0.0.0 255.0.0.0",
    "10.0.0.0 255.0.255.0",
    "::1 ffff::",
    "10.0.0.1 ffff::",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/08",
    "::1/129",
    "fe80::1%lo/64",
    "fe80::1%nope/64",
    "fe80::1%1/64",
    "::1%3/64",
    "::ffff:10.0.0.1/96",
    "::1.2.3.4/128",
    "::10.0/8",
    "10/8",
    "10.1/16",
    "0x0a.1/8",
    "010.0.0.1/32",
    "10.0.0.256/32",
    "1.2.3.4.5/32",
    "example.com/24",
    "\"all\"",
    "\"samehost\"",
    "\"\"",
    "/24",
    "10.0.0.0,10.0.0.1",
    "10.0.0.0/8 255.0.0.0",
    "10.0.0.1 localhost",
    "1:2:3:4:5:6:7::/32",
    "1::2::3/64",
    "::1:2/112",
    "12345::/16",
    "fe80::/10",
    "10.0.0.0 10.0.0.0,x",
    "1.2.3.4%lo/32",
    "4294967295/32",
    "4294967296/32",
];
const METHODS: [&str; 22] = [
    "trust",
    "reject",
    "md5",
    "md5",
    "password",
    "scram-sha-256",
    "scram-sha-256",
    "gss",
    "sspi",
    "ident",
    "peer",
    "pam",
    "ldap",
    "radius",
    "cert",
    "bsd",
    "oauth",
    "scram",
    "Trust",
    "\"trust\"",
    "trust,md5",
    "",
];
const OPTIONS: [&str; 76] = [
    "map=m",
    "map=",
    "clientcert=verify-full",
    "clientcert=verify-ca",
    "clientcert=1",
    "clientcert=0",
    "clientcert=no-verify",
    "clientcert=x",
    "clientname=CN",
    "clientname=DN",
    "clientname=x",
    "pamservice=pg",
    "pam_use_hostname=1",
    "ldapserver=ldap.example.com",
    "ldapserver=a ldapbasedn=dc=x",
    "ldapprefix=cn=",
    "ldapsuffix=,dc=x",
    "ldapport=389",
    "ldapport=0",
    "ldapport=12x",
    "ldaptls=1",
    "ldaptls=2",
    "ldapscheme=ldaps",
    "ldapscheme=x",
    "ldapbinddn=cn=x",
    "ldapsearchattribute=uid",
    "ldapsearchfilter=(x=$username)",
    "ldapbasedn=dc=x",
    "ldapurl=ldap://h/dc=x?uid?sub",
    "ldapurl=ldap://h:1389/dc=x??one?(a=b)",
    "ldapurl=ldaps://h",
    "ldapurl=http://h",
    "ldapurl=ldapi://x",
    "ldapurl=x",
    "ldapurl=ldap://h/dc=x?uid,cn",
    "ldapurl=ldap://[::1]:99/dc=%20x?uid?base",
    "krb_realm=EXAMPLE",
    "include_realm=0",
    "include_realm=1",
    "compat_realm=1",
    "upn_username=1",
    "radiusservers=127.0.0.1",
    "radiusservers=\"127.0.0.1,::1\"",
    "radiusservers=\"127.0.0.1,,::1\"",
    "radiusservers=\"\"",
    "radiussecrets=s",
    "radiussecrets=\"a,b\"",
    "radiussecrets=\"a,b,c\"",
    "radiussecrets=\"\"",
    "radiusports=1812",
    "radiusports=\"1812,1813\"",
    "radiusports=0",
    "radiusports=\"x,\"",
    "radiusidentifiers=pg",
    "radiusidentifiers=\"a,b,c\"",
    "issuer=https://x",
    "scope=openid",
    "issuer=https://x scope=openid",
    "validator=v",
    "validator=w",
    "delegate_ident_mapping=1",
    "delegate_ident_mapping=0",
    "unknown=1",
    "noequals",
    "=x",
    "\"map=with space\"",
    "map=\"a b\"",
    "ldapbindpasswd=hunter2",
    "realm=x",
    "ldapurl=ldap://h?x",
    "ldapurl=ldap://h??dc=y",
    "ldapurl=ldap://h:1??dc=y",
    "ldapurl=ldap://h:1?dc=y",
    "ldapurl=ldap://h?x/dc=z",
    "ldapurl=ldapi://x?",
    "radius=x",
];
const IDENT_NAMES: [&str; 22] = [
    "m",
    "omicron",
    "bryanh",
    "ann",
    "\"all\"",
    "all",
    "+grp",
    "\"+grp\"",
    "/^(.*)@example\\.com$",
    "/(",
    "\"/^(a) b$\"",
    "\\1",
    "x\\1y",
    "@names",
    "a,b",
    "\"\"",
    "/a",
    "/\\2",
    "/(a)(b",
    "/[[:foo:]]",
    "/^.*$",
    "ä",
];

/// Files that the made-up ones point at, below a directory.
pub(crate) const SIDE_FILES: [(&str, &str); 14] = [
    ("names", "alice, bob\n# comment\n\"carol x\" dave\n"),
    ("nested", "n1 @names\nn2\n"),
    ("with space", "spaced"),
    ("empty", "# nothing\n\n"),
    ("users", "+admins\n\"+quoted\"\nall\n"),
    ("inc/more", "@names\n@../users\n"),
    ("one.conf", "host all all 10.0.0.0/8 md5\nhost bad\nlocal all @names peer\n"),
    ("ident.conf", "m /^x$ y\nm @names z\n"),
    ("dir.d/a.conf", "local a a trust\n"),
    ("dir.d/b.conf", "local b b trust\n"),
    ("dir.d/.hidden.conf", "local hidden hidden trust\n"),
    ("dir.d/c.txt", "local txt txt trust\n"),
    ("bad.d/a.conf", "include missing.conf\n"),
    ("bad.d/b.conf", "local b b trust\n"),
];

const INCLUDES: [&str; 14] = [
    "include one.conf",
    "include missing.conf",
    "include_if_exists missing.conf",
    "include_if_exists one.conf",
    "include_dir dir.d",
    "include_dir missing.d",
    "include_dir bad.d",
    "include",
    "include one.conf extra",
    "\"include\" one.conf",
    "include one.conf,names",
    "include_dir \" \"",
    "include_dir dir.d/",
    "include ./inc/../one.conf",
];

/// One line of `pg_hba.conf`, mostly a good one.
pub(crate) fn hba_line(rng: &mut Rng) -> String {
    if rng.one_in(25) {
        return rng.pick(&INCLUDES).to_owned();
    }
    let fine = !rng.one_in(3);
    let (good_kinds, good_methods) = if rng.one_in(4) { (8, 15) } else { (4, 7) };
    let mut choose = |list: &[&'static str], good: usize| {
        let n = if fine && !rng.one_in(40) { good } else { list.len() };
        list[rng.below(n)]
    };
    let kind = choose(&KINDS, good_kinds);
    let mut line = format!("{kind} {} {}", choose(&DATABASES, 14), choose(&USERS, 9));
    if !kind.contains("local") || !fine {
        line = format!("{line} {}", choose(&ADDRESSES, 17));
    }
    let method = choose(&METHODS, good_methods);
    line = format!("{line} {method}");
    let own: Vec<&str> = OPTIONS.into_iter().filter(|o| o.starts_with(method.get(..4).unwrap_or("-"))).collect();
    for _ in 0..[0, 0, 1, 1, 2, 4][rng.below(6)] {
        let any = rng.one_in(if fine { 20 } else { 3 });
        if own.is_empty() && !any {
            break;
        }
        let pool = if any { &OPTIONS[..] } else { &own };
        line = format!("{line} {}", rng.pick(pool));
    }
    if matches!(method, "ldap" | "radius" | "oauth") && !rng.one_in(3) {
        line.push_str(match method {
            "ldap" => " ldapbasedn=dc=example",
            "radius" => " radiusservers=127.0.0.1 radiussecrets=x",
            _ => " issuer=https://i scope=s",
        });
    }
    line
}

/// One line of `pg_ident.conf`.
pub(crate) fn ident_line(rng: &mut Rng) -> String {
    if rng.one_in(20) {
        return rng
            .pick(&["include ident.conf", "include_dir dir.d", "include_if_exists nope", "include nope"])
            .to_owned();
    }
    let columns = if rng.one_in(8) { 1 + rng.below(4) } else { 3 };
    let words: Vec<&str> =
        (0..columns).map(|i| if i == 0 { rng.pick(&["m", "n", "\"a b\""]) } else { rng.pick(&IDENT_NAMES) }).collect();
    words.join(if rng.one_in(3) { "\t" } else { " " })
}

/// A whole file of such lines, then damaged here and there.
pub(crate) fn file(rng: &mut Rng, line: impl Fn(&mut Rng) -> String) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..=rng.below(9) {
        let mut one = line(rng);
        if rng.one_in(10) {
            one = one.replacen(' ', " \\\n", 1 + rng.below(3));
        }
        if rng.one_in(8) {
            one = format!("{one} # {}", rng.pick(&["note", "it's \"open", "back \\", "ldapbindpasswd=x", ""]));
        }
        text.extend_from_slice(one.as_bytes());
        text.extend_from_slice(
            rng.pick(&["\n", "\n", "\n", "\n", "\r\n", "\n\n", " \n", "\\\n", "\\\r\n", "\t\n# c\n"]).as_bytes(),
        );
    }
    if rng.one_in(40) {
        let long = "x".repeat(
            [200, 255, 256, 300, 1020, 8150, 8190, 8200, 10_237, 10_238, 10_239, 10_240, 10_241, 20_000][rng.below(14)],
        );
        let pad = " ".repeat(
            [0, 10_200, 10_400, 20_443, 20_444, 20_445, 20_446, 20_447, 20_448, 20_449, 20_450, 20_470][rng.below(12)],
        );
        text.extend_from_slice(
            format!("host all {long}{pad} 127.0.0.1/32 trust\nlocal all{pad}      all              trust\n").as_bytes(),
        );
    }
    if rng.one_in(3) {
        for _ in 0..=rng.below(4) {
            damage(rng, &mut text);
        }
    }
    text
}

fn damage(rng: &mut Rng, text: &mut Vec<u8>) {
    const BYTES: &[u8] = b" \t\r\n\"\",,#\\@+/=%.:{[(*?|)-0aZ\x00\xff\xc3\x0b\x0c";
    let at = rng.below(text.len() + 1);
    match rng.below(5) {
        0 if at < text.len() => {
            text.remove(at);
        }
        1 if at < text.len() => text[at] = BYTES[rng.below(BYTES.len())],
        2 => text.truncate(at.max(text.len() / 2)),
        3 => {
            let end = (at + 1 + rng.below(12)).min(text.len());
            let piece = text[at..end].to_vec();
            let to = rng.below(text.len() + 1);
            text.splice(to..to, piece);
        }
        _ => text.insert(at, BYTES[rng.below(BYTES.len())]),
    }
}
