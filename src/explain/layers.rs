//! Who sets a setting under Patroni, the strongest first, and what each edit of it does.
//!
//! From Patroni 4.1.5: `config.py` (`_build_effective_configuration`, `_process_postgresql_parameters`), `postgresql/config.py`
//! (`write_postgresql_conf`, `build_recovery_params`, `effective_configuration`, `_sanitize_auto_conf`) and `Postgresql.start`.

use serde::Serialize;

use crate::facts::enforced::{default_of, floor_of};
use crate::knowledge::guc::{Context, Flag, Guc};
use crate::knowledge::patroni::{Accepts, CommandLineSetting, Version, command_line_setting, setting};
use crate::predict::settings::{By, Change};

/// Somebody who may set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Who.
    pub by: By,
    /// Where, and when it counts.
    pub text: String,
}

/// An edit and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What somebody does.
    pub edit: &'static str,
    /// Whether it has any effect under Patroni.
    pub counts: bool,
    /// Which.
    pub effect: String,
}

/// How Patroni treats a setting.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Patroni gives it on the command line.
    CommandLine(&'static CommandLineSetting),
    /// The same, but it stands in `postgresql.conf`: `wal_keep_size`.
    Kept(&'static CommandLineSetting),
    /// It is taken from another key.
    Managed(&'static str, &'static str),
    /// Patroni works it out where it follows another server.
    Followed,
    /// It belongs into `recovery_conf`.
    Recovery,
    /// Nobody can set it.
    Fixed,
    /// Everything else.
    Ordinary,
}

/// What is to be said of a setting.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) layers: Vec<Layer>,
    pub(super) edits: Vec<Edit>,
    pub(super) change: Change,
}

/// What a server puts into `pg_control`, and a standby may not have less of (`ConfigHandler.effective_configuration`).
const CONTROLLED: [&str; 5] = [
    "max_connections",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "max_worker_processes",
    "max_wal_senders",
];

/// What Patroni writes of its own where the server follows another one (`build_recovery_params`).
pub(super) const FOLLOWED: [&str; 8] = [
    "primary_conninfo",
    "primary_slot_name",
    "recovery_target_timeline",
    "recovery_target",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_xid",
    "recovery_target_lsn",
];

fn kind(name: &str, guc: Option<&Guc>) -> Kind {
    if name == "config_file" {
        return Kind::Managed("postgresql.config_dir", "PATRONI_POSTGRESQL_CONFIG_DIR");
    }
    if let Some(own) = command_line_setting(name, Version::LATEST) {
        return match own.name {
            _ if own.accepts != Accepts::Never => {
                if own.name.starts_with("wal_keep_") {
                    Kind::Kept(own)
                } else {
                    Kind::CommandLine(own)
                }
            }
            "cluster_name" => Kind::Managed("scope", "PATRONI_SCOPE"),
            _ => Kind::Managed("postgresql.listen", "PATRONI_POSTGRESQL_LISTEN"),
        };
    }
    if guc.is_some_and(|guc| guc.context == Context::Internal) {
        return Kind::Fixed;
    }
    match setting(name).next() {
        Some(_) if FOLLOWED.contains(&name) => Kind::Followed,
        Some(row) if row.recovery && !name.starts_with("recovery_target") => Kind::Recovery,
        _ => Kind::Ordinary,
    }
}

/// The layers and edits of a setting.
pub(super) fn told(name: &str, guc: Option<&Guc>) -> Told {
    let kind = kind(name, guc);
    let context = guc.map_or(Context::Sighup, |guc| guc.context);
    let is_restart = context == Context::Postmaster;
    let change = match kind {
        Kind::Fixed => Change::Never,
        Kind::Managed(..) | Kind::Followed => Change::OtherKeys,
        Kind::CommandLine(_) => Change::DynamicAndRestart,
        Kind::Kept(_) => Change::DynamicAndReload,
        Kind::Recovery | Kind::Ordinary if is_restart => Change::Restart,
        Kind::Recovery | Kind::Ordinary => Change::Reload,
    };
    Told { layers: layers(name, kind, context), edits: edits(name, kind, guc, context), change }
}

