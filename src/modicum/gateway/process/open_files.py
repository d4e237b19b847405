"""Open files: each connection is one, so their limit is also a limit of calls. A call needs two, its caller's and its
upstream's.

Most systems start programs with a low limit (1,024, or 256) that they may raise themselves up to a hard one.
"""

import resource
from contextlib import suppress
from time import monotonic

import msgspec

from modicum.calls.words.counted_nouns import number_of
from modicum.gateway.process.log import log
from modicum.gateway.process.metrics import Metrics

PER_CALL = 2
RESERVED = 64
"""For journals, the log, who is turned away, and what libraries open."""
LOG_EVERY_S = 10.0
_ENOUGH = 1_048_576
"""Where there is no hard limit: some systems take no greater figure."""
_TRIED = (_ENOUGH, 65_536, 10_240)


class OpenFiles(msgspec.Struct, frozen=True):
    """What a limit of open files allows to one gateway process.

    Args:
        limit: how many files it may have open.
        calls: how many calls it is to have under way at most.
    """

    limit: int
    calls: int

    @property
    def calls_allowed(self) -> int:
        return max((self.limit - RESERVED) // PER_CALL, 1)

    @property
    def most_callers(self) -> int:
        """How many callers may be connected, so that files are left for connections to upstreams."""
        return max(self.limit - RESERVED - min(self.calls, self.calls_allowed), 1)

    @property
    def problem(self) -> str:
        """What is wrong with the limit, and what to do; empty: it is enough."""
        if self.calls <= self.calls_allowed:
            return ""
        needed = self.calls * PER_CALL + RESERVED
        return (
            f"{self.limit:,} open files are enough for {number_of(self.calls_allowed, 'call')} at once in one process, "
            "not for "
            f"{self.calls:,} (gateway.most_calls); allow {needed:,} (ulimit -Hn, LimitNOFILE= of systemd, --ulimit "
            f"nofile= of a container), or lower most_calls"
        )


def raise_limit() -> int:
    """Raises this process's limit of open files as far as it may; children inherit it. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    for limit in _TRIED if hard == endless else (hard,):
        if soft != endless and soft < limit:
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                break
    return current_limit()


def current_limit() -> int:
    """How many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH if soft == resource.RLIM_INFINITY else soft


class Shortage:
    """Counts where open files were wanting, and logs it, but not each time."""

    def __init__(self, metrics: Metrics, files: OpenFiles) -> None:
        self._metrics, self.files = metrics, files
        self._since_logged = 0
        self._logged_at = -LOG_EVERY_S

    def callers(self) -> None:
        """A caller was turned away."""
        self._count("callers")

    def upstreams(self) -> None:
        """A connection to an upstream could not be made."""
        self._count("upstreams")

    def _count(self, side: str) -> None:
        self._metrics.out_of_files(side)
        self._since_logged += 1
        if (now := monotonic()) - self._logged_at >= LOG_EVERY_S:
            log("out_of_files", side=side, times=self._since_logged, limit=self.files.limit)
            self._logged_at, self._since_logged = now, 0
