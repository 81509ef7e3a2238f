import json
import os

from django.apps import apps
from django.contrib.sites.models import Site

MARK = "GROVE_MANAGED"
# The theme that was set for a site; without values of its own, its configuration is there for this alone, and off.
THEME = "GROVE_THEME"
wanted = json.loads(os.environ["GROVE_SITES"])


def put(known, values):
    kept = {name: value for name, value in known.items() if name not in known.get(MARK, []) and name != MARK}
    return {**kept, **values, **({MARK: sorted(values)} if values else {})}


def sites():
    from openedx.core.djangoapps.site_configuration.models import SiteConfiguration

    for domain, values in wanted["sites"].items():
        site = Site.objects.filter(domain=domain).first()
        if site is None:
            if not values:
                continue
            site = Site.objects.create(domain=domain, name=domain[:50])
        one = SiteConfiguration.objects.filter(site=site).first()
        if one is None:
            if not values:
                continue
            one = SiteConfiguration(site=site, enabled=True, site_values={})
        if values and set(one.site_values or {}) == {THEME}:
            one.enabled = True
        write(one, put(one.site_values or {}, values))
        print(f"site {domain}: {len(values)} values are set")
    for one in SiteConfiguration.objects.exclude(site__domain__in=wanted["sites"]).select_related("site"):
        known = one.site_values or {}
        if MARK not in known:
            continue
        print(f"site {one.site.domain} is gone")
        write(one, put(known, {}))


def write(one, values):
    if values == one.site_values:
        return
    one.site_values = values
    if not values:
        one.delete()
        return
    if set(values) == {THEME}:
        one.enabled = False
    one.save()


def themes():
    from openedx.core.djangoapps.site_configuration.models import SiteConfiguration
    from openedx.core.djangoapps.theming.models import SiteTheme

    theme = wanted["theme"] or {"domains": []}
    for domain in theme["domains"]:
        site, _ = Site.objects.get_or_create(domain=domain, defaults={"name": domain[:50]})
        SiteTheme.objects.filter(site=site).delete()
        SiteTheme.objects.create(site=site, theme_dir_name=theme["name"])
        one = SiteConfiguration.objects.filter(site=site).first() or SiteConfiguration(site=site, enabled=False)
        write(one, {**(one.site_values or {}), THEME: theme["name"]})
        print(f"the theme of {domain} is set")
    for one in SiteConfiguration.objects.exclude(site__domain__in=theme["domains"]).select_related("site"):
        known = one.site_values or {}
        if THEME not in known:
            continue
        SiteTheme.objects.filter(site=one.site, theme_dir_name=known[THEME]).delete()
        write(one, {name: value for name, value in known.items() if name != THEME})
        print(f"the theme of {one.site.domain} is gone")


def tenants():
    from eox_tenant.models import Route, TenantConfig

    empty = {"domains": [], "values": {}}
    known = TenantConfig.objects.all()
    tenants = {one.external_key: one for one in known if MARK in one.meta or one.external_key in wanted["tenants"]}
    for key in wanted["tenants"]:
        if key not in tenants:
            new = TenantConfig(external_key=key, lms_configs={}, studio_configs={}, theming_configs={}, meta={})
            new.meta[MARK] = {"is_made": True, "domains": []}
            tenants[key] = new
    for key, one in tenants.items():
        tenant = wanted["tenants"].get(key, empty)
        before = one.meta.pop(MARK, {"is_made": False, "domains": []})
        if key not in wanted["tenants"] and before["is_made"]:
            Route.objects.filter(config=one).delete()
            one.delete()
            print(f"tenant {key} is gone")
            continue
        if key in wanted["tenants"]:
            one.meta[MARK] = {**before, "domains": tenant["domains"]}
        one.lms_configs = put(one.lms_configs, tenant["values"])
        one.save()
        Route.objects.filter(config=one, domain__in=before["domains"]).exclude(domain__in=tenant["domains"]).delete()
        for domain in tenant["domains"]:
            Route.objects.update_or_create(domain=domain, defaults={"config": one})
        print(f"tenant {key} is set")


sites()
themes()
if apps.is_installed("eox_tenant"):
    tenants()
else:
    assert not wanted["tenants"], "eox-tenant is not installed in this image"
