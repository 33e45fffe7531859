"""One database, its writers, and the kills that they go through."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from tests.chaos import verdict
from tests.chaos.listener import Listener
from tests.chaos.world import World
from tests.chaos.writers import Alone, Insisting, Sharing, Tally, Writer, keep_writing
from tests.integration.concurrently import meanwhile

WRITERS_ALONE = 3
USERS_SHARED, WRITERS_EACH = 2, 3
QUIET_SECONDS = (0.2, 1.5)
"""How long everything works before the next kill."""
ANSWERS_BETWEEN = 20
RECOVERY_SECONDS = 90


@dataclass
class Outcome:
    """What one database went through."""

    kills: Counter[str] = field(default_factory=Counter)
    under_kills: Tally = field(default_factory=Tally)
    afterwards: Tally = field(default_factory=Tally)
    """What was seen when all was read and repeated at the end."""
    listeners: list[Listener] = field(default_factory=list)
    without_stream: Tally = field(default_factory=Tally)
    """What kept the listeners from listening."""
    violations: list[str] = field(default_factory=list)


def run(world: World, kills: int, chance: random.Random) -> Outcome:
    """Kill a part of ``world`` so many times, under writers; then look at what they left."""
    outcome = Outcome()
    shared = [
        Insisting(world.origin, f"shared-{n}", outcome.afterwards) for n in range(USERS_SHARED)
    ]
    writers = _writers(world.origin, outcome.under_kills, chance.randrange(10**6))
    users = [*shared, *(writer.calls for writer in writers if isinstance(writer, Alone))]
    outcome.listeners += [Listener(calls, outcome.without_stream) for calls in users]
    for caller in shared:
        caller("POST", "/api/me/tasks", json={"title": "all"})
    with _writing(writers, outcome):
        for way in _ways(world, kills, chance):
            if outcome.violations or any(listener.wrong for listener in outcome.listeners):
                break
            time.sleep(chance.uniform(*QUIET_SECONDS))
            world.kills[way](chance)
            outcome.kills[way] += 1
            _wait_for_answers(outcome)
    if not outcome.violations:
        outcome.violations += _violations(world, shared, writers, outcome)
    for listener in outcome.listeners:
        listener.leave()
    return outcome


def _writers(origin: str, tally: Tally, seed: int) -> list[Writer]:
    users = [f"shared-{n}" for n in range(USERS_SHARED)]
    return [
        *(Alone(origin, tally, f"{seed}-{n}") for n in range(WRITERS_ALONE)),
        *(Sharing(origin, tally, user, f"{n}") for user in users for n in range(WRITERS_EACH)),
    ]


def _ways(world: World, kills: int, chance: random.Random) -> Iterator[str]:
    """Each way to kill once, then any."""
    ways = list(world.kills)
    for number in range(kills):
        yield ways[number] if number < len(ways) else chance.choice(ways)


def _writing(writers: Sequence[Writer], outcome: Outcome) -> AbstractContextManager[None]:
    """Let all write, each on a thread of its own, until the block ends, however it does."""
    report = outcome.violations.append
    return meanwhile(*(partial(keep_writing, writer, report=report) for writer in writers))


def _wait_for_answers(outcome: Outcome) -> None:
    """Return when there are answers again after a kill; whoever gets none for long is wrong."""
    enough = outcome.under_kills.acknowledged + ANSWERS_BETWEEN
    deadline = time.monotonic() + RECOVERY_SECONDS
    while outcome.under_kills.acknowledged < enough and not outcome.violations:
        if time.monotonic() > deadline:
            outcome.violations.append(f"no {ANSWERS_BETWEEN} answers in {RECOVERY_SECONDS} s")
        time.sleep(0.05)


def _violations(
    world: World, shared: Sequence[Insisting], writers: Sequence[Writer], outcome: Outcome
) -> list[str]:
    """Repeat what was acknowledged, then read everything: a repeat changes nothing.

    Whoever listened has heard of it all by then.
    """
    found = []
    listeners = {listener.user: listener for listener in outcome.listeners}
    for writer in writers:
        writer.calls.tally = outcome.afterwards
        found += writer.violations()
    for caller in shared:
        mine = [each for each in writers if each.calls.user == caller.user]
        done = [change for each in mine if isinstance(each, Sharing) for change in each.done]
        tasks, trash = _everything(caller, "tasks"), _everything(caller, "trash")
        revision = caller("GET", "/api/me/tags").json()["revision"]
        wrong = verdict.violations(done, tasks, trash, revision)
        found += [f"{caller.user}: {what}" for what in wrong]
        found += listeners[caller.user].violations(tasks, revision, done)
    for calls in (writer.calls for writer in writers if isinstance(writer, Alone)):
        revision = calls("GET", "/api/me/tags").json()["revision"]
        found += listeners[calls.user].violations(_everything(calls, "tasks"), revision)
    return found + world.violations()


def _everything(caller: Insisting, place: str) -> list[verdict.Task]:
    tasks: list[verdict.Task] = []
    cursor = ""
    while cursor is not None:
        page = caller("GET", f"/api/me/{place}?limit=1000{cursor and f'&cursor={cursor}'}").json()
        tasks += page["tasks"]
        cursor = page["next_cursor"]
    return tasks
