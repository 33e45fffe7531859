"""The expert's peer: the same API as an expert would write it for production, and no more.

- FastAPI, everything `async`; pydantic models check what comes in;
- raw asyncpg with a pool; its reset of a returned connection is off, because no request leaves
  state behind: every request that succeeds is one statement, so one round trip;
- orjson writes the answer straight from the rows, with no model on the way out;
- PyJWT verifies a token once; a small cache remembers it until it expires.

Served with `uvicorn tests.benchmarks.stacks.expert:app`; `stacks.tables` makes the tables.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ
from typing import Annotated, Any, Literal

import asyncpg
import jwt
import orjson
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response, status
from pydantic import BaseModel, Field

from tests.benchmarks.stacks.tables import COLUMNS

BETTER_AUTH_SECRET = environ["BETTER_AUTH_SECRET"]
POOL_SIZE = 10  # for each worker
MOST_TOKENS = 10_000

ROW = ", ".join(COLUMNS)
GET = f"SELECT {ROW} FROM task WHERE id = $1 AND user_id = $2"  # noqa: S608 - our own words
CREATE = (
    "INSERT INTO task (user_id, title, description, completed, priority, due_date, tags)"  # noqa: S608
    f" VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {ROW}"
)
COMPLETE = (
    "UPDATE task SET completed = NOT completed, updated_at = now()"  # noqa: S608
    f" WHERE id = $1 AND user_id = $2 RETURNING {ROW}"
)
DELETE = "DELETE FROM task WHERE id = $1 AND user_id = $2 RETURNING id"

Title = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str | None, Field(max_length=1000)]
Priority = Literal["low", "medium", "high"]
DueDate = Annotated[str | None, Field(max_length=35)]
Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=20)]


class TaskCreate(BaseModel):
    """The body of a create, with the seed's bounds."""

    title: Title
    description: Description = None
    completed: bool = False
    priority: Priority = "medium"
    due_date: DueDate = None
    tags: Tags = []


class TaskUpdate(BaseModel):
    """The body of an update: what is absent stays as it is, so the defaults are never written."""

    title: Title = ""
    description: Description = None
    completed: bool = False
    priority: Priority = "medium"
    due_date: DueDate = None
    tags: Tags = []


async def keep_state(connection: Any) -> None:
    """Leave a returned connection as it is, where asyncpg would send a statement to reset it."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the worker's connections before its first request, and close them after its last."""
    async with asyncpg.create_pool(
        environ["DATABASE_URL"], min_size=POOL_SIZE, max_size=POOL_SIZE, reset=keep_state
    ) as pool:
        app.state.pool = pool
        yield


app = FastAPI(title="Todo, the expert's", lifespan=lifespan)

verified: dict[str, tuple[str, float]] = {}


def subject_of(token: str) -> str:
    """The `sub` of a valid token, remembered until it expires; raises what PyJWT raises."""
    known = verified.get(token)
    if known is not None and known[1] > time.time():
        return known[0]
    claims = jwt.decode(
        token, BETTER_AUTH_SECRET, algorithms=["HS256"], options={"require": ["sub", "exp"]}
    )
    if len(verified) >= MOST_TOKENS:
        verified.clear()
    verified[token] = claims["sub"], claims["exp"]
    return str(claims["sub"])


async def get_owner(user_id: str, request: Request) -> str:
    """The caller, who must be the user that the path names: else 401 or 403."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        subject = subject_of(token if scheme.lower() == "bearer" else "")
    except jwt.PyJWTError:
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED, "Invalid token", {"WWW-Authenticate": "Bearer"}
        ) from None
    if subject != user_id:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Not your resource")
    return subject


async def get_pool(request: Request) -> Any:
    """The worker's pool of connections."""
    return request.app.state.pool


Owner = Annotated[str, Depends(get_owner)]
Pool = Annotated[Any, Depends(get_pool)]

router = APIRouter(prefix="/api/{user_id}/tasks", tags=["tasks"])


def reply(content: object, code: int = status.HTTP_200_OK) -> Response:
    """A JSON answer; no model checks what the database has checked."""
    return Response(orjson.dumps(content), code, media_type="application/json")


def reply_task(row: asyncpg.Record | None, code: int = status.HTTP_200_OK) -> Response:
    """The task of this row; 404 when there is none."""
    if row is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Task not found")
    return reply(dict(row), code)


@router.get("")
async def list_tasks(
    owner: Owner,
    pool: Pool,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    completed: bool | None = None,
    priority: Priority | None = None,
) -> Response:
    """One page of the caller's tasks, newest first; the total comes in the same statement."""
    filters = {"user_id": owner, "completed": completed, "priority": priority}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = " AND ".join(f"{name} = ${place}" for place, name in enumerate(wanted, 3))
    count = f"SELECT count(*) FROM task WHERE {where}"  # noqa: S608 - names, not values
    rows = await pool.fetch(
        f"SELECT {ROW}, ({count}) AS total FROM task WHERE {where}"  # noqa: S608
        " ORDER BY id DESC OFFSET $1 LIMIT $2",
        *(skip, limit, *wanted.values()),
    )
    tasks = [dict(row) for row in rows]
    totals = [task.pop("total") for task in tasks]
    if not totals and skip:  # a page after the last one: no row brings the total along
        where = " AND ".join(f"{name} = ${place}" for place, name in enumerate(wanted, 1))
        count = f"SELECT count(*) FROM task WHERE {where}"  # noqa: S608
        totals = [await pool.fetchval(count, *wanted.values())]
    total = totals[0] if totals else 0
    return reply({"tasks": tasks, "total": total, "skip": skip, "limit": limit})


@router.post("")
async def create_task(body: TaskCreate, owner: Owner, pool: Pool) -> Response:
    """Create a task for the caller."""
    row = await pool.fetchrow(
        CREATE,
        *(owner, body.title, body.description, body.completed),
        *(body.priority, body.due_date, body.tags),
    )
    return reply_task(row, status.HTTP_201_CREATED)


@router.get("/{task_id}")
async def get_task(task_id: int, owner: Owner, pool: Pool) -> Response:
    """One of the caller's tasks."""
    return reply_task(await pool.fetchrow(GET, task_id, owner))


@router.put("/{task_id}")
async def update_task(task_id: int, body: TaskUpdate, owner: Owner, pool: Pool) -> Response:
    """Change what the body names, in one statement."""
    changes = body.model_dump(exclude_unset=True)
    assignments = "".join(f"{name} = ${place}, " for place, name in enumerate(changes, 3))
    row = await pool.fetchrow(
        f"UPDATE task SET {assignments}updated_at = now()"  # noqa: S608 - names of the model
        f" WHERE id = $1 AND user_id = $2 RETURNING {ROW}",
        *(task_id, owner, *changes.values()),
    )
    return reply_task(row)


@router.patch("/{task_id}/complete")
async def complete_task(task_id: int, owner: Owner, pool: Pool) -> Response:
    """Toggle completion."""
    return reply_task(await pool.fetchrow(COMPLETE, task_id, owner))


@router.delete("/{task_id}")
async def delete_task(task_id: int, owner: Owner, pool: Pool) -> Response:
    """Delete one of the caller's tasks."""
    if await pool.fetchrow(DELETE, task_id, owner) is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Task not found")
    return Response(status_code=status.HTTP_204_NO_CONTENT)


app.include_router(router)
