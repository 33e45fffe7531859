"""``GET /api/{user_id}/tasks``."""

import pytest

from tests.api.expect import a_page, in_query, invalid, problem, refusal

LEFT_OUT = "; did you mean to leave the parameter out?"
NOT_BOOLEAN = 'is not of type "boolean"'
SORTS = "created, created_at, updated, updated_at, title, due_date, priority, position"
NO_STATUS = "is not one of: all, pending, completed"
KNOWN = (
    "completed, completed_after, completed_before, cursor, due_after, due_before, limit, list, "
    "order, parent, priority, search, skip, sort, status, tag, total, tz, updated_since, view"
)


@pytest.fixture
def three(alice):
    """Alice's three tasks, newest first; the second of them is completed."""
    tasks = [alice.create(title="First"), alice.create(title="Second", completed=True)]
    return [alice.create(title="Third"), *reversed(tasks)]


def test_list_of_a_user_who_never_wrote_is_empty(alice):
    response = alice("GET", "")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == a_page([])


def test_list_shows_whole_tasks_newest_first(alice, three):
    assert alice("GET", "").json() == a_page(three)


def test_list_shows_nobody_elses_tasks(alice, bob, three):
    theirs = bob.create(title="Bob's")

    assert bob("GET", "").json() == a_page([theirs])
    assert alice("GET", "").json() == a_page(three)


@pytest.mark.parametrize(
    ("query", "window", "skip", "limit"),
    [
        ("?skip=0&limit=100", slice(0, 3), 0, 100),
        ("?limit=2", slice(0, 2), 0, 2),
        ("?skip=1", slice(1, 3), 1, 100),
        ("?skip=1&limit=1", slice(1, 2), 1, 1),
        ("?skip=2&limit=2", slice(2, 3), 2, 2),
        ("?skip=3", slice(3, 3), 3, 100),
        ("?skip=2147483647&limit=1000", slice(3, 3), 2147483647, 1000),
        ("?limit=1000", slice(0, 3), 0, 1000),
    ],
)
def test_total_counts_the_whole_list_whatever_the_page(alice, three, query, window, skip, limit):
    page = alice("GET", query).json()

    assert page == a_page(
        three[window],
        total=3,
        skip=skip,
        limit=limit,
        next_cursor=page["next_cursor"],
        revision=3,
    )
    assert (page["next_cursor"] is None) == (window.stop == 3)


def test_pages_are_neither_cut_nor_repeated(alice):
    created = [alice.create(title=f"Task {number}")["id"] for number in range(7)]

    pages = [alice("GET", f"?skip={skip}&limit=3").json()["tasks"] for skip in (0, 3, 6)]

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [task["id"] for page in pages for task in page] == created[::-1]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("?status=all", ["Third", "Second", "First"]),
        ("?status=pending", ["Third", "First"]),
        ("?status=completed", ["Second"]),
        ("?completed=false", ["Third", "First"]),
        ("?completed=true", ["Second"]),
        ("?status=all&completed=false", ["Third", "First"]),
        ("?status=all&completed=true", ["Second"]),
        ("?status=pending&completed=false", ["Third", "First"]),
        ("?status=completed&completed=true", ["Second"]),
    ],
)
def test_status_and_completed_say_the_same_in_two_dialects(alice, three, query, titles):
    expected = [task for task in three if task["title"] in titles]

    assert alice("GET", query).json() == a_page(expected, revision=3)


@pytest.mark.parametrize(
    ("query", "status"),
    [("?status=pending&completed=true", "pending"), ("?completed=false&status=completed", None)],
)
def test_status_and_completed_that_contradict_each_other_are_refused(alice, query, status):
    detail = f"contradicts status={status or 'completed'}"
    expected = invalid(alice.tasks, in_query("completed", "contradiction", detail))

    assert refusal(alice("GET", query)) == expected


def test_total_follows_the_filter_and_the_page_does_too(alice, three):
    page = alice("GET", "?completed=false&limit=1&skip=1").json()

    assert page == a_page([three[2]], total=2, limit=1, skip=1, revision=3)


