//! The list of rules; its order is that of the documentation.

mod addon_values;
mod admin_secret_in_instance;
mod bad_autoscaling;
mod bad_build;
mod bad_data;
mod bad_flag;
mod bad_frontend;
mod bad_group;
mod bad_host;
mod bad_identity;
mod bad_input;
mod bad_mail;
mod bad_name;
mod bad_namespace;
mod bad_network;
mod bad_pod_security;
mod bad_resources;
mod bad_schedule;
mod bad_setting;
mod bad_site;
mod bad_state;
mod broken_link;
mod certificate_expires;
mod certificate_mismatch;
mod chart_missing;
mod distribution_changed;
mod duplicate_key;
mod engine_end_of_life;
mod file_unreadable;
mod harmony_broken_part;
mod harmony_plain_credential;
mod harmony_retired_part;
mod harmony_unused_value;
mod host_clash;
mod identity_changed;
mod identity_clash;
mod image_lacks;
mod instance_gone;
mod limit_exceeded;
mod lock_missing;
mod lock_stale;
mod lock_unreadable;
mod missing_key;
mod mutable_image;
mod name_clash;
mod name_too_long;
mod namespace_clash;
mod outputs_unreadable;
mod owned_config_key;
mod path_escape;
mod placeholder_in_input;
mod plain_secret;
mod published_key;
mod pull_secret_missing;
mod sealing_certificate_expired;
mod sealing_certificate_expires;
mod sealing_certificate_missing;
mod sealing_certificate_unreadable;
mod secret_empty;
mod secret_missing;
mod secrets_not_encrypted;
mod stack_cycle;
mod stack_unreadable;
mod state_key_clash;
mod two_owners;
mod unknown_addon;
mod unknown_cluster;
mod unknown_distribution;
mod unknown_group;
mod unknown_key;
mod unknown_plugin;
mod unknown_ring;
mod unknown_service;
mod unknown_stack;
mod unresolved_input;
mod unsupported_key;
mod uploads_on_pod_disk;
mod wrong_type;
mod yaml_syntax;

use crate::rule::Rule;

/// Every rule.
pub static ALL: &[Rule] = &[
    file_unreadable::RULE,
    limit_exceeded::RULE,
    path_escape::RULE,
    broken_link::RULE,
    yaml_syntax::RULE,
    duplicate_key::RULE,
    unknown_key::RULE,
    wrong_type::RULE,
    missing_key::RULE,
    unsupported_key::RULE,
    bad_name::RULE,
    name_too_long::RULE,
    name_clash::RULE,
    bad_namespace::RULE,
    namespace_clash::RULE,
    bad_identity::RULE,
    identity_clash::RULE,
    bad_group::RULE,
    bad_host::RULE,
    certificate_mismatch::RULE,
    certificate_expires::RULE,
    host_clash::RULE,
    unknown_cluster::RULE,
    unknown_distribution::RULE,
    unknown_group::RULE,
    unknown_plugin::RULE,
    unknown_ring::RULE,
    unknown_service::RULE,
    distribution_changed::RULE,
    lock_missing::RULE,
    lock_unreadable::RULE,
    lock_stale::RULE,
    owned_config_key::RULE,
    mutable_image::RULE,
    bad_resources::RULE,
    bad_autoscaling::RULE,
    bad_build::RULE,
    bad_schedule::RULE,
    bad_network::RULE,
    bad_pod_security::RULE,
    bad_mail::RULE,
    bad_flag::RULE,
    bad_setting::RULE,
    bad_site::RULE,
    bad_frontend::RULE,
    bad_data::RULE,
    two_owners::RULE,
    admin_secret_in_instance::RULE,
    uploads_on_pod_disk::RULE,
    pull_secret_missing::RULE,
    engine_end_of_life::RULE,
    unknown_addon::RULE,
    addon_values::RULE,
    chart_missing::RULE,
    harmony_retired_part::RULE,
    harmony_broken_part::RULE,
    harmony_unused_value::RULE,
    harmony_plain_credential::RULE,
    placeholder_in_input::RULE,
    plain_secret::RULE,
    secrets_not_encrypted::RULE,
    secret_missing::RULE,
    secret_empty::RULE,
    published_key::RULE,
    sealing_certificate_missing::RULE,
    sealing_certificate_unreadable::RULE,
    sealing_certificate_expired::RULE,
    sealing_certificate_expires::RULE,
    bad_state::RULE,
    state_key_clash::RULE,
    unknown_stack::RULE,
    stack_unreadable::RULE,
    bad_input::RULE,
    unresolved_input::RULE,
    stack_cycle::RULE,
    outputs_unreadable::RULE,
    image_lacks::RULE,
    instance_gone::RULE,
    identity_changed::RULE,
];

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id)
}
