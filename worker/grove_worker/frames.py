"""Frames: two big-endian 32-bit lengths, a JSON head of the first length, a body of the second.

The head is small and structured; the body carries file contents byte for byte.
"""

from __future__ import annotations

import json
import struct
import typing as t

_LENGTHS = struct.Struct(">II")

#: Bytes before a frame's head.
PREFIX = _LENGTHS.size

#: Largest head and body that are accepted, in bytes.
MAX_HEAD = 16 << 20
MAX_BODY = 64 << 20


class BadFrame(Exception):
    """The other side sent something that is not a frame."""


def encode(head: t.Mapping[str, t.Any], body: bytes = b"") -> bytes:
    """Make one frame."""
    encoded = json.dumps(head, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    if len(encoded) > MAX_HEAD or len(body) > MAX_BODY:
        raise BadFrame(
            f"a frame of {len(encoded)} + {len(body)} bytes is above the limit"
        )
    return _LENGTHS.pack(len(encoded), len(body)) + encoded + body


def size(prefix: bytes) -> int:
    """The whole length of the frame that begins with `prefix`, in bytes."""
    head, body = _LENGTHS.unpack_from(prefix)
    if head > MAX_HEAD or body > MAX_BODY:
        raise BadFrame(f"a frame of {head} + {body} bytes is above the limit")
    return PREFIX + head + body


def decode(frame: bytes) -> tuple[dict[str, t.Any], bytes]:
    """Take a whole frame apart."""
    head_size, _ = _LENGTHS.unpack_from(frame)
    head = json.loads(frame[PREFIX : PREFIX + head_size])
    if not isinstance(head, dict):
        raise BadFrame("the head of a frame is not an object")
    return head, frame[PREFIX + head_size :]


class Buffer:
    """Collects bytes until they make whole frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> t.Iterator[bytes]:
        """Add `data`; yield every frame that is now whole."""
        self._bytes += data
        while len(self._bytes) >= PREFIX:
            length = size(self._bytes)
            if len(self._bytes) < length:
                return
            frame = bytes(self._bytes[:length])
            del self._bytes[:length]
            yield frame
