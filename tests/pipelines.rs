//! What the repository offers to pipelines, run as far as it can be run here: the pre-commit hooks by pre-commit itself, the
//! shell of the GitHub action and of the GitLab job in an environment like theirs.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::cases::copy;
use crate::support::{TempDir, path, pg};

const PROGRAM: &str = env!("CARGO_BIN_EXE_patroni-preflight");

fn tool(name: &str) -> PathBuf {
    let tool = pg::tools().join("py/bin").join(name);
    assert!(tool.exists(), "{} is missing: run `make setup`", tool.display());
    tool
}

/// Runs a program in an environment of its own: only what is named, and these directories before the usual ones in `PATH`.
fn run(program: &Path, args: &[&str], dir: &Path, before: &[&Path], env: &[(&str, &str)]) -> Output {
    let before: Vec<String> = before.iter().map(|p| p.display().to_string()).collect();
    let search = before.into_iter().chain(["/usr/bin:/bin".to_owned()]).collect::<Vec<_>>().join(":");
    let mut command = pg::command(program);
    command.args(args).current_dir(dir).env_clear().env("PATH", search).env("HOME", dir).stdin(Stdio::null());
    command.envs(env.iter().copied()).output().unwrap_or_else(|e| panic!("{}: {e}", program.display()))
}

