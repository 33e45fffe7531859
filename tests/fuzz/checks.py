"""What is checked of every answer beside Schemathesis' own checks; `schemathesis.toml` loads it."""

import schemathesis
from schemathesis import Case, CheckContext, DeserializationContext, Response

from todo.problems import KINDS, MAX_BODY

UNPROCESSABLE = 422


@schemathesis.deserializer("text/html", "text/css", "text/javascript")
def text(ctx: DeserializationContext, response: Response) -> str:
    """Pages and files are strings; their schemas bound them."""
    return response.content.decode()


@schemathesis.check
def refusals_of_valid_requests(ctx: CheckContext, response: Response, case: Case) -> None:
    """A request that fits its schemas is 422 only when it contradicts itself."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code == UNPROCESSABLE:
        codes = {error["code"] for error in response.json()["errors"]}
        assert codes == {"contradiction"}, f"a valid request was refused: {codes}"


@schemathesis.check
def problems_of_the_table(ctx: CheckContext, response: Response, case: Case) -> None:
    """An error is a documented problem, small, with the status of its code."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    problem = response.json()
    assert len(response.content) <= MAX_BODY, "the problem is larger than 4 KiB"
    assert problem["code"] in KINDS, f"{problem['code']} is not in the table"
    assert problem["status"] == response.status_code == KINDS[problem["code"]].status
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
