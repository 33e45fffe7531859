"""The examples of ``specs/`` and of the OpenAPI document, sent and compared."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine

from tests.api.clock import frozen
from tests.conftest import DIALECTS, Caller, Service, settings_for
from tests.contract.entities import named_by
from tests.contract.reading import ENDLESS, OPERATIONS, ROOT, SPECS, Operation, examples, table
from todo.http.contract.schemas import Schema
from todo.settings.settings import Settings

REPEATING = ROOT / "docs" / "recurrence.md"
PAGES = [SPECS / "api" / "examples.md", REPEATING]
DIALOGUE = re.compile(
    r"^```http\n(\w+) (\S+)\n((?:[\w-]+: [^\n]+\n)*)(?:\n(.+?)\n)?```\n\n"
    r"```json\n(\d+)\n(.+?)\n```$",
    re.DOTALL | re.MULTILINE,
)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
NOW = "2026-11-27T14:00:00.000Z"


def shown(answer: Any, example: Any) -> Any:
    """What is in ``answer`` of all that ``example`` shows."""
    if isinstance(example, dict) and isinstance(answer, dict):
        return {name: shown(answer.get(name), value) for name, value in example.items()}
    if isinstance(example, list) and isinstance(answer, list) and len(answer) == len(example):
        return [shown(one, other) for one, other in zip(answer, example, strict=True)]
    return answer


@pytest.fixture(params=DIALECTS)
def world(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    serve: Callable[[Settings], Service],
) -> Service:
    """A server on an empty database."""
    return serve(settings_for(new_database(request.param)))


@every_page
def test_the_page_has_nothing_but_requests_with_answers(page):
    text = page.read_text()
    assert len(DIALOGUE.findall(text)) == text.count("```http") == text.count("```json") >= 20
    assert NOW in text


@every_page
def test_every_example_of_the_page_is_what_the_api_answers(page, world):
    with time_machine.travel(NOW, tick=False):
        alice = world.caller("alice")
        for method, target, lines, body, status, example in DIALOGUE.findall(page.read_text()):
            headers = dict(line.split(": ", 1) for line in lines.splitlines())
            sent = {"json": json.loads(body)} if body else {}
            response = alice(method, target, headers=headers, **sent)

            expected = json.loads(example)
            assert response.status_code == int(status), f"{method} {target}: {response.text}"
            answer = response.json() if response.content else None
            assert shown(answer, expected) == expected, f"{method} {target}"


def test_every_choice_of_how_a_task_repeats_reads_as_its_page_says(alice):
    choices = table(REPEATING, "what the user chooses")
    assert len(choices) > 5
    for _, recurrence, text in choices:
        task = alice.create(due_date="2026-11-30", recurrence=json.loads(recurrence))
        assert task["recurrence_text"] == text


def example_call(caller: Caller, operation: Operation, path: str) -> Any:
    """Send the examples of the contract: of the body, and of the parameters that have one."""
    query = {
        parameter["name"]: parameter["example"]
        for parameter in operation.definition.get("parameters", [])
        if parameter["in"] == "query" and "example" in parameter
    }
    target = f"{path}?{urlencode(query, doseq=True)}"
    sent: list[dict[str, Any]] = [
        {"json": example, "headers": {"Content-Type": media_type}}
        for media_type, content in operation.bodies.items()
        for example in examples(content)
    ]
    for body in sent or [{}]:
        yield caller(operation.method, target, **body)


@pytest.mark.parametrize(
    "operation",
    [op for op in OPERATIONS if "{user_id}" in op.path and op.name != ENDLESS],
    ids=str,
)
def test_every_example_of_the_contract_is_a_request_that_succeeds(
    operation: Operation, service: Service
):
    with frozen(service, NOW) as alice:
        path = operation.path.format_map(named_by(operation, alice))
        for response in example_call(alice, operation, path):
            [success] = [status for status in operation.responses if status < 300]
            assert response.status_code == success, response.text
            if success != 204:
                schema = operation.responses[success]["content"]["application/json"]["schema"]
                assert Schema(schema).violations(response.json()) == []
