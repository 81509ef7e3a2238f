use super::*;
use crate::{Snapshot, load};

fn fleet() -> Fleet {
    let instance = |client: &str, ring: &str, environment: &str| {
        format!(
            "client: {client}\nring: {ring}\nenvironment: {environment}\nidentity: {{namespace: n, id: i}}\ngroups: [{client}s]\nlabels: {{tier: gold, client: liar}}\n"
        )
    };
    let snapshot = Snapshot::default()
        .with(
            "grove.yaml",
            "rings: [{name: canary}, {name: general}, {name: empty}]\n",
        )
        .with("clusters/prod/cluster.yaml", "provider: aws\n")
        .with("clusters/new/cluster.yaml", "provider: aws\n")
        .with(
            "clusters/prod/instances/uni/instance.yaml",
            &instance("uni", "general", "production"),
        )
        .with(
            "clusters/prod/instances/uni-next/instance.yaml",
            &instance("uni", "canary", "staging"),
        )
        .with(
            "clusters/stage/instances/uni/instance.yaml",
            &instance("acme", "canary", "staging"),
        );
    load::fleet(&load::documents(&snapshot))
}

fn selected(patterns: &[&str], labels: &[&str]) -> String {
    let fleet = fleet();
    let instances = Selector::parse(patterns, labels).and_then(|selector| {
        let instances = selector.select(&fleet)?;
        Ok(instances
            .iter()
            .map(|one| one.address.to_string())
            .collect::<Vec<_>>()
            .join(" "))
    });
    instances.unwrap_or_else(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
}

#[test]
fn patterns_add_up() {
    assert_eq!(selected(&[], &[]), "prod/uni prod/uni-next stage/uni");
    assert_eq!(selected(&["prod/uni"], &[]), "prod/uni");
    assert_eq!(selected(&["*/uni"], &[]), "prod/uni stage/uni");
    assert_eq!(selected(&["prod/uni*"], &[]), "prod/uni prod/uni-next");
    assert_eq!(selected(&["p*/*-{next,old}"], &[]), "prod/uni-next");
    assert_eq!(selected(&["prod"], &[]), "prod/uni prod/uni-next");
    assert_eq!(selected(&["*"], &[]), "prod/uni prod/uni-next stage/uni");
    assert_eq!(selected(&["@canary"], &[]), "prod/uni-next stage/uni");
    assert_eq!(selected(&["stage", "prod/uni"], &[]), "prod/uni stage/uni");
}

#[test]
fn labels_narrow_down() {
    assert_eq!(selected(&[], &["client=uni"]), "prod/uni prod/uni-next");
    assert_eq!(
        selected(&[], &["client=uni", "ring=canary"]),
        "prod/uni-next"
    );
    assert_eq!(
        selected(&["@canary"], &["environment=staging", "tier=gold"]),
        "prod/uni-next stage/uni"
    );
    assert_eq!(selected(&[], &["group=acmes"]), "stage/uni");
    assert_eq!(selected(&["prod"], &["group=acmes"]), "");
}

#[test]
fn what_is_there_but_empty_selects_nothing() {
    assert_eq!(selected(&["new"], &[]), "");
    assert_eq!(selected(&["@empty"], &[]), "");
}

#[test]
fn what_is_not_there_is_an_error() {
    insta::assert_snapshot!(selected(&["prod/unl"], &[]), @"`prod/unl` selects nothing: there is no such instance; did you mean `prod/uni`?");
    insta::assert_snapshot!(selected(&["prod/x*"], &[]), @"`prod/x*` selects nothing: there is no such instance;");
    insta::assert_snapshot!(selected(&["prd"], &[]), @"`prd` selects nothing: there is no such cluster; did you mean `prod`?");
    insta::assert_snapshot!(selected(&["uni-next"], &[]), @"`uni-next` selects nothing: there is no such cluster; did you mean `prod/uni-next`?");
    insta::assert_snapshot!(selected(&["@canry"], &[]), @"`@canry` selects nothing: there is no such ring; did you mean `@canary`?");
    insta::assert_snapshot!(selected(&[], &["clint=uni"]), @"`clint=uni` selects nothing: there is no such label; did you mean `client=uni`?");
    insta::assert_snapshot!(selected(&[], &["client=unl"]), @"`client=unl` selects nothing: there is no such label value; did you mean `client=uni`?");
    insta::assert_snapshot!(selected(&[], &["client=liar"]), @"`client=liar` selects nothing: there is no such label value;");
}

#[test]
fn what_has_no_meaning_is_an_error() {
    insta::assert_snapshot!(selected(&["a/b/c"], &[]), @"`a/b/c` is not a selector: it has more than one slash; selectors are `cluster/instance` (with `*`), `cluster`, `@ring` and `-l key=value`");
    insta::assert_snapshot!(selected(&["/b"], &[]), @"`/b` is not a selector: a name is missing; selectors are `cluster/instance` (with `*`), `cluster`, `@ring` and `-l key=value`");
    insta::assert_snapshot!(selected(&["@"], &[]), @"`@` is not a selector: the ring's name is missing; selectors are `cluster/instance` (with `*`), `cluster`, `@ring` and `-l key=value`");
    insta::assert_snapshot!(selected(&["a[/b"], &[]), @"`a[/b` is not a selector: unclosed character class; missing ']'; selectors are `cluster/instance` (with `*`), `cluster`, `@ring` and `-l key=value`");
    insta::assert_snapshot!(selected(&[""], &[]), @"`` is not a selector: a name is missing; selectors are `cluster/instance` (with `*`), `cluster`, `@ring` and `-l key=value`");
    insta::assert_snapshot!(selected(&[], &["tier"]), @"`tier` is not a selector: a label is written `key=value`; selectors are `cluster/instance` (with `*`), `cluster`, `@ring` and `-l key=value`");
}
