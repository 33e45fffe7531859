"""What makes Connexion strict and fast: everything about the contract is worked out at start.

``document`` loads the YAML files as one document, ``schemas`` compiles its schemas,
``parameters`` parses targets strictly, ``queries`` makes one typed object of query parameters,
``operation`` puts an operation together, ``validation`` is the Connexion middleware that applies
it, ``resolver`` finds the handlers, ``routes`` asks the router about a path.
"""


class ContractError(Exception):
    """The contract cannot be served. The text is one line that names file and place."""
