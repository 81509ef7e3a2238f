"""A running worker: what it renders, and what it does when things go wrong."""

from __future__ import annotations

import os
import time
import typing as t
import unittest

import instance
from client import Client

Answer = dict[str, t.Any]


class WithWorker(unittest.TestCase):
    """One worker for all tests of a class."""

    start: dict[str, t.Any] = {}
    client: Client

    @classmethod
    def setUpClass(cls) -> None:
        cls.client = Client(**cls.start)

    @classmethod
    def tearDownClass(cls) -> None:
        left = [os.listdir(os.path.join(cls.client.directory, d)) for d in cls.client.leftovers()]
        cls.client.close()
        assert left == [["home"]], left

    def error(self, asked: dict[str, t.Any], op: str = "render", **fields: t.Any) -> Answer:
        answer = self.client.ask(op, **{**asked, **fields})
        self.assertIn("error", answer)
        return answer["error"]

    def render(self, asked: dict[str, t.Any], **fields: t.Any) -> Answer:
        answer = self.client.ask("render", **{**asked, **fields})
        self.assertNotIn("error", answer)
        return answer

    def plugin(self, code: str, **config: t.Any) -> Answer:
        """The error of an instance with one own plugin."""
        return self.error(
            instance.request(["own"], **config), plugin_files={"own.py": code.encode()}
        )

    def still_works(self) -> None:
        self.render(instance.request())


class Equality(WithWorker):
    """Byte for byte what the command line writes, for the files that Kustomize reads."""

    start = {"parallel": 2, "warm_after": 2}

    def sets(self) -> list[list[str]]:
        every = instance.installed()
        usual = [name for name in ("forum", "indigo", "mfe") if name in every]
        return [list(x) for x in {(), tuple(usual), tuple(every)}]

    def asked(self, plugins: list[str], own: bool) -> dict[str, t.Any]:
        files = instance.PLUGIN_FILES if own else {}
        names = [*plugins, *(["aaa", "shop"] if own else [])]
        asked = {**instance.request(names), "plugin_files": files}
        answer = self.client.ask("secrets", **asked)
        secrets = {
            s["name"]
            for s in answer["secrets"]
            if s["class"] != "fixed" and s["name"] != "JWT_RSA_PRIVATE_KEY"
        }
        # A fixed one is Tutor's to make; one value is a template over two others.
        config = {} if own else {"PLATFORM_NAME": "Uni of {{ LMS_HOST }}, {{ 1 + 1 }}\n"}
        asked = instance.request(names, secrets, **config)
        return {**asked, "plugin_files": files}

    def check(self, asked: dict[str, t.Any], answer: Answer) -> None:
        from grove_worker.throwaway import Throwaway

        key = self.client.hello["key"]
        _, files = instance.command_line(asked, key)
        for path, content in answer["files"].items():
            wanted = Throwaway(key).replace(files[path], path)
            self.assertEqual(content, wanted, path)
        self.assertIn("kustomization.yml", answer["files"])
        self.assertIn("k8s/deployments.yml", answer["files"])
        self.assertEqual(answer["plugins"], asked["plugins"])

    def test_files_are_those_of_the_command_line(self) -> None:
        for plugins in self.sets():
            for own in (False, True):
                with self.subTest(plugins=plugins, own=own):
                    asked = self.asked(plugins, own)
                    # The first is compiled by its own child, the last from shared code.
                    for _ in range(3):
                        answer = self.render(asked)
                    self.check(asked, answer)
        self.assertTrue(self.client.events)

    def test_saved_code_gives_the_same(self) -> None:
        asked = self.asked(self.sets()[-1], False)
        first = self.render(asked)
        self.render(asked)
        self.render(asked)
        saved = self.client.events[-1][1]
        again = Client(saved, warm_after=1, key=self.client.hello["key"])
        try:
            self.assertEqual(again.ask("render", **asked), first)
            # It covers these plugins, so no warm-up was needed.
            self.assertEqual(again.events, [])
        finally:
            again.close()

    def test_tasks_come_in_order_with_their_apps(self) -> None:
        tasks = self.render(self.asked([], True))["tasks"]
        self.assertEqual(
            [(task["service"], task["app"]) for task in tasks],
            [
                ("lms", "lms"),
                ("mysql", "mysql"),
                ("lms", "meilisearch"),
                ("lms", "lms"),
                ("cms", "cms"),
                ("lms", "aaa"),
            ],
        )
        self.assertEqual(tasks[-1]["text"], "echo org.example.learn/7")
        self.assertIn("@@MYSQL_ROOT_PASSWORD@@", tasks[1]["text"])

    def test_the_key_is_in_no_output(self) -> None:
        files = self.render(instance.request())["files"]
        production = files["apps/openedx/settings/lms/production.py"]
        for name in ("N", "D", "P", "Q", "DP", "DQ", "QI"):
            self.assertIn(f'"@@JWT_RSA_PRIVATE_KEY_{name}@@"'.encode(), production)


