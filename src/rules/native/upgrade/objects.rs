//! What databases hold that `pg_upgrade` refuses to carry over (`check.c`).

use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap};
use crate::facts::nodes::Row;
use crate::rules::native::upgrade::{Upgraded, each_primary, listed};
use crate::rules::report::Report;
use crate::source::Span;

/// The major that changed what is inside of an `aclitem`.
const OTHER_ACLITEM: u16 = 16;

/// The major that knows no operators behind their operand any more.
const NO_POSTFIX: u16 = 14;

/// One kind of what is refused.
#[derive(Default)]
struct Refused {
    what: &'static str,
    said: &'static str,
    todo: &'static str,
    names: Vec<String>,
    at: Option<Span>,
}

impl Refused {
    const fn new(what: &'static str, said: &'static str, todo: &'static str) -> Self {
        Self { what, said, todo, names: Vec::new(), at: None }
    }

    fn add(&mut self, name: String, at: Span) {
        self.names.push(name);
        self.at.get_or_insert(at);
    }
}

/// `upgrade-incompatible-objects`
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_primary(facts, report, |on, report| {
        let mut all = of_server(on)?;
        let mut gap = None;
        let databases = &on.ready()?.databases;
        if databases.is_empty() {
            gap = Some(on.node.not_asked("what is in the databases"));
        }
        let mut inside = Inside::default();
        for database in databases.keys() {
            if let Err(why) = inside.look(on, database) {
                gap.get_or_insert(why);
            }
        }
        all.extend([inside.reg, inside.aclitem, inside.not_null, inside.postfix]);
        for refused in all {
            let Some(at) = refused.at else { continue };
            report.add(
                report
                    .problem(at)
                    .arg("member", &*on.node.name)
                    .arg("what", refused.what)
                    .arg("names", listed(&refused.names))
                    .arg("said", refused.said)
                    .arg("todo", refused.todo),
            );
        }
        gap.map_or(Ok(()), Err)
    });
    Ok(())
}

/// Databases that let nobody in, or that should not.
fn of_server(on: &Upgraded<'_>) -> Fact<Vec<Refused>> {
    let mut closed = Refused::new(
        "databases that let nobody in",
        "All non-template0 databases must allow connections",
        "drop them, or let sessions in until it is done: `ALTER DATABASE … ALLOW_CONNECTIONS true`",
    );
    let mut invalid = Refused::new(
        "databases whose DROP was interrupted",
        "cannot connect to invalid database",
        "finish it: `DROP DATABASE …`",
    );
    let mut template = Refused::new(
        "a template0 that lets sessions in",
        "template0 must not allow connections",
        "`ALTER DATABASE template0 ALLOW_CONNECTIONS false`",
    );
    for row in on.node.rows("databases")? {
        let name = row.get("datname").unwrap_or_default();
        let shown = format!("`{name}`");
        match (name, row.is("datallowconn")) {
            ("template0", true) => template.add(shown, row.at),
            ("template0", false) => {}
            (_, false) => closed.add(shown, row.at),
            _ if row.get("datconnlimit") == Some("-2") => invalid.add(shown, row.at),
            _ => {}
        }
    }
    Ok(vec![closed, invalid, template])
}

/// What is in databases.
struct Inside {
    reg: Refused,
    aclitem: Refused,
    not_null: Refused,
    postfix: Refused,
}

impl Default for Inside {
    fn default() -> Self {
        let drop = "drop the columns, or change their type to text or oid";
        Self {
            reg: Refused::new(
                "columns whose values are numbers of system objects",
                "Your installation contains one of the reg* data types in user tables.",
                drop,
            ),
            aclitem: Refused::new(
                "columns of type aclitem, which 16 stores in another way",
                "Your installation contains the \"aclitem\" data type in user tables.",
                drop,
            ),
            not_null: Refused::new(
                "columns that may be null where those of their parent table may not",
                "Your installation contains inconsistent NOT NULL constraints.",
                "`ALTER TABLE … ALTER … SET NOT NULL`",
            ),
            postfix: Refused::new(
                "operators that stand behind their operand",
                "Your installation contains user-defined postfix operators",
                "drop them, and use functions",
            ),
        }
    }
}

impl Inside {
    fn look(&mut self, on: &Upgraded<'_>, database: &str) -> Fact<()> {
        let major = on.major()?;
        for row in rows(on, database, "upgrade_columns")? {
            let name = column(row, database);
            if row.get("type") != Some("aclitem") {
                self.reg.add(format!("{name} ({})", row.get("type").unwrap_or_default()), row.at);
            } else if major < OTHER_ACLITEM && on.to >= OTHER_ACLITEM {
                self.aclitem.add(name, row.at);
            }
        }
        if major < 18 {
            for row in rows(on, database, "upgrade_not_null")? {
                self.not_null.add(column(row, database), row.at);
            }
        }
        if major < NO_POSTFIX {
            for row in rows(on, database, "upgrade_operators")? {
                let text = |column: &str| row.get(column).unwrap_or_default();
                self.postfix.add(format!("`{}.{}` in {database}", text("schema"), text("operator")), row.at);
            }
        }
        Ok(())
    }
}

fn column(row: &Row, database: &str) -> String {
    let text = |column: &str| row.get(column).unwrap_or_default();
    format!("`{}.{}.{}` in {database}", text("schema"), text("relation"), text("column"))
}

fn rows<'a>(on: &Upgraded<'a>, database: &str, question: &str) -> Fact<&'a [Row]> {
    let missing = || on.node.not_asked(&format!("`{question}` of database `{database}`"));
    let answers = on.ready()?.databases.get(database).ok_or_else(missing)?.as_ref().map_err(Clone::clone)?;
    let rows = answers.get(question).ok_or_else(missing)?.as_ref().map_err(Clone::clone)?;
    Ok(rows)
}
