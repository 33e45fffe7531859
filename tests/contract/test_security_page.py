"""`docs/security.md` has every risk of the OWASP list, and names tests that exist."""

import ast
import re
from pathlib import Path

from tests.contract.reading import ROOT, table

PAGE = ROOT / "docs" / "security.md"
RISKS = [
    "API1:2023 Broken Object Level Authorization",
    "API2:2023 Broken Authentication",
    "API3:2023 Broken Object Property Level Authorization",
    "API4:2023 Unrestricted Resource Consumption",
    "API5:2023 Broken Function Level Authorization",
    "API6:2023 Unrestricted Access to Sensitive Business Flows",
    "API7:2023 Server Side Request Forgery",
    "API8:2023 Security Misconfiguration",
    "API9:2023 Improper Inventory Management",
    "API10:2023 Unsafe Consumption of APIs",
]
TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")


def names_in(path: Path) -> set[str]:
    """The names of a module's tests."""
    module = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


def test_the_page_has_every_risk_in_its_order():
    headings = re.findall(r"^## (API.*)$", PAGE.read_text(), re.MULTILINE)

    assert headings == RISKS


def test_each_row_of_each_risk_names_a_test():
    for risk in RISKS:
        rows = table(PAGE, "what stands against it", after=f"## {risk}\n")
        assert [what for what, tests in rows if not TEST.search(tests)] == [], risk


def test_every_test_that_the_page_names_exists():
    named = TEST.findall(PAGE.read_text())

    assert len(named) > len(RISKS)
    assert [f"{path}::{name}" for path, name in named if name not in names_in(ROOT / path)] == []