class Configuration(WithWorker):
    def test_nothing_of_the_environment_reaches_tutor(self) -> None:
        asked = instance.request()
        del asked["config"]["LMS_HOST"]
        content = self.render(asked)["files"]["apps/openedx/config/lms.env.yml"]
        self.assertNotIn(b"from.the.environment", content)

    def test_code_in_a_value_is_refused_with_its_key(self) -> None:
        code = '{{ cycler.__init__.__globals__.os.popen("id").read() }}'
        error = self.error(instance.request(PLATFORM_NAME=code))
        self.assertEqual((error["kind"], error["key"]), ("config", "PLATFORM_NAME"))
        self.assertIn("SecurityError", error["message"])
        self.assertIn("unsafe", error["message"])

    def test_other_ways_out_of_the_sandbox_are_refused(self) -> None:
        for code in (
            "{{ ''.__class__.__mro__ }}",
            "{{ patch.__globals__ }}",
            "{{ '{0.__class__}'.format(1) }}",
            "{{ iter_values_named.__func__ }}",
            "{{ range(10**9)|list }}",
            "{{ self._TemplateReference__context }}",
        ):
            with self.subTest(code):
                error = self.error(instance.request(PLATFORM_NAME=[code]))
                self.assertEqual((error["kind"], error["key"]), ("config", "PLATFORM_NAME"))

    def test_a_value_that_does_not_parse_or_names_nothing_is_named(self) -> None:
        for value in ("{{ NOTHING }}", "{% if %}"):
            error = self.error(instance.request(CONTACT_EMAIL={"a": value}))
            self.assertEqual((error["kind"], error["key"]), ("config", "CONTACT_EMAIL"))

    def test_missing_secrets_are_all_named(self) -> None:
        secrets = set(instance.CORE_SECRETS) - {"MEILISEARCH_API_KEY", "CMS_OAUTH2_SECRET"}
        asked = instance.request(["shop"], secrets)
        del asked["config"]["ID"]
        error = self.error(asked, plugin_files=instance.PLUGIN_FILES)
        self.assertEqual(error["kind"], "missing-secret")
        self.assertEqual(
            error["keys"], ["CMS_OAUTH2_SECRET", "ID", "MEILISEARCH_API_KEY", "SHOP_SECRET"]
        )

    def test_a_template_that_changes_a_secret_is_refused(self) -> None:
        asked = instance.request(["own"])
        code = """
from tutor import hooks
hooks.Filters.ENV_PATCHES.add_item(("caddyfile", "{{ MYSQL_ROOT_PASSWORD|encrypt }}"))
"""
        error = self.error(asked, plugin_files={"own.py": code.encode()})
        self.assertEqual(error["kind"], "missing-secret")
        self.assertEqual(error["file"], "apps/caddy/Caddyfile")

    def test_a_use_of_a_secret_is_refused_where_it_is(self) -> None:
        code = b"""
from tutor import hooks

def short(text):
    return len(text) < 8

hooks.Filters.ENV_TEMPLATE_FILTERS.add_item(("short", short))
hooks.Filters.CONFIG_DEFAULTS.add_item(("OWN_HOST", "{{ 'a' if MYSQL_ROOT_PASSWORD == 'b' else 'c' }}"))
hooks.Filters.ENV_PATCHES.add_item(("caddyfile", "# {{ OWN_HOST }}\\n# {{ OPENEDX_SECRET_KEY|short }}"))
hooks.Filters.CLI_DO_INIT_TASKS.add_item(("lms", "echo\\necho {{ CMS_OAUTH2_SECRET|replace('a', 'b') }}"))
"""
        error = self.error(instance.request(["own"]), plugin_files={"own.py": code})
        self.assertEqual((error["kind"], error["plugin"]), ("secret-use", "own"))
        self.assertEqual(
            error["message"].split("\n"),
            [
                "config OWN_HOST line 1: compares `MYSQL_ROOT_PASSWORD` (`==`)",
                "own.py line 5: measures `OPENEDX_SECRET_KEY` (`len`)",
                "init task for lms line 2: changes or asks `CMS_OAUTH2_SECRET` (`replace`)",
            ],
        )

    def test_what_only_a_second_rendering_shows_is_refused(self) -> None:
        for expression, line in (
            ("MYSQL_ROOT_PASSWORD|matched", 2),
            ("'%.4s' % MYSQL_ROOT_PASSWORD", 2),
            ("OWN_CONFIG", None),
        ):
            code = f"""
import re
from tutor import hooks
hooks.Filters.ENV_TEMPLATE_FILTERS.add_item(("matched", lambda s: re.sub("[A-Z]", "x", s)))
hooks.Filters.CONFIG_DEFAULTS.add_item(("OWN_CONFIG", "{{{{ 'x' if {line} else OPENEDX_SECRET_KEY|matched }}}}"))
hooks.Filters.ENV_PATCHES.add_item(("caddyfile", "# first\\n# {{{{ {expression} }}}}"))
"""
            error = self.error(instance.request(["own"]), plugin_files={"own.py": code.encode()})
            self.assertEqual((error["kind"], error["plugin"]), ("secret-use", "own"), error)
            where = f"patch caddyfile line {line}: " if line else "config OWN_CONFIG line 1: "
            secret = "MYSQL_ROOT_PASSWORD" if line else "OPENEDX_SECRET_KEY"
            made = f"{where}makes something of `{secret}` that Grove cannot compute"
            self.assertIn(made, error["message"])

    def test_what_differs_each_time_is_not_laid_on_a_secret(self) -> None:
        code = b"""
import itertools
from tutor import hooks
count = itertools.count()
hooks.Filters.ENV_TEMPLATE_FILTERS.add_item(("count", lambda s: f"{s}{next(count)}"))
hooks.Filters.ENV_PATCHES.add_item(("caddyfile", "# {{ OPENEDX_SECRET_KEY|count }}"))
"""
        error = self.error(instance.request(["own"]), plugin_files={"own.py": code})
        self.assertEqual(error["kind"], "template")
        self.assertEqual(error["message"], "apps/caddy/Caddyfile renders differently each time")

    def test_files_that_a_plugin_changes_are_seen_too(self) -> None:
        from tutor import hooks

        if not hasattr(hooks.Actions, "ENV_SAVED"):
            self.skipTest("this Tutor does not tell")
        code = """
import os, re
from tutor import hooks
hooks.Filters.ENV_PATCHES.add_item(("caddyfile", "# {{ OPENEDX_SECRET_KEY }}"))
@hooks.Actions.ENV_SAVED.add()
def change(root, config):
    path = os.path.join(root, "apps", "caddy", "Caddyfile")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(CHANGED)
"""
        asked = instance.request(["own"])
        for changed, is_refused in (("text + 'x'", False), ("re.sub('@@.', 'x', text)", True)):
            own = code.replace("CHANGED", changed).encode()
            answer = self.client.ask("render", **asked, plugin_files={"own.py": own})
            self.assertEqual(answer.get("error", {}).get("kind"), "secret-use" if is_refused else None)

    def test_literal_patches_come_last_and_are_no_templates(self) -> None:
        text = "X = '''{{ LMS_HOST }} {% raw %} \\n é'''\n"
        answer = self.render(
            instance.request(["aaa"]),
            plugin_files={"aaa.py": instance.PLUGIN_FILES["aaa.py"]},
            patches={"openedx-lms-production-settings": text},
        )
        content = answer["files"]["apps/openedx/settings/lms/production.py"].decode()
        self.assertIn(f"AAA = 'learn.example.org'\n{text}", content)