fn layers(name: &str, kind: Kind, context: Context) -> Vec<Layer> {
    let layer = |by, text: &str| Layer { by, text: text.to_owned() };
    let dynamic = |own: &CommandLineSetting| {
        layer(
            By::Dynamic,
            &format!("`postgresql.parameters.{name}` of the dynamic configuration, where it is {}", floor_of(own)),
        )
    };
    let default =
        |own: &CommandLineSetting| layer(By::PatroniDefault, &format!("Patroni's default, {}", default_of(own)));
    let session = matches!(context, Context::Superuser | Context::User | Context::Backend | Context::SuperuserBackend);
    let role = session.then(|| {
        layer(By::Role, "ALTER ROLE … SET and ALTER DATABASE … SET, for new sessions of that role or database")
    });
    let mut all: Vec<Layer> = role.into_iter().collect();
    match kind {
        Kind::Fixed => all = vec![layer(By::Server, "the server works it out itself")],
        Kind::CommandLine(own) => {
            all.clear();
            if CONTROLLED.contains(&name) {
                all.push(layer(
                    By::Control,
                    "on a standby the value of pg_control, while that is higher: what its primary ran with",
                ));
            }
            all.extend([dynamic(own), default(own)]);
        }
        Kind::Kept(own) => {
            all.push(layer(By::AutoConf, "postgresql.auto.conf (ALTER SYSTEM)"));
            all.extend([dynamic(own), default(own)]);
        }
        Kind::Managed(key, variable) => {
            all = vec![
                layer(By::Patroni, &format!("{variable} of Patroni's environment, which is read once")),
                layer(By::Patroni, &format!("`{key}` of Patroni's file")),
            ];
        }
        Kind::Followed => {
            all = vec![layer(
                By::Patroni,
                &format!("Patroni itself, on a server that follows another one: {}", followed(name)),
            )];
            all.push(layer(By::OldFiles, "on a primary, which does not use it, what postgresql.base.conf says"));
            all.push(layer(By::Server, "the server's default"));
        }
        Kind::Recovery => {
            all = vec![
                layer(
                    By::Local,
                    "`postgresql.recovery_conf` of Patroni's file; where there is that section, that of the dynamic configuration counts no more",
                ),
                layer(By::Dynamic, "`postgresql.recovery_conf` of the dynamic configuration"),
                layer(By::OldFiles, "the postgresql.conf of before, now postgresql.base.conf, or `custom_conf`"),
                layer(By::Server, "the server's default"),
            ];
        }
        Kind::Ordinary => all.extend(ordinary(name)),
    }
    all
}

/// Of a setting that Patroni does not treat in a way of its own.
fn ordinary(name: &str) -> Vec<Layer> {
    let layer = |by, text: &str| Layer { by, text: text.to_owned() };
    let mut all = vec![layer(By::AutoConf, "postgresql.auto.conf (ALTER SYSTEM)")];
    let own = match name {
        "synchronous_standby_names" => Some("Patroni itself, while `synchronous_mode` is on"),
        "hot_standby_feedback" => Some("Patroni itself, on: where permanent logical slots need it"),
        _ => None,
    };
    all.extend(own.map(|text| layer(By::Patroni, text)));
    all.push(layer(By::Local, &format!("`postgresql.parameters.{name}` of Patroni's file")));
    all.push(layer(By::Dynamic, &format!("`postgresql.parameters.{name}` of the dynamic configuration")));
    if matches!(name, "hba_file" | "ident_file") {
        all.push(layer(By::Patroni, "Patroni itself: the one in `postgresql.config_dir`"));
    } else {
        all.push(layer(By::OldFiles, "the postgresql.conf of before, now postgresql.base.conf, or `custom_conf`"));
        all.push(layer(By::Server, "the server's default"));
    }
    all
}

/// What Patroni writes where the server follows another one.
fn followed(name: &str) -> &'static str {
    match name {
        "primary_conninfo" => "of the `connect_address` of the leader and `postgresql.authentication.replication`",
        "primary_slot_name" => "of `name`, while `postgresql.use_slots` is on",
        "recovery_target_timeline" => "`latest`",
        _ => "nothing, so that no line of another file stops the standby",
    }
}

