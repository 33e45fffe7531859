"""Requests that tests of what tasks have to do with each other send, and what there is then."""

from typing import Any

from tests.conftest import Caller


def move(caller: Caller, task_id: int, headers: Any = None, **body: Any) -> Any:
    """Move a task to where ``body`` says."""
    return caller("POST", f"{task_id}/move", json=body, headers=headers or {})


def bulk(caller: Caller, *operations: dict[str, Any], **options: Any) -> Any:
    """Make all ``operations`` as one."""
    return caller("POST", "bulk", json={"operations": operations, **options})


def undo(caller: Caller, revision: int) -> Any:
    """Take back the change that a revision belongs to."""
    return caller("POST", f"/api/{caller.id}/undo", json={"revision": revision})


def complete(caller: Caller, task_id: int, headers: Any = None, **body: Any) -> Any:
    """Complete a task, or say in ``body`` what else."""
    body = {"completed": True, **body}
    return caller("PATCH", f"{task_id}/complete", json=body, headers=headers or {})


def complete_all(caller: Caller, completed: bool = True, headers: Any = None) -> Any:
    """Complete or reopen every task."""
    return caller("POST", "complete-all", json={"completed": completed}, headers=headers or {})


def undone(caller: Caller) -> Any:
    """Take the last change back, and return how many tasks that changed."""
    response = undo(caller, revision(caller))
    assert response.is_success, response.text
    return response.json()["changed"]


def trash(caller: Caller) -> dict[int, dict[str, Any]]:
    """All tasks of the trash, up to a thousand, by their ids."""
    page = caller("GET", f"/api/{caller.id}/trash?limit=1000").json()
    return {task["id"]: task for task in page["tasks"]}


def revision(caller: Caller) -> int:
    """The revision of the last change."""
    newest: int = caller("GET", "?limit=1").json()["revision"]
    return newest


def live(caller: Caller) -> dict[int, dict[str, Any]]:
    """All live tasks, up to a thousand, by their ids."""
    return {task["id"]: task for task in caller("GET", "?limit=1000").json()["tasks"]}


def order(caller: Caller, list_id: int | None = None, parent_id: int | None = None) -> list[int]:
    """The ids of the tasks of one place, by their positions."""
    place = {"list_id": list_id, "parent_id": parent_id}
    tasks = [task for task in live(caller).values() if place.items() <= task.items()]
    return [task["id"] for task in sorted(tasks, key=lambda task: task["position"])]
