//! The provider whose objects are files, where OpenTofu and Terraform find it.

use grove_test::World;

/// Puts it into the world; its objects are in `cloud/`.
pub(crate) fn install(world: &World) {
    world.set("SIMULATED_DIRECTORY", world.path("cloud"));
    let provider = std::env::var_os("GROVE_TEST_PROVIDER").unwrap();
    let mirror = format!(
        "mirror/simulated.example/grove/simulated/0.1.0/{}_{}/terraform-provider-simulated_v0.1.0",
        std::env::consts::OS,
        match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
    );
    let target = world.path(mirror);
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    // A copy would be "busy" for a moment where another test starts a program meanwhile.
    std::os::unix::fs::symlink(provider, target).unwrap();
    let mirror = world.path("mirror").display().to_string();
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n"
    );
    world.write("tofurc", rc);
    world.set("TF_CLI_CONFIG_FILE", world.path("tofurc"));
}
