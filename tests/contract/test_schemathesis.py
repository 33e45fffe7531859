"""Schemathesis in this process: all checks, on the embedded database's SQLite.

The seed is always the same, so that a run fails for a change and not by chance. (Hypothesis takes
some values from the modules that are loaded, so they differ with the tests that run beside.)
`make fuzz` does the same through gunicorn on PostgreSQL, and looks further; CI runs its short form.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import Status, events, from_schema
from starlette.testclient import TestClient

from tests.conftest import SECRET, Caller, settings_for
from tests.contract.reading import DOCUMENT, OPERATIONS, ROOT
from tests.fuzz.counters import UNBALANCED
from tests.fuzz.users import NAMES, VARIABLE, write_users
from todo.app import Application, create_app
from todo.models import db

SEED = 1
RARELY_VALID = ["patch_task", "move_task", "move_list"]
"""They need an id that is there, and members that agree with each other, and with the query."""
pytestmark = pytest.mark.timeout(1200)  # all of it is one fixture, beside others on a busy machine
EXAMPLES = 10  # `make fuzz` looks further, its short form in CI
# Coverage makes four of five requests, and `make fuzz` makes them, too.
PHASES = ("examples", "fuzzing", "stateful")
PLANTED = 30
DAILY = {"rule": "FREQ=DAILY"}
# Nobody's made-up password is right, and the users' tokens are of no account: tests/api has those.
FEWEST_SUCCESSES = {
    "tasks": 1,
    "lists": 1,
    "tags": 1,
    "stats": 1,
    "changes": 0,  # a made-up place is in nobody's log, a made-up revision of no unit
    "trash": 0,  # few of the tasks that are made up have been deleted just before
    "accounts": 0,
    "caller": 1,
    "service": 1,
    "demo": 1,
    "documentation": 1,
}
# They need a tag of a live task, and tasks lose theirs; few tasks repeat.
BY_LUCK = ("rename_tag", "delete_tag", "skip_task")


@dataclass
class Run:
    """What one run did and found."""

    application: Application
    phases: dict[str, Status] = field(default_factory=dict)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)

    def note(self, event: Any) -> None:
        """Take in an event of the engine."""
        if isinstance(event, events.PhaseFinished):
            self.phases[event.phase.name.value] = event.status
        elif isinstance(event, events.ScenarioFinished):
            for case_id, interaction in event.recorder.interactions.items():
                operation = event.recorder.cases[case_id].value.operation.label
                if interaction.response is not None:
                    self.answers[operation, interaction.response.status_code] += 1
            for check in chain.from_iterable(event.recorder.checks.values()):
                if info := check.failure_info:
                    name = f"{event.label}: {info.failure.title}"
                    self.found.setdefault(name, f"{info.failure.message}\n{info.code_sample}")
        elif isinstance(event, events.NonFatalError):
            self.found[event.label] = repr(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception


@pytest.fixture(scope="module")
def run(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """One run against an application on a database of its own."""
    run = Run(create_app(settings_for(new_database("sqlite"))))
    alice = Caller(TestClient(run.application), NAMES[0])
    tags = [f"planted-{number}" for number in range(PLANTED)]
    tasks = [alice.create(tags=[tag], recurrence=DAILY)["id"] for tag in tags]
    lists = [alice.create_list(tag)["id"] for tag in tags]

    settings = tomllib.loads((ROOT / "schemathesis.toml").read_text())
    settings |= {"seed": SEED, "generation": {"deterministic": True, "max-examples": EXAMPLES}}
    settings["phases"] = {"coverage": {"enabled": False}}
    settings["dictionaries"]["task"] = {"values": tasks}
    settings["dictionaries"]["tag"] = {"values": tags}
    settings["dictionaries"]["list"] = {"values": lists}
    settings["parameters"]["query.name"] = {"dictionary": "tag", "probability": 0.5}
    settings["parameters"]["path.task_id"] = {"dictionary": "task", "probability": 0.8}
    settings["parameters"]["path.list_id"] = {"dictionary": "list", "probability": 0.8}
    settings["operations"].append(
        {"include-operation-id": RARELY_VALID, "generation": {"max-examples": 4 * EXAMPLES}}
    )
    # After complete-all it would delete all that is planted. `make fuzz` makes up requests of it.
    clearing = [o for o in settings["operations"] if o["include-operation-id"] == "clear_completed"]
    clearing[0]["phases"]["fuzzing"] = {"enabled": False}
    with pytest.MonkeyPatch.context() as patch:
        users = write_users(tmp_path_factory.mktemp("fuzz") / "users.json", SECRET)
        patch.setenv(VARIABLE, str(users))
        contract = schemathesis.openapi.from_dict(
            deepcopy(DOCUMENT), config=schemathesis.Config.from_dict(settings)
        )
    contract.app = run.application
    for event in from_schema(contract).execute():
        run.note(event)
    yield run
    with run.application.flask.app_context():
        db.engine.dispose()


def test_fuzzing_finds_nothing(run: Run):
    if run.found:
        pytest.fail(
            "\n\n".join(f"{name}\n{told}" for name, told in run.found.items()), pytrace=False
        )


def test_fuzzing_runs_every_phase(run: Run):
    assert {name: run.phases.get(name) for name in PHASES} == dict.fromkeys(PHASES, Status.SUCCESS)


def test_fuzzing_gets_as_far_as_every_handler(run: Run):
    successes: Counter[str] = Counter()
    for (operation, status), number in run.answers.items():
        successes[operation] += number * (200 <= status < 300)
    assert [
        str(operation)
        for operation in OPERATIONS
        if operation.name not in BY_LUCK
        and successes[str(operation)] < FEWEST_SUCCESSES[operation.definition["tags"][0]]
    ] == []


def test_fuzzing_leaves_the_counters_exact(run: Run):
    with run.application.flask.app_context(), db.engine.connect() as connection:
        assert connection.exec_driver_sql(UNBALANCED).all() == []
