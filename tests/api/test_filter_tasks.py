"""The filters of the list: what each lets through, and all of them together."""

from urllib.parse import urlencode

import pytest

from tests.api.expect import a_page, in_query, invalid, refusal
from tests.api.places import create_list

INSTANT = "must be an instant with seconds and zone (2026-12-31T17:00:00.000Z)"
SORTS = "created, created_at, updated, updated_at, title, due_date, priority, position"
LEFT_OUT = "; did you mean to leave the parameter out?"
DUE = (
    "must be a date of the calendar (2026-12-31), "
    "or an instant with seconds and zone (2026-12-31T17:00:00.000Z)"
)
PLACE = "must be an id, or 'none'"
SINCE = "must be an instant with seconds and zone (2026-12-31T17:00:00.000Z), or a revision"
ZONE = "is not a time zone of the IANA database, such as Europe/Berlin"


@pytest.fixture
def find(alice):
    """The titles, in order of creation, that a query lets through; total and pages agree."""

    def titles(**query):
        target = f"?{urlencode({'order': 'asc', **query}, doseq=True)}"
        page = alice("GET", target).json()
        told = {name: page[name] for name in ("revision", "subtasks")}
        assert page == a_page(page["tasks"], total=len(page["tasks"]), **told)
        uncounted = alice("GET", f"{target}&total=false").json()
        assert uncounted == {**page, "total": None}
        return [task["title"] for task in page["tasks"]]

    return titles


MOMENTS = {
    "due_after": DUE,
    "due_before": DUE,
    "completed_after": INSTANT,
    "completed_before": INSTANT,
    "updated_since": SINCE,
}


@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize("offset", ["+05:60", "+05:99", "-05:99", "+24:00"])
def test_an_offset_that_no_clock_has_is_refused_in_every_filter_of_moments(alice, name, offset):
    response = alice("GET", f"?{urlencode({name: f'2026-12-31T17:00:00{offset}'})}")

    assert refusal(response) == invalid(alice.tasks, in_query(name, "format", MOMENTS[name]))


@pytest.mark.parametrize("name", MOMENTS)
def test_a_plus_that_was_not_encoded_is_told_how_to_be(alice, name):
    response = alice("GET", f"?{name}=2026-12-31T17:00:00+02:00")

    detail = f"{MOMENTS[name]}; did you mean %2B for its '+'?"
    assert refusal(response) == invalid(alice.tasks, in_query(name, "format", detail))


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("priority=high,low", "; did you mean 'priority=high&priority=low'?"),
        ("priority=high,high", ""),
        ("priority=high,urgent", ""),
        ("priority=x&priority=high", ""),
        (f"priority={'high,' * 500}low", ""),
    ],
)
def test_priorities_with_commas_are_asked_to_be_repeated(alice, query, hint):
    detail = f"is not one of: low, medium, high{hint}"

    answer = refusal(alice("GET", f"?{query}"))

    assert answer == invalid(alice.tasks, in_query("priority", "not_in_enum", detail))


def test_priorities_are_alternatives(alice, find):
    for priority in ("low", "medium", "high"):
        alice.create(priority, priority=priority)

    assert find(priority="high") == ["high"]
    assert find(priority=["high", "low"]) == ["low", "high"]
    assert find(priority=["high", "high"]) == ["high"]
    assert find(priority=["low", "medium", "high"]) == ["low", "medium", "high"]


@pytest.fixture
def placed(service, alice):
    """Tasks titled by their places in two lists and the inbox; the ids of lists and tasks."""
    ids = {"in": alice.create("in")["id"]}
    ids |= {name: create_list(service, alice) for name in ("home", "work")}
    ids["in/sub"] = alice.create("in/sub", parent_id=ids["in"])["id"]
    for name in ("work", "home"):
        ids[f"{name} 1"] = alice.create(f"{name} 1", list_id=ids[name])["id"]
    place = {"list_id": ids["home"], "parent_id": ids["home 1"]}
    ids["home 1/sub"] = alice.create("home 1/sub", **place, completed=True)["id"]
    alice.create("home 1/sub/sub", list_id=ids["home"], parent_id=ids["home 1/sub"])
    alice.create("home 2", list_id=ids["home"], completed=True, tags=["x"])
    return ids


