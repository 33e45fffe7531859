"""The instance folder and its private files: `todo.settings.instance_folder`."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from todo.settings.instance_folder import instance_secret, make_private, private_file


def mode(path):
    """The permission bits of ``path``."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_found_again(tmp_path):
    folder = tmp_path / "deep" / "instance"
    secret = instance_secret(folder)

    assert len(secret.encode()) >= 32
    assert instance_secret(folder) == secret
    assert (folder / "secret").read_text() == secret


def test_who_makes_the_secret_is_told_where_and_nobody_else_is(tmp_path):
    told = []
    for _ in range(2):
        instance_secret(tmp_path / "instance", told.append)

    assert told == [tmp_path / "instance" / "secret"]


def test_nobody_else_may_read_it(tmp_path):
    folder = tmp_path / "instance"
    instance_secret(folder)

    assert mode(folder / "secret") == 0o600
    assert mode(folder) == 0o700


def test_no_draft_is_left_behind(tmp_path):
    instance_secret(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_secret_that_somebody_wrote_is_kept(tmp_path):
    (tmp_path / "secret").write_text("written by hand\n")

    assert instance_secret(tmp_path) == "written by hand"


def test_two_folders_have_two_secrets(tmp_path):
    assert instance_secret(tmp_path / "a") != instance_secret(tmp_path / "b")


def test_threads_that_start_at_once_agree_on_one_secret(tmp_path):
    for attempt in range(20):
        barrier = Barrier(8)

        def make(folder=tmp_path / str(attempt), barrier=barrier):
            barrier.wait()
            return instance_secret(folder)

        with ThreadPoolExecutor(8) as threads:
            futures = [threads.submit(make) for _ in range(8)]
        assert len({future.result() for future in futures}) == 1


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path):
    # Each says when it is ready and waits for a line, so that all of them make it at once.
    program = (
        "import pathlib, sys; from todo.settings.instance_folder import instance_secret;"
        "print('ready', flush=True);"
        "sys.stdin.readline(); print(instance_secret(pathlib.Path(sys.argv[1])))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "instance")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    secrets = {process.communicate()[0] for process in processes}

    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert len(secrets) == 1
    assert secrets.pop().strip() == (tmp_path / "instance" / "secret").read_text()


def test_a_database_and_its_log_that_others_could_read_are_made_private(tmp_path):
    names = ("todo.db", "todo.db-wal", "todo.db-shm")
    for name in (*names, "other.db"):
        (tmp_path / name).touch(mode=0o644)

    make_private(tmp_path / "todo.db")

    assert [mode(tmp_path / name) for name in names] == [0o600] * 3
    assert mode(tmp_path / "other.db") == 0o644


def test_there_need_be_no_database_to_make_private(tmp_path):
    make_private(tmp_path / "todo.db")

    assert list(tmp_path.iterdir()) == []


def test_a_private_file_appears_once_and_leaves_what_is_there(tmp_path):
    private_file(tmp_path / "new.db")
    (tmp_path / "old.db").write_text("kept")
    (tmp_path / "old.db").chmod(0o640)
    private_file(tmp_path / "old.db")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.db", "old.db"]
    assert mode(tmp_path / "new.db") == 0o600
    assert ((tmp_path / "old.db").read_text(), mode(tmp_path / "old.db")) == ("kept", 0o640)
