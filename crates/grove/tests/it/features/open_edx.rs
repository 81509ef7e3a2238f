//! What is said inside of Open edX: flags, sites, and commands that are run by the clock. On the real Django, with
//! models and parsers of arguments as Open edX has them.

use std::process::Command;

use grove_test::World;

use super::{UNI, edit, grove_yaml_value, production, rendered, without};

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
