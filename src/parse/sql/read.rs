//! From PostgreSQL's parse tree to what it does to roles, statement by statement.

use std::collections::BTreeMap;

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterRoleSetStmt, AlterRoleStmt, CreateRoleStmt, DefElem, FuncCall, GrantRoleStmt, GrantStmt, Node, ObjectType,
    RawStmt, RoleSpec, RoleSpecType, ScanToken, Token, VariableSetKind, VariableSetStmt, a_const::Val,
};

use super::grants::function;
use super::{Attribute, FunctionGrant, Membership, RoleFacts, Setting, Slot, Sql, block, syntax};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::source::{Source, Span, Spanned};

/// Where a statement stands, so that its offsets become places.
pub(super) struct Place<'a> {
    source: &'a Source,
    /// The offset of its first byte; or, when it was made up of quoted text, the place of all of it.
    base: Result<usize, Span>,
}

impl<'a> Place<'a> {
    /// A statement that stands in the source byte for byte.
    pub(super) const fn exact(source: &'a Source, base: usize) -> Self {
        Self { source, base: Ok(base) }
    }

    /// A statement that does not.
    pub(super) const fn within(source: &'a Source, span: Span) -> Self {
        Self { source, base: Err(span) }
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        match self.base {
            Ok(base) => self.source.span(base + start, base + end),
            Err(span) => span,
        }
    }

    /// The place of a part.
    pub(super) fn inner(&self, start: usize) -> Self {
        Place { source: self.source, base: self.base.map(|base| base + start) }
    }

    pub(super) fn within_part(&self, start: usize, end: usize) -> Self {
        Self::within(self.source, self.span(start, end))
    }
}

/// A statement while it is taken in.
pub(super) struct Statement<'a> {
    pub(super) text: &'a str,
    pub(super) place: &'a Place<'a>,
    tokens: Vec<ScanToken>,
}

impl Statement<'_> {
    fn whole(&self) -> Span {
        self.place.span(0, self.text.len())
    }

    /// The token that begins at an offset; the whole statement when the tree does not say where.
    pub(super) fn token_at(&self, offset: i32) -> Span {
        self.tokens.iter().find(|t| t.start == offset).map_or_else(|| self.whole(), |t| self.token(t))
    }

    fn token(&self, token: &ScanToken) -> Span {
        self.place.span(index(token.start), index(token.end))
    }

    fn nth_token(&self, n: usize) -> Span {
        self.tokens.get(n).map_or_else(|| self.whole(), |t| self.token(t))
    }

    /// A string as it is written; where a template fills in a part of it, it is as open as a variable of psql.
    fn string(&self, text: String, at: Span) -> String {
        if self.place.source.is_unknown(at) {
            format!(":{}", self.place.source.text(at).trim_matches('\''))
        } else {
            text
        }
    }

    fn first_string_from(&self, offset: i32) -> Span {
        let literal = |t: &&ScanToken| t.start >= offset && t.token() == Token::Sconst;
        self.tokens.iter().find(literal).map_or_else(|| self.whole(), |t| self.token(t))
    }
}

pub(super) fn index(n: i32) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// Follows a script.
pub(super) struct Reader {
    pub(super) sql: Sql,
    pub(super) problems: Vec<Problem>,
    variables: BTreeMap<String, String>,
    /// How deep `DO` and `EXECUTE` are nested.
    pub(super) depth: usize,
}

impl Reader {
    pub(super) fn new(variables: BTreeMap<String, String>) -> Self {
        Self { sql: Sql::default(), problems: Vec::new(), variables, depth: 0 }
    }

