"""``priority``, ``due_date`` and ``tags``: given, kept, changed, cleared, refused."""

import pytest

from tests.api.expect import a_task, in_body, in_query, invalid, refusal

NONE = "is not one of: low, medium, high, null"
NO_ARRAY = 'is not of types "null", "array"'
DUE = (
    "must be a date of the calendar (2026-12-31), "
    "or an instant with seconds and zone (2026-12-31T17:00:00.000Z)"
)
TAG = "must have a character that is not a space, and no control characters"
UNSEEN = "must have at least one visible character"
TWICE = "has a tag twice, compared without case"
GIVEN = {"priority": "high", "due_date": "2026-12-31", "tags": ["Work", "a/b, c", "日本"]}


def test_a_task_has_a_medium_priority_no_due_date_and_no_tags_unless_they_are_given(alice):
    assert alice.create("Buy milk") == a_task(alice.id, 1, "Buy milk")


def test_what_is_given_comes_back_and_stays(alice):
    created = alice.create("Buy milk", **GIVEN)

    assert created == a_task(alice.id, 1, "Buy milk", **GIVEN)
    assert alice("GET", "1").json() == created
    assert alice("GET", "").json()["tasks"] == [created]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("field", "cleared"),
    [("description", None), ("priority", "medium"), ("due_date", None), ("tags", [])],
)
def test_absent_stays_and_null_clears(alice, method, field, cleared):
    task = alice.create("Buy milk", description="Two litres", completed=True, **GIVEN)

    renamed = alice(method, "1", json={"title": "Buy oat milk"}).json()
    changed = alice(method, "1", json={field: None}).json()
    again = alice(method, "1", json={field: None}).json()

    assert renamed == {
        **task,
        "title": "Buy oat milk",
        "updated_at": renamed["updated_at"],
        "revision": 2,
    }
    assert changed == {
        **renamed,
        field: cleared,
        "updated_at": changed["updated_at"],
        "revision": 3,
    }
    assert again == changed


@pytest.mark.parametrize("field", ["description", "priority", "due_date", "tags"])
def test_null_in_a_new_task_is_as_good_as_absent(alice, field):
    assert alice.create("Buy milk", **{field: None}) == a_task(alice.id, 1, "Buy milk")


@pytest.mark.parametrize("field", ["title", "completed"])
def test_what_cannot_be_null_cannot_be_cleared(alice, field):
    alice.create()
    kind = {"title": "string", "completed": "boolean"}[field]
    response = alice("PUT", "1", json={field: None})

    wrong = in_body(f"/{field}", "type", f'is not of type "{kind}"')
    assert refusal(response) == invalid(f"{alice.tasks}/1", wrong)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-12-31", "2026-12-31"),
        ("2028-02-29", "2028-02-29"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("2026-12-31T17:00:00.000Z", "2026-12-31T17:00:00.000Z"),
        ("2026-12-31T17:00:00Z", "2026-12-31T17:00:00.000Z"),
        ("2026-12-31T17:00:00.1239Z", "2026-12-31T17:00:00.123Z"),
        ("2026-12-31T17:00:00-08:00", "2027-01-01T01:00:00.000Z"),
        ("2027-01-01T00:00:00+05:45", "2026-12-31T18:15:00.000Z"),
    ],
)
def test_a_date_stays_a_date_and_an_instant_the_same_moment(alice, sent, kept):
    assert alice.create(due_date=sent)["due_date"] == kept
    assert alice("GET", "1").json()["due_date"] == kept


def test_the_same_moment_in_another_form_is_no_change(alice):
    task = alice.create(due_date="2026-12-31T17:00:00.000Z", tags=["a"])

    same = {"due_date": "2026-12-31T18:00:00+01:00", "tags": ["a"], "priority": "medium"}
    assert alice("PATCH", "1", json=same).json() == task
    assert alice("PATCH", "1", json={"due_date": "2026-12-31"}).json()["revision"] == 2


def test_tags_keep_their_order_and_case_and_a_change_of_either_is_one(alice):
    alice.create(tags=["b", "A"])

    changed = [alice("PATCH", "1", json={"tags": tags}).json() for tags in (["A", "b"], ["a", "b"])]

    assert [(task["tags"], task["revision"]) for task in changed] == [
        (["A", "b"], 2),
        (["a", "b"], 3),
    ]


