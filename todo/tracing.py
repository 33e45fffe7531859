"""Whether there are traces: ``todo-api[otel]`` is installed, and ``OTEL_*`` ask for them.

Nothing of OpenTelemetry is imported otherwise. :mod:`todo.spans` makes the spans.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import structlog

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
MISSING: Final = "the library is not installed; pip install 'todo-api[otel]'"
_PACKAGES: Final = (
    "opentelemetry.sdk.trace",
    "opentelemetry.instrumentation.asgi",
    "opentelemetry.instrumentation.sqlalchemy",
)

log = structlog.get_logger("todo.tracing")


def exporters(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the exporters that ``OTEL_*`` name, by their names; none where traces are off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    names = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if not names and any(environment.get(name, "").strip() for name in ENDPOINTS):
        names = "otlp"
    named = [name for name in map(str.strip, names.split(",")) if name not in ("", "none")]
    return ["otlp_proto_http" if name == "otlp" else name for name in named]


def is_installed() -> bool:
    """Whether the libraries of ``todo-api[otel]`` are here."""
    try:
        return all(find_spec(package) is not None for package in _PACKAGES)
    except ModuleNotFoundError:
        return False


def provider(environment: Mapping[str, str] = os.environ) -> Any:
    """Return the provider of tracers that ``OTEL_*`` configure, ``None`` where traces are off.

    Raises :class:`ConfigurationError` for an exporter that is not installed.
    """
    names = exporters(environment)
    if not names:
        return None
    if not is_installed():
        log.warning("traces.off", reason=f"OTEL_* are set, and {MISSING}")
        return None
    return spans().provider(names)


def spans() -> Any:
    """Return :mod:`todo.spans`, which imports OpenTelemetry."""
    return import_module("todo.spans")