    pub(super) fn statement(&mut self, text: &str, place: &Place<'_>) {
        let parsed = match pg_query::parse(text, 0) {
            Ok(parsed) => parsed,
            Err(pg_query::Error::Parse(message)) if !message.starts_with("stack depth limit exceeded") => {
                return self.problems.push(refused(text, place, &message));
            }
            // A tree too deep for this parser may be valid SQL for a server, which has more room; no statement about roles
            // is so deep.
            Err(_) if !super::looks_like_role_sql(text) => return,
            Err(e) => return self.problems.push(syntax(place.span(0, text.len()), short(&e.to_string()))),
        };
        let tokens = pg_query::scan(text).map(|r| r.tokens).unwrap_or_default();
        let tokens = tokens.into_iter().filter(|t| !matches!(t.token(), Token::SqlComment | Token::CComment)).collect();
        let statement = Statement { text, place, tokens };
        for raw in &parsed.protobuf.stmts {
            self.raw(&statement, raw);
        }
        for (node, ..) in parsed.protobuf.nodes() {
            if let pg_query::NodeRef::FuncCall(call) = node {
                self.slot(&statement, call);
            }
        }
    }

    fn raw(&mut self, s: &Statement<'_>, raw: &RawStmt) {
        let Some(node) = raw.stmt.as_ref().and_then(|n| n.node.as_ref()) else { return };
        match node {
            NodeEnum::CreateRoleStmt(stmt) => self.create_role(s, stmt),
            NodeEnum::AlterRoleStmt(stmt) => self.alter_role(s, stmt),
            NodeEnum::DropRoleStmt(stmt) => self.drop_roles(s, &stmt.roles),
            NodeEnum::GrantRoleStmt(stmt) => self.grant_roles(s, stmt),
            NodeEnum::GrantStmt(stmt) => self.grant_functions(s, stmt),
            NodeEnum::AlterRoleSetStmt(stmt) => self.alter_role_set(s, stmt),
            NodeEnum::AlterDatabaseSetStmt(stmt) => {
                if let Some(set) = &stmt.setstmt {
                    let setting = setting(s, set, None, Some(stmt.dbname.clone()));
                    self.sql.role_settings.push(setting);
                }
            }
            NodeEnum::AlterSystemStmt(stmt) => {
                if let Some(set) = &stmt.setstmt {
                    self.sql.system_settings.push(setting(s, set, None, None));
                }
            }
            NodeEnum::CreatedbStmt(stmt) => {
                self.sql.databases.push(Spanned::new(self.named(&stmt.dbname), s.nth_token(2)));
            }
            NodeEnum::RenameStmt(stmt) if stmt.rename_type() == ObjectType::ObjectRole => {
                self.rename(&stmt.subname, &stmt.newname);
            }
            NodeEnum::DoStmt(stmt) => block::run(self, s, stmt),
            _ => {}
        }
    }

