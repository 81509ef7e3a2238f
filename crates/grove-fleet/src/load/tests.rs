use super::*;
use crate::{Address, File, Snapshot, model::Environment};

const ENC: &str = "ENC[AES256_GCM,data:AA==,iv:BB==,tag:CC==,type:str]";

fn snapshot() -> Snapshot {
    Snapshot::default()
        .with(
            "grove.yaml",
            "\
version: 1
name: acme
deploy: {remote: 'git@x:{cluster}.git'}
registry: {push: r.example/openedx}
rings: [{name: canary}, {name: general}]
",
        )
        .with("distributions/v1.yaml", "release: verawood\ntutor: \"22.0.3\"\nplugins:\n  tutor-mfe: \"22.1.0\"\n  own: {git: https://x/y, rev: abc}\n")
        .with("clusters/prod/cluster.yaml", "provider: existing\nargo: {namespace: cd}\n")
        .with(
            "clusters/prod/secrets.sops.yaml",
            &format!("instances:\n  SHARED: {ENC}\n  OWN: {ENC}\ncluster:\n  KEY: {ENC}\nsops: {{mac: x}}\n"),
        )
        .with("groups/uni/group.yaml", "client: uni\n")
        .with("groups/uni/secrets.sops.yaml", &format!("GROUP: {ENC}\nOWN: {ENC}\nsops: {{mac: x}}\n"))
        .with("plugins/shop.py", "shared shop")
        .with("plugins/seal.yml", "name: seal")
        .with("plugins/unused.py", "")
        .with(
            "clusters/prod/instances/uni/instance.yaml",
            "\
groups: [uni]
environment: staging
labels: {tier: gold}
identity: {namespace: uni, id: x}
distribution: v1
hosts: {lms: l.example, cms: 5}
domains: {a.example: {service: lms}, b.example: {}}
plugins: {shop: {}, seal: {}, mfe: {}}
config: {A: [1]}
env: {lms: {features: {F: true, G: 1}, settings: {S: 1}, production: X = 1}}
images: {openedx: {ref: r/o:1}, mfe: {}}
",
        )
        .with("clusters/prod/instances/uni/secrets.sops.yaml", &format!("OWN: {ENC}\nPLAIN: hunter2\nEMPTY: ''\nsops: {{mac: x}}\n"))
        .with("clusters/prod/instances/uni/plugins/shop.py", "own shop")
        .with("clusters/prod/instances/nameless/instance.yaml", "client: x\n")
        .with("clusters/prod/instances/empty/README.md", "")
}

fn loaded() -> Fleet {
    fleet(&documents(&snapshot()))
}

