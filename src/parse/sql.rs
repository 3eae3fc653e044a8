//! SQL scripts that set up roles, as psql sends them and PostgreSQL understands them.
//!
//! The text is cut into statements by psql's rules ([`split`]: `src/fe_utils/psqlscan.l`), each is parsed by PostgreSQL's
//! own grammar (`pg_query`), and its effect on roles is followed in order: the last word wins. A statement that does not
//! parse costs only itself. What a script cannot tell stays unsaid: `ALTER ROLE` of a role made elsewhere says only what it
//! names, and the value of a psql variable is not known (its name is kept, `:name`). The statements in a `DO` block are
//! taken as if each ran once, in the order of the text.
//!
//! Compared with PostgreSQL 15 on generated scripts (tests/sql.rs).

mod block;
mod grants;
mod read;
mod roles;
mod split;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::parse::template;
use crate::problem::{Parsed, Problem};
use crate::secret::Secret;
use crate::source::{Source, Span, Spanned};

pub use grants::{FunctionGrant, Membership};
pub use roles::{Attribute, RoleFacts};

/// A value given to a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The role it is for; `None` for all (`ALTER ROLE ALL`, `ALTER SYSTEM`).
    pub role: Option<Spanned<String>>,
    /// The database it is for; `None` for all.
    pub database: Option<String>,
    /// The setting, lower case; `all` for `RESET ALL`.
    pub name: String,
    /// The value, a list joined by `, `; `None` takes it back. It may be a conninfo with a password.
    pub value: Option<Secret>,
    /// The statement.
    pub span: Span,
}

/// A replication slot that the script makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: Spanned<String>,
    /// The output plugin of a logical one.
    pub plugin: Option<String>,
}

/// What a script says about roles.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    roles: BTreeMap<String, RoleFacts>,
    memberships: Vec<Membership>,
    function_grants: Vec<FunctionGrant>,
    /// `ALTER SYSTEM`, in order.
    pub system_settings: Vec<Setting>,
    /// `ALTER ROLE … SET` and `ALTER DATABASE … SET`, in order.
    pub role_settings: Vec<Setting>,
    /// Slots made by function calls.
    pub slots: Vec<Slot>,
    /// Databases made.
    pub databases: Vec<Spanned<String>>,
    /// `\connect DATABASE`: grants behind it are made in that database.
    pub connects: Vec<Spanned<String>>,
    open: bool,
}

impl Sql {
    /// Whether a template decides what some of the statements do: roles may have more or fewer attributes than is known.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// The roles that exist at the end or are mentioned by an `ALTER ROLE`, by name.
    #[must_use]
    pub const fn roles(&self) -> &BTreeMap<String, RoleFacts> {
        &self.roles
    }

    /// The bytes of passwords that hold at the end.
    #[must_use]
    pub fn secret_spans(&self) -> Vec<Span> {
        self.roles.values().filter_map(|r| r.password.as_ref()).map(|p| p.span).collect()
    }

    /// The memberships that hold at the end.
    #[must_use]
    pub fn memberships(&self) -> &[Membership] {
        &self.memberships
    }

    /// `GRANT` and `REVOKE` of `EXECUTE`, in order.
    #[must_use]
    pub fn function_grants(&self) -> &[FunctionGrant] {
        &self.function_grants
    }

    /// The roles whose rights a role has without `SET ROLE`, itself among them. `INHERIT` is what counts, as before
    /// PostgreSQL 16 and by default since.
    #[must_use]
    pub fn inherited(&self, role: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::from([role.to_owned()]);
        let mut open = vec![role.to_owned()];
        while let Some(member) = open.pop() {
            if self.roles.get(&member).is_some_and(|r| !r.has(Attribute::Inherit)) {
                continue;
            }
            for m in self.memberships.iter().filter(|m| m.member.value == member) {
                if m.inherit.unwrap_or(true) && all.insert(m.role.value.clone()) {
                    open.push(m.role.value.clone());
                }
            }
        }
        all
    }

    /// The grant by which a role may execute a function, written as `name(type, type)` with the names of types that
    /// PostgreSQL prints; `None` when the script grants it nothing. Superusers need none.
    #[must_use]
    pub fn execute_grant(&self, role: &str, signature: &str) -> Option<&FunctionGrant> {
        let mut holders = self.inherited(role);
        holders.insert("public".to_owned());
        holders.iter().find_map(|holder| {
            let last = self.function_grants.iter().rev().find(|g| g.role.value == *holder && g.covers(signature));
            last.filter(|g| g.granted)
        })
    }
}

