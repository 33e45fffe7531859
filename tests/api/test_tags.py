"""``/api/{user_id}/tags``: list, rename, delete."""

import pytest

from tests.api.expect import a_page, in_body, in_query, invalid, problem, refusal, token_at

pytestmark = pytest.mark.pooled


@pytest.fixture
def tags(alice):
    """The path of Alice's tags."""
    return f"/api/{alice.id}/tags"


def count(name, open_tasks, completed=0):
    return {
        "name": name,
        "total": open_tasks + completed,
        "open": open_tasks,
        "completed": completed,
    }


def a_tag_page(*counts, **fields):
    page = {"tags": list(counts), "total": len(counts), "limit": 1000, "skip": 0, "revision": 0}
    whole = {**page, **fields}
    return {**whole, "sync_token": token_at(whole["revision"])}


def not_found(path):
    return problem("tag_not_found", "No task has this tag.", path)


def tags_of(alice):
    """Every task's tags and revision, by id."""
    listed = alice("GET", "?order=asc").json()["tasks"]
    return {task["id"]: (task["tags"], task["revision"]) for task in listed}


def test_a_user_without_tags_has_none(alice, tags):
    assert alice("GET", tags).json() == a_tag_page()
    alice.create()
    assert alice("GET", tags).json() == a_tag_page(revision=1)


def test_tags_are_counted_by_the_state_of_their_tasks_in_the_order_of_their_names(alice, tags):
    alice.create(tags=["work", "Éclair"])
    alice.create(tags=["work"], completed=True)
    alice.create(tags=["Home", "a,b"])
    alice.create(tags=["gone"])
    alice("DELETE", "4")

    assert alice("GET", tags).json() == a_tag_page(
        count("a,b", 1), count("Home", 1), count("work", 1, 1), count("Éclair", 1), revision=5
    )


def test_a_tag_that_is_written_in_several_ways_is_one_and_shown_as_it_was_last(alice, tags):
    alice.create(tags=["WORK"])
    alice.create(tags=["Work"], completed=True)
    alice.create(tags=["work"])
    alice("PATCH", "2/complete")

    assert alice("GET", tags).json() == a_tag_page(count("Work", 3), revision=4)


def test_tags_are_paged_and_counted_as_a_whole(alice, tags):
    alice.create(tags=list("edcba"))
    page = alice("GET", f"{tags}?skip=1&limit=2").json()

    assert page == a_tag_page(count("b", 1), count("c", 1), total=5, skip=1, limit=2, revision=1)


def test_a_rename_changes_every_task_that_has_the_tag_each_at_its_own_revision(alice, tags):
    alice.create(tags=["first", "Work", "last"])
    alice.create(tags=["other"])
    alice.create(tags=["work"], completed=True)
    before = alice("GET", "?order=asc").json()["tasks"]

    response = alice("PATCH", f"{tags}?name=WORK", json={"name": "Office, 2nd floor"})

    assert (response.status_code, response.json()) == (200, {"changed": 2, "revision": 5})
    after = alice("GET", "?order=asc").json()
    assert after["tasks"] == [
        {**before[0], "tags": ["first", "Office, 2nd floor", "last"], "revision": 4,
         "updated_at": after["tasks"][0]["updated_at"]},
        before[1],
        {**before[2], "tags": ["Office, 2nd floor"], "revision": 5,
         "updated_at": after["tasks"][2]["updated_at"]},
    ]  # fmt: skip
    assert after["revision"] == 5
    assert [t["id"] for t in alice("GET", "?tag=office, 2nd floor").json()["tasks"]] == [3, 1]
    assert alice("GET", "?tag=work").json()["tasks"] == []


def test_a_rename_to_a_tag_that_is_there_merges_the_two(alice, tags):
    alice.create(tags=["work", "x", "Office"])
    alice.create(tags=["office"])
    alice.create(tags=["Work"])

    changed = alice("PATCH", f"{tags}?name=work", json={"name": "OFFICE"}).json()

    assert changed == {"changed": 2, "revision": 5}
    assert tags_of(alice) == {
        1: (["OFFICE", "x"], 4),
        2: (["office"], 2),
        3: (["OFFICE"], 5),
    }
    assert alice("GET", tags).json() == a_tag_page(count("OFFICE", 3), count("x", 1), revision=5)


