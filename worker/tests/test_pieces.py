"""The parts that need no running worker."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import hmac
import json
import os
import pickle
import random
import tempfile
import unittest
import urllib.parse

from client import frames  # first: it makes the worker importable

import jinja2
import yaml
from grove_worker import preload

preload.preload()

from grove_worker import (  # noqa: E402
    derivations,
    jinja,
    marks,
    references,
    scratch,
    secret,
    uses,
)
from grove_worker.config import GENERATING, NeedsSecret, guard_filters  # noqa: E402
from grove_worker.errors import WorkerError  # noqa: E402
from grove_worker.throwaway import Throwaway  # noqa: E402
from tutor import env as tutor_env  # noqa: E402

KEY = Throwaway.generate()


class Frames(unittest.TestCase):
    def test_frames_arrive_whole_however_they_are_cut(self) -> None:
        sent = [({"id": 1}, b""), ({"id": 2, "x": "é"}, b"\x00\xff" * 70_000)]
        data = b"".join(frames.encode(*frame) for frame in sent)
        for step in (1 << 20, 977, 7):
            buffer = frames.Buffer()
            got = []
            for at in range(0, len(data), step):
                got += [frames.decode(f) for f in buffer.feed(data[at : at + step])]
            self.assertEqual(got, sent)

    def test_a_length_above_the_limit_is_refused_before_it_is_read(self) -> None:
        with self.assertRaises(frames.BadFrame):
            list(frames.Buffer().feed(b"\xff" * 8))


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = os.path.join(directory.name, "child")
        os.mkdir(self.directory)

    def left(self, mib: int = 1, entries: int = 100) -> scratch.Room:
        room = scratch.Room(mib << 20, entries)
        scratch.measure(self.directory, room)
        return room

    def path(self, *names: str) -> str:
        return os.path.join(self.directory, *names)

    def test_what_lies_there_is_counted_as_disk(self) -> None:
        os.mkdir(self.path("a"))
        with open(self.path("a", "full"), "wb") as file:
            file.write(bytes(256 << 10))
        with open(self.path("hole"), "wb") as file:
            file.truncate(1 << 30)
        os.symlink("/", self.path("elsewhere"))
        room = self.left()
        self.assertEqual(room.entries, 96)
        self.assertTrue(700 << 10 < room.bytes <= 768 << 10, room)
        for more in ({"mib": 0}, {"entries": 3}):
            with self.assertRaises(scratch.TooMuch):
                self.left(**more)

    def test_files_without_a_name_are_counted(self) -> None:
        with tempfile.TemporaryFile(dir=self.directory) as file:
            file.write(bytes(512 << 10))
            file.flush()
            room = scratch.Room(1 << 20, 10)
            scratch.measure_unnamed(os.getpid(), room)
            self.assertLessEqual(room.bytes, 512 << 10)
        self.assertEqual(scratch.threads(os.getpid()), 1)

    def test_a_directory_of_any_depth_is_counted_and_goes(self) -> None:
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir(self.directory)
            for _ in range(3000):
                os.mkdir("d", 0o300)
                os.chdir("d")
                open("file", "w").close()
        finally:
            os.fchdir(here)
            os.close(here)
        with self.assertRaises(scratch.TooMuch):
            self.left(100, 100_000)
        scratch.remove(self.directory)
        self.assertFalse(os.path.exists(self.directory))


class Literals(unittest.TestCase):
    def test_text_comes_out_as_it_went_in(self) -> None:
        pick = random.Random(7)
        pieces = ["{{", "}}", "{%", "%}", "{#", "#}", "'", '"', "\\", "\n", "\r\n", "\t", "é"]
        pieces += ["\U0001f600", "\x00", "\x85", "\u2028", "{% endraw %}", "\\n", "\\u0041", " "]
        environment = tutor_env.Renderer({}).environment
        for _ in range(500):
            text = "".join(pick.choices(pieces, k=pick.randrange(8)))
            template = environment.from_string(jinja.literal(text))
            self.assertEqual(template.render(), text)

    def test_plain_text_is_what_rendering_would_leave_alone(self) -> None:
        environment = jinja2.Environment()
        for text in ("", "a b", "}} %}", "# x", "@@X@@", "a\tb", "\u2028", "é"):
            self.assertTrue(jinja.is_plain(text))
            self.assertEqual(environment.from_string(text).render(), text)
        for text in ("a\n", "a\rb", "{{ x }}", "{"):
            self.assertFalse(jinja.is_plain(text))


class Code(unittest.TestCase):
    def test_filters_of_constants_are_not_evaluated_while_compiling(self) -> None:
        environment = tutor_env.Renderer({}).environment
        source = "{{ 12|random_string }}"
        values = {environment.from_string(source).render() for _ in range(4)}
        self.assertEqual(len(values), 4)

    def test_code_is_shared_only_between_equal_environments(self) -> None:
        plain, sandbox = jinja.CachedEnvironment(), jinja.ConfigEnvironment()
        passing = jinja.CachedEnvironment()
        passing.filters["mine"] = jinja2.pass_context(lambda _context, value: value)
        kinds = set()
        for environment in (plain, sandbox, passing):
            environment.from_string("x")
            kinds.add(environment._kind)
        self.assertEqual(len(kinds), 3)


class Guards(unittest.TestCase):
    def render(self, text: str, **config: str) -> str:
        renderer = tutor_env.Renderer(config)
        guard_filters(renderer.environment)
        return renderer.render_str(text)

    def test_filters_that_draw_values_are_refused(self) -> None:
        for name in GENERATING:
            with self.assertRaises(NeedsSecret, msg=name):
                self.render(f"{{{{ 8|{name} }}}}")


class Texts(unittest.TestCase):
    """What is seen of a text with a secret's mark, and what comes of it."""

    def setUp(self) -> None:
        derivations.know(["A", "B_C"])
        uses._noted.clear()
        self.text = secret.marked("@@A@@")

    def noted(self) -> list[str]:
        found = [use.what for use in uses._noted]
        uses._noted.clear()
        return found

    def test_putting_it_in_is_not_noted(self) -> None:
        text = self.text
        for made in (
            str(text),
            f"{text}",
            text + "",
            "" + text,
            "%s" % text,
            "".join([text]),
            copy.deepcopy([text])[0],
            pickle.loads(pickle.dumps(text)),
            "x".replace("x", text),
        ):
            self.assertEqual(str.__str__(made), "@@A@@")
        self.assertTrue(text)
        self.assertFalse(text == "")
        self.assertFalse(text == None)  # noqa: E711
        self.assertTrue(text == secret.marked("@@A@@"))
        self.assertEqual(self.noted(), [])

    def test_every_other_method_is_noted_or_derived(self) -> None:
        for method in dir(str):
            harmless = method in secret._HARMLESS or method in (
                "__str__ __add__ __mul__ __rmul__ __rmod__ join encode upper lower capitalize __eq__ __ne__"
                " __format__ __reduce__ __reduce_ex__ maketrans".split()
            )
            if harmless or not callable(getattr(str, method)):
                continue
            for arguments in ((), ("a",), ("a", "b"), (0,), ({},)):
                try:
                    getattr(secret.marked("@@A@@"), method)(*arguments)
                    break
                except (TypeError, ValueError, IndexError):
                    pass
            self.assertEqual(len(self.noted()), 1, method)

    def test_python_asks_by_other_ways_too(self) -> None:
        text = self.text
        for ask in (
            lambda: int(text),
            lambda: float(text),
            lambda: {text: 1},
            lambda: text in ["b"],
            lambda: sorted([text, "b"]),
            lambda: [*text],
            lambda: hmac.new(text.encode(), b"m", "sha256"),
            lambda: text.encode()[:3],
            lambda: text.encode("utf-16"),
            lambda: base64.b64encode(text.encode(), b"-_"),
        ):
            with contextlib.suppress(ValueError):
                ask()
            self.assertTrue(self.noted())

    def test_what_is_computed_has_a_name_that_says_how(self) -> None:
        text, other = self.text, secret.marked("@@B_C@@")
        for made, name in (
            (text.upper(), "A__UPPER"),
            ((text + "é").upper(), "A__UPPER@@É"),
            (text[:-3].lower(), "A__SLICE_N_M3_N__LOWER"),
            (base64.b64encode(b"x:" + text.encode()).decode(), "A__PRE_783A__B64"),
            (hashlib.sha256((text + other).encode()).hexdigest(), "A__AND_425F43__SHA256__HEX"),
            (base64.b64encode(hashlib.md5(text.encode()).digest()).decode(), "A__MD5__B64"),
            (json.dumps(text)[1:-1], "A__JSON"),
            (urllib.parse.quote_plus(text), "A__URLQUERY"),
        ):
            self.assertIn(f"@@{name}", str.__str__(made))
        self.assertEqual(self.noted(), [])
        # A name of the instance's own secrets is never taken.
        derivations.know(["A", "A__UPPER"])
        text.upper()
        self.assertEqual(self.noted(), ["changes {} (`upper`)"])

    def test_no_dumper_of_yaml_writes_a_tag(self) -> None:
        class Own(yaml.SafeDumper):
            pass

        Own.add_representer(int, lambda dumper, value: dumper.represent_str(str(value)))
        value = {self.text: [self.text, 1]}
        uses._noted.clear()
        for dumper in (yaml.Dumper, yaml.SafeDumper, yaml.CDumper, yaml.CSafeDumper, Own):
            made = yaml.dump(value, Dumper=dumper)
            self.assertEqual(made.split("\n")[:2], ["'@@A@@':", "- '@@A@@'"], dumper)
        self.assertEqual(self.noted(), [])

    def test_the_other_text_of_a_secret_comes_back(self) -> None:
        marks.use_others(True)
        try:
            first, second = marks.mark("A"), marks.mark("A__UPPER")
        finally:
            marks.use_others(False)
        self.assertEqual(len({len(first), len("@@A@@"), len(second)}), 3)
        self.assertEqual(marks.usual(f"x{second}{first}y"), "x@@A__UPPER@@@@A@@y")
        self.assertEqual(marks.names(first), ["A"])


