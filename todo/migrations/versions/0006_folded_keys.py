"""Keys without what nobody sees: an ignorable character hides no word, and İ is an i.

The folding of this revision is here: what a migration does must not change with the code around
it. Only keys that are not ASCII can change, and only those that do are written. Accounts keep the
keys of their e-mails.

No column is added or altered, and no revision is taken. One column that clients see is written:
tags that are one by now become the first of them.

On PostgreSQL the row of each user who has such keys is locked first, batch by batch, as every
writer does: no writer changes a task between the reading of its text and the writing of its key,
and no deadlock comes of it. These users' writes wait until the migration ends, and no others.
A process of the release before that writes afterwards still writes keys of its own folding. Such
a key is renewed when the task's title, description or tags next change; until then a search may
miss a word that has an invisible character in it.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BATCH = 2000
_TITLE_KEY_LENGTH = 200
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_TASKS = sa.table(
    "tasks",
    *map(sa.column, ("user_id", "id", "revision", "title", "title_key", "description")),
    *map(sa.column, ("search_key", "tags_key")),
    sa.column("tags", _JSON),
)
_USERS = sa.table("users", sa.column("id"))
_NOT_ASCII = {
    "postgresql": "octet_length({0}) <> length({0})",
    "sqlite": "length(CAST({0} AS BLOB)) <> length({0})",
}
# Default_Ignorable_Code_Point of Unicode 16.0.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)

Fold = Callable[[str], str]


def upgrade() -> None:
    """Renew the keys that this revision folds otherwise."""
    condition = _NOT_ASCII[op.get_bind().dialect.name]
    search, tags = (condition.format(column) for column in ("search_key", "tags_key"))
    _renew(_fold, sa.text(f"({search} OR {tags})"))


def downgrade() -> None:
    """Fold every key as before. Tags that became one stay one."""
    _renew(_fold_before, sa.true())


def _renew(fold: Fold, condition: Any) -> None:
    for batch in _batches(condition):
        old = [_row(row, row.title_key, row.search_key, row.tags, row.tags_key) for row in batch]
        new = [_row(row, *_keys(row, fold)) for row in batch]
        if changed := [after for before, after in zip(old, new, strict=True) if before != after]:
            _write(changed)


def _batches(condition: Any) -> Iterator[Sequence[sa.Row[Any]]]:
    """Every task that meets the ``condition``, the trash included, by its key; owners locked."""
    key = sa.tuple_(_TASKS.c.user_id, _TASKS.c.id)
    every = sa.select(_TASKS).where(condition).order_by(_TASKS.c.user_id, _TASKS.c.id).limit(_BATCH)
    rows = _locked(every)
    while rows:
        yield rows
        rows = _locked(every.where(key > (rows[-1].user_id, rows[-1].id)))


def _locked(batch: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    """Lock the users of a ``batch`` and read it then; SQLite's migrations are alone anyway."""
    owners = sa.select(batch.subquery().c.user_id)
    users = sa.select(_USERS.c.id).where(_USERS.c.id.in_(owners)).order_by(_USERS.c.id)
    op.get_bind().execute(users.with_for_update(key_share=True)).all()
    return op.get_bind().execute(batch).all()


def _keys(row: sa.Row[Any], fold: Fold) -> tuple[str, str, list[str], str]:
    """The title's key, the search key, the tags and their key. An empty tag key stays a tag."""
    title = fold(row.title)
    tags: dict[str, str] = {}
    for tag in row.tags:
        tags.setdefault(fold(tag), tag)
    tags_key = "".join(f"\n{key}" for key in tags) + "\n" if tags else ""
    search_key = f"{title}\n{fold(row.description or '')}"
    return title[:_TITLE_KEY_LENGTH], search_key, list(tags.values()), tags_key


def _row(
    row: sa.Row[Any], title_key: str, search_key: str, tags: list[str], tags_key: str
) -> dict[str, Any]:
    return {
        "user": row.user_id,
        "number": row.id,
        "seen": row.revision,
        "title": title_key,
        "search": search_key,
        "tags": json.dumps(tags, ensure_ascii=False),
        "tags_key": tags_key,
    }


def _write(rows: list[dict[str, Any]]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        update = (
            "UPDATE tasks SET title_key = :title, search_key = :search, tags = :tags,"
            " tags_key = :tags_key WHERE user_id = :user AND id = :number AND revision = :seen"
        )
        op.get_bind().execute(sa.text(update), rows)
        return
    op.get_bind().exec_driver_sql(
        "UPDATE tasks SET title_key = new.title, search_key = new.search,"
        "  tags = new.tags::jsonb, tags_key = new.tags_key"
        "  FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[],"
        "   %s::text[]) AS new (user_id, id, revision, title, search, tags, tags_key)"
        " WHERE tasks.user_id = new.user_id AND tasks.id = new.id"
        "  AND tasks.revision = new.revision",
        tuple([row[name] for row in rows] for name in rows[0]),
    )


def _fold(text: str) -> str:
    caseless = _fold_before(_IGNORABLE.sub("", text))
    return unicodedata.normalize("NFKC", re.sub("i\u0307+", "i", caseless))


def _fold_before(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", normal.casefold())