@pytest.mark.parametrize(
    "tags",
    [
        [f"tag {number}" for number in range(20)],
        ["x" * 50, "😀" * 50],
        ["a,b", "a/b", "a b", "%", "_", "'", '"', "\\", "日本", "שלום", "#&?=+"],
        [" work", "work", "work "],
        ["wo\u00adrk", "\u200bhome", "👨\u200d👩\u200d👧", "❤\ufe0f"],
    ],
    ids=["twenty", "long", "characters", "spaces", "invisible beside visible"],
)
def test_tags_at_the_edge_of_every_rule_are_kept(alice, tags):
    assert alice.create(tags=tags)["tags"] == tags
    assert alice("GET", "1").json()["tags"] == tags


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("priority", "urgent", in_body("/priority", "not_in_enum",
                                       f"{NONE}; did you mean 'high'?")),
        ("priority", "High", in_body("/priority", "not_in_enum",
                                       f"{NONE}; did you mean 'high'?")),
        ("priority", "Medium", in_body("/priority", "not_in_enum",
                                       f"{NONE}; did you mean 'medium'?")),
        ("priority", "1", in_body("/priority", "not_in_enum", NONE)),
        ("priority", "", in_body("/priority", "not_in_enum", f"{NONE}; did you mean null?")),
        ("due_date", "", in_body("/due_date", "format", f"{DUE}; did you mean null?")),
        ("due_date", "2026-02-30", in_body("/due_date", "format", DUE)),
        ("due_date", "2026-12-31T17:00:00", in_body("/due_date", "format", DUE)),
        ("due_date", "tomorrow to me", in_body("/due_date", "format", DUE)),
        ("due_date", "2026-12-31T17:00:00+05:99", in_body("/due_date", "format", DUE)),
        ("due_date", "31.12.2026", in_body("/due_date", "format", DUE)),
        ("due_date", "0001-01-01T00:00:00+01:00", in_body("/due_date", "format", DUE)),
        ("due_date", 1798736400, in_body("/due_date", "type", 'is not of types "null", "string"')),
        ("tags", "work", in_body("/tags", "type", f"{NO_ARRAY}; did you mean an array?")),
        ("tags", "", in_body("/tags", "type", f"{NO_ARRAY}; did you mean null?")),
        ("tags", [""], in_body("/tags/0", "too_short", "is shorter than 1 character")),
        ("tags", ["x" * 51], in_body("/tags/0", "too_long", "is longer than 50 characters")),
        ("tags", ["a", " "], in_body("/tags/1", "pattern", TAG)),
        ("tags", ["a\n"], in_body("/tags/0", "pattern", TAG)),
        ("tags", ["a\x85b"], in_body("/tags/0", "pattern", TAG)),
        ("tags", ["a", "\u200b"], in_body("/tags/1", "format", UNSEEN)),
        ("tags", ["\u00ad\ufe0f\U000e0067"], in_body("/tags/0", "format", UNSEEN)),
        ("tags", ["\u200d \u2060"], in_body("/tags/0", "format", UNSEEN)),
        ("tags", ["NUL\0"], in_body("/tags/0", "pattern", TAG)),
        ("tags", [1], in_body("/tags/0", "type", 'is not of type "string"')),
        ("tags", [None], in_body("/tags/0", "type", 'is not of type "string"')),
        ("tags", ["work", "WORK"], in_body("/tags", "not_unique", TWICE)),
        ("tags", ["straße", "STRASSE"], in_body("/tags", "not_unique", TWICE)),
        ("tags", ["a", "a"], in_body("/tags", "not_unique", TWICE)),
        ("tags", list(map(str, range(21))), in_body("/tags", "too_many", "has more than 20 items")),
    ],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
def test_what_is_against_the_contract_is_refused_and_changes_nothing(alice, field, value, error):
    task = alice.create()

    create = alice("POST", "", json={"title": "Buy bread", field: value})
    update = alice("PATCH", "1", json={field: value})

    def reported(response, path):
        body = refusal(response)
        assert body["instance"] == path
        return body["errors"]

    assert error in reported(create, alice.tasks)
    assert error in reported(update, f"{alice.tasks}/1")
    assert alice("GET", "").json()["tasks"] == [task]


@pytest.mark.parametrize("field", ["tags", "title"])
@pytest.mark.parametrize(
    "text", [" ", "\u200b", "\u200b \u3000", "\ufeff", "\ufe0f" * 50], ids=ascii
)
def test_text_that_shows_nothing_is_refused_with_one_error_wherever_it_is_sent(alice, field, text):
    task = alice.create()
    value, place = ([text], "tags/0") if field == "tags" else (text, "title")
    create = {"op": "create", "data": {"title": "Buy bread", field: value}}
    update = {"op": "update", "id": 1, "data": {field: value}}

    asked = [
        (f"/{place}", alice("POST", "", json=create["data"])),
        (f"/{place}", alice("PUT", "1", json=update["data"])),
        (f"/{place}", alice("PATCH", "1", json=update["data"])),
        (f"/operations/0/data/{place}", alice("POST", "bulk", json={"operations": [create]})),
        (f"/operations/0/data/{place}", alice("POST", "bulk", json={"operations": [update]})),
    ]

    blank = {"tags": TAG, "title": "must have a character that is not a space, and no NUL"}[field]
    error = ("pattern", blank) if text in (" ", "\ufeff") else ("format", UNSEEN)
    for pointer, answer in asked:
        path = answer.url.path
        assert refusal(answer) == invalid(path, in_body(pointer, *error))
    assert alice("GET", "").json()["tasks"] == [task]


def test_a_title_in_the_query_must_show_something_too(alice):
    alice.create()

    wrong = in_query("title", "format", UNSEEN)
    assert refusal(alice("PATCH", "1?title=%E2%80%8B")) == invalid(f"{alice.tasks}/1", wrong)


def test_a_front_end_type_of_the_seed_round_trips(alice):
    """``{id, title, description?, completed, priority?: 'low'|'medium'|'high', due_date?}``."""
    seed = {"title": "Buy milk", "priority": "low", "due_date": "2026-12-31T00:00:00.000Z"}

    created = alice("POST", "", json=seed).json()
    stored = alice("GET", str(created["id"])).json()
    returned = alice("PUT", "1", json={name: stored[name] for name in seed}).json()

    assert {name: stored[name] for name in seed} == seed
    assert returned == created