fn bash(script: &str, dir: &Path, before: &[&Path], env: &[(&str, &str)]) -> Output {
    run(Path::new("/bin/bash"), &["--noprofile", "--norc", "-eo", "pipefail", "-c", script], dir, before, env)
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn ends(output: &Output, code: i32) -> String {
    let words = words(output);
    assert_eq!(output.status.code(), Some(code), "{words}");
    words
}

/// A directory with a script under some name.
fn fake(dir: &TempDir, name: &str, script: &str) {
    let file = dir.write(name, script);
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A directory with the program alone.
fn program_dir() -> TempDir {
    let dir = TempDir::new("program");
    std::os::unix::fs::symlink(PROGRAM, dir.0.join("patroni-preflight")).unwrap();
    dir
}

fn yaml(file: &str) -> serde_yaml::Value {
    serde_yaml::from_str(&std::fs::read_to_string(path(file)).unwrap()).unwrap()
}

/// A path in a form for `run`.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_definitions_are_valid() {
    let checks = [
        ("check-jsonschema", vec!["--builtin-schema", "vendor.github-actions", "action.yml"]),
        ("check-jsonschema", vec!["--builtin-schema", "vendor.gitlab-ci", "ci/gitlab.yml"]),
        ("pre-commit", vec!["validate-manifest", ".pre-commit-hooks.yaml"]),
    ];
    for (name, args) in checks {
        let output = run(&tool(name), &args, &path(""), &[], &[("HOME", "/nonexistent")]);
        ends(&output, 0);
        // The validators do fail on what is wrong.
        let dir = TempDir::new("wrong");
        let wrong = dir.write("wrong.yml", "name: 1\njob: {script: 1, stage: {}}\n");
        let mut args = args;
        *args.last_mut().unwrap() = text(&wrong);
        ends(&run(&tool(name), &args, &dir.0, &[], &[]), 1);
    }
}

/// A git repository with everything committed.
fn commit_all(dir: &Path) -> String {
    let git = |args: &str| {
        let script = format!("git -c user.name=t -c user.email=t@example.org -c init.defaultBranch=main {args}");
        ends(&bash(&script, dir, &[], &[]), 0)
    };
    git("init --quiet");
    git("add --all");
    git("commit --quiet --message x");
    git("rev-parse HEAD").trim().to_owned()
}

/// Runs a hook over the demo cluster, and over one that is healthy.
fn hook_finds(id: &str, before: &[&Path]) {
    let hooks = TempDir::new("hooks");
    std::fs::copy(path(".pre-commit-hooks.yaml"), hooks.0.join(".pre-commit-hooks.yaml")).unwrap();
    hooks.write("Cargo.toml", "[package]\nname = \"patroni-preflight\"\nversion = \"0.0.0\"\n");
    let revision = commit_all(&hooks.0);
    let cache = TempDir::new("pre-commit");
    for (cluster, code) in [("shop", 1), ("healthy-orders", 0)] {
        let user = TempDir::new("user");
        copy(&path("fixtures/clusters").join(cluster), &user.0);
        let config = format!("repos:\n- repo: {}\n  rev: {revision}\n  hooks: [{{id: {id}}}]\n", hooks.0.display());
        user.write(".pre-commit-config.yaml", config);
        commit_all(&user.0);
        let env = [("PRE_COMMIT_HOME", text(&cache.0)), ("PRE_COMMIT_COLOR", "never")];
        let output = run(&tool("pre-commit"), &["run", "--all-files"], &user.0, before, &env);
        let words = ends(&output, code);
        assert!(!words.contains("no files to check"), "{words}");
        let found = words.contains("pg3/pg_hba.conf:5:49") && words.contains("exit 1, ");
        assert!(words.contains(if code == 0 { "Passed" } else { "Failed" }) && found == (code == 1), "{words}");
        // A change to something else does not start it.
        user.write("notes.txt", "x\n");
        let output = run(&tool("pre-commit"), &["run", "--files", "notes.txt"], &user.0, before, &env);
        assert!(ends(&output, 0).contains("no files to check"));
    }
}

#[test]
fn the_hook_for_an_installed_program_is_run_by_pre_commit() {
    hook_finds("patroni-preflight-system", &[&program_dir().0]);
}

/// The build itself takes minutes, so cargo is one that only notes what it is asked and hands over the program.
#[test]
fn the_hook_that_builds_is_run_by_pre_commit() {
    let cargo = TempDir::new("cargo");
    let log = cargo.0.join("log");
    fake(
        &cargo,
        "cargo",
        &format!(
            "#!/bin/bash\nset -eu\necho \"$@\" >>{}\n[[ $1 == install ]] || exit 0\nwhile [[ $1 != --root ]]; do shift; done\nmkdir -p \"$2/bin\"\ncp {PROGRAM} \"$2/bin/\"\n",
            log.display()
        ),
    );
    fake(&cargo, "rustc", "#!/bin/bash\nexit 0\n");
    hook_finds("patroni-preflight", &[&cargo.0]);
    let asked = std::fs::read_to_string(log).unwrap();
    assert!(asked.lines().any(|l| l.starts_with("install ") && l.contains("--path .")), "{asked}");
}

/// A step of the action.
struct Step {
    name: String,
    script: String,
    env: Vec<(String, String)>,
}

/// The steps of the action with their scripts, and their environment with expressions replaced.
fn action_steps(known: &BTreeMap<&str, String>) -> Vec<Step> {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    let scripts = steps.iter().filter(|s| s.get("run").is_some()).map(|step| {
        let script = step["run"].as_str().unwrap().to_owned();
        assert!(!script.contains("${{"), "an input in a script is code: {script}");
        assert_eq!(step["shell"].as_str(), Some("bash"));
        let env = step["env"].as_mapping().unwrap().iter().map(|(k, v)| {
            let mut value = v.as_str().unwrap().to_owned();
            for (name, replacement) in known {
                value = value.replace(&format!("${{{{ {name} }}}}"), replacement);
            }
            assert!(!value.contains("${{"), "nothing is known of {value}");
            (k.as_str().unwrap().to_owned(), value)
        });
        Step { name: step["name"].as_str().unwrap().to_owned(), script, env: env.collect() }
    });
    scripts.collect()
}

#[test]
fn the_steps_of_the_action_report_and_then_fail() {
    let temp = TempDir::new("runner");
    for file in ["path", "output", "summary"] {
        temp.write(file, "");
    }
    std::fs::create_dir(temp.0.join("patroni-preflight")).unwrap();
    // Not by this process: what it has open for writing its other threads hand on to their children, and such a program cannot be started.
    assert!(pg::command("cp").arg(PROGRAM).arg(temp.0.join("patroni-preflight")).status().unwrap().success());
    let workspace = TempDir::new("workspace");
    copy(&path("fixtures/clusters/shop"), &workspace.0);
    let file = |name: &str| temp.0.join(name).display().to_string();
    let read = |name: &str| std::fs::read_to_string(temp.0.join(name)).unwrap();
    let mut known: BTreeMap<&str, String> = [
        ("github.action_path", path("").display().to_string()),
        ("github.server_url", "https://example.org".to_owned()),
        ("github.action_repository", "o/r".to_owned()),
        ("inputs.version", String::new()),
        ("inputs.paths", "pg1\n\npg3\n".to_owned()),
        ("inputs.args", "--fail-on=warning\n".to_owned()),
        ("inputs.sarif-file", "out.sarif".to_owned()),
        ("inputs.summary", "true".to_owned()),
    ]
    .into();
    known.insert("steps.lint.outputs.exit-code", "1".to_owned());
    let mut said = BTreeMap::new();
    for Step { name, script, env } in action_steps(&known) {
        let fixed = [("RUNNER_TEMP", text(&temp.0).to_owned()), ("GITHUB_PATH", file("path"))];
        let more = [("GITHUB_OUTPUT", file("output")), ("GITHUB_STEP_SUMMARY", file("summary"))];
        let fixed: Vec<(&str, String)> = fixed.into_iter().chain(more).collect();
        let env: Vec<(&str, &str)> = env
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .chain(fixed.iter().map(|(k, v)| (*k, v.as_str())))
            .collect();
        let added = read("path");
        let before: Vec<&Path> = added.lines().map(Path::new).collect();
        let output = bash(&script, &workspace.0, &before, &env);
        said.insert(name.clone(), ends(&output, i32::from(name == "Result")));
    }
    assert_eq!(said.keys().map(String::as_str).collect::<Vec<_>>(), ["Install", "Lint", "Result"]);
    assert_eq!(read("output"), "exit-code=1\n");
    assert!(said["Lint"].contains("::error file=pg3/pg_hba.conf,line=5,"), "{}", said["Lint"]);
    assert!(!said["Lint"].contains("pg2/"), "only what was asked for");
    assert!(read("summary").contains("### patroni-preflight"));
    let sarif: Value = serde_json::from_slice(&std::fs::read(workspace.0.join("out.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["exitCode"], 1);
}

#[test]
fn a_release_is_taken_only_with_the_right_sum() {
    let releases = TempDir::new("releases");
    let at = releases.0.join("v1.2.3");
    std::fs::create_dir_all(at.join("x")).unwrap();
    releases.write("v1.2.3/x/patroni-preflight", "#!/bin/sh\necho released\n");
    let machine = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };
    let archive = format!("patroni-preflight-{machine}-unknown-linux-gnu.tar.gz");
    let pack = format!("tar -czf {archive} x && sha256sum {archive} >{archive}.sha256");
    ends(&bash(&pack, &at, &[], &[]), 0);
    let tools = TempDir::new("curl");
    // The last argument of curl is the address, and the one behind --output the file.
    fake(
        &tools,
        "curl",
        "#!/bin/bash\nset -eu\nurl=${!#}\nwhile [[ $1 != --output ]]; do shift; done\ncp \"${url#file://}\" \"$2\"\n",
    );
    let install = |env: &[(&str, &str)]| {
        let bin = TempDir::new("bin");
        let base = format!("file://{}", releases.0.display());
        let mut all = vec![("PREFLIGHT_RELEASES", base.as_str())];
        all.extend(env);
        let output = run(&path("ci/install.sh"), &[text(&bin.0)], &releases.0, &[&tools.0], &all);
        (output, bin)
    };
    for version in ["1.2.3", "v1.2.3"] {
        let (output, bin) = install(&[("PREFLIGHT_VERSION", version)]);
        ends(&output, 0);
        let program = run(&bin.0.join("patroni-preflight"), &[], &bin.0, &[], &[]);
        assert_eq!(words(&program), "released\n");
    }
    let other = "0".repeat(64);
    for env in [
        &[("PREFLIGHT_VERSION", "1.2.3"), ("PREFLIGHT_SHA256", other.as_str())][..],
        &[("PREFLIGHT_VERSION", "9.9")],
        &[("PREFLIGHT_VERSION", "1/../../x")],
        &[],
    ] {
        let (output, bin) = install(env);
        ends(&output, 2);
        assert!(!bin.0.join("patroni-preflight").exists());
    }
}

/// Both parts of the job of GitLab, as one script.
fn gitlab_script() -> String {
    let job = &yaml("ci/gitlab.yml")["patroni-preflight"];
    let part = |name: &str| job[name].as_sequence().unwrap().iter().map(|l| l.as_str().unwrap().to_owned());
    part("before_script").chain(part("script")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_job_of_gitlab_leaves_both_reports() {
    let work = TempDir::new("gitlab");
    copy(&path("fixtures/clusters/shop"), &work.0);
    let env = [("PREFLIGHT_PATHS", "pg1 pg3"), ("PREFLIGHT_ARGS", "--format short")];
    let output = bash(&gitlab_script(), &work.0, &[&program_dir().0], &env);
    assert!(ends(&output, 1).contains("pg3/pg_hba.conf:5:49: error"));
    let issues: Value =
        serde_json::from_slice(&std::fs::read(work.0.join("gl-code-quality-report.json")).unwrap()).unwrap();
    assert!(issues.as_array().unwrap().len() > 5);
    assert!(std::fs::read_to_string(work.0.join("patroni-preflight.xml")).unwrap().contains("<failure "));
    let job = &yaml("ci/gitlab.yml")["patroni-preflight"]["artifacts"];
    assert_eq!(job["reports"]["codequality"].as_str(), Some("gl-code-quality-report.json"));
    assert_eq!(job["reports"]["junit"].as_str(), Some("patroni-preflight.xml"));
}

#[test]
fn the_job_of_gitlab_fetches_what_is_not_there() {
    let work = TempDir::new("gitlab-fetch");
    let source = TempDir::new("gitlab-source");
    source.write("x/patroni-preflight", "#!/bin/sh\necho fetched \"$@\"\n");
    ends(
        &bash("chmod 755 x/* && tar -czf a.tar.gz x && sha256sum a.tar.gz | cut -d' ' -f1 >sum", &source.0, &[], &[]),
        0,
    );
    let tools = TempDir::new("gitlab-curl");
    fake(
        &tools,
        "curl",
        "#!/bin/bash\nset -eu\nurl=${!#}\nwhile [[ $1 != --output ]]; do shift; done\ncp \"${url#file://}\" \"$2\"\n",
    );
    let archive = format!("file://{}/a.tar.gz", source.0.display());
    let sum = std::fs::read_to_string(source.0.join("sum")).unwrap();
    let with = |sum: &str| {
        let env = [
            ("PREFLIGHT_PATHS", "."),
            ("PREFLIGHT_ARGS", ""),
            ("PREFLIGHT_ARCHIVE", archive.as_str()),
            ("PREFLIGHT_SHA256", sum),
        ];
        bash(&gitlab_script(), &work.0, &[&tools.0], &env)
    };
    assert!(ends(&with(sum.trim()), 0).starts_with("fetched lint --output gitlab=gl-code-quality-report.json"));
    ends(&with(&"0".repeat(64)), 2);
    ends(&with(""), 2);
}
