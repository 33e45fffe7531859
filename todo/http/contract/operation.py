"""One operation of the contract, compiled: from a request to the typed arguments of its handler."""

import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

import orjson

from todo.auth.user import User
from todo.http.contract.parameters import HeaderChecker, Parameter, QueryParser
from todo.http.contract.queries import QueryObject
from todo.http.contract.schemas import Schema
from todo.http.request import BODY
from todo.problems import Problem, validation_failed

OWNER: Final = "user_id"
"""The path parameter that the security handler compares with the token; handlers get ``user``."""

CLOSED: Final = "/api/"
"""Below here a query is the contract's. Elsewhere tools add to a link what they like, and an
operation without query parameters looks at none."""

_EMPTY: Final = re.compile(rb"[ \t\n\r]*(?:\{[ \t\n\r]*\}|null)[ \t\n\r]*")
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([^\";\s]*)", re.IGNORECASE)

Scope = MutableMapping[str, Any]


class Operation:
    """Everything about one operation that does not depend on the request."""

    def __init__(
        self,
        path: str,
        parameters: list[dict[str, Any]],
        body: Mapping[str, Any],
        *,
        secured: bool,
        handler: Callable[..., Any],
    ) -> None:
        """Compile from the contract, references resolved, for the function that it calls.

        ``path`` is the template, ``body`` the request body object (empty if there is none). Raises
        :class:`ContractError` for what cannot be compiled.
        """
        self._template = path
        self._path = [Parameter(p) for p in parameters if p["in"] == "path"]
        query = [Parameter(p) for p in parameters if p["in"] == "query"]
        self._query = QueryParser(query) if query or path.startswith(CLOSED) else None
        self._headers = HeaderChecker([Parameter(p) for p in parameters if p["in"] == "header"])
        self._body = _Body(body) if body else None
        self._secured = secured
        names = {p["name"] for p in parameters if p["in"] == "path"} - {OWNER}
        names |= {"body"} if body else set()
        names |= {"user"} if secured else set()
        self._query_object = QueryObject.of(handler, given=names)
        if self._query_object is not None:
            self._query_object.check(query)
            names.add(self._query_object.argument)
        else:
            names |= {parameter.name for parameter in query}
        self.argument_names = frozenset(names)

    def arguments(self, scope: Scope) -> dict[str, Any]:
        """Return the handler's arguments, every one of :attr:`argument_names`.

        An empty body of JSON that nothing needs, ``{}`` or ``null``, becomes none in the scope:
        generated clients send one wherever the method may have a body.

        Raises :class:`Problem`: 404 for a path that is not canonical or not in the contract's
        bounds, 400 and 422 for the query (see :class:`QueryParser`), 422 for the headers, 400, 415
        and 422 for the body.
        """
        arguments = self._path_arguments(scope)
        if self._query is not None:
            values, typed = self._query.parse(scope["query_string"]), self._query_object
            arguments.update(values if typed is None else typed.arguments(values))
        self._headers.check(scope["headers"])
        if not (self._body and self._body.required) and _EMPTY.fullmatch(scope[BODY]):
            scope[BODY] = b""
        if self._body is not None:
            arguments["body"] = self._body.parse(scope[BODY], scope["headers"])
        elif scope[BODY]:
            raise Problem("unexpected_body", "This operation takes no body.")
        if self._secured:
            arguments["user"] = User.of(scope["extensions"]["connexion_context"]["token_info"])
        return arguments

    def _path_arguments(self, scope: Scope) -> dict[str, Any]:
        """Only the spelling that the template gives back is a resource: not ``007``, not ``+7``."""
        values = scope["path_params"]
        if self._template.format_map(values) != scope["path"]:
            raise Problem("not_found", "Resource not found.")
        arguments = {}
        for parameter in self._path:
            if parameter.name == OWNER:
                continue
            arguments[parameter.name] = value = values[parameter.name]
            if parameter.violations(value):
                raise Problem("not_found", "Resource not found.")
        return arguments


class _Body:
    """The request body of one operation."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.required: bool = definition.get("required", False)
        self._schemas = {
            media_type: Schema(content["schema"])
            for media_type, content in definition["content"].items()
        }

    def parse(self, raw: bytes, headers: list[tuple[bytes, bytes]]) -> Any:
        """Return the parsed body, ``None`` where it may be absent and is.

        No bytes are no body, whatever Content-Type they claim. Of a repeated key the last value
        counts (RFC 8259, section 4, leaves it open).
        """
        if not raw:
            if self.required:
                raise Problem("body_required", "Send a JSON object as the body.")
            return None
        schema = self._schema(headers)
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise Problem("malformed_json", f"The body is not valid JSON: {error}.") from None
        if violations := schema.body_violations(body):
            raise validation_failed(*violations)
        return body

    def _schema(self, headers: list[tuple[bytes, bytes]]) -> Schema:
        content_type = next((v for k, v in headers if k == b"content-type"), b"").decode("latin-1")
        coding = next((v for k, v in headers if k == b"content-encoding"), b"identity")
        if coding.strip().lower() != b"identity":  # RFC 9110, section 8.4
            raise Problem(
                "unsupported_media_type",
                "The body must be sent without a Content-Encoding.",
                headers={"Accept-Encoding": "identity"},
            )
        media_type, _, parameters = content_type.partition(";")
        schema = self._schemas.get(media_type.strip().lower())
        charset = _CHARSET.search(parameters)
        if schema is None or (charset and charset[1].lower() not in ("utf-8", "utf8")):
            accepted = ", ".join(self._schemas)
            raise Problem(
                "unsupported_media_type",
                f"The body's Content-Type must be one of: {accepted}; in UTF-8.",
                headers={"Accept": accepted},
            )
        return schema
