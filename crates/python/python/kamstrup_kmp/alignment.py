"""Alignment: how well the head sits, from what comes back of one small request after another."""

from collections import deque
from dataclasses import dataclass

from ._verdict import Verdict

# How near to an answer each verdict is, in percent.
_NEARNESS = {
    Verdict.OK: 100,
    Verdict.NOT_SUPPORTED: 100,
    Verdict.UNEXPECTED_ANSWER: 70,
    Verdict.CRC_MISMATCH: 60,
    Verdict.TRUNCATED: 50,
    Verdict.WRONG_PROTOCOL: 30,
    Verdict.ECHO_MANGLED: 20,
    Verdict.NOISE: 15,
    Verdict.ECHO_ONLY: 10,
}

WINDOW = 8


@dataclass(frozen=True, slots=True)
class AlignmentStep:
    """One request, and where the head stands by now."""

    verdict: Verdict
    score: int
    answered: int
    attempts: int


class Alignment:
    """The score over the last few requests: 100 means that every one was answered."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._recent: deque[int] = deque(maxlen=WINDOW)
        self.answered = 0
        self.attempts = 0

    def add(self, verdict: Verdict) -> AlignmentStep:
        """Count what came of a request."""
        self._recent.append(_NEARNESS.get(verdict, 0))
        self.attempts += 1
        self.answered += verdict is Verdict.OK
        return AlignmentStep(verdict, self.score, self.answered, self.attempts)

    @property
    def score(self) -> int:
        """The score, 0 to 100."""
        return round(sum(self._recent) / len(self._recent)) if self._recent else 0
