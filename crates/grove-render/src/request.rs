//! What Tutor is told about an instance.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use grove_fleet::model::{Encryption, Instance, Settings};
use serde_json::{Map, Value, json};

use crate::{Error, TutorInput, components, data, frontend, hosts, names, python};

/// The secret that Tutor's templates take apart: the worker brings a throw-away in its place.
const JWT_KEY: &str = "JWT_RSA_PRIVATE_KEY";

/// The configuration that all services share.
const COMMON: &str = "common";

/// What `env` of a service goes into: the patch of its features, and the patch that stands last in
/// its production settings. Features are stated in both: the first is read while the platform
/// decides which of its parts to load, the second has the last word over Tutor's own values.
const SERVICES: &[(&str, &str, &str)] = &[
    ("lms", "lms-env-features", "openedx-lms-production-settings"),
    ("cms", "cms-env-features", "openedx-cms-production-settings"),
];

/// The settings of Open edX that name a sender.
const SENDERS: [&str; 3] = [
    "BULK_EMAIL_DEFAULT_FROM_EMAIL",
    "DEFAULT_FROM_EMAIL",
    "SERVER_EMAIL",
];

/// Turns an instance into Tutor's configuration, plugins and patches.
///
/// The operator's `config` comes first and what Grove owns second, so that a key which slipped
/// through stays Grove's.
pub fn request(instance: &Instance) -> Result<TutorInput, Error> {
    for service in ["lms", "cms"] {
        if !instance.hosts.contains_key(service) {
            return Err(Error::new(
                format!("`hosts` has no {service}"),
                "every instance states its hosts for `lms` and `cms`",
            ));
        }
    }
    let hosts = instance.hosts.values().chain(instance.domains.keys());
    for host in hosts {
        // Hosts become part of configuration files of many languages.
        if !names::is_subdomain(host) {
            return Err(names::bad_host(host));
        }
    }
    let mut config = instance.config.clone();
    let mut set = |key: String, value: Value| {
        config.insert(key, value);
    };
    for (key, value) in frontend::indigo(instance) {
        set(key.to_owned(), value);
    }
    let secrets: BTreeSet<String> = instance.secrets.keys().cloned().collect();
    for name in secrets.iter().filter(|name| *name != JWT_KEY) {
        set(name.clone(), format!("@@{name}@@").into());
    }
    for (service, host) in &instance.hosts {
        for (key, value) in hosts::config(service, host) {
            set(key, value.into());
        }
    }
    for (component, image) in &instance.images {
        set(
            components::image_key(component),
            image.reference.clone().into(),
        );
    }
    for (key, value) in data::config(instance) {
        set(key, value);
    }
    if let Some(mail) = &instance.mail {
        let is_host = names::is_subdomain(&mail.host) || mail.host.parse::<IpAddr>().is_ok();
        if !is_host {
            return Err(names::bad_host(&mail.host));
        }
        let password = mail.user.as_ref().map(|_| format!("@@{}@@", mail.password));
        set("RUN_SMTP".to_owned(), false.into());
        set("SMTP_HOST".to_owned(), mail.host.clone().into());
        set("SMTP_PORT".to_owned(), mail.port.into());
        set(
            "SMTP_USERNAME".to_owned(),
            mail.user.clone().unwrap_or_default().into(),
        );
        set(
            "SMTP_PASSWORD".to_owned(),
            password.unwrap_or_default().into(),
        );
        set(
            "SMTP_USE_TLS".to_owned(),
            (mail.encryption == Encryption::StartTls).into(),
        );
        set(
            "SMTP_USE_SSL".to_owned(),
            (mail.encryption == Encryption::Tls).into(),
        );
    }
    let mut plugins = plugins(instance);
    let mut plugin_files: BTreeMap<String, Arc<[u8]>> = instance
        .plugin_files
        .iter()
        .map(|(name, file)| {
            let name = file.path.rsplit('/').next().unwrap_or(name);
            (name.to_owned(), file.content.clone())
        })
        .collect();
    if let Some(text) = frontend::plugin(instance) {
        plugins.push(frontend::PLUGIN.to_owned());
        plugin_files.insert(format!("{}.py", frontend::PLUGIN), text.into_bytes().into());
    }
    set("ID".to_owned(), instance.identity.id.clone().into());
    set(
        "K8S_NAMESPACE".to_owned(),
        instance.identity.namespace.clone().into(),
    );
    set("ENABLE_HTTPS".to_owned(), true.into());
    // TLS ends at the cluster's ingress; Caddy routes plain requests behind it.
    set("ENABLE_WEB_PROXY".to_owned(), false.into());
    set("PLUGINS".to_owned(), json!(plugins));
    config.remove(JWT_KEY);

    Ok(TutorInput {
        config,
        plugins,
        plugin_files,
        patches: patches(instance),
        secrets,
    })
}

