"""The application factory: wiring, readable from top to bottom, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import flask
import orjson
import yaml
from connexion import ConnexionMiddleware
from connexion.exceptions import ConnexionException
from connexion.middleware.security import SecurityMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from todo import tracing
from todo.accounts.password_tries import PasswordTries
from todo.accounts.service import check_revocation
from todo.accounts.tokens_in_use import TokensInUse
from todo.auth.bearer import BearerSecurity, key_set, verifier
from todo.auth.jwks import Jwks
from todo.auth.token_cache import CachingVerifier
from todo.context import Context, install
from todo.database import schema
from todo.database.binding import bind, migrate_embedded
from todo.database.engine import engine_url, in_use, is_postgresql
from todo.database.issuer_keys import IssuerKeys
from todo.entities import ENTITIES
from todo.http.asgi.access_log import AccessLog, hash_key
from todo.http.asgi.client_address import ClientAddress
from todo.http.asgi.cors import Cors
from todo.http.asgi.error_boundary import ErrorBoundary
from todo.http.asgi.flask_adapter import FlaskAdapter
from todo.http.asgi.prefix import Prefix
from todo.http.asgi.rate_limits import RateLimits
from todo.http.asgi.request_id import RequestIdMiddleware
from todo.http.asgi.request_limits import MAX_BODY, RequestLimits
from todo.http.asgi.request_metrics import BusiestUser, RequestMetrics
from todo.http.asgi.threads import Threads
from todo.http.contract import ContractError
from todo.http.contract.document import (
    Document,
    check_security,
    contract_directory,
    load,
    operations,
    paths_without,
    served_at,
    without,
)
from todo.http.contract.resolver import HandlerResolver
from todo.http.contract.routes import AllowedMethods, BodyLimits, OperationRoute
from todo.http.contract.routing import CompiledRouting
from todo.http.contract.validation import ContractValidation
from todo.http.exchange import Watcher
from todo.metrics import catalogue
from todo.metrics.sampler import Reading, Sampler
from todo.models import db
from todo.rate_limits.counters import Counters
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings
from todo.sync.log_size import log_entries
from todo.sync.streams import Streams

NEED_LOCAL_ACCOUNTS: Final = ("accounts", "demo")
"""The tags of the operations that are there while local accounts are on."""


@dataclass(frozen=True)
class Application:
    """The ASGI application, and the Flask application inside of it."""

    asgi: ASGIApp
    flask: flask.Flask
    keys: Jwks | None
    streams: Streams
    sampler: Sampler | None
    access_log: AccessLog | None
    tracers: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event (ASGI); the first one of a process renews the keys."""
        if scope["type"] == "lifespan":
            if self.keys is not None:
                self.keys.start()
            if self.sampler is not None:
                self.sampler.start()
        await self.asgi(scope, receive, send)
        if scope["type"] == "lifespan":
            self._flush()

    def after_fork(self, is_ending: Callable[[], bool]) -> None:
        """Forget connections that were opened before the fork, without closing the parent's.

        ``is_ending`` says whether the process is about to end: then its streams end, too.
        """
        self.streams.is_ending = is_ending
        with self.flask.app_context():
            db.engine.dispose(close=False)

    def close(self) -> None:
        """Close this process's connections; the last one folds SQLite's log into the database."""
        self._flush()
        if self.tracers is not None:
            self.tracers.shutdown()
        with self.flask.app_context():
            db.engine.dispose()

    def _flush(self) -> None:
        if self.access_log is not None:
            self.access_log.flush()


def create_app(
    settings: Settings | None = None, *, contract: Path | None = None, tracers: Any = None
) -> Application:
    """Return the application for ``settings`` (default: the environment's).

    ``contract`` is the folder of the OpenAPI document (default: the one that is shipped),
    ``tracers`` a provider of OpenTelemetry (default: what ``OTEL_*`` configure). Raises
    :class:`ConfigurationError`, one line, for settings and for a contract that cannot be served.
    The embedded database is migrated here; any other one only by ``todo migrate``.
    """
    settings = settings or Settings.from_env()
    try:
        document = load(contract or contract_directory())
        if not settings.local_accounts:
            document = without(document, NEED_LOCAL_ACCOUNTS)
        flask_app = _flask_app(settings)
        threads = _threads(settings, flask_app)
        keys = key_set(settings, lambda url: IssuerKeys(url, threads.run))
        tokens = CachingVerifier(verifier(settings, keys), leeway=settings.auth_jwt_leeway_seconds)
        streams = Streams(ENTITIES, threads.run, TokensInUse(tokens, threads.run).refused)
        counters = Counters.at(settings.rate_limit_storage)
        rates = RateLimits(counters, settings.rate_limits)
        install(flask_app, _context(settings, document, keys, streams, counters))
        adapter = FlaskAdapter(
            flask_app,
            threads,
            check=check_revocation if settings.local_accounts else None,
            wrote=streams.changed,
            admit=rates.count_address,
        )
        bearer = BearerSecurity(tokens, verified=rates.count_user)
        api = _connexion(document, adapter, bearer)
    except ContractError as broken:
        raise ConfigurationError(f"The contract cannot be served: {broken}") from None
    migrate_embedded(settings)
    limited = RequestLimits(api, limit=BodyLimits(api.routes, document, default=MAX_BODY))
    counted = rates.layer(limited, free=paths_without(document, HTTPStatus.TOO_MANY_REQUESTS))
    bounded = ErrorBoundary(counted, allowed_methods=AllowedMethods(api.routes))
    access_log = _access_log(settings)
    watchers: list[Watcher] = [] if access_log is None else [access_log]
    sampler = None
    if settings.metrics_port is not None:
        busiest = BusiestUser()
        watchers.append(RequestMetrics(busiest))
        sampler = _sampler(flask_app, threads, streams, busiest)
    crossing = Cors(bounded, origins=settings.cors_origins)
    known = ClientAddress(crossing, proxies=settings.trusted_proxies)
    edge = RequestIdMiddleware(known, watchers=watchers)
    prefixed = Prefix(edge, settings.prefix)
    tracers = tracers or tracing.provider()
    application = Application(prefixed, flask_app, keys, streams, sampler, access_log, tracers)
    return application if tracers is None else _traced(application, document)


