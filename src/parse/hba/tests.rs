//! Pins for what the view of a server cannot show: places, secrets, hints, lists of Patroni, several versions at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Meaning, OptionValue, Server, parse, parse_for_all, parse_lines, rows};
use crate::source::{ReadError, Reader, Source, SourceId, Span, Spanned};

/// A reader without files.
pub(crate) struct NoFiles;

impl Reader for NoFiles {
    fn read(&self, _: &Path) -> Result<Arc<Source>, ReadError> {
        Err(ReadError::Missing)
    }

    fn list(&self, _: &Path) -> Result<Vec<PathBuf>, ReadError> {
        Err(ReadError::Missing)
    }
}

fn source(text: &str) -> Source {
    Source::lone("pg_hba.conf", text)
}

#[test]
fn every_column_is_placed_also_behind_a_joint() {
    let s = source("# c\nhost \\\n  app,\"Joe\" all 10.0.0.0/8 scram-sha-256 # why\n");
    let hba = parse(&s, &NoFiles, 18).tree;
    let rule = &hba.rules[0];
    assert_eq!((rule.line, &*s.text(rule.kind.span)), (2, "host"));
    assert_eq!(s.text(rule.databases[1].span), "\"Joe\"");
    assert_eq!(s.text(rule.address.as_ref().expect("an address").span), "10.0.0.0/8");
    assert_eq!(s.text(rule.method.span), "scram-sha-256");
    assert_eq!(hba.comments().iter().map(|c| s.text(*c)).collect::<Vec<_>>(), ["# c", "# why"]);
}

#[test]
fn secrets_are_hidden_in_values_comments_and_broken_lines() {
    let text = "host all all all ldap ldapbasedn=x ldapbindpasswd=hunter2\n\
                # host all all all ldap ldapbindpasswd=\"hunter 3\" x\n\
                host all all all ldap ldapbasedn=x ldapbindpasswd=hunter 4you\n\
                host all all all radius radiusservers=::1 radiussecrets=\"hunter5\n";
    let s = source(text);
    let parsed = parse(&s, &NoFiles, 18);
    let OptionValue::Secret(secret) = &parsed.tree.rules[0].options[1].value else { panic!("a secret") };
    assert_eq!(secret.reveal(), "hunter2");
    let mut seen = s.bytes().to_vec();
    for span in parsed.tree.secret_spans() {
        seen[span.range()].fill(b'*');
    }
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(!seen.contains("hunter") && !seen.contains("4you"), "{seen}");
    let said = format!("{:?} {:?} {:?}", parsed.problems, parsed.tree, rows(&parsed.tree, false));
    assert!(!said.contains("hunter") && !said.contains("4you"), "{said}");
    assert_eq!(parsed.tree.unreadable[0].problem, "authentication option not in name=value format: ***");
}

#[test]
fn a_typing_error_gets_a_hint() {
    let notes = |text: &str, version| parse(&source(text), &NoFiles, version).problems[0].notes.clone();
    assert_eq!(notes("hostsll all all all trust", 18), ["did you mean `hostssl`?"]);
    assert_eq!(notes("local all all scram-sha256", 18), ["did you mean `scram-sha-256`?"]);
    assert_eq!(notes("local all all peer mapp=x", 18), ["did you mean `map`?"]);
    assert_eq!(notes("local all all oauth", 17), ["`oauth` is understood from PostgreSQL 18 on"]);
    assert_eq!(notes("include other.conf", 15), ["`include` lines are understood from PostgreSQL 16 on"]);
    assert!(notes("local all all nonsense", 18).is_empty());
}

#[test]
fn a_list_of_patroni_is_numbered_as_in_the_file_that_patroni_writes() {
    let span = |start, end| Span { source: SourceId::lone(), start, end };
    let items = [
        Spanned::new("local all all peer\nlocal x x trust".to_owned(), span(10, 20)),
        Spanned::new("host all all 10.0.0.0/99 md5".to_owned(), span(30, 40)),
    ];
    let parsed = parse_lines(&items, Path::new("/data/pg_hba.conf"), &NoFiles, &Server::packaged(16));
    assert_eq!(
        parsed.tree.rules.iter().map(|r| (r.line, r.span)).collect::<Vec<_>>(),
        [(3, span(10, 20)), (4, span(10, 20))]
    );
    assert_eq!((parsed.tree.unreadable[0].line, parsed.problems[0].at), (5, span(30, 40)));
}

#[test]
fn what_only_some_versions_say_is_marked() {
    let problems =
        parse_for_all(&source("include x\nlocal all all oauth\nlocal /x all peer\nhst\n"), &NoFiles, &[]).problems;
    let said: Vec<(String, String)> =
        problems.iter().map(|p| (p.args[0].1.clone(), p.notes.last().cloned().unwrap_or_default())).collect();
    let has = |what: &str, note: &str| said.iter().any(|(w, n)| w.contains(what) && n == note);
    assert!(has("invalid connection type \"include\"", "only in PostgreSQL 13 to 15"), "{said:?}");
    assert!(has("could not open file", "only in PostgreSQL 16 to 18"), "{said:?}");
    assert!(has("invalid authentication method \"oauth\"", "only in PostgreSQL 13 to 17"), "{said:?}");
    assert!(has("/x", "only in PostgreSQL 13 to 15"), "{said:?}");
    assert!(said.iter().any(|(w, n)| w.contains("\"hst\"") && !n.starts_with("only")), "{said:?}");
}

#[test]
fn a_quoted_pattern_is_a_pattern_and_a_quoted_keyword_is_a_name() {
    let hba = parse(&source("local \"all\",\"/^x\" \"+g\" trust"), &NoFiles, 16).tree;
    let meaning = |i: usize| &hba.rules[0].databases[i].value.meaning;
    assert_eq!(*meaning(0), Meaning::Name);
    assert!(matches!(meaning(1), Meaning::Regex(_)));
    assert_eq!(hba.rules[0].users[0].value.meaning, Meaning::Name);
}

#[test]
fn an_empty_file_lets_nobody_in() {
    let parsed = parse(&source("# nothing\n"), &NoFiles, 18);
    assert!(!parsed.tree.is_accepted());
    assert_eq!(parsed.problems[0].rule, "hba-no-rules");
}
