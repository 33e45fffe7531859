"""All settings together: read from the environment once, then frozen."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from todo.settings.authentication import AuthenticationSettings
from todo.settings.configuration_error import ConfigurationError
from todo.settings.database import DatabaseSettings
from todo.settings.instance_folder import instance_secret
from todo.settings.limits import LimitSettings
from todo.settings.secret_strength import weakness
from todo.settings.server import ServerSettings
from todo.settings.variable import variables


@dataclass(frozen=True, kw_only=True)
class Settings(LimitSettings, ServerSettings, DatabaseSettings, AuthenticationSettings):
    """What the application may know of its surroundings.

    Raises :class:`ConfigurationError` for settings that contradict each other.
    """

    def __post_init__(self) -> None:
        """Check each subject."""
        self.check_authentication()
        self.check_database()
        self.check_server()
        self.check_limits()

    @classmethod
    def from_env(
        cls,
        environment: Mapping[str, str] = os.environ,
        made: Callable[[Path], object] = lambda _path: None,
    ) -> Self:
        """Read the environment; a blank variable counts as unset.

        Raises :class:`ConfigurationError`, naming the variable, for a value that is out of range
        and for a missing secret. With the embedded database and neither a secret nor Better Auth's
        URL, a secret is generated once and kept in the instance folder; ``made`` is called with
        the path of its file if this call generated it.
        """
        given: dict[str, Any] = {
            variable.name.lower(): value
            for variable in variables(cls)
            if (value := variable.read(environment)) is not None
        }
        standalone = not {"database_url", "better_auth_url", "auth_jwks_url"} & set(given)
        given.setdefault("local_accounts", standalone)
        if standalone and "better_auth_secret" not in given:
            folder = given.get("instance_path", cls.instance_path)
            given["better_auth_secret"] = _instance_secret(folder, made)
        return cls(**given)


def _instance_secret(folder: Path, made: Callable[[Path], object]) -> str:
    """Return the secret that the embedded database has of its own, made once."""
    try:
        secret = instance_secret(folder, made)
    except OSError as error:
        raise ConfigurationError(f"INSTANCE_PATH: {error}; name a folder to write to") from None
    except UnicodeDecodeError:
        secret = ""
    if weakness(secret):
        raise ConfigurationError(
            f"INSTANCE_PATH: {folder / 'secret'} is damaged; delete it and a new one is "
            "made, which ends every token of the old one"
        )
    return secret
