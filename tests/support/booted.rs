//! A Debian of its own with a systemd that is booted, with this machine's programs and a cluster that `pg_createcluster` has made. Needs
//! root, and what `make setup` brings: systemd-nspawn. All of it is gone when the value goes out of scope.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use super::TempDir;
use super::pg;
use super::site::Ran;

/// Prepares the tree and boots it as often as a line comes: `/usr` is the machine's and the set-up's tools are where they are, neither to
/// be written to, all else its own.
const SCRIPT: &str = r#"
set -eu
tree=$1 tools=$2
# What systemd-nspawn leaves in /run.
mount -t tmpfs tmpfs /run
mount --bind /usr "$tree/usr"
mount -o remount,bind,ro "$tree/usr"
for f in passwd group nsswitch.conf ld.so.cache ld.so.conf ld.so.conf.d postgresql-common perl alternatives; do
    [ ! -e "/etc/$f" ] || cp -a "/etc/$f" "$tree/etc/$f"
done
cp -L /etc/os-release "$tree/etc/os-release"
inside() {
    LD_LIBRARY_PATH=$tools/nspawn "$tools/nspawn/systemd-nspawn" --quiet --directory="$tree" --register=no --keep-unit --private-network \
        --link-journal=no --bind-ro="$tools" "$@" </dev/null 2>&1
}
chown postgres: "$tree/var/lib/postgresql" "$tree/var/lib/postgresql/15" "$tree/var/log/postgresql"
inside --console=pipe sh -c 'install -d -o postgres -g postgres -m 2775 /run/postgresql
    exec pg_createcluster --port 5432 --start-conf auto 15 main -- --no-sync' >"$tree.console"
echo ready
while read -r line; do
    inside --boot --console=read-only >>"$tree.console" || true
    echo down
done
"#;

/// See the module's text.
pub(crate) struct Booted {
    /// Its files, as they are reached from outside; `/usr` shows only to those who go by [`Booted::root`].
    tree: TempDir,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// Its first process, while it runs.
    systemd: Option<u32>,
}

impl Booted {
    /// Makes the tree; nothing runs in it yet.
    ///
    /// # Panics
    /// When it cannot be made here: no test passes without it.
    pub(crate) fn new() -> Self {
        let tree = TempDir::new("booted");
        for dir in
            ["usr", "root", "var/log/postgresql", "var/lib/postgresql/15", "etc/systemd/system/multi-user.target.wants"]
        {
            fs::create_dir_all(tree.0.join(dir)).expect("a directory");
        }
        for dir in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{dir}"), tree.0.join(dir)).expect("a link");
        }
        symlink("../run", tree.0.join("var/run")).expect("a link");
        tree.write("etc/hostname", "pg1\n");
        tree.write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
        // Without one it were the first boot, which asks questions.
        tree.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        let units = tree.0.join("etc/systemd/system");
        symlink("/lib/systemd/system/multi-user.target", units.join("default.target")).expect("a link");
        let parent = "multi-user.target.wants/postgresql.service";
        symlink("/lib/systemd/system/postgresql.service", units.join(parent)).expect("a link");
        let mut child = pg::command("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", SCRIPT, "sh"])
            .args([&tree.0, &pg::tools()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut booted = Self { tree, child, to, from, systemd: None };
        let ready = booted.line();
        assert_eq!(ready, "ready", "no Debian can be made here: run `make setup`, as root\n{}", booted.console());
        booted
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("a pipe");
        line.trim_end().to_owned()
    }

    /// What programs have said on its console.
    fn console(&self) -> String {
        fs::read_to_string(self.tree.0.with_extension("console")).unwrap_or_default()
    }

    /// Writes a file of its tree.
    pub(crate) fn write(&self, file: &str, text: &str) {
        self.tree.write(file, text);
    }

    /// Makes a link in its tree.
    pub(crate) fn link(&self, target: &str, file: &str) {
        symlink(target, self.tree.0.join(file)).expect("a link");
    }

    /// The tree with all that belongs to it, as it is when nothing runs.
    pub(crate) fn root(&self) -> PathBuf {
        let holder = children(self.child.id())[0];
        PathBuf::from(format!("/proc/{holder}/root{}", self.tree.0.display()))
    }

    /// What `systemctl --root` says of the tree.
    pub(crate) fn offline(&self, words: &[&str]) -> Ran {
        let holder = children(self.child.id())[0].to_string();
        let mut c = pg::command("nsenter");
        c.args(["-t", &holder, "-m", "systemctl"]).arg(format!("--root={}", self.tree.0.display())).args(words);
        c.output().expect("nsenter").into()
    }

    /// Boots it, and waits until all that is started at boot was started.
    ///
    /// # Panics
    /// When it does not come up; what it has said is in the message.
    pub(crate) fn boot(&mut self) {
        writeln!(self.to.as_mut().expect("a pipe"), "boot").expect("it listens");
        let since = Instant::now();
        loop {
            self.systemd = below(self.child.id()).into_iter().find(|pid| is_first_systemd(*pid));
            if self.systemd.is_some()
                && self.run(&["systemctl", "is-active", "multi-user.target"]).out.trim() == "active"
            {
                return;
            }
            let is_early = since.elapsed() < Duration::from_mins(1);
            assert!(is_early, "systemd-nspawn does not boot here:\n{}", self.console());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Shuts it down; its tree stays.
    pub(crate) fn power_off(&mut self) {
        let pid = self.systemd.take().expect("it runs").to_string();
        let killed = pg::command("kill").args(["-s", "RTMIN+4", &pid]).status().expect("kill");
        assert!(killed.success());
        assert_eq!(self.line(), "down");
    }

    /// The words that run others on it.
    pub(crate) fn way(&self) -> Vec<String> {
        let pid = self.systemd.expect("it runs").to_string();
        ["nsenter", "-t", &pid, "-a"].map(str::to_owned).to_vec()
    }

    /// Runs words on it as root.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let way = self.way();
        pg::command(&way[0]).args(&way[1..]).args(words).stdin(Stdio::null()).output().expect("nsenter").into()
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // The first process of its namespace ends with this one, and all others with that.
        self.to = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(self.tree.0.with_extension("console"));
    }
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|p| p.parse().ok()).collect()
}

fn below(pid: u32) -> Vec<u32> {
    children(pid).into_iter().flat_map(|c| [vec![c], below(c)].concat()).collect()
}

fn is_first_systemd(pid: u32) -> bool {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let is_first = read("status").lines().any(|l| l.starts_with("NSpid:") && l.ends_with("\t1"));
    is_first && read("comm").trim() == "systemd"
}
