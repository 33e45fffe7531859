"""Addresses of the network: whose a request is, and which addresses are one subscriber's."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

_SUBSCRIBER_BITS: Final = 64
_KNOWN: Final = 4096
"""Addresses whose network is remembered."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of ``texts``, such as ``10.0.0.0/8`` or one address.

    Raises ``ValueError`` for other text.
    """
    return tuple(ip_network(text, strict=False) for text in texts)


def authority(host: str, port: int) -> str:
    """Return ``host`` and ``port`` as a URL has them: IPv6 in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@lru_cache(_KNOWN)
def subscriber(address: str) -> str:
    """Return the network whose addresses count as one: a /64 of IPv6 (RFC 6177).

    An IPv4 address is itself, on a dual-stack socket, too. Other text is returned as it is.
    """
    known = _plain(address)
    if known is None:
        return address
    if isinstance(known, IPv6Address):
        return str(ip_network((known, _SUBSCRIBER_BITS), strict=False))
    return str(known)


def client_behind(peer: str, forwarded: Iterable[str], proxies: Sequence[Network]) -> str:
    """Return the address of the client whose request ``peer`` has sent.

    ``forwarded`` are the values of ``X-Forwarded-For``. Each proxy writes at the end whom it got
    the request from, and what stands before may be made up. So the list is read from its end, and
    only as long as a trusted proxy has written what is read.
    """
    client = _plain(peer)
    if client is None:
        return peer
    written = [part for value in forwarded for part in value.split(",")]
    while written and any(client in network for network in proxies):
        named = _plain(_without_port(written.pop().strip()))
        if named is None:
            break
        client = named
    return str(client)


def _plain(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _without_port(text: str) -> str:
    """``192.0.2.1:80`` and ``[2001:db8::1]:80`` are written by some proxies."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
