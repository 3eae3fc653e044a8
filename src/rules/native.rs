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
mod tags;
mod units;
mod yaml;

use super::report::Report;
use crate::facts::Facts;
use crate::facts::gap::Gap;

/// A check: pure, synchronous, sees everything. An error means "not checked", never "fine".
pub type Check = fn(&Facts, &mut Report) -> Result<(), Gap>;

/// Every native check by the name that rule files use, sorted.
pub static NATIVE: &[(&str, Check)] = &[
    ("archive-mode-and-reinit", settings::archive_overwrites::check),
    ("auth-key-needs-newer-postgresql", restapi::sslmode::newer),
    ("auto-conf-overrides-patroni", settings::auto_conf::overrides),
    ("base-conf-already-exists", settings::config_dir::base_exists),
    ("basebackup-options", bootstrap::basebackup_options::check),
    ("basebackup-waldir-relative", host::directories::waldir),
    ("bin-dir-unset", host::directories::bin_unset),
    ("bin-dir-version-mismatch", host::directories::bin_version),
    ("bootstrap-command-cannot-run", scripts::command_cannot_run::bootstrap),
    ("bootstrap-dcs-drift", cluster::bootstrap_dcs_drift::check),
    ("bootstrap-dcs-without-effect", cluster::dynamic_settings::without_effect),
    ("bootstrap-initialize-without-leader", dcs::cluster_keys::without_leader),
    ("bootstrap-method-undefined", bootstrap::bootstrap_method_undefined::check),
    ("bootstrap-section-missing", bootstrap::bootstrap_section_missing::check),
    ("bootstrap-section-without-effect", cluster::bootstrap_section_without_effect::check),
    ("callback-expects-master", scripts::callback_expects_master::check),
    ("callback-not-executable", scripts::command_cannot_run::callback),
    ("cascading-standby-without-tag", slots::cascading_standby_without_tag::check),
    ("cmdline-guc-below-runtime-minimum", settings::cmdline_guc_below_runtime_minimum::check),
    ("cmdline-guc-in-local-parameters", settings::cmdline_guc_in_local_parameters::check),
    ("cmdline-guc-not-carried-over", settings::cmdline_guc_not_carried_over::check),
    ("config-base-name-mismatch", settings::config_dir::base_name_mismatch),
    ("config-dir-missing", settings::config_dir::missing),
    ("connect-address-port-differs", cluster::connect_address_port::differs),
    ("create-replica-method-undefined", bootstrap::create_replica_method_undefined::check),
    ("custom-conf-is-postgresql-conf", settings::config_dir::custom_is_own),
    ("custom-conf-replaces-postgresql-conf", settings::config_dir::custom_replaces),
    ("data-dir-misread", host::directories::misread),
    ("data-dir-relative", host::directories::relative),
    ("data-dir-shared", host::directories::shared),
    ("data-directory-guc-mismatch", settings::config_dir::data_directory),
    ("dcs-advertised-urls", dcs::servers::advertised),
    ("dcs-consul-protocol-mismatch", dcs::protocol_mismatch::consul),
    ("dcs-consul-ttl", dcs::servers::consul_ttl),
    ("dcs-endpoints-differ-between-members", dcs::endpoints_differ::endpoints),
    ("dcs-etcd-auth-failed", dcs::servers::login),
    ("dcs-etcd-hosts-empty-entry", dcs::etcd_hosts::empty_entry),
    ("dcs-etcd-hosts-even", dcs::etcd_hosts::even),
    ("dcs-etcd-hosts-format", dcs::etcd_hosts::format),
    ("dcs-etcd-hosts-repeated", dcs::etcd_hosts::repeated),
    ("dcs-etcd-permission", dcs::servers::permission),
    ("dcs-etcd-protocol-mismatch", dcs::protocol_mismatch::etcd),
    ("dcs-etcd-v2-api", dcs::etcd_v2_api::check),
    ("dcs-etcd-version-old", dcs::servers::version),
    ("dcs-history-ahead", dcs::cluster_keys::history),
    ("dcs-initialize-mismatch", dcs::cluster_keys::initialize),
    ("dcs-k8s-basics", dcs::k8s_basics::check),
    ("dcs-kind-differs-between-members", dcs::endpoints_differ::kind),
    ("dcs-leader-held-by-other", dcs::cluster_keys::leader),
    ("dcs-multiple-sections", yaml::dcs_multiple_sections::check),
    ("dcs-name-already-running", dcs::cluster_keys::name),
    ("dcs-pause-left-on", cluster::dynamic_settings::paused),
    ("dcs-section-missing", yaml::dcs_section_missing::check),
    ("dcs-server-unhealthy", dcs::servers::unhealthy),
    ("dcs-stale-keys", dcs::cluster_keys::stale),
    ("dcs-unreachable-at-start", dcs::servers::unreachable),
    ("debian-start-conf-auto", units::postgres_started::debian),
    ("duplicate-connect-address", cluster::duplicates::connect_address),
    ("duplicate-member-name", cluster::duplicates::name),
    ("external-pid-or-stats-dir-on-tmpfs", settings::around_restart::on_tmpfs),
    ("failsafe-mode-off", cluster::dynamic_settings::failsafe),
    ("generated-config-placeholder", yaml::generated_config_placeholder::check),
    ("guc-boolean-for-enum", settings::parameters_of_patroni::booleans),
    ("guc-boolean-for-text", settings::parameters_of_patroni::booleans_for_texts),
    ("guc-unknown-to-patroni", settings::parameters_of_patroni::names),
    ("guc-value-refused-by-patroni", settings::parameters_of_patroni::values),
    ("hba-bootstrap-section-ignored", hba::lists::bootstrap),
    ("hba-clientcert-covers-patroni", hba::credentials::clientcert),
    ("hba-file-outside-config-dir", settings::config_dir::hba_file),
    ("hba-ipv6-localhost", hba::own_server::ipv6),
    ("hba-item-not-text", hba::lists::not_text),
    ("hba-line-refuses-patroni", hba::refused::rejected),
    ("hba-line-unreachable", hba::lines::unreachable),
    ("hba-local-hides-dynamic", settings::local_hides_dynamic::lists),
    ("hba-mask-zero-with-address", hba::lines::mask_zero),
    ("hba-method-needs-scram-secret", hba::credentials::scram),
    ("hba-only-for-new-cluster", hba::lists::only_new),
    ("hba-peer-or-ident-for-patroni", hba::credentials::peer),
    ("hba-replication-local-missing", hba::own_server::replication),
    ("hba-replication-missing-for-member", hba::hba_replication_missing_for_member::check),
    ("hba-rewind-missing", hba::hba_rewind_missing::check),
    ("hba-ssl-requirement-mismatch", hba::tls::requirement),
    ("hba-superuser-local-missing", hba::hba_superuser_local_missing::check),
    ("hba-tls-line-without-tls", hba::refused::without_tls),
    ("hba-yaml-ignored", hba::lists::ignored),
    ("hba-yaml-replaces-file", hba::lists::replaces_file),
    ("host-specific-guc-in-dcs", settings::host_specific_guc_in_dcs::check),
    ("ident-file-outside-config-dir", settings::config_dir::ident_file),
    ("ident-map-missing", hba::lines::map_missing),
    ("ignore-slots-matches-all", slots::ignore_slots::matches_all),
    ("ignore-slots-not-list", slots::ignore_slots::not_list),
    ("initdb-options", bootstrap::initdb_options::check),
    ("listen-mismatch-running-primary", settings::listen_mismatch::check),
    ("listen-missing-port", cluster::listen_missing_port::check),
    ("listen-multiple-ports", cluster::listen_multiple_ports::check),
    ("listen-narrower-than-connect-address", cluster::listen_narrower::check),
    ("log-destination-moves", settings::around_restart::log_moves),
    ("log-level-value", yaml::log_level_value::check),
    ("managed-guc-in-parameters", settings::managed_guc_in_parameters::check),
    ("max-replication-slots-lowered", slots::limits::slots),
    ("max-wal-senders-too-low", slots::limits::senders),
    ("member-slots-ttl-zero", cluster::dynamic_settings::slots_ttl),
    ("method-command-cannot-run", scripts::command_cannot_run::replica),
    ("name-or-scope-not-string", yaml::name_or_scope_not_string::check),
    ("name-unsafe-characters", yaml::name_unsafe_characters::check),
    ("parameter-local-hides-dynamic", settings::local_hides_dynamic::parameters),
    ("pg-connect-address-is-pooler", cluster::connect_address_port::pooler),
    ("pg-connect-address-unusable", cluster::connect_address_unusable::postgresql),
    ("pgpass-is-user-file", host::directories::pgpass),
    ("pgpass-not-file", host::directories::pgpass_is_dir),
    ("post-bootstrap-script", scripts::command_cannot_run::post_bootstrap),
    ("pre-promote-fails", scripts::command_cannot_run::pre_promote),
    ("primary-start-timeout-zero", cluster::dynamic_settings::start_timeout),
    ("recovery-gucs-in-auto-conf", settings::recovery_gucs_in_auto_conf::check),
    ("recovery-params-in-two-places", settings::recovery_conf::two_places),
    ("recovery-target-ignored", settings::recovery_conf::ignored),
    ("remove-data-dir-options", cluster::remove_data_dir_options::check),
    ("restapi-allowlist-blocks-failsafe", restapi::allowlist_blocks_failsafe::check),
    ("restapi-allowlist-invalid", restapi::allowlist_invalid::check),
    ("restapi-auth-incomplete", restapi::auth_incomplete::check),
    ("restapi-connect-address-unusable", cluster::connect_address_unusable::restapi),
    ("restapi-port-in-use", cluster::restapi_port_in_use::check),
    ("restapi-tls-files", restapi::tls::files),
    ("restapi-tls-mixed", restapi::tls::mixed),
    ("restapi-verify-client-without-certfile", restapi::tls::without_certfile),
    ("restapi-verify-client-without-ctl-cert", restapi::tls::without_ctl_cert),
    ("rewind-grants-missing", roles::rewind_grants_missing::check),
    ("rewind-restore-command-outside-pgdata", cluster::rewind_restore_command_outside_pgdata::check),
    ("role-password-expires", roles::role_password_expires::check),
    ("role-password-mismatch", roles::role_password_mismatch::check),
    ("role-replication-missing-attribute", roles::role_attribute::replication),
    ("role-superuser-not-superuser", roles::role_attribute::superuser),
    ("scope-from-debian-cluster-name", yaml::scope_from_debian_cluster_name::check),
    ("slot-name-collision", slots::slot_name_collision::check),
    ("slots-bad-value", slots::slots_bad_value::check),
    ("slots-definition-differs", slots::slots_definition_differs::check),
    ("slots-invalid-name", slots::slots_invalid_name::check),
    ("slots-logical-name-equals-member", slots::slots_logical_name_equals_member::check),
    ("slots-not-mapping", slots::slots_not_mapping::check),
    ("socket-dir-in-data-dir", settings::sockets::in_data_dir),
    ("sslmode-value", restapi::sslmode::value),
    ("sslmode-verify-full-to-localhost", hba::tls::verify_full),
    ("sslmode-without-root-certificate", restapi::sslmode::without_root),
    ("standby-cluster-incomplete", cluster::standby_cluster::incomplete),
    ("standby-cluster-same-scope", cluster::standby_cluster::same_scope),
    ("start-order-standby-first", cluster::start_order::standby_first),
    ("start-primary-first", cluster::start_order::order),
    ("superuser-reserved-vs-max-connections", settings::superuser_reserved_vs_max_connections::check),
    ("sync-names-in-parameters", settings::sync_names_in_parameters::check),
    ("sync-names-managed-by-patroni", settings::auto_conf::sync_names),
    ("sync-standby-names-app-name", slots::sync_standby_names_app_name::check),
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
    ("tag-all-nofailover", tags::tag_all_nofailover::check),
    ("tag-contradiction", tags::tag_contradiction::check),
    ("tag-nofailover-on-primary", tags::tag_nofailover_on_primary::check),
    ("tag-nofailover-string", yaml::tag_nofailover_string::check),
    ("tag-nostream-without-restore", tags::tag_nostream_without_restore::check),
    ("tag-replicatefrom-itself", tags::tag_replicatefrom_unknown::itself),
    ("tag-replicatefrom-unknown", tags::tag_replicatefrom_unknown::check),
    ("timeouts-rule", cluster::timeouts_rule::check),
    ("two-primaries", cluster::start_order::two_primaries),
    ("unbounded-slot-wal", slots::unbounded_slot_wal::check),
    ("unit-settings-lost", units::settings_lost::check),
    ("unix-socket-dir-unusable", settings::sockets::unusable),
    ("upgrade-yaml-not-updated", host::directories::upgrade),
    ("use-slots-false-drops-all", slots::use_slots_false::check),
    ("use-unix-socket-without-dirs", settings::sockets::without_dirs),
    ("wal-level-lowered-with-logical-slots", settings::wal_level_lowered_with_logical_slots::check),
    ("watchdog-mode-required", cluster::watchdog::required),
    ("watchdog-mode-value", cluster::watchdog::mode_value),
    ("watchdog-timing", cluster::watchdog::timing),
    ("weak-default-secrets", restapi::weak_secrets::check),
    ("yaml-hash-truncated-value", yaml::yaml_hash_truncated_value::check),
    ("yaml-implicit-bool", yaml::yaml_implicit::bool),
    ("yaml-implicit-null", yaml::yaml_implicit_null::check),
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
