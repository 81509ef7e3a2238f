use std::fmt::Write as _;

use grove_yaml::{Limits, LineIndex};

use super::{table::find, *};

fn found(kind: FileKind, text: &str) -> String {
    let parsed = grove_yaml::parse(text.as_bytes(), Limits::default());
    assert_eq!(parsed.problems, []);
    let index = LineIndex::new(text);
    let root = parsed.root.unwrap();
    misfits(kind, &root)
        .into_iter()
        .fold(String::new(), |mut out, misfit| {
            let place = index.position(misfit.span.start);
            let hint = misfit.hint.unwrap_or_default();
            let _ = writeln!(
                out,
                "{}:{} {:?} {}: {} ({hint})",
                place.line,
                place.column,
                misfit.kind,
                misfit.path.join("/"),
                misfit.message
            );
            out
        })
}

const INSTANCE: &str = "\
client: uni
environment: staging
groups: [uni]
ring: general
labels: {tier: gold}
identity: {namespace: uni, id: x}
distribution: v1
hosts: {lms: a.example, mfe: null}
domains: {b.example: {service: lms}, c.example: null}
plugins: {mfe: {}, forum: null}
config: {ANY: [{thing: 1}], NO: null}
env: {lms: {features: {F: true, G: null}, settings: {S: [1]}, production: 'X = 1'}, cms: null}
images: {openedx: {ref: r/o}}
data: {mysql: {mode: in-namespace}}
state: active
";

#[test]
fn what_fits_is_not_found() {
    assert_eq!(found(FileKind::Instance, INSTANCE), "");
    assert_eq!(
        found(FileKind::Group, "ring: x\nconfig: {A: 1}\nclient: null\n"),
        ""
    );
    assert_eq!(
        found(
            FileKind::Distribution,
            "release: v\ntutor: '22.0.3'\nplugins: {a: '1', b: {git: u, rev: r}}\npackages: {}\n"
        ),
        ""
    );
    assert_eq!(
        found(
            FileKind::Cluster,
            "provider: aws\ndomain: x\nargo: {topology: local, namespace: cd}\nsecrets: {backend: sealed-secrets}\ningress: {class: c}\ncertificates: {issuer: i}\ndefaults: {ring: r, config: null}\n"
        ),
        ""
    );
    assert_eq!(
        found(
            FileKind::Fleet,
            "version: 1\nname: a\ndeploy: {remote: r}\nregistry: {push: p}\nrings: [{name: a, defaults: {config: {}}}]\ndefaults: {}\n"
        ),
        ""
    );
}

