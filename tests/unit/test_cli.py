"""How `todo` finds its commands."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

import todo.cli
from todo.cli.main import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_found_by_its_name(name):
    command = main.get_command(click.Context(main), name)

    assert command.name == name


@pytest.mark.parametrize("name", ["", "main", "database", "demo_data"])
def test_any_other_module_is_no_command(name):
    assert main.get_command(click.Context(main), name) is None


def test_every_module_with_a_command_is_listed():
    modules = {path.stem for path in Path(todo.cli.__file__).parent.glob("*.py")}
    helpers = {"__init__", "main", "database", "check"}
    helpers |= {"check_database", "check_limits", "check_metrics", "check_tokens"}

    assert {name.replace("-", "_") for name in COMMANDS} == modules - helpers


def test_a_command_waits_for_no_library_of_another_one():
    program = (
        "import sys; from todo.cli.main import main;"
        "main(['token', '--help'], standalone_mode=False);"
        "print({'sqlalchemy', 'connexion', 'flask'} & set(sys.modules))"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines()[-1] == "set()"