    /// The name that a bare psql variable stands for is the variable.
    fn named(&self, name: &str) -> String {
        self.variables.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn role_of(&self, s: &Statement<'_>, spec: &RoleSpec) -> Option<Spanned<String>> {
        let name = match spec.roletype() {
            RoleSpecType::RolespecCstring => self.named(&spec.rolename),
            RoleSpecType::RolespecPublic => "public".to_owned(),
            _ => return None,
        };
        Some(Spanned::new(name, s.token_at(spec.location)))
    }

    fn roles_of(&self, s: &Statement<'_>, nodes: &[Node]) -> Vec<Spanned<String>> {
        let spec = |n: &Node| match n.node.as_ref()? {
            NodeEnum::RoleSpec(spec) => self.role_of(s, spec),
            _ => None,
        };
        nodes.iter().filter_map(spec).collect()
    }

    fn create_role(&mut self, s: &Statement<'_>, stmt: &CreateRoleStmt) {
        let name = Spanned::new(self.named(&stmt.role), s.nth_token(2));
        let Some(options) = self.options(s, &stmt.options) else { return };
        if self.sql.roles.get(&name.value).is_some_and(|r| r.created.is_some()) {
            return;
        }
        let login = stmt.stmt_type() == pg_query::protobuf::RoleStmtType::RolestmtUser;
        self.sql.roles.insert(name.value.clone(), RoleFacts::new(name.span, login));
        for option in options {
            let list = || self.roles_of(s, items(option));
            match option.defname.as_str() {
                "addroleto" => {
                    for role in list() {
                        self.join(role, name.clone(), None);
                    }
                }
                "rolemembers" | "adminmembers" => {
                    for member in list() {
                        self.join(name.clone(), member, None);
                    }
                }
                _ => self.option(s, &name.value, option),
            }
        }
    }

    /// The options of a statement, unless one is given twice: PostgreSQL refuses that when it runs the statement.
    fn options<'n>(&mut self, s: &Statement<'_>, nodes: &'n [Node]) -> Option<Vec<&'n DefElem>> {
        let options: Vec<_> = nodes.iter().filter_map(def_elem).collect();
        for (n, option) in options.iter().enumerate() {
            if options[..n].iter().any(|o| o.defname == option.defname) {
                self.problems.push(syntax(s.token_at(option.location), "conflicting or redundant options"));
                return None;
            }
        }
        Some(options)
    }

    fn alter_role(&mut self, s: &Statement<'_>, stmt: &AlterRoleStmt) {
        let Some(name) = stmt.role.as_ref().and_then(|r| self.role_of(s, r)) else { return };
        let Some(options) = self.options(s, &stmt.options) else { return };
        for option in options {
            if option.defname == "rolemembers" {
                for member in self.roles_of(s, items(option)) {
                    if stmt.action > 0 {
                        self.join(name.clone(), member, None);
                    } else {
                        self.leave(&name.value, &member.value);
                    }
                }
            } else {
                self.sql.roles.entry(name.value.clone()).or_insert_with(|| RoleFacts::elsewhere(name.span));
                self.option(s, &name.value, option);
            }
        }
    }

    fn option(&mut self, s: &Statement<'_>, role: &str, option: &DefElem) {
        let at = s.token_at(option.location);
        let Some(facts) = self.sql.roles.get_mut(role) else { return };
        let value = option.arg.as_ref().and_then(|n| n.node.as_ref());
        let literal = s.first_string_from(option.location);
        let string = option.arg.as_deref().and_then(text_of).map(|text| s.string(text, literal));
        match (option.defname.as_str(), value) {
            ("password", None) => facts.password = Some(Spanned::new(None, at)),
            // PostgreSQL takes an empty password as none.
            ("password", Some(_)) if string.as_deref() == Some("") => {
                facts.password = Some(Spanned::new(None, literal));
            }
            ("password", Some(_)) => facts.password = Some(Spanned::new(string.map(Secret::new), literal)),
            ("validUntil", _) => facts.valid_until = string.map(|v| Spanned::new(v, literal)),
            ("connectionlimit", Some(NodeEnum::Integer(n))) => {
                facts.connection_limit = Some(Spanned::new(n.ival, at));
            }
            (name, Some(NodeEnum::Boolean(b))) => {
                if let Some(attribute) = Attribute::of_option(name) {
                    facts.attributes.insert(attribute, Spanned::new(b.boolval, at));
                }
            }
            _ => {}
        }
    }

    fn drop_roles(&mut self, s: &Statement<'_>, roles: &[Node]) {
        for role in self.roles_of(s, roles) {
            self.sql.roles.remove(&role.value);
            self.sql.memberships.retain(|m| m.role.value != role.value && m.member.value != role.value);
            self.sql.function_grants.retain(|g| g.role.value != role.value);
        }
    }

    fn rename(&mut self, old: &str, new: &str) {
        let (old, new) = (self.named(old), self.named(new));
        if self.sql.roles.contains_key(&new) {
            return;
        }
        if let Some(mut facts) = self.sql.roles.remove(&old) {
            // An MD5 password is salted with the name and is cleared.
            if facts.password.as_ref().and_then(|p| p.value.as_ref()).is_some_and(|p| p.reveal().starts_with("md5")) {
                facts.password = None;
            }
            self.sql.roles.insert(new.clone(), facts);
        }
        let members = self.sql.memberships.iter_mut().flat_map(|m| [&mut m.role.value, &mut m.member.value]);
        let grantees = self.sql.function_grants.iter_mut().map(|g| &mut g.role.value);
        members.chain(grantees).filter(|name| **name == old).for_each(|name| name.clone_from(&new));
    }

    fn join(&mut self, role: Spanned<String>, member: Spanned<String>, inherit: Option<bool>) {
        self.leave(&role.value, &member.value);
        self.sql.memberships.push(Membership { role, member, inherit });
    }

    fn leave(&mut self, role: &str, member: &str) {
        self.sql.memberships.retain(|m| m.role.value != role || m.member.value != member);
    }

    fn grant_roles(&mut self, s: &Statement<'_>, stmt: &GrantRoleStmt) {
        let option = |name: &str| stmt.opt.iter().filter_map(def_elem).find(|o| o.defname == name);
        let said = |o: &DefElem| match o.arg.as_ref().and_then(|n| n.node.as_ref()) {
            Some(NodeEnum::Boolean(b)) => Some(b.boolval),
            _ => None,
        };
        // REVOKE … OPTION FOR leaves the membership.
        if !stmt.is_grant && !stmt.opt.is_empty() {
            return;
        }
        let members = self.roles_of(s, &stmt.grantee_roles);
        for granted in stmt
            .granted_roles
            .iter()
            .filter_map(|n| match n.node.as_ref()? {
                NodeEnum::AccessPriv(p) => Some(self.named(&p.priv_name)),
                _ => None,
            })
            .collect::<Vec<_>>()
        {
            for member in &members {
                if stmt.is_grant {
                    let role = Spanned::new(granted.clone(), s.whole());
                    self.join(role, member.clone(), option("inherit").and_then(said));
                } else {
                    self.leave(&granted, &member.value);
                }
            }
        }
    }

    fn grant_functions(&mut self, s: &Statement<'_>, stmt: &GrantStmt) {
        let about = matches!(
            stmt.objtype(),
            ObjectType::ObjectFunction | ObjectType::ObjectRoutine | ObjectType::ObjectProcedure
        );
        let execute = stmt.privileges.is_empty()
            || stmt
                .privileges
                .iter()
                .any(|p| matches!(&p.node, Some(NodeEnum::AccessPriv(p)) if p.priv_name == "execute"));
        if !about || !execute || (!stmt.is_grant && stmt.grant_option) {
            return;
        }
        let roles = self.roles_of(s, &stmt.grantees);
        for object in &stmt.objects {
            let (schema, name, args) = match object.node.as_ref() {
                Some(NodeEnum::ObjectWithArgs(object)) => function(object),
                Some(NodeEnum::String(schema)) => (Some(schema.sval.clone()), None, None),
                _ => continue,
            };
            for role in &roles {
                self.sql.function_grants.push(FunctionGrant {
                    role: role.clone(),
                    schema: schema.clone(),
                    name: name.clone(),
                    args: args.clone(),
                    granted: stmt.is_grant,
                    span: s.whole(),
                });
            }
        }
    }

    fn alter_role_set(&mut self, s: &Statement<'_>, stmt: &AlterRoleSetStmt) {
        let Some(set) = &stmt.setstmt else { return };
        let role = stmt.role.as_ref().and_then(|r| self.role_of(s, r));
        let database = Some(stmt.database.clone()).filter(|d| !d.is_empty());
        self.sql.role_settings.push(setting(s, set, role, database));
    }

    fn slot(&mut self, s: &Statement<'_>, call: &FuncCall) {
        let name = call.funcname.last().and_then(text_of).unwrap_or_default();
        let logical = name == "pg_create_logical_replication_slot";
        if !logical && name != "pg_create_physical_replication_slot" {
            return;
        }
        if let Some((slot, location)) = argument(&call.args, 0, "slot_name") {
            let plugin = argument(&call.args, 1, "plugin").filter(|_| logical);
            let plugin = plugin.map(|(text, location)| s.string(text, s.token_at(location)));
            let at = s.token_at(location);
            self.sql.slots.push(Slot { name: Spanned::new(s.string(slot, at), at), plugin });
        }
    }
}

/// A string among the arguments of a call, by place or by name, and where it stands.
fn argument(args: &[Node], place: usize, name: &str) -> Option<(String, i32)> {
    let by_name = args.iter().find_map(|a| match a.node.as_ref()? {
        NodeEnum::NamedArgExpr(named) if named.name == name => named.arg.as_deref(),
        _ => None,
    });
    constant(by_name.or_else(|| args.get(place))?)
}

/// A string constant, with or without a cast, and where it stands.
pub(super) fn constant(node: &Node) -> Option<(String, i32)> {
    match node.node.as_ref()? {
        NodeEnum::AConst(c) => match c.val.as_ref()? {
            Val::Sval(s) => Some((s.sval.clone(), c.location)),
            _ => None,
        },
        NodeEnum::TypeCast(cast) => constant(cast.arg.as_deref()?),
        _ => None,
    }
}

fn setting(
    s: &Statement<'_>,
    set: &VariableSetStmt,
    role: Option<Spanned<String>>,
    database: Option<String>,
) -> Setting {
    let value = |n: &Node| match n.node.as_ref()? {
        NodeEnum::AConst(c) => Some(match c.val.as_ref()? {
            Val::Ival(i) => i.ival.to_string(),
            Val::Fval(f) => f.fval.clone(),
            Val::Boolval(b) => b.boolval.to_string(),
            Val::Sval(t) => t.sval.clone(),
            Val::Bsval(b) => b.bsval.clone(),
        }),
        _ => None,
    };
    let values: Vec<_> = set.args.iter().filter_map(value).collect();
    let set_to = (set.kind() == VariableSetKind::VarSetValue).then(|| Secret::new(values.join(", ")));
    let name = if set.kind() == VariableSetKind::VarResetAll { "all".to_owned() } else { set.name.to_lowercase() };
    Setting { role, database, name, value: set_to, span: s.whole() }
}

pub(super) fn def_elem(node: &Node) -> Option<&DefElem> {
    match node.node.as_ref()? {
        NodeEnum::DefElem(elem) => Some(elem),
        _ => None,
    }
}

fn items(option: &DefElem) -> &[Node] {
    match option.arg.as_ref().and_then(|n| n.node.as_ref()) {
        Some(NodeEnum::List(list)) => &list.items,
        _ => &[],
    }
}

/// The text of a string node.
pub(super) fn text_of(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::String(s) => Some(s.sval.clone()),
        _ => None,
    }
}

