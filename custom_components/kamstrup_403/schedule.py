"""When to read, and what of it: slow registers are not asked for with every poll."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from kamstrup_kmp import Model, register

# How often each tier is worth asking for. What is fixed is looked at once a day, too: a meter may
# be replaced.
TIERS = {
    "poll": timedelta(0),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "once": timedelta(days=1),
}
# A register that the meter leaves out so many times in a row is one it lacks. It is asked for again
# after this time. One that was ever there is merely missing from an answer, and stays due.
OMISSIONS = 3
UNSUPPORTED = timedelta(days=1)

# Not so soon after a poll comes the next, be it for a full hour.
SHORTEST_PAUSE = timedelta(minutes=1)

# A reading counts for the hour it arrives in, so one for a full hour has to come before it.
LEAD = timedelta(seconds=10)


class Schedule:
    """Which registers are due."""

    def __init__(self, model: Model) -> None:
        """Start with everything due."""
        self._model = model
        self._next: dict[int, datetime] = {}
        self._omitted: Counter[int] = Counter()
        self._seen: set[int] = set()

    def due(self, registers: Iterable[int], now: datetime, slack: timedelta) -> list[int]:
        """Return the registers to ask for now.

        What would become due before the middle of the next interval is taken along.
        """
        horizon = now + slack
        return [number for number in registers if self._next.get(number, now) <= horizon]

    def done(self, number: int, now: datetime) -> None:
        """Remember that a register was read."""
        self._seen.add(number)
        self._next[number] = now + TIERS[self._tier(number)]

    def unsupported(self, number: int, now: datetime) -> None:
        """Remember that the meter left a register out."""
        self._omitted[number] += 1
        if number not in self._seen and self._omitted[number] >= OMISSIONS:
            self._next[number] = now + UNSUPPORTED

    def forget(self, *numbers: int) -> None:
        """Make registers due, or everything."""
        for number in numbers or tuple(self._next):
            self._next.pop(number, None)

    def _tier(self, number: int) -> str:
        return self._model.tier(number) if register(number) else "poll"


def until_next_poll(now: datetime, interval: timedelta, *, aligned: bool) -> timedelta:
    """Return the time to the next poll; aligned ones lie shortly before full hours.

    `now` is local time: in some places hours begin half an hour off those of UTC.
    """
    if not aligned:
        return interval
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = now - midnight + LEAD
    # This poll may have come a little too early, or have been for something else.
    steps = (passed + min(interval / 2, SHORTEST_PAUSE)) // interval + 1
    return steps * interval - passed
