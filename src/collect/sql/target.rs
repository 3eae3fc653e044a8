//! Where and how to connect: the options of a connection, checked as libpq checks them (`pqConnectOptions2`).

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::options::{self, Options};
use super::password::Passwords;
use super::tls::TlsOptions;
use crate::parse::pgpass::Key;
use crate::secret::Secret;

/// A connection to be made.
#[derive(Debug, Clone)]
pub struct Target {
    /// The servers, to be tried in turn.
    pub servers: Vec<Server>,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// `options`, as given.
    pub options: Option<String>,
    /// `connect_timeout`, for each address.
    pub connect_timeout: Option<Duration>,
    /// `target_session_attrs`.
    pub wanted: Wanted,
    /// Encryption.
    pub tls: TlsOptions,
    /// `channel_binding`.
    pub channel_binding: ChannelBinding,
    /// `requirepeer`: whose process must be at the other end of a socket.
    pub require_peer: Option<String>,
    /// What the user should know, such as a password file that does not count.
    pub warnings: Vec<String>,
    /// All that must not be shown.
    pub(super) secrets: Vec<Secret>,
}

/// One server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where.
    pub place: Place,
    /// The port.
    pub port: u16,
    /// The password for it.
    pub password: Option<Secret>,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A name or address, and `hostaddr` when that says where to go instead.
    Host {
        /// What certificates must be for.
        name: Option<String>,
        /// Where to go.
        address: Option<IpAddr>,
    },
    /// The directory of a socket; an abstract one begins with `@`.
    Socket(String),
    /// The directories in which a socket is looked for when nothing was said.
    DefaultSocket(Vec<String>),
}

/// What the server must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Anything.
    Any,
    /// Not in recovery: `primary` and `read-write`.
    Primary,
    /// In recovery: `standby` and `read-only`.
    Standby,
    /// In recovery, or else anything.
    PreferStandby,
}

/// Whether SCRAM must be bound to the encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Not.
    Disable,
    /// Where it can be.
    Prefer,
    /// Always.
    Require,
}

impl Target {
    /// The target of a connection string (which may be empty) in its surroundings.
    ///
    /// # Errors
    /// What libpq would refuse and what we cannot honour, by keyword and without secrets.
    pub fn new(dsn: &str, env: &Environment) -> Result<Self, String> {
        let options = options::settle(dsn, env)?;
        refuse_what_cannot_be_honoured(&options)?;
        let user = options.get("user").or(env.user.as_deref());
        let user = user.ok_or("no user is given, and who we are cannot be found out")?.to_owned();
        let database = options.get("dbname").unwrap_or(&user).to_owned();
        let mut warnings = Vec::new();
        let mut servers = servers(&options, env)?;
        let given = options.get("password").map(Secret::new);
        if given.is_none() {
            let file = options.get("passfile").map(PathBuf::from).or_else(|| env.home_file(".pgpass"));
            let passwords = Passwords::read(file.as_deref(), &mut warnings);
            for server in &mut servers {
                let host = server.place.in_pgpass(env);
                let key = Key { host: &host, port: &server.port.to_string(), database: &database, user: &user };
                server.password = passwords.get(key);
            }
        } else {
            for server in &mut servers {
                server.password.clone_from(&given);
            }
        }
        let secrets =
            options.secrets().map(Secret::new).chain(servers.iter().filter_map(|s| s.password.clone())).collect();
        Ok(Self {
            servers,
            user,
            database,
            options: options.get("options").map(str::to_owned),
            connect_timeout: connect_timeout(&options)?,
            wanted: wanted(&options)?,
            tls: TlsOptions::new(&options, env)?,
            channel_binding: channel_binding(&options)?,
            require_peer: options.get("requirepeer").map(str::to_owned),
            warnings,
            secrets,
        })
    }

