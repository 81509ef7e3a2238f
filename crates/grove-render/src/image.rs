//! What images of an instance's own are built from.

use grove_fleet::model::{Build, Identity, Instance, Requirement};
use serde_json::json;

use crate::{Error, TutorInput, request};

/// The id of the build secret that has the credentials, in the form of a `.netrc`
/// (<https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html>).
pub const NETRC: &str = "netrc";

/// Where a build finds it: Python's installers, Git and curl look there. Without credentials it is not
/// there, and nothing needs it.
const MOUNT: &str = "--mount=type=secret,id=netrc,target=/root/.netrc";

/// Where a theme waits for its place, in the stage that fetches.
const FETCHED: &str = "/openedx/fleet-theme";

/// What Tutor is told to render build contexts.
///
/// What does not reach an image is the same for all: instances with the same packages, theme and settings
/// have the same image, whatever their hosts and servers are.
///
/// # Errors
///
/// Those of [`request`].
pub fn image_request(instance: &Instance) -> Result<TutorInput, Error> {
    let mut common = instance.clone();
    for (service, host) in &mut common.hosts {
        *host = format!("{service}.example.com");
    }
    common.domains.clear();
    common.env.clear();
    common.mail = None;
    common.identity = Identity {
        namespace: "openedx".to_owned(),
        id: "image".to_owned(),
    };
    common.images.remove("openedx");
    common.images.remove("mfe");
    let mut input = request(&common)?;
    // A stage for developers, which is in the Dockerfile, too, waits for these.
    for (key, value) in [
        ("MONGODB_HOST", json!("mongodb")),
        ("MONGODB_PORT", json!(27017)),
    ] {
        input.config.insert(key.to_owned(), value);
    }
    for (patch, text) in [
        (
            "openedx-dockerfile-post-python-requirements",
            packages(&instance.build),
        ),
        (
            "openedx-dockerfile-post-git-checkout",
            fetch_theme(instance),
        ),
        ("openedx-dockerfile-pre-assets", place_theme(instance)),
    ] {
        if let Some(text) = text {
            input.patches.insert(patch.to_owned(), text);
        }
    }
    Ok(input)
}

/// Installs packages, by the installer that Tutor's Dockerfile names.
fn packages(build: &Build) -> Option<String> {
    if build.packages.is_empty() {
        return None;
    }
    let index = build.index.iter();
    let words = index.map(|index| format!("--extra-index-url '{index}'"));
    let words = words.chain(
        build
            .packages
            .iter()
            .map(|(name, requirement)| match requirement {
                Requirement::Version(version) => format!("'{name}=={version}'"),
                Requirement::Git { git, rev } => format!("'{name} @ git+{git}@{rev}'"),
            }),
    );
    let words: Vec<String> = words.collect();
    Some(format!(
        "RUN {MOUNT} \\\n    --mount=type=cache,target=/openedx/.cache/pip,sharing=shared \\\n    \
         $PIP_COMMAND install {}\n",
        words.join(" \\\n    ")
    ))
}

/// Fetches a theme's commit; the checkout of edx-platform beside it stays as it is.
fn fetch_theme(instance: &Instance) -> Option<String> {
    let source = instance.theme.git.as_ref()?;
    Some(format!(
        "RUN {MOUNT} \\\n    git init --quiet {FETCHED} \\\n    \
         && git -C {FETCHED} fetch --quiet --depth 1 '{}' {} \\\n    \
         && git -C {FETCHED} checkout --quiet FETCH_HEAD \\\n    \
         && rm -r {FETCHED}/.git\n",
        source.url, source.rev
    ))
}

/// Puts it where themes are compiled, before they are.
fn place_theme(instance: &Instance) -> Option<String> {
    let source = instance.theme.git.as_ref()?;
    let name = instance.theme.name.as_ref()?;
    let path = source.path.trim_matches('/');
    Some(format!(
        "COPY --from=code --chown=app:app {FETCHED}/{path} /openedx/themes/{name}\n"
    ))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use grove_fleet::model::{Domain, ThemeSource};

    use super::*;
    use crate::testing;

    #[test]
    fn what_does_not_reach_an_image_does_not_count() {
        let mut instance = testing::instance();
        let plain = image_request(&instance).unwrap();
        assert!(plain.patches.is_empty(), "{:?}", plain.patches);
        instance.hosts.insert("lms".into(), "other.example".into());
        instance.domains.insert(
            "shop.example".into(),
            Domain {
                service: "lms".into(),
                ..Domain::default()
            },
        );
        "other".clone_into(&mut instance.identity.namespace);
        let other = image_request(&instance).unwrap();
        assert_eq!((plain.config, plain.patches), (other.config, other.patches));
    }

    #[test]
    fn packages_and_a_theme_are_steps_of_the_dockerfile() {
        let mut instance = testing::instance();
        let rev = "0123456789abcdef0123456789abcdef01234567".to_owned();
        instance.build.packages = [
            ("shop[x]".to_owned(), Requirement::Version("1.0".to_owned())),
            (
                "tools".to_owned(),
                Requirement::Git {
                    git: "https://git.example/tools.git".to_owned(),
                    rev: rev.clone(),
                },
            ),
        ]
        .into();
        instance.build.index = Some("https://pypi.example/simple".to_owned());
        instance.theme.name = Some("acme".to_owned());
        instance.theme.git = Some(ThemeSource {
            url: "https://git.example/theme.git".to_owned(),
            rev,
            path: String::new(),
        });
        let input = image_request(&instance).unwrap();
        let mut shown = String::new();
        for (patch, text) in &input.patches {
            writeln!(shown, "{patch}\n{text}").unwrap();
        }
        insta::assert_snapshot!(shown, @r#"
        openedx-dockerfile-post-git-checkout
        RUN --mount=type=secret,id=netrc,target=/root/.netrc \
            git init --quiet /openedx/fleet-theme \
            && git -C /openedx/fleet-theme fetch --quiet --depth 1 'https://git.example/theme.git' 0123456789abcdef0123456789abcdef01234567 \
            && git -C /openedx/fleet-theme checkout --quiet FETCH_HEAD \
            && rm -r /openedx/fleet-theme/.git

        openedx-dockerfile-post-python-requirements
        RUN --mount=type=secret,id=netrc,target=/root/.netrc \
            --mount=type=cache,target=/openedx/.cache/pip,sharing=shared \
            $PIP_COMMAND install --extra-index-url 'https://pypi.example/simple' \
            'shop[x]==1.0' \
            'tools @ git+https://git.example/tools.git@0123456789abcdef0123456789abcdef01234567'

        openedx-dockerfile-pre-assets
        COPY --from=code --chown=app:app /openedx/fleet-theme/ /openedx/themes/acme
        "#);
    }
}
