//! What images are built from. No image is built here: the steps that the fleet adds to Tutor's Dockerfile
//! run as they stand there, against a server that asks for a password.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{UNI, edit, production, without};
use grove_test::World;

const PACKAGE: &str = "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
    [project]\nname = \"acme-tools\"\nversion = \"3\"\n\n[tool.setuptools]\npy-modules = [\"acme_tools\"]\n";

/// Makes the wheel of a package without a builder.
const WHEEL: &str = "\
import zipfile
with zipfile.ZipFile('shop_xblock-1.0.2-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('shop_xblock.py', 'PRICE = 2\\n')
    info = 'shop_xblock-1.0.2.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: shop-xblock\\nVersion: 1.0.2\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
";

struct Server {
    process: Child,
    port: String,
}

impl Server {
    fn start(directory: &Path, login: &str) -> Self {
        let mut process = Command::new("python3")
            .args(["-c", include_str!("private_server.py")])
            .args([directory.as_os_str(), login.as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        lines.read_line(&mut port).unwrap();
        let port = port.trim().to_owned();
        Self { process, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A repository with one commit of everything in a directory: the commit.
fn commit(world: &World, directory: &str) -> String {
    let script = "git init --quiet --initial-branch main && git add --all \
        && git -c user.name=x -c user.email=x@x.example commit --quiet --message x \
        && git config uploadpack.allowAnySHA1InWant true && git rev-parse HEAD";
    sh(&world.path(directory), script, &[]).trim().to_owned()
}

#[track_caller]
fn sh(directory: &Path, script: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new("sh")
        .args(["-e", "-c", script])
        .current_dir(directory)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The command of the step of a Dockerfile that has `text`, without mounts.
fn step(dockerfile: &str, text: &str) -> String {
    let steps = dockerfile.split("\nRUN ").skip(1);
    let mut steps = steps.map(|rest| {
        let mut lines = Vec::new();
        for line in rest.lines() {
            let (line, goes_on) = line
                .strip_suffix('\\')
                .map_or((line, false), |line| (line, true));
            let words = line.split_whitespace();
            let words = words.filter(|word| !word.starts_with("--mount="));
            lines.push(words.collect::<Vec<_>>().join(" "));
            if !goes_on {
                break;
            }
        }
        lines.join(" ")
    });
    steps.find(|step| step.contains(text)).unwrap()
}

/// The installer that Tutor's Dockerfile uses, where Grove put it.
fn uv(world: &World) -> PathBuf {
    let mut open = vec![world.cache().join("tools")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.ends_with("bin/uv") {
                return path;
            }
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    panic!("Grove has no uv");
}

#[test]
#[ignore = "features: needs the package index, kustomize and Git"]
fn packages_and_a_theme_of_private_servers_reach_an_image_and_their_passwords_do_not() {
    let world = production();
    for (path, text) in [
        ("served/tools.git/pyproject.toml", PACKAGE),
        ("served/tools.git/acme_tools.py", "TOOLS = 3\n"),
        (
            "served/theme.git/lms-theme/lms/static/sass/_extras.scss",
            "a { color: red }\n",
        ),
        ("served/theme.git/README", "\n"),
        ("served/simple/shop-xblock/wheel.py", WHEEL),
    ] {
        world.write(path, text);
    }
    sh(
        &world.path("served/simple/shop-xblock"),
        "python3 wheel.py && rm wheel.py",
        &[],
    );
    let (tools, theme) = (
        commit(&world, "served/tools.git"),
        commit(&world, "served/theme.git"),
    );

    let login = "ci:x9-Token";
    // As the fleet has it before the image is named.
    let plain = ["images", "theme", "packages", "build"]
        .into_iter()
        .fold(world.read(format!("fleet/{UNI}")), |text, key| {
            without(&text, key)
        });
    let with = |theme: &str| {
        let more = format!(
            "packages:
  shop-xblock: 1.0.2
  acme-tools: {{git: \"https://git.acme.example/tools.git\", rev: {tools}}}
build:
  index: https://git.acme.example/simple/
  credentials: {{git.acme.example: {{user: ci, password: {{secret: FORGE_TOKEN}}}}}}
theme:
  name: acme
  git: {{url: \"https://git.acme.example/theme.git\", rev: {theme}, path: lms-theme}}
  indigo: {{primary_color: \"#102030\"}}
"
        );
        world.write(format!("fleet/{UNI}"), format!("{plain}{more}"));
    };
    with(&theme);
    let missing = world.grove(["image", "credentials", "prod/uni"]).exits(1);
    assert!(missing.stderr.contains("bad-build"), "{missing}");
    let _ = world
        .command(["secret", "set", "prod/uni", "FORGE_TOKEN"])
        .stdin("x9-Token")
        .run()
        .success();
    let lacking = world.grove(["render", "--out", "../rendered"]).exits(1);
    assert!(lacking.stderr.contains("image-lacks"), "{lacking}");

    let context = [
        "image",
        "context",
        "prod/uni",
        "openedx",
        "--out",
        "../context",
    ];
    let made = world.grove(context).success();
    let reference = made.stdout.trim().to_owned();
    insta::with_settings!({filters => vec![(r"-[0-9a-f]{12}\b", "-<digest>")]}, {
        insta::assert_snapshot!(made.stdout, @"registry.example.org/openedx/openedx:verawood-1-<digest>");
        insta::assert_snapshot!(made.stderr.lines().last().unwrap(), @"NETRC=$(grove image credentials prod/uni) docker buildx build --push --tag registry.example.org/openedx/openedx:verawood-1-<digest> --secret id=netrc,env=NETRC ../context");
    });
    let again = world.grove(context).exits(4);
    assert!(again.stderr.contains("is there already"), "{again}");
    // What Tutor builds from is there, and neither a host of the site nor a secret.
    for file in world.files("context") {
        let content = std::fs::read(world.path(format!("context/{file}"))).unwrap();
        let text = String::from_utf8_lossy(&content);
        for word in ["uni.example", "x9-Token", "@@FORGE_TOKEN"] {
            assert!(!text.contains(word), "{file} has {word}");
        }
    }
    let dockerfile = world.read("context/Dockerfile");
    let stage = |text: &str| {
        let (before, _) = dockerfile.split_once(text).unwrap();
        let (_, stage) = before.rsplit_once("\nFROM ").unwrap();
        stage.lines().next().unwrap().to_owned()
    };
    assert_eq!(stage("shop-xblock=="), "python AS python-requirements");
    assert_eq!(
        stage("git init --quiet /openedx/fleet-theme"),
        "minimal AS code"
    );
    assert_eq!(stage("/openedx/themes/acme\n"), "minimal AS production");
    let (_, rest) = dockerfile.split_once("/openedx/themes/acme\n").unwrap();
    assert!(rest.contains("npm run compile-sass -- --skip-default"));

    // The steps run, with the credentials where the build secret is.
    let server = Server::start(&world.path("served"), login);
    let local = |text: &str| {
        let root = world.path("openedx").display().to_string();
        let text = text.replace(
            "https://git.acme.example",
            &format!("http://127.0.0.1:{}", server.port),
        );
        text.replace("git.acme.example", "127.0.0.1")
            .replace("/openedx", &root)
    };
    let netrc = world.grove(["image", "credentials", "prod/uni"]).success();
    assert_eq!(
        netrc.stdout,
        "machine git.acme.example login ci password x9-Token\n"
    );
    let fetch = local(&step(&dockerfile, "git init"));
    let install = local(&step(&dockerfile, "shop-xblock"));
    let home = world.path("home-of-build");
    let environment = world.path("environment").display().to_string();
    let uv = format!("{} pip", uv(&world).display());
    let pip = format!("{environment}/bin/python -m pip");
    std::fs::create_dir_all(&home).unwrap();
    let run = |installer: &str, script: &str| {
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .envs([("PIP_COMMAND", installer), ("VIRTUAL_ENV", &environment)])
            .envs([
                ("GIT_TERMINAL_PROMPT", "0"),
                ("PIP_NO_INPUT", "1"),
                ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
            ])
            .env("HOME", &home)
            .output()
            .unwrap();
        output.status.success()
    };
    for installer in [&uv, &pip] {
        sh(
            world.root(),
            "rm -rf environment openedx; python3 -m venv environment",
            &[],
        );
        let _ = std::fs::remove_file(home.join(".netrc"));
        assert!(!run(installer, &fetch), "without credentials");
        assert!(!run(installer, &install), "{installer} without credentials");
        std::fs::write(home.join(".netrc"), local(&netrc.stdout)).unwrap();
        sh(world.root(), "rm -rf openedx", &[]);
        assert!(run(installer, &fetch));
        assert!(run(installer, &install), "{installer}");
        let prices = "environment/bin/python -c 'import shop_xblock, acme_tools; print(shop_xblock.PRICE, acme_tools.TOOLS)'";
        assert_eq!(sh(world.root(), prices, &[]), "2 3\n");
        assert_eq!(
            world.files("openedx"),
            [
                "fleet-theme/README",
                "fleet-theme/lms-theme/lms/static/sass/_extras.scss"
            ]
        );
    }

    // Named by what it is built from: the site's own values do not count, the theme does.
    edit(
        &world,
        UNI,
        "PLATFORM_NAME: Example University",
        "PLATFORM_NAME: Other",
    );
    let text = world.read(format!("fleet/{UNI}"));
    let named = format!(
        "{text}images: {{openedx: {{ref: \"{reference}@sha256:{}\"}}}}\n",
        "5".repeat(64)
    );
    world.write(format!("fleet/{UNI}"), &named);
    let plan = world.grove(["image", "plan", "prod/uni"]).success();
    insta::with_settings!({filters => vec![(r"-[0-9a-f]{12}\b", "-<digest>")]}, {
        insta::assert_snapshot!(plan.stdout, @"
        registry.example.org/openedx/mfe:verawood-1-<digest>
          prod/uni: Tutor's own
        registry.example.org/openedx/openedx:verawood-1-<digest>
          prod/uni: current
        ");
    });
    world.write(format!("fleet/{UNI}"), named.replace(&theme, &tools));
    let plan = world.grove(["image", "plan", "prod/uni"]).exits(1);
    assert!(
        plan.stdout.contains("prod/uni: built from something else"),
        "{plan}"
    );
}
