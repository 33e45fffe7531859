"""``todo token``."""

from pathlib import Path

import click

from todo.auth.invalid_token import InvalidTokenError
from todo.auth.tokens import mint
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings


@click.command()
@click.option("--sub", required=True, help="The user id that the token is for.")
@click.option(
    "--hours", default=1.0, show_default=True, type=click.FloatRange(0, 24 * 365, min_open=True)
)
def token(sub: str, hours: float) -> None:
    """Print a token for development and support."""
    settings = Settings.from_env(made=_tell)
    try:
        click.echo(_mint(settings, sub, hours))
    except ValueError:  # NaN is within every range
        raise click.BadParameter("is not a number.", param_hint="--hours") from None
    except InvalidTokenError as error:
        hint = "--sub" if error.code == "claim_missing" else "--hours"
        raise click.BadParameter(error.detail, param_hint=hint) from None


def _tell(secret: Path) -> None:
    """Say on stderr which secret was made: stdout has the token alone."""
    click.echo(
        f"No secret was here: 'todo token' made {secret.resolve()}. Only a server that reads this "
        "file accepts the token; for another server, name its folder with INSTANCE_PATH.",
        err=True,
    )


def _mint(settings: Settings, subject: str, hours: float) -> str:
    if settings.better_auth_secret is None:
        raise ConfigurationError(
            "BETTER_AUTH_SECRET: not set, and 'todo token' signs with it; "
            "get a token from Better Auth, or give both servers a secret"
        )
    return mint(
        settings.better_auth_secret,
        subject,
        hours=hours,
        issuer=settings.auth_jwt_issuer,
        audience=settings.auth_jwt_audience,
    )
