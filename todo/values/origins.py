"""Origins and URLs of the web, as browsers and operators write them."""

import re
from urllib.parse import urlsplit

MAX_PORT = 65_535
MAX_PREFIX = 100
"""Characters of a prefix: problems and links stay within the bounds of the contract."""

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
)
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_origin(text: str) -> bool:
    """Whether browsers send ``text`` as an Origin (RFC 6454, section 6.2)."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return False
    port = int(match["port"] or 0)
    return port <= MAX_PORT and port != _DEFAULT_PORTS.get(match["scheme"])


def is_web_url(text: str) -> bool:
    """Whether ``text`` is an http(s) URL that keys can be fetched from."""
    try:
        url = urlsplit(text)
        usable = bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text
    return plain and usable and url.scheme in ("http", "https") and not _has_extras(text)


def is_prefix(text: str) -> bool:
    """Whether ``text`` can stand before every path: segments of plain characters."""
    return len(text) <= MAX_PREFIX and _PREFIX.fullmatch(text) is not None


def path_of(url: str) -> str:
    """Return the path of ``url``, empty where it has none."""
    return urlsplit(url).path


def _has_extras(text: str) -> bool:
    return any(mark in text for mark in "@?#")


def origin_of(url: str | None) -> str | None:
    """The origin of ``url`` as ``new URL(url).origin`` gives it, which Better Auth issues as."""
    if url is None:
        return None
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
