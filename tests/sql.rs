//! Role scripts against PostgreSQL 15, and pins for what psql does before the server sees anything.

use std::collections::{BTreeMap, BTreeSet};

use patroni_preflight::parse::sql::{Attribute, Sql, looks_like_role_sql, parse};
use patroni_preflight::secret::Secret;
use patroni_preflight::source::Source;

use crate::support::pg::{Client, Server, env};
use crate::support::rng::Rng;

const FUNCTIONS: [&str; 4] = [
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
];
const WRITTEN: [&str; 6] = [
    "pg_catalog.pg_ls_dir(text, bool, boolean)",
    "pg_stat_file(text,boolean)",
    "pg_read_binary_file( text )",
    "pg_catalog.pg_read_binary_file(text, bigint, int8, boolean)",
    "PG_STAT_FILE(pg_catalog.text, pg_catalog.bool)",
    "pg_ls_dir(dirname text, missing_ok bool, include_dot_dirs bool)",
];

fn number(name: &str, default: usize) -> usize {
    env(name).and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// A script under construction: which roles it has made so far, so that most statements succeed.
struct Script {
    rng: Rng,
    /// By number; a role is only given to roles of higher numbers, since PostgreSQL refuses circles.
    roles: Vec<Option<String>>,
    /// Roles that cannot be dropped, because grants depend on them.
    held: BTreeSet<String>,
    statements: Vec<String>,
}

impl Script {
    fn new(rng: Rng) -> Self {
        Self { rng, roles: vec![None; 6], held: BTreeSet::new(), statements: Vec::new() }
    }

    fn write(mut self) -> Vec<String> {
        for _ in 0..self.rng.below(14) + 2 {
            let statement = match self.rng.below(12) {
                0..4 => Some(self.create()),
                4..6 => self.alter(),
                6 => self.drop_role(),
                7 => self.membership(),
                8..10 => self.function(),
                10 => self.group(),
                _ => self.block(),
            };
            self.statements.extend(statement);
        }
        self.statements
    }

    fn quoted(name: &str) -> String {
        if name.contains(' ') { format!("\"{name}\"") } else { name.to_owned() }
    }

    fn existing(&mut self) -> Option<(usize, String)> {
        let all: Vec<_> = self.roles.iter().enumerate().filter_map(|(n, r)| Some((n, r.clone()?))).collect();
        (!all.is_empty()).then(|| all[self.rng.below(all.len())].clone())
    }

    /// Options of a statement; with `twice` now and then one twice, which PostgreSQL refuses.
    fn options(&mut self, twice: bool) -> String {
        let mut names = vec![
            "SUPERUSER",
            "NOSUPERUSER",
            "inherit",
            "NOINHERIT",
            "CREATEROLE",
            "NOCREATEROLE",
            "CREATEDB",
            "LOGIN",
            "NOLOGIN",
            "REPLICATION",
            "NOREPLICATION",
            "BYPASSRLS",
            "CONNECTION LIMIT 7",
            "CONNECTION LIMIT -1",
            "PASSWORD 'it''s; a -- secret'",
            "ENCRYPTED PASSWORD E'a\\'b\\n'",
            "PASSWORD NULL",
            "PASSWORD ''",
            "PASSWORD $$a;'b$$",
            "VALID UNTIL '2031-02-03'",
            "VALID UNTIL 'infinity'",
        ];
        let mut out = String::new();
        for _ in 0..self.rng.below(6) {
            let option = names[self.rng.below(names.len())];
            out.push_str(" /* ; '*/ ");
            out.push_str(option);
            if !(twice && self.rng.one_in(6)) {
                let family =
                    |o: &str| o.trim_start_matches("NO").to_lowercase().split(' ').next_back().map(str::to_owned);
                let kind = |o: &str| ["PASSWORD", "VALID", "CONNECTION"].iter().find(|k| o.contains(*k)).copied();
                names.retain(|o| family(o) != family(option) && (kind(o).is_none() || kind(o) != kind(option)));
            }
        }
        out
    }

    fn create(&mut self) -> String {
        let n = self.rng.below(self.roles.len());
        let verb = self.rng.pick(&["CREATE ROLE", "create user", "CREATE GROUP"]);
        let name = if n == 3 { "Role 3".to_owned() } else { format!("r{n}") };
        let mut text = format!("{verb} {} {}", Self::quoted(&name), self.options(false));
        let lower = self.roles[..n].iter().flatten().next().cloned();
        if let Some(parent) = lower.filter(|_| self.rng.one_in(3)) {
            text.push_str(" IN ROLE ");
            text.push_str(&Self::quoted(&parent));
        }
        self.roles[n] = Some(name);
        text
    }

    fn alter(&mut self) -> Option<String> {
        let (_, name) = self.existing()?;
        Some(format!("ALTER ROLE {} WITH {}", Self::quoted(&name), self.options(true)))
    }

    fn drop_role(&mut self) -> Option<String> {
        let (n, name) = self.existing()?;
        if self.held.contains(&name) {
            return None;
        }
        self.roles[n] = None;
        Some(format!("DROP ROLE IF EXISTS nobody, {}", Self::quoted(&name)))
    }

    fn membership(&mut self) -> Option<String> {
        let ((a, one), (b, other)) = (self.existing()?, self.existing()?);
        if a == b {
            return None;
        }
        let (role, member) = if a < b { (one, other) } else { (other, one) };
        let (role, member) = (Self::quoted(&role), Self::quoted(&member));
        Some(match self.rng.below(3) {
            0 => format!("REVOKE {role} FROM {member}"),
            1 => format!("GRANT {role} TO {member} WITH ADMIN OPTION"),
            _ => format!("GRANT {role} TO {member}"),
        })
    }

    fn group(&mut self) -> Option<String> {
        let ((a, one), (b, other)) = (self.existing()?, self.existing()?);
        if a == b {
            return None;
        }
        let (role, member) = if a < b { (one, other) } else { (other, one) };
        let verb = self.rng.pick(&["ADD", "DROP"]);
        Some(format!("ALTER GROUP {} {verb} USER {}", Self::quoted(&role), Self::quoted(&member)))
    }

    fn function(&mut self) -> Option<String> {
        let (_, name) = self.existing()?;
        let grantee = if self.rng.one_in(8) { "PUBLIC".to_owned() } else { Self::quoted(&name) };
        self.held.insert(name);
        let function = self.rng.pick(&WRITTEN);
        let what = self.rng.pick(&["EXECUTE", "ALL", "ALL PRIVILEGES"]);
        Some(match self.rng.below(4) {
            0 => format!("REVOKE {what} ON FUNCTION {function} FROM {grantee}"),
            _ => format!("GRANT {what} ON FUNCTION {function} TO {grantee}"),
        })
    }

    fn block(&mut self) -> Option<String> {
        // Only with a new role: a failure would undo the whole block, and blocks are followed as if all goes well.
        let before = self.roles.iter().flatten().count();
        let inner = self.create();
        if self.roles.iter().flatten().count() == before {
            return None;
        }
        let name = self.roles.iter().flatten().next_back()?.clone();
        let execute = format!("ALTER ROLE {} CREATEDB", Self::quoted(&name));
        Some(format!(
            "DO $body$ BEGIN IF true THEN {}; END IF; EXECUTE '{execute}'; EXCEPTION WHEN duplicate_object THEN NULL; END $body$",
            inner.replace("$$", "$q$")
        ))
    }
}

/// One line per fact, as our parser sees them and as the catalogues have them.
type Facts = BTreeSet<String>;

fn ours(sql: &Sql, client: &mut Client) -> Facts {
    let mut facts = Facts::new();
    for (name, role) in sql.roles().iter().filter(|(_, r)| r.created.is_some()) {
        let attributes: Vec<_> = Attribute::ALL.iter().map(|a| role.attributes[a].value.to_string()).collect();
        let limit = role.connection_limit.as_ref().map_or(-1, |l| l.value);
        let until = role.valid_until.as_ref().map_or("none", |v| &v.value);
        facts.insert(format!("{name}: {} {limit} {until}", attributes.join(" ")));
        let password = role.password.as_ref().and_then(|p| p.value.as_ref()).map(|p| p.reveal().replace('\'', "''"));
        let md5 =
            password.map(|p| client.query(&format!("SELECT 'md5' || md5($p${p}$p$ || '{name}')").replace("''", "'")));
        facts.insert(format!("{name}: password {:?}", md5.map(|rows| rows[0][0].clone())));
        for function in FUNCTIONS {
            let may = role.has(Attribute::Superuser) || sql.execute_grant(name, function).is_some();
            facts.insert(format!("{name}: {function} {may}"));
        }
    }
    facts.extend(sql.memberships().iter().map(|m| format!("{} in {}", m.member.value, m.role.value)));
    facts
}

fn theirs(client: &mut Client) -> Facts {
    let mut facts = Facts::new();
    let text = |row: &[Option<String>], n: usize| row[n].clone().unwrap_or_default();
    let roles = "SELECT rolname, concat_ws(' ', rolsuper::text, rolinherit::text, rolcreaterole::text, rolcreatedb::text,
        rolcanlogin::text, rolreplication::text, rolbypassrls::text, rolconnlimit,
        coalesce(CASE WHEN isfinite(rolvaliduntil) THEN rolvaliduntil::date::text ELSE rolvaliduntil::text END, 'none')),
        rolpassword FROM pg_authid WHERE rolname !~ '^(pg_|postgres$)'";
    for row in client.query(roles) {
        let name = text(&row, 0);
        facts.insert(format!("{name}: {}", text(&row, 1)));
        facts.insert(format!("{name}: password {:?}", row[2].clone().map(Some)));
        for function in FUNCTIONS {
            let rows = client.query(&format!("SELECT has_function_privilege('{name}', '{function}', 'execute')::text"));
            facts.insert(format!("{name}: {function} {}", text(&rows[0], 0)));
        }
    }
    let members = "SELECT m.rolname || ' in ' || r.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = roleid
        JOIN pg_roles m ON m.oid = member WHERE r.rolname !~ '^pg_'";
    facts.extend(client.query(members).iter().map(|row| text(row, 0)));
    facts
}