/// Words of what it then takes until a server runs with it.
const fn then(context: Context) -> &'static str {
    match context {
        Context::Postmaster => "; then `patronictl restart`",
        Context::Backend | Context::SuperuserBackend => "; new sessions see it",
        _ => "",
    }
}

fn edits(name: &str, kind: Kind, guc: Option<&Guc>, context: Context) -> Vec<Edit> {
    let all = [
        ("postgresql.conf before the take-over", old_files(name, kind, context)),
        ("postgresql.base.conf, or custom_conf, afterwards", base_conf(kind, context)),
        ("Patroni's own postgresql.conf", Err("none: Patroni writes it anew at each reload and start".to_owned())),
        ("ALTER SYSTEM", alter_system(kind, guc, context)),
        ("bootstrap.dcs before the first start", seed(name, kind)),
        (
            "bootstrap.dcs once the store has a configuration",
            Err("none: it is read once; a `patroni.dynamic.json` in the data directory also stands before it"
                .to_owned()),
        ),
        ("patronictl edit-config", dynamic(name, kind, context)),
        ("Patroni's file and patronictl reload", local(name, kind, context)),
        ("a PATRONI_ variable", variable(kind)),
        ("ALTER ROLE or ALTER DATABASE … SET", role(kind, context)),
    ];
    let edit = |(edit, effect): (&'static str, Result<String, String>)| {
        let counts = effect.is_ok();
        Edit { edit, counts, effect: effect.unwrap_or_else(|none| none) }
    };
    if matches!(kind, Kind::Fixed) { Vec::new() } else { all.into_iter().map(edit).collect() }
}

type Effect = Result<String, String>;

fn old_files(name: &str, kind: Kind, context: Context) -> Effect {
    match kind {
        Kind::CommandLine(own) => Err(format!(
            "none behind the first restart: Patroni then starts the server with {}, or what the dynamic configuration says",
            default_of(own)
        )),
        Kind::Kept(own) => Err(format!(
            "none once Patroni has attached: its own postgresql.conf says {}, or what the dynamic configuration says",
            default_of(own)
        )),
        Kind::Managed(key, _) => Err(format!("none: Patroni takes it from `{key}`")),
        Kind::Followed => Err("none on a standby: Patroni writes its own".to_owned()),
        Kind::Ordinary if matches!(name, "hba_file" | "ident_file") => {
            Err("none: Patroni's own postgresql.conf names the file in `postgresql.config_dir`".to_owned())
        }
        Kind::Fixed | Kind::Recovery | Kind::Ordinary => Ok(format!(
            "it goes on to count: the file becomes postgresql.base.conf, which Patroni's own includes first{}",
            if context == Context::Postmaster { "; a change waits for a restart" } else { "" }
        )),
    }
}

fn base_conf(kind: Kind, context: Context) -> Effect {
    match kind {
        Kind::Recovery | Kind::Ordinary => Ok(format!(
            "it counts where neither Patroni's file nor the dynamic configuration nor ALTER SYSTEM sets it, on this member alone; `patronictl reload` brings it in (before Patroni 4.0.6 `pg_ctl reload`){}",
            then(context)
        )),
        Kind::Followed => Err("none on a standby: what Patroni writes stands behind it".to_owned()),
        _ => Err("none: what Patroni sets beats it".to_owned()),
    }
}

fn alter_system(kind: Kind, guc: Option<&Guc>, context: Context) -> Effect {
    if guc.is_some_and(|guc| guc.flags.contains(&Flag::NoAlterSystem)) {
        return Err("none: the server refuses it".to_owned());
    }
    match kind {
        Kind::CommandLine(_) | Kind::Managed(..) => Err("none: the command line beats postgresql.auto.conf".to_owned()),
        Kind::Followed | Kind::Recovery => Err(
            "none that lasts: Patroni takes these lines out of postgresql.auto.conf whenever it writes postgresql.conf"
                .to_owned(),
        ),
        Kind::Kept(_) | Kind::Ordinary | Kind::Fixed => Ok(format!(
            "it beats all that Patroni writes, on this member alone, until ALTER SYSTEM RESET; replicas that are made of it get it too; pg_reload_conf() brings it in{}",
            then(context)
        )),
    }
}

