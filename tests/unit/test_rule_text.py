"""Rules in plain English: `todo.recurrence.english`."""

from datetime import date
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.generated_rules import rules
from todo.recurrence.days import days_after
from todo.recurrence.english import MAX_TEXT, recurrence_text
from todo.recurrence.rules import Rule


def text(rule: str, origin: str = "due") -> str:
    return recurrence_text(Rule.parse(rule), origin)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=3", "every 3 days"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=DAILY;BYDAY=SA,SU", "every day, only on Saturday and Sunday"),
        ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", "every 2 days, only on Monday"),
        ("FREQ=WEEKLY", "every week"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=WEEKLY;BYDAY=FR,MO,WE", "every week on Monday, Wednesday and Friday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "every 2 weeks on Monday and Thursday"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=SU",
            "every 2 weeks on Monday and Thursday, with weeks that begin on Sunday",
        ),
        ("FREQ=WEEKLY;BYDAY=MO;WKST=SU", "every week on Monday"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "every 2 weeks"),
        ("FREQ=MONTHLY", "every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=15,-1", "every month on day 15 and the last day"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", "every month on the second to last day"),
        ("FREQ=MONTHLY;BYMONTHDAY=-21", "every month on the 21st to last day"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-11,-22",
            "every month on the 22nd to last day and the 11th to last day",
        ),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYDAY=MO,2TU", "every month on every Monday and the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "every month on day 13, if that is a Friday"),
        (
            "FREQ=MONTHLY;BYDAY=SA,SU,1MO;BYMONTHDAY=1,2",
            "every month on day 1 and day 2, if that is a Saturday, a Sunday or the first Monday",
        ),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday"),
        (
            "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1,-1",
            "every month on the first weekend day and the last weekend day",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,FR;BYSETPOS=3",
            "every month on every Monday and every Friday, only the third of these days in a month",
        ),
        ("FREQ=MONTHLY;BYMONTH=3,6", "every month, only in March and June"),
        (
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1;BYMONTH=3,6",
            "every 2 months on day 1, only in March and June",
        ),
        ("FREQ=YEARLY", "every year"),
        ("FREQ=YEARLY;INTERVAL=4", "every 4 years"),
        ("FREQ=YEARLY;BYMONTH=1,2,3", "every year in January, February and March"),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "every year in December on day 24"),
        (
            "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU;COUNT=10",
            "every year in March on the second Sunday, 10 times",
        ),
        (
            "FREQ=YEARLY;BYMONTH=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
            "every year in March on the first weekday",
        ),
        (
            "FREQ=YEARLY;BYMONTH=3,4;BYDAY=MO;BYSETPOS=1,-1",
            (
                "every year in March and April on every Monday, only the first and the last of "
                "these days in a year"
            ),
        ),
        (
            "FREQ=YEARLY;BYMONTH=3,4;BYSETPOS=366",
            "every year in March and April, only the 366th of these days in a year",
        ),
        ("FREQ=DAILY;COUNT=1", "every day, once"),
        ("FREQ=DAILY;COUNT=2", "every day, 2 times"),
        ("FREQ=DAILY;UNTIL=20261231", "every day, until 31 December 2026"),
        ("FREQ=DAILY;UNTIL=20270101T170000Z", "every day, until 1 January 2027 at 17:00 UTC"),
        ("FREQ=DAILY;UNTIL=20270101T170005Z", "every day, until 1 January 2027 at 17:00:05 UTC"),
    ],
)
def test_a_rule_reads_as_a_person_says_it(rule: str, expected: str):
    assert text(rule) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", "every 3 days after completion"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every weekday after completion"),
        (
            "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=5",
            "every week after completion on Monday and Thursday, 5 times",
        ),
        ("FREQ=YEARLY;BYMONTH=3", "every year after completion in March"),
    ],
)
def test_a_rule_that_counts_from_completion_says_so(rule: str, expected: str):
    assert text(rule, "completion") == expected


