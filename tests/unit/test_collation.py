"""How titles compare: `todo.services.collation`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.models import TITLE_KEY_LENGTH
from todo.services.collation import fold, title_key

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
