"""Dashboard, alert rules and `docs/observing.md` name what the server serves, and nothing else."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contract.reading import ROOT
from tests.servers import programs
from todo.http.asgi.access_log import AccessLog
from todo.http.exchange import Exchange
from todo.metrics.catalogue import ALL
from todo.metrics.instruments import Counter, Histogram, Instrument
from todo.problem_types import PROBLEM_TYPES

DASHBOARD = json.loads((ROOT / "deploy/grafana/todo.json").read_text())
RULES_FILE = ROOT / "deploy/prometheus/alerts.yml"
TRIED_FILE = ROOT / "deploy/prometheus/alerts_test.yml"
[GROUP] = yaml.safe_load(RULES_FILE.read_text())["groups"]
RULES = GROUP["rules"]
TRIED = yaml.safe_load(TRIED_FILE.read_text())["tests"]
PAGE = (ROOT / "docs/observing.md").read_text()
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(rule["expr"] for rule in RULES),
]
OF_PROMETHEUS = {"instance", "job", "le"}
"""Labels that Prometheus adds, and that of a histogram's bounds."""
SELECTED = re.compile(r"\b(todo_\w+)(?:\{([^}]*)\})?")
NARROWED = re.compile(r"(\w+)=~?\"|(\w+)!=\"")
CODE = re.compile(r"code=~?\"([^\"]+)\"")


def names_of(metric: Instrument) -> set[str]:
    if isinstance(metric, Counter):
        return {f"{metric.name}_total"}
    if isinstance(metric, Histogram):
        return {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}
    return {metric.name}


LABELS = {name: set(metric.labels) for metric in ALL for name in names_of(metric)}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_exist(expression: str):
    found = SELECTED.findall(expression)

    assert found
    for name, selector in found:
        assert name in LABELS
        narrowed = {first or second for first, second in NARROWED.findall(selector)}
        assert narrowed <= LABELS[name] | OF_PROMETHEUS
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    labels = set().union(*(LABELS[name] for name, _ in found)) | OF_PROMETHEUS
    assert {label.strip() for group in grouped for label in group.split(",")} <= labels


@pytest.mark.parametrize("text", [*EXPRESSIONS, TRIED_FILE.read_text()])
def test_a_problem_code_of_an_expression_exists(text: str):
    codes = {code for codes in CODE.findall(text) for code in codes.split("|")}
    assert codes <= set(PROBLEM_TYPES)


def test_every_metric_is_on_the_dashboard():
    shown = {name for panel in PANELS for name in re.findall(r"todo_\w+", str(panel["targets"]))}
    assert [metric.name for metric in ALL if not names_of(metric) & shown] == []


def test_every_panel_says_what_it_shows_and_has_a_place_of_its_own():
    places = set()
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"]
        at = panel["gridPos"]
        cells = {(at["y"], x) for x in range(at["x"], at["x"] + at["w"])}
        assert max(x for _, x in cells) < 24
        assert not cells & places
        places |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_on_and_leads_to_what_to_do(rule):
    assert rule["annotations"]["summary"].endswith(".")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/observing.md"
    assert anchor == rule["alert"].lower()
    assert f"\n### {rule['alert']}\n" in PAGE


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_tried_both_on_and_off(rule):
    tries = [
        bool(tried["exp_alerts"])
        for test in TRIED
        for tried in test["alert_rule_test"]
        if tried["alertname"] == rule["alert"]
    ]
    assert set(tries) == {True, False}


def test_the_page_names_metrics_panels_and_members_of_a_line_that_exist():
    assert set(re.findall(r"`(todo_\w+)", PAGE)) <= set(LABELS)
    named = set(re.findall(r'panel "([^"]+)"', PAGE))
    assert named
    assert named <= {panel["title"] for panel in PANELS}
    exchange = Exchange()
    exchange.operation = exchange.code = exchange.user = exchange.traceparent = ""
    exchange.queued = exchange.turned = exchange.begun
    exchange.database = 0.0
    members = AccessLog(b"key", "json")._fields("GET", exchange)
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == {
        "timestamp",
        "event",
        *members,
    }


@pytest.mark.parametrize(("checks", "file"), [("check", RULES_FILE), ("test", TRIED_FILE)])
def test_prometheus_takes_the_rules_and_they_tell_the_faults_apart(checks: str, file: Path):
    [promtool] = programs.require("promtool")
    run = subprocess.run(
        [promtool, checks, "rules", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "SUCCESS" in run.stdout