LISTS = {
    "INTERVAL": ["", "2", "3"],
    "BYDAY": ["", "MO", "TU", "MO,TU", "MO,TU,WE,TH,FR", "SA,SU", "MO,TU,WE,TH,FR,SA,SU"],
    "ORDINALS": ["1MO", "-1MO", "MO,1MO", "MO,2TU", "1MO,1TU", "-2FR"],
    "BYMONTHDAY": ["", "1", "-1", "1,-1", "2", "-2", "13", "1,2,3,4,5,6,7"],
    "BYMONTH": ["", "3", "3,6", "6"],
    "BYSETPOS": ["", "1", "-1", "1,-1", "2", "-2"],
    "WKST": ["", "MO", "SU"],
}


def combined(freq: str, *names: str, ordinals: bool = False) -> list[str]:
    lists = dict(LISTS)
    if ordinals:
        lists["BYDAY"] = LISTS["BYDAY"] + LISTS["ORDINALS"]
    made = []
    for values in product(*(lists[name] for name in names)):
        parts = [f"{n}={v}" for n, v in zip(names, values, strict=True) if v]
        made.append(";".join([f"FREQ={freq}", *parts]))
    return made


def accepted(made: list[str]) -> list[Rule]:
    return [Rule.parse(one) for one in made if "BYSETPOS" not in one or one.count("BY") > 1]


MONTHLY = combined(
    "MONTHLY", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", ordinals=True
)
YEARLY = [
    one.replace("MONTHLY", "YEARLY")
    for one in MONTHLY
    if "BYMONTH=" in one or not ("BYDAY" in one or "BYMONTHDAY" in one)
]
GENERATED = accepted(
    [
        *combined("DAILY", "INTERVAL", "BYDAY"),
        *combined("WEEKLY", "INTERVAL", "BYDAY", "WKST"),
        *MONTHLY,
        *YEARLY,
    ]
)
STARTS = [date(2027, 1, 31), date(2027, 3, 7), date(2028, 2, 29)]
"""The ends of months, and a Sunday."""


def meaning(rule: Rule) -> list[list[date]]:
    """The first days from several starts."""
    return [list(islice(days_after(rule, start, start), 12)) for start in STARTS]


def test_rules_that_mean_different_things_have_different_texts():
    by_text: dict[str, list[Rule]] = {}
    for rule in GENERATED:
        by_text.setdefault(recurrence_text(rule), []).append(rule)

    assert len(by_text) > len(GENERATED) * 0.9
    for said, those in by_text.items():
        first, *others = (meaning(rule) for rule in those) if len(those) > 1 else [[]]
        assert all(other == first for other in others), (said, *map(str, those))


ends = st.sampled_from(
    ["", "COUNT=1", "COUNT=2", "UNTIL=20270101", "UNTIL=20270101T000000Z", "UNTIL=20270101T000001Z"]
)


@given(ends, ends)
def test_rules_that_end_otherwise_have_different_texts(one, other):
    said = [text(f"FREQ=DAILY;{end}".rstrip(";")) for end in (one, other)]
    assert (said[0] == said[1]) == (one == other)


@given(rules, st.sampled_from(["due", "completion"]))
def test_a_text_is_one_plain_phrase(rule, origin):
    said = text(rule, origin)

    assert said.startswith("every ")
    assert (" after completion" in said) == (origin == "completion")
    assert said.isascii()
    assert "  " not in said
    assert " ," not in said
    assert len(said) <= MAX_TEXT


@pytest.mark.parametrize(
    "values",
    [
        "BYDAY=" + ",".join(f"-{n}{day}" for n in (2, 3, 4, 5) for day in ("WE", "TH", "SA", "TU")),
        "BYDAY="
        + ",".join(f"-{n}{d}" for n in range(2, 6) for d in ("MO", "WE", "TH", "SA", "SU")),
        "BYMONTHDAY=" + ",".join(f"-{n}" for n in range(1, 32)),
        "BYMONTHDAY=" + ",".join(f"-{n}" for n in range(2, 32)) + ";BYDAY=-2WE,-3WE,-4WE,-5WE,-2TH",
    ],
)
def test_the_longest_texts_are_within_bounds(values):
    rule = f"FREQ=MONTHLY;{values}"
    assert len(rule) > 90
    assert len(text(rule, "completion")) <= MAX_TEXT
