"""The error of a configuration that the server or a command cannot work with."""


class ConfigurationError(SystemExit):
    """A start that must not go on. Its text is one line: what is wrong, and what to do.

    As a ``SystemExit`` it ends gunicorn, ``todo`` and a bare interpreter alike with that line
    on standard error and exit status 1, without a traceback.
    """
