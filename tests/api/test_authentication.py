"""Who is calling: every way in which a token can be wrong, and what the answer says about it."""

import time
from collections.abc import Callable

import pytest

from tests.api.expect import a_page, problem, refusal
from tests.api.operations import every_operation
from tests.api.raw_asgi import send
from tests.api.tokens import HS256, bearer, claims, sign, unsigned
from tests.conftest import DIALECTS, Service, settings_for
from todo.settings.settings import Settings

ORIGIN = "http://localhost:3000"
LIST = "/api/alice/tasks"
NOT_BEARER = "The Authorization header does not have the scheme Bearer; send 'Bearer <JWT>'."
NOT_A_JWT = "The token is not a JWT; it may be an opaque session token."
BAD_SUBJECT = "The token's 'sub' is not 1 to 255 characters without control characters."


def now() -> int:
    """The time, in the seconds that tokens are written in."""
    return int(time.time())


def ask(client, token):
    """List Alice's tasks with ``token``, as a browser page would."""
    headers = {"Authorization": f"Bearer {token}", "Origin": ORIGIN}
    return client.get(LIST, headers=headers)


def assert_unauthorized(response, code, detail, path=LIST):
    """The whole answer to a token that is refused."""
    assert refusal(response) == problem(code, detail, path)
    challenge = f'Bearer realm="todo", error="invalid_token", error_description="{detail}"'
    assert response.headers["www-authenticate"] == challenge
    assert response.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in response.headers["vary"]
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "WWW-Authenticate" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "The request has no Authorization header."),
        (
            {"Authorization": "Basic YWxpY2U6c2VjcmV0"},
            "The Authorization header has the scheme Basic; send 'Bearer <JWT>'.",
        ),
        (
            {"Authorization": "Token abc"},
            "The Authorization header has the scheme Token; send 'Bearer <JWT>'.",
        ),
        (
            {"Authorization": "SCRAM-SHA-256 a=b, c=d"},
            "The Authorization header has the scheme SCRAM-SHA-256; send 'Bearer <JWT>'.",
        ),
        ({"Authorization": ""}, "The Authorization header is empty; send 'Bearer <JWT>'."),
        ({"Authorization": "  "}, "The Authorization header is empty; send 'Bearer <JWT>'."),
        *(
            ({"Authorization": value}, NOT_BEARER)
            for value in (
                "token",
                "FXzn7mPq0rT2vWxYz4AbCdEfGhIjKlMn",
                f"{'x' * 21} abc",
                'Ba"sic abc',
                "Ba\\sic abc",
                "Bearer: abc",
                b"B\xe9arer abc",
            )
        ),
        (
            {"Authorization": sign(claims(exp=4_102_444_800))},  # the same in every process
            "The Authorization header has a token without the word Bearer before it.",
        ),
        ({"Cookie": "better-auth.session_token=x"}, "The request has no Authorization header."),
    ],
    ids=ascii,
)
def test_a_request_without_a_bearer_token_is_401_without_an_error_code(client, headers, detail):
    response = client.get(LIST, headers={"Origin": ORIGIN, **headers})

    assert refusal(response) == problem("token_missing", detail, LIST)
    assert response.headers["www-authenticate"] == 'Bearer realm="todo"'
    assert response.headers["access-control-allow-origin"] == ORIGIN


def test_a_token_in_the_query_is_no_token(client):
    response = client.get(LIST, params={"access_token": sign(claims())})

    assert refusal(response) == problem(
        "token_missing", "The request has no Authorization header.", LIST
    )


@pytest.mark.parametrize(
    "token",
    [
        "FXzn7mPq0rT2vWxYz4AbCdEfGhIjKlMn",  # what Better Auth's sign-in returns as `token`
        "a.b",
        "a.b.c",
        "...",
        "a.b.c.d",
        "Zm9v.YmFy.YmF6",
        "%00",
        "two words",
        "{}",
    ],
)
def test_what_is_no_jwt_is_token_malformed(client, token):
    assert_unauthorized(ask(client, token), "token_malformed", NOT_A_JWT)


@pytest.mark.parametrize(
    "token",
    [
        sign(["not", "an", "object"]),
        sign("alice"),
        sign(None),
        sign(claims(), header={**HS256, "crit": ["exp"]}),
        sign(claims(), header={**HS256, "kid": 5}),
        sign(claims()) + "=",
        sign(claims()).replace(".", ".\u00e9", 1),
        "." + sign(claims()),
    ],
    ids=["array", "string", "null", "crit", "kid", "padding", "latin", "empty header"],
)
def test_what_only_looks_like_a_jwt_is_token_malformed(client, token):
    raw = [("authorization", f"Bearer {token}"), ("origin", ORIGIN)]

    assert_unauthorized(send(client, "GET", LIST, headers=raw), "token_malformed", NOT_A_JWT)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer   "])