def test_a_list_has_its_tasks_with_their_subtasks_and_none_is_the_inbox(placed, find):
    home = ["home 1", "home 1/sub", "home 1/sub/sub", "home 2"]

    assert find(list=placed["home"]) == find(list=[placed["home"]] * 2) == home
    assert find(list=placed["work"]) == ["work 1"]
    assert find(list="none") == find(list=["none", "none"]) == ["in", "in/sub"]
    assert find(list=[placed["work"], placed["home"]]) == ["work 1", *home]
    assert find(list=["none", placed["work"]]) == ["in", "in/sub", "work 1"]
    assert find(list=["none", placed["work"], placed["home"]]) == find()


def test_a_parent_has_its_subtasks_without_theirs_and_none_has_the_tasks_on_top(placed, find):
    assert find(parent=placed["home 1"]) == ["home 1/sub"]
    assert find(parent=placed["home 1/sub"]) == ["home 1/sub/sub"]
    assert find(parent=placed["in"]) == ["in/sub"]
    assert find(parent="none") == ["in", "work 1", "home 1", "home 2"]


def test_list_and_parent_narrow_each_other_and_are_narrowed_by_all_other_filters(placed, find):
    home, top = {"list": placed["home"]}, {"parent": "none"}

    assert find(**home, **top) == ["home 1", "home 2"]
    assert find(list="none", **top) == ["in"]
    assert find(**home, parent=placed["home 1"]) == ["home 1/sub"]
    assert find(list=placed["work"], parent=placed["home 1"]) == []
    assert find(**home, completed="true") == ["home 1/sub", "home 2"]
    assert find(**home, **top, status="completed") == find(**home, tag="X") == ["home 2"]
    assert find(**top, status="pending") == ["in", "work 1", "home 1"]
    assert find(list="none", completed="false") == ["in", "in/sub"]
    assert find(list="none", **top, completed="true") == []
    assert find(parent=placed["home 1"], completed="true") == ["home 1/sub"]
    assert find(parent=placed["home 1"], completed="false") == []
    assert find(**home, search="sub", view="undated") == ["home 1/sub", "home 1/sub/sub"]
    assert find(list=["none", placed["home"]], search="sub", parent=placed["in"]) == ["in/sub"]


def test_totals_of_places_follow_what_leaves_and_comes_back(alice, placed, find):
    home, top = {"list": placed["home"]}, {"parent": "none"}
    alice("PATCH", f"{placed['home 1']}/complete")
    alice("DELETE", f"{placed['home 1/sub']}")
    alice("DELETE", f"{placed['work 1']}")
    alice("DELETE", f"{placed['in/sub']}")

    assert find(**home, completed="true") == ["home 1", "home 2"]
    assert find(parent=placed["home 1"]) == find(parent=placed["in"]) == []
    assert find(list=placed["work"]) == []
    assert find(list="none") == find(list="none", **top) == ["in"]

    alice("POST", f"/api/me/trash/{placed['work 1']}/restore")

    assert find(list=placed["work"], **top, completed="false") == ["work 1"]
    assert find(**top) == ["in", "work 1", "home 1", "home 2"]


@pytest.mark.parametrize("unknown", [7_000_000, 2**53 - 1])
def test_an_unknown_list_or_parent_has_no_tasks(placed, find, unknown):
    assert find(list=unknown) == find(parent=unknown) == find(list=unknown, parent="none") == []
    assert find(list=[unknown, placed["work"]]) == ["work 1"]
    assert find(parent=unknown, sort="position") == []
    assert find(list=unknown, parent="none", sort="position") == []


def test_lists_and_parents_of_others_have_no_tasks_for_me(bob, placed):
    for query in (f"list={placed['home']}", f"parent={placed['home 1']}",
                  f"list={placed['home']}&parent=none", "list=none", "parent=none"):  # fmt: skip
        assert bob("GET", f"?{query}").json() == a_page([])
    bob.create("bob's")
    for query in (f"list={placed['home']}", f"parent={placed['home 1']}"):
        assert bob("GET", f"?{query}").json() == a_page([], revision=1)
    assert [bob("GET", f"?{query}").json()["total"] for query in ("list=none", "parent=none")] == [
        1,
        1,
    ]


def test_tags_must_all_be_there_whole_and_in_whatever_case(alice, find):
    alice.create("both", tags=["Work", "Urgent"])
    alice.create("one", tags=["work"])
    alice.create("longer", tags=["workshop", "net work"])
    alice.create("none")

    assert find(tag="work") == ["both", "one"]
    assert find(tag="WORK") == ["both", "one"]
    assert find(tag=["work", "urgent"]) == ["both"]
    assert find(tag=["urgent", "URGENT"]) == ["both"]
    assert find(tag=["work", "home"]) == []