pub(super) fn strings(nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter_map(text_of).collect()
}

fn short(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(120).collect()
}

/// A statement that the grammar refuses. The message of PostgreSQL names the token where it stopped; which of several
/// equal ones that is, shows by parsing what goes before.
fn refused(text: &str, place: &Place<'_>, message: &str) -> Problem {
    const TRIES: usize = 64;
    let Some((what, near)) = message.split_once(" at or near \"") else {
        let at = if message.ends_with("at end of input") {
            place.span(text.len(), text.len())
        } else {
            place.span(0, text.len())
        };
        return syntax(at, short(message));
    };
    let near = near.strip_suffix('"').unwrap_or(near);
    // A password that has lost a quote is a word like any other.
    let named = text.as_bytes().windows(8).any(|w| w.eq_ignore_ascii_case(b"password"));
    let keyword = near.bytes().all(|b| !b.is_ascii_lowercase() && !b.is_ascii_digit());
    let secret = near.starts_with('$') || near.contains('\'') || (named && !keyword);
    let shown = if secret { format!("{what} at or near a string") } else { short(message) };
    let mut found = None;
    for (start, _) in text.match_indices(near).take(TRIES) {
        let end = start + near.len();
        found.get_or_insert((start, end));
        if matches!(pg_query::parse(&text[..end], 0), Err(pg_query::Error::Parse(m)) if m == message) {
            found = Some((start, end));
            break;
        }
    }
    let (start, end) = found.unwrap_or((0, text.len()));
    syntax(place.span(start, end), shown)
}
