"""Spans (OpenTelemetry): one for each request, and one for each statement of the database.

What a span must not have, its maker is not shown: no path, query or header of the request but the
headers that carry the context, and no value of a statement.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from threading import Timer
from typing import Any, Final

import sqlalchemy as sa
from connexion.middleware.abstract import ROUTING_CONTEXT
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from opentelemetry.metrics import NoOpMeter, NoOpMeterProvider
from opentelemetry.propagate import get_global_textmap
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.settings.configuration_error import ConfigurationError

SERVICE: Final = {"service.name": "todo-api"}
"""The name where neither ``OTEL_SERVICE_NAME`` nor ``OTEL_RESOURCE_ATTRIBUTES`` has one."""
LAST_SECONDS: Final = 2.0
"""How long a process that ends may take to send its last spans."""
_SHOWN: Final = ("type", "http_version", "method", "scheme", "server")
_REQUEST: Final = "todo.request"
_ERROR: Final = "todo.error"


def provider(exporters: Sequence[str]) -> TracerProvider:
    """Return a provider whose spans go to ``exporters``; ``OTEL_*`` say the rest.

    Raises :class:`ConfigurationError` for an exporter that is not installed.
    """
    named = OTELResourceDetector().detect().attributes
    return _Provider(Resource.create({**SERVICE, **named}), [_exporter(name) for name in exporters])


class _Provider(TracerProvider):
    """A provider that begins with its process, and ends soon.

    gunicorn's master makes it, and has to stay without a thread: with one, it misses the end of its
    workers. A collector that is away would hold up the end of a process for as long as exporters
    try again.
    """

    def __init__(self, resource: Resource, exporters: Sequence[SpanExporter]) -> None:
        super().__init__(resource=resource)
        self._exporters = exporters
        self._started = False

    def start(self) -> None:
        """Send spans from now on, from a thread of this process."""
        if not self._started:
            self._started = True
            for exporter in self._exporters:
                self.add_span_processor(BatchSpanProcessor(exporter))

    def shutdown(self) -> None:
        """Send what there is, for at most ``LAST_SECONDS``."""
        patience = Timer(LAST_SECONDS, self._give_up)
        patience.start()
        super().shutdown()
        patience.cancel()

    def _give_up(self) -> None:
        for exporter in self._exporters:
            exporter.shutdown()


def _exporter(name: str) -> Any:
    found = list(entry_points(group="opentelemetry_traces_exporter", name=name))
    if not found:
        raise ConfigurationError(
            f"OTEL_TRACES_EXPORTER: {name[:40]!r} is not an installed exporter; "
            "write otlp (over HTTP), console or none"
        )
    return found[0].load()()


def trace_statements(engine: sa.Engine, tracers: TracerProvider) -> None:
    """Make a span for each statement that ``engine`` runs; it has the text, and no value.

    An error has values in its words ("Key (email)=(...) already exists"), so the span is ended
    here with the class of the error alone.
    """

    def end(context: Any) -> None:
        span = context.execution_context and vars(context.execution_context).pop("_otel_span", None)
        if span:
            kind = type(context.original_exception).__name__
            span.set_status(Status(StatusCode.ERROR, kind))
            span.end()

    sa.event.listen(engine, "handle_error", end)  # before the library's own
    usage = NoOpMeter("todo").create_up_down_counter("connections")
    # The library's instrumentor takes one engine in a process, and no SQLAlchemy above 2.0 yet.
    # What it would register works with newer ones, too: tests/api/test_traces.py.
    inside = _InsideOfRequests(tracers.get_tracer("todo"))
    EngineTracer(inside, engine, usage)  # type: ignore[no-untyped-call]


class _InsideOfRequests:
    """A tracer that makes spans below others only: what a process asks for itself has none."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(self, name: str, **options: Any) -> Span:
        """Return a span below the current one; one that is not recorded where there is none."""
        if not get_current_span().get_span_context().is_valid:
            return INVALID_SPAN
        return self._tracer.start_span(name, **options)


class Traced:
    """Makes a span for each request: its method, route and status, and whose child it is."""

    def __init__(self, app: ASGIApp, tracers: TracerProvider, routes: Mapping[str, str]) -> None:
        """``routes`` has the path of the contract for each operation's name."""

        self._app = app
        self._start = tracers.start if isinstance(tracers, _Provider) else lambda: None
        self._routes = routes
        self._carriers = frozenset(name.lower().encode() for name in get_global_textmap().fields)
        self._tracing: Any = OpenTelemetryMiddleware(
            self._answer,
            tracer_provider=tracers,
            meter_provider=NoOpMeterProvider(),
            default_span_details=lambda shown: (shown["method"], {}),
            exclude_spans=["receive", "send"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, inside of its span."""
        self._start()
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shown = {name: scope.get(name) for name in _SHOWN}
        carriers = [line for line in scope["headers"] if line[0].lower() in self._carriers]
        shown |= {"path": "", "query_string": b"", "headers": carriers, _REQUEST: scope}
        await self._tracing(shown, receive, send)
        error: Exception | None = shown.get(_ERROR)
        if error is not None:
            raise error

    async def _answer(self, shown: Scope, receive: Receive, send: Send) -> None:
        scope, span = shown[_REQUEST], get_current_span()

        async def name_first(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._name(span, scope)
            await send(message)

        try:
            await self._app(scope, receive, name_first)
        except Exception as error:  # the library would record its words, which may hold values
            shown[_ERROR] = error
            if span.is_recording():
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))

    def _name(self, span: Span, scope: Scope) -> None:
        """Name the span by its operation, which is known when the response begins."""
        routed = scope.get("extensions", {}).get(ROUTING_CONTEXT, {})
        route = self._routes.get(routed.get("operation_id"))
        if route is not None:
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.route", route)