class References(unittest.TestCase):
    def collect(self, files: dict[str, str]) -> set[str]:
        return set(references.collect(files, lambda path: files[path].encode()))

    def test_references_are_followed_through_every_field(self) -> None:
        files = {
            "kustomization.yml": """
resources: [k8s/a.yml, plugins/x/k8s, ./dir]
configMapGenerator: [{name: c, files: [apps/f, key=apps/g], envs: [apps/env]}]
patches: [{path: k8s/patch.yml}, {patch: "k8s/not-this.yml\\n"}]
replacements: [{path: k8s/r.yml}]
""",
            "plugins/x/k8s/kustomization.yaml": "resources: [../up.yml, own.yml]",
        }
        wanted = "k8s/a.yml apps/f apps/g apps/env k8s/patch.yml k8s/r.yml dir/one dir/in/two"
        wanted += " plugins/x/up.yml plugins/x/k8s/own.yml"
        files |= dict.fromkeys(wanted.split(), "")
        others = dict.fromkeys(("k8s/not-this.yml", "plugins/x/k8s/other.yml", "build/x"), "")
        self.assertEqual(self.collect(files | others), set(files))

    def test_a_kustomization_that_is_not_yaml_is_named(self) -> None:
        with self.assertRaises(WorkerError) as caught:
            self.collect({"kustomization.yml": "a: [1"})
        self.assertEqual(caught.exception.file, "kustomization.yml")

    def test_aliases_that_unfold_do_not_take_for_ever(self) -> None:
        lines = ["a0: &a0 [x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
        self.assertEqual(
            self.collect({"kustomization.yml": "\n".join(lines)}), {"kustomization.yml"}
        )


class ThrowawayKey(unittest.TestCase):
    def test_the_numbers_and_the_pem_become_placeholders(self) -> None:
        from tutor import utils

        key = utils.rsa_import_key(KEY.pem)
        text = f'"d": "{utils.long_to_base64(key.d)}", "qi": "{utils.long_to_base64(key.invq)}"'
        self.assertEqual(
            KEY.replace(text.encode(), "f").decode(),
            '"d": "@@JWT_RSA_PRIVATE_KEY_D@@", "qi": "@@JWT_RSA_PRIVATE_KEY_QI@@"',
        )
        for pem in (
            KEY.pem,
            KEY.pem.replace("\n", "\n    "),
            KEY.pem.replace("\n", "\\n"),
            KEY.pem.replace("\n", "\\\\n"),
            KEY.pem.replace("\n", "\r\n"),
        ):
            done = KEY.replace(f"key: {pem}!".encode(), "f")
            self.assertEqual(done, b"key: @@JWT_RSA_PRIVATE_KEY@@!")

    def test_any_other_form_of_the_key_is_an_error_that_names_the_file(self) -> None:
        import base64

        from tutor import utils

        key = utils.rsa_import_key(KEY.pem)
        der = base64.b64decode("".join(KEY.pem.splitlines()[1:-1]))
        for form in (
            base64.b64encode(KEY.pem.encode()),
            base64.b64encode(b"x" + KEY.pem.encode() + b"\n"),
            base64.urlsafe_b64encode(der),
            str(key.d).encode(),
            f"{key.p:x}".encode(),
            f"{key.q:X}".encode(),
            KEY.pem.splitlines()[3].encode(),
        ):
            with self.assertRaises(WorkerError, msg=form[:20]) as caught:
                KEY.replace(b"a " + form + b" b", "apps/x")
            self.assertEqual(caught.exception.file, "apps/x")


if __name__ == "__main__":
    unittest.main()
