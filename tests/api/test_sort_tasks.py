"""The order of lists: ``sort`` and ``order``, the same on both databases."""

import pytest


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