@pytest.mark.parametrize(
    ("query", "parameter", "code", "detail"),
    [
        ("limit=1001", "limit", "too_large", "is greater than the maximum of 1000"),
        ("limit=0", "limit", "too_small", "is less than the minimum of 1"),
        ("limit=-1", "limit", "too_small", "is less than the minimum of 1"),
        ("limit=1_0", "limit", "type", 'is not of type "integer"'),
        ("limit=%201", "limit", "type", 'is not of type "integer"'),
        ("limit=1%20", "limit", "type", 'is not of type "integer"'),
        ("limit=+1", "limit", "type", 'is not of type "integer"'),
        ("limit=%2B1", "limit", "type", 'is not of type "integer"'),
        ("limit=", "limit", "type", f'is not of type "integer"{LEFT_OUT}'),
        ("limit", "limit", "type", f'is not of type "integer"{LEFT_OUT}'),
        ("limit=1.0", "limit", "type", 'is not of type "integer"'),
        ("limit=1e2", "limit", "type", 'is not of type "integer"'),
        ("limit=0x10", "limit", "type", 'is not of type "integer"'),
        ("limit=007", "limit", "type", 'is not of type "integer"'),
        ("limit=%D9%A1", "limit", "type", 'is not of type "integer"'),
        ("limit=1%00", "limit", "type", 'is not of type "integer"'),
        ("limit=1;skip=1", "limit", "type", 'is not of type "integer"'),
        ("limit=" + "9" * 3900, "limit", "type", 'is not of type "integer"'),
        ("skip=-1", "skip", "too_small", "is less than the minimum of 0"),
        ("skip=-0", "skip", "type", 'is not of type "integer"'),
        ("skip=2147483648", "skip", "too_large", "is greater than the maximum of 2147483647"),
        ("skip=null", "skip", "type", 'is not of type "integer"'),
        ("completed=TRUE", "completed", "type", f"{NOT_BOOLEAN}; did you mean 'true'?"),
        ("completed=False", "completed", "type", f"{NOT_BOOLEAN}; did you mean 'false'?"),
        ("completed=1", "completed", "type", f"{NOT_BOOLEAN}; did you mean 'true'?"),
        ("completed=all", "completed", "type", f"{NOT_BOOLEAN}; did you mean 'status=all'?"),
        ("completed=", "completed", "type", f"{NOT_BOOLEAN}{LEFT_OUT}"),
        ("completed=null", "completed", "type", 'is not of type "boolean"'),
        ("status=done", "status", "not_in_enum", f"{NO_STATUS}; did you mean 'completed'?"),
        ("status=", "status", "not_in_enum", f"{NO_STATUS}{LEFT_OUT}"),
        (
            "sort=place",
            "sort",
            "not_in_enum",
            f"is not one of: {SORTS}",
        ),
        ("order=DESC", "order", "not_in_enum", "is not one of: asc, desc; did you mean 'desc'?"),
    ],
    ids=lambda value: value[:24],
)
def test_list_refuses_a_parameter_that_is_against_the_contract(
    alice, query, parameter, code, detail
):
    response = alice("GET", f"?{query}")

    assert refusal(response) == invalid(alice.tasks, in_query(parameter, code, detail))


def test_list_names_every_parameter_that_is_wrong(alice):
    response = alice("GET", "?limit=0&skip=x&completed=maybe")

    assert refusal(response) == invalid(
        alice.tasks,
        in_query("limit", "too_small", "is less than the minimum of 1"),
        in_query("skip", "type", 'is not of type "integer"'),
        in_query("completed", "type", 'is not of type "boolean"'),
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("q", "search"),
        ("page", "skip"),
        ("offset", "skip"),
        ("per_page", "limit"),
        ("pageSize", "limit"),
        ("Limit", "limit"),
        ("limit ", "limit"),
        ("tags", "tag"),
        ("category", "tag"),
        ("is_completed", "completed"),
        ("isCompleted", "completed"),
        ("sort_by", "sort"),
        ("sort_order", "order"),
        ("dueBefore", "due_before"),
        ("due", "due_before"),
        ("timezone", "tz"),
        ("serach", "search"),
    ],
)
def test_list_tells_an_unknown_parameter_which_one_was_meant(alice, name, meant):
    response = alice("GET", "", params={name: "1"})

    detail = (
        f"'{name}' is not a parameter of this operation; did you mean '{meant}'? "
        "The operation has: "
    )
    expected = problem("unknown_parameter", f"{detail}{KNOWN}.", alice.tasks)
    assert refusal(response) == expected


