//! Memberships and the right to call functions (`GRANT`, `REVOKE`).

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, ObjectWithArgs, TypeName};

use super::read::{strings, text_of};
use crate::source::{Span, Spanned};

/// One role in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The role that is given.
    pub role: Spanned<String>,
    /// The role that gets it.
    pub member: Spanned<String>,
    /// `WITH INHERIT TRUE|FALSE`, if said (PostgreSQL 16).
    pub inherit: Option<bool>,
}

/// A grant or revocation of `EXECUTE` to one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionGrant {
    /// Who; `public` for everybody.
    pub role: Spanned<String>,
    /// The schema, if it is named.
    pub schema: Option<String>,
    /// The function; `None` for all functions of the schema.
    pub name: Option<String>,
    /// The types of its arguments as PostgreSQL prints them; `None` when they are not written.
    pub args: Option<Vec<String>>,
    /// Whether it is given, or taken.
    pub granted: bool,
    /// The whole statement.
    pub span: Span,
}

impl FunctionGrant {
    /// Whether it is about the function of this signature, `name(type, type)`. Without types it is not: PostgreSQL refuses
    /// that for a name that several functions have, as all have that Patroni needs.
    #[must_use]
    pub fn covers(&self, signature: &str) -> bool {
        let (name, args) = signature.split_once('(').unwrap_or((signature, ""));
        match (&self.name, &self.args) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(types)) => mine == name && types.join(", ") == args.trim_end_matches(')'),
        }
    }
}

/// Schema, name and argument types of a function.
pub(super) fn function(object: &ObjectWithArgs) -> (Option<String>, Option<String>, Option<Vec<String>>) {
    let mut names = strings(&object.objname);
    let name = names.pop();
    let args = (!object.args_unspecified).then(|| object.objargs.iter().filter_map(type_of).collect());
    (names.pop(), name, args)
}

fn type_of(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::TypeName(name) => Some(type_name(name)),
        _ => None,
    }
}

/// A type as `format_type` prints it.
fn type_name(name: &TypeName) -> String {
    let last = name.names.last().and_then(text_of).unwrap_or_default();
    let printed = match last.as_str() {
        "int2" => "smallint",
        "int4" | "int" => "integer",
        "int8" => "bigint",
        "bool" => "boolean",
        "float4" => "real",
        "float8" => "double precision",
        "varchar" => "character varying",
        "bpchar" => "character",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        other => other,
    };
    format!("{printed}{}", if name.array_bounds.is_empty() { "" } else { "[]" })
}