fn clean(client: &mut Client) {
    for function in FUNCTIONS {
        let _ = client.try_query(&format!("REVOKE ALL ON FUNCTION {function} FROM PUBLIC"));
    }
    let names = client.query("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname !~ '^(pg_|postgres$)'");
    for name in names.iter().filter_map(|row| row[0].as_ref()) {
        client.query(&format!("DROP OWNED BY {name}"));
        client.query(&format!("DROP ROLE {name}"));
    }
}

fn difference(client: &mut Client, statements: &[String]) -> Option<String> {
    clean(client);
    for statement in statements {
        let _ = client.try_query(statement);
    }
    let script = statements.join(";\n");
    let parsed = parse(&Source::lone("roles.sql", script.as_str()));
    let (ours, theirs) = (ours(&parsed.tree, client), theirs(client));
    (ours != theirs).then(|| {
        let only = |a: &Facts, b: &Facts| a.difference(b).cloned().collect::<Vec<_>>().join("\n  ");
        format!("{script}\nonly ours:\n  {}\nonly PostgreSQL:\n  {}", only(&ours, &theirs), only(&theirs, &ours))
    })
}

#[test]
fn oracle_roles_after_a_script_are_those_of_the_server() {
    let (seed, n) = (number("PREFLIGHT_SEED", 1), number("PREFLIGHT_ORACLE_N", 300));
    println!("seed {seed}, {n} scripts");
    let server =
        Server::start(15, |_| "password_encryption = md5\ntimezone = UTC\nlog_min_messages = fatal\n".to_owned());
    let mut client = server.client();
    for i in 0..n {
        let mut statements = Script::new(Rng::new((seed * 1_000_003 + i) as u64)).write();
        let Some(mut found) = difference(&mut client, &statements) else { continue };
        let mut at = 0;
        while at < statements.len() {
            let mut shorter = statements.clone();
            // Without its CREATE ROLE a script is about roles made elsewhere, of which it says less than the server.
            let creates = shorter.remove(at).to_lowercase().contains("create ");
            match difference(&mut client, &shorter).filter(|_| !creates) {
                Some(d) => (statements, found) = (shorter, d),
                None => at += 1,
            }
        }
        panic!("seed {seed}, script {i}:\n{found}");
    }
}

