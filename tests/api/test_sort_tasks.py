"""The order of lists: ``sort`` and ``order``, the same on both databases."""

import pytest

from tests.api.expect import in_query, invalid, refusal
from tests.api.places import create_list
from tests.integration.tables import rows
from todo.values.positions import last


@pytest.fixture
def five(alice):
    """Alice's tasks: ids, revisions and titles each in an order of its own."""
    for title in ("Delta", "alpha", "Charlie", "bravo", "Echo"):
        alice.create(title=title)
    for task_id in (2, 5, 1):
        alice("PATCH", f"{task_id}/complete")
    alice("PATCH", "5/complete")


BY_CREATION = ["Delta", "alpha", "Charlie", "bravo", "Echo"]
BY_UPDATE = ["Charlie", "bravo", "alpha", "Delta", "Echo"]
BY_TITLE = ["alpha", "bravo", "Charlie", "Delta", "Echo"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", BY_CREATION[::-1]),
        ("sort=created", BY_CREATION[::-1]),
        ("sort=created&order=asc", BY_CREATION),
        ("sort=created&order=desc", BY_CREATION[::-1]),
        ("sort=created_at", BY_CREATION[::-1]),
        ("sort=created_at&order=asc", BY_CREATION),
        ("sort=created_at&order=desc", BY_CREATION[::-1]),
        ("sort=updated", BY_UPDATE[::-1]),
        ("sort=updated&order=asc", BY_UPDATE),
        ("sort=updated&order=desc", BY_UPDATE[::-1]),
        ("sort=updated_at", BY_UPDATE[::-1]),
        ("sort=updated_at&order=asc", BY_UPDATE),
        ("sort=updated_at&order=desc", BY_UPDATE[::-1]),
        ("sort=title", BY_TITLE),
        ("sort=title&order=asc", BY_TITLE),
        ("sort=title&order=desc", BY_TITLE[::-1]),
        ("order=asc", BY_CREATION),
        ("order=desc", BY_CREATION[::-1]),
    ],
)
def test_every_sort_has_its_natural_order_and_both_others(alice, five, query, expected):
    completed = {"alpha", "Delta"}

    for status, wanted in (
        ("all", set(BY_TITLE)),
        ("completed", completed),
        ("pending", set(BY_TITLE) - completed),
    ):
        listed = alice("GET", f"?{query}&status={status}").json()["tasks"]
        titles = [task["title"] for task in listed]
        assert titles == [title for title in expected if title in wanted]


@pytest.mark.parametrize("query", ["sort=updated", "sort=title", "sort=title&order=desc"])
def test_pages_of_a_sorted_list_join_to_the_whole(alice, five, query):
    whole = alice("GET", f"?{query}").json()["tasks"]
    pages = [alice("GET", f"?{query}&limit=2&skip={skip}").json()["tasks"] for skip in (0, 2, 4)]

    assert [task for page in pages for task in page] == whole


def test_titles_sort_without_case_and_by_code_point_beyond_ascii(alice):
    titles = [
        "Zebra",
        "éclair",
        "apple",
        "Éclair 2",
        "日本",
        "😀",
        "zoo",
        "Apple pie",
        "_",
        "1",
        "ñ",
    ]
    for title in titles:
        alice.create(title=title)

    listed = [task["title"] for task in alice("GET", "?sort=title").json()["tasks"]]

    assert listed == [
        "1", "_", "apple", "Apple pie", "Zebra", "zoo", "éclair", "Éclair 2", "ñ", "日本", "😀",
    ]  # fmt: skip


def test_titles_that_differ_in_case_or_form_only_are_equal_and_ordered_by_id(alice):
    # Sharp s and SS, composed and decomposed e acute, ligature fi, full-width A, three sigmas.
    titles = [
        "Straße",
        "STRASSE",
        "strasse",
        "É",
        "é",
        "e\u0301",
        "ﬁn",
        "FIN",
        "\uff21",
        "a",
        "ΣΑΣ",
        "σας",
    ]
    for title in titles:
        alice.create(title=title)

    ascending = [task["id"] for task in alice("GET", "?sort=title").json()["tasks"]]
    descending = [task["id"] for task in alice("GET", "?sort=title&order=desc").json()["tasks"]]

    assert ascending == [9, 10, 7, 8, 1, 2, 3, 4, 5, 6, 11, 12]
    assert descending == ascending[::-1]


def test_equal_titles_are_ordered_by_id_in_the_direction_of_the_sort(alice):
    for number in range(4):
        alice.create(title=f"Task {number}")
    for task_id in (3, 1, 4, 2):  # so that neither ids nor revisions are the rows' own order
        alice("PUT", f"{task_id}", json={"title": "Same"})

    for order, expected in (("asc", [1, 2, 3, 4]), ("desc", [4, 3, 2, 1])):
        listed = alice("GET", f"?sort=title&order={order}").json()["tasks"]
        assert [task["id"] for task in listed] == expected


def test_a_title_that_grows_when_it_is_folded_can_be_sorted(alice):
    # U+FDFA is 18 characters in its compatibility form: 3,600 for the whole title.
    alice.create(title="\ufdfa" * 200)
    alice.create(title="\ufdfa" * 199 + "x")
    alice.create(title="a")

    listed = [task["id"] for task in alice("GET", "?sort=title").json()["tasks"]]

    assert listed == [3, 1, 2]