/// Every plugin that is on, once, in an order that depends on nothing else.
fn plugins(instance: &Instance) -> Vec<String> {
    let names: BTreeSet<&String> = instance
        .plugins
        .iter()
        .chain(instance.plugin_files.keys())
        .collect();
    names.into_iter().cloned().collect()
}

/// The text of `env` and of `domains` for each of Tutor's patches.
fn patches(instance: &Instance) -> BTreeMap<String, String> {
    let mut patches: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |patch: &str, text: &str| {
        let patch = patches.entry(patch.to_owned()).or_default();
        if !patch.is_empty() && !patch.ends_with('\n') {
            patch.push('\n');
        }
        patch.push_str(text);
    };
    // What only leads elsewhere is never seen by a service.
    for (domain, what) in instance.domains.iter().filter(|(_, what)| !what.redirect) {
        for (patch, setting, entry) in hosts::allow(&what.service, domain) {
            add(
                patch,
                &format!("{setting}.append({})\n", python::string(&entry)),
            );
        }
    }
    if let Some((patch, text)) = frontend::settings(instance) {
        add(patch, &text);
    }
    if let Some((patch, text)) = data::settings(instance) {
        add(patch, &text);
    }
    let none = Settings::default();
    let of = |service: &str| instance.env.get(service).unwrap_or(&none);
    let common = of(COMMON);
    for (service, features_patch, settings_patch) in SERVICES {
        let own = of(service);
        let mut features = common.features.clone();
        features.extend(own.features.clone());
        for (name, on) in &features {
            // A quoted key of JSON is one of YAML as well.
            add(
                features_patch,
                &format!("{}: {on}\n", Value::from(name.as_str())),
            );
        }
        let from = instance.mail.as_ref().and_then(|mail| mail.from.as_ref());
        for (name, from) in SENDERS.iter().zip(from.into_iter().cycle()) {
            add(
                settings_patch,
                &python::assignment(name, &from.clone().into()),
            );
        }
        // Text first, so that what is typed wins over it.
        for text in [common, own]
            .into_iter()
            .filter_map(|settings| settings.production.as_ref())
        {
            add(settings_patch, &text.text);
        }
        for (name, on) in &features {
            let on = python::literal(&Value::Bool(*on));
            add(
                settings_patch,
                &format!("FEATURES[{}] = {on}\n", python::string(name)),
            );
        }
        let mut settings: Map<String, Value> = common.settings.clone();
        settings.extend(own.settings.clone());
        for (name, value) in &settings {
            add(settings_patch, &python::assignment(name, value));
        }
    }
    patches
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::{
        Domain, Encryption, Image, Mail, PluginFile, SecretReference, Settings, TypedText,
    };
    use serde_json::json;

    use super::request;
    use crate::testing;

    #[test]
    fn what_grove_owns_is_told_to_tutor() {
        let mut instance = testing::instance();
        instance.config = serde_json::from_value(json!({
            "PLATFORM_NAME": "University", "K8S_NAMESPACE": "stolen", "JWT_RSA_PRIVATE_KEY": "x",
        }))
        .unwrap();
        instance
            .hosts
            .insert("meilisearch".into(), "search.uni.example".into());
        instance
            .hosts
            .insert("own-shop".into(), "shop.uni.example".into());
        for (component, reference) in [("openedx", "r/o@sha256:1"), ("own-shop", "r/s:1")] {
            let image = Image {
                reference: reference.into(),
            };
            instance.images.insert(component.into(), image);
        }
        for name in ["JWT_RSA_PRIVATE_KEY", "MYSQL_ROOT_PASSWORD"] {
            let (file, digest) = (String::new(), String::new());
            instance.secrets.insert(
                name.into(),
                SecretReference {
                    file,
                    path: vec![],
                    digest,
                },
            );
        }
        let file = PluginFile {
            path: "plugins/shop.py".into(),
            content: b"x".as_slice().into(),
        };
        instance.plugin_files.insert("shop".into(), file);
        let input = request(&instance).unwrap();
        let config = serde_json::to_string_pretty(&input.config).unwrap();
        insta::assert_snapshot!(config, @r#"
        {
          "CMS_HOST": "studio.uni.example",
          "DOCKER_IMAGE_OPENEDX": "r/o@sha256:1",
          "ENABLE_HTTPS": true,
          "ENABLE_WEB_PROXY": false,
          "ID": "0123456789abcdefghijklmn",
          "K8S_NAMESPACE": "uni",
          "LMS_HOST": "learn.uni.example",
          "MEILISEARCH_HOST": "search.uni.example",
          "MEILISEARCH_PUBLIC_URL": "https://search.uni.example",
          "MFE_HOST": "apps.uni.example",
          "MYSQL_ROOT_PASSWORD": "@@MYSQL_ROOT_PASSWORD@@",
          "OWN_SHOP_DOCKER_IMAGE": "r/s:1",
          "OWN_SHOP_HOST": "shop.uni.example",
          "PLATFORM_NAME": "University",
          "PLUGINS": [
            "indigo",
            "mfe",
            "shop"
          ]
        }
        "#);
        insta::assert_debug_snapshot!((&input.plugins, input.plugin_files.keys(), &input.secrets), @r#"
        (
            [
                "indigo",
                "mfe",
                "shop",
            ],
            [
                "shop.py",
            ],
            {
                "JWT_RSA_PRIVATE_KEY",
                "MYSQL_ROOT_PASSWORD",
            },
        )
        "#);
    }

    #[test]
    fn settings_become_patches_and_typed_ones_come_last() {
        let mut instance = testing::instance();
        let settings = |value: serde_json::Value, on: &[(&str, bool)], text: &str| Settings {
            features: on
                .iter()
                .map(|(name, on)| ((*name).to_owned(), *on))
                .collect(),
            settings: serde_json::from_value(value).unwrap(),
            production: Some(TypedText {
                path: String::new(),
                text: text.to_owned(),
            }),
        };
        instance.env.insert(
            "common".into(),
            settings(
                json!({"A": 1, "B": [true]}),
                &[("ENABLE_X", true), ("ENABLE_Y", true)],
                "A = 0",
            ),
        );
        instance.env.insert(
            "lms".into(),
            settings(json!({"A": null}), &[("ENABLE_Y", false)], "C = 3\n"),
        );
        instance.domains.insert(
            "shop.example".into(),
            Domain {
                service: "lms".into(),
                redirect: false,
                ..Domain::default()
            },
        );
        instance.domains.insert(
            "notes.example".into(),
            Domain {
                service: "notes".into(),
                redirect: false,
                ..Domain::default()
            },
        );
        let patches: Vec<String> = request(&instance)
            .unwrap()
            .patches
            .iter()
            .map(|(patch, text)| format!("--- {patch}\n{text}"))
            .collect();
        insta::assert_snapshot!(patches.concat(), @r#"
        --- cms-env-features
        "ENABLE_X": true
        "ENABLE_Y": true
        --- lms-env-features
        "ENABLE_X": true
        "ENABLE_Y": false
        --- notes-settings
        ALLOWED_HOSTS.append("notes.example")
        --- openedx-cms-production-settings
        A = 0
        FEATURES["ENABLE_X"] = True
        FEATURES["ENABLE_Y"] = True
        A = 1
        B = [True]
        --- openedx-lms-production-settings
        ALLOWED_HOSTS.append("shop.example")
        CORS_ORIGIN_WHITELIST.append("https://shop.example")
        CSRF_TRUSTED_ORIGINS.append("https://shop.example")
        LOGIN_REDIRECT_WHITELIST.append("shop.example")
        A = 0
        C = 3
        FEATURES["ENABLE_X"] = True
        FEATURES["ENABLE_Y"] = False
        A = None
        B = [True]
        "#);
    }

    #[test]
    fn a_relay_takes_the_place_of_tutors_own() {
        let mut instance = testing::instance();
        let mut mail = Mail {
            host: "smtp.example".to_owned(),
            port: 465,
            encryption: Encryption::Tls,
            user: Some("uni".to_owned()),
            password: "RELAY_PASSWORD".to_owned(),
            from: Some("learn@uni.example".to_owned()),
        };
        instance.mail = Some(mail.clone());
        let input = request(&instance).unwrap();
        let of_mail = input.config.iter().filter(|(key, _)| key.contains("SMTP"));
        let of_mail: Vec<String> = of_mail
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        insta::assert_snapshot!(of_mail.join("\n"), @r#"
        RUN_SMTP: false
        SMTP_HOST: "smtp.example"
        SMTP_PASSWORD: "@@RELAY_PASSWORD@@"
        SMTP_PORT: 465
        SMTP_USERNAME: "uni"
        SMTP_USE_SSL: true
        SMTP_USE_TLS: false
        "#);
        insta::assert_snapshot!(input.patches["openedx-cms-production-settings"], @r#"
        BULK_EMAIL_DEFAULT_FROM_EMAIL = "learn@uni.example"
        DEFAULT_FROM_EMAIL = "learn@uni.example"
        SERVER_EMAIL = "learn@uni.example"
        "#);
        mail.host = "smtp\"".to_owned();
        instance.mail = Some(mail);
        assert!(request(&instance).is_err());
    }

    #[test]
    fn hosts_are_there_and_are_host_names() {
        let mut instance = testing::instance();
        instance.hosts.insert("mfe".into(), "{{ 1 }}".into());
        insta::assert_snapshot!(request(&instance).unwrap_err(), @r#""{{ 1 }}" is not a host name in lower case"#);
        instance.hosts.remove("cms");
        insta::assert_snapshot!(request(&instance).unwrap_err(), @"`hosts` has no cms");
    }
}
