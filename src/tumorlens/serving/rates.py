"""How many requests a client may make: a bucket of tokens for each."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Rates"]

_MOST_CLIENTS = 10_000


class Rates:
    """Lets so many requests a minute of one client through, and bursts of half as many.

    Args:
        a_minute: Requests on average.
        clock: Seconds that only grow.
    """

    def __init__(self, a_minute: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._most = a_minute / 60.0, max(1.0, a_minute / 2.0)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token: 0 where there was one, else seconds until there will be."""
        now = self._clock()
        with self._lock:
            tokens, at = self._buckets.pop(client, (self._most, now))
            tokens = min(self._most, tokens + (now - at) * self._rate)
            granted = tokens >= 1.0
            self._buckets[client] = (tokens - 1.0 if granted else tokens, now)
            while len(self._buckets) > _MOST_CLIENTS:
                self._buckets.popitem(last=False)
        return 0.0 if granted else (1.0 - tokens) / self._rate
