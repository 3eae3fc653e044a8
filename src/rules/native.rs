//! Checks that need code. One function a rule, named like it; everything else about the rule is in its file.

mod cluster;
mod hba;
mod host;
mod roles;
mod settings;
mod slots;
mod tags;
mod yaml;

use super::report::Report;
use crate::facts::Facts;
use crate::facts::gap::Gap;

/// A check: pure, synchronous, sees everything. An error means "not checked", never "fine".
pub type Check = fn(&Facts, &mut Report) -> Result<(), Gap>;

/// Every native check by the name that rule files use, sorted.
pub static NATIVE: &[(&str, Check)] = &[
    ("archive-mode-and-reinit", settings::archive_overwrites::check),
    ("auto-conf-overrides-patroni", settings::auto_conf::overrides),
    ("base-conf-already-exists", settings::config_dir::base_exists),
    ("basebackup-waldir-relative", host::directories::waldir),
    ("bin-dir-unset", host::directories::bin_unset),
    ("bin-dir-version-mismatch", host::directories::bin_version),
    ("bootstrap-dcs-drift", cluster::bootstrap_dcs_drift::check),
    ("bootstrap-section-without-effect", cluster::bootstrap_section_without_effect::check),
    ("cascading-standby-without-tag", slots::cascading_standby_without_tag::check),
    ("cmdline-guc-below-runtime-minimum", settings::cmdline_guc_below_runtime_minimum::check),
    ("cmdline-guc-in-local-parameters", settings::cmdline_guc_in_local_parameters::check),
    ("cmdline-guc-not-carried-over", settings::cmdline_guc_not_carried_over::check),
    ("config-base-name-mismatch", settings::config_dir::base_name_mismatch),
    ("config-dir-missing", settings::config_dir::missing),
    ("custom-conf-is-postgresql-conf", settings::config_dir::custom_is_own),
    ("data-dir-relative", host::directories::relative),
    ("data-dir-shared", host::directories::shared),
    ("data-directory-guc-mismatch", settings::config_dir::data_directory),
    ("dcs-multiple-sections", yaml::dcs_multiple_sections::check),
    ("dcs-section-missing", yaml::dcs_section_missing::check),
    ("duplicate-connect-address", cluster::duplicates::connect_address),
    ("duplicate-member-name", cluster::duplicates::name),
    ("external-pid-or-stats-dir-on-tmpfs", settings::around_restart::on_tmpfs),
    ("generated-config-placeholder", yaml::generated_config_placeholder::check),
    ("guc-boolean-for-enum", settings::parameters_of_patroni::booleans),
    ("guc-unknown-to-patroni", settings::parameters_of_patroni::names),
    ("guc-value-refused-by-patroni", settings::parameters_of_patroni::values),
    ("hba-bootstrap-section-ignored", hba::lists::bootstrap),
    ("hba-clientcert-covers-patroni", hba::credentials::clientcert),
    ("hba-file-outside-config-dir", settings::config_dir::hba_file),
    ("hba-ipv6-localhost", hba::own_server::ipv6),
    ("hba-item-not-text", hba::lists::not_text),
    ("hba-line-unreachable", hba::lines::unreachable),
    ("hba-local-hides-dynamic", settings::local_hides_dynamic::lists),
    ("hba-mask-zero-with-address", hba::lines::mask_zero),
    ("hba-method-needs-scram-secret", hba::credentials::scram),
    ("hba-peer-or-ident-for-patroni", hba::credentials::peer),
    ("hba-replication-local-missing", hba::own_server::replication),
    ("hba-replication-missing-for-member", hba::hba_replication_missing_for_member::check),
    ("hba-rewind-missing", hba::hba_rewind_missing::check),
    ("hba-ssl-requirement-mismatch", hba::tls::requirement),
    ("hba-superuser-local-missing", hba::hba_superuser_local_missing::check),
    ("hba-yaml-ignored", hba::lists::ignored),
    ("hba-yaml-replaces-file", hba::lists::replaces_file),
    ("host-specific-guc-in-dcs", settings::host_specific_guc_in_dcs::check),
    ("ident-file-outside-config-dir", settings::config_dir::ident_file),
    ("ident-map-missing", hba::lines::map_missing),
    ("ignore-slots-matches-all", slots::ignore_slots::matches_all),
    ("ignore-slots-not-list", slots::ignore_slots::not_list),
    ("listen-mismatch-running-primary", settings::listen_mismatch::check),
    ("listen-missing-port", cluster::listen_missing_port::check),
    ("listen-multiple-ports", cluster::listen_multiple_ports::check),
    ("listen-narrower-than-connect-address", cluster::listen_narrower::check),
    ("log-destination-moves", settings::around_restart::log_moves),
    ("managed-guc-in-parameters", settings::managed_guc_in_parameters::check),
    ("max-replication-slots-lowered", slots::limits::slots),
    ("max-wal-senders-too-low", slots::limits::senders),
    ("name-or-scope-not-string", yaml::name_or_scope_not_string::check),
    ("name-unsafe-characters", yaml::name_unsafe_characters::check),
    ("parameter-local-hides-dynamic", settings::local_hides_dynamic::parameters),
    ("pg-connect-address-unusable", cluster::connect_address_unusable::postgresql),
    ("pgpass-is-user-file", host::directories::pgpass),
    ("recovery-gucs-in-auto-conf", settings::recovery_gucs_in_auto_conf::check),
    ("recovery-params-in-two-places", settings::recovery_conf::two_places),
    ("recovery-target-ignored", settings::recovery_conf::ignored),
    ("remove-data-dir-options", cluster::remove_data_dir_options::check),
    ("restapi-connect-address-unusable", cluster::connect_address_unusable::restapi),
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
    ("sslmode-verify-full-to-localhost", hba::tls::verify_full),
    ("standby-cluster-incomplete", cluster::standby_cluster::incomplete),
    ("standby-cluster-same-scope", cluster::standby_cluster::same_scope),
    ("superuser-reserved-vs-max-connections", settings::superuser_reserved_vs_max_connections::check),
    ("sync-names-in-parameters", settings::sync_names_in_parameters::check),
    ("sync-names-managed-by-patroni", settings::auto_conf::sync_names),
    ("sync-standby-names-app-name", slots::sync_standby_names_app_name::check),
    ("systemd-killmode", host::systemd_killmode::check),
    ("systemd-user-mismatch", host::systemd_user_mismatch::check),
    ("tag-all-nofailover", tags::tag_all_nofailover::check),
    ("tag-contradiction", tags::tag_contradiction::check),
    ("tag-nofailover-string", yaml::tag_nofailover_string::check),
    ("tag-nostream-without-restore", tags::tag_nostream_without_restore::check),
    ("tag-replicatefrom-unknown", tags::tag_replicatefrom_unknown::check),
    ("timeouts-rule", cluster::timeouts_rule::check),
    ("unbounded-slot-wal", slots::unbounded_slot_wal::check),
    ("unix-socket-dir-unusable", settings::sockets::unusable),
    ("upgrade-yaml-not-updated", host::directories::upgrade),
    ("use-unix-socket-without-dirs", settings::sockets::without_dirs),
    ("wal-level-lowered-with-logical-slots", settings::wal_level_lowered_with_logical_slots::check),
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
