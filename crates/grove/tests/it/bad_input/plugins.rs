//! Plugins that do what no plugin should. One that does not end runs into its time limit, which
//! the tests of `grove-tutor` make short.

use std::path::Path;

use grove_test::World;

use super::UNI;
use crate::{edit, example_world};

/// The example fleet, where `alpha/uni` has a plugin of its own with this code.
fn world(code: &str) -> World {
    let world = example_world();
    edit(&world, UNI, "footer: {}", "footer: {}, odd: {}");
    let directory = Path::new("fleet").join(UNI);
    world.write(directory.with_file_name("plugins/odd.py"), code);
    world
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_plugin_that_exits_fails_its_instance_and_no_other() {
    for code in [
        "import os; os._exit(3)",
        "import sys; sys.exit('enough')",
        // Into every pipe that it can find, where the worker talks to its parent too.
        "import os\nfor fd in range(1, 64):\n  try: os.write(fd, b'\\0\\0\\0\\1noise')\n  except OSError: pass\nos._exit(0)",
    ] {
        let world = world(code);
        let out = world.path("out").display().to_string();
        let output = world
            .grove(["render", "alpha", "--no-cache", "--out", &out])
            .exits(1);
        assert!(
            output.stderr.contains("cannot render alpha/uni"),
            "{output}"
        );
        assert!(!output.stderr.contains("alpha/uni-next"), "{output}");
        assert!(output.stderr.contains("odd"), "{output}");
        // The other one was rendered by the same worker, and can be again.
        let _ = world
            .grove(["render", "alpha/uni-next", "--no-cache", "--out", &out])
            .success();
    }
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn what_a_plugin_prints_disturbs_nothing() {
    let render = |code: &str| {
        let world = world(code);
        let out = world.path("out").display().to_string();
        let output = world
            .grove(["render", "alpha/uni", "--no-cache", "--out", &out])
            .success();
        assert!(!output.stdout.contains("noise"), "{output}");
        world
            .files("out")
            .into_iter()
            .map(|file| (file.clone(), world.read(format!("out/{file}"))))
            .collect::<Vec<_>>()
    };
    let quiet = render("");
    assert!(quiet.len() > 20, "{}", quiet.len());
    let loud = r"
import os, sys
print('noise')
os.write(1, bytes(range(256)) * 4096)
os.write(2, b'\x1b[2Jnoise')
sys.stdout.write('noise')
sys.stdout.flush()
";
    assert_eq!(render(loud), quiet);
}
