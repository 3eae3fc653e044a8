//! Files inside of other files: their findings stand in the outer one, and what holds of files holds of them.

use patroni_preflight::cli::Format;
use patroni_preflight::run::Linted;

use crate::support::{TempDir, lint_dir, report};

const MANIFEST: &str = "# the manifest
apiVersion: v1
kind: ConfigMap
metadata: {name: billing}
data:
  patroni.yml: |
    bootstrap:
      dcs:
        ttl: 30
        tttl: 30
    postgresql:
      listen: 0.0.0.0:5432
      authentication:
        superuser: {username: postgres, password: hunter-one}
        rewind: {username: rewinder, passwrd: hunter-two}
  pg_hba.conf: |
    local all all peer
    # preflight: allow(hba-trust-for-other-hosts) a closed network
    host all all 192.0.2.0/24 trust
    # preflight: allow(hba-trust-for-other-hosts) nothing of that sort
    host all all 198.51.100.0/24 ldap ldapserver=ldap1 ldapbasedn=dc=x ldapbindpasswd=hunter-three
    host all all 203.0.113.0/24 trusted
";

fn lines(linted: &Linted) -> Vec<(String, usize, usize, String)> {
    let place = |f: &patroni_preflight::finding::Finding| {
        let source = linted.facts.sources.get(f.at.source);
        let (line, column) = source.position(f.at.start);
        (source.name().to_owned(), line, column, f.rule.to_string())
    };
    linted.outcome.findings.iter().map(place).collect()
}

#[test]
fn findings_stand_in_the_manifest_and_comments_there_count_once() {
    let temp = TempDir::new("embedded");
    temp.write("k8s/billing.yaml", MANIFEST);
    let linted = lint_dir(&temp.0, None);
    let found = lines(&linted);
    let at = |rule: &str| found.iter().filter(|f| f.3 == rule).map(|f| (f.0.as_str(), f.1, f.2)).collect::<Vec<_>>();
    assert_eq!(at("yaml-unknown-key"), [("k8s/billing.yaml", 10, 9)], "{found:?}");
    assert_eq!(at("hba-invalid-line"), [("k8s/billing.yaml", 22, 33)], "{found:?}");
    assert_eq!(at("unused-allow"), [("k8s/billing.yaml", 20, 24)], "{found:?}");
    assert_eq!(linted.outcome.allowed, 1);
    assert_eq!(linted.files.len(), 1, "it is one file");
    for format in [Format::Full, Format::Short, Format::Json, Format::Sarif, Format::Markdown] {
        let shown = report(&linted, format);
        assert!(!shown.contains("hunter") && shown.contains("k8s/billing.yaml"), "{shown}");
    }
}

#[test]
fn a_compose_file_shows_no_secret_and_a_file_it_names_is_no_environment_by_itself() {
    let temp = TempDir::new("compose");
    // A work tree of version control: the modes say nothing.
    std::fs::create_dir(temp.0.join(".git")).unwrap();
    let service = "services:\n  pg:\n    env_file: [pg.env]\n    environment:\n      - PATRONI_ETCD3_HOSTS=192.0.2.1:2379\n      \
                   - PATRONI_SUPERUSER_PASSWRD=hunter-four\n      - PATRONI_SCOP=x\n";
    temp.write("compose.yml", service);
    temp.write("pg.env", "PATRONI_ETCD3_USERNAME=patroni\nPATRONI_ETCD3_PASSWORD=hunter-five\n");
    let linted = lint_dir(&temp.0, None);
    let found = lines(&linted);
    let rules: Vec<(&str, usize)> = found.iter().map(|f| (f.3.as_str(), f.1)).collect();
    assert_eq!(rules, [("env-unknown-variable", 6), ("env-unknown-variable", 7)], "{found:?}");
    let shown = report(&linted, Format::Full);
    assert!(!shown.contains("hunter"), "{shown}");
}
