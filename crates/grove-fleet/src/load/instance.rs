//! One instance, its layers merged.

use grove_yaml::Value;

use super::{
    build, data, domains, flags, frontend, plugins,
    read::{below, flag, list, number, text, texts, values},
    secrets, workloads,
};
use crate::{
    Address,
    documents::{Document, Documents},
    layer::{self, Merged},
    model::{
        Data, Encryption, Environment, Identity, Image, Instance, Mail, Maintenance, Network,
        PodSecurity, PodSecurityLevel, Role, Settings, State, TypedText,
    },
};

/// Reads an instance; none where it has no identity, since nothing can be named after it then.
///
/// With it comes `data` as it is stated, which is read once outputs of stacks are in their places.
pub(super) fn read(
    documents: &Documents,
    address: &Address,
    document: &Document,
    plugins: &plugins::Shared<'_>,
    secrets: &secrets::Shared,
) -> Option<(Instance, serde_json::Value)> {
    let merged = layer::merge(documents, address)?;
    let text = |path: &[&str]| merged.at(path).and_then(Merged::as_str).map(str::to_owned);
    let groups = document
        .root
        .as_ref()
        .map(|root| layer::groups(root).map(str::to_owned).collect::<Vec<_>>())
        .unwrap_or_default();

    let on = below(&merged, "plugins")
        .map(|(name, _)| name.to_owned())
        .collect::<Vec<_>>();
    let instance = Instance {
        address: address.clone(),
        client: text(&["client"]).unwrap_or_default(),
        environment: merged
            .get("environment")
            .and_then(Merged::as_str)
            .and_then(Environment::from_name)
            .unwrap_or_default(),
        ring: text(&["ring"]),
        labels: texts(&merged, "labels"),
        identity: Identity {
            namespace: text(&["identity", "namespace"])?,
            id: text(&["identity", "id"])?,
        },
        distribution: text(&["distribution"]).unwrap_or_default(),
        hosts: texts(&merged, "hosts"),
        domains: below(&merged, "domains")
            .filter_map(|(name, merged)| Some((name.to_owned(), domains::domain(merged)?)))
            .collect(),
        site: merged.get("site").map(|site| values(Some(site))),
        plugin_files: plugins.of(address, &on),
        plugins: on,
        config: values(merged.get("config")),
        env: below(&merged, "env")
            .map(|(service, env)| (service.to_owned(), settings(env)))
            .collect(),
        images: below(&merged, "images")
            .filter_map(|(component, image)| {
                let reference = image.get("ref")?.as_str()?.to_owned();
                Some((component.to_owned(), Image { reference }))
            })
            .collect(),
        data: Data {
            volumes: data::volumes(merged.get("data")),
            ..Data::default()
        },
        pod_security: PodSecurity {
            level: merged
                .at(&["pod_security", "level"])
                .and_then(|level| PodSecurityLevel::from_name(level.as_str()?))
                .unwrap_or_default(),
            reason: merged
                .get("pod_security")
                .and_then(|security| security.get("reason")?.as_str())
                .map(str::to_owned),
        },
        mfes: below(&merged, "mfes")
            .map(|(name, merged)| (name.to_owned(), frontend::mfe(merged)))
            .collect(),
        theme: merged.get("theme").map(frontend::theme).unwrap_or_default(),
        build: build::build(&merged),
        mail: merged.get("mail").map(mail),
        state: merged
            .get("state")
            .and_then(Merged::as_str)
            .and_then(State::from_name)
            .unwrap_or_default(),
        maintenance: maintenance(merged.get("maintenance")),
        resources: below(&merged, "resources")
            .map(|(workload, merged)| (workload.to_owned(), workloads::resources(merged)))
            .collect(),
        autoscaling: below(&merged, "autoscaling")
            .map(|(workload, merged)| (workload.to_owned(), workloads::scaling(merged)))
            .collect(),
        workers: below(&merged, "workers")
            .map(|(name, merged)| (name.to_owned(), workloads::worker(merged)))
            .collect(),
        cron: below(&merged, "cron")
            .map(|(name, merged)| (name.to_owned(), workloads::cron(merged)))
            .collect(),
        flags: merged.get("flags").map(flags::flags),
        network: network(merged.get("network")),
        quota: merged
            .at(&["quota", "hard"])
            .map(workloads::quantities)
            .unwrap_or_default(),
        container: merged
            .at(&["quota", "container"])
            .map(workloads::resources)
            .unwrap_or_default(),
        access: below(&merged, "access")
            .filter_map(|(group, role)| Some((group.to_owned(), Role::from_name(role.as_str()?)?)))
            .collect(),
        waits: Vec::new(),
        secrets: secrets.of_instance(documents, address, &groups),
        groups,
    };
    let data = merged.get("data").map(Merged::to_json).unwrap_or_default();
    Some((instance, data))
}

fn mail(merged: &Merged<'_>) -> Mail {
    let text = |key: &str| text(merged, key);
    let encryption = text("encryption");
    let encryption = encryption.as_deref().and_then(Encryption::from_name);
    let encryption = encryption.unwrap_or_default();
    Mail {
        host: text("host").unwrap_or_default(),
        port: number(merged, "port").unwrap_or(encryption.port()),
        encryption,
        user: text("user"),
        password: merged
            .at(&["password", "secret"])
            .and_then(Merged::as_str)
            .unwrap_or("SMTP_PASSWORD")
            .to_owned(),
        from: text("from"),
    }
}

fn maintenance(merged: Option<&Merged<'_>>) -> Maintenance {
    let Some(merged) = merged else {
        return Maintenance::default();
    };
    Maintenance {
        message: merged
            .get("message")
            .and_then(Merged::as_str)
            .map(str::to_owned),
        allow: list(merged, "allow"),
    }
}

fn network(merged: Option<&Merged<'_>>) -> Network {
    let Some(merged) = merged else {
        return Network::default();
    };
    Network {
        isolate: flag(merged, "isolate"),
        ingress: list(merged, "ingress"),
        egress: list(merged, "egress"),
    }
}

fn settings(merged: &Merged<'_>) -> Settings {
    Settings {
        features: below(merged, "features")
            .filter_map(|(name, value)| match value.node.value {
                Value::Bool(on) => Some((name.to_owned(), on)),
                _ => None,
            })
            .collect(),
        settings: values(merged.get("settings")),
        production: merged.get("production").and_then(|production| {
            Some(TypedText {
                path: production.document.real.clone(),
                text: production.as_str()?.to_owned(),
            })
        }),
    }
}