def test_an_empty_token_is_called_empty(client, header):
    response = client.get(LIST, headers={"Authorization": header, "Origin": ORIGIN})

    assert_unauthorized(response, "token_malformed", "The token after the word Bearer is empty.")


def test_a_token_above_8_kib_is_refused_unread(client):
    token = sign(claims(name="x" * 8192))

    assert_unauthorized(
        ask(client, token), "token_malformed", "The token is longer than 8192 characters."
    )


def test_a_token_of_8_kib_is_read(client):
    payload = claims()
    while len(sign(payload)) < 8189:
        payload["name"] = payload.get("name", "") + "x"

    assert ask(client, sign(payload)).status_code == 200


def test_two_authorization_headers_are_refused(client):
    token = sign(claims())
    twice = [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")]
    response = send(client, "GET", LIST, headers=[*twice, ("origin", ORIGIN)])

    assert_unauthorized(response, "token_malformed", "The request has two Authorization headers.")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_compared_without_case(client, scheme):
    response = client.get(LIST, headers={"Authorization": f"{scheme} {sign(claims())}"})

    assert response.status_code == 200


def test_an_expired_token_is_refused(client):
    token = sign(claims(exp=now() - 11))

    assert_unauthorized(ask(client, token), "token_expired", "The token's 'exp' has passed.")


def test_a_token_that_has_just_expired_is_still_within_the_leeway(client):
    assert ask(client, sign(claims(exp=now() - 1))).status_code == 200


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_from_the_future_is_refused(client, claim):
    token = sign(claims(**{claim: now() + 60}))

    assert_unauthorized(
        ask(client, token),
        "token_not_yet_valid",
        "The token's 'nbf' or 'iat' lies in the future.",
    )


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_clock_that_is_a_little_ahead_is_within_the_leeway(client, claim):
    assert ask(client, sign(claims(**{claim: now() + 9}))).status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        unsigned(claims(), header={"alg": "none", "typ": "JWT"}),
        unsigned(claims(), header={"alg": "None"}),
        sign(claims(), header={"alg": "none"}),
        sign(claims(), header={"alg": "HS512", "typ": "JWT"}, digest="sha512"),
        sign(claims(), header={"alg": "HS384", "typ": "JWT"}, digest="sha384"),
        sign(claims(), header={"alg": "RS256", "typ": "JWT"}),
        sign(claims(), header={"alg": "EdDSA", "kid": "abc"}),
        sign(claims(), header={"alg": "hs256"}),
        sign(claims(), header={"alg": ""}),
        sign(claims(), header={"alg": None}),
        sign(claims(), header={"alg": ["HS256"]}),
        sign(claims(), header={"typ": "JWT"}),
    ],
    ids=[
        "none", "None", "none, signed", "HS512", "HS384", "RS256", "EdDSA", "hs256", "empty",
        "null", "array", "absent",
    ],
)  # fmt: skip
def test_another_algorithm_is_refused(client, token):
    assert_unauthorized(ask(client, token), "alg_not_allowed", "Only HS256 is accepted.")


def _tampered() -> str:
    header, _, signature = sign(claims()).split(".")
    _, payload, _ = sign(claims(sub="bob")).split(".")
    return f"{header}.{payload}.{signature}"


@pytest.mark.parametrize(
    "token",
    [
        sign(claims(), secret="another-secret-000000000000000000000000"),
        sign(claims(), secret=""),
        unsigned(claims(), header=HS256),
        sign(claims(), digest="sha512"),
        _tampered(),
        sign(claims(exp=1), secret="another-secret-000000000000000000000000"),
    ],
    ids=["other secret", "empty secret", "unsigned", "SHA-512", "tampered", "expired too"],
)
def test_a_signature_that_does_not_fit_is_refused(client, token):
    assert_unauthorized(
        ask(client, token), "signature_invalid", "The signature does not match the token."
    )


