"""`ServerProcess` shows what its command does and leaves nothing of it behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.process import ServerProcess, StartFailed, free_port
from tests.servers.reaper import process_table, wait_until

ROOT = Path(__file__).parents[2]

# A master with two workers; one of them leaves the session. SIGTERM: the exit code is 7.
SERVER = """
import http.server, os, signal, subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(60)", "todo-sleeper"]
workers = [subprocess.Popen(sleeper), subprocess.Popen(sleeper, start_new_session=True)]

def leave(*_):
    for worker in workers:
        worker.kill()
        worker.wait()
    sys.exit(7)

class Handler(http.server.BaseHTTPRequestHandler):
    seen = 0
    def do_GET(self):
        Handler.seen += 1
        self.send_response(503 if Handler.seen < 3 else 404)
        self.end_headers()

signal.signal(signal.SIGTERM, leave if sys.argv[2] == "polite" else signal.SIG_IGN)
print("hello", os.environ.get("COLOUR"), flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

START_AND_DIE = """
import os, signal, sys
from tests.servers.process import ServerProcess, free_port
port = free_port()
server = ServerProcess.start(
    [sys.executable, "-c", sys.argv[1], str(port), "stubborn"], url=f"http://127.0.0.1:{port}/"
)
print(*server.pids(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def started(manners: str = "polite") -> ServerProcess:
    port = free_port()
    return ServerProcess.start(
        [sys.executable, "-c", SERVER, str(port), manners],
        url=f"http://127.0.0.1:{port}/ready?x=1",
        env={"COLOUR": "green"},
    )


def running(pids: list[int]) -> list[int]:
    return [entry.pid for entry in process_table() if entry.pid in pids]


def test_start_returns_when_the_server_is_ready_and_stop_gives_its_exit_code() -> None:
    with started() as server:
        assert "hello green" in server.log()
        assert server.log().count("503") == 2
        assert server.returncode() is None
        assert server.pids()[0] == server.pid
        assert len(server.pids()) == 3
        assert server.stop() == 7
        assert server.pids() == []
    assert "hello green" in server.log()
    assert not server.log_path.exists()


def test_kill_ends_all_descendants() -> None:
    with started() as server:
        pids = server.pids()
        server.kill()
        assert running(pids) == []
        assert server.returncode() == -signal.SIGKILL


def test_server_that_does_not_stop_is_killed_and_reported() -> None:
    with started("stubborn") as server:
        pids = server.pids()
        with pytest.raises(TimeoutError, match=r"did not end in 0\.2 s"):
            server.stop(timeout=0.2)
        assert running(pids) == []


def test_workers_that_outlive_their_master_are_seen_and_then_killed() -> None:
    with started() as server:
        pids = server.pids()
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        assert server.pids() != []
    assert [pid for pid in running(pids) if os.getsid(pid) == server.pid] == []
    for pid in running(pids):  # The one that had left the session, orphaned, is out of reach.
        os.kill(pid, signal.SIGKILL)


def test_command_that_ends_at_once_shows_its_log() -> None:
    command = [sys.executable, "-c", "print('no such option'); raise SystemExit(3)"]
    with pytest.raises(StartFailed, match=r"(?s)exit code 3 .*no such option"):
        ServerProcess.start(command, url=f"http://127.0.0.1:{free_port()}/")


def test_command_that_never_answers_shows_its_log_and_is_gone() -> None:
    name = f"todo-mute-{os.getpid()}"  # not that of another run on this machine
    command = [sys.executable, "-uc", "print('waiting'); import time; time.sleep(60)", name]
    with pytest.raises(StartFailed, match=r"(?s)not ready at .* after 0.5 s .*waiting"):
        ServerProcess.start(command, url=f"http://127.0.0.1:{free_port()}/", timeout=0.5)
    assert not [entry for entry in process_table() if name.encode() in entry.command]


def test_command_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        ServerProcess.start(["todo-no-such-command"], url="http://127.0.0.1:1/")


def test_nothing_is_left_when_the_test_run_itself_is_killed() -> None:
    run = subprocess.run(
        [sys.executable, "-c", START_AND_DIE, SERVER],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in run.stdout.split()]
    assert len(pids) == 3
    assert wait_until(lambda: not running(pids), 15)


def test_free_port_can_be_bound_and_is_not_an_ephemeral_one() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    port = free_port()
    assert port < max(first, 16000)
    with socket.create_server(("127.0.0.1", port)):
        pass
