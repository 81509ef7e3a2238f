"""Functions of Python and of its libraries that would use a secret's mark in C, where no type sees
it: each gives the derived secret instead. They are put in place once, before any plugin is there.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import json.encoder
import typing as t
import urllib.parse

import jinja2.filters
import markupsafe
import yaml

from . import derivations, secret, uses
from .secret import SecretBytes, SecretText

#: How a text is written in JSON now: as `tojson` of Jinja does, or as Python's encoder.
_in_html = False


def install() -> None:
    """Put all of them in place."""
    _encodings()
    _hashes()
    _json()
    _urls()
    _yaml()
    _html()


def json_for_html(value: t.Any, **options: t.Any) -> str:
    """What Jinja's `tojson` makes a JSON text with: it escapes more afterwards."""
    global _in_html
    before, _in_html = _in_html, True
    try:
        return json.dumps(value, **options)
    finally:
        _in_html = before


def _encodings() -> None:
    def b64encode(native: t.Callable[..., bytes], step: str) -> t.Callable[..., bytes]:
        @functools.wraps(native)
        def encode(s: t.Any, *args: t.Any, **kwargs: t.Any) -> bytes:
            if type(s) is not SecretBytes:
                return native(s, *args, **kwargs)
            if any(value is not None for value in (*args, *kwargs.values())):
                uses.note(s.text(), "writes {} in base64 of another alphabet")
            return SecretBytes(secret.plain(secret.encoded(s, step)).encode())

        return encode

    base64.b64encode = b64encode(base64.b64encode, "B64")
    base64.standard_b64encode = b64encode(base64.standard_b64encode, "B64")
    base64.urlsafe_b64encode = b64encode(base64.urlsafe_b64encode, "B64URL")

    def hexlify(native: t.Callable[..., bytes]) -> t.Callable[..., bytes]:
        @functools.wraps(native)
        def encode(data: t.Any, *separators: t.Any) -> bytes:
            if type(data) is not SecretBytes:
                return native(data, *separators)
            return SecretBytes(secret.plain(data.hex(*separators)).encode())

        return encode

    binascii.hexlify = hexlify(binascii.hexlify)
    binascii.b2a_hex = binascii.hexlify


class _Hash:
    """A hash of bytes with secrets."""

    def __init__(self, name: str, native: t.Any, data: SecretBytes) -> None:
        self.name = name
        self.digest_size = native.digest_size
        self.block_size = native.block_size
        self._data = data

    def update(self, data: t.Any) -> None:
        self._data = self._data + data

    def digest(self) -> bytes:
        return secret.hashed(self._data, self.name.upper())

    def hexdigest(self) -> str:
        return secret.hashed(self._data, self.name.upper()).hex()

    def copy(self) -> _Hash:
        return _Hash(self.name, self, self._data)


def _hashes() -> None:
    def constructor(name: str, native: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        @functools.wraps(native)
        def new(data: t.Any = b"", *args: t.Any, **kwargs: t.Any) -> t.Any:
            if type(kwargs.get("string", data)) is SecretBytes:
                return _Hash(name, native(), kwargs.get("string", data))
            return native(data, *args, **kwargs)

        return new

    for step in derivations.HASHES:
        name = step.lower()
        setattr(hashlib, name, constructor(name, getattr(hashlib, name)))
    native = hashlib.new

    @functools.wraps(native)
    def new(name: str, data: t.Any = b"", **kwargs: t.Any) -> t.Any:
        if type(data) is SecretBytes and name.upper() in derivations.HASHES:
            return _Hash(name.lower(), native(name), data)
        return native(name, data, **kwargs)

    hashlib.new = new
    keyed = hmac.new

    @functools.wraps(keyed)
    def new_keyed(key: t.Any, msg: t.Any = None, digestmod: t.Any = "") -> t.Any:
        for one in (key, msg):
            if type(one) is SecretBytes:
                uses.note(one.text(), "makes an HMAC of {}")
        key, msg = (_bytes(one) if type(one) is SecretBytes else one for one in (key, msg))
        return keyed(key, msg, digestmod)

    hmac.new = new_keyed


def _bytes(value: SecretBytes) -> bytes:
    return value.text().encode("utf-8", "surrogateescape")


def _json() -> None:
    def encoder(native: t.Callable[[str], str], step: str) -> t.Callable[[str], str]:
        def encode(text: str) -> str:
            if type(text) is not SecretText:
                return native(text)
            inner = "JSONHTML" if _in_html else step
            made = secret.derived(text, inner, "writes {} as JSON", lambda one: native(one)[1:-1])
            return f'"{secret.plain(made)}"'

        return encode

    module = json.encoder
    module.encode_basestring_ascii = encoder(module.encode_basestring_ascii, "JSON")
    module.encode_basestring = encoder(module.encode_basestring, "JSONU")


def _urls() -> None:
    def quote(native: t.Callable[..., str], plus: bool) -> t.Callable[..., str]:
        usual = "" if plus else "/"

        @functools.wraps(native)
        def quoted(string: t.Any, safe: t.Any = usual, *args: t.Any, **kwargs: t.Any) -> str:
            if type(string) not in (SecretText, SecretBytes):
                return native(string, safe, *args, **kwargs)
            text = string.text() if type(string) is SecretBytes else string
            step = {("/", False): "URL", ("", False): "URLALL", ("", True): "URLQUERY"}.get(
                (safe, plus)
            )
            what = "quotes {} for a URL"
            if step is None or args or kwargs:
                uses.note(text, what)
                return native(secret.plain(text), safe, *args, **kwargs)
            return secret.derived(text, step, what, lambda one: native(one, safe))

        return quoted

    urllib.parse.quote = quote(urllib.parse.quote, plus=False)
    urllib.parse.quote_plus = quote(urllib.parse.quote_plus, plus=True)
    native = jinja2.filters.url_quote

    @functools.wraps(native)
    def url_quote(obj: t.Any, charset: str = "utf-8", for_qs: bool = False) -> str:
        if type(obj) is SecretText:
            step = "URLQUERY" if for_qs else "URL"
            each = functools.partial(native, charset=charset, for_qs=for_qs)
            return secret.derived(obj, step, "quotes {} for a URL", each)
        return native(obj, charset, for_qs)

    jinja2.filters.url_quote = url_quote


def _yaml() -> None:
    """A dumper knows types exactly, and writes a tag for any other: every dumper derives from this
    class, those that plugins make too."""
    native = yaml.representer.BaseRepresenter.represent_data

    def represent_data(self: t.Any, data: t.Any) -> t.Any:
        if type(data) is SecretText:
            data = secret.plain(data)
        elif type(data) is SecretBytes:
            uses.note(data.text(), "writes {} as binary YAML")
            data = _bytes(data)
        return native(self, data)

    yaml.representer.BaseRepresenter.represent_data = represent_data


def _html() -> None:
    native = getattr(markupsafe, "_escape_inner", None)
    if native is None:
        return

    def escape(text: str) -> str:
        if type(text) is SecretText:
            return secret.plain(secret.derived(text, "HTML", "escapes {} for HTML", native))
        return native(text)

    markupsafe._escape_inner = escape
