//! The names in a deploy branch. `README.md` (made here) explains them to whoever finds the branch.

use crate::Run;

/// The format of a deploy branch that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The file at the root that states the [`FORMAT`], as decimal digits and a newline.
pub(crate) const FORMAT_FILE: &str = "format";
/// The file at the root that explains the branch.
pub(crate) const README_FILE: &str = "README.md";
/// The kinds of files in `apps/` that an instance's deploy writes.
const APPS: [&str; 3] = ["-application.yaml", "-namespace.yaml", "-project.yaml"];

/// What stands in place of an instance's name below `releases/` for what the cluster's instances share;
/// no instance can be called so.
pub(crate) const SHARED: &str = "_cluster";
/// The directory of the Applications and projects of what is shared.
pub(crate) const CLUSTER: &str = "cluster";
/// The directory of vendored charts and manifests of what is shared.
pub(crate) const CHARTS: &str = "charts";

/// The short name of a cluster's deploy branch, `deploy/<cluster>`.
pub fn branch_name(cluster: &str) -> String {
    format!("deploy/{cluster}")
}

/// The directory of an instance's objects.
pub(crate) fn objects(instance: &str) -> String {
    format!("instances/{instance}")
}

/// The directory of an instance's release records.
pub(crate) fn releases(instance: &str) -> String {
    format!("releases/{instance}")
}

/// The file of one release record.
pub(crate) fn record(instance: &str, release: u32) -> String {
    format!("releases/{instance}/{release:04}.yaml")
}

/// The number in a record's file name.
pub(crate) fn record_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".yaml")?;
    let plain = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// The directory of the records of commands that were run once.
pub(crate) fn runs(instance: &str) -> String {
    format!("releases/{instance}/runs")
}

/// The file of one of them; in the order of names, the oldest stands first.
pub(crate) fn run(run: &Run) -> String {
    let time = run.time.strftime("%Y%m%dT%H%M%SZ");
    format!("{}/{time}-{}.yaml", runs(&run.instance), run.job)
}

/// The file of an instance's hold.
pub(crate) fn hold(instance: &str) -> String {
    format!("releases/{instance}/hold.yaml")
}

/// The file of an instance's freeze.
pub(crate) fn freeze(instance: &str) -> String {
    format!("releases/{instance}/freeze.yaml")
}

/// The file of an instance's ciphertexts.
pub(crate) fn sealed(instance: &str) -> String {
    format!("releases/{instance}/sealed.yaml")
}

/// The file of Argo CD's Application of an instance, below `apps/`.
pub(crate) fn application(instance: &str) -> String {
    format!("{instance}{}", APPS[0])
}

/// The file of Argo CD's project of an instance, below `apps/`.
pub(crate) fn project(instance: &str) -> String {
    format!("{instance}{}", APPS[2])
}

/// The files in `apps/` that belong to an instance.
pub(crate) fn apps(instance: &str) -> [String; 3] {
    APPS.map(|ending| format!("apps/{instance}{ending}"))
}

/// Every path that belongs to an instance, or to [`SHARED`].
pub(crate) fn paths(instance: &str) -> Vec<String> {
    let mut paths = vec![releases(instance)];
    if instance == SHARED {
        paths.extend([CLUSTER, CHARTS].map(str::to_owned));
    } else {
        paths.push(objects(instance));
        paths.extend(apps(instance));
    }
    paths
}

/// The instance to which a path belongs, or [`SHARED`], if it belongs to one.
pub(crate) fn instance_of(path: &str) -> Option<&str> {
    let (top, rest) = path.split_once('/').unwrap_or((path, ""));
    if top == CLUSTER || top == CHARTS {
        return Some(SHARED);
    }
    let name = match top {
        "instances" | "releases" => rest.split('/').next()?,
        "apps" => APPS.iter().find_map(|ending| rest.strip_suffix(ending))?,
        _ => return None,
    };
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// The text of `README.md` in the branch of `cluster`.
pub(crate) fn readme(cluster: &str) -> String {
    format!(
        "\
# What runs on the cluster `{cluster}`

Grove writes this branch, Argo CD applies it. Nobody edits it by hand: the next deploy would
overwrite the edit. Change the fleet repository instead; the trailer `Grove-Source` of each commit
names the fleet's commit that it came from.

| path | what it is |
|---|---|
| `apps/` | for each instance its namespace, its Argo CD project and its Argo CD application |
| `cluster/`, `charts/` | what the instances of the cluster share |
| `instances/<instance>/` | the instance's objects, one a file |
| `releases/<instance>/NNNN.yaml` | what each release was made of, and the Git id of its tree |
| `releases/<instance>/sealed.yaml` | today's encrypted values of its secrets |
| `releases/_cluster/NNNN.yaml` | the same for what the instances share |
| `releases/<instance>/hold.yaml` | there while the instance is held, and why |
| `releases/<instance>/freeze.yaml` | there when it was frozen: until when, by whom, and why |
| `releases/<instance>/data.yaml` | for which values of its secrets users were made on shared servers |
| `format` | the version of this layout |

Secrets stand here encrypted to the key of the cluster's Sealed Secrets controller, which alone can
open them.

## Without Grove

Apply an instance: `kubectl apply --server-side -f instances/<instance>/`.

Go back to an older release of an instance: read `tree` in its record, then

    git rm -r --cached -q instances/<instance>
    git read-tree --prefix=instances/<instance>/ <tree>
    git commit -m \"<instance>: back to release NNNN\" && git push

Finished init Jobs cannot be changed in place: keep those files as they are now.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_their_instance() {
        for (path, instance) in [
            ("instances/uni/deployment-lms.yaml", Some("uni")),
            ("instances/uni", Some("uni")),
            ("releases/uni/0001.yaml", Some("uni")),
            ("apps/uni-project-project.yaml", Some("uni-project")),
            ("apps/uni-application.yaml", Some("uni")),
            ("apps/other.yaml", None),
            ("cluster/harmony.yaml", Some(SHARED)),
            ("charts", Some(SHARED)),
            ("releases/_cluster/0001.yaml", Some(SHARED)),
            ("README.md", None),
            ("instances/", None),
        ] {
            assert_eq!(instance_of(path), instance, "{path}");
        }
    }

    #[test]
    fn record_names_are_numbers_of_four_digits_or_more() {
        assert_eq!(record_number("0001.yaml"), Some(1));
        assert_eq!(record_number("12345.yaml"), Some(12345));
        for name in [
            "1.yaml",
            "hold.yaml",
            "0001",
            "+001.yaml",
            "99999999999.yaml",
        ] {
            assert_eq!(record_number(name), None, "{name}");
        }
    }
}
