"""Any list, whatever its filters, sort and pages, is what a few lines of Python make of the tasks.

The tasks are the same for all examples, and full of what compares in a special way. The model
knows nothing of keys, bounds and ranges: it compares dates as dates and instants as instants.
"""

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.places import create_list
from tests.conftest import Caller, Service
from tests.depth import examples
from todo.tasks.filters import Filters

EXAMPLES = examples(200, in_ci=300)
CHANGING_EXAMPLES = examples(25, in_ci=35)
"""For each of the two databases."""
TASKS = 120
NOW = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the night in which Berlin's clocks go back
ZONES = ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"]
PRIORITIES = ["low", "medium", "high"]
TITLES = [
    "Buy milk",
    "buy MILK",
    "Straße",
    "STRASSE",
    "É",
    "e\u0301",
    "zoo",
    "50%",
    "a_b",
    "日本",
    "😀",
]
TAGS = ["work", "Work", "home", "a,b", "É", "é"]
DUE_DATES = [
    None,
    *(f"2026-10-{day:02}" for day in range(16, 32, 3)),
    "2026-10-25",
    "2026-10-24T21:59:59.999Z",
    "2026-10-24T22:00:00.000Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-25T22:59:59.999Z",
    "2026-10-25T23:00:00.000Z",
    "2026-11-01T10:00:00.000Z",
]
LISTS = ["none", "home", "work"]
PARENTS = [3, 4, 5, 6]
"""The tasks that have subtasks."""
Task = dict[str, Any]
Query = dict[str, Any]


class World:
    """A user with tasks, and those tasks; no dataclass, whose every example would be printed."""

    def __init__(self, alice: Caller, tasks: list[Task], lists: dict[str, str]) -> None:
        self.alice = alice
        self.tasks = tasks
        self.lists = lists

    def meant(self, query: Query) -> Query:
        """The query with the ids of the lists that it names."""
        named = query.get("list")
        return query if named is None else query | {"list": [self.lists[name] for name in named]}


@pytest.fixture(scope="module")
def worlds() -> dict[int, World]:
    return {}


@pytest.fixture
def world(service: Service, worlds: dict[int, World]) -> Iterator[World]:
    """One world for each database; the clock stands still in it."""
    with time_machine.travel(NOW, tick=False):
        if id(service) not in worlds:
            worlds[id(service)] = populated(service)
        yield worlds[id(service)]


def populated(service: Service) -> World:
    """Create the tasks, hours apart, in the inbox, in lists and below others; change some again."""
    chance, alice = random.Random(4), service.caller()
    with time_machine.travel(NOW - timedelta(days=7), tick=False) as clock:
        alice = Caller(alice.client, alice.id)
        ids: dict[str, int | None] = dict.fromkeys(LISTS)
        for number in range(1, TASKS + 1):
            clock.shift(chance.choice([0, 60, 3600]))
            alice = Caller(alice.client, alice.id)
            alice.create(
                chance.choice(TITLES),
                description=chance.choice([None, "", "two litres", "É 50%", "milk"]),
                completed=chance.random() < 0.4,
                priority=chance.choice(PRIORITIES),
                due_date=chance.choice(DUE_DATES),
                tags=[chance.choice(TAGS), "x"][: chance.randint(0, 2)],
                **placed(chance, number, ids),
            )
            if number == 1:  # the user has a row now
                ids |= {name: create_list(service, alice) for name in ("home", "work")}
        for task_id in chance.sample(range(1, TASKS + 1), 40):
            alice("POST", f"{task_id}/move", json={"at": chance.choice(["start", "end"])})
        for task_id in chance.sample(range(1, TASKS + 1), 30):
            alice("PATCH", f"{task_id}/complete")
        for task_id in chance.sample(range(1, TASKS + 1), 10):
            alice("DELETE", f"{task_id}")
    alice = Caller(alice.client, alice.id)
    lists = {name: str(one or "none") for name, one in ids.items()} | {"unknown": "999999999"}
    return World(alice, alice("GET", "?limit=1000").json()["tasks"], lists)


def placed(chance: random.Random, number: int, ids: dict[str, int | None]) -> Task:
    """The place of a new task: a subtask of one of the first, or on top of the inbox or a list."""
    if number > PARENTS[-1] and chance.random() < 0.4:
        return {"parent_id": chance.choice(PARENTS)}
    return {"list_id": ids[chance.choice(LISTS)]}


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_date(text: str) -> bool:
    return "T" not in text


