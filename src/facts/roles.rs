//! Who is a member of whom, as `pg_hba.conf` asks it.

use std::collections::{BTreeMap, BTreeSet};

/// The roles of a server and the memberships between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleGraph {
    /// Each role with the roles it is a direct member of.
    roles: BTreeMap<String, BTreeSet<String>>,
}

impl RoleGraph {
    /// Adds a role.
    pub fn add(&mut self, role: impl Into<String>) {
        self.roles.entry(role.into()).or_default();
    }

    /// Makes a role a direct member of another; adds both. Whether it inherits or may `SET ROLE` does not matter here.
    pub fn grant(&mut self, group: impl Into<String>, member: impl Into<String>) {
        let group = group.into();
        self.add(group.clone());
        self.roles.entry(member.into()).or_default().insert(group);
    }

    /// Whether there is such a role.
    #[must_use]
    pub fn exists(&self, role: &str) -> bool {
        self.roles.contains_key(role)
    }

    /// The roles that a role belongs to, directly or not, itself among them; empty for a role that does not exist.
    ///
    /// This is `is_member_of_role_nosuper` (`src/backend/utils/adt/acl.c`): a superuser is a member of nothing that it was not
    /// made a member of.
    #[must_use]
    pub fn memberships(&self, role: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<&str> = self.roles.get_key_value(role).map(|(name, _)| name.as_str()).into_iter().collect();
        while let Some(name) = todo.pop() {
            if found.insert(name) {
                todo.extend(self.roles.get(name).into_iter().flatten().map(String::as_str));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::RoleGraph;

    #[test]
    fn membership_is_nested_and_reflexive_for_roles_that_exist() {
        let mut roles = RoleGraph::default();
        roles.grant("staff", "dev");
        roles.grant("dev", "joe");
        assert_eq!(roles.memberships("joe").into_iter().collect::<Vec<_>>(), ["dev", "joe", "staff"]);
        assert!(roles.memberships("nobody").is_empty());
    }
}
