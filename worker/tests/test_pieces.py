"""The parts that need no running worker."""

from __future__ import annotations

import os
import random
import tempfile
import unittest

from client import frames  # first: it makes the worker importable

import jinja2
from grove_worker import preload

preload.preload()

from grove_worker import jinja, references, scratch  # noqa: E402
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

    def test_filters_that_would_lose_a_placeholder_are_refused(self) -> None:
        for text in ("{{ A|uid_master_hash('x') }}", "{{ A|urlencode }}", "{{ A|lower }}"):
            with self.assertRaises(NeedsSecret, msg=text) as caught:
                self.render(text, A="@@A_B@@")
            self.assertIn("A_B", str(caught.exception))
        self.assertEqual(self.render("{{ A|upper }}", A="@@A_B@@"), "@@A_B@@")
        self.assertEqual(self.render("{{ A|lower }}", A="X@Y"), "x@y")


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
