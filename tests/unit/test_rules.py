"""Rules of recurrence, parsed and written: `todo.recurrence.rules`."""

import pytest
from hypothesis import given

from tests.unit.generated_rules import rules
from todo.recurrence.parts import ByDay
from todo.recurrence.rules import Rule, RuleError


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(RuleError) as caught:
        Rule.parse(text)
    return caught.value.code, caught.value.detail


def test_a_rule_holds_what_its_parts_say():
    text = (
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,-1FR;BYMONTHDAY=15,-1;BYMONTH=3,6;BYSETPOS=1,-1;COUNT=5"
    )
    assert Rule.parse(text) == Rule(
        freq="MONTHLY",
        interval=2,
        by_day=(ByDay(0, 0), ByDay(-1, 4)),
        by_month_day=(15, -1),
        by_month=(3, 6),
        by_set_pos=(1, -1),
        count=5,
    )


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("freq=daily", "FREQ=DAILY"),
        ("INTERVAL=1;FREQ=DAILY", "FREQ=DAILY"),
        ("FREQ=DAILY;INTERVAL=007", "FREQ=DAILY;INTERVAL=7"),
        ("COUNT=0010;FREQ=DAILY", "FREQ=DAILY;COUNT=10"),
        (
            "WKST=su;BYDAY=th,mo;INTERVAL=2;FREQ=weekly",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=SU",
        ),
        ("FREQ=WEEKLY;WKST=MO", "FREQ=WEEKLY;WKST=MO"),
        ("FREQ=WEEKLY;BYDAY=MO,MO,SU,MO", "FREQ=WEEKLY;BYDAY=MO,SU"),
        ("FREQ=MONTHLY;BYDAY=-1FR,+2MO,01TU,MO", "FREQ=MONTHLY;BYDAY=MO,1TU,2MO,-1FR"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,+03,15,-2,3", "FREQ=MONTHLY;BYMONTHDAY=3,15,-2,-1"),
        ("FREQ=YEARLY;BYMONTH=12,03,3", "FREQ=YEARLY;BYMONTH=3,12"),
        (
            "BYSETPOS=-1,+001;BYMONTH=2;BYDAY=MO;FREQ=YEARLY",
            "FREQ=YEARLY;BYDAY=MO;BYMONTH=2;BYSETPOS=1,-1",
        ),
        ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231"),
        ("FREQ=DAILY;until=20261231t170005z", "FREQ=DAILY;UNTIL=20261231T170005Z"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU"),
    ],
)
def test_a_rule_is_written_in_one_form(text: str, normalised: str):
    assert str(Rule.parse(text)) == normalised


@given(rules)
def test_a_written_rule_is_the_same_rule_and_stays_as_it_is(text):
    rule = Rule.parse(text)

    assert Rule.parse(str(rule)) == rule
    assert str(Rule.parse(str(rule))) == str(rule)
    assert len(str(rule)) <= len(text)


@given(rules)
def test_order_and_case_of_what_is_given_make_no_difference(text):
    backwards = ";".join(reversed(text.split(";"))).lower()
    assert Rule.parse(backwards) == Rule.parse(text)


