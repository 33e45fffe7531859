"""A clock that tests set."""


class Clock:
    """Stands still until it is set: no window ends within a test by itself."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now
