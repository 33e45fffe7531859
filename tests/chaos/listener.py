"""A client that listens to one user through all kills, and comes back where it was."""

from collections.abc import Sequence

import httpx2

from tests.chaos import verdict
from tests.chaos.writers import Insisting, Tally, Violation, may_repeat, problem_code
from tests.integration.event_reader import Reader
from tests.servers.reaper import wait_until

PATIENCE_SECONDS = 90
"""How long a listener may take to hear of what was acknowledged."""


class Listener(Reader):
    """Hears of every change of a new user's; `tally` counts what kept it from listening."""

    def __init__(self, calls: Insisting, tally: Tally) -> None:
        """Listen as the user of `calls`, from the list on, which is empty."""
        page = calls("GET", "/api/me/tasks").json()
        assert page["tasks"] == []
        self.user = calls.user
        self.wrong: list[str] = []
        self._tally = tally
        super().__init__(calls.origin, calls.token, page["sync_token"])

    def refused(self, response: httpx2.Response) -> None:
        """Count a refusal; any but one that says when to come back is a violation."""
        self._tally.note(f"{response.status_code} {problem_code(response)}")
        try:
            may_repeat(response)
        except Violation as violation:
            self.wrong.append(f"{self.user} may not listen: {violation}")
            self.leave()

    def cut(self, error: httpx2.HTTPError) -> None:
        """Count a stream that broke off, or a server that was not there."""
        self._tally.note(f"no stream: {type(error).__name__}")

    def violations(
        self, tasks: Sequence[verdict.Task], revision: int, done: verdict.Done | None = None
    ) -> list[str]:
        """Hear all up to `revision`, leave, and return what was missed, doubled or otherwise wrong.

        `tasks` is the whole list. `done` is every change after the first one, where that is known.
        """
        wait_until(
            lambda: self.wrong or verdict.heard_until(self.events) >= revision, PATIENCE_SECONDS
        )
        self.leave()
        found = verdict.violations_of_a_listener(self.events, tasks, revision, done)
        return self.wrong + [f"{self.user}: {what}" for what in found]
