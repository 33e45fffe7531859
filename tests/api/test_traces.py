"""Traces: a span for each request and each statement, and nothing in them that is private."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.testclient import TestClient

from tests.conftest import Service, settings_for
from todo import spans
from todo.app import create_app
from todo.models import db

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET_WORDS = "xyzzy-plugh"


class Baggage(SpanProcessor):
    """Notes the baggage that spans begin with."""

    def __init__(self) -> None:
        self.noted: list[dict[str, object]] = []

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        self.noted.append(dict(baggage.get_all(parent_context)))


@dataclass(frozen=True)
class Traced:
    """A running application, and what it has told."""

    service: Service
    exporter: InMemorySpanExporter
    baggage: Baggage

    def spans(self) -> tuple[list[ReadableSpan], list[ReadableSpan]]:
        """The spans of requests and those of statements."""
        spans = self.exporter.get_finished_spans()
        served = [span for span in spans if span.kind is SpanKind.SERVER]
        return served, [span for span in spans if span.kind is SpanKind.CLIENT]


@pytest.fixture(scope="module")
def traced_of(new_database: Callable[[str], str]) -> Callable[[str], Traced]:
    @cache
    def start(backend: str) -> Traced:
        provider, exporter, noted = TracerProvider(), InMemorySpanExporter(), Baggage()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        provider.add_span_processor(noted)
        settings = settings_for(new_database(backend))
        application = create_app(settings, tracers=provider)
        client = TestClient(application, raise_server_exceptions=False)
        return Traced(Service(application, client, settings), exporter, noted)

    return start


@pytest.fixture
def traced(backend: str, traced_of: Callable[[str], Traced]) -> Iterator[Traced]:
    traced = traced_of(backend)
    traced.exporter.clear()
    traced.baggage.noted.clear()
    with traced.service.client:
        yield traced


@pytest.fixture
def service(traced: Traced) -> Service:
    return traced.service


def test_a_request_has_a_span_and_its_statements_are_the_span_s_children(traced, alice):
    alice.create()
    [served], statements = traced.spans()

    assert served.name == "POST /api/{user_id}/tasks"
    assert served.parent is None
    assert dict(served.attributes) == {
        "http.scheme": "http",
        "net.host.port": 80,
        "http.host": "testserver",
        "http.flavor": "1.1",
        "http.url": "http://testserver",
        "http.method": "POST",
        "http.route": "/api/{user_id}/tasks",
        "http.status_code": 201,
    }
    assert {span.parent.span_id for span in statements} == {served.context.span_id}
    assert {span.context.trace_id for span in statements} == {served.context.trace_id}
    assert any("INSERT INTO" in span.attributes["db.statement"] for span in statements)


def test_a_caller_s_trace_goes_on_and_its_baggage_is_there(traced, alice):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "baggage": "tenant=acme,plan=free"}
    alice("GET", "", headers=headers)
    [served], statements = traced.spans()

    assert f"{served.context.trace_id:032x}" == TRACE
    assert f"{served.parent.span_id:016x}" == PARENT
    assert {f"{span.context.trace_id:032x}" for span in statements} == {TRACE}
    assert traced.baggage.noted == [{"tenant": "acme", "plan": "free"}] * (1 + len(statements))


def test_a_caller_that_does_not_sample_has_no_spans(traced, alice):
    alice("GET", "", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})

    assert traced.spans() == ([], [])


def test_no_span_has_a_title_a_token_a_query_a_user_or_a_header(traced, alice):
    headers = {
        "Cookie": f"a={SECRET_WORDS}",
        "X-Request-ID": SECRET_WORDS,
        "User-Agent": SECRET_WORDS,
    }
    task = alice.create(SECRET_WORDS, description=SECRET_WORDS, tags=[SECRET_WORDS])
    path = str(task["id"])
    key = {"Idempotency-Key": SECRET_WORDS}
    alice("PATCH", path, json={"title": f"{SECRET_WORDS} 2"}, headers={**headers, **key})
    alice("GET", f"?search={SECRET_WORDS}&tag={SECRET_WORDS}&sort=title", headers=headers)
    alice("POST", "bulk", json={"operations": [{"op": "create", "data": {"title": SECRET_WORDS}}]})
    alice("DELETE", path, headers=headers)
    alice("GET", f"/{SECRET_WORDS}?{SECRET_WORDS}", headers=headers)
    alice("GET", f"/api/{SECRET_WORDS}/tasks")
    served, statements = traced.spans()

    assert len(served) == 7
    assert len(statements) > len(served)
    told = "".join(span.to_json() for span in (*served, *statements))
    assert SECRET_WORDS not in told
    assert alice.id not in told
    assert alice.token not in told


def test_a_statement_that_fails_tells_the_kind_of_its_error_and_no_value(traced, backend):
    tracer = traced.service.application.tracers.get_tracer("test")
    failing = {"sqlite": "SELECT json(:value)", "postgresql": "SELECT CAST(:value AS integer)"}
    with (
        traced.service.application.flask.app_context(),
        tracer.start_as_current_span("request", record_exception=False),
        pytest.raises(sa.exc.DBAPIError) as raised,
        db.engine.connect() as connection,
    ):
        connection.execute(sa.text(failing[backend]), {"value": SECRET_WORDS})
    _, [failed] = traced.spans()

    assert (SECRET_WORDS in str(raised.value)) == (backend == "postgresql")
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description == type(raised.value.orig).__name__
    assert SECRET_WORDS not in failed.to_json()


def test_what_no_request_asks_for_has_no_span(traced):
    with traced.service.application.flask.app_context(), db.engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))

    assert traced.spans() == ([], [])


def test_an_application_that_fails_in_its_response_tells_the_kind_of_the_error(traced):
    async def fail(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError(SECRET_WORDS)

    client = TestClient(spans.Traced(fail, traced.service.application.tracers, {}))
    with pytest.raises(ValueError, match=SECRET_WORDS):
        client.get("/")
    [[served], _] = traced.spans()

    assert (served.status.status_code, served.status.description) == (
        StatusCode.ERROR,
        "ValueError",
    )
    assert SECRET_WORDS not in served.to_json()


def test_what_no_operation_answers_has_no_name_of_the_client_s(traced, client):
    client.get(f"/{SECRET_WORDS}")
    client.request("PURGE", "/health")
    served, statements = traced.spans()

    assert [span.name for span in served] == ["GET", "PURGE"]
    assert [span.attributes["http.status_code"] for span in served] == [404, 405]
    assert statements == []