    /// A text with the secrets of this target replaced.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut secrets: Vec<&str> = self.secrets.iter().map(Secret::reveal).filter(|s| !s.is_empty()).collect();
        // A secret that another one begins with comes later.
        secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

impl Place {
    fn in_pgpass(&self, env: &Environment) -> String {
        match self {
            Self::Host { name: Some(name), .. } => name.clone(),
            Self::Host { address, .. } => address.map_or_else(|| "localhost".to_owned(), |a| a.to_string()),
            Self::Socket(dir) if !env.socket_dirs.contains(dir) => dir.clone(),
            Self::Socket(_) | Self::DefaultSocket(_) => "localhost".to_owned(),
        }
    }

    /// The name that a certificate must be for.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Host { name, .. } => name.as_deref(),
            Self::Socket(_) | Self::DefaultSocket(_) => None,
        }
    }

    fn new(host: &str, address: &str, env: &Environment) -> Result<Self, String> {
        if !address.is_empty() {
            let parsed =
                address.parse().map_err(|_| format!("could not parse network address \"{address}\" (hostaddr)"))?;
            return Ok(Self::Host { name: Some(host.to_owned()).filter(|h| !h.is_empty()), address: Some(parsed) });
        }
        Ok(match host {
            "" => Self::DefaultSocket(env.socket_dirs.clone()),
            _ if host.starts_with(['/', '@']) => Self::Socket(host.to_owned()),
            _ => Self::Host { name: Some(host.to_owned()), address: None },
        })
    }
}

/// The servers of `host`, `hostaddr` and `port`.
fn servers(options: &Options, env: &Environment) -> Result<Vec<Server>, String> {
    let list = |keyword| options.get(keyword).map(|v| v.split(',').collect::<Vec<_>>());
    let (hosts, addresses) = (list("host"), list("hostaddr"));
    let n = addresses.as_ref().or(hosts.as_ref()).map_or(1, Vec::len);
    let hosts = hosts.unwrap_or_else(|| vec![""; n]);
    if hosts.len() != n {
        return Err(format!("could not match {} host names to {n} hostaddr values", hosts.len()));
    }
    let addresses = addresses.unwrap_or_else(|| vec![""; n]);
    let mut ports = list("port").unwrap_or_else(|| vec![""]);
    if ports.len() == 1 {
        ports = vec![ports[0]; n];
    }
    if ports.len() != n {
        return Err(format!("could not match {} port numbers to {n} hosts", ports.len()));
    }
    let each = hosts.iter().zip(addresses).zip(ports);
    each.map(|((host, address), port)| {
        Ok(Server { place: Place::new(host, address, env)?, port: read_port(port)?, password: None })
    })
    .collect()
}

/// An integer as `parse_int_param` reads it.
fn integer(text: &str) -> Option<i32> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    text.parse().ok()
}

fn read_port(text: &str) -> Result<u16, String> {
    if text.is_empty() {
        return Ok(5432);
    }
    let number =
        integer(text).ok_or_else(|| format!("invalid integer value \"{text}\" for connection option \"port\""))?;
    u16::try_from(number).ok().filter(|p| *p > 0).ok_or_else(|| format!("invalid port number: \"{text}\""))
}

fn connect_timeout(options: &Options) -> Result<Option<Duration>, String> {
    let Some(text) = options.get("connect_timeout") else { return Ok(None) };
    let bad = || format!("invalid integer value \"{text}\" for connection option \"connect_timeout\"");
    let seconds = integer(text).ok_or_else(bad)?;
    Ok(u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs))
}

/// An option that has one of some values. A value that is set to nothing is none of them, as in libpq.
pub(super) fn one_of<'a>(options: &'a Options, keyword: &str, values: &[&'a str]) -> Result<Option<&'a str>, String> {
    match options.written(keyword) {
        Some(value) if !values.contains(&value) => Err(format!("invalid {keyword} value: \"{value}\"")),
        value => Ok(value),
    }
}

fn wanted(options: &Options) -> Result<Wanted, String> {
    let values = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];
    Ok(match one_of(options, "target_session_attrs", &values)? {
        Some("read-write" | "primary") => Wanted::Primary,
        Some("read-only" | "standby") => Wanted::Standby,
        Some("prefer-standby") => Wanted::PreferStandby,
        _ => Wanted::Any,
    })
}

