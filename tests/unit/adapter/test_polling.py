"""Waiting for a statement's end, on a clock that stands still unless someone moves it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from TCLIService.ttypes import TOperationState

from dbt.adapters.penstock.polling import until_ended


class Server:
    """Answers polls after so many seconds each, and has the statement run for so long."""

    def __init__(self, seconds: float, held: float) -> None:
        self.now, self.ends, self.held = 0.0, seconds, held
        self.polls = 0
        self.slept: list[float] = []

    def poll(self) -> Any:
        """As GetOperationStatus: held back until the statement ends, no longer than the server holds."""
        self.polls += 1
        self.now += min(self.held, max(0.0, self.ends - self.now))
        ended = self.now >= self.ends
        state = TOperationState.FINISHED_STATE if ended else TOperationState.RUNNING_STATE
        return SimpleNamespace(operationState=state)

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.slept.append(seconds)
        self.now += seconds

    def run(self, longest: float = 0.5) -> Server:
        """Wait for the end as the adapter does."""
        until_ended(self.poll, longest, clock=lambda: self.now, sleep=self.sleep)
        return self


def test_a_server_that_holds_polls_back_is_never_slept_on() -> None:
    """A statement of 6 seconds costs 6 seconds, and two polls."""
    server = Server(6, held=5).run()
    assert (server.now, server.polls, server.slept) == (6, 2, [])


def test_a_server_that_answers_at_once_is_not_hammered() -> None:
    """The pauses grow to the longest, so that a minute costs some hundred polls, not a million."""
    server = Server(60, held=0).run()
    assert server.slept[:4] == [0.01, 0.02, 0.04, 0.08]
    assert max(server.slept) == 0.5
    assert server.polls < 140
    assert server.now < 60.5


def test_the_longest_pause_is_the_profiles() -> None:
    """`poll_interval`."""
    assert max(Server(60, held=0).run(longest=2).slept) == 2


@pytest.mark.parametrize("held", [0, 5])
def test_a_statement_that_has_ended_is_asked_for_once(held: float) -> None:
    """Nothing is waited for."""
    server = Server(0, held).run()
    assert (server.polls, server.slept) == (1, [])