class Plugins(WithWorker):
    def test_a_missing_plugin_is_named_in_tutors_words(self) -> None:
        error = self.error(instance.request(["nope"]))
        self.assertEqual(
            (error["kind"], error["plugin"], error["message"]),
            ("plugin", "nope", "plugin 'nope' is not installed."),
        )

    def test_a_plugin_that_fails_to_import_is_named(self) -> None:
        for code, words in (
            ("import nothing_like_this", "No module named 'nothing_like_this'"),
            ("x = = 1", "SyntaxError"),
            ("raise SystemExit(3)", "SystemExit"),
        ):
            error = self.plugin(code)
            self.assertEqual((error["kind"], error["plugin"]), ("plugin", "own"))
            self.assertIn(words, error["message"])
            self.assertIn("own.py", error["traceback"])
            self.assertNotIn(self.client.directory, error["traceback"])

    def test_a_plugin_whose_callback_raises_is_named(self) -> None:
        for hook in ("Filters.CONFIG_DEFAULTS", "Filters.ENV_PATCHES", "Actions.CONFIG_LOADED"):
            code = f"""
from tutor import hooks
@hooks.{hook}.add()
def broken(*args):
    raise RuntimeError("callback broke")
"""
            error = self.plugin(code)
            self.assertEqual(error["plugin"], "own", hook)
            self.assertIn("callback broke", error["message"])

    def test_a_broken_yaml_plugin_is_named(self) -> None:
        for content in (b"name: [", b"- a", b"version: 1.0.0"):
            error = self.error(instance.request(), plugin_files={"bad.yml": content})
            self.assertEqual((error["kind"], error["plugin"]), ("plugin", "bad.yml"))
            self.assertNotIn(self.client.directory, error["message"])

    def test_a_file_that_is_no_plugin_is_refused(self) -> None:
        for name in ("../x.py", "x.yaml", ".x.py", "a/b.py"):
            error = self.error(instance.request(), plugin_files={name: b""})
            self.assertEqual((error["kind"], error["plugin"]), ("plugin", name))

    def test_two_plugins_of_one_name_are_refused(self) -> None:
        files = {"a.py": b"", "b.yml": b"{name: a, version: 1.0.0}"}
        error = self.error(instance.request(["a"]), plugin_files=files)
        self.assertEqual((error["kind"], error["plugin"]), ("plugin", "a"))
        for name in instance.installed()[:1]:
            error = self.error(instance.request([name]), plugin_files={f"{name}.py": b""})
            self.assertIn("an installed plugin", error["message"])

    def test_printing_does_not_disturb_the_protocol(self) -> None:
        code = b"""
import os, sys
print("garbage" * 1000)
os.write(1, b"\\0" * 100_000)
sys.stdin.read()
for fd in range(3, 100):
    try: os.write(fd, b"\\0\\0\\0\\1garbage")
    except OSError: pass
"""
        answer = self.client.ask("render", **instance.request(["own"]), plugin_files={"own.py": code})
        # Writing to its own answer spoils that alone.
        self.assertEqual(answer["error"]["kind"], "crash")
        self.still_works()

    def test_plugins_may_change_files_once_all_are_written(self) -> None:
        from tutor import hooks

        if not hasattr(hooks.Actions, "ENV_SAVED"):
            self.skipTest("this Tutor does not tell")
        code = b"""
import os
from tutor import hooks
@hooks.Actions.ENV_SAVED.add()
def change(root, config):
    with open(os.path.join(root, "kustomization.yml"), "a") as file:
        file.write("crds: [k8s/extra.yml, local/docker-compose.yml]\\n")
    with open(os.path.join(root, "k8s", "extra.yml"), "w") as file:
        file.write("extra of " + config["LMS_HOST"])
"""
        files = self.render(instance.request(["own"]), plugin_files={"own.py": code})["files"]
        self.assertEqual(files["k8s/extra.yml"], b"extra of learn.example.org")
        self.assertIn(b"services:", files["local/docker-compose.yml"])


