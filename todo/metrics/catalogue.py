"""Every metric of this server: its name, its meaning and its labels.

A label has few values, which the server chooses: none has a user, a path or anything else that a
client sends. ``docs/observing.md`` says which fault each of them shows.
"""

from typing import Final

from todo.metrics.instruments import Counter, Gauge, Histogram, Instrument

_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)

BUILD: Final = Gauge(
    "todo_build_info", "The release; the number is 1.", "version", "python", together="max"
)

REQUESTS: Final = Counter(
    "todo_requests",
    "Requests, by operationId, status, and problem code (empty: no problem).",
    "operation",
    "status",
    "code",
)
DURATION: Final = Histogram(
    "todo_request_duration_seconds",
    "How long a request took, from its headers to the end of its response; no streams.",
    "operation",
    bounds=_BOUNDS,
)
THREAD_WAIT: Final = Histogram(
    "todo_thread_wait_seconds",
    "How long a request waited for a thread, after the other requests of its user.",
    bounds=_BOUNDS,
)
DATABASE: Final = Histogram(
    "todo_database_seconds", "How long a request's thread spent on the database.", bounds=_BOUNDS
)
BUSIEST_USER: Final = Gauge(
    "todo_busiest_user_requests_per_second",
    "Requests of the user who sent most, over ten seconds, added up over all workers.",
)

THREADS: Final = Gauge("todo_threads", "Threads that requests may take.")
THREADS_IN_USE: Final = Gauge("todo_threads_in_use", "Threads that requests have taken.")
WAITING: Final = Gauge(
    "todo_requests_waiting",
    "Requests that wait, by what for: a thread, or the other requests of the same user.",
    "for",
)
POOL: Final = Gauge("todo_pool_connections_max", "Database connections that requests may take.")
POOL_IN_USE: Final = Gauge(
    "todo_pool_connections_in_use", "Database connections that requests have taken."
)
STREAMS: Final = Gauge("todo_streams", "Streams of live updates.")

KEYS_CONFIRMED: Final = Gauge(
    "todo_keys_confirmed_timestamp_seconds",
    "When the issuer last confirmed its public keys, in seconds since 1970; 0: never.",
    together="livemax",
)
KEYS_FAILURES: Final = Counter(
    "todo_keys_fetch_failures", "Fetches of public keys that gave no usable keys."
)
TOKEN_CACHE: Final = Counter(
    "todo_token_cache", "Tokens looked up in the cache of verified tokens, by result.", "result"
)

RETRIES: Final = Counter(
    "todo_unit_retries", "Units of work that were run again, by the reason.", "reason"
)
REPLAYS: Final = Counter(
    "todo_idempotent_replays", "Requests that got the response to an earlier one with their key."
)
LOG_ENTRIES: Final = Gauge(
    "todo_log_entries", "Entries of the log of changes, of all users.", together="livemax"
)
LOG_LINES_LOST: Final = Counter(
    "todo_access_log_lines_lost", "Lines of the access log that could not be written."
)
RATE_LIMIT_FAILURES: Final = Counter(
    "todo_rate_limit_storage_failures",
    "Requests that passed because the storage of the rate limits failed.",
)

ALL: Final = [metric for metric in globals().values() if isinstance(metric, Instrument)]
"""All of them, in their order."""
