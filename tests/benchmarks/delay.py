"""A long wire to PostgreSQL: a relay that keeps every byte for a while, in each direction."""

import select
import socket
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from tests.integration.relay import CHUNK, Relay

QUESTIONS = 50


@dataclass(frozen=True)
class Parcel:
    """Bytes on their way, and when they arrive."""

    due: float
    target: socket.socket
    data: bytes


class Delay(Relay):
    """Passes bytes on after `seconds`; `messages` counts how often a client waited for an answer.

    A message is what a client sends between two answers, in however many pieces: a round trip.
    """

    def __init__(self, server_port: int, seconds: float) -> None:
        super().__init__(server_port)
        self.seconds = seconds
        self.messages = 0
        self._lock = threading.Lock()

    def pass_on(self, client: socket.socket, upstream: socket.socket) -> None:
        """Both directions take as long, so what came first arrives first."""
        other = {client: upstream, upstream: client}
        for end in other:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        on_the_way: deque[Parcel] = deque()
        speaker = upstream
        while True:
            wait = max(0.0, on_the_way[0].due - time.monotonic()) if on_the_way else None
            for end in select.select([client, upstream], [], [], wait)[0]:
                data = end.recv(CHUNK)
                if not data:
                    return
                if end is client and speaker is not client:
                    self._count()
                speaker = end
                on_the_way.append(Parcel(time.monotonic() + self.seconds, other[end], data))
            while on_the_way and on_the_way[0].due <= time.monotonic():
                parcel = on_the_way.popleft()
                parcel.target.sendall(parcel.data)

    def _count(self) -> None:
        with self._lock:
            self.messages += 1


def calibrate(relay: Delay, far: str, round_trip: float) -> None:
    """Let a question and its answer take `round_trip` seconds, the relay's own time included.

    To wake up a thread takes a good part of a millisecond on a busy machine, in each direction.
    """
    with closing(psycopg2.connect(far)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for _ in range(3):
            taken = []
            for _ in range(QUESTIONS):
                begun = time.monotonic()
                cursor.execute("SELECT 1")
                taken.append(time.monotonic() - begun)
            relay.seconds -= (median(taken) - round_trip) / 2


def through(dsn: str, port: int) -> str:
    """The same database, reached through the relay on this port."""
    parts = urlsplit(dsn)
    netloc = f"{parts.netloc.rpartition(':')[0]}:{port}"
    return urlunsplit(parts._replace(netloc=netloc))


def port_in(dsn: str) -> int:
    """The port that PostgreSQL listens on."""
    port = urlsplit(dsn).port
    assert port is not None
    return port
