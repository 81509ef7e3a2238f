"""Fetches a package's source archive from the package index, where the package has no wheel.

    python fetch_archive.py NAME VERSION DIRECTORY RESULT

writes to the file RESULT a JSON object: `{"wheel": true}` where the index has a wheel that fits
this machine, `{"archive": FILE NAME}` for a source archive that is now in DIRECTORY, or `{}` where
the index has neither. Nothing of the package is run, unlike in `pip download`.

It is run by Grove's own pip, whose version is pinned beside this file's caller: pip's reading of
the user's settings (index, proxies, credentials, certificates) has no public interface.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys

from pip._internal.commands import create_command
from pip._internal.network.utils import HEADERS
from pip._vendor.packaging.version import Version

#: A source archive of a Tutor plugin is a few hundred kilobytes.
LIMIT = 256 << 20


def fetch(session, link, directory: str) -> str:
    name = os.path.basename(link.filename)
    digest, size = hashlib.sha256(), 0
    response = session.get(link.url_without_fragment, headers=HEADERS, stream=True)
    response.raise_for_status()
    with open(os.path.join(directory, name), "wb") as file:
        for chunk in response.iter_content(1 << 16):
            size += len(chunk)
            if size > LIMIT:
                sys.exit(f"{name} is larger than {LIMIT} bytes")
            digest.update(chunk)
            file.write(chunk)
    wanted = link.hash if link.hash_name == "sha256" else None
    if wanted is not None and wanted != digest.hexdigest():
        sys.exit(f"{name} has not the hash that the index states")
    return name


def main() -> None:
    package, version, directory, result = sys.argv[1:]
    command = create_command("download")
    options, _ = command.parse_args([])
    found: dict[str, object] = {}
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        links = [
            candidate.link
            for candidate in finder.find_all_candidates(package)
            if candidate.version == Version(version)
        ]
        archives = sorted(
            (link for link in links if not link.is_wheel),
            key=lambda link: (not link.filename.endswith(".tar.gz"), link.filename),
        )
        if any(link.is_wheel for link in links):
            found["wheel"] = True
        elif archives:
            found["archive"] = fetch(session, archives[0], directory)
    with open(result, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
