//! Marks that a release leaves on data.

use grove_fleet::model::{Engine, OPENEDX, credentials};
use serde_json::Value;

use super::{draft::Draft, pass::Pass};
use crate::{Error, annotations, pod, tasks::Class};

pub(super) const PASS: Pass = Pass {
    name: "marks",
    summary: "Notes the Open edX release and the versions of data services in the namespace, across \
              which data cannot go back, and whether the database's user comes from a secret: a release \
              that names it does not get in after a rotation. A data Job gets the version of the search engine that it \
              fills: it runs again when that changes, and not with every image.",
    changes: &["Job /metadata/annotations"],
    apply,
};

/// Services whose files an older version does not read. What runs elsewhere is not ours to mark.
const SERVICES: &[&str] = &[SEARCH, "mongodb", "mysql"];
/// The search engine, whose indexes *data* Jobs fill.
const SEARCH: &str = "meilisearch";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let release = draft.distribution.release.clone();
    draft.marks.insert("openedx".to_owned(), release);
    // Where a rotation changes the user with the password, a release that names the user gets in no more.
    let user = credentials(Engine::Mysql, OPENEDX).user;
    let by_secret = draft.instance.secrets.contains_key(&user);
    let named = if by_secret { "secret" } else { "plain" };
    draft.marks.insert("users".to_owned(), named.to_owned());
    for service in SERVICES {
        let image = draft
            .objects
            .get("apps", "Deployment", service)
            .or_else(|| draft.objects.get("apps", "StatefulSet", service))
            .and_then(|workload| {
                let named = |container: &&Value| pod::text(container, "/name") == Some(service);
                let mut containers = workload
                    .pod_template()
                    .into_iter()
                    .flat_map(pod::containers);
                containers.find(named)?.get("image")?.as_str()
            });
        if let Some(version) = image.and_then(version) {
            let version = version.to_owned();
            draft.marks.insert((*service).to_owned(), version);
        }
    }
    let engine = match draft.marks.get(SEARCH) {
        Some(version) => format!("{SEARCH} {version}"),
        None => match &draft.instance.data.search {
            // Another server has none of the indexes.
            Some(search) => format!("external {}{}", search.url, search.prefix),
            None => "external".to_owned(),
        },
    };
    for job in draft.objects.iter_mut() {
        if job.annotation(annotations::TASK_CLASS) == Some(Class::Data.name()) {
            job.set_annotation(annotations::ENGINE, &engine);
        }
    }
    Ok(())
}

/// The version that an image reference names: the first two numbers of its tag, since these services
/// keep their files within one minor version. A digest without a tag, or a tag that is a word, says
/// nothing that two releases could be compared by.
fn version(image: &str) -> Option<&str> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit('/').next()?.split_once(':')?;
    let numbers = tag.strip_prefix('v').unwrap_or(tag);
    let mut dots = 0;
    let end = numbers
        .find(|character: char| {
            dots += usize::from(character == '.');
            dots == 2 || !(character.is_ascii_digit() || character == '.')
        })
        .unwrap_or(numbers.len());
    let version = numbers.get(..end)?.trim_end_matches('.');
    version
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some(version)
}

#[cfg(test)]
mod tests {
    use super::{PASS, version};
    use crate::testing::{self, deployment};

    #[test]
    fn a_reference_names_a_version() {
        let cases = [
            ("docker.io/mysql:8.4.11", Some("8.4")),
            ("docker.io/getmeili/meilisearch:v1.36.0", Some("1.36")),
            ("mongo:7.0-jammy", Some("7.0")),
            ("mongo:7", Some("7")),
            ("r:5000/mongo:7.0.39@sha256:aa", Some("7.0")),
            ("r:5000/mongo@sha256:aa", None),
            ("r:5000/mongo", None),
            ("mongo:stable", None),
            ("mongo:.1", None),
            ("", None),
        ];
        for (image, expected) in cases {
            assert_eq!(version(image), expected, "{image}");
        }
    }

    #[test]
    fn only_what_is_in_the_namespace_is_marked() {
        let draft = testing::pass(&PASS, &[], vec![deployment("mysql", "mysql:8.4.11")]).unwrap();
        assert_eq!(
            format!("{:?}", draft.marks),
            r#"{"mysql": "8.4", "openedx": "verawood", "users": "plain"}"#
        );
    }
}
