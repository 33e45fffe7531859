"""Streams of changes: who listens in this process, and what each listener is told.

Everything here runs on the event loop. A listener holds neither a thread nor a database connection:
it reads the log page by page, the next page when the last one is sent. One statement asks, twice a
second, where the logs of all users who listen end; none while nobody listens. A change through this
process is known without that.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import Context
from typing import Any, Final, NamedTuple, Protocol

import structlog
from sqlalchemy import select

from todo.database.functions import is_any_of
from todo.database.transactions import read
from todo.models import users
from todo.problems import Problem
from todo.sync import reads
from todo.sync.changes import Changes, Json, Resources, read_changes
from todo.sync.sync_tokens import BEGINNING, Place

MOST_OF_A_USER: Final = 10
"""Streams of one user in one process."""
MOST: Final = 2000
"""Streams of all users in one process."""
LOOK_SECONDS: Final = 0.5
"""How often the ends of the logs are asked for."""
CHECK_SECONDS: Final = 10.0
"""How often the tokens of the listeners are looked at."""
COMMENT_SECONDS: Final = 20.0
"""How long a stream says nothing."""
RETRY_SECONDS: Final = 1.0
"""How long a listener waits after the database could not be read."""
PAGE: Final = 100
"""Entries of the log that a listener reads at once."""

_PLACES: Final = select(users.c.id, users.c.revision, users.c.nonce).where(
    is_any_of(users.c.id, "ids")
)

log = structlog.get_logger("todo.streams")


class Ask(Protocol):
    """Runs a function that reads the database on a thread, in the user's turn."""

    def __call__(
        self, user_id: str | None, function: Callable[..., Any], *args: Any
    ) -> Awaitable[Any]:
        """Return what ``function`` returns; ``user_id`` is ``None`` for what is of no user."""
        ...


class Event(NamedTuple):
    """What a listener is told: a ``name`` with ``data``, or nothing but the place behind it."""

    name: str | None
    data: Json | None
    place: Place | None


class Listener:
    """One stream of one user's. Made by :meth:`Streams.open`; to be closed."""

    def __init__(self, streams: "Streams", user_id: str, token: str) -> None:
        self.user_id = user_id
        self.token = token
        self.place = BEGINNING
        self.silent = 0
        """How many looks ago the stream said something."""
        self._streams = streams
        self._news_wait: asyncio.Future[None] | None = None
        self._is_woken = False
        self._last: Event | None = None
        self._ended = False

    def wake(self) -> None:
        """Let the listener look at the log."""
        self._is_woken = True
        self.stir()

    def stir(self) -> None:
        """Let the listener say that it is still there, if it has no news."""
        if self._news_wait is not None and not self._news_wait.done():
            self._news_wait.set_result(None)

    def end(self, last: Event | None = None) -> None:
        """End the stream, after the event ``last``."""
        self._ended, self._last = True, last
        self.wake()

    def close(self) -> None:
        """Forget the listener, whose stream has ended."""
        self._streams.forget(self)

    async def events(self, since: Place | None) -> AsyncIterator[list[Event]]:
        """Give what is to be sent at once, again and again; an empty list when there is no news.

        The stream begins behind ``since``, else now.
        """
        yield [await self._begin(since)]
        has_more = since is not None
        while not self._ended:
            if has_more or self._is_woken:
                self._is_woken = False
                news, has_more = await self._news()
                if not news:
                    continue
                self.silent = 0
                yield news
            else:
                # A future and no event or timer: two thousand listeners wait here.
                self._news_wait = asyncio.get_running_loop().create_future()
                await self._news_wait
                if not self._is_woken:
                    yield []
        if self._last is not None:
            yield [self._last]

    async def _begin(self, since: Place | None) -> Event:
        if since is None:
            self.place = await self._now()
            return Event(None, None, self.place)
        self.place = since
        return await self._reset() if await self._read() is None else Event(None, None, since)

    async def _reset(self) -> Event:
        self.place = await self._now()
        return Event("reset", {}, self.place)

    async def _now(self) -> Place:
        place: Place = await self._streams.ask(self.user_id, reads.place, self.user_id)
        return place

    async def _news(self) -> tuple[list[Event], bool]:
        """Return the next events, and whether there are more of them already."""
        try:
            page = await self._read()
            if page is None:
                return [await self._reset()], False
        except Problem as problem:  # the database is away, or busy: it will come back
            log.warning("stream.waits", code=problem.code)
            await asyncio.sleep(RETRY_SECONDS)
            return [], True
        moved = page.place != self.place
        self.place = page.place
        news = [Event("change", change.json, change.place) for change in page.changes]
        if moved and (not news or news[-1].place != self.place):
            news.append(Event(None, None, self.place))
        return news, page.has_more

    async def _read(self) -> Changes | None:
        """Return the next page of changes; ``None`` when the log has no such place any more."""
        where = self.user_id, self.place, PAGE, self._streams.resources
        try:
            page: Changes = await self._streams.ask(self.user_id, read_changes, *where)
        except Problem as problem:
            if problem.code != "changes_expired":
                raise
            return None
        return page