fn read(text: &str) -> Sql {
    parse(&Source::lone("roles.sql", text)).tree
}

#[test]
fn psql_commands_and_variables_do_not_reach_the_server() {
    let text = "\\set pw `cat /run/secret`\n\\c app\nCREATE ROLE :\"who\" LOGIN PASSWORD :'pw';\nCREATE USER :u;\n\
        SELECT 'CREATE DATABASE x' WHERE true\\gexec\nCREATE ROLE last REPLICATION; SELECT 1::int, ':no';\n";
    let parsed = parse(&Source::lone("roles.sql", text));
    assert_eq!(parsed.problems, []);
    let sql = parsed.tree;
    assert_eq!(sql.roles().keys().collect::<Vec<_>>(), [":u", ":who", "last"]);
    let password = sql.roles()[":who"].password.clone().expect("a password");
    assert_eq!(password.value.map(|p| p.reveal().to_owned()).as_deref(), Some(":pw"));
    assert_eq!(sql.connects[0].value, "app");
}

#[test]
fn a_mistake_costs_only_its_own_statement_and_is_placed_at_its_token() {
    let text = "CREATE ROLE a LOGIN;\nCREATE ROLE b LOGIN, LOGIN PASSWORD 'hunter2';\nCREATE ROLE c;\nCREATE ROLE d PASSWORD LOGIN 'hunter2'";
    let source = Source::lone("roles.sql", text);
    let parsed = parse(&source);
    assert_eq!(parsed.tree.roles().keys().collect::<Vec<_>>(), ["a", "c"]);
    let shown: Vec<_> = parsed.problems.iter().map(|p| (source.position(p.at.start), p.args[0].1.as_str())).collect();
    let expected = [((2, 20), "syntax error at or near \",\""), ((4, 24), "syntax error at or near \"LOGIN\"")];
    assert_eq!(shown, expected);
    let near_secret = parse(&Source::lone("roles.sql", "CREATE ROLE x LOGIN 'hunter2'"));
    assert!(!format!("{near_secret:?}").contains("hunter2"));
}

