//! What a line of `pg_hba.conf` means depends on the server that reads it: its version, how it was built, three settings.

/// The PostgreSQL versions that are modelled, oldest first.
pub const SUPPORTED: [u16; 6] = [13, 14, 15, 16, 17, 18];

/// The server that will read the file.
#[expect(clippy::struct_excessive_bools, reason = "one per feature that a build may lack")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Major version; one of [`SUPPORTED`].
    pub version: u16,
    /// Built with OpenSSL.
    pub has_ssl: bool,
    /// Built with GSSAPI.
    pub has_gss: bool,
    /// Built with PAM.
    pub has_pam: bool,
    /// Built with LDAP.
    pub has_ldap: bool,
    /// Built with BSD authentication, which only OpenBSD has.
    pub has_bsd: bool,
    /// Built with SSPI, which only Windows has.
    pub has_sspi: bool,
    /// `ssl = on`? `None`: not known, and then no line is blamed for it.
    pub ssl: Option<bool>,
    /// The setting `oauth_validator_libraries`; `None`: not known, and then no line is blamed for it.
    pub oauth_validators: Option<String>,
    /// Names of network interfaces, for addresses such as `fe80::1%eth0`; `None`: not known, and then any name is taken
    /// for that of an interface.
    pub interfaces: Option<Vec<String>>,
    /// The names that the server's resolver knows, for `radiusservers`, which it looks up while it reads the file; `None`: not
    /// known, and then any name is taken to resolve.
    pub resolvable: Option<Vec<String>>,
}

impl Server {
    /// A server as Linux distributions package it (OpenSSL, GSSAPI, PAM and LDAP, but not BSD or SSPI), with its settings
    /// unknown.
    #[must_use]
    pub const fn packaged(version: u16) -> Self {
        Self {
            version,
            has_ssl: true,
            has_gss: true,
            has_pam: true,
            has_ldap: true,
            has_bsd: false,
            has_sspi: false,
            ssl: None,
            oauth_validators: None,
            interfaces: None,
            resolvable: None,
        }
    }

    /// `include`, `include_if_exists`, `include_dir`, and regular expressions for databases and roles.
    pub(crate) const fn has_includes(&self) -> bool {
        self.version >= 16
    }

    /// A backslash at the end of a line joins it with the next one.
    pub(crate) const fn has_continuation(&self) -> bool {
        self.version >= 14
    }

    /// The size of the buffer that one token must fit into.
    ///
    /// `MAX_TOKEN` in `hba.c`: 10240 since the minor releases of August 2023 (256 before), no limit from 16 on.
    pub(crate) const fn token_buffer(&self) -> Option<usize> {
        if self.version < 16 { Some(10_240) } else { None }
    }
}