class Streams:
    """The listeners of one process."""

    def __init__(
        self,
        resources: Resources,
        ask: Ask,
        refused: Callable[[Sequence[str]], Awaitable[frozenset[str]]],
    ) -> None:
        """``refused`` returns those of some tokens that are not valid any more."""
        self.resources = resources
        self.ask = ask
        self.is_ending: Callable[[], bool] = lambda: False
        """Whether the process is about to end."""
        self._refused = refused
        self._listeners: dict[str, set[Listener]] = {}
        self._number = 0
        self._repeated: dict[str, asyncio.Task[None]] = {}

    @property
    def number(self) -> int:
        """How many streams there are."""
        return self._number

    def open(self, user_id: str, token: str) -> Listener:
        """Return a new listener of the user's, whose token is looked at again and again.

        Raises :class:`Problem`: ``too_many_streams``, ``busy``.
        """
        own = self._listeners.get(user_id, set())
        if len(own) >= MOST_OF_A_USER:
            raise Problem(
                "too_many_streams", f"A user may have {MOST_OF_A_USER} streams; close one."
            )
        if self._number >= MOST or self.is_ending():
            raise Problem("busy", "This process has no room for another stream.")
        listener = Listener(self, user_id, token)
        self._listeners.setdefault(user_id, own).add(listener)
        self._number += 1
        # Each waits for itself alone: a slow database delays no end of a stream, and no comment.
        self._repeat(self._look, LOOK_SECONDS)
        self._repeat(self._tend, LOOK_SECONDS)
        self._repeat(self._check, CHECK_SECONDS)
        return listener

    def forget(self, listener: Listener) -> None:
        """Let a listener go; to let it go twice does nothing."""
        own = self._listeners.get(listener.user_id, set())
        if listener in own:
            own.remove(listener)
            self._number -= 1
            if not own:
                del self._listeners[listener.user_id]

    def changed(self, user_id: str) -> None:
        """Tell the user's listeners that something may have changed."""
        for listener in self._listeners.get(user_id, ()):
            listener.wake()

    def _repeat(self, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        """See to it that ``step`` is done every so many ``seconds`` while somebody listens.

        It outlives the request that opened the first stream, so it has none of that one's context.
        """
        running = self._repeated.get(step.__name__)
        if running is None or running.done():
            repeated = self._repeated_while_heard(step, seconds)
            loop = asyncio.get_running_loop()
            self._repeated[step.__name__] = loop.create_task(repeated, context=Context())

    async def _repeated_while_heard(
        self, step: Callable[[], Awaitable[None]], seconds: float
    ) -> None:
        while self._listeners:
            await asyncio.sleep(seconds)
            try:
                await step()
            except Problem as problem:  # the database is away, or busy
                log.warning("streams.wait", code=problem.code)
            except Exception as error:  # it is done again soon, and ends no stream
                log.exception("streams.crashed", exc_info=error)

    async def _look(self) -> None:
        """Wake the listeners who are not where their user's log ends."""
        rows = await self.ask(None, _places, list(self._listeners))
        ends = {row.id: Place(row.revision, row.nonce) for row in rows}
        for user_id, own in self._listeners.items():
            for listener in own:
                if listener.place != ends.get(user_id, BEGINNING):
                    listener.wake()

    async def _tend(self) -> None:
        """End the streams of a process that ends; let those speak that were silent for long."""
        is_ending = self.is_ending()
        for listener in self._everybody():
            listener.silent += 1
            if is_ending:
                listener.end()
            elif listener.silent * LOOK_SECONDS >= COMMENT_SECONDS:
                listener.silent = 0
                listener.stir()

    async def _check(self) -> None:
        """End the streams whose tokens have run out or were revoked."""
        everybody = self._everybody()
        refused = await self._refused([listener.token for listener in everybody])
        for listener in everybody:
            if listener.token in refused:
                listener.end(Event("expired", {}, None))

    def _everybody(self) -> list[Listener]:
        return [listener for own in self._listeners.values() for listener in own]


def _places(ids: Sequence[str]) -> Sequence[Any]:
    return read(_PLACES, {"ids": ids})
