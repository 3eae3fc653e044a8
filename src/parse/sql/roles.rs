//! What a script says about one role (`CREATE ROLE`, `ALTER ROLE`; `src/backend/commands/user.c`).

use std::collections::BTreeMap;

use crate::secret::Secret;
use crate::source::{Span, Spanned};

/// A yes-or-no property of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// `SUPERUSER`
    Superuser,
    /// `INHERIT`
    Inherit,
    /// `CREATEROLE`
    CreateRole,
    /// `CREATEDB`
    CreateDb,
    /// `LOGIN`
    Login,
    /// `REPLICATION`
    Replication,
    /// `BYPASSRLS`
    BypassRls,
}

impl Attribute {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Superuser,
        Self::Inherit,
        Self::CreateRole,
        Self::CreateDb,
        Self::Login,
        Self::Replication,
        Self::BypassRls,
    ];

    /// The attribute of an option, by the name that the grammar gives it.
    pub(super) fn of_option(name: &str) -> Option<Self> {
        Some(match name {
            "superuser" => Self::Superuser,
            "inherit" => Self::Inherit,
            "createrole" => Self::CreateRole,
            "createdb" => Self::CreateDb,
            "canlogin" => Self::Login,
            "isreplication" => Self::Replication,
            "bypassrls" => Self::BypassRls,
            _ => return None,
        })
    }
}

/// A role at the end of a script. What is absent the script does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// Where it is made, if it is made here: the name in `CREATE ROLE`.
    pub created: Option<Span>,
    /// Where it is named first.
    pub named: Span,
    /// Its attributes; for a role that is made here all of them, a default with the place of the name.
    pub attributes: BTreeMap<Attribute, Spanned<bool>>,
    /// `CONNECTION LIMIT`, -1 for none.
    pub connection_limit: Option<Spanned<i32>>,
    /// `VALID UNTIL`, as it is written.
    pub valid_until: Option<Spanned<String>>,
    /// The password and the place of the literal; `None` inside for `PASSWORD NULL`. A psql variable is kept as `:name`.
    pub password: Option<Spanned<Option<Secret>>>,
}

impl RoleFacts {
    /// A role that exists elsewhere and is named here.
    pub(super) const fn elsewhere(named: Span) -> Self {
        Self {
            created: None,
            named,
            attributes: BTreeMap::new(),
            connection_limit: None,
            valid_until: None,
            password: None,
        }
    }

    /// A new role with the defaults of `CREATE ROLE`, or of `CREATE USER` when it may log in.
    pub(super) fn new(name: Span, login: bool) -> Self {
        let default = |a: Attribute| match a {
            Attribute::Inherit => true,
            Attribute::Login => login,
            _ => false,
        };
        Self {
            created: Some(name),
            attributes: Attribute::ALL.into_iter().map(|a| (a, Spanned::new(default(a), name))).collect(),
            connection_limit: Some(Spanned::new(-1, name)),
            ..Self::elsewhere(name)
        }
    }

    /// Whether the role has an attribute; for one the script does not speak of, whether a new role would.
    #[must_use]
    pub fn has(&self, attribute: Attribute) -> bool {
        self.attributes.get(&attribute).map_or(attribute == Attribute::Inherit, |a| a.value)
    }
}