@pytest.mark.parametrize("name", ["user_id", "starred", "x" * 41])
def test_list_refuses_an_unknown_parameter_by_its_name(alice, name):
    response = alice("GET", "", params={name: "1"})

    detail = f"'{name}' is not a parameter of this operation, which has: {KNOWN}."
    assert refusal(response) == problem("unknown_parameter", detail, alice.tasks)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=1&limit=2", "limit"),
        ("limit=1&limit=1", "limit"),
        ("skip=0&limit=1&skip=0", "skip"),
        ("completed=true&completed=false", "completed"),
        ("l%69mit=1&limit=1", "limit"),
    ],
)
def test_list_refuses_a_parameter_that_is_given_twice(alice, query, name):
    response = alice("GET", f"?{query}")

    assert refusal(response) == problem(
        "repeated_parameter", f"'{name}' is given more than once.", alice.tasks
    )


@pytest.mark.parametrize("query", ["?", "?&", "?&&&"])
def test_a_query_without_parameters_is_none(alice, query):
    assert alice("GET", query).json() == a_page([])


def test_deleted_tasks_are_in_no_list_and_no_total(alice, three):
    alice("DELETE", "1")
    alice("DELETE", "2")
    third = three[0]

    for sort in ("created", "updated", "title"):
        assert alice("GET", f"?sort={sort}").json() == a_page([third], revision=5)
        assert alice("GET", f"?sort={sort}&status=pending").json() == a_page([third], revision=5)
        assert alice("GET", f"?sort={sort}&status=completed").json() == a_page([], revision=5)


def test_a_list_whose_tasks_are_all_deleted_is_empty_but_keeps_its_revision(alice):
    alice.create()
    alice("DELETE", "1")

    assert alice("GET", "").json() == a_page([], revision=2)


def test_totals_follow_tasks_that_are_completed_and_taken_back(alice, three):
    totals = []
    for path, method in (("1/complete", "PATCH"), ("3/complete", "PATCH"), ("2/complete", "PATCH")):
        alice(method, path)
        pages = [alice("GET", f"?status={status}").json() for status in ("pending", "completed")]
        assert [len(page["tasks"]) for page in pages] == [page["total"] for page in pages]
        totals.append([page["total"] for page in pages])

    assert totals == [[1, 2], [0, 3], [1, 2]]


def test_a_page_counts_the_live_subtasks_of_those_of_its_tasks_that_have_any(alice):
    parent, other = alice.create("parent")["id"], alice.create("other")["id"]
    first, second, third = (alice.create(str(n), parent_id=parent)["id"] for n in range(3))
    alice.create("deeper", parent_id=first, completed=True)

    def told(query=""):
        return alice("GET", f"?{query}").json()["subtasks"]

    of_parent, of_first = {"total": 3, "completed": 0}, {"total": 1, "completed": 1}
    assert told() == {f"{parent}": of_parent, f"{first}": of_first}
    assert told("parent=none&list=none&sort=position") == {f"{parent}": of_parent}
    assert told(f"parent={parent}&limit=2&order=asc") == {f"{first}": of_first}
    assert told(f"parent={other}") == told("search=other") == {}
    assert told("limit=1&skip=5") == {f"{parent}": of_parent}

    alice("PATCH", f"{second}/complete")
    alice("DELETE", f"{third}")

    assert told("parent=none") == {f"{parent}": {"total": 2, "completed": 1}}

    alice("PATCH", f"{second}/complete")
    alice("POST", f"/api/me/trash/{third}/restore")

    assert told("parent=none") == {f"{parent}": of_parent}


def test_a_page_after_a_subtask_has_changed_has_the_parent_as_it_was_and_another_etag(alice):
    parent = alice.create("parent")
    child = alice.create("child", parent_id=parent["id"])["id"]
    own = alice("GET", f"{parent['id']}").headers["etag"]
    before = alice("GET", "?parent=none")

    alice("PATCH", f"{child}/complete")

    after = alice("GET", "?parent=none", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert before.json()["tasks"] == after.json()["tasks"] == [parent]
    assert after.json()["subtasks"] == {f"{parent['id']}": {"total": 1, "completed": 1}}
    assert alice("GET", f"{parent['id']}").headers["etag"] == own
