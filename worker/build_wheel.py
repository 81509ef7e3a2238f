"""Builds a wheel from a source tree or archive, so that equal sources give equal bytes.

    python build_wheel.py STEP SOURCE WORK RESULT

STEP is one of

- `declared`: which requirements the source declares for its build; runs nothing of it;
- `asked`: which further ones its build back end asks for;
- `wheel`: builds the wheel into the directory WORK/wheel.

SOURCE is a directory or a .tar.gz or .zip archive with one directory in it; WORK is a directory to
work in. The file RESULT gets a JSON object: `{"requires": [...]}` or `{"wheel": FILE NAME}`.

It is run by Grove, confined and without network. For `asked` and `wheel` the Python is one that
has the build back end installed.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import stat
import sys
import tarfile
import typing as t
import zipfile

#: What the standard says of a source without a statement of its own.
LEGACY = {"requires": ["setuptools >= 40.8.0"], "build-backend": "setuptools.build_meta:__legacy__"}

#: The first moment that a zip archive can state.
BEGINNING = (1980, 1, 1, 0, 0, 0)


def read_toml(path: str) -> dict[str, t.Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        from pip._vendor import tomli as tomllib
    with open(path, "rb") as file:
        return tomllib.load(file)


def open_source(source: str, work: str) -> str:
    """The directory of the source; an archive is unpacked below `work`, once."""
    if os.path.isdir(source):
        return source
    place = os.path.join(work, "source")
    if not os.path.isdir(place):
        os.mkdir(place)
        if source.endswith(".zip"):
            with zipfile.ZipFile(source) as archive:
                archive.extractall(place)
        else:
            # The confinement is what holds a hostile archive; the filter is for its manners.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            with tarfile.open(source) as archive:
                archive.extractall(place, **safe)
    entries = [os.path.join(place, entry) for entry in os.listdir(place)]
    if len(entries) != 1 or not os.path.isdir(entries[0]):
        sys.exit("the source archive does not hold one directory")
    return entries[0]


def build_system(source: str) -> dict[str, t.Any]:
    path = os.path.join(source, "pyproject.toml")
    declared = read_toml(path).get("build-system") if os.path.exists(path) else None
    if declared is None:
        if not os.path.exists(path) and not os.path.exists(os.path.join(source, "setup.py")):
            sys.exit("the source has neither pyproject.toml nor setup.py")
        return LEGACY
    return {
        "requires": declared["requires"],
        "build-backend": declared.get("build-backend", LEGACY["build-backend"]),
        "backend-path": declared.get("backend-path", []),
    }


def back_end(source: str) -> t.Any:
    declared = build_system(source)
    sys.path[:0] = [os.path.join(source, path) for path in declared.get("backend-path", [])]
    module, _, attributes = declared["build-backend"].partition(":")
    found = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def write_canonical(wheel: str, out: str) -> None:
    """Writes a wheel anew: entries sorted, no times, plain modes, nothing compressed.

    Compressed bytes depend on the compression library of the machine. Only the order of the lines
    of RECORD changes in the content; they are hashes of the other entries, which stay as they are.
    """
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        entries = {entry.filename: entry for entry in old.infolist() if not entry.is_dir()}

        def is_record(name: str) -> bool:
            return name.count("/") == 1 and name.endswith(".dist-info/RECORD")

        for name in sorted(entries, key=lambda name: (is_record(name), name)):
            content = old.read(entries[name])
            if is_record(name):
                content = b"".join(sorted(content.replace(b"\r\n", b"\n").splitlines(True)))
            executable = entries[name].external_attr >> 16 & stat.S_IXUSR
            entry = zipfile.ZipInfo(name, BEGINNING)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            new.writestr(entry, content)


def build(source: str, work: str) -> str:
    raw, out = os.path.join(work, "raw"), os.path.join(work, "wheel")
    for directory in (raw, out):
        shutil.rmtree(directory, ignore_errors=True)
        os.mkdir(directory)
    name = back_end(source).build_wheel(raw, {}, None)
    write_canonical(os.path.join(raw, name), os.path.join(out, name))
    return name


def main() -> None:
    step, source, work, result = sys.argv[1:]
    source = open_source(source, work)
    os.chdir(source)
    if step == "declared":
        said: dict[str, t.Any] = {"requires": build_system(source)["requires"]}
    elif step == "asked":
        ask = getattr(back_end(source), "get_requires_for_build_wheel", lambda _settings: [])
        said = {"requires": list(ask({}))}
    else:
        said = {"wheel": build(source, work)}
    with open(result, "w", encoding="utf-8") as file:
        json.dump(said, file)


if __name__ == "__main__":
    main()
