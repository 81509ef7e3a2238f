//! A key to everybody's data in one instance's hands.

use grove_fleet::{layout, model::Engine};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::{View, secret_entries},
};

pub(crate) const RULE: Rule = Rule {
    id: "admin-secret-in-instance",
    severity: Severity::Error,
    summary: "an instance has the password of a shared server's administrator",
    documentation: "\
An instance has a secret that `servers.*.admin` of its cluster names, or the root's password of a
database outside of its namespace. Its own file has it, its group's, or the cluster's under
`instances`.

Whatever plugins and operators run in an instance's namespace reads what is there. With this
password it reads and drops the databases of all others.

Keep it under `cluster` of the cluster's secrets: `grove secret set CLUSTER NAME --cluster-only`.
Change the password on the server, since it was where it should not have been.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "servers: {main: {engine: redis, host: db.example, admin: {user: root, password: {secret: MYSQL_ROOT_PASSWORD}}}}\n"
        )),
    )]),
    hides_source: true,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let cluster = view.fleet.clusters.get(&instance.address.cluster);
        let servers = cluster.into_iter().flat_map(|cluster| &cluster.servers);
        let mut names: Vec<(&str, String)> = servers
            .filter_map(|(name, server)| {
                let admin = server.admin.as_ref()?;
                Some((
                    admin.password.as_str(),
                    format!("the server {}", quote(name)),
                ))
            })
            .collect();
        if let Some(outside) = instance.data.outside.get(&Engine::Mysql) {
            names.push((
                "MYSQL_ROOT_PASSWORD",
                format!("MySQL at {}", quote(&outside.host)),
            ));
        }
        names.dedup_by(|one, other| one.0 == other.0);
        for (name, server) in names {
            let Some(reference) = instance.secrets.get(name) else {
                continue;
            };
            let own = layout::instance_secrets(&instance.address);
            let document = view.all.get(&reference.file);
            let entry = document
                .into_iter()
                .flat_map(secret_entries)
                .find(|entry| entry.key == name);
            let place = match (document, entry) {
                (Some(document), Some(entry)) => {
                    Place::bytes(document.real.as_str(), entry.key_span)
                }
                _ => Place::file(own),
            };
            findings.add_with_hint(
                format!(
                    "{} has {}, with which {server} is administered",
                    instance.address,
                    quote(name)
                ),
                [place],
                "keep it under `cluster` of the cluster's secrets, `grove secret remove` it here, and change it on the server",
            );
        }
    }
}
