"""A test that starts a program says which, is skipped where it is missing, and is counted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.depth import ONLY_IN_CI
from tests.plugin import closing_line
from tests.servers.programs import INSTALL, find, require

pytestmark = ONLY_IN_CI

ROOT = Path(__file__).parents[2]
CONFTEST = 'pytest_plugins = ["tests.plugin"]\n'

STARTS = """
import os, subprocess
from pathlib import Path
import pytest
from tests.servers.programs import require

@pytest.fixture(scope="session")
def program():
    return require("bash")[0]

def test_python():
    import sys
    subprocess.run([sys.executable, "-c", ""], check=True)

def test_made_here(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!" + os.path.realpath("/bin/sh") + "\\n")
    script.chmod(0o755)
    subprocess.run([script], check=True)

def test_required(program):
    subprocess.run([program, "-c", ""], check=True)

def test_required_by_another_test_only(program):
    subprocess.run([program, "-c", ""], check=True)

def test_by_name():
    subprocess.run(["bash", "-c", ""], check=True)

def test_in_a_shell():
    subprocess.run("exit 0", shell=True, check=True)

def test_by_posix_spawn():
    os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", ""], os.environ), 0)

def test_by_system():
    os.system("exit 0")

def test_that_takes_the_refusal_for_a_missing_program():
    try:
        subprocess.run(["bash", "-c", ""], check=True)
    except Exception:
        pytest.skip("no bash")
"""

SKIPPED = """
import pytest
from tests.servers.programs import require

@pytest.fixture(scope="session")
def browser():
    require("node", "chromium")

@pytest.mark.parametrize("number", range(3))
def test_page(browser, number):
    pass

def test_pooler():
    require("pgbouncer")

def test_nothing():
    pass
"""


def run(folder: Path, test: str, *options: str, **variables: str) -> tuple[dict[str, str], str]:
    """Each test's outcome in a run of pytest on `test`, by its name, and the run's last line."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\n")
    kept = {
        name: value for name, value in os.environ.items() if name not in ("CI", "COVERAGE_FILE")
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--tb=line", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.splitlines()
    told = [line.split() for line in lines if line.startswith(("PASSED", "FAILED", "SKIPPED"))]
    return {words[1].partition("::")[2]: words[0] for words in told}, lines[-1]


def test_program_that_the_running_test_has_not_required_is_not_started(tmp_path: Path) -> None:
    outcomes, _ = run(tmp_path, STARTS)

    assert outcomes == {
        "test_python": "PASSED",
        "test_made_here": "PASSED",
        "test_required": "PASSED",
        "test_required_by_another_test_only": "FAILED",
        "test_by_name": "FAILED",
        "test_in_a_shell": "FAILED",
        "test_by_posix_spawn": "FAILED",
        "test_by_system": "FAILED",
        "test_that_takes_the_refusal_for_a_missing_program": "FAILED",
    }


@pytest.mark.parametrize("processes", ["0", "2"])
def test_last_line_of_a_run_says_what_was_skipped_for_want_of_what(
    tmp_path: Path, processes: str
) -> None:
    outcomes, last = run(tmp_path, SKIPPED, "-n", processes, PATH=str(tmp_path))

    assert outcomes.get("test_nothing") == "PASSED"
    assert last == (
        "4 tests were skipped for want of node (apt-get install nodejs); "
        "chromium (apt-get install chromium); pgbouncer (apt-get install pgbouncer): "
        "everything else ran."
    )


def test_missing_program_fails_its_test_in_ci(tmp_path: Path) -> None:
    outcomes, last = run(tmp_path, SKIPPED, PATH=str(tmp_path), CI="true")

    assert outcomes["test_pooler"] == "FAILED"
    assert last == "Nothing was skipped."


def test_closing_line_tells_other_reasons_and_an_early_end() -> None:
    assert closing_line([], complete=False) == "Nothing was skipped so far."
    assert closing_line(["Skipped: not today"], complete=False) == (
        "1 test was skipped for want of not today: the run ended early."
    )


def test_program_is_found_in_path_and_in_the_sbin_beside_it_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("bin", "sbin", "elsewhere"):
        (tmp_path / folder).mkdir()
        program = tmp_path / folder / f"program-in-{folder}"
        program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")

    assert find("program-in-bin") == tmp_path / "bin" / "program-in-bin"
    assert find("program-in-sbin") == tmp_path / "sbin" / "program-in-sbin"
    assert find("program-in-elsewhere") is None
    assert [find(name) for name in INSTALL] == [None] * len(INSTALL)


def test_program_that_nobody_knows_how_to_install_cannot_be_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KeyError, match="jq"):
        require("jq")
