"""Every error that a client can see: its code, its status, its words.

``specs/api/errors.md`` documents the same table for people; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class ProblemType:
    """One row of the table: the HTTP status, the title, and what the client should do."""

    status: int
    title: str
    advice: str


PROBLEM_TYPES: Final[Mapping[str, ProblemType]] = {
    # 400: not understandable
    "malformed_target": ProblemType(
        400,
        "The request target is malformed",
        "Percent-encode the path and the query as UTF-8, and leave out NUL characters.",
    ),
    "malformed_host": ProblemType(
        400,
        "The Host header is missing or malformed",
        "Send one Host header with the host and port of the URL; HTTP clients set it by "
        "themselves.",
    ),
    "malformed_json": ProblemType(
        400,
        "The body is not valid JSON",
        "Send one JSON document in UTF-8 without a byte order mark.",
    ),
    "body_required": ProblemType(
        400, "A body is required", "Send the JSON object that the operation's documentation shows."
    ),
    "body_incomplete": ProblemType(
        400,
        "The body is incomplete",
        "Nothing was written. Send the request again, without an Upgrade header.",
    ),
    "unexpected_body": ProblemType(
        400, "This operation takes no body", "Send the request without a body."
    ),
    "unknown_parameter": ProblemType(
        400,
        "Unknown query parameter",
        "Check the parameter's spelling; this API refuses parameters that it does not know.",
    ),
    "repeated_parameter": ProblemType(
        400, "Query parameter given more than once", "Send the parameter once."
    ),
    # 401: the token, and nothing else
    "token_missing": ProblemType(
        401, "The access token is missing", "Send 'Authorization: Bearer <JWT>' with the request."
    ),
    "token_malformed": ProblemType(
        401,
        "The access token is malformed",
        "Send one JWT without quotes after the word Bearer, not a session token. "
        "'detail' says what is wrong with the token.",
    ),
    "token_expired": ProblemType(
        401, "The access token has expired", "Get a new token and send the request again."
    ),
    "token_not_yet_valid": ProblemType(
        401,
        "The access token is not valid yet",
        "Synchronise the clocks of this server and of the server that issued the token.",
    ),
    "alg_not_allowed": ProblemType(
        401,
        "The token's algorithm is not allowed",
        "Set BETTER_AUTH_URL on this server to accept EdDSA, ES256 and RS256, or "
        "BETTER_AUTH_SECRET to accept HS256.",
    ),
    "kid_unknown": ProblemType(
        401,
        "The token's key is unknown",
        "Get a new token. If that token is refused as well, compare BETTER_AUTH_URL with "
        "the token's 'iss'.",
    ),
    "signature_invalid": ProblemType(
        401,
        "The token's signature is not valid",
        "Check that both servers use the same BETTER_AUTH_SECRET.",
    ),
    "issuer_mismatch": ProblemType(
        401,
        "The token comes from another issuer",
        "Compare the token's 'iss' with BETTER_AUTH_URL, or with AUTH_JWKS_ISSUER or "
        "AUTH_JWT_ISSUER where one is set.",
    ),
    "audience_mismatch": ProblemType(
        401,
        "The token is meant for another audience",
        "Compare the token's 'aud' with BETTER_AUTH_URL, or with AUTH_JWKS_AUDIENCE or "
        "AUTH_JWT_AUDIENCE where one is set.",
    ),
    "claim_missing": ProblemType(
        401,
        "The token lacks a required claim",
        "Issue tokens with 'exp', and with the user's id as 'sub': 1 to 255 characters "
        "without control characters.",
    ),
    "token_revoked": ProblemType(
        401,
        "The access token was revoked",
        "Log in again: the account's password was changed after the token was issued.",
    ),
    "invalid_credentials": ProblemType(
        401,
        "The e-mail or the password is wrong",
        "Check the e-mail and the password; the server never says which of the two is wrong.",
    ),
    # 403
    "user_path_mismatch": ProblemType(
        403,
        "The path belongs to another user",
        "Put the token's 'sub', or the word 'me', into the path.",
    ),
    "quota_exceeded": ProblemType(
        403,
        "The user has reached the limit of tasks or lists",
        "Empty the trash, which counts, too, or ask the operator to raise TASKS_PER_USER or "
        "LISTS_PER_USER.",
    ),
    "wrong_password": ProblemType(
        403, "The current password is wrong", "Send the account's current password as 'password'."
    ),
    "not_a_local_account": ProblemType(
        403,
        "The token does not belong to a local account",
        "Send a token from /api/auth/login, or use the service that issued this token instead.",
    ),
    # 404, 405, 410
    "not_found": ProblemType(
        404, "Resource not found", "Compare the path with those in the documentation at /docs."
    ),
    "task_not_found": ProblemType(
        404,
        "Task not found",
        "Check the id. The task was deleted or restored, belongs to another user, or "
        "never existed.",
    ),
    "list_not_found": ProblemType(
        404, "List not found", "Check the id. It was deleted, is another user's, or never existed."
    ),
    "tag_not_found": ProblemType(
        404, "Tag not found", "Read the user's tags again; none of the user's tasks has this tag."
    ),
    "method_not_allowed": ProblemType(
        405, "The path does not allow this method", "Use one of the methods in the Allow header."
    ),
    "changes_expired": ProblemType(
        410,
        "The sync token has expired",
        "Load the lists again, and go on from the sync_token of their first page.",
    ),
    # 408, 412, 413, 414, 415
    "precondition_failed": ProblemType(
        412,
        "The resource has changed",
        "Nothing was written. 'current' has what is stored now: repeat the change with "
        "the response's ETag, or let the user decide.",
    ),
    "body_timeout": ProblemType(
        408,
        "The body arrived too slowly",
        "Nothing was written. Send the request again when the connection is better.",
    ),
    "body_too_large": ProblemType(
        413,
        "The body is too large",
        "Send at most 65,536 bytes, or 1,048,576 bytes with change_tasks.",
    ),
    "target_too_long": ProblemType(
        414,
        "The request target is too long",
        "Keep the path and the query together within 4,096 bytes.",
    ),
    "headers_too_large": ProblemType(
        431,
        "The headers are too large",
        "Send at most 100 headers with 32,768 bytes in all. The server reads no cookies: "
        "leave them out.",
    ),
    "unsupported_media_type": ProblemType(
        415,
        "The body's media type is not supported",
        "Send 'Content-Type: application/json', in UTF-8.",
    ),
    # 409, 429
    "idempotency_key_in_progress": ProblemType(
        409,
        "The first request with this Idempotency-Key is still running",
        "Repeat the same request after the number of seconds in Retry-After.",
    ),
    "not_undoable": ProblemType(
        409,
        "The change cannot be undone",
        "Do not repeat the request. 'errors' says why the change cannot be taken back.",
    ),
    "email_taken": ProblemType(
        409,
        "An account with this e-mail already exists",
        "Log in, or register with another e-mail.",
    ),
    "rate_limited": ProblemType(
        429,
        "Too many requests in a short time",
        "Nothing was written. Repeat after the number of seconds in Retry-After. Send fewer "
        "requests, or many changes in one request with change_tasks.",
    ),
    "too_many_attempts": ProblemType(
        429,
        "Too many password attempts",
        "Wait for the number of seconds in Retry-After before the next attempt.",
    ),
    "too_many_requests": ProblemType(
        429,
        "Too many requests of this user are waiting",
        "Nothing was written. Repeat after the number of seconds in Retry-After. Send "
        "fewer requests at once, or many changes in one request with change_tasks.",
    ),
    "too_many_streams": ProblemType(
        429,
        "Too many streams of this user are open",
        "Close a stream of the user, or read the changes with list_changes. Repeat after the "
        "number of seconds in Retry-After.",
    ),
    # 422: understood, but against the contract
    "validation_failed": ProblemType(
        422, "The request does not match the contract", "Fix the fields listed in 'errors'."
    ),
    "idempotency_key_reused": ProblemType(
        422,
        "The Idempotency-Key belongs to another request",
        "Make a new key for each change, and repeat a key only with exactly the same request.",
    ),
    "change_too_large": ProblemType(
        422,
        "The change covers too many tasks",
        "Nothing was written. Change fewer tasks at a time: up to 100 with change_tasks.",
    ),
    # 5xx
    "internal_error": ProblemType(
        500,
        "The server met an unexpected error",
        "Report the error with its X-Request-ID; the server's log names the cause under that id.",
    ),
    "database_unavailable": ProblemType(
        503,
        "The database is unavailable",
        "Nothing was written. Repeat after the number of seconds in Retry-After.",
    ),
    "keys_unavailable": ProblemType(
        503,
        "The keys that verify tokens are unavailable",
        "Keep the token, and repeat after the number of seconds in Retry-After.",
    ),
    "outcome_unknown": ProblemType(
        503,
        "The database connection was lost during the commit",
        "The change may have been made. Repeat the request with the same "
        "Idempotency-Key, or read the data again first.",
    ),
    "busy": ProblemType(
        503,
        "The server is busy",
        "Nothing was written. Repeat after the number of seconds in Retry-After.",
    ),
    "schema_outdated": ProblemType(
        503,
        "The database schema is not up to date",
        "The server's operator must run 'todo migrate'.",
    ),
    "storage_full": ProblemType(
        507,
        "The database's disk is full",
        "Nothing was written, and reading still works. The server's operator must make "
        "room on the disk.",
    ),
}

RETRY_AFTER: Final[Mapping[str, int]] = {
    "database_unavailable": 2,
    "keys_unavailable": 5,
    "outcome_unknown": 1,
    "busy": 1,
    "too_many_requests": 1,
    "too_many_streams": 10,
    "idempotency_key_in_progress": 1,
    "schema_outdated": 30,
}
"""Seconds a client should wait, for every problem that passes by itself."""