def begins(day: str, where: ZoneInfo) -> datetime:
    """Midnight; none of the zones here ever skips one in these weeks."""
    return datetime.combine(date.fromisoformat(day), time(), where)


def is_before(one: str, other: str, where: ZoneInfo) -> bool:
    """Whether one due date or bound lies before another."""
    if is_date(one) and is_date(other):
        return date.fromisoformat(one) < date.fromisoformat(other)
    one_moment = begins(one, where) if is_date(one) else moment(one)
    other_moment = begins(other, where) if is_date(other) else moment(other)
    return one_moment.astimezone(UTC) < other_moment.astimezone(UTC)


def day_of(due: str, where: ZoneInfo) -> date:
    return date.fromisoformat(due) if is_date(due) else moment(due).astimezone(where).date()


def is_in_view(task: Task, view: str, where: ZoneInfo) -> bool:
    due, today = task["due_date"], NOW.astimezone(where).date()
    if due is None or view == "undated":
        return due is None and view == "undated"
    if view == "overdue":
        late = day_of(due, where) < today if is_date(due) else moment(due) < NOW
        return late and not task["completed"]
    days = (day_of(due, where) - today).days
    return days == 0 if view == "today" else 1 <= days <= 7


def dated(test: Callable[[str], bool]) -> Callable[[Task], bool]:
    return lambda task: task["due_date"] is not None and test(task["due_date"])


def has_words(task: Task, search: str) -> bool:
    texts = [fold(task["title"]), fold(task["description"] or "")]
    return all(any(word in text for text in texts) for word in fold(search).split())


def since(task: Task, value: str) -> bool:
    if value.isdecimal():
        return task["revision"] > int(value)
    return moment(task["updated_at"]) >= moment(value)


def passes(task: Task, query: Query) -> bool:
    """Whether the model lets a task through."""
    where = ZoneInfo(query.get("tz", "UTC"))
    done = task["completed_at"] and moment(task["completed_at"])
    tests: dict[str, Callable[[Any], bool]] = {
        "status": lambda value: value == "all" or task["completed"] == (value == "completed"),
        "list": lambda values: str(task["list_id"] or "none") in values,
        "parent": lambda value: str(task["parent_id"] or "none") == value,
        "priority": lambda values: task["priority"] in values,
        "tag": lambda values: {fold(v) for v in values} <= {fold(tag) for tag in task["tags"]},
        "search": lambda value: has_words(task, value),
        "due_after": lambda value: dated(lambda due: not is_before(due, value, where))(task),
        "due_before": lambda value: dated(lambda due: is_before(due, value, where))(task),
        "completed_after": lambda value: done is not None and done >= moment(value),
        "completed_before": lambda value: done is not None and done < moment(value),
        "updated_since": lambda value: since(task, value),
        "view": lambda value: is_in_view(task, value, where),
    }
    missing = {field.name for field in fields(Filters)} - {"completed", "tz", *tests}
    assert not missing, f"add to this model of the list: {missing}"
    return all(test(query[name]) for name, test in tests.items() if name in query)


KEYS: dict[str, Callable[[Task], Any]] = {
    "created": lambda task: task["id"],
    "updated": lambda task: task["revision"],
    "title": lambda task: (fold(task["title"]), task["id"]),
    "due_date": lambda task: (task["due_date"], task["id"]),
    "priority": lambda task: (PRIORITIES.index(task["priority"]), task["id"]),
    "position": lambda task: task["position"],
}


def in_order(tasks: list[Task], sort: str, order: str) -> list[Task]:
    last = [task for task in tasks if sort == "due_date" and task["due_date"] is None]
    first = [task for task in tasks if task not in last]
    backwards = order == "desc"
    undated = sorted(last, key=lambda task: task["id"], reverse=backwards)
    return sorted(first, key=KEYS[sort], reverse=backwards) + undated


