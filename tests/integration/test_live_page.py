"""The code of `docs/live-updates.md`: that of the files, and the rest in tabs of a real Chromium,
whose IndexedDB, locks and channels no other test has.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SECRET
from tests.integration.pages import BROWSER, origin_of, visit
from tests.integration.server import REPOSITORY, SERVING, Server
from tests.integration.typescript import EXAMPLE, compiled
from tests.servers.programs import require

PAGE = REPOSITORY / "docs" / "live-updates.md"
SOURCES = [EXAMPLE / "src" / name for name in ("live.ts", "indexed.ts")]
START = "void live.start(); // until live.stop()\n"
SCREEN = """
import { IndexedStore } from "./indexed.js";
import { Live } from "./live.js";

const given = new URLSearchParams(location.search);
const shown = new Map();
Object.assign(window, { states: [], loads: [] });
window.tasks = () => [...shown.values()].sort((one, other) => one.id - other.id);
window.titles = () => window.tasks().map(({ title }) => title);
const myToken = async () => given.get("token");
const showOne = ({ id, data }) => (data ? shown.set(id, data) : shown.delete(id));
const showAll = (tasks) => {
  window.loads.push(tasks.length);
  shown.clear();
  for (const task of tasks) shown.set(task.id, task);
};
const showState = (state) => window.states.push(state);
"""


def blocks(language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, PAGE.read_text(), re.DOTALL | re.MULTILINE)


def write_tab(folder: Path, name: str, code: str, names: str) -> None:
    """A page that runs ``code`` of the documentation, and lets the test have its ``names``."""
    base = '"https://api.example.com/api/me"'
    assert base in code
    here = code.replace(base, '`${given.get("api")}/api/me`')
    (folder / f"{name}.js").write_text(f"{SCREEN}{here}\nObject.assign(window, {{ {names} }});\n")
    (folder / f"{name}.html").write_text(f'<script type="module" src="{name}.js"></script>')


def test_the_page_shows_both_files_in_their_order():
    assert "\n".join(blocks("ts")) == "\n".join(source.read_text() for source in SOURCES)


def test_the_code_of_the_page_keeps_tabs_in_step(
    new_database: Callable[[str], str], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    [_, _, chromium] = require("node", "npm", "chromium", folder=BROWSER)
    require("node", folder=EXAMPLE)
    site = tmp_path / "site"
    site.mkdir()
    with origin_of(site) as origin:
        server = Server.start(
            tmp_path,
            command=SERVING,
            DATABASE_URL=new_database("sqlite"),
            BETTER_AUTH_SECRET=SECRET,
            CORS_ORIGINS=origin,
        )
        try:
            for file in (compiled(server, tmp_path_factory) / "dist").glob("*.js"):
                shutil.copy(file, site)
            listening, simple, sharing, undoing = blocks("js")
            assert START in listening
            write_tab(site, "shared", listening.replace(START, sharing), "store, signOut")
            names = "live, store, load, catchUp, undo"
            write_tab(site, "alone", listening + simple + undoing, names)
            api, token = f"http://127.0.0.1:{server.port}", server.caller().token
            query = f"?api={api}&token={token}"
            told = visit(
                chromium,
                tmp_path,
                f"{origin}/shared.html{query}",
                "live.mjs",
                api=api,
                token=token,
                alone=f"{origin}/alone.html{query}",
            )
        finally:
            server.close()

    assert_alike(*told["both"])
    assert told["states"] == [["live"], []]
    assert_alike(*told["left"])
    assert [task["title"] for task in told["left"][0]] == ["For both", "For the other"]
    assert told["opened"] == [2]  # what the last tab left, and no list
    assert_alike(told["simple"], told["list"])
    assert_alike(told["caughtUp"], *told["end"])
    assert [task["title"] for task in told["caughtUp"]] == ["For both", "Changed"]
    assert told["refused"].startswith("It has changed since")
    assert told["cleared"] == [[], None]
    assert told["signedOut"] == {"kept": [[], []], "held": [], "pending": []}


def assert_alike(first: Any, *others: Any) -> None:
    assert first
    assert list(others) == [first] * len(others)
