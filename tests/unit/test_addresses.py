"""Whose a request is: the client's address behind proxies, and the network that counts."""

import pytest

from todo.values.addresses import authority, client_behind, networks, subscriber

PROXIES = networks(["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.7"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.9", ["203.0.113.1"], "198.51.100.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["203.0.113.1, 10.9.9.9,192.0.2.7"], "203.0.113.1"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.1, 10.9.9.9"], "203.0.113.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
        ("2001:db8:ffff::1", ["[2001:db8::5]:4711"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.1"], "203.0.113.1"),
        ("testclient", ["203.0.113.1"], "testclient"),
    ],
    ids=str,
)
def test_client_is_whom_the_last_trusted_proxy_names(peer, forwarded, client):
    assert client_behind(peer, forwarded, PROXIES) == client


def test_an_address_of_ipv6_has_brackets_before_its_port():
    assert authority("2001:db8::1", 8000) == "[2001:db8::1]:8000"
    assert authority("192.0.2.7", 8000) == "192.0.2.7:8000"
    assert authority("localhost", 80) == "localhost:80"


def test_addresses_of_one_subscriber_count_together():
    assert {subscriber(f"2001:db8:1:2:{n:x}::{n:x}") for n in range(9)} == {"2001:db8:1:2::/64"}
    assert subscriber("2001:db8:1:3::1") == "2001:db8:1:3::/64"
    assert subscriber("192.0.2.1") == "192.0.2.1"
    assert subscriber("testclient") == "testclient"


def test_an_ipv4_address_is_itself_on_a_dual_stack_socket():
    assert subscriber("::ffff:192.0.2.1") == "192.0.2.1"