bounds = st.sampled_from([due for due in DUE_DATES if due]) | st.sampled_from(
    ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-20", "2000-01-01"]
)
instants = st.sampled_from(["2026-10-19T00:30:00Z", "2026-10-20T12:00:00+02:00"])
filters = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["all", "pending", "completed"]),
        "list": st.lists(st.sampled_from([*LISTS, "unknown"]), min_size=1, max_size=3),
        "parent": st.sampled_from(["none", *map(str, PARENTS), "999999999"]),
        "priority": st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=3),
        "tag": st.lists(st.sampled_from([*TAGS, "x", "none"]), min_size=1, max_size=2),
        "search": st.sampled_from(["milk", "MILK buy", "é", "strasse", "50%", "_", "o o", "nix"]),
        "due_after": bounds,
        "due_before": bounds,
        "completed_after": instants,
        "completed_before": instants,
        "updated_since": instants | st.sampled_from(["0", "60", "140"]),
        "view": st.sampled_from(["today", "upcoming", "overdue", "undated"]),
        "tz": st.sampled_from(ZONES),
    },
)
few_filters = filters.map(lambda query: dict(list(query.items())[:2]))
places = st.builds(
    lambda one, parent: {"list": [one], "parent": "none"} if parent is None else {"parent": parent},
    st.sampled_from([*LISTS, "unknown"]),
    st.none() | st.sampled_from([str(one) for one in PARENTS]),
)
sorts = st.fixed_dictionaries(
    {"sort": st.sampled_from(list(KEYS)), "order": st.sampled_from(["asc", "desc"])}
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(few_filters | filters, sorts, places, st.sampled_from([1, 2, 3, 7, 50, 200]), st.booleans())
def test_a_list_is_what_the_model_says_in_whatever_pages(
    world: World, query: Query, sorted_by: Query, place: Query, limit: int, counted: bool
):
    query = world.meant(query | place if sorted_by["sort"] == "position" else query)
    expected = in_order([t for t in world.tasks if passes(t, query)], **sorted_by)
    limit = max(limit, len(expected) // 3)  # a few pages are as good as a hundred
    target = urlencode({**query, **sorted_by, "limit": limit, "total": counted}, doseq=True)
    target = target.replace("total=True", "total=true").replace("total=False", "total=false")

    found: list[Task] = []
    cursor = ""
    while True:
        page = world.alice("GET", f"?{target}{cursor}").json()
        assert page["total"] == (len(expected) if counted else None)
        found += page["tasks"]
        if page["next_cursor"] is None:
            break
        assert len(page["tasks"]) == limit
        cursor = f"&cursor={page['next_cursor']}"

    assert found == expected
    skip = len(expected) // 2
    by_number = world.alice("GET", f"?{target}&skip={skip}").json()["tasks"]
    assert by_number == expected[skip : skip + limit]


changes = st.lists(
    st.tuples(
        st.sampled_from(["create", "delete", "title", "due_date", "priority", "complete", "move"]),
        st.integers(0, 11),
        st.integers(0, 100),
    ),
    max_size=5,
)


def make(alice: Caller, kind: str, which: int, value: int) -> set[int]:
    """Change something; the ids of the tasks that have, or may have, another place now."""
    values = {
        "title": TITLES[value % len(TITLES)],
        "due_date": DUE_DATES[value % len(DUE_DATES)],
        "priority": PRIORITIES[value % 3],
    }
    if kind == "create":
        return {alice.create(**values)["id"]}
    if kind == "delete":
        alice("DELETE", str(which + 1))
    elif kind == "move":
        alice("POST", f"{which + 1}/move", json={"at": ["start", "end"][value % 2]})
    elif kind == "complete":
        alice("PATCH", f"{which + 1}/complete")
    else:
        alice("PATCH", str(which + 1), json={kind: values[kind]})
    return {which + 1}


@settings(
    max_examples=CHANGING_EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sorts, st.integers(1, 4), st.lists(changes, min_size=1, max_size=4), st.integers())
def test_a_task_that_stays_put_is_met_exactly_once_whatever_happens_between_the_pages(
    service: Service, sorted_by: Query, limit: int, between: list[list[Any]], seed: int
):
    alice, chance = service.caller(), random.Random(seed)
    for _ in range(9):
        make(alice, "create", 0, chance.randint(0, 100))
    if sorted_by["sort"] == "position":
        sorted_by = sorted_by | {"list": "none", "parent": "none"}
    target = urlencode({**sorted_by, "limit": limit})
    before = [task["id"] for task in alice("GET", f"?{urlencode(sorted_by)}").json()["tasks"]]
    met: list[int] = []
    moved: set[int] = set()
    pending, cursor = iter(between), ""
    while True:
        page = alice("GET", f"?{target}{cursor}").json()
        met += [task["id"] for task in page["tasks"]]
        if page["next_cursor"] is None:
            break
        for change in next(pending, []):
            moved |= make(alice, *change)
        cursor = f"&cursor={page['next_cursor']}"

    stayed = [task_id for task_id in before if task_id not in moved]
    assert [task_id for task_id in met if task_id not in moved] == stayed