class Limits(WithWorker):
    start = {
        "parallel": 2,
        "limits": {"cpu_seconds": 2, "wall_seconds": 100, "memory_mib": 512, "file_mib": 1, "disk_mib": 8},
    }

    def test_a_plugin_that_loops_ends_with_its_time(self) -> None:
        error = self.plugin("while True: pass")
        self.assertEqual(error["kind"], "limit")
        self.assertIn("processor time", error["message"])
        self.assertEqual(error["plugin"], "own")
        self.still_works()

    def test_memory_is_bounded(self) -> None:
        error = self.plugin("x = bytearray(2 << 30)")
        self.assertEqual(error["kind"], "limit")
        error = self.error(instance.request(PLATFORM_NAME="{{ 'x' * 999999999999 }}"))
        self.assertEqual(error["kind"], "limit")
        self.still_works()

    def test_files_are_bounded(self) -> None:
        error = self.plugin("open('big', 'wb').write(b'x' * (2 << 20))")
        self.assertIn(error["kind"], ("plugin", "crash"))
        self.still_works()

    def test_all_files_together_are_bounded(self) -> None:
        error = self.plugin("n = 0\nwhile n < 99999: n += 1; open(f'{n}', 'wb').write(b'x' * (1 << 20))")
        self.assertEqual(error["kind"], "limit")
        self.assertIn("more disk", error["message"])
        self.still_works()

    def test_a_child_that_dies_says_how(self) -> None:
        error = self.plugin("import os; print('last words', flush=True); os._exit(7)")
        self.assertEqual(error["kind"], "crash")
        self.assertIn("code 7", error["message"])
        self.assertIn("last words", error["traceback"])
        self.assertEqual(error["plugin"], "own")
        error = self.plugin("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
        self.assertIn("SIGSEGV", error["message"])
        self.still_works()

    def test_children_cannot_reach_their_surroundings(self) -> None:
        from grove_worker import confine

        if not _has_landlock(confine):
            self.skipTest("this kernel has no Landlock")
        error = self.plugin(
            """
import os, signal
here = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
done = []
def attempt(name, action):
    try:
        action()
        done.append(name)
    except OSError:
        pass
attempt("write", lambda: open(os.path.join(here, "x"), "w"))
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("memory", lambda: open(f"/proc/{os.getppid()}/mem", "rb"))
open("allowed", "w").close()
open(os.devnull, "w").close()
raise RuntimeError(f"did {done}")
"""
        )
        self.assertIn("did []", error["message"])

    def test_unknown_operations_are_refused(self) -> None:
        self.assertEqual(self.error({}, op="nothing")["kind"], "protocol")
        self.assertEqual(self.error({}, op="warm")["kind"], "protocol")
        self.assertEqual(self.error({}, config=7)["kind"], "protocol")


class Overdue(WithWorker):
    start = {"parallel": 2, "limits": {"wall_seconds": 5}}

    def test_a_plugin_that_sleeps_ends_too_and_holds_up_nobody(self) -> None:
        asked = instance.request(["own"])
        slow = self.client.send("render", **asked, plugin_files={"own.py": b"import time; time.sleep(99)"})
        quick = self.client.send("render", **instance.request())
        first, head, _ = self.client.receive()
        self.assertEqual((first, "error" in head), (quick, False))
        second, head, _ = self.client.receive()
        self.assertEqual((second, head["error"]["kind"]), (slow, "limit"))

    def test_a_plugin_that_leaves_processes_behind_does_not_hang(self) -> None:
        started = time.monotonic()
        error = self.plugin("import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(20)\nos._exit(4)")
        self.assertLess(time.monotonic() - started, 15)
        self.assertIn(error["kind"], ("crash", "limit"))


def _has_landlock(confine: t.Any) -> bool:
    import ctypes

    return ctypes.CDLL(None).syscall(confine._CREATE_RULESET, None, 0, 1) >= 1


class Secrets(unittest.TestCase):
    def ask(self, op: str, asked: dict[str, t.Any], **fields: t.Any) -> Answer:
        """Each request gets a worker of its own."""
        client = Client(key=KEY or None)
        try:
            answer = client.ask(op, **{**asked, **fields})
            if op == "generate":
                refused = client.ask("render", **instance.request())
                self.assertEqual(refused["error"]["kind"], "protocol")
            return answer
        finally:
            client.close()

    def test_declared_secrets_have_classes(self) -> None:
        asked = {**instance.request(["shop", "aaa"]), "plugin_files": instance.PLUGIN_FILES}
        found = {s["name"]: s for s in self.ask("secrets", asked)["secrets"]}
        self.assertEqual(found["SHOP_SECRET"]["class"], "generated")
        self.assertEqual(found["SHOP_SECRET"]["plugin"], "shop")
        self.assertEqual(found["SHOP_KONST"]["class"], "fixed")
        derived = found["MEILISEARCH_API_KEY"]
        self.assertEqual(
            (derived["class"], derived["from"], derived["plugin"]),
            ("derived", ["MEILISEARCH_API_KEY_UID", "MEILISEARCH_MASTER_KEY"], None),
        )
        self.assertEqual(found["JWT_RSA_PRIVATE_KEY"]["class"], "generated")
        self.assertNotIn("ID", found)

    def test_values_are_made_as_tutor_makes_them(self) -> None:
        from tutor import utils

        asked = {**instance.request(["shop"], []), "plugin_files": instance.PLUGIN_FILES}
        names = ["SHOP_SECRET", "MEILISEARCH_API_KEY", "JWT_RSA_PRIVATE_KEY", "CMS_OAUTH2_SECRET"]
        known = {"MEILISEARCH_MASTER_KEY": "master", "MYSQL_ROOT_PASSWORD": "root"}
        values = self.ask("generate", asked, names=names, known=known)["values"]
        # The half of the pair that was missing comes with it; what exists is not made again.
        self.assertEqual(set(values), {*names, "MEILISEARCH_API_KEY_UID"})
        self.assertEqual(
            values["MEILISEARCH_API_KEY"],
            utils.uid_master_hash("master", values["MEILISEARCH_API_KEY_UID"]),
        )
        self.assertRegex(values["SHOP_SECRET"], r"^[A-Za-z0-9]{8}$")
        self.assertRegex(values["CMS_OAUTH2_SECRET"], r"^[A-Za-z0-9]{24}$")
        self.assertTrue(utils.rsa_import_key(values["JWT_RSA_PRIVATE_KEY"]).has_private())

    def test_values_are_new_each_time(self) -> None:
        asked = instance.request([], [])
        names = ["CMS_OAUTH2_SECRET", "MEILISEARCH_MASTER_KEY"]
        made = [self.ask("generate", asked, names=names)["values"] for _ in range(2)]
        values = [value for each in made for value in each.values()]
        self.assertEqual(len(set(values)), 4)

    def test_what_cannot_be_made_is_refused(self) -> None:
        asked = instance.request([], [])
        for names, known in (
            (["SMTP_PASSWORD"], {}),
            (["CMS_OAUTH2_SECRET"], {"CMS_OAUTH2_SECRET": "x"}),
            (["MEILISEARCH_MASTER_KEY"], {"MEILISEARCH_API_KEY": "x"}),
        ):
            error = self.ask("generate", asked, names=names, known=known)["error"]
            self.assertEqual(error["kind"], "config", names)


class Jobs(WithWorker):
    PLUGIN = b"""
import click
from tutor import hooks

@click.command(help="Sells something")
@click.option("--how-many", type=int, default=1)
@click.argument("what")
def sell(how_many, what):
    yield "shop", "sell {{ LMS_HOST }} " + what + " %d" % how_many
    yield "lms", "done"

@click.command()
def ask():
    yield "lms", click.prompt("How much")

hooks.Filters.CLI_DO_COMMANDS.add_items([sell, ask])
"""

    def job(self, *words: str) -> Answer:
        asked = {**instance.request(["own"]), "plugin_files": {"own.py": self.PLUGIN}}
        return self.client.ask("job", **asked, job=list(words))

    def test_jobs_of_tutor_and_of_plugins_are_known(self) -> None:
        found = {job["name"]: job for job in self.job()["jobs"]}
        self.assertLessEqual({"createuser", "importdemocourse", "sell"}, set(found))
        self.assertEqual(found["sell"]["help"], "Sells something")
        self.assertIn("--how-many", found["sell"]["usage"])

    def test_a_job_is_its_scripts(self) -> None:
        made = self.job("sell", "--how-many", "2", "hats")
        self.assertEqual(
            made["steps"],
            [
                {"service": "shop", "text": "sell learn.example.org hats 2"},
                {"service": "lms", "text": "done"},
            ],
        )
        self.assertEqual(made["asked"], [])

    def test_what_is_hidden_stays_a_token(self) -> None:
        made = self.job("createuser", "--staff", "ada", "ada@uni.example")
        (step,) = made["steps"]
        self.assertEqual((step["service"], made["asked"]), ("lms", ["Password"]))
        self.assertIn("manage_user  --staff ada ada@uni.example", step["text"])
        self.assertIn("set_password('GroveAnswer0')", step["text"])

    def test_wrong_words_are_refused_in_the_jobs_words(self) -> None:
        for words, said in (
            (["nothing"], "no job `nothing`"),
            (["sell"], "Missing argument 'WHAT'"),
            (["sell", "--how-many", "x", "y"], "not a valid integer"),
            (["ask"], "How much"),
        ):
            error = self.job(*words)["error"]
            self.assertEqual(error["kind"], "usage", error)
            self.assertIn(said, error["message"])


class Images(WithWorker):
    PLUGIN = b"""
import os
from tutor import hooks

hooks.Filters.IMAGES_BUILD.add_items([
    ("shop", ("build", "openedx", "bin"), "shop:1", ()),
    ("shop-dev", "build/openedx", "shop:dev", ()),
])
"""

    def image(self, name: str, **more: t.Any) -> Answer:
        asked = {**instance.request(["own"]), "plugin_files": {"own.py": self.PLUGIN}, **more}
        return self.client.ask("image", **asked, image=name)

    def test_images_of_tutor_and_of_plugins_are_known(self) -> None:
        self.assertEqual(self.image("")["images"], ["openedx", "shop"])

    def test_a_context_is_the_directory_that_tutor_builds_from(self) -> None:
        files = self.image("openedx")["files"]
        self.assertLessEqual({"Dockerfile", "bin/reload-uwsgi"}, set(files))
        self.assertIn(b"AS python-requirements", files["Dockerfile"])
        # Another part of the same directory; nothing of what Kustomize reads.
        self.assertIn("reload-uwsgi", self.image("shop")["files"])
        self.assertFalse([path for path in files if path.startswith(("k8s", "apps"))])

    def test_a_patch_is_in_the_dockerfile(self) -> None:
        patches = {"openedx-dockerfile-post-python-requirements": "RUN {{ true }} it's"}
        files = self.image("openedx", patches=patches)["files"]
        self.assertIn(b"\nRUN {{ true }} it's\n", files["Dockerfile"])

    def test_an_unknown_image_is_refused(self) -> None:
        error = self.image("nothing")["error"]
        self.assertEqual((error["kind"], error["message"]), ("usage", "there is no image `nothing`"))


class Start(unittest.TestCase):
    def test_another_protocol_is_refused(self) -> None:
        client = Client(protocol=99)
        self.assertEqual(client.hello["error"]["kind"], "protocol")
        client.close()
        self.assertEqual(client.process.returncode, 1)

    def test_closing_the_protocol_ends_the_worker_and_its_children(self) -> None:
        client = Client(key=KEY or None)
        asked = instance.request(["own"])
        client.send("render", **asked, plugin_files={"own.py": b"import time; time.sleep(99)"})
        time.sleep(0.5)
        started = time.monotonic()
        client.close()
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(client.process.returncode, 0)

    def test_saved_code_of_something_else_is_passed_over(self) -> None:
        client = Client(b"not code at all", key=KEY or None)
        self.assertIn("files", client.ask("render", **instance.request()))
        client.close()


def _key() -> str:
    client = Client()
    try:
        return client.hello["key"]
    finally:
        client.close()


#: One throw-away key for the workers that do not make their own.
KEY = _key()

if __name__ == "__main__":
    unittest.main()
