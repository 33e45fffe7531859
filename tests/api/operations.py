"""The operations on tasks, for tests that go through all of them."""

from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Operation:
    """One operation: how it is called when nothing is wrong."""

    name: str
    method: str
    template: str
    body: dict[str, Any] | None
    success: int

    def path(self, owner: str, task_id: int) -> str:
        """The path of the operation, on one task of ``owner`` or on the list."""
        return self.template.format(owner=owner, task_id=task_id)

    @property
    def on_one_task(self) -> bool:
        """Whether the path names a task."""
        return "{task_id}" in self.template


_LIST = "/api/{owner}/tasks"
_TASK = "/api/{owner}/tasks/{task_id}"

OPERATIONS = (
    Operation("list", "GET", _LIST, None, 200),
    Operation("create", "POST", _LIST, {"title": "Buy milk"}, 201),
    Operation("get", "GET", _TASK, None, 200),
    Operation("update", "PUT", _TASK, {"title": "Buy oat milk"}, 200),
    Operation("patch", "PATCH", _TASK, {"title": "Buy oat milk"}, 200),
    Operation("complete", "PATCH", f"{_TASK}/complete", None, 200),
    Operation("delete", "DELETE", _TASK, None, 204),
)


def _each(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.name)


every_operation = _each(list(OPERATIONS))
every_operation_on_one_task = _each([o for o in OPERATIONS if o.on_one_task])
every_operation_with_a_body = _each([o for o in OPERATIONS if o.method in ("POST", "PUT", "PATCH")])
every_operation_with_an_optional_body = _each([o for o in OPERATIONS if o.method == "PATCH"])
every_operation_without_a_body = _each([o for o in OPERATIONS if o.method in ("GET", "DELETE")])
