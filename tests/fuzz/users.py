"""The users that fuzzing calls the API as; `schemathesis.toml` knows their names."""

import json
from pathlib import Path

from todo.auth.tokens import mint

VARIABLE = "TODO_FUZZ_USERS"
NAMES = ("alice", "bob")
HOURS = 24


def write_users(path: Path, secret: str) -> Path:
    """Write the users' tokens to `path`, in the form of Web Fuzzing Commons, and return it."""
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
        for name in NAMES
        for token in [mint(secret, name, hours=HOURS)]
    ]
    path.write_text(json.dumps({"auth": users}))
    return path