/// Whether a text holds a statement that [`parse`] would learn something from. Cheap, for choosing files.
#[must_use]
pub fn looks_like_role_sql(text: &str) -> bool {
    const SECOND: [&str; 4] = ["role", "user", "group", "system"];
    let mut before = "";
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).any(|word| {
        let verb = ["create", "alter", "drop"].iter().any(|v| before.eq_ignore_ascii_case(v));
        before = word;
        (verb && SECOND.iter().any(|s| word.eq_ignore_ascii_case(s)))
            || ["grant", "pg_create_physical_replication_slot", "pg_create_logical_replication_slot"]
                .iter()
                .any(|w| word.eq_ignore_ascii_case(w))
    })
}

/// Reads a script.
#[must_use]
pub fn parse(source: &Source) -> Parsed<Sql> {
    let script = split::split(source);
    let mut reader = read::Reader::new(script.variables);
    reader.sql.connects = script.connects;
    reader.problems = script.problems;
    reader.problems.extend(template::problem(source));
    reader.sql.open = source.template().is_some_and(|t| !t.insertions.is_empty());
    let mut behind = 0;
    let starts: Vec<usize> = script.statements.iter().map(|(start, _)| *start).collect();
    for (index, (start, end)) in script.statements.into_iter().enumerate() {
        if is_filled_in(source, start..end) {
            reader.sql.open = true;
            behind = end;
            continue;
        }
        let said = reader.problems.len();
        reader.statement(&script.text[start..end], &read::Place::exact(source, start));
        // A variable may stand for any name, and for any words; what a template puts in front may be the beginning of it.
        let has_variable = script.bare.iter().any(|at| (start..end).contains(at));
        reader.sql.open |= has_variable;
        // So may what it puts behind be the end.
        let next = starts.get(index + 1).copied().unwrap_or(source.bytes().len());
        let ends = source.plain()[end..next].trim_ascii_start().starts_with(b";");
        let goes_on = !ends && source.template().is_some_and(|t| t.has_insertion(&(end..next)));
        if has_variable || goes_on || source.template().is_some_and(|t| t.has_insertion(&(behind..start))) {
            reader.problems.truncate(said);
        }
        behind = end;
    }
    drop_consequences(source, &mut reader.problems);
    Parsed { tree: reader.sql, problems: reader.problems }
}

/// A quote that does not end was begun by what a template puts in front of it, as far as anybody can tell: then nothing behind that
/// is certain.
fn drop_consequences(source: &Source, problems: &mut Vec<Problem>) {
    let Some(template) = source.template() else { return };
    let places = [template.insertions.first().map(|i| i.range.start), template.holes.first().map(|h| h.start)];
    let Some(first) = places.into_iter().flatten().min() else { return };
    let first = memchr::memrchr(b'\n', &source.plain()[..first]).map_or(0, |n| n + 1);
    let is_behind = |p: &Problem| p.rule == SYNTAX && p.at.range().start >= first;
    if problems.iter().any(|p| is_behind(p) && p.args.iter().any(|(_, text)| text.starts_with("unterminated"))) {
        problems.retain(|p| !is_behind(p));
    }
}

/// Whether a template decides what a statement does: a placeholder inside of a string, such as a password, does not.
fn is_filled_in(source: &Source, range: Range<usize>) -> bool {
    let Some(template) = source.template() else { return false };
    let in_string = |at: usize| memchr::memchr_iter(b'\'', &source.plain()[range.start..at]).count() % 2 == 1;
    let holes = template.holes_in(&range);
    template.has_insertion(&range)
        || template.has_border(&range)
        || holes.len() > MOST_HOLES
        || holes.iter().any(|h| !in_string(h.start.max(range.start)))
}

/// Placeholders of one statement that are looked at one by one.
const MOST_HOLES: usize = 64;

/// The name of the rule for anything PostgreSQL or psql refuses to read.
const SYNTAX: &str = "sql-syntax-error";

fn syntax(at: Span, problem: impl Into<String>) -> Problem {
    Problem::new(SYNTAX, at).arg("problem", problem)
}