def test_a_rename_can_change_the_case_alone_where_it_is_another(alice, tags):
    alice.create(tags=["work"])
    alice.create(tags=["Work"])

    assert alice("PATCH", f"{tags}?name=work", json={"name": "Work"}).json() == {
        "changed": 1,
        "revision": 3,
    }
    assert tags_of(alice) == {1: (["Work"], 3), 2: (["Work"], 2)}
    assert alice("PATCH", f"{tags}?name=work", json={"name": "Work"}).json() == {
        "changed": 0,
        "revision": 3,
    }


def test_a_delete_takes_the_tag_off_every_task_that_has_it(alice, tags):
    alice.create(tags=["a", "Work", "b"])
    alice.create(tags=["workshop"])
    alice.create(tags=["work"])

    response = alice("DELETE", f"{tags}?name=work")

    assert (response.status_code, response.json()) == (200, {"changed": 2, "revision": 5})
    assert tags_of(alice) == {1: (["a", "b"], 4), 2: (["workshop"], 2), 3: ([], 5)}


@pytest.mark.parametrize(
    "name", ["a/b", "a,b", "a b", "%", "100%", "日本", "a&b=c", "#1", "..", "?"]
)
def test_a_name_of_any_characters_arrives(alice, tags, name):
    alice.create(tags=[name, "stays"])
    other = f"{name}{name}"

    renamed = alice("PATCH", tags, params={"name": name}, json={"name": other})
    deleted = alice("DELETE", tags, params={"name": other})

    assert (renamed.json()["changed"], deleted.json()["changed"]) == (1, 1)
    assert tags_of(alice) == {1: (["stays"], 3)}


def test_a_tag_that_no_live_task_has_is_404_and_takes_no_revision(alice, bob, tags):
    alice.create(tags=["gone"])
    alice("DELETE", "1")
    bob.create(tags=["theirs"])

    for name in ("gone", "theirs", "never"):
        assert refusal(alice("PATCH", f"{tags}?name={name}", json={"name": "x"})) == not_found(tags)
        assert refusal(alice("DELETE", f"{tags}?name={name}")) == not_found(tags)
    assert alice("GET", tags).json() == a_tag_page(revision=2)


def test_a_user_who_never_wrote_has_no_tag_to_change_and_is_not_made_one(service, bob):
    path = f"/api/{bob.id}/tags"

    assert refusal(bob("DELETE", f"{path}?name=x")) == not_found(path)
    assert bob("GET", "").json()["revision"] == 0


def test_nobody_elses_tasks_are_changed(alice, bob, tags):
    theirs = bob.create(tags=["work"])
    alice.create(tags=["work"])

    assert alice("DELETE", f"{tags}?name=work").json()["changed"] == 1
    assert bob("GET", "1").json() == theirs


def test_more_tasks_than_one_statement_takes_are_changed_in_one_unit_of_work(alice, tags):
    for _ in range(12):
        alice.create(tags=["work"])

    assert alice("PATCH", f"{tags}?name=work", json={"name": "w"}).json() == {
        "changed": 12,
        "revision": 24,
    }
    assert [revision for _, revision in tags_of(alice).values()] == list(range(13, 25))


def test_a_new_name_that_shows_nothing_is_refused_and_an_old_tag_of_that_kind_can_be_asked_for(
    alice, tags
):
    task = alice.create(tags=["work"])
    invisible = "%E2%80%8B"

    renamed = alice("PATCH", f"{tags}?name=work", json={"name": "\u200b"})

    unseen = "must have at least one visible character"
    assert refusal(renamed) == invalid(tags, in_body("/name", "format", unseen))
    assert refusal(alice("DELETE", f"{tags}?name={invisible}")) == not_found(tags)
    assert alice("GET", f"?tag={invisible}").json() == a_page([], revision=1)
    assert alice("GET", "").json()["tasks"] == [task]


def test_the_name_is_required_and_must_be_one(alice, tags):
    missing = in_query("name", "required", "is required")
    assert refusal(alice("DELETE", tags)) == invalid(tags, missing)
    assert refusal(alice("PATCH", tags, json={"name": "x"})) == invalid(tags, missing)
    for name in ("", "%20", "a%0A", "x" * 51):
        assert refusal(alice("DELETE", f"{tags}?name={name}"))["code"] == "validation_failed"
        body = {"name": name.replace("%20", " ").replace("%0A", "\n")}
        assert refusal(alice("PATCH", f"{tags}?name=a", json=body))["code"] == "validation_failed"
    assert refusal(alice("PATCH", f"{tags}?name=a", json={}))["code"] == "validation_failed"
    assert refusal(alice("PATCH", f"{tags}?name=a"))["code"] == "body_required"