def test_a_jwks_url_in_the_header_changes_nothing(client):
    header = {**HS256, "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u"}

    assert ask(client, sign(claims(), header=header)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"sub": ...}, "The token has no 'sub'."),
        ({"sub": None}, "The token has no 'sub'."),
        ({"sub": ..., "id": "alice", "userId": "alice"}, "The token has no 'sub'."),
        ({"sub": ..., "email": "alice@example.com"}, "The token has no 'sub'."),
        ({"exp": ...}, "The token has no 'exp'."),
        ({"exp": None}, "The token has no 'exp'."),
        ({"sub": 5}, "The token's 'sub' is not a string."),
        ({"sub": ["alice"]}, "The token's 'sub' is not a string."),
        ({"sub": True}, "The token's 'sub' is not a string."),
        ({"sub": ""}, BAD_SUBJECT),
        ({"sub": "x" * 256}, BAD_SUBJECT),
        ({"sub": "ali\0ce"}, BAD_SUBJECT),
        ({"sub": "ali\nce"}, BAD_SUBJECT),
        ({"sub": "ali\x7fce"}, BAD_SUBJECT),
        ({"sub": "\ud800"}, BAD_SUBJECT),
    ],
    ids=ascii,
)
def test_a_token_without_a_usable_sub_and_exp_is_refused(client, changes, detail):
    assert_unauthorized(ask(client, sign(claims(**changes))), "claim_missing", detail)


@pytest.mark.parametrize(
    "exp",
    ["soon", [], {}, float("nan"), float("inf"), float("-inf"), "1e3", "4102444800", True],
    ids=ascii,
)
def test_an_exp_that_is_no_number_is_refused(client, exp):
    response = ask(client, sign(claims(exp=exp)))

    assert refusal(response)["code"] == "token_malformed"


@pytest.mark.parametrize("exp", [253402300799, -(10**400), 0, -1, 1.5], ids=lambda v: str(v)[:8])
def test_an_exp_of_any_size_is_compared(client, exp):
    response = ask(client, sign(claims(exp=exp)))

    assert response.status_code == (200 if exp > now() else 401)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["4102444800", True, [1], float("nan"), None], ids=repr)
def test_a_time_that_is_no_number_is_refused_with_its_name(client, claim, value):
    detail = f"The token's '{claim}' is not a number of seconds."
    code = "token_malformed"
    if (claim, value) == ("exp", None):
        code, detail = "claim_missing", "The token has no 'exp'."

    assert_unauthorized(ask(client, sign(claims(**{claim: value}))), code, detail)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_a_time_in_milliseconds_is_refused_and_says_so(client, claim):
    token = sign(claims(**{claim: (now() + 3600) * 1000}))
    detail = f"The token's '{claim}' is after the year 9999 in seconds; milliseconds, perhaps?"

    assert_unauthorized(ask(client, token), "token_malformed", detail)


@pytest.mark.parametrize(
    ("token", "detail"),
    [
        ("undefined", "The token is the text 'undefined': the front end has no token to send."),
        ("null", "The token is the text 'null': the front end has no token to send."),
        (
            "[object Object]",
            "The token is the text '[object Object]': the front end has no token to send.",
        ),
        (f'"{sign(claims())}"', "The token is in quotes; send the token without quotes."),
        (
            f"Bearer {sign(claims())}",
            "The word Bearer is sent twice: the token itself begins with Bearer.",
        ),
    ],
    ids=["undefined", "null", "object", "quotes", "twice"],
)
def test_a_usual_mistake_of_a_front_end_is_named(client, token, detail):
    assert_unauthorized(ask(client, token), "token_malformed", detail)


@pytest.mark.parametrize(
    "subject",
    [
        "x" * 255,
        "😀" * 255,
        " ",
        "a\u3000b",
        "\u00a0",
        "a\u200c\u200db",
        "\u202e",
        "a b",
        "é",
        "1",
        "Alice",
        "me",
    ],
)
def test_every_sub_without_control_characters_of_up_to_255_characters_is_a_user(client, subject):
    response = client.get("/api/me/tasks", headers=bearer(sign(claims(sub=subject))))

    assert response.json() == a_page([])


def test_sub_is_compared_with_its_case(client):
    response = ask(client, sign(claims(sub="Alice")))

    assert refusal(response) == problem(
        "user_path_mismatch", "The user in the path must be the token's 'sub', or 'me'.", LIST
    )


def test_me_stands_for_the_caller(alice):
    task = alice.create()

    assert (
        alice("GET", "/api/me/tasks").json() == alice("GET", alice.tasks).json() == a_page([task])
    )


@pytest.mark.parametrize("user_id", ["ME", "Me", "%6de2", "m%65e"])
def test_nothing_but_the_word_me_stands_for_the_caller(alice, user_id):
    response = alice("GET", f"/api/{user_id}/tasks")

    assert refusal(response)["code"] == "user_path_mismatch"


def test_the_path_is_compared_decoded(client):
    response = client.get("/api/%61lice/tasks", headers=bearer(sign(claims())))

    assert response.json() == a_page([])


