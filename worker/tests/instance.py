"""Instances for tests: requests, own plugins, and what the command line makes of the same."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import typing as t

import importlib_metadata
import yaml

_MAIN = "from tutor.commands.cli import main; main()"

CORE_SECRETS = (
    "CMS_OAUTH2_SECRET",
    "MEILISEARCH_MASTER_KEY",
    "MEILISEARCH_API_KEY_UID",
    "MEILISEARCH_API_KEY",
    "MYSQL_ROOT_PASSWORD",
    "OPENEDX_MYSQL_PASSWORD",
    "OPENEDX_SECRET_KEY",
)

#: Own plugins that use what can depend on the order of things.
PLUGIN_FILES = {
    "aaa.py": b"""
from tutor import hooks
hooks.Filters.ENV_PATCHES.add_item(
    ("openedx-lms-production-settings", "AAA = '{{ LMS_HOST }}'")
)
hooks.Filters.CLI_DO_INIT_TASKS.add_item(("lms", "echo {{ AAA_X }}"))
hooks.Filters.CONFIG_DEFAULTS.add_items([
    ("AAA_X", "{{ LMS_HOST|reverse_host }}/{{ 3 + 4 }}"),
    ("AAA_L", ["{{ CMS_HOST }}", {"a": "{{ LMS_HOST }}"}]),
])
hooks.Filters.ENV_PATCHES.add_item(("openedx-cms-production-settings", "L = {{ AAA_L }}"))
hooks.Filters.CONFIG_OVERRIDES.add_item(
    ("PLATFORM_NAME", "{{ AAA_X|default('n') }} of {{ CMS_HOST }}")
)
""",
    "shop.yml": b"""
name: shop
version: 1.0.0
config:
  add: {SECRET: "{{ 8|random_string }}", KONST: "k"}
  defaults: {A: "{{ SHOP_SECRET }}-{{ LMS_HOST }}", N: 3}
  set: {CONTACT_EMAIL: "shop@{{ LMS_HOST }}"}
patches:
  openedx-common-settings: |
    SHOP = "{{ SHOP_A }}"  # {{ SHOP_N }}
  k8s-services: |
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: shop}
    data: {a: "{{ CONTACT_EMAIL }}"}
""",
}


def installed() -> list[str]:
    """The plugins of the distribution that runs the tests."""
    entries = importlib_metadata.entry_points(group="tutor.plugin.v1")
    return sorted({entry.name for entry in entries})


def request(
    plugins: t.Iterable[str] = (), secrets: t.Iterable[str] = CORE_SECRETS, **config: t.Any
) -> dict[str, t.Any]:
    """A request for an instance whose secrets are placeholders."""
    secrets = sorted(secrets)
    return {
        "config": {
            "LMS_HOST": "learn.example.org",
            "CMS_HOST": "studio.learn.example.org",
            "ENABLE_HTTPS": True,
            "ENABLE_WEB_PROXY": False,
            "K8S_NAMESPACE": "demo",
            "ID": "a" * 24,
            **{name: f"@@{name}@@" for name in secrets},
            **config,
        },
        "plugins": sorted(plugins),
        "secrets": secrets,
    }


def command_line(asked: dict[str, t.Any], key: str) -> tuple[str, dict[str, bytes]]:
    """Render the same instance with `tutor config save`: (standard error, env files)."""
    with tempfile.TemporaryDirectory() as directory:
        root, plugins, binaries = (
            os.path.join(directory, name) for name in ("root", "plugins", "bin")
        )
        for path in (root, plugins, binaries):
            os.mkdir(path)
        for name, content in asked.get("plugin_files", {}).items():
            with open(os.path.join(plugins, name), "wb") as file:
                file.write(content)
        # Some plugins ask for Docker while they render what only Docker needs.
        docker = os.path.join(binaries, "docker")
        with open(docker, "w") as file:
            file.write("#!/bin/sh\nexit 1\n")
        os.chmod(docker, 0o755)
        with open(os.path.join(root, "config.yml"), "w") as file:
            config = {**asked["config"], "JWT_RSA_PRIVATE_KEY": key}
            yaml.safe_dump({**config, "PLUGINS": asked["plugins"]}, file)
        done = subprocess.run(
            [sys.executable, "-c", _MAIN, "config", "save", "--env-only"],
            env={
                "HOME": directory,
                "PATH": f"{binaries}:/usr/bin:/bin",
                "TUTOR_ROOT": root,
                "TUTOR_PLUGINS_ROOT": plugins,
                "LC_ALL": "C.UTF-8",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        base = os.path.join(root, "env")
        files = {}
        for place, _, names in os.walk(base):
            for name in names:
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    files[os.path.relpath(path, base)] = file.read()
        return done.stderr, files
