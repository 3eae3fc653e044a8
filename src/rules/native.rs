//! Checks that need code. One function a rule, named like it; everything else about the rule is in its file.

mod bootstrap;
mod cluster;
mod dcs;
mod hba;
mod host;
mod restapi;
mod roles;
mod scripts;
mod settings;
mod slots;
mod units;
mod yaml;

use super::report::Report;
use crate::facts::Facts;
use crate::facts::gap::Gap;

/// A check: pure, synchronous, sees everything. An error means "not checked", never "fine".
pub type Check = fn(&Facts, &mut Report) -> Result<(), Gap>;

/// Every native check by the name that rule files use, sorted.
pub static NATIVE: &[(&str, Check)] = &[
    ("auth-key-needs-newer-postgresql", restapi::sslmode::newer),
    ("basebackup-options", bootstrap::basebackup_options::check),
    ("bootstrap-method-undefined", bootstrap::bootstrap_method_undefined::check),
    ("bootstrap-section-missing", bootstrap::bootstrap_section_missing::check),
    ("callback-expects-master", scripts::callback_expects_master::check),
    ("callback-not-executable", scripts::command_cannot_run::callback),
    ("cmdline-guc-below-runtime-minimum", settings::cmdline_guc_below_runtime_minimum::check),
    ("cmdline-guc-in-local-parameters", settings::cmdline_guc_in_local_parameters::check),
    ("cmdline-guc-not-carried-over", settings::cmdline_guc_not_carried_over::check),
    ("connect-address-port-differs", cluster::connect_address_port::differs),
    ("create-replica-method-undefined", bootstrap::create_replica_method_undefined::check),
    ("dcs-consul-protocol-mismatch", dcs::protocol_mismatch::consul),
    ("dcs-endpoints-differ-between-members", dcs::endpoints_differ::endpoints),
    ("dcs-etcd-hosts-empty-entry", dcs::etcd_hosts::empty_entry),
    ("dcs-etcd-hosts-even", dcs::etcd_hosts::even),
    ("dcs-etcd-hosts-format", dcs::etcd_hosts::format),
    ("dcs-etcd-hosts-repeated", dcs::etcd_hosts::repeated),
    ("dcs-etcd-protocol-mismatch", dcs::protocol_mismatch::etcd),
    ("dcs-etcd-v2-api", dcs::etcd_v2_api::check),
    ("dcs-k8s-basics", dcs::k8s_basics::check),
    ("dcs-kind-differs-between-members", dcs::endpoints_differ::kind),
    ("dcs-multiple-sections", yaml::dcs_multiple_sections::check),
    ("dcs-section-missing", yaml::dcs_section_missing::check),
    ("debian-start-conf-auto", units::postgres_started::debian),
    ("hba-replication-missing-for-member", hba::hba_replication_missing_for_member::check),
    ("hba-rewind-missing", hba::hba_rewind_missing::check),
    ("hba-superuser-local-missing", hba::hba_superuser_local_missing::check),
    ("initdb-options", bootstrap::initdb_options::check),
    ("listen-missing-port", cluster::listen_missing_port::check),
    ("log-level-value", yaml::log_level_value::check),
    ("managed-guc-in-parameters", settings::managed_guc_in_parameters::check),
    ("method-command-cannot-run", scripts::command_cannot_run::method),
    ("name-or-scope-not-string", yaml::name_or_scope_not_string::check),
    ("pg-connect-address-is-pooler", cluster::connect_address_port::pooler),
    ("pg-connect-address-unusable", cluster::connect_address_unusable::postgresql),
    ("post-bootstrap-script", scripts::command_cannot_run::post_bootstrap),
    ("pre-promote-fails", scripts::command_cannot_run::pre_promote),
    ("recovery-gucs-in-auto-conf", settings::recovery_gucs_in_auto_conf::check),
    ("restapi-allowlist-invalid", restapi::allowlist_invalid::check),
    ("restapi-auth-incomplete", restapi::auth_incomplete::check),
    ("restapi-connect-address-unusable", cluster::connect_address_unusable::restapi),
    ("restapi-tls-files", restapi::tls::files),
    ("restapi-tls-mixed", restapi::tls::mixed),
    ("restapi-verify-client-without-certfile", restapi::tls::without_certfile),
    ("restapi-verify-client-without-ctl-cert", restapi::tls::without_ctl_cert),
    ("rewind-grants-missing", roles::rewind_grants_missing::check),
    ("role-replication-missing-attribute", roles::role_attribute::replication),
    ("role-superuser-not-superuser", roles::role_attribute::superuser),
    ("slot-name-collision", slots::slot_name_collision::check),
    ("slots-bad-value", slots::slots_bad_value::check),
    ("slots-invalid-name", slots::slots_invalid_name::check),
    ("slots-not-mapping", slots::slots_not_mapping::check),
    ("sslmode-value", restapi::sslmode::value),
    ("sslmode-without-root-certificate", restapi::sslmode::without_root),
    ("systemd-configuration-path-missing", units::configuration_path::check),
    ("systemd-conflicts-postgres-unit", units::dependencies::conflicts),
    ("systemd-dcs-ordering", units::dcs_ordering::check),
    ("systemd-killmode", host::systemd_killmode::check),
    ("systemd-postgres-unit-active", units::postgres_started::systemd),
    ("systemd-requires-postgres-unit", units::dependencies::requires),
    ("systemd-restart-policy", units::service::restart_policy),
    ("systemd-timeout-stop", units::service::timeout_stop),
    ("systemd-type-notify", units::service::wrong_type),
    ("systemd-type-notify-needs-module", units::service::notify),
    ("systemd-user-mismatch", host::systemd_user_mismatch::check),
    ("systemd-wantedby-unknown-target", units::wanted_by::check),
    ("tag-nofailover-string", yaml::tag_nofailover_string::check),
    ("timeouts-rule", cluster::timeouts_rule::check),
    ("unit-settings-lost", units::settings_lost::check),
    ("watchdog-mode-required", cluster::watchdog::required),
    ("watchdog-mode-value", cluster::watchdog::mode_value),
    ("watchdog-timing", cluster::watchdog::timing),
    ("weak-default-secrets", restapi::weak_secrets::check),
    ("yaml-hash-truncated-value", yaml::yaml_hash_truncated_value::check),
    ("yaml-implicit-bool", yaml::yaml_implicit::bool),
    ("yaml-implicit-number-or-date", yaml::yaml_implicit::number_or_date),
    ("yaml-sexagesimal", yaml::yaml_implicit::sexagesimal),
];

/// The check of that name.
#[must_use]
pub fn find(name: &str) -> Option<Check> {
    NATIVE.binary_search_by(|(n, _)| (*n).cmp(name)).ok().map(|i| NATIVE[i].1)
}

#[cfg(test)]
mod tests {
    use super::NATIVE;
    use crate::rules::builtin::BUILTIN;
    use crate::rules::schema::CheckSpec;

    #[test]
    fn the_list_is_sorted_and_matches_the_rule_files() {
        assert!(NATIVE.is_sorted_by(|a, b| a.0 < b.0));
        let named =
            BUILTIN.iter().filter_map(|r| if let CheckSpec::Native(n) = &r.check { Some(n.as_ref()) } else { None });
        let mut named: Vec<&str> = named.collect();
        named.sort_unstable();
        assert_eq!(named, NATIVE.iter().map(|n| n.0).collect::<Vec<_>>());
    }
}
