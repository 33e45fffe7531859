"""The reference stack, as documented: FastAPI, SQLModel, PyJWT, a session per request.

One file instead of the document's five (models, db, auth, routes, main); otherwise what a careful
reader of it would deploy, neither handicapped nor tuned. Where the document leaves a gap the
choice is the one its libraries' own documentation shows:

- endpoints that use the database are plain `def`, as in SQLModel's tutorial (an `async def` would
  block the event loop on every query);
- input and output have schemas of their own, and updates go through `sqlmodel_update`;
- the list answers with `total`, because the front ends show it, and the path's `user_id` must be
  the token's `sub` ("403: not user's resource").

Served with `uvicorn tests.benchmarks.stacks.seed:app`; run as a module, it makes the tables.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from os import environ
from typing import Annotated, Literal

import jwt
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from pydantic import Field as Bounded
from sqlmodel import JSON, Column, Field, Session, SQLModel, col, create_engine, func, select

BETTER_AUTH_SECRET = environ["BETTER_AUTH_SECRET"]

# SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3; the driver here is psycopg2, like ours.
engine = create_engine(
    environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
)


def utc_now() -> datetime:
    """The document's `datetime.utcnow`, with the time zone that SQLModel insists on by now."""
    return datetime.now(UTC)


class User(SQLModel, table=True):
    """The target of the document's foreign key; Better Auth would own this table."""

    __tablename__ = "users"

    id: str = Field(primary_key=True)


class Task(SQLModel, table=True):
    """The document's model, field by field, and the fields that its front ends send besides."""

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="users.id", index=True)
    title: str
    description: str | None = None
    completed: bool = False
    priority: str = "medium"
    due_date: str | None = None
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)


Priority = Literal["low", "medium", "high"]
Tags = Annotated[list[Annotated[str, Bounded(min_length=1, max_length=50)]], Bounded(max_length=20)]


class TaskCreate(BaseModel):
    """The body of a create, with the document's bounds."""

    title: str = Bounded(min_length=1, max_length=200)
    description: str | None = Bounded(default=None, max_length=1000)
    completed: bool = False
    priority: Priority = "medium"
    due_date: str | None = Bounded(default=None, max_length=35)
    tags: Tags = []


class TaskUpdate(BaseModel):
    """The body of an update: what is absent stays as it is."""

    title: str | None = Bounded(default=None, min_length=1, max_length=200)
    description: str | None = Bounded(default=None, max_length=1000)
    completed: bool | None = None
    priority: Priority | None = None
    due_date: str | None = Bounded(default=None, max_length=35)
    tags: Tags | None = None


class TaskPage(BaseModel):
    """One page of a list, with the size of the whole."""

    tasks: list[Task]
    total: int
    skip: int
    limit: int


def get_session() -> Iterator[Session]:
    """One session, hence one transaction, per request."""
    with Session(engine) as session:
        yield session


security = HTTPBearer()


async def get_current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(security)],
) -> str:
    """The token's `sub`; 401 for a token that does not verify."""
    try:
        payload = jwt.decode(credentials.credentials, BETTER_AUTH_SECRET, algorithms=["HS256"])
        return str(payload["sub"])
    except (jwt.PyJWTError, KeyError):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Invalid token") from None


async def get_owner(user_id: str, current_user: Annotated[str, Depends(get_current_user)]) -> str:
    """The caller, who must be the user that the path names; else 403."""
    if user_id != current_user:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Not your resource")
    return current_user


Owner = Annotated[str, Depends(get_owner)]
DatabaseSession = Annotated[Session, Depends(get_session)]

router = APIRouter(prefix="/api/{user_id}/tasks", tags=["tasks"])


def find_task(session: Session, owner: str, task_id: int) -> Task:
    """The owner's task; 404 when there is none."""
    task = session.exec(select(Task).where(Task.id == task_id, Task.user_id == owner)).first()
    if task is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Task not found")
    return task


def save(session: Session, task: Task) -> Task:
    """Commit, and read back what the database made of it (SQLModel's add, commit, refresh)."""
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


@router.get("", response_model=TaskPage)
def list_tasks(
    owner: Owner,
    session: DatabaseSession,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    completed: bool | None = None,
    priority: Priority | None = None,
) -> dict[str, object]:
    """One page of the caller's tasks, newest first."""
    wanted = [Task.user_id == owner]
    if completed is not None:
        wanted.append(Task.completed == completed)
    if priority is not None:
        wanted.append(Task.priority == priority)
    page = select(Task).where(*wanted).order_by(col(Task.id).desc()).offset(skip).limit(limit)
    total = session.exec(select(func.count()).select_from(Task).where(*wanted)).one()
    return {"tasks": session.exec(page).all(), "total": total, "skip": skip, "limit": limit}


@router.post("", response_model=Task, status_code=status.HTTP_201_CREATED)
def create_task(body: TaskCreate, owner: Owner, session: DatabaseSession) -> Task:
    """Create a task for the caller."""
    return save(session, Task(user_id=owner, **body.model_dump()))


@router.get("/{task_id}", response_model=Task)
def get_task(task_id: int, owner: Owner, session: DatabaseSession) -> Task:
    """One of the caller's tasks."""
    return find_task(session, owner, task_id)


@router.put("/{task_id}", response_model=Task)
def update_task(task_id: int, body: TaskUpdate, owner: Owner, session: DatabaseSession) -> Task:
    """Change what the body names."""
    task = find_task(session, owner, task_id)
    task.sqlmodel_update(body.model_dump(exclude_unset=True), update={"updated_at": utc_now()})
    return save(session, task)


@router.patch("/{task_id}/complete", response_model=Task)
def complete_task(task_id: int, owner: Owner, session: DatabaseSession) -> Task:
    """Toggle completion."""
    task = find_task(session, owner, task_id)
    task.completed = not task.completed
    task.updated_at = utc_now()
    return save(session, task)


@router.delete("/{task_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_task(task_id: int, owner: Owner, session: DatabaseSession) -> None:
    """Delete one of the caller's tasks."""
    session.delete(find_task(session, owner, task_id))
    session.commit()


app = FastAPI(title="Todo, the reference stack")
app.include_router(router)


if __name__ == "__main__":
    SQLModel.metadata.create_all(engine)
