"""A client of the stream of events that comes back where it was, for tests of real servers."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

import httpx2

from tests.api.listening import Event, parsed
from tests.servers.reaper import wait_until

WAIT_SECONDS = 30
PAUSE_SECONDS = 0.05
"""How long a reader waits before it comes back after an error."""


class Reader:
    """A client that listens on a thread, and comes back where it was until it leaves."""

    def __init__(self, origin: str, token: str, place: str = "") -> None:
        """Listen at `origin`, behind the sync token `place`, or else from now on."""
        self.url = f"{origin}/api/me/events"
        self.token = token
        self.events: list[Event] = []
        self.streams = 0
        self._begin = place
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._read_on, daemon=True)
        self._thread.start()

    @property
    def revisions(self) -> list[int]:
        """The revisions of the changes so far."""
        return [event.data["revision"] for event in self.events if event.name == "change"]

    @property
    def place(self) -> str:
        """What the reader sends as `Last-Event-ID` when it comes back."""
        return next((event.id for event in reversed(self.events) if event.id), self._begin)

    def leave(self) -> None:
        """Come back no more, and close the stream at its next event."""
        self._left.set()

    def __enter__(self) -> Self:
        """Give the reader itself; it leaves with the block."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave, whatever happened."""
        self.leave()

    def refused(self, response: httpx2.Response) -> None:
        """Take in a response that is no stream; the reader tries again."""

    def cut(self, error: httpx2.HTTPError) -> None:
        """Take in that a stream broke off, or that there was no response."""

    def _read_on(self) -> None:
        while not self._left.is_set():
            try:
                self._read()
            except httpx2.HTTPError as error:
                self.cut(error)
                self._left.wait(PAUSE_SECONDS)

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.place:
            headers["Last-Event-ID"] = self.place
        with httpx2.stream(
            "GET", self.url, headers=headers, timeout=WAIT_SECONDS, trust_env=False
        ) as response:
            if response.status_code != 200:
                response.read()
                self.refused(response)
                self._left.wait(PAUSE_SECONDS)
                return
            self.streams += 1
            self._take(response)

    def _take(self, response: httpx2.Response) -> None:
        text = ""
        for chunk in response.iter_text():
            *blocks, text = (text + chunk).split("\n\n")
            self.events += [event for block in blocks if (event := parsed(block))]
            if self._left.is_set():
                return


@contextmanager
def reading(origin: str, token: str, number: int = 1) -> Iterator[list[Reader]]:
    """So many readers, each of which has had its first event."""
    with ExitStack() as stack:
        readers = [stack.enter_context(Reader(origin, token)) for _ in range(number)]
        assert wait_until(lambda: all(reader.events for reader in readers), WAIT_SECONDS)
        yield readers


def heard(readers: list[Reader], number: int) -> bool:
    """Whether each has heard of so many changes."""
    return all(len(reader.revisions) >= number for reader in readers)
