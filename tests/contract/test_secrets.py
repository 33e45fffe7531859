"""No secret has a default, and nothing turns authentication off."""

import dataclasses
import re

import pytest

from tests.contract.entities import named_by
from tests.contract.reading import OPERATIONS, ROOT, Operation
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings

SECRET = re.compile(r"secret|password|private", re.IGNORECASE)
SWITCH = re.compile(r"disable|skip|insecure|no_?auth|auth_?off|debug|testing|bypass", re.IGNORECASE)
EXAMPLE = ROOT / ".env.example"
VALID = {
    "DATABASE_URL": "postgresql://localhost/todo",
    "BETTER_AUTH_SECRET": "s3cret-of-the-contract-tests-000000",
}
# None of these is the end of a path in the contract.
SUFFIXES = ("%0A", "%0D", "%0D%0A", "%00", "%20", "%2F", "/", "//", ";x", "%3F", ".json", "%ff")


def test_no_secret_has_a_default():
    secrets = [f for f in dataclasses.fields(Settings) if SECRET.search(f.name)]
    assert [f.name for f in secrets] == ["better_auth_secret", "better_auth_secret_previous"]
    for secret in secrets:
        assert secret.default in (dataclasses.MISSING, None)
        assert secret.default_factory is dataclasses.MISSING


def test_no_secret_is_shown_by_repr():
    assert VALID["BETTER_AUTH_SECRET"] not in repr(Settings.from_env(VALID))


def test_missing_secret_is_refused_by_name():
    with pytest.raises(ConfigurationError, match=r"^BETTER_AUTH_SECRET: not set") as refusal:
        Settings.from_env({**VALID, "BETTER_AUTH_SECRET": ""})
    assert "\n" not in str(refusal.value)


def test_example_of_the_environment_holds_no_secret():
    assignments = re.findall(r"^#?\s*([A-Z][A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    secrets = {name: value for name, value in assignments if SECRET.search(name)}
    assert secrets == {"BETTER_AUTH_SECRET": "", "BETTER_AUTH_SECRET_PREVIOUS": ""}


def test_no_setting_turns_authentication_off():
    fields = dataclasses.fields(Settings)
    switches = [f.name for f in fields if SWITCH.search(f.name) or f.type in (bool, "bool")]
    assert switches == ["local_accounts"]  # which adds a way to sign in, and takes none away


@pytest.mark.parametrize("operation", [op for op in OPERATIONS if op.secured], ids=str)
def test_secured_operation_needs_a_token_whatever_follows_its_path(operation: Operation, client):
    path = re.sub(r"{\w+_id}", "1", operation.path.replace("{user_id}", "me"))

    assert client.request(operation.method, path).status_code == 401
    for suffix in SUFFIXES:
        response = client.request(operation.method, path + suffix, follow_redirects=False)
        assert response.status_code in (400, 401, 404, 405), suffix


@pytest.mark.parametrize("operation", [op for op in OPERATIONS if op.secured], ids=str)
@pytest.mark.parametrize("line_end", ["%0A", "%0D%0A"])
def test_path_that_ends_in_a_newline_is_no_path_of_the_contract(
    operation: Operation, line_end: str, alice
):
    path = operation.path.format_map(named_by(operation, alice))

    response = alice(operation.method, path + line_end)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
