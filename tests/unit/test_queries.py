"""Query parameters as one typed object: `todo.http.contract.queries`."""

from dataclasses import dataclass

import pytest

from todo.http.contract import ContractError
from todo.http.contract.parameters import Parameter
from todo.http.contract.queries import QueryObject


@dataclass(frozen=True)
class Query:
    limit: int
    needed: str
    search: str | None


@dataclass(frozen=True)
class Caller:
    id: str


LIMIT = Parameter({"name": "limit", "schema": {"type": "integer", "default": 3}})
NEEDED = Parameter({"name": "needed", "required": True, "schema": {"type": "string"}})
NEEDED_SEARCH = Parameter({"name": "search", "required": True, "schema": {"type": "string"}})
OTHER = Parameter({"name": "x", "schema": {"type": "string"}})
BARE_LIMIT = Parameter({"name": "limit", "schema": {"type": "integer"}})
SEARCH = Parameter({"name": "search", "schema": {"type": "string"}})


def list_things(user: Caller, query: Query) -> None:
    """A handler that takes a query."""


def get_thing(user: Caller, thing_id: int, tz: str) -> None:
    """A handler that takes none."""


def asked_for(handler):
    return QueryObject.of(handler, given={"user", "thing_id"})


def test_the_class_is_the_annotation_of_an_argument_that_the_contract_does_not_give():
    assert asked_for(list_things) == QueryObject("list_things", "query", Query)
    assert asked_for(get_thing) is None


def test_an_annotation_may_be_a_text():
    def list_later(query: "Query") -> None: ...

    assert asked_for(list_later) == QueryObject("list_later", "query", Query)


def test_the_values_of_the_parameters_become_one_argument():
    values = {"limit": 3, "needed": "x", "search": None}

    assert asked_for(list_things).arguments(values) == {"query": Query(**values)}


def test_fields_that_are_the_parameters_are_in_order():
    asked_for(list_things).check([SEARCH, NEEDED, LIMIT])


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ([NEEDED, SEARCH], "has fields that are no query parameters: ['limit']"),
        ([LIMIT, NEEDED, SEARCH, OTHER], "has no field for the query parameters ['x']"),
        ([BARE_LIMIT, NEEDED, SEARCH], "must allow None as 'limit', going by the query parameter"),
        (
            [LIMIT, NEEDED, NEEDED_SEARCH],
            "must not allow None as 'search', going by the query parameter",
        ),
    ],
)
def test_other_fields_are_a_broken_contract(parameters, wrong):
    with pytest.raises(ContractError) as broken:
        asked_for(list_things).check(parameters)

    assert str(broken.value) == f"Query, which list_things takes, {wrong}"