#[test]
fn places_are_those_of_the_file_also_inside_of_a_block() {
    let text = "-- é\nDO $$\nBEGIN\n  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rep') THEN\n    CREATE ROLE rep REPLICATION LOGIN PASSWORD 'hunter2';\n  END IF;\n  PERFORM pg_create_physical_replication_slot('node2');\nEND\n$$;\nGRANT EXECUTE ON function pg_catalog.pg_ls_dir(text, boolean, boolean) TO rep;\n";
    let source = Source::lone("roles.sql", text);
    let sql = parse(&source).tree;
    let rep = &sql.roles()["rep"];
    assert_eq!(source.text(rep.named), "rep");
    assert_eq!(source.text(rep.attributes[&Attribute::Replication].span), "REPLICATION");
    assert_eq!(rep.password.as_ref().map(|p| source.text(p.span)).as_deref(), Some("'hunter2'"));
    assert_eq!(sql.slots.iter().map(|s| s.name.value.as_str()).collect::<Vec<_>>(), ["node2"]);
    let grant = sql.execute_grant("rep", FUNCTIONS[0]).expect("a grant");
    assert_eq!(source.position(grant.span.start).0, 10);
    assert_eq!(source.text(grant.role.span), "rep");
}

#[test]
fn settings_slots_and_databases_are_read() {
    let sql = read(
        "ALTER SYSTEM SET wal_level = logical; ALTER SYSTEM RESET ALL; ALTER ROLE a IN DATABASE d SET search_path TO x, 'Y';\n\
         ALTER ROLE ALL RESET work_mem; CREATE DATABASE app OWNER a;\n\
         SELECT * FROM pg_create_logical_replication_slot('cdc', 'pgoutput');\n\
         SELECT pg_create_physical_replication_slot(slot_name => 's2'::name, immediately_reserve => true);",
    );
    let system: Vec<_> = sql.system_settings.iter().map(|s| (&*s.name, s.value.as_ref().map(Secret::reveal))).collect();
    assert_eq!(system, [("wal_level", Some("logical")), ("all", None)]);
    let first = &sql.role_settings[0];
    assert_eq!((first.database.as_deref(), first.value.as_ref().map(Secret::reveal)), (Some("d"), Some("x, Y")));
    assert!(sql.role_settings[1].role.is_none() && sql.role_settings[1].value.is_none());
    assert_eq!(sql.databases[0].value, "app");
    let slots: BTreeMap<_, _> = sql.slots.iter().map(|s| (&*s.name.value, s.plugin.as_deref())).collect();
    assert_eq!(slots, BTreeMap::from([("cdc", Some("pgoutput")), ("s2", None)]));
}

#[test]
fn dumps_and_routine_bodies_do_not_confuse_the_ends_of_statements() {
    let text = "COPY t (a) FROM stdin;\nit's ; CREATE ROLE no;\n\\.\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;\nCREATE ROLE yes;";
    let parsed = parse(&Source::lone("dump.sql", text));
    assert_eq!(parsed.problems, []);
    assert_eq!(parsed.tree.roles().keys().collect::<Vec<_>>(), ["yes"]);
}

#[test]
fn only_scripts_about_roles_are_chosen() {
    assert!(
        looks_like_role_sql("-- x\ncreate  USER a;")
            && looks_like_role_sql("SELECT pg_create_physical_replication_slot('a')")
    );
    assert!(!looks_like_role_sql("CREATE TABLE role (grantor text); SELECT user;"));
}

#[test]
fn hostile_scripts_end_in_problems() {
    let deep = format!("SELECT {}1{}; CREATE ROLE a;", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(read(&deep).roles().len(), 1);
    let sums = format!("SELECT 1{}; CREATE ROLE a;", "+1".repeat(5000));
    assert_eq!(read(&sums).roles().len(), 1);
    let nul = parse(&Source::lone("x.sql", b"CREATE ROLE a\0LOGIN; \xff CREATE ROLE b".to_vec()));
    assert!(nul.tree.roles()["a"].has(Attribute::Login) && nul.problems.len() >= 2);
    let semicolons = ";".repeat(1 << 20) + &"/*".repeat(1 << 18);
    assert_eq!(read(&semicolons).roles().len(), 0);
    let open = format!("CREATE FUNCTION f() BEGIN ATOMIC {}", "SELECT 1; ".repeat(1 << 16));
    assert_eq!(read(&open).roles().len(), 0);
}
