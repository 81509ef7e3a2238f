//! How much less work `grove render` does than Tutor's command line and Kustomize for the same
//! instances. Both sides render the same sites with the same Tutor and plugins, from nothing.

use std::{path::Path, process::Command};

use anyhow::Result;

use super::{
    Run,
    fleet::{self, Site},
    measure::{self, Usage},
    median,
};
use crate::{context::Context, process, python};

/// Tutor saves its environment for each configuration, then Kustomize builds it, one after the
/// other as a script of an operator's does.
const PEER: &str = r#"set -e
for root in "$1"/*; do
    export TUTOR_ROOT="$root" TUTOR_PLUGINS_ROOT="$root/plugins"
    "$2" config save
    $3 "$root/env" > "$root/objects.yaml"
done"#;

pub(super) fn run(context: &Context, run: &Run) -> Result<String> {
    let tutor = python::environment(context, &fleet::lock(context))?.program("tutor");
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("fleet");
    let sites = fleet::write(context, &root, run.instances)?;

    let render = |to: &Path| {
        let mut command = Command::new(&run.grove);
        command
            .arg("--fleet")
            .arg(&root)
            .args(["render", "--no-cache", "--out"])
            .arg(to);
        command
    };
    let peer = |roots: &Path| {
        let mut command = Command::new("sh");
        command
            .args(["-c", PEER, "peer"])
            .arg(roots)
            .arg(&tutor)
            .arg(kustomize());
        command
    };
    println!("first runs, which install what is missing; they do not count");
    process::read(&mut render(&directory.path().join("first")))?;
    // Tutor's first save also draws the site's secrets, an RSA key among them, and keeps them in
    // `config.yml`. That happens once in a site's life and is not what is compared.
    let roots = directory.path().join("roots");
    configure(&roots, &sites)?;
    process::read(&mut peer(&roots))?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=run.rounds {
        let out = directory.path().join(format!("out-{round}"));
        let our = measure::measure(&render(&out))?;
        for site in &sites {
            fs_err::remove_dir_all(roots.join(&site.name).join("env"))?;
        }
        let their = measure::measure(&peer(&roots))?;
        println!(
            "round {round}: CPU {:.1} s against {:.1} s",
            our.cpu, their.cpu
        );
        ours.push(our);
        theirs.push(their);
    }
    Ok(table(run.instances, &ours, &theirs))
}

fn kustomize() -> &'static str {
    let kubectl = Command::new("kubectl")
        .args(["version", "--client"])
        .output();
    if kubectl.is_ok_and(|output| output.status.success()) {
        "kubectl kustomize"
    } else {
        "kustomize build"
    }
}

/// Writes Tutor's configuration of each site: what Grove tells Tutor, in Tutor's own words.
fn configure(roots: &Path, sites: &[Site]) -> Result<()> {
    for site in sites {
        let root = roots.join(&site.name);
        fs_err::create_dir_all(&root)?;
        let (name, id, host) = (&site.name, site.id(), site.host());
        let plugins = fleet::PLUGINS
            .map(|plugin| format!("- {plugin}\n"))
            .concat();
        let text = format!(
            "ID: {id}
K8S_NAMESPACE: {name}
LMS_HOST: {host}
CMS_HOST: studio.{host}
MFE_HOST: apps.{host}
MEILISEARCH_PUBLIC_URL: https://meilisearch.{host}
PLATFORM_NAME: Site {name}
CONTACT_EMAIL: ops@example.org
LANGUAGE_CODE: en
ENABLE_HTTPS: true
ENABLE_WEB_PROXY: false
PLUGINS:
{plugins}"
        );
        fs_err::write(root.join("config.yml"), text)?;
    }
    Ok(())
}

fn table(instances: usize, ours: &[Usage], theirs: &[Usage]) -> String {
    let row = |name: &str, unit: &str, scale: f64, figure: fn(&Usage) -> f64| {
        let middle = |side: &[Usage]| median(side.iter().map(figure).collect()) / scale;
        let (ours, theirs) = (middle(ours), middle(theirs));
        format!(
            "| {name} | {ours:.1} {unit} | {theirs:.1} {unit} | {:.2}× |\n",
            theirs / ours
        )
    };
    let mut text = format!(
        "{instances} instances with Tutor's plugins {}:\n\n\
         | | `grove render` | `tutor config save` + Kustomize | less by |\n\
         | --- | --- | --- | --- |\n",
        fleet::PLUGINS.join(", ")
    );
    text += &row("CPU, all processes", "s", 1.0, |usage| usage.cpu);
    text += &row("wall", "s", 1.0, |usage| usage.wall);
    text += &row("memory, all processes at one moment", "MB", 1e6, |usage| {
        usage.together
    });
    text += &row("memory, the largest process", "MB", 1e6, |usage| {
        usage.largest
    });
    text
}