def _traced(application: Application, document: Document) -> Application:
    """Return ``application`` with spans for its requests and its statements."""
    with application.flask.app_context():
        tracing.spans().trace_statements(db.engine, application.tracers)
    routes = {operation["operationId"]: path for path, _, operation in operations(document)}
    traced = tracing.spans().Traced(application.asgi, application.tracers, routes)
    return replace(application, asgi=traced)


class _Connexion(ConnexionMiddleware):  # type: ignore[misc]  # Connexion is untyped
    def build(self) -> None:
        """Build the stack now: Connexion's own first request is too late to find it broken."""
        self.app, self.middleware_stack = self._build_middleware_stack()

    @property
    def routes(self) -> list[OperationRoute]:
        """The router's routes, one for each operation."""
        stack = self.middleware_stack
        [routing] = [layer for layer in stack if isinstance(layer, CompiledRouting)]
        return routing.routes


def _threads(settings: Settings, flask_app: flask.Flask) -> Threads:
    one_writer = not is_postgresql(engine_url(settings.sqlalchemy_url))
    return Threads(flask_app, settings.web_threads, one_writer=one_writer)


def _access_log(settings: Settings) -> AccessLog | None:
    if not settings.logs_requests:
        return None
    return AccessLog(hash_key(settings.better_auth_secret), settings.log_format)


def _sampler(
    flask_app: flask.Flask, threads: Threads, streams: Streams, busiest: BusiestUser
) -> Sampler:
    with flask_app.app_context():
        engine = db.engine  # its pool is another one after a fork
    readings = [
        Reading(catalogue.THREADS, lambda: threads.number),
        Reading(catalogue.THREADS_IN_USE, lambda: threads.turns.taken),
        Reading(catalogue.WAITING, lambda: threads.turns.waiting_for_thread, ("thread",)),
        Reading(catalogue.WAITING, lambda: threads.turns.waiting_for_own, ("user",)),
        Reading(catalogue.POOL, lambda: threads.number),
        Reading(catalogue.POOL_IN_USE, lambda: in_use(engine)),
        Reading(catalogue.STREAMS, lambda: streams.number),
        Reading(catalogue.BUSIEST_USER, busiest.per_second),
    ]
    return Sampler(readings, catalogue.LOG_ENTRIES, lambda: threads.run(None, log_entries))


def _connexion(document: Document, adapter: FlaskAdapter, bearer: BearerSecurity) -> _Connexion:
    connexion = _Connexion(
        adapter,
        import_name=__name__,
        middlewares=[CompiledRouting, SecurityMiddleware, ContractValidation],
        resolver=HandlerResolver(),
        security_map={"bearer": lambda: bearer},
    )
    try:
        connexion.add_api(document)
        check_security(document)
        connexion.build()
    except ConnexionException as error:
        reason = " ".join(str(getattr(error, "message", error)).split())
        raise ContractError(reason[:500]) from error
    return connexion


def _flask_app(settings: Settings) -> flask.Flask:
    folder = str(settings.instance_path.resolve())
    app = flask.Flask("todo", static_folder=None, instance_path=folder)
    bind(app, settings)
    return app


def _context(
    settings: Settings,
    document: Document,
    keys: Jwks | None,
    streams: Streams,
    counters: Counters,
) -> Context:
    served = served_at(settings.server_url, document)  # Connexion would take its path off again
    return Context(
        tasks_per_user=settings.tasks_per_user,
        lists_per_user=settings.lists_per_user,
        trash_days=settings.trash_days,
        idempotency_hours=settings.idempotency_hours,
        changes_per_user=settings.changes_per_user,
        schema_revision=schema.head(),
        keys=keys,
        local_accounts=settings.local_accounts,
        local_secret=settings.better_auth_secret,
        password_tries=PasswordTries(counters),
        streams=streams,
        contract_json=orjson.dumps(served, option=orjson.OPT_INDENT_2),
        contract_yaml=_as_yaml(served),
    )


def _as_yaml(document: Document) -> bytes:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's takes a tenth of the time
    text: str = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text.encode()
