"""What the paths of the contract name: an entity of a caller's own for each of their parameters;
and what is sent there.

An operation of a new entity needs one line here, and all tests that go through the contract have
the entity.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.conftest import Caller
from tests.contract.reading import Operation, examples

DAILY: Final = {"due_date": "2026-12-31", "recurrence": {"rule": "FREQ=DAILY"}}
MAKERS: Final[Mapping[str, Callable[[Caller], int]]] = {
    "task_id": lambda caller: int(caller.create(tags=["shopping"], **DAILY)["id"]),
    "list_id": lambda caller: int(caller.create_list()["id"]),
}
"""The parameter of a path, and what makes the entity that it names."""
ABOUT_THE_TRASH: Final[Mapping[str, str]] = {
    "/api/{user_id}/trash/{task_id}": "task_id",
    "/api/{user_id}/trash/{task_id}/restore": "task_id",
    "/api/{user_id}/trash": "task_id",
}
"""Paths of what is in the trash, and the parameter that names it elsewhere."""


def named_by(operation: Operation, caller: Caller) -> dict[str, object]:
    """Make what the path names; return the path's values. What has an example has that value."""
    values: dict[str, object] = {"user_id": "me"}
    for name, make in MAKERS.items():
        values[name] = make(caller)
    if name := ABOUT_THE_TRASH.get(operation.path, ""):
        caller("DELETE", str(values[name]))
    for parameter in operation.definition.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] not in values:
            missing = f"add how to make what {parameter['name']!r} names to MAKERS, in {__file__}"
            assert "example" in parameter, missing
            values[parameter["name"]] = parameter["example"]
    return values


def call(send: Callable[..., Any], operation: Operation, path: str, **fields: object) -> Any:
    """Send what the contract gives as an example to ``path``, with more ``fields`` in its body;
    ``send`` is a caller, or a client's ``request`` for no token.
    """
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for parameter in operation.definition.get("parameters", []):
        if parameter["in"] != "path" and "example" in parameter:
            sent = query if parameter["in"] == "query" else headers
            sent[parameter["name"]] = parameter["example"]
    bodies = [example for content in operation.bodies.values() for example in examples(content)]
    body = {"json": {**bodies[0], **fields}} if bodies else {}
    return send(operation.method, path, params=query, headers=headers, **body)
