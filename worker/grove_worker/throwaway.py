"""The throw-away JWT key: templates need a real RSA key, the output must not hold it.

Templates print the key's numbers as a JWK, so no placeholder can stand in for it. A key made for
nothing else goes in, and each form of it in the output becomes a placeholder.
"""

from __future__ import annotations

import base64
import re
import typing as t

from tutor import utils

from .errors import WorkerError

#: Tutor's configuration key.
NAME = "JWT_RSA_PRIVATE_KEY"

#: JWK member → attribute of the key object.
_NUMBERS = {
    "N": "n",
    "D": "d",
    "P": "p",
    "Q": "q",
    "DP": "dp",
    "DQ": "dq",
    "QI": "invq",
}

#: What separates the lines of a PEM in the output: a line end and indentation, or an escaped
#: line end, however often it was escaped.
_LINE_END = r"(?:\r?\n[ \t]*|(?:\\+r)?\\+n)"

#: Length of the pieces of the key that are searched for, in characters.
_PIECE = 40


class Throwaway:
    """One throw-away key and how to remove it from text."""

    def __init__(self, pem: str) -> None:
        self.pem = pem.strip()
        # The filter remembers it, so that no child reads the key again.
        key = utils.rsa_import_key(self.pem)
        numbers = {name: getattr(key, attribute) for name, attribute in _NUMBERS.items()}
        self._texts = [
            (utils.long_to_base64(number).encode(), f"@@{NAME}_{name}@@".encode())
            for name, number in numbers.items()
        ]
        lines = [re.escape(line) for line in self.pem.splitlines()]
        self._pem = re.compile(_LINE_END.join(lines).encode())
        self._traces = _traces(self.pem, numbers.values())

    @classmethod
    def generate(cls) -> Throwaway:
        """Make a key; takes about a second of processor time."""
        return cls(utils.rsa_private_key(2048))

    def replace(self, content: bytes, where: str) -> bytes:
        """Put placeholders for the key in the output `where`."""
        if b"PRIVATE KEY" in content:
            content = self._pem.sub(f"@@{NAME}@@".encode(), content)
        for text, placeholder in self._texts:
            content = content.replace(text, placeholder)
        if any(trace in content for trace in self._traces):
            raise WorkerError(
                "template",
                f"{where} holds {NAME} in a form that cannot be kept out of Git",
                file=where,
            )
        return content


def _traces(pem: str, numbers: t.Iterable[int]) -> list[bytes]:
    """Pieces that any other usual form of the key would hold: lines of the PEM, the PEM or its
    bytes in base64, the numbers in base64, decimal or hexadecimal."""
    body = [line for line in pem.splitlines() if not line.startswith("-----")]
    der = base64.b64decode("".join(body))
    pieces = [line[:_PIECE] for line in body if len(line) >= _PIECE]
    for data in (pem.encode(), der, pem.replace("\n", "\\n").encode()):
        # A text may begin anywhere in a group of three bytes.
        for shift in range(3):
            encoded = base64.b64encode(data[shift:]).decode()
            pieces += [encoded[at : at + _PIECE] for at in (80, 240)]
    for number in numbers:
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        encoded = base64.b64encode(octets).decode()
        pieces += [encoded[:_PIECE], str(number)[:_PIECE], octets.hex()[:_PIECE]]
    url_safe = [piece.translate(str.maketrans("+/", "-_")) for piece in pieces]
    upper = [piece.upper() for piece in pieces if re.fullmatch(r"[0-9a-f]+", piece)]
    return sorted({piece.encode() for piece in [*pieces, *url_safe, *upper]})