@pytest.mark.parametrize(
    "tag",
    ["a,b", "a/b", "a b", "a%b", "a_b", "'", '"', "\\", "日本", "שלום", "😀", "#&?=+;", "ß", "É"],
)
def test_a_tag_of_any_characters_is_found_as_it_is(alice, find, tag):
    alice.create("it", tags=["first", tag, "last"])
    alice.create("another", tags=["a", "b", "axb", "x"])

    assert find(tag=tag) == ["it"]
    assert find(tag=tag.lower()) == find(tag=tag.upper()) == ["it"]


def test_search_finds_words_in_title_and_description_in_any_order(alice, find):
    alice.create("Buy milk", description="and bread, too")
    alice.create("Bake bread")
    alice.create("Milkshake", description="")

    assert find(search="milk") == ["Buy milk", "Milkshake"]
    assert find(search="bread milk") == ["Buy milk"]
    assert find(search="  MILK\tbuy ") == ["Buy milk"]
    assert find(search="milk buyand") == []
    assert find(search="rea") == ["Buy milk", "Bake bread"]


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("École", "é"),
        ("école", "É"),
        ("e\u0301cole", "É"),
        ("Straße", "STRASSE"),
        ("STRASSE", "ß"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ﬁnd", "FIND"),
        ("日本語", "本"),
        ("50% off", "50%"),
        ("snake_case", "e_c"),
        ('it\'s "quoted"', '"quoted"'),
        ("it's", "'s"),
        ("back\\slash", "\\"),
        ("party 🎉", "🎉"),
        ("a,b;c", ",b;"),
    ],
)
def test_search_takes_characters_as_they_are_but_for_their_case(alice, find, text, search):
    alice.create(text)
    alice.create("description only", description=f"x {text} y")
    alice.create("axb 50 snakexcase")

    assert find(search=search) == [text, "description only"]


def test_no_word_reaches_from_the_title_into_the_description(alice, find):
    alice.create("ab", description="cd")

    assert find(search="bc") == []


@pytest.fixture
def due(alice):
    """Tasks that are due around the 31st of December, titled by their due dates."""
    for due_date in (
        "2026-12-30",
        "2026-12-30T22:59:59.999Z",
        "2026-12-30T23:00:00.000Z",
        "2026-12-31",
        "2026-12-31T22:59:59.999Z",
        "2026-12-31T23:00:00.000Z",
        "2027-01-01",
        None,
    ):
        alice.create(str(due_date), due_date=due_date)


def test_dates_bound_dates_by_the_calendar_and_instants_by_midnight_in_the_zone(due, find):
    berlin = {"due_after": "2026-12-31", "due_before": "2027-01-01", "tz": "Europe/Berlin"}

    assert find(**berlin) == [
        "2026-12-30T23:00:00.000Z",
        "2026-12-31",
        "2026-12-31T22:59:59.999Z",
    ]
    assert find(**{**berlin, "tz": "UTC"}) == [
        "2026-12-31",
        "2026-12-31T22:59:59.999Z",
        "2026-12-31T23:00:00.000Z",
    ]


def test_instants_bound_instants_by_the_clock_and_dates_by_their_midnight_in_the_zone(due, find):
    after = {"due_after": "2026-12-30T23:00:00Z"}

    assert find(**after, tz="Europe/Berlin") == [
        "2026-12-30T23:00:00.000Z",
        "2026-12-31",
        "2026-12-31T22:59:59.999Z",
        "2026-12-31T23:00:00.000Z",
        "2027-01-01",
    ]
    assert find(due_after="2026-12-30T23:00:00.001Z", tz="Europe/Berlin") == [
        "2026-12-31T22:59:59.999Z",
        "2026-12-31T23:00:00.000Z",
        "2027-01-01",
    ]
    assert find(due_before="2026-12-30T23:00:00Z", tz="Europe/Berlin") == [
        "2026-12-30",
        "2026-12-30T22:59:59.999Z",
    ]


def test_due_after_includes_and_due_before_excludes(due, find):
    same = "2026-12-31T22:59:59.999Z"

    assert same in find(due_after=same)
    assert same not in find(due_before=same)
    assert find(due_after=same, due_before=same) == []
    assert "2026-12-31" in find(due_after="2026-12-31")
    assert "2026-12-31" not in find(due_before="2026-12-31")


