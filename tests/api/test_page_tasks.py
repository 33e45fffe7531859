"""``cursor``: pages that follow each other, and the header that leads to the next."""

from urllib.parse import quote

import pytest

from tests.api.expect import a_page, in_query, invalid, refusal

FOREIGN = "belongs to another list: the filters, the sort or the user differ"
SORTS = ["created", "updated", "title", "due_date", "priority", "position&list=none&parent=none"]
QUERIES = [f"sort={sort}&order={order}" for sort in SORTS for order in ("asc", "desc")]


@pytest.fixture
def seven(alice):
    """Alice's tasks, with equal and different values of everything that sorts."""
    due_dates = ["2026-12-31", None, "2026-12-31T10:00:00Z", None, "2026-01-01", "2026-12-31", None]
    priorities = ["low", "high", "medium", "high", "low", "medium", "high"]
    titles = ["b", "A", "c", "a", "B", "é", "a"]
    for due_date, priority, title in zip(due_dates, priorities, titles, strict=True):
        alice.create(title, due_date=due_date, priority=priority)
    for task_id in (3, 1, 6):
        alice("PATCH", f"{task_id}/complete")


def walk(caller, query, limit):
    """All pages from the first on, by their cursors; the headers lead the same way."""
    response = caller("GET", f"?{query}&limit={limit}")
    while True:
        page = response.json()
        yield page
        if page["next_cursor"] is None:
            assert "link" not in response.headers
            return
        target = response.headers["link"].removeprefix("<").removesuffix('>; rel="next"')
        linked = caller("GET", target)
        response = caller("GET", f"?{query}&limit={limit}&cursor={page['next_cursor']}")
        assert (linked.json(), linked.headers.get("link")) == (
            response.json(),
            response.headers.get("link"),
        )


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_pages_of_a_cursor_join_to_the_whole_list(alice, seven, query, limit):
    for narrowed in (query, f"{query}&status=pending", f"{query}&priority=high"):
        whole = alice("GET", f"?{narrowed}").json()
        pages = list(walk(alice, narrowed, limit))

        assert [task for page in pages for task in page["tasks"]] == whole["tasks"]
        assert [len(page["tasks"]) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert pages[-1]["tasks"]
        for page in pages:
            expected = {**whole, "limit": limit}
            assert page == {**expected, "tasks": page["tasks"], "next_cursor": page["next_cursor"]}


@pytest.mark.parametrize("query", QUERIES)
def test_a_page_after_a_skip_leads_on_by_its_cursor(alice, seven, query):
    whole = alice("GET", f"?{query}").json()["tasks"]
    for skip in range(7):
        page = alice("GET", f"?{query}&skip={skip}&limit=2").json()
        rest = alice("GET", f"?{query}&cursor={page['next_cursor']}").json() if (
            page["next_cursor"]) else {"tasks": []}  # fmt: skip
        assert page["tasks"] + rest["tasks"] == whole[skip:]


def test_due_dates_sort_by_the_calendar_with_those_of_none_last_either_way(alice):
    for due_date in (None, "2026-12-31T00:00:00.000Z", "2026-12-31", "2027-01-01",
                     "2026-12-31T23:00:00+02:00", None):  # fmt: skip
        alice.create(due_date=due_date)

    by_due_date = [task["id"] for task in alice("GET", "?sort=due_date").json()["tasks"]]
    latest = [task["id"] for task in alice("GET", "?sort=due_date&order=desc").json()["tasks"]]

    assert by_due_date == [3, 2, 5, 4, 1, 6]
    assert latest == [4, 5, 2, 3, 6, 1]


def test_priorities_sort_by_importance_the_highest_first_unless_ascending(alice):
    for priority in ("medium", "high", "low", "high"):
        alice.create(priority=priority)

    most_important = [task["id"] for task in alice("GET", "?sort=priority").json()["tasks"]]
    least = [task["id"] for task in alice("GET", "?sort=priority&order=asc").json()["tasks"]]

    assert most_important == [4, 2, 1, 3]
    assert least == most_important[::-1]


@pytest.mark.parametrize("query", ["sort=created", "sort=title", "sort=due_date&order=desc"])
def test_tasks_that_stay_are_neither_skipped_nor_repeated_while_others_come_and_go(
    alice, seven, query
):
    before = [task["id"] for task in alice("GET", f"?{query}").json()["tasks"]]
    first = alice("GET", f"?{query}&limit=3").json()
    seen = [task["id"] for task in first["tasks"]]
    for due_date in (None, "0001-01-01", "9999-12-31", "2026-12-31"):
        alice.create("a", due_date=due_date)
    gone = {seen[0], seen[2], before[-1]}  # the last one of the page, too: its place stays
    for task_id in gone:
        alice("DELETE", str(task_id))

    rest = alice("GET", f"?{query}&cursor={first['next_cursor']}").json()["tasks"]

    met = seen + [task["id"] for task in rest]
    assert len(set(met)) == len(met)
    assert set(before) - gone <= set(met)
    assert [task_id for task_id in met if task_id in before and task_id not in gone] == [
        task_id for task_id in before if task_id not in gone
    ]


def test_a_list_by_update_meets_what_changed_meanwhile_once_more_and_nothing_else(alice, seven):
    first = alice("GET", "?sort=updated&order=asc&limit=3").json()
    alice("PATCH", f"{first['tasks'][0]['id']}", json={"title": "changed"})
    rest = alice("GET", f"?sort=updated&order=asc&cursor={first['next_cursor']}").json()

    assert [task["id"] for task in rest["tasks"]] == [5, 7, 3, 1, 6, first["tasks"][0]["id"]][-5:]


def test_limit_and_total_may_change_from_page_to_page(alice, seven):
    first = alice("GET", "?limit=2").json()
    second = alice("GET", f"?limit=4&total=false&cursor={first['next_cursor']}").json()

    assert [task["id"] for task in second["tasks"]] == [5, 4, 3, 2]
    assert (second["total"], second["limit"], second["skip"]) == (None, 4, 0)


@pytest.mark.parametrize("spelling", ["sort=created_at", "order=desc", "status=all", "tz=UTC",
                                      "skip=0", "total=true"])  # fmt: skip
def test_another_spelling_of_the_same_list_takes_its_cursor(alice, seven, spelling):
    cursor = alice("GET", "?limit=6").json()["next_cursor"]

    assert [
        task["id"] for task in alice("GET", f"?{spelling}&cursor={cursor}").json()["tasks"]
    ] == [1]


def test_lists_in_another_order_and_twice_are_the_same_list_to_a_cursor(alice, seven):
    cursor = alice("GET", "?list=9&list=none&limit=6").json()["next_cursor"]
    rest = alice("GET", f"?list=none&list=9&list=none&cursor={cursor}").json()["tasks"]

    assert [task["id"] for task in rest] == [1]


@pytest.mark.parametrize(
    "query",
    ["sort=updated", "order=asc", "status=pending", "completed=true", "list=none", "parent=none",
     "parent=1&sort=position", "priority=low", "tag=x", "search=x", "due_after=2026-01-01",
     "updated_since=1", "view=undated", "view=today", "tz=Europe/Berlin"],
)  # fmt: skip
def test_the_cursor_of_another_list_is_refused(alice, seven, query):
    cursor = alice("GET", "?limit=2").json()["next_cursor"]
    response = alice("GET", f"?{query}&cursor={cursor}")

    wrong = in_query("cursor", "contradiction", FOREIGN)
    assert refusal(response) == invalid(alice.tasks, wrong)


def test_the_cursor_of_another_user_is_refused(alice, bob, seven):
    cursor = alice("GET", "?limit=2").json()["next_cursor"]

    wrong = in_query("cursor", "contradiction", FOREIGN)
    assert refusal(bob("GET", f"?cursor={cursor}")) == invalid(bob.tasks, wrong)


def test_a_cursor_beside_a_skip_is_refused(alice, seven):
    cursor = alice("GET", "?limit=2").json()["next_cursor"]
    response = alice("GET", f"?skip=1&cursor={cursor}")

    wrong = in_query("cursor", "contradiction", "cannot be combined with 'skip'")
    assert refusal(response) == invalid(alice.tasks, wrong)


def test_a_cursor_that_was_changed_is_refused(alice, seven):
    cursor = alice("GET", "?limit=2").json()["next_cursor"]
    for changed in (cursor[:-1], f"{cursor}A", f"{cursor}=", cursor.swapcase(), f" {cursor}"):
        response = alice("GET", f"?cursor={quote(changed)}")
        assert refusal(response)["code"] == "validation_failed", changed


def test_the_link_keeps_the_rest_of_the_target_and_is_good_for_any_of_its_characters(alice):
    for _ in range(3):
        alice.create("a&b", tags=["x,y", "a/b", "é #"])
    query = "?tag=x%2Cy&tag=a/b&tag=%C3%A9%20%23&search=a%26b&limit=2&skip=0"
    link = alice("GET", query).headers["link"]
    target = link.removeprefix("<").removesuffix('>; rel="next"')

    assert target.startswith(
        f"{alice.tasks}?tag=x%2Cy&tag=a%2Fb&tag=%C3%A9+%23&search=a%26b&limit=2&cursor="
    )
    assert [task["id"] for task in alice("GET", target).json()["tasks"]] == [1]


def test_the_link_of_me_is_of_me(alice, seven):
    link = alice("GET", "/api/me/tasks?limit=2").headers["link"]

    assert link.startswith("</api/me/tasks?limit=2&cursor=")


def test_a_page_that_ends_with_the_last_task_has_no_next(alice, seven):
    page = alice("GET", "?limit=7").json()

    assert (len(page["tasks"]), page["next_cursor"]) == (7, None)
    assert alice("GET", "?skip=7").json() == a_page([], total=7, skip=7, revision=10)
