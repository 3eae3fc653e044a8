//! What `predict` says of the members of a site, for tests that let it happen then.

use serde_json::Value as Json;

use super::pg;
use super::site::{OPERATOR, Site};

/// What was said of all members, before Patroni is started.
#[derive(Debug)]
pub(crate) struct Predicted(Json);

impl Predicted {
    /// Asks for it on the operator's host, with ways to the hosts and servers of all members.
    ///
    /// # Panics
    /// When the answer is no prediction of each member.
    pub(crate) fn of(site: &Site) -> Self {
        let files: Vec<String> = site.members().iter().map(|m| format!("/etc/patroni/{m}.yml")).collect();
        let ssh: Vec<String> = site.members().iter().map(|m| format!("{m}={m}")).collect();
        let dsns: Vec<String> =
            site.members().iter().map(|m| format!("{m}={}", site.dsn(m, "dba", "postgres"))).collect();
        let mut args = vec!["predict", "--format", "json"];
        args.extend(files.iter().map(String::as_str));
        args.extend(ssh.iter().flat_map(|s| ["--ssh", s.as_str()]));
        args.extend(dsns.iter().flat_map(|s| ["--dsn", s.as_str()]));
        let ran = site.preflight(&args);
        let json: Json = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
        let said = Self(json);
        site.members().iter().for_each(|m| assert!(said.member(m).is_object()));
        let text = said.0.to_string();
        for secret in ["superuser-pw", "replication-pw", "rewind-pw", "standby-pw", "dba-pw", "restapi-pw"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        said
    }

    /// From what was printed.
    pub(crate) const fn new(said: Json) -> Self {
        Self(said)
    }

    /// Of one member.
    ///
    /// # Panics
    /// When nothing is said of it.
    pub(crate) fn member(&self, name: &str) -> &Json {
        let members = self.0["members"].as_array().expect("members");
        members.iter().find(|m| m["name"] == name).unwrap_or_else(|| panic!("nothing of {name}: {}", self.0))
    }

    /// A list that is known.
    ///
    /// # Panics
    /// When it is not known.
    pub(crate) fn known(&self, member: &str, what: &str) -> &[Json] {
        let found = &self.member(member)[what];
        let list = found["known"].as_array().or_else(|| found.as_array());
        list.unwrap_or_else(|| panic!("{what} of {member}: {found}"))
    }
}

/// A text of an object.
pub(crate) fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

/// Changes each member's file of Patroni, there and where the operator has it.
pub(crate) fn edit_all(site: &Site, from: &str, to: &str) {
    for member in site.members() {
        for host in [member, OPERATOR] {
            site.replace(host, &format!("/etc/patroni/{member}.yml"), from, to);
        }
    }
}

/// Puts another release of Patroni in the place of the newest on all members.
pub(crate) fn install(site: &Site, version: &str) {
    let tools = pg::tools();
    let source = tools.join("patroni-src").join(version);
    assert!(source.join("patroni/__init__.py").exists(), "{}: run `make setup`", source.display());
    let python = tools.join("py/bin/python");
    // `patronictl` stays as it is: that of older releases wants other packages.
    let text = format!(
        "#!{}\nimport sys\nsys.path.insert(0, '{}')\nfrom patroni.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n",
        python.display(),
        source.display()
    );
    for member in site.members() {
        site.sh(member, "rm -f /usr/bin/patroni");
        site.write(member, "/usr/bin/patroni", &text);
        site.sh(member, "chmod 0755 /usr/bin/patroni");
    }
    for member in site.members() {
        let said = site.must(member, "postgres", &["patroni", "--version"]);
        assert_eq!(said.trim(), format!("patroni {version}"));
    }
}
