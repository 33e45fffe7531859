"""How titles compare: `todo.values.text_keys`."""

import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.models import TITLE_KEY_LENGTH
from todo.values.text_keys import (
    are_unique,
    email_key,
    fold,
    search_key,
    tag_in_key,
    tags_key,
    title_key,
    words,
)

# Dotless i is the one letter whose capital (I) is another letter's capital too.
LETTERS = st.characters(categories=("L", "N", "P", "S", "Z"), exclude_characters="\u0131")


INVISIBLE = "\u00ad\u034f\u200b\u200c\u200d\u2060\ufe0f\ufeff\U000e0067"
MARKED = st.text(st.sampled_from(f"iIİ\u0131jíÍsßab \u0301\u0307\u0323\u0327\u0345{INVISIBLE}"))


@given(st.text() | MARKED)
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


def test_folding_every_character_twice_changes_nothing_and_leaves_nothing_invisible():
    every = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]

    assert [one for one in every if fold(fold(one)) != fold(one)] == []
    assert {one for one in every if not fold(one)} == set(ignorable())


def ignorable() -> Iterator[str]:
    """The characters of Default_Ignorable_Code_Point (Unicode 16.0, DerivedCoreProperties.txt)."""
    ranges = """00AD 034F 061C 115F..1160 17B4..17B5 180B..180D 180E 180F 200B..200F 202A..202E
        2060..2064 2065 2066..206F 3164 FE00..FE0F FEFF FFA0 FFF0..FFF8 1BCA0..1BCA3 1D173..1D17A
        E0000 E0001 E0002..E001F E0020..E007F E0080..E00FF E0100..E01EF E01F0..E0FFF"""
    for one in ranges.split():
        first, _, last = one.partition("..")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


@given(st.text(alphabet=LETTERS), st.data())
def test_a_character_that_nobody_sees_hides_no_word(text, data):
    place = data.draw(st.integers(0, len(text)))
    hidden = f"{text[:place]}{data.draw(st.sampled_from(INVISIBLE))}{text[place:]}"

    assert fold(hidden) == fold(text)


def test_an_e_mail_with_an_ignorable_character_is_another_one():
    assert email_key("Alice@Example.com") == "alice@example.com"
    assert email_key("al\u200bice@example.com") != "alice@example.com"


@given(st.text(alphabet=LETTERS))
def test_case_does_not_count(text):
    assert fold(text.upper()) == fold(text.lower()) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("é", "e\u0301"),
        ("ﬁn", "FIN"),
        ("\uff21", "a"),
        ("ΣΑΣ", "σας"),
        ("\u212b", "å"),
        ("Ⅳ", "iv"),
        ("İstanbul", "istanbul"),
        ("İSTANBUL", "ISTANBUL"),
        ("i\u0307", "i"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u062e"),
        ("Donau\u00addampfer", "donaudampfer"),
        ("❤\ufe0f", "❤"),
        ("mi\u200blk", "milk"),
        ("👨\u200d👩\u200d👧", "👨👩👧"),
    ],
)
def test_forms_of_the_same_text_are_equal(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("e", "é"), ("o", "ö"), ("a b", "ab"), ("1", "l")])
def test_different_texts_stay_different(one, other):
    assert fold(one) != fold(other)


@given(st.text(max_size=200))
def test_a_title_key_fits_its_column(title):
    assert len(title_key(title)) <= TITLE_KEY_LENGTH
    assert fold(title).startswith(title_key(title))


def test_a_title_key_is_cut_after_folding():
    assert title_key("\ufdfa" * 200) == fold("\ufdfa" * 200)[:200]


TAGS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=50)


@given(st.lists(TAGS, max_size=20), TAGS)
def test_a_key_of_tags_has_a_tag_exactly_when_it_is_one_of_them(tags, tag):
    assert (tag_in_key(tag) in tags_key(tags)) == (fold(tag) in map(fold, tags))


@given(st.lists(TAGS, max_size=5))
def test_tags_are_unique_when_no_two_fold_alike(tags):
    assert are_unique(tags) == (len(set(map(fold, tags))) == len(tags))


@given(st.text(), st.text())
def test_every_word_of_a_text_is_found_in_it_whatever_its_case(title, description):
    key = search_key(title, description)

    assert all(word in key for word in words(title) + words(description))


@given(st.text())
def test_no_word_has_a_space_in_it_so_none_reaches_from_the_title_into_the_description(text):
    assert all(not any(character.isspace() for character in word) for word in words(text))


def test_words_are_counted_once_and_blank_ones_not_at_all():
    assert words("  milk MILK\u00a0bread\t") == ["bread", "milk"]
    assert words(" ") == []
