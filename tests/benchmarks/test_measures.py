"""What the tables are computed with."""

import socketserver
import time
from contextlib import ExitStack, closing
from socket import create_connection
from threading import Thread

import pytest

from tests.benchmarks.answers import LoadError, is_complete
from tests.benchmarks.delay import Delay, through
from tests.benchmarks.outcome import Outcome
from tests.benchmarks.soak import judged
from tests.integration.relay import listening

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (OK + b"Content-Length: 2\r\n", False),
        (OK + b"Content-Length: 2\r\n\r\n{", False),
        (OK + b"Content-Length: 2\r\n\r\n{}", True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", True),
    ],
)
def test_answer_is_complete_when_its_length_has_arrived(answer, complete):
    assert is_complete(answer) is complete


def test_answer_without_a_length_cannot_be_measured():
    with pytest.raises(LoadError):
        is_complete(OK + b"\r\n{}")


def test_percentile_is_a_latency_that_was_seen():
    outcome = Outcome(frozenset({200}))
    for milliseconds in range(100, 0, -1):
        outcome.count(OK, milliseconds / 1000)

    assert [outcome.percentile_ms(percent) for percent in (50, 99, 100)] == [50, 99, 100]


def test_answer_that_was_not_expected_is_an_error_and_is_kept():
    outcome = Outcome(frozenset({200, 304}))
    for status in (b"200", b"304", b"503", b"500"):
        outcome.count(b"HTTP/1.1 " + status + b" So\r\n", 0.0)

    assert (outcome.errors, outcome.unexpected) == (2, "HTTP/1.1 503 So\r\n")


@pytest.mark.parametrize(
    ("requests", "last", "grows"),
    [(200_000, 102, False), (200_000, 110, True), (1_000, 110, False)],
)
def test_memory_grows_when_the_last_quarter_takes_more_than_the_second(requests, last, grows):
    readings = [50.0] * 5 + [100.0] * 10 + [float(last)] * 5

    assert judged(requests, readings)[1] is grows


def test_relay_delays_both_ways_and_counts_round_trips():
    class Echo(socketserver.BaseRequestHandler):
        def handle(self):
            while data := self.request.recv(100):
                self.request.sendall(data)

    with ExitStack() as stack:
        echo = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo))
        Thread(target=echo.serve_forever, args=(0.05,), daemon=True).start()
        stack.callback(echo.shutdown)
        relay = stack.enter_context(listening(Delay(echo.server_address[1], 0.02)))
        client = stack.enter_context(closing(create_connection(("127.0.0.1", relay.port))))
        started = time.monotonic()
        for _ in range(3):
            client.sendall(b"question")
            assert client.recv(100) == b"question"

        assert time.monotonic() - started >= 3 * 0.04
        assert relay.messages == 3


def test_a_database_is_reached_through_the_relay():
    assert through("postgresql://u@127.0.0.1:5432/d?x=1", 99) == "postgresql://u@127.0.0.1:99/d?x=1"
