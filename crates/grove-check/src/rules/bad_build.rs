//! What no image could be built with.

use grove_fleet::model::{Build, Instance, Requirement};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-build",
    severity: Severity::Error,
    summary: "`packages`, `build` or `theme.git` says what no image can be built with",
    documentation: "\
A package has a name or a version that Python's packages cannot have, or a commit that is not whole;
an address has no `https` or signs that a shell would read; a theme has a source and no name; or
credentials name a secret that there is not.

All of it stands in a Dockerfile, where other signs would be read as more than a name. A branch or a
range of versions is refused, since the same image could not be built again.

State exact versions, and commits with their 40 digits. Passwords are secrets:
`build: {credentials: {HOST: {user: ci, password: {secret: NAME}}}}`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "images: {openedx: {ref: \"registry.example.org/openedx:1@sha256:",
            "0000000000000000000000000000000000000000000000000000000000000000\"}}\n",
            "packages: {shop-xblock: \">=1.0\"}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        packages(view, instance, findings);
        theme(view, instance, findings);
        let build = &instance.build;
        if let Some(index) = build.index.as_ref().filter(|text| !Build::is_address(text)) {
            findings.add(
                format!("{} is no plain address with `https`", quote(index)),
                [view.stated(instance, &["build", "index"])],
            );
        }
        for (host, login) in &build.credentials {
            let route = ["build", "credentials", host];
            if !Build::is_host(host) {
                findings.add(
                    format!("{} is no host", quote(host)),
                    [view.stated_key(instance, &route)],
                );
            }
            if login.user.is_empty() || login.user.contains(|c: char| !c.is_ascii_graphic()) {
                findings.add(
                    format!("{} is no user's name", quote(&login.user)),
                    [view.stated(instance, &["build", "credentials", host, "user"])],
                );
            }
            if !instance.secrets.contains_key(&login.password) {
                findings.add_with_hint(
                    format!("there is no secret {}", quote(&login.password)),
                    [view.stated(instance, &["build", "credentials", host, "password"])],
                    format!("`grove secret set {} {}`", instance.address, login.password),
                );
            }
        }
    }
}

fn packages(view: &View<'_>, instance: &Instance, findings: &mut Findings<'_>) {
    for (name, requirement) in &instance.build.packages {
        if !Build::is_package(name) {
            findings.add(
                format!("no package can be called {}", quote(name)),
                [view.stated_key(instance, &["packages", name])],
            );
        }
        let fault = match requirement {
            Requirement::Version(version) if !Build::is_version(version) => {
                format!("{} is no exact version", quote(version))
            }
            Requirement::Git { git, .. } if !Build::is_address(git) => {
                format!("{} is no plain address with `https`", quote(git))
            }
            Requirement::Git { rev, .. } if !Build::is_commit(rev) => {
                format!("{} is no commit of 40 digits", quote(rev))
            }
            _ => continue,
        };
        findings.add(fault, [view.stated(instance, &["packages", name])]);
    }
}

fn theme(view: &View<'_>, instance: &Instance, findings: &mut Findings<'_>) {
    let theme = &instance.theme;
    let Some(source) = &theme.git else { return };
    if !theme
        .name
        .as_ref()
        .is_some_and(|name| Build::is_path(name) && !name.contains('/'))
    {
        findings.add_with_hint(
            "a theme from Git has no name that can be a directory's",
            [view.stated_key(instance, &["theme", "git"])],
            "`theme: {name: …}`",
        );
    }
    let faults = [
        (
            "url",
            &source.url,
            Build::is_address(&source.url),
            "no plain address with `https`",
        ),
        (
            "rev",
            &source.rev,
            Build::is_commit(&source.rev),
            "no commit of 40 digits",
        ),
        (
            "path",
            &source.path,
            source.path.is_empty() || Build::is_path(&source.path),
            "no directory of the repository",
        ),
    ];
    for (key, text, is_fine, what) in faults {
        if !is_fine {
            findings.add(
                format!("{} is {what}", quote(text)),
                [view.stated(instance, &["theme", "git", key])],
            );
        }
    }
}