@pytest.mark.parametrize("bound", ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z",
                                   "9999-12-31T23:59:59.999Z"])  # fmt: skip
@pytest.mark.parametrize("tz", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_bounds_at_the_ends_of_the_calendar_are_bounds(due, find, bound, tz):
    later, earlier = find(due_after=bound, tz=tz), find(due_before=bound, tz=tz)

    assert len(later) == (7 if bound.startswith("0001") else 0)
    assert len(later) + len(earlier) == 7


def test_completion_is_bounded_by_its_moment(alice, find):
    alice.create("open")
    done = [alice.create(f"done {number}", completed=True) for number in range(2)]
    alice("PATCH", "2/complete")
    second = alice("PATCH", "2/complete").json()["completed_at"]

    assert find(completed_after="2020-01-01T00:00:00Z") == ["done 0", "done 1"]
    assert "done 0" in find(completed_after=second)
    assert "done 0" not in find(completed_before=second)
    assert find(completed_before=done[1]["completed_at"], completed_after=second) == []
    assert find(completed_after="2099-01-01T00:00:00+14:00") == []


def test_updated_since_takes_an_instant_or_a_revision(alice, find):
    for title in ("first", "second", "third"):
        alice.create(title)
    revision = alice("GET", "").json()["revision"]
    changed = alice("PATCH", "1", json={"priority": "high"}).json()

    assert find(updated_since=revision) == ["first"]
    assert find(updated_since=2) == ["first", "third"]
    assert find(updated_since=0) == ["first", "second", "third"]
    assert find(updated_since=changed["revision"]) == []
    assert "first" in find(updated_since=changed["updated_at"])
    assert find(updated_since="2020-01-01T00:00:00Z") == ["first", "second", "third"]
    assert find(updated_since="2099-01-01T00:00:00Z") == []


def test_filters_narrow_each_other(alice, find):
    fits = {"priority": "high", "tags": ["work"], "due_date": "2026-12-31", "completed": True}
    alice.create("milk: all", **fits)
    for field, other in (
        ("priority", "low"),
        ("tags", ["home"]),
        ("due_date", None),
        ("completed", False),
    ):
        alice.create(f"milk: not {field}", **{**fits, field: other})
    alice.create("not even that", **fits)

    query = {
        "status": "completed",
        "completed": "true",
        "priority": ["high", "medium"],
        "tag": "work",
        "search": "milk",
        "due_after": "2026-12-01",
        "due_before": "2027-01-01",
        "completed_after": "2020-01-01T00:00:00Z",
        "updated_since": "0",
    }
    assert find(**query) == ["milk: all"]
    without = {name: {k: v for k, v in query.items() if k != name} for name in query}
    assert find(**without["search"]) == ["milk: all", "not even that"]
    assert find(**without["tag"]) == ["milk: all", "milk: not tags"]
    assert find(**without["priority"]) == ["milk: all", "milk: not priority"]


def test_deleted_tasks_pass_no_filter(alice, find):
    alice.create("milk", tags=["work"], due_date="2026-12-31", priority="high")
    alice("DELETE", "1")

    for query in (
        {"tag": "work"},
        {"search": "milk"},
        {"due_after": "2026-01-01"},
        {"priority": "high"},
        {"updated_since": 0},
    ):
        assert find(**query) == []


def test_filters_find_nobody_elses_tasks(bob, find):
    bob.create("milk", tags=["work"], due_date="2026-12-31", priority="high")

    assert find(tag="work") == find(search="milk") == find(priority="high") == []


@pytest.mark.parametrize(
    ("query", "parameter", "code", "detail"),
    [
        ("priority=urgent", "priority", "not_in_enum",
         "is not one of: low, medium, high; did you mean 'high'?"),
        ("priority=Medium", "priority", "not_in_enum",
         "is not one of: low, medium, high; did you mean 'medium'?"),
        ("priority=", "priority", "not_in_enum", f"is not one of: low, medium, high{LEFT_OUT}"),
        ("priority=low" + "&priority=high" * 3, "priority", "too_many", "has more than 3 items"),
        ("list=", "list", "format", f"{PLACE}{LEFT_OUT}"),
        ("list=inbox", "list", "format", PLACE),
        ("list=1&list=None", "list", "format", PLACE),
        ("list=0", "list", "format", PLACE),
        ("list=-1", "list", "format", PLACE),
        ("list=007", "list", "format", PLACE),
        ("list=1.0", "list", "format", PLACE),
        ("list=%D9%A1", "list", "format", PLACE),
        ("list=9007199254740992", "list", "format", PLACE),
        ("list=1" + "&list=none" * 20, "list", "too_many", "has more than 20 items"),
        ("parent=null", "parent", "format", PLACE),
        ("parent=0", "parent", "format", PLACE),
        ("parent=9007199254740992", "parent", "format", PLACE),
        ("parent=" + "9" * 17, "parent", "format", PLACE),
        ("tag=", "tag", "too_short", f"is shorter than 1 character{LEFT_OUT}"),
        ("tag=" + "x" * 51, "tag", "too_long", "is longer than 50 characters"),
        ("tag=%0A", "tag", "pattern",
         "must have a character that is not a space, and no control characters"),
        ("tag=a" + "&tag=b" * 20, "tag", "too_many", "has more than 20 items"),
        ("search=", "search", "format", f"must have 1 to 10 words{LEFT_OUT}"),
        ("due_before=", "due_before", "format", f"{DUE}{LEFT_OUT}"),
        ("search=%20", "search", "format", "must have 1 to 10 words"),
        ("search=%1F", "search", "format", "must have 1 to 10 words"),
        ("search=" + "+".join("abcdefghijk"), "search", "format", "must have 1 to 10 words"),
        ("search=a%00", "search", "pattern",
         "must have a character that is not a space, and no NUL"),
        ("search=" + "x" * 201, "search", "too_long", "is longer than 200 characters"),
        ("due_after=2026-02-30", "due_after", "format", DUE),
        ("due_before=2026-12-31T17:00", "due_before", "format", DUE),
        ("completed_after=2026-12-31", "completed_after", "format", INSTANT),
        ("completed_before=2026-12-31T17:00:00.0", "completed_before", "format", INSTANT),
        ("updated_since=2026-12-31", "updated_since", "format", SINCE),
        ("updated_since=-1", "updated_since", "format", SINCE),
        ("updated_since=01", "updated_since", "format", SINCE),
        ("updated_since=9007199254740992", "updated_since", "format", SINCE),
        ("view=tomorrow", "view", "not_in_enum",
         "is not one of: today, upcoming, overdue, undated"),
        ("tz=CEST", "tz", "format", ZONE),
        ("tz=europe/berlin", "tz", "format", ZONE),
        ("tz=%2B02:00", "tz", "format", ZONE),
        ("view=today&tz=", "tz", "format", f"{ZONE}{LEFT_OUT}"),
        ("total=no", "total", "type", 'is not of type "boolean"; did you mean \'false\'?'),
        ("sort=asc", "sort", "not_in_enum",
         f"is not one of: {SORTS}; did you mean 'order=asc'?"),
        ("status=overdue", "status", "not_in_enum",
         "is not one of: all, pending, completed; did you mean 'view=overdue'?"),
        ("cursor=", "cursor", "format", f"is not a cursor{LEFT_OUT}"),
        ("cursor=next", "cursor", "format", "is not a cursor"),
    ],
    ids=lambda value: value[:30],
)  # fmt: skip
def test_a_filter_that_is_against_the_contract_is_named(alice, query, parameter, code, detail):
    response = alice("GET", f"?{query}")

    assert in_query(parameter, code, detail) in refusal(response)["errors"]
    assert {error.get("parameter") for error in response.json()["errors"]} == {parameter}


def test_only_repeatable_filters_may_be_repeated(alice):
    response = alice("GET", "?search=a&search=b")

    assert refusal(response)["code"] == "repeated_parameter"
    assert refusal(alice("GET", "?parent=1&parent=2"))["code"] == "repeated_parameter"
    several = "?tag=a&tag=b&priority=low&priority=high&list=1&list=2"
    assert alice("GET", several).json() == a_page([])


def test_a_list_of_a_user_who_never_wrote_is_empty_whatever_narrows_it(alice):
    for query in ("?search=x", "?tag=x", "?view=overdue", "?sort=due_date", "?sort=priority",
                  "?list=none", "?list=1", "?parent=none", "?parent=1&sort=position"):  # fmt: skip
        assert alice("GET", query).json() == a_page([])
    assert alice("GET", "?total=false").json() == a_page([], total=None)


def test_the_contradictions_of_status_and_completed_stay_contradictions(alice):
    response = alice("GET", "?view=overdue&status=pending&completed=true")

    wrong = in_query("completed", "contradiction", "contradicts status=pending")
    assert refusal(response) == invalid(alice.tasks, wrong)