NO_TIMES = "is not taken: a rule has days, no times"
UNTIL = "UNTIL is a date (20261231) or an instant in UTC (20261231T170000Z)"
BYDAY = (
    "BYDAY is a list of MO, TU, WE, TH, FR, SA and SU, each with an ordinal (1 to 5, -5 to -1) or "
    "none"
)
BYMONTHDAY = "BYMONTHDAY is a list of numbers from 1 to 31 and from -31 to -1"
BYMONTH = "BYMONTH is a list of numbers from 1 to 12"
BYSETPOS = "BYSETPOS is a list of at most 10 numbers from 1 to 366 and from -366 to -1"
EMPTY = "A rule has a part before and behind each semicolon: one is empty"
CHARACTERS = "A rule is written like FREQ=WEEKLY;BYDAY=MO,TH, without white space"
UNKNOWN = (
    "A rule has no parts but FREQ, UNTIL, COUNT, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, "
    "WKST"
)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", EMPTY),
        ("FREQ=DAILY;", EMPTY),
        (";FREQ=DAILY", EMPTY),
        ("FREQ=DAILY;;COUNT=2", EMPTY),
        ("FREQ=DAILY;COUNT", "Each part of a rule is a name, = and a value"),
        ("RRULE:FREQ=DAILY", "RRULE: is not part of a rule: leave it out"),
        ("rrule:FREQ=DAILY", "RRULE: is not part of a rule: leave it out"),
        (" FREQ=DAILY", CHARACTERS),
        ("FREQ=DAILY\n", CHARACTERS),
        ("FREQ=WEEKLY;BYDAY=MO, TU", CHARACTERS),
        ("FREQ=DAILY;INTERVAL=\u0662", CHARACTERS),  # an Arabic 2
        ("FREQ=DAILY;UNT\u0131L=20261231", CHARACTERS),  # its capital is an I
        ("FREQ=WEEKLY;BYDAY=\u017fU", CHARACTERS),  # its capital is an S
        ("FREQ=DAILY;COLOR=RED", UNKNOWN),
        ("FREQ=DAILY;X-COLOR=RED", UNKNOWN),
        ("FREQ=DAILY;=1", UNKNOWN),
        ("FREQ=FORTNIGHTLY", "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=", "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is 1 to 999"),
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL is 1 to 999"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL is 1 to 999"),
        ("FREQ=DAILY;INTERVAL=+1", "INTERVAL is 1 to 999"),
        ("FREQ=DAILY;INTERVAL=1.5", "INTERVAL is 1 to 999"),
        ("FREQ=DAILY;INTERVAL=1_0", "INTERVAL is 1 to 999"),
        ("FREQ=DAILY;INTERVAL=", "INTERVAL is 1 to 999"),
        ("FREQ=DAILY;COUNT=0", "COUNT is 1 to 999"),
        ("FREQ=DAILY;COUNT=1000", "COUNT is 1 to 999"),
        ("FREQ=DAILY;UNTIL=2026-12-31", UNTIL),
        ("FREQ=DAILY;UNTIL=20260230", UNTIL),
        ("FREQ=DAILY;UNTIL=00000101", UNTIL),
        ("FREQ=DAILY;UNTIL=20261231T170000", UNTIL),
        ("FREQ=DAILY;UNTIL=20261231T240000Z", UNTIL),
        ("FREQ=DAILY;UNTIL=20261231T235960Z", UNTIL),
        ("FREQ=DAILY;UNTIL=20261231Z", UNTIL),
        ("FREQ=WEEKLY;BYDAY=", BYDAY),
        ("FREQ=WEEKLY;BYDAY=MO,", BYDAY),
        ("FREQ=WEEKLY;BYDAY=MONDAY", BYDAY),
        ("FREQ=MONTHLY;BYDAY=0MO", BYDAY),
        ("FREQ=MONTHLY;BYDAY=6MO", BYDAY),
        ("FREQ=MONTHLY;BYDAY=-6MO", BYDAY),
        ("FREQ=MONTHLY;BYDAY=001MO", BYDAY),
        ("FREQ=MONTHLY;BYDAY=+MO", BYDAY),
        ("FREQ=MONTHLY;BYMONTHDAY=0", BYMONTHDAY),
        ("FREQ=MONTHLY;BYMONTHDAY=32", BYMONTHDAY),
        ("FREQ=MONTHLY;BYMONTHDAY=-32", BYMONTHDAY),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=0", BYMONTH),
        ("FREQ=MONTHLY;BYMONTH=13", BYMONTH),
        ("FREQ=MONTHLY;BYMONTH=-1", BYMONTH),
        ("FREQ=MONTHLY;BYMONTH=+1", BYMONTH),
        ("FREQ=MONTHLY;BYMONTH=1;BYSETPOS=0", BYSETPOS),
        ("FREQ=MONTHLY;BYMONTH=1;BYSETPOS=367", BYSETPOS),
        ("FREQ=MONTHLY;BYMONTH=1;BYSETPOS=1,2,3,4,5,6,7,8,9,10,11", BYSETPOS),
        ("FREQ=WEEKLY;WKST=1MO", "WKST is MO, TU, WE, TH, FR, SA or SU"),
    ],
)
def test_what_is_not_written_as_a_rule_is_refused_by_name(text: str, detail: str):
    assert refusal(text) == ("format", detail)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("FREQ=SECONDLY", f"FREQ=SECONDLY {NO_TIMES}"),
        ("FREQ=HOURLY;INTERVAL=2", f"FREQ=HOURLY {NO_TIMES}"),
        ("FREQ=DAILY;BYHOUR=9", f"BYHOUR {NO_TIMES}"),
        ("FREQ=DAILY;byminute=0", f"BYMINUTE {NO_TIMES}"),
        ("FREQ=YEARLY;BYYEARDAY=1", "BYYEARDAY is not taken: use BYMONTH with BYMONTHDAY"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not taken: use BYMONTH with BYDAY"),
        ("FREQ=MONTHLY;SKIP=OMIT", "SKIP is not taken: rules are of the Gregorian calendar"),
        ("FREQ=DAILY;BYMONTH=1", "BYMONTH is not taken with FREQ=DAILY"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=2", "BYSETPOS is not taken with FREQ=DAILY"),
        ("FREQ=DAILY;WKST=MO", "WKST is not taken with FREQ=DAILY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY is not taken with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;WKST=MO", "WKST is not taken with FREQ=MONTHLY"),
        ("FREQ=YEARLY;BYDAY=1MO", "BYDAY is taken with FREQ=YEARLY beside BYMONTH"),
        ("FREQ=YEARLY;BYMONTHDAY=1", "BYMONTHDAY is taken with FREQ=YEARLY beside BYMONTH"),
    ],
)
def test_what_rfc_5545_has_and_the_api_has_not_is_refused_by_name(text: str, detail: str):
    assert refusal(text) == ("unsupported", detail)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is given twice"),
        ("FREQ=DAILY;count=2;COUNT=2", "COUNT is given twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261231", "COUNT and UNTIL are not taken together"),
        (
            "FREQ=MONTHLY;BYSETPOS=1",
            "BYSETPOS is given without a BY* part to choose from",
        ),
        (
            "FREQ=WEEKLY;BYDAY=1MO",
            "BYDAY has no ordinals with FREQ=WEEKLY: they count the weekdays of a month",
        ),
        (
            "FREQ=DAILY;BYDAY=MO,-1SU",
            "BYDAY has no ordinals with FREQ=DAILY: they count the weekdays of a month",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_refused_by_name(text: str, detail: str):
    assert refusal(text) == ("contradiction", detail)


def test_a_rule_without_freq_is_refused():
    assert refusal("COUNT=2") == ("required", "FREQ is missing")


def test_a_rule_has_at_most_200_characters():
    longest = f"FREQ=DAILY;INTERVAL={'0' * 179}7"
    assert len(longest) == 200
    assert str(Rule.parse(longest)) == "FREQ=DAILY;INTERVAL=7"
    assert refusal(longest.replace("7", "07")) == (
        "too_long",
        "A rule has at most 200 characters",
    )


@pytest.mark.parametrize(
    "text",
    ["FREQ=DAILY;INTERVAL=3", "FREQ=YEARLY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY;BYMONTHDAY=-1"],
)
def test_a_rule_with_an_interval_or_with_by_parts_counts_from_completion(text: str):
    Rule.parse(text).check_completion()


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=3",
    ],
)
def test_a_rule_with_both_does_not(text: str):
    with pytest.raises(RuleError) as caught:
        Rule.parse(text).check_completion()
    assert (caught.value.code, caught.value.detail) == (
        "contradiction",
        "INTERVAL is 1 where a rule with a BY* part counts from completion",
    )
