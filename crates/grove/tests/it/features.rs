//! What an operator says of a site, rendered with the real Tutor, and served by the real Caddy.

mod images;

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use grove_test::World;

use crate::{GROVE, edit, example};

const UNI: &str = "clusters/prod/instances/uni/instance.yaml";

/// The example of a production site.
fn production() -> World {
    let world = World::with_shared_cache(GROVE);
    world.copy(&example("production"), "fleet");
    world
}

/// A file of the site, rendered.
fn rendered(world: &World, file: &str) -> String {
    let _ = world.grove(["render", "--out", "../rendered"]).success();
    world.read(format!("rendered/prod/instances/uni/{file}"))
}

/// Caddy with the site's configuration, on a port of this machine.
struct Caddy {
    process: Child,
    port: u16,
}

impl Caddy {
    fn start(world: &World) -> Self {
        let map = rendered(world, "configmap-caddy-config.yaml");
        let map: serde_json::Value = grove_yaml_value(&map);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // Its own interface would be one more port; on the port of HTTP it asks for no certificate.
        let text = map["data"]["Caddyfile"].as_str().unwrap();
        let text = text.replacen(
            "\n{\n",
            &format!("\n{{\n    admin off\n    http_port {port}\n"),
            1,
        );
        assert!(text.contains("admin off"), "{text}");
        world.write("Caddyfile", &text);
        let process = Command::new(PathBuf::from(std::env::var_os("GROVE_TEST_CADDY").unwrap()))
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(world.path("Caddyfile"))
            .env("default_site_port", format!(":{port}"))
            .env("HOME", world.path("caddy"))
            .env("XDG_DATA_HOME", world.path("caddy"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let caddy = Self { process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "Caddy does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        caddy
    }

    /// Status, headers and body for a request that came from `client`.
    fn get(&self, host: &str, path: &str, client: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        let _bytes = stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, host: &str, path: &str, client: &str) -> String {
        let answer = self.get(host, path, client);
        answer.split(' ').nth(1).unwrap_or(&answer).to_owned()
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn grove_yaml_value(text: &str) -> serde_json::Value {
    let parsed = grove_yaml::parse(text.as_bytes(), grove_yaml::Limits::default());
    parsed.root.unwrap().to_json()
}

/// What answers where the services are away, which they are here.
const AWAY: &str = "502";

#[test]
#[ignore = "features: needs the package index, kustomize and Caddy"]
fn a_real_caddy_serves_redirects_and_maintenance() {
    let world = production();
    let caddy = Caddy::start(&world);
    let (learner, operator) = ("198.51.100.9", "192.0.2.17");
    assert_eq!(caddy.status("learn.uni.example", "/", learner), AWAY);
    assert_eq!(caddy.status("courses.uni.example", "/", learner), AWAY);
    let redirect = caddy.get("www.learn.uni.example", "/courses/a?b=c", learner);
    assert!(redirect.starts_with("HTTP/1.1 301"), "{redirect}");
    assert!(
        redirect.contains("Location: https://learn.uni.example/courses/a?b=c\r\n"),
        "{redirect}"
    );
    drop(caddy);

    edit(
        &world,
        UNI,
        "environment: staging",
        "environment: staging\nstate: maintenance",
    );
    edit(&world, UNI, "back at 9:00.", "back at <9:00> `{env.HOME}`.");
    let caddy = Caddy::start(&world);
    for host in [
        "learn.uni.example",
        "studio.uni.example",
        "apps.uni.example",
        "courses.uni.example",
    ] {
        let page = caddy.get(host, "/some/page", learner);
        assert!(page.starts_with("HTTP/1.1 503"), "{host}: {page}");
        assert!(page.contains("Retry-After: 300\r\n"), "{page}");
        assert!(
            page.contains("back at &#60;9:00&#62; &#96;&#123;env.HOME&#125;&#96;."),
            "{page}"
        );
        // Who is let through, and who asks for its health, reaches the service.
        assert_eq!(caddy.status(host, "/some/page", operator), AWAY, "{host}");
        assert_eq!(caddy.status(host, "/heartbeat", learner), AWAY, "{host}");
    }
    // Paths that Tutor handles by themselves are closed as well.
    let upload = "/api/profile_images/a/b/upload";
    assert_eq!(caddy.status("learn.uni.example", upload, learner), "503");
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn each_key_turned_off_takes_away_what_it_made_and_nothing_else() {
    let world = production();
    let files = |world: &World| {
        let _ = world.grove(["render", "--out", "../rendered"]).success();
        let files = world.files("rendered/prod/instances/uni");
        let read = |file: &String| {
            let text = world.read(format!("rendered/prod/instances/uni/{file}"));
            (file.clone(), text)
        };
        files
            .iter()
            .map(read)
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let all = files(&world);
    let instance = world.read(format!("fleet/{UNI}"));
    let fleet = world.read("fleet/grove.yaml");
    let mut report = Vec::new();
    for key in [
        "autoscaling: null",
        "cron: null",
        "data: null",
        "data: {mysql: {server: main}}",
        "domains: null",
        "flags: null",
        "packages: null\ntheme: {name: university}\nimages: null",
        "packages: null\nbuild: null",
        "mail: null",
        "network: null",
        "quota: null",
        "resources: {}\nworkers: null",
        "site: null",
        "mfes: null",
        "theme: null",
    ] {
        let text = key.lines().fold(instance.clone(), |text, line| {
            let (name, _) = line.split_once(':').unwrap();
            without(&text, name) + line + "\n"
        });
        // With MySQL in the namespace, its root's password is the instance's.
        let root = ["prod/uni", "MYSQL_ROOT_PASSWORD"];
        if key == "data: null" {
            let set = world.command([&["secret", "set"][..], &root].concat());
            let _ = set.stdin("roots-own-password").run().success();
        }
        world.write(format!("fleet/{UNI}"), text);
        let less = files(&world);
        if key == "data: null" {
            let _ = world
                .grove([&["secret", "remove"][..], &root].concat())
                .success();
        }
        let gone: Vec<&str> = all
            .keys()
            .filter(|file| !less.contains_key(*file))
            .map(String::as_str)
            .collect();
        let new: Vec<&String> = less
            .keys()
            .filter(|file| !all.contains_key(*file))
            .collect();
        let changed = less
            .iter()
            .filter(|(file, text)| all.get(*file).is_some_and(|old| old != *text));
        let changed: Vec<&str> = changed.map(|(file, _)| file.as_str()).collect();
        report.push(format!(
            "{}\n  - {}\n  + {}\n  ~ {}\n",
            key.replace('\n', ", "),
            gone.join(" "),
            new.len(),
            changed.join(" ")
        ));
    }
    world.write(format!("fleet/{UNI}"), instance);
    world.write("fleet/grove.yaml", fleet);
    assert_eq!(files(&world), all);
    let report = report.concat().replace(".yaml", "").replace(" \n", "\n");
    insta::assert_snapshot!(report, @"
    autoscaling: null
      - horizontalpodautoscaler-lms-worker horizontalpodautoscaler-lms poddisruptionbudget-lms-worker poddisruptionbudget-lms
      + 0
      ~ deployment-lms-worker deployment-lms
    cron: null
      - cronjob-clear-sessions cronjob-send-digest
      + 0
      ~
    data: null
      -
      + 4
      ~ configmap-openedx-config-jobs configmap-openedx-config configmap-openedx-settings-cms-jobs configmap-openedx-settings-cms configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-cms-migrate job-lms-flags-setup job-lms-indigo-setup job-lms-meilisearch-setup job-lms-mfe-setup job-lms-migrate job-lms-sites-setup persistentvolumeclaim-mongodb
    data: {mysql: {server: main}}
      -
      + 0
      ~ configmap-openedx-settings-cms-jobs configmap-openedx-settings-cms configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms persistentvolumeclaim-mongodb
    domains: null
      - certificate-courses.uni.example certificate-www.learn.uni.example ingress-academy.partner.example ingress-courses.uni.example ingress-www.learn.uni.example secret-academy.partner.example-own-tls
      + 0
      ~ configmap-caddy-config configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-lms-sites-setup
    flags: null
      - job-lms-flags-setup
      + 0
      ~ job-lms-sites-setup
    packages: null, theme: {name: university}, images: null
      -
      + 0
      ~ configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms cronjob-clear-sessions cronjob-send-digest deployment-cms-worker deployment-cms deployment-lms-worker-grades deployment-lms-worker deployment-lms job-cms-data job-cms-migrate job-lms-flags-setup job-lms-indigo-setup job-lms-meilisearch-setup job-lms-mfe-setup job-lms-migrate job-lms-sites-setup
    packages: null, build: null
      -
      + 0
      ~
    mail: null
      -
      + 2
      ~ configmap-openedx-config-jobs configmap-openedx-config configmap-openedx-settings-cms-jobs configmap-openedx-settings-cms configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms
    network: null
      - networkpolicy-ingress-caddy networkpolicy-ingress-solver networkpolicy-isolate
      + 0
      ~
    quota: null
      - limitrange-instance resourcequota-instance
      + 0
      ~
    resources: {}, workers: null
      - deployment-lms-worker-grades
      + 0
      ~ deployment-lms-worker
    site: null
      -
      + 0
      ~ job-lms-sites-setup
    mfes: null
      -
      + 0
      ~ configmap-mfe-caddy-config configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-lms-mfe-setup
    theme: null
      -
      + 0
      ~ configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-lms-sites-setup
    ");
}

/// Open edX's `manage.py`, as far as flags and sites need it: Django with django-waffle, on a file, and the
/// models of site configuration and of eox-tenant as their authors have them.
const MANAGE: &str = r#"
import sys
from django.conf import settings
settings.configure(
    SECRET_KEY="x", USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.sites", "waffle",
        "openedx.core.djangoapps.site_configuration", "openedx.core.djangoapps.theming", "openedx.core.djangoapps.schedules",
        "eox_tenant",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
)
from django.core.management import execute_from_command_line
assert sys.argv.pop(1) == "lms"
execute_from_command_line(sys.argv)
"#;

/// `openedx.core.djangoapps.site_configuration.models`.
const SITE_CONFIGURATION: &str = r#"
from django.contrib.sites.models import Site
from django.db import models

class SiteConfiguration(models.Model):
    site = models.OneToOneField(Site, related_name="configuration", on_delete=models.CASCADE)
    enabled = models.BooleanField(default=False)
    site_values = models.JSONField(null=False, blank=True, default=dict)
"#;

/// `openedx.core.djangoapps.theming.models`.
const THEMING: &str = r#"
from django.contrib.sites.models import Site
from django.db import models

class SiteTheme(models.Model):
    site = models.ForeignKey(Site, related_name="themes", on_delete=models.CASCADE)
    theme_dir_name = models.CharField(max_length=255)
"#;

/// The command `send_course_update` of `openedx.core.djangoapps.schedules`, with the arguments that Open edX's
/// own takes; it says what it was given.
const SCHEDULES: &str = r#"
import datetime
import json
from django.contrib.sites.models import Site
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--date", default=datetime.date.today().isoformat())
        parser.add_argument("--override-recipient-email")
        parser.add_argument("site_domain_name")

    def handle(self, *args, **options):
        site = Site.objects.get(domain__iexact=options["site_domain_name"])
        self.stdout.write(json.dumps([site.domain, options["override_recipient_email"]]))
"#;

/// `eox_tenant.models`.
const EOX_TENANT: &str = r"
from django.db import models

class TenantConfig(models.Model):
    external_key = models.CharField(max_length=63, db_index=True)
    lms_configs = models.JSONField(null=False, blank=True)
    studio_configs = models.JSONField(null=False, blank=True)
    theming_configs = models.JSONField(null=False, blank=True)
    meta = models.JSONField(null=False, blank=True)

class Route(models.Model):
    domain = models.CharField(max_length=255, unique=True)
    config = models.ForeignKey(TenantConfig, on_delete=models.CASCADE)
";

/// A directory with `manage.py` and an empty database, and a shell in it.
fn edx(world: &World) -> impl Fn(&str) -> String {
    let python = std::env::var("GROVE_TEST_DJANGO").unwrap();
    world.write("edx/manage.py", format!("#!{python}{MANAGE}"));
    let configuration = "openedx/core/djangoapps/site_configuration";
    let theming = "openedx/core/djangoapps/theming";
    for (package, models) in [
        (theming, THEMING),
        (configuration, SITE_CONFIGURATION),
        ("eox_tenant", EOX_TENANT),
    ] {
        let mut path = String::from("edx");
        for part in package.split('/') {
            path = format!("{path}/{part}");
            world.write(format!("{path}/__init__.py"), "");
        }
        world.write(format!("{path}/models.py"), models);
    }
    let schedules = "edx/openedx/core/djangoapps/schedules";
    for part in ["", "management/", "management/commands/"] {
        world.write(format!("{schedules}/{part}__init__.py"), "");
    }
    let command = "management/commands/send_course_update.py";
    world.write(format!("{schedules}/{command}"), SCHEDULES);
    let directory = world.path("edx");
    let shell = move |text: &str| {
        let output = Command::new("sh")
            .current_dir(&directory)
            .args(["-e", "-c", text])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let _ = shell("chmod +x manage.py && ./manage.py lms migrate --run-syncdb --verbosity 0");
    shell
}

#[test]
#[ignore = "features: needs the package index, kustomize and Django"]
fn flags_are_what_the_fleet_says_and_those_of_others_stay() {
    let world = production();
    let shell = edx(&world);
    let see = "./manage.py lms shell -v 0 -c '
from django.contrib.auth.models import Group
from waffle.models import Flag, Sample, Switch
for one in Flag.objects.order_by(\"name\"):
    print(one.name, one.everyone, one.percent, one.staff, [g.name for g in one.groups.all()], one.note or None)
for one in Switch.objects.order_by(\"name\"):
    print(one.name, one.active, one.note or None)
for one in Sample.objects.order_by(\"name\"):
    print(one.name, one.percent, one.note or None)
'";
    // Somebody else's flags, and a group.
    let _ = shell(
        "./manage.py lms waffle_flag by_hand --create --everyone\n\
         ./manage.py lms waffle_switch shared on --create\n\
         ./manage.py lms shell -v 0 -c 'from django.contrib.auth.models import Group; Group.objects.create(name=\"beta\")'",
    );
    let set = |flags: &str| {
        let text = world.read(format!("fleet/{UNI}"));
        let (before, _) = text.split_once("flags:").unwrap_or((&text, ""));
        world.write(
            format!("fleet/{UNI}"),
            format!("{}\nflags:{flags}", before.trim_end()),
        );
        let job = grove_yaml_value(&rendered(&world, "job-lms-flags-setup.yaml"));
        let args = &job["spec"]["template"]["spec"]["containers"][0]["args"];
        assert_eq!(args[0], "sh");
        let _ = shell(args[3].as_str().unwrap());
        shell(see)
    };
    let first = "
  flags:
    new_ui: {everyone: true}
    tried: {percent: 20, groups: [beta], staff: true}
    ? \"it's\\\"$(id)`x`\"
    : {everyone: false}
  switches: {shared: false, own: true}
  samples: {some: 25}
";
    insta::assert_snapshot!(set(first), @r#"
    by_hand True None False [] None
    it's"$(id)`x` False None False [] Managed by Grove
    new_ui True None False [] Managed by Grove
    tried None 20.0 True ['beta'] Managed by Grove
    own True Managed by Grove
    shared False None
    some 25.0 Managed by Grove
    "#);
    // The same again changes nothing.
    assert_eq!(set(first), shell(see));
    // What leaves the fleet is deleted, but for what Grove did not make.
    insta::assert_snapshot!(set(" {flags: {new_ui: {everyone: false}}}\n"), @"
    by_hand True None False [] None
    new_ui False None False [] Managed by Grove
    shared False None
    ");
}

#[test]
#[ignore = "features: needs the package index, kustomize and Django"]
fn cron_commands_reach_the_parsers_of_open_edx_word_by_word() {
    let world = production();
    let shell = edx(&world);
    let _ = shell(
        "./manage.py lms shell -v 0 -c '
from django.contrib.sites.models import Site
Site.objects.create(domain=\"learn.uni.example\", name=\"uni\")
'",
    );
    // A name that a shell would take apart, beside the jobs of the example.
    edit(
        &world,
        UNI,
        "  send-digest:\n",
        r#"  hostile:
    schedule: 0 8 * * *
    service: lms
    command: [./manage.py, lms, send_course_update, --override-recipient-email, "it's \"$(id)\" `x`; $HOME", learn.uni.example]
  send-digest:
"#,
    );
    let run = |name: &str| {
        let job = grove_yaml_value(&rendered(&world, &format!("cronjob-{name}.yaml")));
        let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        let words = pod["containers"][0]["command"].as_array().unwrap().iter();
        // As the kubelet does it: `$$(` is what an author wrote as `$(`.
        let words: Vec<String> = words
            .map(|word| word.as_str().unwrap().replace("$$(", "$("))
            .collect();
        let output = Command::new(&words[0])
            .current_dir(world.path("edx"))
            .args(&words[1..])
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run("clear-sessions"), "");
    assert_eq!(run("send-digest"), "[\"learn.uni.example\", null]\n");
    assert_eq!(
        run("hostile"),
        "[\"learn.uni.example\", \"it's \\\"$(id)\\\" `x`; $HOME\"]\n"
    );
}

#[test]
#[ignore = "features: needs the package index, kustomize and Django"]
fn sites_have_what_the_fleet_says_and_keep_what_others_set() {
    let world = production();
    let shell = edx(&world);
    let see = "./manage.py lms shell -v 0 -c '
from eox_tenant.models import Route, TenantConfig
from openedx.core.djangoapps.site_configuration.models import SiteConfiguration
from openedx.core.djangoapps.theming.models import SiteTheme
for one in SiteTheme.objects.order_by(\"site__domain\"):
    print(one.site.domain, one.theme_dir_name)
for one in SiteConfiguration.objects.order_by(\"site__domain\"):
    print(one.site.domain, one.enabled, one.site_values)
for one in TenantConfig.objects.order_by(\"external_key\"):
    print(one.external_key, one.lms_configs, one.meta, [r.domain for r in Route.objects.filter(config=one).order_by(\"domain\")])
'";
    // What somebody set by hand: of a site that the fleet knows, of another, and a tenant.
    let _ = shell(
        "./manage.py lms shell -v 0 -c '
from django.contrib.sites.models import Site
from eox_tenant.models import TenantConfig
from openedx.core.djangoapps.site_configuration.models import SiteConfiguration
for domain in [\"learn.uni.example\", \"other.example\"]:
    site = Site.objects.create(domain=domain, name=domain)
    SiteConfiguration.objects.create(site=site, enabled=True, site_values={\"BY_HAND\": 1, \"BOTH\": \"theirs\"})
TenantConfig.objects.create(external_key=\"old\", lms_configs={\"BY_HAND\": 1}, studio_configs={}, theming_configs={}, meta={})
'",
    );
    let instance = world.read(format!("fleet/{UNI}"));
    let with_theme = |theme: &str, site: &str, domains: &str| {
        let text = ["domains", "site", "theme"]
            .into_iter()
            .fold(instance.clone(), |text, key| without(&text, key));
        world.write(
            format!("fleet/{UNI}"),
            format!("{text}theme: {theme}\nsite: {site}\ndomains: {domains}\n"),
        );
        let job = grove_yaml_value(&rendered(&world, "job-lms-sites-setup.yaml"));
        let args = &job["spec"]["template"]["spec"]["containers"][0]["args"];
        let _ = shell(args[3].as_str().unwrap());
        shell(see)
    };
    let set = |site: &str, domains: &str| with_theme("{name: uni}", site, domains);
    let domains = r#"
  a.example: {service: lms, site: {NAME: "it's \"$(id)`x` @ ü", LIST: [1, {x: null}]}}
  b.example: {service: lms, tenant: acme, site: {NAME: Acme}}
  c.example: {service: lms, tenant: acme, site: {MORE: true}}
  d.example: {service: lms, tenant: old, site: {NAME: Old}}
"#;
    let first = set("{BOTH: ours, OWN: 2}", domains);
    insta::assert_snapshot!(first, @r#"
    a.example uni
    b.example uni
    c.example uni
    d.example uni
    learn.uni.example uni
    studio.uni.example uni
    a.example True {'LIST': [1, {'x': None}], 'NAME': 'it\'s "$(id)`x` @ ü', 'GROVE_MANAGED': ['LIST', 'NAME'], 'GROVE_THEME': 'uni'}
    b.example False {'GROVE_THEME': 'uni'}
    c.example False {'GROVE_THEME': 'uni'}
    d.example False {'GROVE_THEME': 'uni'}
    learn.uni.example True {'BY_HAND': 1, 'BOTH': 'ours', 'OWN': 2, 'GROVE_MANAGED': ['BOTH', 'OWN'], 'GROVE_THEME': 'uni'}
    other.example True {'BY_HAND': 1, 'BOTH': 'theirs'}
    studio.uni.example False {'GROVE_THEME': 'uni'}
    acme {'MORE': True, 'NAME': 'Acme', 'GROVE_MANAGED': ['MORE', 'NAME']} {'GROVE_MANAGED': {'is_made': True, 'domains': ['b.example', 'c.example']}} ['b.example', 'c.example']
    old {'BY_HAND': 1, 'NAME': 'Old', 'GROVE_MANAGED': ['NAME']} {'GROVE_MANAGED': {'is_made': False, 'domains': ['d.example']}} ['d.example']
    "#);
    // The same again changes nothing.
    assert_eq!(set("{BOTH: ours, OWN: 2}", domains), first);
    // What leaves the fleet goes, but for what others set.
    let less = "{b.example: {service: lms, tenant: acme, site: {NAME: Acme}}}";
    insta::assert_snapshot!(set("{OWN: 3}", less), @"
    b.example uni
    learn.uni.example uni
    studio.uni.example uni
    b.example False {'GROVE_THEME': 'uni'}
    learn.uni.example True {'BY_HAND': 1, 'GROVE_THEME': 'uni', 'OWN': 3, 'GROVE_MANAGED': ['OWN']}
    other.example True {'BY_HAND': 1, 'BOTH': 'theirs'}
    studio.uni.example False {'GROVE_THEME': 'uni'}
    acme {'NAME': 'Acme', 'GROVE_MANAGED': ['NAME']} {'GROVE_MANAGED': {'is_made': True, 'domains': ['b.example']}} ['b.example']
    old {'BY_HAND': 1} {} []
    ");
    insta::assert_snapshot!(with_theme("{}", "{}", "{}"), @"
    learn.uni.example True {'BY_HAND': 1}
    other.example True {'BY_HAND': 1, 'BOTH': 'theirs'}
    old {'BY_HAND': 1} {} []
    ");
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn search_of_somebody_else_takes_the_servers_place() {
    let world = production();
    let instance = world.read(format!("fleet/{UNI}"));
    let _ = world.grove(["render", "--out", "../rendered"]).success();
    let files = || -> std::collections::BTreeSet<String> {
        let files = world.files("rendered/prod/instances/uni").into_iter();
        files.filter(|file| file != "kustomization.yaml").collect()
    };
    let before = files();
    let search = "  search: {url: \"http://search.db.example.org:7700\", public_url: \"https://search.example.org\"}\n";
    let with = instance.replace(
        "  bucket: {name: uni-media",
        &format!("{search}  bucket: {{name: uni-media"),
    );
    assert_ne!(with, instance);
    world.write(format!("fleet/{UNI}"), &with);
    // The key of the site's own server is not that of this one.
    let found = world.grove(["check"]).exits(1);
    assert!(
        found
            .stdout
            .contains("`MEILISEARCH_MASTER_KEY` is of a server"),
        "{found}"
    );
    for name in ["MEILISEARCH_MASTER_KEY", "MEILISEARCH_API_KEY_UID"] {
        let _ = world
            .grove(["secret", "remove", "prod/uni", name])
            .success();
    }
    let set = ["secret", "set", "prod/uni", "MEILISEARCH_API_KEY"];
    let _ = world.command(set).stdin("a-key-of-theirs").run().success();
    let _ = world.grove(["check"]).success();
    let _ = world.grove(["render", "--out", "../rendered"]).success();
    let after = files();
    let gone: Vec<&str> = before.difference(&after).map(String::as_str).collect();
    insta::assert_snapshot!(gone.join("\n"), @"
    deployment-meilisearch.yaml
    ingress-meilisearch.learn.uni.example.yaml
    job-lms-meilisearch-setup.yaml
    persistentvolumeclaim-meilisearch.yaml
    service-meilisearch.yaml
    ");
    assert!(after.is_subset(&before), "{after:?}");
    let settings = world.read("rendered/prod/instances/uni/configmap-openedx-settings-cms.yaml");
    for (name, value) in [
        ("URL", "http://search.db.example.org:7700"),
        ("PUBLIC_URL", "https://search.example.org"),
        ("INDEX_PREFIX", "uni_4f3c1acb_"),
        ("API_KEY", "@@MEILISEARCH_API_KEY@@"),
        ("MASTER_KEY", ""),
    ] {
        let line = format!("MEILISEARCH_{name} = \"{value}\"");
        assert!(settings.contains(&line), "{line}");
    }
    // The new server has no index yet: they are filled again.
    let job = world.read("rendered/prod/instances/uni/job-cms-data.yaml");
    assert!(
        job.contains("engine: external http://search.db.example.org:7700"),
        "{job}"
    );
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn micro_frontends_are_added_replaced_and_left_out() {
    let world = production();
    let instance = ["mfes", "theme", "images", "packages", "build"]
        .into_iter()
        .fold(world.read(format!("fleet/{UNI}")), |text, key| {
            without(&text, key)
        });
    let built = format!(
        "images: {{mfe: {{ref: \"registry.example.org/openedx/mfe@sha256:{}\"}}}}\n",
        "5".repeat(64)
    );
    let with = |keys: &str| {
        world.write(format!("fleet/{UNI}"), format!("{instance}{keys}"));
        world.grove(["render", "--out", "../rendered"])
    };
    let file = |file: &str| world.read(format!("rendered/prod/instances/uni/{file}"));
    let parts = || {
        let caddy = file("configmap-mfe-caddy-config.yaml");
        let is_part = |line: &&str| line.contains("handle @mfe_") || line.contains("redir @");
        let paths = caddy.lines().filter(is_part).map(str::trim);
        let settings = file("configmap-openedx-settings-lms.yaml");
        let is_part = |line: &&str| {
            line.contains("WRITABLE_GRADEBOOK_URL =")
                || line.ends_with("[\"PARAGON_THEME_URLS\"] = {")
        };
        let settings = settings.lines().filter(is_part).map(str::trim);
        paths
            .chain(settings)
            .collect::<Vec<_>>()
            .join("\n")
            .replace("handle @mfe_", "")
    };
    let _ = with("plugins: {mfe: {}, indigo: {}}\n").success();
    let plain = parts();
    assert!(
        plain.contains("gradebook {") && plain.contains("WRITABLE_GRADEBOOK_URL"),
        "{plain}"
    );
    let lacking = "mfes: {account: {version: uni-1}}\n";
    assert!(with(lacking).exits(1).stderr.contains("image-lacks"));
    let _ = with(
        &(built.clone()
            + "plugins: {mfe: {}, indigo: {}}
mfes:
  gradebook: {enabled: false}
  shop: {repository: \"https://git.uni.example/shop.git\", version: main, port: 2900}
  account: {version: uni-1}
theme:
  tokens:
    core: {brand: \"https://cdn.uni.example/core.css\"}
    light: {brand: \"https://cdn.uni.example/light.css\"}
"),
    )
    .success();
    let changed = parts();
    let difference: Vec<String> = similar::TextDiff::from_lines(&plain, &changed)
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
        .collect();
    insta::assert_snapshot!(difference.join("\n"), @r#"
    -gradebook {
    -WRITABLE_GRADEBOOK_URL = "https://apps.uni.example/gradebook"
    +shop {
    +MFE_CONFIG["PARAGON_THEME_URLS"] = {
    "#);
    // What is added is in the image's context; what the site is called in the network is not.
    let context = ["image", "context", "prod/uni", "mfe", "--out", "../mfe"];
    let _ = world.grove(context).success();
    let dockerfile = world.read("mfe/Dockerfile");
    assert!(dockerfile.contains("https://git.uni.example/shop.git"));
    assert!(!dockerfile.contains("gradebook"), "{dockerfile}");
    let own = [
        "learn.uni.example",
        "studio.uni.example",
        "apps.uni.example",
    ];
    for file in world.files("mfe") {
        let text = world.read(format!("mfe/{file}"));
        assert!(!own.iter().any(|host| text.contains(host)), "{file}");
    }
    // The theme's own style sheets stand before those of the fleet.
    let settings = file("configmap-openedx-settings-lms.yaml");
    let (_, last) = settings.rsplit_once("\"PARAGON_THEME_URLS\"] = {").unwrap();
    assert!(last.contains("https://cdn.uni.example/core.css"), "{last}");
    let unknown = with(&format!("{built}mfes: {{shop: {{version: x}}}}\n"));
    assert!(
        unknown.stderr.contains("mfes.shop: Tutor knows no such"),
        "{unknown}"
    );
    let odd = with("mfes: {shop: {repository: \"x y\"}}\n").exits(1);
    assert!(odd.stderr.contains("bad-frontend"), "{odd}");
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn a_certificate_with_another_key_is_refused_before_anything_is_released() {
    let world = production();
    edit(
        &world,
        "grove.yaml",
        "../../target/production-deploy",
        "../deploy",
    );
    let directory = world.fleet();
    let fleet = world.repository(&directory);
    fleet.commit("A site");
    let deploy = ["deploy", "prod/uni", "--create-remote"];
    let _ = world.grove(deploy).success();
    let sealed = world.open(&world.path("deploy/prod.git")).git([
        "show",
        "deploy/prod:instances/uni/sealedsecret-academy.partner.example-own-tls.yaml",
    ]);
    let sealed = grove_yaml_value(&sealed);
    assert_eq!(sealed["spec"]["template"]["type"], "kubernetes.io/tls");
    assert_eq!(
        sealed["spec"]["template"]["immutable"],
        serde_json::Value::Null
    );

    let other = world.read("fleet/clusters/prod/sealing.pem");
    let text = world.read(format!("fleet/{UNI}"));
    let (before, rest) = text.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    let (_, after) = rest.split_once("-----END CERTIFICATE-----").unwrap();
    let chain = other.trim_end().replace('\n', "\n        ");
    world.write(format!("fleet/{UNI}"), format!("{before}{chain}{after}"));
    let found = world.grove(["check"]).exits(1);
    assert!(found.stdout.contains("certificate-mismatch"), "{found}");
    world.write(format!("fleet/{UNI}"), &text);
    let key = ["secret", "set", "prod/uni", "PARTNER_TLS_KEY"];
    let set = |value: &str| {
        let _ = world.command(key).stdin(value).run().success();
        fleet.commit("Another key");
        world.grove(["deploy", "prod/uni"])
    };
    let refused = set("no key");
    assert!(
        refused.code == Some(1) && refused.stderr.contains("no private key"),
        "{refused}"
    );
    let show = ["secret", "show", "prod/uni", "JWT_RSA_PRIVATE_KEY"];
    let refused = set(&world.grove(show).success().stdout);
    assert!(
        refused.stderr.contains("not that of the certificate"),
        "{refused}"
    );
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn a_rotation_reaches_what_has_to_hand_the_value_on() {
    let world = production();
    edit(
        &world,
        "grove.yaml",
        "../../target/production-deploy",
        "../deploy",
    );
    let (directory, remote) = (world.fleet(), world.path("deploy/prod.git"));
    let fleet = world.repository(&directory);
    fleet.commit("A site");
    let deploy = || {
        let words = ["deploy", "prod/uni", "--create-remote", "--format", "json"];
        let output = world.grove(words).success();
        let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        document["instances"][0].clone()
    };
    let branch = world.open(&remote);
    let jobs = || {
        let files = branch.git(["ls-tree", "--name-only", "deploy/prod:instances/uni"]);
        let jobs = files.lines().filter(|file| file.starts_with("job-"));
        jobs.map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let value = |name: &str| {
        world
            .grove(["secret", "show", "prod/uni", name])
            .success()
            .stdout
    };
    let rotate = |name: &str, more: &[&str]| {
        let words = ["secret", "rotate", "prod/uni", "--secret", name];
        world.grove(words.iter().chain(more))
    };
    let _ = deploy();
    let mut report = Vec::new();
    for (name, more, also) in [
        ("CMS_OAUTH2_SECRET", &[][..], None),
        ("MEILISEARCH_MASTER_KEY", &[], Some("MEILISEARCH_API_KEY")),
        ("OPENEDX_SECRET_KEY", &["--accept"], None),
        ("JWT_RSA_PRIVATE_KEY", &["--accept"], None),
    ] {
        let (before, derived) = (value(name), also.map(value));
        if !more.is_empty() {
            let refused = rotate(name, &[]);
            assert_eq!(refused.code, Some(4), "{refused}");
            assert_eq!(value(name), before);
        }
        let _ = rotate(name, more).success();
        assert_ne!(value(name), before, "{name}");
        assert!(derived.is_none() || also.map(value) != derived, "{name}");
        let _ = world.grove(["check"]).success();
        fleet.commit(&format!("Another {name}"));
        let ran = jobs();
        let released = deploy();
        assert_eq!(released["action"], "released");
        let tasks: Vec<String> = jobs()
            .difference(&ran)
            .map(|file| file.rsplit_once('-').unwrap().0.to_owned())
            .collect();
        let line = format!("{} {}: {}", name, released["secrets"], tasks.join(" "));
        report.push(line.trim_end().to_owned());
    }
    insta::assert_snapshot!(report.join("\n"), @r#"
    CMS_OAUTH2_SECRET ["CMS_OAUTH2_SECRET"]: job-lms-migrate
    MEILISEARCH_MASTER_KEY ["MEILISEARCH_API_KEY","MEILISEARCH_MASTER_KEY"]: job-lms-meilisearch-setup
    OPENEDX_SECRET_KEY ["OPENEDX_SECRET_KEY"]:
    JWT_RSA_PRIVATE_KEY ["JWT_RSA_PRIVATE_KEY_D","JWT_RSA_PRIVATE_KEY_DP","JWT_RSA_PRIVATE_KEY_DQ","JWT_RSA_PRIVATE_KEY_N","JWT_RSA_PRIVATE_KEY_P","JWT_RSA_PRIVATE_KEY_Q","JWT_RSA_PRIVATE_KEY_QI"]:
    "#);
    assert!(value("JWT_RSA_PRIVATE_KEY").starts_with("-----BEGIN"));
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn init_tasks_of_a_stopped_site_run_when_it_starts_and_no_others() {
    let world = production();
    edit(
        &world,
        "grove.yaml",
        "../../target/production-deploy",
        "../deploy",
    );
    // The images' digests stand in no repository: which of them comes is all that matters here.
    let (directory, remote) = (world.fleet(), world.path("deploy/prod.git"));
    let fleet = world.repository(&directory);
    fleet.commit("A site");
    let deploy = |more: &[&str]| {
        let words = ["deploy", "prod/uni", "--create-remote", "--format", "json"];
        let output = world.grove(words.iter().chain(more)).success();
        let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        document["instances"][0].clone()
    };
    let branch = world.open(&remote);
    let jobs = || {
        let files = branch.git(["ls-tree", "--name-only", "deploy/prod:instances/uni"]);
        let jobs = files.lines().filter(|file| file.starts_with("job-"));
        jobs.map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let _ = deploy(&[]);
    let first = jobs();

    // Stopped, and another image meanwhile: its tasks have nothing to run in.
    edit(
        &world,
        UNI,
        "environment: staging",
        "environment: staging\nstate: stopped",
    );
    edit(&world, UNI, "5e9d1c0f", "6e9d1c0f");
    fleet.commit("Stopped, with another image");
    let _ = deploy(&["--confirm-deletes", "4"]);
    assert_eq!(jobs(), first);
    // More pods are wished for; still none runs, and no task does.
    edit(
        &world,
        UNI,
        "lms-worker: {min: 1, max: 3",
        "lms-worker: {min: 1, max: 2",
    );
    // What else was merged, for a workload that does not run yet, is not looked at.
    edit(
        &world,
        UNI,
        "environment: staging",
        "environment: staging\nresources: {later: {grace: 5}}",
    );
    fleet.commit("Fewer workers");
    let _ = deploy(&["--only", "operational"]);
    assert_eq!(jobs(), first);

    // Started: they run now.
    edit(&world, UNI, "state: stopped", "state: active");
    fleet.commit("Started");
    let started = deploy(&["--only", "operational"]);
    assert_eq!(started["action"], "released", "{started}");
    let second = jobs();
    assert!(second.iter().any(|job| !first.contains(job)), "{second:?}");

    // Once more stopped and started, none is new.
    for state in ["state: stopped", "state: active"] {
        let other = if state == "state: stopped" {
            "state: active"
        } else {
            "state: stopped"
        };
        edit(&world, UNI, other, state);
        fleet.commit(state);
        let _ = deploy(&["--only", "operational", "--confirm-deletes", "4"]);
        assert_eq!(jobs(), second);
    }

    // A rotated secret comes, and it is said that nothing hands it on to the database.
    let _ = world
        .command(["secret", "set", "prod/uni", "CMS_OAUTH2_SECRET"])
        .stdin("another-value-4c1f\n")
        .run()
        .success();
    fleet.commit("Another secret");
    let words = "deploy prod/uni --only operational".split(' ');
    let rotated = world.grove(words).success();
    assert!(
        rotated
            .stderr
            .contains("CMS_OAUTH2_SECRET changed, and init tasks"),
        "{rotated}"
    );
    assert_eq!(jobs(), second);
}

/// A file's text without one of its keys.
fn without(text: &str, key: &str) -> String {
    grove_yaml::remove(text, &[key]).unwrap_or_else(|_| text.to_owned())
}
