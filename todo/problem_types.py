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
        "Percent-encode the path and the query as UTF-8, without NUL.",
    ),
    "malformed_host": ProblemType(
        400,
        "The Host header is missing or malformed",
        "Send one Host header, with the host and port of the URL; HTTP clients do it themselves.",
    ),
    "malformed_json": ProblemType(
        400, "The body is not JSON", "Send one JSON document in UTF-8 without a byte order mark."
    ),
    "body_required": ProblemType(
        400, "A body is required", "Send the JSON object that the docs show."
    ),
    "body_incomplete": ProblemType(
        400,
        "The body is not whole",
        "Nothing was written. Send the request again, without an Upgrade header.",
    ),
    "unexpected_body": ProblemType(
        400, "This operation takes no body", "Send the request without a body."
    ),
    "unknown_parameter": ProblemType(
        400,
        "Unknown query parameter",
        "Check the spelling; nothing is ever ignored in silence.",
    ),
    "repeated_parameter": ProblemType(
        400, "Query parameter given more than once", "Send the parameter once."
    ),
    # 401: the token, and nothing else
    "token_missing": ProblemType(
        401, "No access token", "Send 'Authorization: Bearer <JWT>' with the request."
    ),
    "token_malformed": ProblemType(
        401,
        "The access token is malformed",
        "Send one JWT, bare, after the word Bearer; not a session token. "
        "The error's text says what is wrong with this one.",
    ),
    "token_expired": ProblemType(
        401, "The access token has expired", "Get a new token and send the request again."
    ),
    "token_not_yet_valid": ProblemType(
        401,
        "The access token is not valid yet",
        "Compare the clocks of the server that issued the token and of this one.",
    ),
    "alg_not_allowed": ProblemType(
        401,
        "The token's algorithm is not allowed",
        "Set BETTER_AUTH_URL to accept EdDSA, ES256 and RS256, BETTER_AUTH_SECRET to accept HS256.",
    ),
    "kid_unknown": ProblemType(
        401,
        "The token's key is not known",
        "Get a new token; if that does not help, compare BETTER_AUTH_URL with the token's 'iss'.",
    ),
    "signature_invalid": ProblemType(
        401,
        "The token's signature is not valid",
        "Check that both servers use the same BETTER_AUTH_SECRET.",
    ),
    "issuer_mismatch": ProblemType(
        401,
        "The token comes from another issuer",
        "Compare the token's 'iss' with BETTER_AUTH_URL, or with the issuer in the settings.",
    ),
    "audience_mismatch": ProblemType(
        401,
        "The token is meant for another audience",
        "Compare the token's 'aud' with BETTER_AUTH_URL, or with the audience in the settings.",
    ),
    "claim_missing": ProblemType(
        401,
        "The token lacks a claim",
        "Issue tokens with 'exp' and with the user's id as 'sub', "
        "1 to 255 characters without control characters.",
    ),
    "token_revoked": ProblemType(
        401,
        "The access token was revoked",
        "The account's password was changed; log in again.",
    ),
    "invalid_credentials": ProblemType(
        401,
        "The e-mail or the password is wrong",
        "Check both; the answer does not tell which it is.",
    ),
    # 403
    "user_path_mismatch": ProblemType(
        403,
        "The path belongs to another user",
        "Use the token's own 'sub' in the path, or the word 'me'.",
    ),
    "quota_exceeded": ProblemType(
        403,
        "The user has too many tasks",
        "Whoever runs the server can raise TASKS_PER_USER. Deleted tasks count, too.",
    ),
    "wrong_password": ProblemType(
        403, "The current password is wrong", "Send the account's current password as 'password'."
    ),
    "not_a_local_account": ProblemType(
        403,
        "The token is not of a local account",
        "Use the service that issued the token; this server's accounts log in at /api/auth/login.",
    ),
    # 404, 405
    "not_found": ProblemType(404, "No such resource", "Check the path against the docs."),
    "task_not_found": ProblemType(
        404,
        "No such task",
        "Check the id: the task was deleted or restored, is somebody else's, or never was.",
    ),
    "tag_not_found": ProblemType(404, "No such tag", "GET the user's tags: no task has this one."),
    "method_not_allowed": ProblemType(
        405, "The method is not allowed here", "Use one of the methods in the Allow header."
    ),
    # 408, 412, 413, 414, 415
    "precondition_failed": ProblemType(
        412,
        "The task has changed",
        "Nothing was written. 'current' is the task; repeat with its ETag, or ask the user.",
    ),
    "body_timeout": ProblemType(
        408,
        "The body took too long",
        "Nothing was written. Send the request again, over a better connection.",
    ),
    "body_too_large": ProblemType(
        413, "The body is too large", "Send at most 65,536 bytes; 1,048,576 in bulk."
    ),
    "target_too_long": ProblemType(
        414, "The request target is too long", "Keep path and query within 4,096 bytes."
    ),
    "headers_too_large": ProblemType(
        431,
        "The headers are too large",
        "Send at most 100 headers and 32,768 bytes; this server needs no cookie.",
    ),
    "unsupported_media_type": ProblemType(
        415,
        "The body's media type is not supported",
        "Send 'Content-Type: application/json', in UTF-8.",
    ),
    # 409, 429
    "idempotency_key_in_progress": ProblemType(
        409,
        "The first request with this key is still running",
        "Send the same request again after the seconds in Retry-After.",
    ),
    "email_taken": ProblemType(
        409, "The e-mail has an account already", "Log in, or use another e-mail."
    ),
    "too_many_attempts": ProblemType(
        429, "Too many attempts", "Repeat after the seconds in Retry-After, not before."
    ),
    "too_many_requests": ProblemType(
        429,
        "Too many requests of one user at once",
        "Nothing was written. Send fewer at once, or many changes as one with change_tasks; "
        "repeat after the seconds in Retry-After.",
    ),
    # 422: understood, but against the contract
    "validation_failed": ProblemType(
        422, "The request is against the contract", "Mend what 'errors' lists."
    ),
    "idempotency_key_reused": ProblemType(
        422,
        "The Idempotency-Key is that of another request",
        "Make a new key for each change; send an old one only with the very same request.",
    ),
    "change_too_large": ProblemType(
        422,
        "The change is of too many tasks",
        "Nothing was written. Change fewer tasks at a time: up to 100 with change_tasks.",
    ),
    # 5xx
    "internal_error": ProblemType(
        500,
        "Unexpected error",
        "Report it with the X-Request-ID; the server's log has the cause under that id.",
    ),
    "database_unavailable": ProblemType(
        503,
        "The database cannot be reached",
        "Nothing was written. Repeat after the seconds in Retry-After.",
    ),
    "keys_unavailable": ProblemType(
        503,
        "The keys to verify tokens cannot be had",
        "Keep the token; repeat after the seconds in Retry-After.",
    ),
    "outcome_unknown": ProblemType(
        503,
        "The connection died while committing",
        "The change may have been made. Repeat it with its Idempotency-Key, or read again first.",
    ),
    "busy": ProblemType(
        503, "The server is busy", "Nothing was written. Repeat after the seconds in Retry-After."
    ),
    "schema_outdated": ProblemType(
        503, "The database schema is not up to date", "Whoever runs the server: 'todo migrate'."
    ),
    "storage_full": ProblemType(
        507, "The database's disk is full", "Nothing was written; reading still works. Make room."
    ),
}

RETRY_AFTER: Final[Mapping[str, int]] = {
    "database_unavailable": 2,
    "keys_unavailable": 5,
    "outcome_unknown": 1,
    "busy": 1,
    "too_many_requests": 1,
    "idempotency_key_in_progress": 1,
    "schema_outdated": 30,
}
"""Seconds a client should wait, for every problem that passes by itself."""
