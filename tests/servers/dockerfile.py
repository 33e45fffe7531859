"""A Dockerfile without a container engine: each step runs on this machine, in a folder.

Absolute paths of the image are paths below the folder `root`: those of ENV, WORKDIR and COPY. So
the commands of RUN name what is absolute by a variable. Each stage begins with an empty root that
has a `python`; the roots of earlier stages are beside it. Owners are noted and not set.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BASE_PATH = "/usr/local/bin:/usr/bin:/bin"
RUN_SECONDS = 300
_IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info")
_OF_PIP = re.compile(r"PIP_(?!NO_CACHE).*|.*_proxy|SSL_CERT_.*", re.IGNORECASE)
"""How this machine reaches packages: a matter of the machine, as the network of an engine is."""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile with their arguments; comments are left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.partition(" ")
        yield name.upper(), rest.strip()


@dataclass
class Image:
    """What the steps so far have made, in `root`."""

    folder: Path
    context: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: Path = Path()
    user: str = "root"
    owners: dict[str, str] = field(default_factory=dict)
    commands: dict[str, list[str]] = field(default_factory=dict)
    """What ENTRYPOINT, CMD and HEALTHCHECK name."""
    steps: list[str] = field(default_factory=list)
    """The commands of RUN, over all stages."""
    _stage: str = ""

    @property
    def root(self) -> Path:
        """The root of the present stage."""
        return self.folder / "root"

    @property
    def start(self) -> list[str]:
        """The command that a container of the image starts with."""
        return [*self.commands["ENTRYPOINT"], *self.commands["CMD"]]

    def step(self, name: str, rest: str) -> None:
        """Do one instruction; raises ValueError for one that this module does not know."""
        if name in ("EXPOSE", "VOLUME"):
            return
        if name not in _STEPS:
            raise ValueError(f"{name} {rest}")
        _STEPS[name](self, rest)

    def placed(self, path: str) -> str:
        """Where a path of the image is on this machine; a PATH has several."""
        parts = path.split(":") if path.startswith("/") else []
        return ":".join(f"{self.root}{part}" for part in parts) or path

    def environment(self, **variables: str) -> dict[str, str]:
        """The variables of a process of the image; the system's programs are the machine's."""
        env = {name: self.placed(text) for name, text in self.env.items()}
        return {**env, "PATH": f"{env['PATH']}:{os.defpath}", **variables}

    def _from(self, rest: str) -> None:
        _, _, stage = rest.partition(" AS ")
        if self.root.exists():
            self.root.rename(self.folder / f"root-of-{self._stage}")
        python = self.root / "usr" / "local" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to(Path(sys.executable).resolve())
        self._stage, self.workdir = stage, self.root
        self.env = {"PATH": BASE_PATH}
        self.user, self.owners, self.commands = "root", {}, {}

    def _env(self, rest: str) -> None:
        self.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))

    def _workdir(self, rest: str) -> None:
        self.workdir = Path(self.placed(rest))
        self.workdir.mkdir(parents=True, exist_ok=True)

    def _user(self, rest: str) -> None:
        self.user = rest

    def _copy(self, rest: str) -> None:
        words = rest.split()
        flags = dict(word[2:].split("=") for word in words if word.startswith("--"))
        *sources, target = [word for word in words if not word.startswith("--")]
        source = self.folder / f"root-of-{flags['from']}" if "from" in flags else self.context
        into = self.workdir / self.placed(target)
        self.owners[target] = flags.get("chown", "root")
        for name in sources:
            found = source / name.lstrip("/")
            if found.is_dir():
                shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True, ignore=_IGNORED)
            else:
                shutil.copy(found, into)

    def _run(self, rest: str) -> None:
        self.steps.append(rest)
        given = {name: text for name, text in os.environ.items() if _OF_PIP.fullmatch(name)}
        home = {"HOME": os.environ.get("HOME", "/")}  # where pip keeps what it has fetched
        env = {**self.environment(**given, **home), "PIP_NO_CACHE_DIR": "0"}
        done = subprocess.run(
            ["sh", "-c", rest],
            cwd=self.workdir,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"RUN {rest}\n{done.stdout[-4000:]}")

    def _entrypoint(self, rest: str) -> None:
        self.commands["ENTRYPOINT"] = json.loads(rest)

    def _cmd(self, rest: str) -> None:
        self.commands["CMD"] = json.loads(rest)

    def _healthcheck(self, rest: str) -> None:
        _, _, command = rest.partition("CMD ")
        self.commands["HEALTHCHECK"] = json.loads(command)


_STEPS = {
    "FROM": Image._from,
    "ENV": Image._env,
    "WORKDIR": Image._workdir,
    "USER": Image._user,
    "COPY": Image._copy,
    "RUN": Image._run,
    "ENTRYPOINT": Image._entrypoint,
    "CMD": Image._cmd,
    "HEALTHCHECK": Image._healthcheck,
}


def build(dockerfile: Path, context: Path, folder: Path) -> Image:
    """Do all steps of `dockerfile` below `folder`, with the files of `context`.

    Raises RuntimeError, with what was printed, for a step that fails.
    """
    image = Image(folder, context)
    for name, rest in instructions(dockerfile.read_text()):
        image.step(name, rest)
    return image


def taken(dockerignore: Path) -> set[str]:
    """What a `.dockerignore` that ignores everything leaves in the context."""
    lines = dockerignore.read_text().splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


def copied(dockerfile: Path) -> Mapping[str, str]:
    """What COPY takes from the context, and where it goes."""
    copies = [rest.split() for name, rest in instructions(dockerfile.read_text()) if name == "COPY"]
    return {
        source: words[-1]
        for words in copies
        if not words[0].startswith("--")
        for source in words[:-1]
    }