#[test]
fn unknown_keys_are_told_what_is_near() {
    insta::assert_snapshot!(found(
        FileKind::Instance,
        "client: x\nidentity: {namespace: a, id: b, nme: c}\nhost: {}\nPLATFORM_NAME: x\nenv: {lsm: {}}\nzzzzzz: 1\nplugins: {a: {b: 1}}\n"
    ), @"
    2:33 UnknownKey identity/nme: there is no key `nme` here (the keys here are `namespace`, `id`)
    3:1 UnknownKey host: there is no key `host` here (there is a key `hosts`)
    4:1 UnknownKey PLATFORM_NAME: there is no key `PLATFORM_NAME` here (keys of Tutor go under `config`)
    5:7 UnknownKey env/lsm: there is no key `lsm` here (there is a key `lms`)
    6:1 UnknownKey zzzzzz: there is no key `zzzzzz` here ()
    7:15 UnknownKey plugins/a/b: there is no key `b` here ()
    ");
    insta::assert_snapshot!(found(FileKind::Group, "defaults: {config: {}}\nidentity: {}\n"), @"
    1:1 UnknownKey defaults: there is no key `defaults` here (what stands under `defaults` elsewhere stands at the top here)
    2:1 UnknownKey identity: there is no key `identity` here ()
    ");
    insta::assert_snapshot!(found(
        FileKind::Fleet,
        "version: 1\nname: a\ndeploy: {remote: r}\nrings: [{name: a, defaults: {ring: b}}]\n"
    ), @"4:30 UnknownKey rings/0/defaults/ring: there is no key `ring` here ()");
}

#[test]
fn wrong_types_are_told_what_is_right() {
    insta::assert_snapshot!(found(
        FileKind::Instance,
        "client: 5\nenvironment: prod\ngroups: uni\nidentity: []\nhosts: [a]\nlabels: {a: true}\nenv: {lms: {features: {F: 'yes'}}}\nstate: 1\nimages: {a: text}\n"
    ), @"
    1:9 WrongType client: `client` is a number, not text (quote it)
    2:14 WrongType environment: `environment` cannot be `prod` (it can be `production`, `staging`, `development`, `sandbox`)
    3:9 WrongType groups: `groups` is text, not a list ()
    4:11 WrongType identity: `identity` is a list, not a map ()
    5:8 WrongType hosts: `hosts` is a list, not a map ()
    6:13 WrongType labels/a: `labels.a` is true or false, not text (quote it)
    7:27 WrongType env/lms/features/F: `env.lms.features.F` is text, not true or false ()
    8:8 WrongType state: `state` is a number, not text (it can be `active`, `maintenance`, `stopped`)
    9:13 WrongType images/a: `images.a` is text, not a map ()
    ");
    insta::assert_snapshot!(found(FileKind::Distribution, "release: null\ntutor: 22.0\nplugins: {a: [1], b: {git: u}}\n"), @"
    1:10 WrongType release: `release` is empty, not text ()
    2:8 WrongType tutor: `tutor` is a number, not text (quote it)
    3:14 WrongType plugins/a: `plugins.a` is a list, not text ()
    3:19 MissingKey plugins/b/rev: `plugins.b.rev` is missing (The commit, as 40 hexadecimal digits.)
    ");
    insta::assert_snapshot!(found(FileKind::Fleet, "version: 2\nname: a\ndeploy: {remote: r}\nrings: {a: b}\n"), @"
    1:10 WrongType version: `version` is not a number that this version knows (it can be 1)
    4:8 WrongType rings: `rings` is a map, not a list ()
    ");
    insta::assert_snapshot!(found(FileKind::Fleet, "- a\n"), @"1:1 WrongType : the file is a list, not a map ()");
}

#[test]
fn missing_keys_are_named_with_their_path() {
    insta::assert_snapshot!(found(FileKind::Fleet, "name: a\ndeploy: {}\nrings: [{}]\n"), @"
    1:1 MissingKey version: `version` is missing (The version of the fleet's format. This one is 1.)
    2:1 MissingKey deploy/remote: `deploy.remote` is missing (A Git URL or path. `{cluster}` in it stands for the cluster's name; without it, all clusters share one repository. The branch is `deploy/<cluster>`.)
    3:9 MissingKey rings/0/name: `rings.0.name` is missing (The ring's name.)
    ");
    insta::assert_snapshot!(found(FileKind::Instance, "identity: {id: x}\n"), @"1:1 MissingKey identity/namespace: `identity.namespace` is missing (The instance's namespace, its alone on the cluster.)");
}

#[test]
fn what_comes_later_is_refused() {
    insta::assert_snapshot!(found(
        FileKind::Instance,
        "identity: {namespace: a, id: b}\nmfes: {any: thing}\nstate: archived\nimages: {openedx: {build: auto}}\n"
    ), @"
    2:13 WrongType mfes/any: `mfes.any` is text, not a map ()
    3:8 NotYet state: `state: archived` is not rendered by this version yet ()
    4:20 NotYet images/openedx/build: `images.openedx.build` is not rendered by this version yet (take it out, or use a version of Grove that renders it)
    ");
    insta::assert_snapshot!(found(
        FileKind::Cluster,
        "provider: aws\nargo: {topology: central}\nsecrets: {backend: external-secrets}\nstate: {}\n"
    ), @"
    2:18 NotYet argo/topology: `argo.topology: central` is not rendered by this version yet ()
    3:20 NotYet secrets/backend: `secrets.backend: external-secrets` is not rendered by this version yet ()
    4:1 MissingKey state/backend: `state.backend` is missing (The back end of OpenTofu.)
    ");
}

#[test]
fn a_layer_may_take_away_but_an_own_key_may_not_be_empty() {
    insta::assert_snapshot!(found(FileKind::Instance, "identity: null\ngroups: null\nhosts: null\n"), @"
    1:11 WrongType identity: `identity` is empty, not a map ()
    2:9 WrongType groups: `groups` is empty, not a list ()
    ");
}

/// Every key of every table, with its path.
fn walk(keys: Keys, path: &str, each: &mut impl FnMut(&str, &Key)) {
    fn below(holds: &Type, path: &str, each: &mut impl FnMut(&str, &Key)) {
        match holds {
            Type::Object(keys) => walk(keys, path, each),
            Type::Map(holds) | Type::List(holds) => below(holds, &format!("{path}.*"), each),
            Type::Either(one, two) => {
                below(one, path, each);
                below(two, path, each);
            }
            _ => {}
        }
    }
    for key in keys.iter().flat_map(|group| group.iter()) {
        let path = format!("{path}.{}", key.name);
        each(&path, key);
        below(&key.holds, &path, each);
    }
}

#[test]
fn every_key_is_documented_and_stands_once() {
    for kind in FileKind::ALL {
        let mut seen = std::collections::BTreeSet::new();
        walk(kind.shape().keys, kind.name(), &mut |path, key| {
            assert!(key.doc.ends_with('.'), "{path}: {}", key.doc);
            assert!(seen.insert(path.to_owned()), "{path} stands twice");
            assert!(!(key.required && key.support == Support::NotYet), "{path}");
        });
    }
}

#[test]
fn what_an_instance_must_have_is_in_its_table() {
    for path in REQUIRED_OF_INSTANCE {
        assert!(find(FileKind::Instance.shape().keys, path[0]).is_some_and(|key| key.layered));
    }
}
