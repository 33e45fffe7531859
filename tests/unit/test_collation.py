"""How titles compare: `todo.services.collation`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.models import TITLE_KEY_LENGTH
from todo.services.collation import (
    are_unique,
    fold,
    search_key,
    tag_in_key,
    tags_key,
    title_key,
    words,
)

# Dotless i is the one letter whose capital (I) is another letter's capital too.
LETTERS = st.characters(categories=("L", "N", "P", "S", "Z"), exclude_characters="\u0131")


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


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
