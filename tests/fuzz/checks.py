"""What is checked of every answer beside Schemathesis' own checks; `schemathesis.toml` loads it.

And what strings of the contract's own formats look like.
"""

import re
import uuid
from datetime import UTC
from typing import Any
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, DeserializationContext, HookContext, Response

from tests.contract.reading import closed
from todo.problem_types import PROBLEM_TYPES
from todo.problems import MAX_BODY
from todo.sync import cursors
from todo.sync.cursors import Cursor
from todo.sync.sync_tokens import Place
from todo.values.text_keys import fold

UNPROCESSABLE = 422
BEYOND_JSON_SCHEMA = {
    "contradiction",
    "not_unique",
    "format",
    "unknown_reference",
    "limit",
    "required",
    "unsupported",
    "never_occurs",
}
"""What JSON Schema cannot say: parameters that contradict each other, a tag in two cases, and what
a string of a format of our own is not, and which ids there are, and what a rule is; a series needs
one only where a task is in none. Schemathesis makes such strings on purpose, and then takes them
for valid."""

MOST_PLANTED = 30
"""Tasks with ids up to this one are probably there."""
REFERENCES = ("list_id", "parent_id")

RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=2",
    "FREQ=WEEKLY;BYDAY=MO,TH",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
)
LONGEST_RULE = 200

VALID_KEY = re.compile(r"[ -~]{1,255}")

_dates = st.dates().map(lambda day: day.isoformat())
_instants = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat())
_cursors = st.builds(
    lambda asked, place: cursors.encode(Cursor(cursors.digest(asked), None, place)),
    st.integers(0, 9),
    st.lists(st.integers(1, 100), min_size=1, max_size=2),
)
_places = st.builds(Place, st.integers(0, 100), st.text("0123456789abcdef", max_size=16))
_visible = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=50).filter(
    lambda text: fold(text).strip()
)
# The contract's example of a tag is among them, so that what asks for a tag by name finds some.
for name, strategy in {
    "cursor": _cursors,
    "date-or-instant": _dates | _instants,
    "id-or-none": st.just("none") | st.integers(1, MOST_PLANTED).map(str),
    "instant": _instants,
    "instant-or-revision": _instants | st.integers(0, 100).map(str),
    "sync-token": st.builds(lambda place: place.token, _places),
    "time-zone": st.sampled_from(sorted(available_timezones() - {"Factory", "localtime"})),
    "visible": st.just("shopping") | _visible,
}.items():
    schemathesis.openapi.format(name, strategy)


@schemathesis.hook
def before_load_schema(ctx: HookContext, raw_schema: dict[str, Any]) -> None:
    """Close the answers: a member that the contract does not name is a finding."""
    raw_schema["components"]["schemas"] = closed(raw_schema)["components"]["schemas"]


@schemathesis.deserializer("text/html", "text/css", "text/javascript")
def text(ctx: DeserializationContext, response: Response) -> str:
    """Pages and files are strings; their schemas bound them."""
    return response.content.decode()


@schemathesis.check
def refusals_of_valid_requests(ctx: CheckContext, response: Response, case: Case) -> None:
    """A request that fits its schemas is 422 only for what they cannot say."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code == UNPROCESSABLE:
        codes = {error["code"] for error in response.json()["errors"]}
        assert codes <= BEYOND_JSON_SCHEMA, f"a valid request was refused: {codes}"


@schemathesis.check
def problems_of_the_table(ctx: CheckContext, response: Response, case: Case) -> None:
    """An error is a documented problem, small, with the status of its code."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    problem = response.json()
    assert len(response.content) <= MAX_BODY, "the problem is larger than 4 KiB"
    assert problem["code"] in PROBLEM_TYPES, f"{problem['code']} is not in the table"
    assert problem["status"] == response.status_code == PROBLEM_TYPES[problem["code"]].status
    assert problem["type"] == f"/problems/{problem['code']}"


@schemathesis.check
def headers_of_every_answer(ctx: CheckContext, response: Response, case: Case) -> None:
    """A request id, no guessing of media types; what a token bought is kept private."""
    headers = {name.lower(): ", ".join(values) for name, values in response.headers.items()}
    assert headers.get("x-request-id"), "the answer has no X-Request-ID"
    assert headers.get("x-content-type-options") == "nosniff"
    if case.path.startswith("/api/"):
        assert headers.get("cache-control") == "private, no-cache"
        assert "Authorization" in headers.get("vary", "")


@schemathesis.hook
def filter_case(ctx: HookContext, case: Case) -> bool:
    """Leave out empty JSON where a body may be absent: it breaks the schema, and is no body."""
    required = any(body.is_required for body in case.operation.body)
    return required or case.body not in (None, {})


@schemathesis.hook
def map_body(ctx: HookContext, body: Any) -> Any:
    """Let few of the references be to nothing: a made-up id is that of no list and of no task, and
    the request would get as far as that.
    """
    if not isinstance(body, dict):
        return body
    made_up = {n for n in REFERENCES if type(body.get(n)) is int and body[n] > MOST_PLANTED}
    return {**body, **dict.fromkeys(made_up), **_series(body)}


def _series(body: dict[str, Any]) -> dict[str, Any]:
    """Let most texts be rules: no text that is made up is one. A series starts when it is due."""
    series = body.get("recurrence")
    rule = series.get("rule") if isinstance(series, dict) else None
    if not isinstance(rule, str) or not 1 <= len(rule) <= LONGEST_RULE:
        return {}
    known = [*RULES, rule][len(rule) % (1 + len(RULES))]
    due = {"due_date": series["start"]} if isinstance(series.get("start"), str) else {}
    return {"recurrence": {**series, "rule": known}, **due}


@schemathesis.hook
def map_case(ctx: HookContext, case: Case) -> Case:
    """Leave out of the query what the body has, too: of the few requests that change a task from
    both, nearly all would be no more than this contradiction.
    """
    if isinstance(case.body, dict) and case.query:
        case.query = {name: case.query[name] for name in case.query if name not in case.body}
    return case


@schemathesis.hook
def before_call(ctx: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Give each change a key of its own, as clients do; a key that is none stays what it is.

    Made-up keys would soon be those of earlier requests.
    """
    if case.headers and VALID_KEY.fullmatch(case.headers.get("Idempotency-Key", "")):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
