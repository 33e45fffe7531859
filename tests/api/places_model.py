"""Where one user's tasks are, in a few lines of Python lists and dicts.

The order of a place is a list of ids. Positions are the server's: the model takes them over from
the tasks that an operation may change, and says of all others that they stay as they are. It needs
them for what comes back from the trash, which has the position that it had.
"""

from bisect import bisect
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, ClassVar

Task = dict[str, Any]
Where = tuple[int | None, int | None]

LEVELS = 3
LEARNED = ("position", "revision", "created_at", "updated_at")
REFERENCES = ("id", "parent_id", "previous_id", "next_id", "series_id")


class Refused(Exception):
    """An operation that changes nothing: its status, and the code of what is wrong."""

    def __init__(self, status: int, code: str) -> None:
        self.answer = (status, code)


@dataclass
class Places:
    """All that the server knows of where the user's tasks are; ``unit`` is what goes on now."""

    blank: ClassVar[Task] = dict.fromkeys(("previous_id", "next_id", "series_id"))
    live: dict[int, Task] = field(default_factory=dict)
    trash: dict[int, Task] = field(default_factory=dict)
    lists: set[int] = field(default_factory=set)
    order: dict[Where, list[int]] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    new: list[Task] = field(default_factory=list)
    unit: int = 0

    def do(self, operation: Task) -> None:
        """Make an operation of a bulk, or of one of its own: ``op`` names the method."""
        self.changed, self.new = set(), []
        self.unit += 1
        before = deepcopy(vars(self))
        try:
            getattr(self, operation["op"])(operation)
        except Refused:
            vars(self).update(before)
            raise

    def adopt(self, live: dict[int, Task], trash: dict[int, Task]) -> None:
        """Learn ids and positions of what the operation made or changed, and check all the rest."""
        self.name_new({**live, **trash})
        for ours, theirs in ((self.live, live), (self.trash, trash)):
            assert ours.keys() == theirs.keys()
            for task_id, task in ours.items():
                if task_id in self.changed:
                    task.update({name: theirs[task_id][name] for name in LEARNED})
                expected = {name: task[name] for name in task if name in theirs[task_id]}
                found = {name: theirs[task_id][name] for name in expected}
                assert found == expected, (found, expected)
        for where, order in self.order.items():
            assert order == sorted(order, key=self.position), where

    def name_new(self, told: dict[int, Task]) -> None:
        """Give what is new the ids that it has: by what was before each, and by their order."""
        unknown = sorted(told.keys() - self.live.keys() - self.trash.keys())
        ids: dict[int | None, int | None] = {}
        for task in self.new:
            before = ids.get(task["previous_id"], task["previous_id"])
            found = [one for one in unknown if told[one]["previous_id"] == before]
            assert found, f"{task} was not made"
            ids[task["id"]] = found[0]
            unknown.remove(found[0])
        assert unknown == []
        for task in [*self.live.values(), *self.trash.values()]:
            task.update({name: ids.get(task[name], task[name]) for name in REFERENCES})
        self.live = {task["id"]: task for task in self.live.values()}
        self.trash = {task["id"]: task for task in self.trash.values()}
        self.order = {
            (list_id, ids.get(above, above)): [ids.get(one, one) for one in order]
            for (list_id, above), order in self.order.items()
        }
        self.changed = {ids.get(one, one) for one in self.changed} | set(ids.values())

    def bulk(self, operation: Task) -> None:
        operations = operation["operations"]
        for one in operations:
            if one["op"] != "create":
                self.task(one["id"], self.trash if one["op"] == "restore" else self.live)
        for one in operations:
            came_back = one["op"] == "restore" and one["id"] in self.live
            went_along = one["op"] == "delete" and one["id"] not in self.live
            if not came_back and not went_along:
                getattr(self, one["op"])(one)

    def task(self, task_id: int, among: dict[int, Task] | None = None) -> Task:
        among = self.live if among is None else among
        if task_id not in among:
            raise Refused(404, "task_not_found")
        return among[task_id]

    def create(self, operation: Task) -> None:
        data = operation["data"]
        where = self.where(data, None)
        self.check_room(None, where)
        task = {
            "id": -1 - len(self.new),
            "completed": data.get("completed", False),
            "list_id": where[0],
            "parent_id": where[1],
            "position": "~",
            **self.blank,
        }
        self.add(task, None)
        self.edit(task, data)

    def add(self, task: Task, index: int | None) -> None:
        """Put a new task at an index of its place, or at the end."""
        self.new.append(task)
        self.live[task["id"]] = task
        place = self.order.setdefault((task["list_id"], task["parent_id"]), [])
        place.insert(len(place) if index is None else index, task["id"])

    def update(self, operation: Task) -> None:
        task, data = self.task(operation["id"]), operation["data"]
        names = ("list_id", "parent_id")
        if any(name in data and data[name] != task[name] for name in names):
            where = self.where(data, task)
            if where != (task["list_id"], task["parent_id"]):
                self.check_room(task, where)
                self.put(task, where, None)
        self.edit(task, data)

    def edit(self, task: Task, data: Task) -> None:
        """Change all but the place of a task."""
        if "completed" in data:
            self.set_completed(task, data["completed"])

    def complete(self, operation: Task) -> None:
        task = self.task(operation["id"])
        below = self.below(task) if operation.get("subtasks") else []
        for one in [*reversed(below), task]:
            self.set_completed(one, operation["completed"])

    def complete_all(self, operation: Task) -> None:
        for task in list(self.live.values()):
            self.set_completed(task, operation["completed"])

    def set_completed(self, task: Task, completed: bool) -> None:
        if task["completed"] != completed:
            task["completed"] = completed
            self.changed.add(task["id"])

    def move(self, operation: Task) -> None:
        task = self.task(operation["id"])
        side = next((side for side in ("before", "after") if side in operation), None)
        where = self.where(operation, task, side)
        self.check_room(task, where)
        if side is None:
            self.put(task, where, 0 if operation.get("at") == "start" else None)
            return
        here = (task["list_id"], task["parent_id"])
        old = self.order[where].index(task["id"]) if where == here else None
        others = [one for one in self.order[where] if one != task["id"]]
        index = others.index(operation[side]) + (side == "after")
        if index != old:
            self.put(task, where, index)

    def where(self, asked: Task, task: Task | None, side: str | None = None) -> Where:
        """Which place is asked for; that of a neighbour, where one is named."""
        if side is not None and asked[side] == asked["id"]:
            raise Refused(422, "contradiction")
        named = "list_id" in asked or "parent_id" in asked
        where = self.named(asked, task, named=named)
        if side is None:
            return where
        if (neighbour := self.live.get(asked[side])) is None:
            raise Refused(422, "unknown_reference")
        beside = (neighbour["list_id"], neighbour["parent_id"])
        if named and beside != where:
            raise Refused(422, "contradiction")
        return beside

    def named(self, asked: Task, task: Task | None, *, named: bool) -> Where:
        where = (task["list_id"] if task else None, None)
        if asked.get("parent_id") is not None:
            if (parent := self.live.get(asked["parent_id"])) is None:
                raise Refused(422, "unknown_reference")
            if asked.get("list_id", parent["list_id"]) != parent["list_id"]:
                raise Refused(422, "contradiction")
            where = (parent["list_id"], parent["id"])
        elif "list_id" in asked:
            if asked["list_id"] not in (None, *self.lists):
                raise Refused(422, "unknown_reference")
            where = (asked["list_id"], None)
        elif not named and task is not None:
            where = (task["list_id"], task["parent_id"])
        return where

    def check_room(self, task: Task | None, where: Where) -> None:
        if where[1] is None or (task and task["parent_id"] == where[1]):
            return
        line = [where[1], *self.above(where[1])]
        if task and task["id"] in line:
            raise Refused(422, "contradiction")
        if len(line) + (self.height(task["id"]) if task else 1) > LEVELS:
            raise Refused(422, "limit")

    def above(self, task_id: int) -> Iterator[int]:
        while (parent := self.live[task_id]["parent_id"]) is not None:
            yield parent
            task_id = parent

    def height(self, task_id: int) -> int:
        children = [one["id"] for one in self.live.values() if one["parent_id"] == task_id]
        return 1 + max(map(self.height, children), default=0)

    def below(self, task: Task, among: dict[int, Task] | None = None) -> list[Task]:
        among = self.live if among is None else among
        children = [one for one in among.values() if one["parent_id"] == task["id"]]
        return [one for child in children for one in [child, *self.below(child, among)]]

    def put(self, task: Task, where: Where, index: int | None) -> None:
        """Put a task at an index of a place, or at its end, with everything below it."""
        self.order[task["list_id"], task["parent_id"]].remove(task["id"])
        place = self.order.setdefault(where, [])
        place.insert(len(place) if index is None else index, task["id"])
        self.changed.add(task["id"])
        task["parent_id"] = where[1]
        for one in [task, *self.below(task)]:
            if one["list_id"] != where[0]:
                self.take_along(one, where[0])
        task["list_id"] = where[0]

    def take_along(self, task: Task, list_id: int | None) -> None:
        """The children of a task that goes to another list keep their order."""
        old = task["list_id"]
        self.order[list_id, task["id"]] = self.order.pop((old, task["id"]), [])
        task["list_id"] = list_id
        self.changed.add(task["id"])

    def delete(self, operation: Task) -> None:
        task = self.task(operation["id"])
        self.to_trash([task, *self.below(task)])

    def to_trash(self, tasks: list[Task]) -> None:
        for one in tasks:
            self.order[one["list_id"], one["parent_id"]].remove(one["id"])
            self.trash[one["id"]] = {**self.live.pop(one["id"]), "unit": self.unit}
            self.changed.add(one["id"])

    def clear_completed(self, _: Task) -> None:
        self.to_trash(
            [
                task
                for task in self.live.values()
                if task["completed"] and all(one["completed"] for one in self.below(task))
            ]
        )

    def restore(self, operation: Task) -> None:
        task = self.task(operation["id"], self.trash)
        with_it = {one["id"]: one for one in self.trash.values() if one["unit"] == task["unit"]}
        below = self.below(task, with_it)
        list_id = task["list_id"] if task["list_id"] in self.lists else None
        parent = self.live.get(task["parent_id"] or 0)
        if parent is not None:
            list_id = parent["list_id"]
            line, levels = len([parent, *self.above(parent["id"])]), 1
            levels += max((self.depth_below(task, one) for one in below), default=0)
            if line + levels > LEVELS:
                raise Refused(422, "limit")
        self.come_back(task, (list_id, None if parent is None else parent["id"]))
        for one in below:
            self.come_back(one, (list_id, one["parent_id"]))

    def depth_below(self, top: Task, task: Task) -> int:
        depth = 1
        while task["parent_id"] != top["id"]:
            task, depth = self.trash[task["parent_id"]], depth + 1
        return depth

    def come_back(self, task: Task, where: Where) -> None:
        del self.trash[task["id"]]
        self.live[task["id"]] = task | {"list_id": where[0], "parent_id": where[1]}
        place = self.order.setdefault(where, [])
        place.insert(bisect(place, task["position"], key=self.position), task["id"])
        self.changed.add(task["id"])

    def position(self, task_id: int) -> str:
        return self.live[task_id]["position"]

    def purge(self, operation: Task) -> None:
        task = self.task(operation["id"], self.trash)
        for one in [task, *self.below(task, self.trash)]:
            del self.trash[one["id"]]

    def empty_trash(self, _: Task) -> None:
        self.trash.clear()

    def create_list(self, _: Task) -> None:
        """The list's id is the server's: :meth:`adopt` learns it."""

    def delete_list(self, operation: Task) -> None:
        if operation["id"] not in self.lists:
            raise Refused(404, "list_not_found")
        self.lists.remove(operation["id"])
        inside = [task for task in self.live.values() if task["list_id"] == operation["id"]]
        if operation["tasks"] == "trash":
            self.to_trash(inside)
            return
        top = self.order.pop((operation["id"], None), [])
        self.order.setdefault((None, None), []).extend(top)
        for task in inside:
            if task["parent_id"] is None:
                task["list_id"] = None
                self.order[None, task["id"]] = self.order.pop((operation["id"], task["id"]), [])
            self.changed.add(task["id"])
        for task in inside:
            if task["parent_id"] is not None:
                self.order[None, task["id"]] = self.order.pop((operation["id"], task["id"]), [])
                task["list_id"] = None