@every_operation
def test_every_answer_to_a_token_is_private_and_varies_with_it(alice, operation):
    alice.create()
    response = alice(operation.method, operation.path(alice.id, 1), json=operation.body)

    assert response.status_code == operation.success
    assert response.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in response.headers["vary"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/{}/tasks/9", 404), ("/api/{}/tasks?limit=0", 422), ("/api/bob/tasks", 403)],
)
def test_refusals_of_a_token_are_private_too(alice, path, status):
    response = alice("GET", path.format(alice.id))

    assert response.status_code == status
    assert response.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in response.headers["vary"]


def test_nothing_of_a_refused_token_is_in_the_answer(client):
    token = sign(claims(sub="alice", email="alice@example.com"), secret="x" * 40)
    response = ask(client, token)

    answer = response.text + str(response.headers)
    assert [part for part in (*token.split("."), "example.com") if part in answer] == []


# Issuer and audience are checked once they are set.


@pytest.fixture(scope="module", params=DIALECTS)
def strict(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    serve: Callable[[Settings], Service],
) -> Service:
    """An application that expects an issuer and an audience."""
    return serve(
        settings_for(
            new_database(request.param),
            auth_jwt_issuer="https://auth.example.com",
            auth_jwt_audience="todo-api",
        )
    )


EXPECTED = {"iss": "https://auth.example.com", "aud": "todo-api"}


@pytest.mark.parametrize("changes", [{}, {"aud": ["other", "todo-api"]}], ids=ascii)
def test_the_expected_issuer_and_audience_are_accepted(strict, changes):
    assert ask(strict.client, sign(claims(**{**EXPECTED, **changes}))).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"iss": ...}, "issuer_mismatch", "The token has no 'iss'."),
        (
            {"iss": "https://evil.example"},
            "issuer_mismatch",
            "The token's 'iss' is 'https://evil.example', not 'https://auth.example.com'.",
        ),
        (
            {"iss": "https://auth.example.com/"},
            "issuer_mismatch",
            "The token's 'iss' is 'https://auth.example.com/', not 'https://auth.example.com'.",
        ),
        (
            {"iss": 5},
            "issuer_mismatch",
            "The token's 'iss' is 5, not 'https://auth.example.com'.",
        ),
        (
            {"iss": ["x"]},
            "issuer_mismatch",
            "The token's 'iss' is ['x'], not 'https://auth.example.com'.",
        ),
        (
            {"iss": ["https://auth.example.com"]},
            "issuer_mismatch",
            "The token's 'iss' is ['https://auth.example.com'], not 'https://auth.example.com'.",
        ),
        (
            {"iss": ["x" * 300]},
            "issuer_mismatch",
            f"The token's 'iss' is ['{'x' * 78}..., not 'https://auth.example.com'.",
        ),
        (
            {"iss": 'a"b\\c\n\u00e9' + "x" * 300},
            "issuer_mismatch",
            f"The token's 'iss' is 'a?b?c??{'x' * 73}...', not 'https://auth.example.com'.",
        ),
        ({"aud": ...}, "audience_mismatch", "The token has no 'aud'."),
        ({"aud": "other"}, "audience_mismatch", "The token's 'aud' is 'other', not 'todo-api'."),
        (
            {"aud": ["other", "one"]},
            "audience_mismatch",
            "The token's 'aud' is ['other', 'one'], not 'todo-api'.",
        ),
        ({"aud": []}, "audience_mismatch", "The token has no 'aud'."),
        ({"aud": {"a": 1}}, "audience_mismatch", "The token's 'aud' is {'a': 1}, not 'todo-api'."),
    ],
    ids=ascii,
)
def test_another_issuer_or_audience_is_refused(strict, changes, code, detail):
    token = sign(claims(**{**EXPECTED, **changes}))

    assert_unauthorized(ask(strict.client, token), code, detail)


def test_without_the_settings_issuer_and_audience_are_not_checked(client):
    token = sign(claims(iss="https://anybody.example", aud=["anything"]))

    assert ask(client, token).status_code == 200


def test_the_leeway_is_a_setting(database_url, serve):
    settings = settings_for(database_url, auth_jwt_leeway_seconds=0)
    response = ask(serve(settings).client, sign(claims(exp=now() - 1)))

    assert_unauthorized(response, "token_expired", "The token's 'exp' has passed.")


def test_tokens_of_another_secret_do_not_work_here(database_url, serve):
    settings = settings_for(database_url, better_auth_secret="üé" * 8)
    own = sign(claims(), secret="üé" * 8)
    client = serve(settings).client

    assert ask(client, own).status_code == 200
    assert_unauthorized(
        ask(client, sign(claims())), "signature_invalid", "The signature does not match the token."
    )
