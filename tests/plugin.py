"""What pytest does for this suite beside running it: it watches which programs tests start, says in
a closing line what was skipped for want of what, and leaves out what a run before has passed.

A test that starts a program which it has not required passes where the program is installed and
fails everywhere else. So every start is refused that `tests.servers.programs` does not know of,
and the test that tried fails, even if its code takes the refusal for a missing program.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.depth import ONLY_IN_CI
from tests.servers import programs

STARTS = {"subprocess.Popen": 0, "os.exec": 0, "os.posix_spawn": 0, "os.spawn": 1, "os.system": 0}
"""Python's audit events of a program's start, and which of their arguments is the program."""


class NotRequired(AssertionError):
    """A test was about to start a program without saying that it needs it."""


class Watch:
    """The audit hook of this process, which can never be taken out again."""

    def __init__(self) -> None:
        self.built_below: Path | None = None
        """The folder of the run: whatever is below it was made by a test."""
        self.refused: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse the start of a program that the running test has not required."""
        if event not in STARTS or self.built_below is None:
            return
        program = os.fsdecode(arguments[STARTS[event]])
        path = self._path(event, arguments)
        if event == "os.system" or not programs.may_start(program, path, self.built_below):
            self.refused.append(program)
            raise NotRequired(told(program))

    @staticmethod
    def _path(event: str, arguments: tuple[Any, ...]) -> str | None:
        """Where Python looks for the program: the PATH of the environment that it is given."""
        environment = arguments[-1] if event != "os.system" else None
        if not environment:
            return None
        return {os.fsdecode(k): os.fsdecode(v) for k, v in dict(environment).items()}.get("PATH")


def told(program: str) -> str:
    return (
        f"the test starts {program}, which a machine may lack; take its path from "
        "tests.servers.programs.require, which skips the test there"
    )


watch = Watch()
sys.addaudithook(watch)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--passed-to", type=Path, help="write which tests passed to this file")
    parser.addoption(
        "--not-again",
        type=Path,
        help="leave out the tests that this file says have passed, but for those of random depth",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what has passed before and would do the very same now; begin with what takes long,
    so that no process waits for another one at the end.
    """
    items.sort(
        key=lambda item: not (is_deeper_in_ci(item) or ONLY_IN_CI.mark in item.iter_markers())
    )
    path: Path | None = config.getoption("--not-again")
    passed = set(path.read_text().splitlines()) if path else set()
    again = [item for item in items if item.nodeid not in passed or is_deeper_in_ci(item)]
    if len(again) < len(items):
        kept = set(again)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = again


def is_deeper_in_ci(item: pytest.Item) -> bool:
    """Whether the module of a test looks further with `CI` (tests/depth.py)."""
    module = item.getparent(pytest.Module)
    return module is not None and any(
        getattr(value, "__module__", None) == "tests.depth" for value in vars(module.obj).values()
    )


@pytest.fixture(scope="session", autouse=True)
def watched(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Watch from before the first fixture until after the last one."""
    watch.built_below = tmp_path_factory.getbasetemp().resolve()
    yield
    watch.built_below = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A test may start nothing that only another one has required."""
    programs.required.clear()
    watch.refused.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A refused start fails the test, whatever its code made of the refusal."""
    report = yield
    if watch.refused and not report.failed:
        report.outcome = "failed"
        report.longrepr = "\n".join(told(program) for program in watch.refused)
    watch.refused.clear()
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None]:
    """Print the closing line, after everything that pytest prints itself."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        if path := session.config.getoption("--passed-to"):
            passed = [report.nodeid for report in reporter.stats.get("passed", [])]
            path.write_text("\n".join(passed))
        skipped = [report.longrepr[2] for report in reporter.stats.get("skipped", [])]
        ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        reporter.write_line(closing_line(skipped, ended and not session.shouldstop))


def closing_line(reasons: list[str], complete: bool) -> str:
    """One sentence: how many tests were skipped, and for want of what."""
    if not reasons:
        return "Nothing was skipped." if complete else "Nothing was skipped so far."
    wants = Counter(want for reason in reasons for want in programs.wants_of(reason))
    listed = "; ".join(want for want, _ in wants.most_common())
    number = "1 test was" if len(reasons) == 1 else f"{len(reasons)} tests were"
    rest = "everything else ran" if complete else "the run ended early"
    return f"{number} skipped {programs.WANT}{listed}: {rest}."
