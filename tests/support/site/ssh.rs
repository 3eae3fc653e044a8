//! The real ssh on the hosts of a site.

use super::{OPERATOR, Site};
use crate::support::pg::tools;

/// Where the keys and the configuration of both sides lie.
pub(crate) const SSH_HOME: &str = "/srv/ssh";

impl Site {
    /// Starts sshd on each member; the operator's key is that of root and of user postgres there. The command that is ssh on the operator's host,
    /// with the option that names its configuration.
    pub(crate) fn serve_ssh(&self) -> String {
        let programs = tools().join("ssh");
        assert!(programs.join("sshd").exists(), "{} is missing: run `make setup`", programs.display());
        let programs = programs.canonicalize().expect("a directory").display().to_string();
        let key = |host: &str, name: &str| {
            self.sh(
                host,
                &format!("mkdir -p {SSH_HOME} && {programs}/ssh-keygen -q -t ed25519 -N '' -f {SSH_HOME}/{name}"),
            );
            self.read(host, &format!("{SSH_HOME}/{name}.pub"))
        };
        let own = key(OPERATOR, "own");
        key(OPERATOR, "strange");
        let mut known = String::new();
        for member in self.members() {
            let of_host = key(member, "host");
            known.extend([member, " ", &of_host]);
            self.write(member, &format!("{SSH_HOME}/keys"), &own);
            let config = format!(
                "HostKey {SSH_HOME}/host\nAuthorizedKeysFile {SSH_HOME}/keys\nPasswordAuthentication no\nPidFile {SSH_HOME}/pid\nStrictModes no\n\
             PermitRootLogin prohibit-password\n"
            );
            self.write(member, &format!("{SSH_HOME}/sshd_config"), config);
            self.sh(member, &format!("chmod 0755 {SSH_HOME}; chmod 0644 {SSH_HOME}/keys; sed -i 's/^postgres:!*:/postgres:*:/' /etc/shadow"));
            // The package would make them. Who has no password at all is not let in without PAM.
            self.sh(member, "mkdir -p /run/sshd; grep -q ^sshd: /etc/passwd || echo sshd:x:990:65534::/run/sshd:/bin/false >> /etc/passwd");
            self.sh(
                member,
                &format!("LD_LIBRARY_PATH={programs} {programs}/sshd -f {SSH_HOME}/sshd_config -E {SSH_HOME}/log"),
            );
        }
        self.write(OPERATOR, &format!("{SSH_HOME}/known"), known);
        let config = format!(
            "IdentityFile {SSH_HOME}/own\nIdentitiesOnly yes\nUserKnownHostsFile {SSH_HOME}/known\nBatchMode yes\n"
        );
        self.write(OPERATOR, &format!("{SSH_HOME}/config"), config);
        format!("{programs}/ssh -F {SSH_HOME}/config")
    }
}
