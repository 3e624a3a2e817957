"""When to look at the certificate of the IPS again: every six hours by the clock of this machine, and when that jumps. Pure."""


class RenewalWatch:
    """Asked every few minutes whether it is time; the first time it is."""

    LOOK = 180
    """Seconds between two questions."""
    EVERY = 6 * 3600
    """Seconds between two looks at the certificate."""

    def __init__(self) -> None:
        self._done: float | None = None
        self._asked = 0.0

    def due(self, now: float) -> bool:
        """Whether to look now, at this time in epoch seconds.

        A clock that goes back, or forward by much more than the pause, may have brought the certificate out of its time.
        """
        jumped = now < self._asked or now - self._asked > 2 * self.LOOK
        self._asked = now
        if self._done is None or jumped or now - self._done >= self.EVERY:
            self._done = now
            return True
        return False