def test_a_changed_title_takes_its_new_place(alice):
    alice.create(title="a")
    alice.create(title="b")
    alice("PUT", "1", json={"title": "C"})

    listed = [task["title"] for task in alice("GET", "?sort=title").json()["tasks"]]

    assert listed == ["b", "C"]


@pytest.fixture
def by_hand(service, alice):
    """Sorts tasks by hand: gives tasks, by their ids, the positions of these numbers, or none."""

    def give(numbers):
        for task_id, number in numbers.items():
            rows(
                service.settings.database_url,
                "UPDATE tasks SET position = :position WHERE user_id = :owner AND id = :task_id",
                position=number and last(number),
                owner=alice.id,
                task_id=task_id,
            )

    return give


PLACES = ["list", "inbox", "parent"]


@pytest.fixture
def place(request, service, alice):
    """A place: what a task there has, and the query for it; another task is elsewhere."""
    parent = alice.create("parent")["id"]
    home, other = create_list(service, alice), create_list(service, alice)
    alice("PATCH", str(parent), json={"list_id": other})
    another = alice.create("another parent", list_id=other)["id"]
    alice.create("subtask", list_id=other, parent_id=another)
    return {
        "list": ({"list_id": home}, f"list={home}&parent=none"),
        "inbox": ({}, "list=none&parent=none"),
        "parent": ({"list_id": other, "parent_id": parent}, f"parent={parent}"),
    }[request.param]


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_the_tasks_of_a_place_sort_by_position_the_first_first_unless_asked_otherwise(
    alice, by_hand, place
):
    at, query = place
    ids = [alice.create(completed=number == 1, **at)["id"] for number in range(4)]
    # 10 is A and 37 is b: by code point, which no locale decides. 62 has one digit more than 37.
    by_hand(dict(zip(ids, [37, 62, 10, 4000], strict=True)))

    by_position = [ids[2], ids[0], ids[1], ids[3]]
    for order, expected in (("", by_position), ("&order=desc", by_position[::-1])):
        page = alice("GET", f"?{query}&sort=position{order}").json()
        assert [task["id"] for task in page["tasks"]] == expected
        assert page["total"] == len(ids)
    done = alice("GET", f"?{query}&sort=position&completed=true").json()
    assert ([task["id"] for task in done["tasks"]], done["total"]) == ([ids[1]], 1)


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_tasks_that_an_earlier_release_has_made_come_last_by_position_in_the_order_of_ids(
    alice, by_hand, place, order
):
    at, query = place
    ids = [alice.create(**at)["id"] for _ in range(5)]
    by_hand(dict.fromkeys(ids[:3]))
    query = f"{query}&sort=position&order={order}"

    listed = alice("GET", f"?{query}").json()["tasks"]
    pages = [alice("GET", f"?{query}&limit=2").json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(alice("GET", f"?{query}&limit=2&cursor={cursor}").json())

    step = 1 if order == "asc" else -1
    assert [task["id"] for task in listed] == [*ids[3:][::step], *ids[:3][::step]]
    assert [task["position"] for task in listed] == [last(task["id"]) for task in listed]
    assert [task for page in pages for task in page["tasks"]] == listed


def test_a_task_that_an_earlier_release_has_made_has_a_position_wherever_it_is_shown(
    alice, by_hand
):
    task = alice.create()
    by_hand({task["id"]: None})

    assert alice("GET", f"{task['id']}").json() == task
    assert alice("GET", "").json()["tasks"] == [task]
    [change] = alice("GET", "/api/me/changes?since=MC4").json()["changes"]
    assert change["data"] == task
    changed = alice("PATCH", f"{task['id']}", json={"title": "new"}).json()
    assert changed["position"] == task["position"]
    alice("DELETE", f"{task['id']}")
    [trashed] = alice("GET", "/api/me/trash").json()["tasks"]
    assert trashed["position"] == task["position"]


@pytest.mark.parametrize(
    ("query", "lacking"),
    [
        ("", "'parent': a task's id, or 'none'"),
        ("&list=1", "'parent': a task's id, or 'none'"),
        ("&parent=none", "exactly one 'list' beside 'parent=none'"),
        ("&parent=none&list=1&list=none", "exactly one 'list' beside 'parent=none'"),
        ("&parent=none&list=1&list=2", "exactly one 'list' beside 'parent=none'"),
    ],
)
def test_an_order_by_position_of_more_than_one_place_is_a_contradiction(alice, query, lacking):
    response = alice("GET", f"?sort=position{query}")

    wrong = in_query("sort", "contradiction", f"position needs {lacking}")
    assert refusal(response) == invalid(alice.tasks, wrong)


@pytest.mark.parametrize(
    "query",
    [
        "parent=1",
        "parent=1&list=2&list=3",
        "parent=none&list=1",
        "parent=none&list=1&list=1",
        "parent=none&list=none",
    ],
)
def test_one_place_has_an_order_by_position(alice, query):
    assert alice("GET", f"?sort=position&{query}").status_code == 200