fn seed(name: &str, kind: Kind) -> Effect {
    match kind {
        Kind::Managed(key, _) => Err(format!("none: it is not taken from parameters; set `{key}` of each member's file")),
        Kind::Followed => Err("none: Patroni writes its own".to_owned()),
        Kind::Recovery => Ok("`bootstrap.dcs.postgresql.recovery_conf` becomes the dynamic configuration, while the store has none and no patroni.dynamic.json is there".to_owned()),
        _ => Ok(format!(
            "`bootstrap.dcs.postgresql.parameters.{name}` becomes the dynamic configuration, while the store has none and no patroni.dynamic.json is there"
        )),
    }
}

fn dynamic(name: &str, kind: Kind, context: Context) -> Effect {
    match kind {
        Kind::CommandLine(own) => Ok(format!(
            "it counts on all members behind `patronictl restart` (`Pending restart` until then); a value that is not {} becomes {}{}",
            floor_of(own),
            default_of(own),
            if CONTROLLED.contains(&name) {
                "; restart the standbys first when it grows, the primary first when it shrinks"
            } else {
                ""
            }
        )),
        Kind::Kept(own) => Ok(format!(
            "it counts on all members at once, by a reload; a value that is not {} becomes {}; ALTER SYSTEM beats it",
            floor_of(own),
            default_of(own)
        )),
        Kind::Managed(key, _) => Err(format!("none: Patroni refuses it and takes `{key}` of each member's file")),
        Kind::Followed => Err("none: Patroni writes its own".to_owned()),
        Kind::Recovery => {
            Ok(format!("`postgresql.recovery_conf` counts on members whose file has no such section{}", then(context)))
        }
        Kind::Ordinary | Kind::Fixed => Ok(format!(
            "it counts on members where neither Patroni's file nor ALTER SYSTEM sets it; each reloads by itself{}",
            then(context)
        )),
    }
}

fn local(name: &str, kind: Kind, context: Context) -> Effect {
    match kind {
        Kind::CommandLine(_) | Kind::Kept(_) => {
            Err("none: of these settings Patroni drops what its file says, without a word".to_owned())
        }
        Kind::Managed("scope", _) => {
            Err("only at the start of Patroni: another `scope` is another cluster in the store".to_owned())
        }
        Kind::Managed(key, _) => Ok(format!("`{key}` counts on this member behind a restart of the server")),
        Kind::Followed if name == "primary_conninfo" => {
            Ok("`connect_address` of the leader and `authentication.replication` count; Patroni writes it anew"
                .to_owned())
        }
        Kind::Followed => Err("none: Patroni writes its own".to_owned()),
        Kind::Recovery => Ok(format!(
            "`postgresql.recovery_conf` counts on this member, over that of the dynamic configuration as a whole{}",
            then(context)
        )),
        Kind::Ordinary | Kind::Fixed => Ok(format!(
            "`postgresql.parameters.{name}` counts on this member, over the dynamic configuration; ALTER SYSTEM beats it{}",
            then(context)
        )),
    }
}

fn variable(kind: Kind) -> Effect {
    match kind {
        Kind::Managed(_, variable) => Ok(format!("{variable} beats the file; it is read once, when Patroni starts")),
        _ => Err("none: no variable sets parameters; PATRONI_POSTGRESQL_PARAMETERS is not read".to_owned()),
    }
}

fn role(kind: Kind, context: Context) -> Effect {
    match (kind, context) {
        (_, Context::Superuser | Context::User | Context::Backend | Context::SuperuserBackend) => {
            Ok("it beats all files in new sessions of that role or database; Patroni does not look at it, and standbys get it by replication".to_owned())
        }
        _ => Err("none: the server refuses it, since it is no setting of a session".to_owned()),
    }
}