fn channel_binding(options: &Options) -> Result<ChannelBinding, String> {
    Ok(match one_of(options, "channel_binding", &["disable", "prefer", "require"])? {
        Some("disable") => ChannelBinding::Disable,
        Some("require") => ChannelBinding::Require,
        _ => ChannelBinding::Prefer,
    })
}

/// Options that would make a connection safer or other than ours can be are errors; those that only tune one are passed over.
fn refuse_what_cannot_be_honoured(options: &Options) -> Result<(), String> {
    let unsupported = |keyword: &str, why: &str| Err(format!("{keyword} is not supported here: {why}"));
    if one_of(options, "gssencmode", &["disable", "prefer", "require"])? == Some("require") {
        return unsupported("gssencmode=require", "connections are encrypted with TLS only");
    }
    if options.get("require_auth").is_some() {
        return unsupported(
            "require_auth",
            "how the server lets us in cannot be chosen; channel_binding=require demands SCRAM",
        );
    }
    one_of(options, "load_balance_hosts", &["disable", "random"])?;
    for keyword in ["min_protocol_version", "max_protocol_version"] {
        let value = options.get(keyword).map_or(Ok(None), |_| one_of(options, keyword, &["3.0", "3.2", "latest"]))?;
        if keyword == "min_protocol_version" && value.is_some_and(|v| v != "3.0") {
            return unsupported(keyword, "version 3.0 of the protocol is spoken");
        }
    }
    for keyword in ["scram_client_key", "scram_server_key"] {
        if options.get(keyword).is_some() {
            return unsupported(keyword, "give a password or a password file");
        }
    }
    if options
        .get("replication")
        .is_some_and(|v| !["0", "off", "false", "no"].contains(&v.to_ascii_lowercase().as_str()))
    {
        return unsupported("replication", "a replication connection answers no questions");
    }
    for keyword in ["keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"] {
        if let Some(text) = options.get(keyword)
            && integer(text).is_none()
        {
            return Err(format!("invalid integer value \"{text}\" for connection option \"{keyword}\""));
        }
    }
    Ok(())
}

impl Server {
    /// Whether a connection to it can be encrypted.
    pub(super) const fn is_socket(&self) -> bool {
        matches!(self.place, Place::Socket(_) | Place::DefaultSocket(_))
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, Target};
    use crate::collect::sql::SslMode;

    fn target(dsn: &str) -> Result<Target, String> {
        Target::new(dsn, &Environment { user: Some("me".to_owned()), ..Environment::of_system() })
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_its_keyword() {
        for (dsn, keyword) in [
            ("gssencmode=require", "gssencmode"),
            ("require_auth=scram-sha-256", "require_auth"),
            ("min_protocol_version=3.2", "min_protocol_version"),
            ("scram_client_key=s3cret", "scram_client_key"),
            ("replication=database", "replication"),
            ("sslcertmode=require", "sslcertmode"),
            ("keepalives=s3cret1 keepalives=yes", "keepalives"),
            ("sslmode=prefer sslnegotiation=direct", "sslnegotiation"),
            ("sslmode=require sslrootcert=system", "sslrootcert"),
            ("ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "ssl_min_protocol_version"),
            ("ssl_max_protocol_version=TLSv1.1 ssl_min_protocol_version=TLSv1", "ssl_max_protocol_version"),
        ] {
            let said = target(dsn).expect_err(dsn);
            assert!(said.contains(keyword) && !said.contains("s3cret"), "{dsn}: {said}");
        }
        for fine in ["gssencmode=prefer", "replication=off", "keepalives=1 tcp_user_timeout=0", "client_encoding=auto"]
        {
            assert!(target(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn roots_of_the_system_mean_verify_full() {
        assert_eq!(target("sslrootcert=system").map(|t| t.tls.mode), Ok(SslMode::VerifyFull));
        assert_eq!(target("").map(|t| t.tls.mode), Ok(SslMode::Prefer));
    }

    #[test]
    fn secrets_are_masked_and_not_shown() {
        let target = target("host=a password=s3cret sslpassword=s3cret2").expect("a target");
        assert_eq!(target.mask("s3cret2 and s3cret"), "*** and ***");
        assert!(!format!("{target:?}").contains("s3cret"));
    }
}