#[test]
fn a_fleet_is_typed() {
    let fleet = loaded();
    insta::assert_debug_snapshot!(
        (&fleet.name, &fleet.deploy_remote, &fleet.registry, &fleet.rings),
        @r#"
    (
        "acme",
        "git@x:{cluster}.git",
        Some(
            "r.example/openedx",
        ),
        [
            "canary",
            "general",
        ],
    )
    "#
    );
    insta::assert_debug_snapshot!(fleet.distributions["v1"], @r#"
    Distribution {
        name: "v1",
        release: "verawood",
        tutor: Version(
            "22.0.3",
        ),
        plugins: {
            "own": Git {
                git: "https://x/y",
                rev: "abc",
            },
            "tutor-mfe": Version(
                "22.1.0",
            ),
        },
        packages: {},
        lock: None,
    }
    "#);
    insta::assert_debug_snapshot!(fleet.clusters["prod"], @r#"
    Cluster {
        name: "prod",
        provider: "existing",
        server: None,
        uid: None,
        domain: None,
        ingress_class: "traefik",
        cluster_issuer: "harmony-letsencrypt-global",
        argocd_namespace: "cd",
        argocd_version: None,
        sealed_secrets_version: None,
        harmony: None,
        addons: {},
        sealing: None,
        servers: {},
        admin_image: None,
        storage: None,
        credentials: {},
        environment: [],
        waits: [],
        secrets: {
            "KEY": SecretReference {
                file: "clusters/prod/secrets.sops.yaml",
                path: [
                    "cluster",
                    "KEY",
                ],
                digest: "sha256:35ed2fc4238a5a6b482f2f6c5453b54ee6018f51c41e48631dc4e6e8c1f9b101",
            },
        },
    }
    "#);
}

#[test]
fn what_is_broken_in_an_instance_is_left_out() {
    let fleet = loaded();
    // An instance without an identity is none.
    assert_eq!(fleet.instances.len(), 1);
    let instance = &fleet.instances[&Address::new("prod", "uni")];
    assert_eq!(instance.environment, Environment::Staging);
    assert_eq!(instance.client, "uni");
    insta::assert_debug_snapshot!(
        (&instance.hosts, &instance.domains, &instance.plugins, &instance.config, &instance.env, &instance.images),
        @r#"
    (
        {
            "lms": "l.example",
        },
        {
            "a.example": Domain {
                service: "lms",
                redirect: false,
                site: None,
                tenant: None,
                certificate: None,
            },
        },
        [
            "mfe",
            "seal",
            "shop",
        ],
        {
            "A": Array [
                Number(1),
            ],
        },
        {
            "lms": Settings {
                features: {
                    "F": true,
                },
                settings: {
                    "S": Number(1),
                },
                production: Some(
                    TypedText {
                        path: "clusters/prod/instances/uni/instance.yaml",
                        text: "X = 1",
                    },
                ),
            },
        },
        {
            "openedx": Image {
                reference: "r/o:1",
            },
        },
    )
    "#
    );
}

#[test]
fn an_instances_own_plugin_wins() {
    let fleet = loaded();
    let files = fleet.instances[&Address::new("prod", "uni")]
        .plugin_files
        .iter()
        .map(|(name, file)| {
            format!(
                "{name}: {} {}",
                file.path,
                String::from_utf8_lossy(&file.content)
            )
        })
        .collect::<Vec<_>>();
    assert_eq!(
        files,
        [
            "seal: plugins/seal.yml name: seal",
            "shop: clusters/prod/instances/uni/plugins/shop.py own shop",
        ]
    );
}

#[test]
fn secrets_come_from_cluster_group_and_instance() {
    let fleet = loaded();
    let secrets = fleet.instances[&Address::new("prod", "uni")]
        .secrets
        .iter()
        .map(|(name, reference)| format!("{name}: {} {}", reference.file, reference.path.join(".")))
        .collect::<Vec<_>>();
    assert_eq!(
        secrets,
        [
            "EMPTY: clusters/prod/instances/uni/secrets.sops.yaml EMPTY",
            "GROUP: groups/uni/secrets.sops.yaml GROUP",
            "OWN: clusters/prod/instances/uni/secrets.sops.yaml OWN",
            "SHARED: clusters/prod/secrets.sops.yaml instances.SHARED",
        ]
    );
    assert_eq!(
        fleet.clusters["prod"].secrets.keys().collect::<Vec<_>>(),
        ["KEY"]
    );
}

#[test]
fn a_digest_changes_with_the_encrypted_text() {
    let digest = |snapshot: &Snapshot| {
        let fleet = fleet(&documents(snapshot));
        fleet.instances[&Address::new("prod", "uni")].secrets["GROUP"]
            .digest
            .clone()
    };
    let before = digest(&snapshot());
    let other = snapshot().with(
        "groups/uni/secrets.sops.yaml",
        "# A comment.\nGROUP: ENC[AES256_GCM,data:AB==,iv:BB==,tag:CC==,type:str]\n",
    );
    assert_eq!(before.len(), "sha256:".len() + 64);
    assert_ne!(before, digest(&other));
    let same = snapshot().with(
        "groups/uni/secrets.sops.yaml",
        &format!("# A comment.\nGROUP:   '{ENC}'\n"),
    );
    assert_eq!(before, digest(&same));
}

#[test]
fn broken_files_break_nothing_else() {
    let mut snapshot = snapshot()
        .with(
            "clusters/prod/instances/bad/instance.yaml",
            "identity: {namespace: bad, id: y}\nhosts: [",
        )
        .with("groups/uni/group.yaml", "- no\n- map\n")
        .with("distributions/v1.lock", "not a lock")
        .with("clusters/prod/sealing.pem", "not a certificate");
    snapshot
        .files
        .insert("distributions/big.yaml".to_owned(), File::TooLarge(1 << 40));
    snapshot
        .files
        .insert("grove.yaml".to_owned(), File::Bytes((*b"\xff\xfe").into()));
    let documents = documents(&snapshot);
    assert_eq!(documents.files["grove.yaml"].problems.len(), 1);
    let fleet = fleet(&documents);
    assert_eq!(fleet.instances.len(), 2);
    assert_eq!(fleet.distributions["v1"].lock, None);
    assert_eq!(fleet.clusters["prod"].sealing, None);
    assert_eq!(fleet.distributions["big"].release, "");
}

#[test]
fn files_are_known_by_their_paths() {
    let kinds = documents(&snapshot())
        .files
        .values()
        .map(|document| format!("{} {:?}", document.path, document.kind))
        .collect::<Vec<_>>();
    insta::assert_snapshot!(kinds.join("\n"), @r#"
    clusters/prod/cluster.yaml Cluster("prod")
    clusters/prod/instances/nameless/instance.yaml Instance(Address { cluster: "prod", instance: "nameless" })
    clusters/prod/instances/uni/instance.yaml Instance(Address { cluster: "prod", instance: "uni" })
    clusters/prod/instances/uni/plugins/shop.py Plugin { name: "shop", instance: Some(Address { cluster: "prod", instance: "uni" }) }
    clusters/prod/instances/uni/secrets.sops.yaml InstanceSecrets(Address { cluster: "prod", instance: "uni" })
    clusters/prod/secrets.sops.yaml ClusterSecrets("prod")
    distributions/v1.yaml Distribution("v1")
    groups/uni/group.yaml Group("uni")
    groups/uni/secrets.sops.yaml GroupSecrets("uni")
    grove.yaml Fleet
    plugins/seal.yml Plugin { name: "seal", instance: None }
    plugins/shop.py Plugin { name: "shop", instance: None }
    plugins/unused.py Plugin { name: "unused", instance: None }
    "#);
}

#[test]
fn links_inside_the_fleet_are_followed() {
    let mut snapshot = snapshot().with("shared/uni.yaml", "identity: {namespace: linked, id: z}\n");
    let mut link = |path: &str, target: &str| {
        snapshot
            .files
            .insert(path.to_owned(), File::Link(target.to_owned()));
    };
    link(
        "clusters/prod/instances/linked/instance.yaml",
        "../../../../shared/uni.yaml",
    );
    link("clusters/stage", "prod");
    link("clusters/out/cluster.yaml", "../../../etc/passwd");
    link("clusters/absolute/cluster.yaml", "/etc/passwd");
    link("groups/loop", "loop/loop");
    link("plugins/own.py", "shop.py");
    link("all", ".");
    let documents = documents(&snapshot);
    let linked = documents
        .files
        .values()
        .filter(|document| document.path != document.real)
        .map(|document| format!("{} -> {}", document.path, document.real))
        .collect::<Vec<_>>();
    insta::assert_snapshot!(linked.join("\n"), @"
    clusters/prod/instances/linked/instance.yaml -> shared/uni.yaml
    clusters/stage/cluster.yaml -> clusters/prod/cluster.yaml
    clusters/stage/instances/nameless/instance.yaml -> clusters/prod/instances/nameless/instance.yaml
    clusters/stage/instances/uni/instance.yaml -> clusters/prod/instances/uni/instance.yaml
    clusters/stage/instances/uni/plugins/shop.py -> clusters/prod/instances/uni/plugins/shop.py
    clusters/stage/instances/uni/secrets.sops.yaml -> clusters/prod/instances/uni/secrets.sops.yaml
    clusters/stage/secrets.sops.yaml -> clusters/prod/secrets.sops.yaml
    plugins/own.py -> plugins/shop.py
    ");
    let fleet = fleet(&documents);
    assert_eq!(
        fleet.instances[&Address::new("prod", "linked")]
            .identity
            .namespace,
        "linked"
    );
    assert_eq!(
        fleet.instances[&Address::new("stage", "uni")]
            .identity
            .namespace,
        "uni"
    );
}

#[test]
fn a_stack_has_the_files_below_it_and_the_modules_that_it_calls() {
    let snapshot = Snapshot::default()
        .with("clusters/prod/cluster.yaml", "provider: existing\n")
        .with(
            "clusters/prod/stacks/dns/main.tf",
            "variable \"zone\" {}\nmodule \"a\" {\n  source = \"../../../../modules/a\"\n}\nmodule \"c\" {\n  source = \"./child\"\n}\n",
        )
        .with("clusters/prod/stacks/dns/files/motd.txt", "hello")
        .with("clusters/prod/stacks/dns/child/main.tf", "variable \"zone\" {}\n")
        .with("modules/a/main.tf", "module \"b\" {\n  source = \"../b\"\n}\n")
        .with("modules/b/main.tf", "output \"x\" {\n  value = 1\n}\n")
        .with("modules/unused/main.tf", "");
    let fleet = super::fleet(&super::documents(&snapshot));
    let stack = fleet.stacks.values().next().unwrap();
    assert_eq!(stack.problem, None);
    let grove_stack::stack::Source::Module { files, module, .. } = &stack.source else {
        panic!("{stack:?}");
    };
    insta::assert_snapshot!(files.keys().cloned().collect::<Vec<_>>().join("\n"), @"
    clusters/prod/stacks/dns/child/main.tf
    clusters/prod/stacks/dns/files/motd.txt
    clusters/prod/stacks/dns/main.tf
    modules/a/main.tf
    modules/b/main.tf
    ");
    assert_eq!(module.variables.len(), 1);
}
