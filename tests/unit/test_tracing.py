"""When there are traces: `todo.tracing`."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.conftest import SECRET
from tests.integration.server import environment
from todo import tracing
from todo.cli.check import CheckFailedError, check_traces
from todo.settings.configuration_error import ConfigurationError

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
LOADED = """
import sys
from todo.app import create_app
create_app()
print([name for name in sys.modules if name.startswith("opentelemetry.")])
"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, []),
        ({"OTEL_SERVICE_NAME": "todo"}, []),
        (ENDPOINT, ["otlp_proto_http"]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a/v1/traces"}, ["otlp_proto_http"]),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ["otlp_proto_http"]),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ["console", "otlp_proto_http"]),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, []),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE"}, []),
    ],
)
def test_the_standard_variables_say_where_spans_go(variables, expected):
    assert tracing.exporters(variables) == expected


def test_without_the_variables_there_are_no_traces():
    assert tracing.provider({}) is None


def test_with_an_endpoint_there_are():
    provider = tracing.provider(ENDPOINT)

    assert isinstance(provider, TracerProvider)
    assert provider.resource.attributes["service.name"] == "todo-api"
    provider.shutdown()


def test_an_exporter_that_is_not_installed_ends_the_start_with_one_line():
    with pytest.raises(ConfigurationError) as raised:
        tracing.provider({"OTEL_TRACES_EXPORTER": "zipkin"})

    assert str(raised.value) == (
        "OTEL_TRACES_EXPORTER: 'zipkin' is not an installed exporter; "
        "write otlp (over HTTP), console or none"
    )


def test_without_the_library_they_are_off_and_doctor_says_what_to_install(monkeypatch):
    monkeypatch.setattr(tracing, "_PACKAGES", ("opentelemetry.nowhere.at_all",))
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")

    assert tracing.provider() is None
    with pytest.raises(CheckFailedError, match=r"pip install 'todo-api\[otel\]'$"):
        check_traces()


def test_doctor_says_where_spans_go(monkeypatch):
    off = check_traces()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")

    assert off == "off; OTEL_EXPORTER_OTLP_ENDPOINT turns them on"
    assert check_traces() == "sent by otlp_proto_http"


def test_nothing_of_the_library_is_loaded_while_traces_are_off(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=environment(tmp_path / "home", BETTER_AUTH_SECRET=SECRET),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert run.stdout == "[]\n"
