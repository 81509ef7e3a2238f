//! `docs/try-it-for-real.md`, command by command.

use std::path::{Path, PathBuf};

use grove_control_plane::{ControlPlane, Install, Options};
use grove_test::World;

use crate::programs;

#[test]
#[ignore = "e2e: needs the control plane"]
fn the_page_can_be_followed() {
    let world = World::with_shared_cache(crate::GROVE);
    for name in ["GROVE_TEST_NOW", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        world.unset(name);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    world.copy(&root.join("examples"), "checkout/examples");
    let page = std::fs::read_to_string(root.join("docs/try-it-for-real.md")).unwrap();
    let commands: Vec<&str> = page
        .split("```sh\n")
        .skip(1)
        .flat_map(|rest| rest.split_once("```").unwrap().0.lines())
        .collect();
    assert!(commands.len() > 20, "{commands:?}");

    // `cargo xtask` is this: the tasks themselves are a few lines around the library.
    let mut plane: Option<ControlPlane> = None;
    let mut directory = PathBuf::from("checkout");
    let grove = Path::new(crate::GROVE).parent().unwrap().to_owned();
    for command in commands {
        eprintln!("$ {command}");
        let Some(task) = command
            .strip_prefix("cargo xtask control-plane ")
            .or_else(|| {
                command
                    .contains("control-plane kubeconfig")
                    .then_some("kubeconfig")
            })
        else {
            if let Some(target) = command.strip_prefix("cd ") {
                directory = directory.join(target);
                continue;
            }
            let path = format!("{}:{}", grove.display(), std::env::var("PATH").unwrap());
            let output = world
                .program("sh")
                .current_dir(world.path(&directory))
                .env("PATH", path)
                .args(["-e", "-c", command])
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{command}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            continue;
        };
        match task.split(' ').next().unwrap() {
            "up" => {
                let options = Options {
                    name: "alpha".to_owned(),
                    directory: world.path("plane"),
                    cache: programs(),
                    install: Install::CertManager,
                };
                plane = Some(ControlPlane::start(&options, &|_| {}).unwrap());
            }
            "kubeconfig" => world.set("KUBECONFIG", plane.as_ref().unwrap().kubeconfig()),
            "bundle" => grove_control_plane::fill_bundle(
                &grove_control_plane::Programs::new(&programs()),
                &world.path(&directory).join("../bundle"),
            )
            .unwrap(),
            "down" => drop(plane.take()),
            other => panic!("the page asks for {other}"),
        }
    }
    assert!(plane.is_none(), "the page ends what it started");
}
