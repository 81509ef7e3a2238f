//! A vendored chart that is not there, or another one.

use grove_fleet::{addons, layout, model::Chart};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "chart-missing",
    severity: Severity::Error,
    summary: "a chart that a cluster names is not in the fleet, or has another version",
    documentation: "\
`harmony.chart` of `cluster.yaml` names a directory `charts/<name>` of the fleet that has no
`Chart.yaml`, or one whose `version` is not `harmony.version`.

Put the chart there with its dependencies (`helm pull --untar` and `helm dependency build` do), and
state the version that it has. An `https` or `oci` address names a Helm repository instead.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "harmony: {version: \"0.11.0\", chart: charts/harmony}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for cluster in view.fleet.clusters.values() {
        let Some(harmony) = &cluster.harmony else {
            continue;
        };
        let file = layout::cluster(&cluster.name);
        match &harmony.chart {
            Chart::Repository { url } => {
                // A path of the operator's machine means nothing in the cluster.
                if url.starts_with(['.', '/']) || !url.contains(['.', ':']) {
                    findings.add_with_hint(
                        format!("{} is no chart repository", quote(url)),
                        [view.value(&file, &["harmony", "chart"])],
                        "write an `https` or `oci` address, or `charts/NAME`",
                    );
                }
            }
            Chart::Vendored(name) => {
                let files = addons::chart(view.snapshot, &harmony.chart);
                let found = files.get(addons::CHART_FILE).map(|bytes| version(bytes));
                match found {
                    None => findings.add_with_hint(
                        format!("`charts/{name}/Chart.yaml` is not in the fleet"),
                        [view.value(&file, &["harmony", "chart"])],
                        "put the chart there, or name a repository",
                    ),
                    Some(found) if found.as_deref() != Some(harmony.version.as_str()) => {
                        findings.add(
                            format!(
                                "the chart in `charts/{name}` has version {}, not {}",
                                quote(found.as_deref().unwrap_or("none")),
                                quote(&harmony.version)
                            ),
                            [view.value(&file, &["harmony", "version"])],
                        );
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

/// The version that a `Chart.yaml` states.
fn version(bytes: &[u8]) -> Option<String> {
    let parsed = grove_yaml::parse(bytes, grove_yaml::Limits::default());
    Some(parsed.root?.get("version")?.as_str()?.to_owned())
}
