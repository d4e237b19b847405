"""Which results a session was shown, by keyed digests: so that one that comes again is said to be unchanged.

A note is given once. Who asks for the same again gets the whole text: the first may have left the context since.
"""

import json
import time
from pathlib import Path

from modicum.hooks.agents import HookedResult
from modicum.hooks.policy import SCHEMA, HookPolicy, write_private

LEAST_CHARACTERS = 400
MOST_AGE_S = 1_800.0
"""After it the first is taken to have left the context."""
MOST_RESULTS = 500
MOST_DAYS = 2.0
_SHOWN = 60


class SessionMemory:
    """What one session was shown.

    Args:
        folder: where the hooks keep what they know.
        policy: its key.
        session: of the agent; another agent within it is another session.
    """

    def __init__(self, folder: Path, policy: HookPolicy, session: str) -> None:
        self._policy = policy
        self._file = folder / "sessions" / f"{policy.digest('session', session).hex()}.json"

    def note(self, result: HookedResult, now_s: float) -> str:
        """What takes the place of a result that was shown before; empty: it was not, or not lately."""
        if len(result.text) < LEAST_CHARACTERS:
            return ""
        results = self._read()
        name = self._policy.digest("text", result.text).hex()
        before = results.pop(name, None)
        if before is not None and result.call_id and before[1] == result.call_id:
            return ""  # another modicum, of another version, has seen the very same result just now
        age_s = now_s - before[0] if before is not None else MOST_AGE_S
        is_again = before is not None and age_s < MOST_AGE_S and not before[2]
        results[name] = now_s, result.call_id, is_again
        while len(results) > MOST_RESULTS:
            del results[next(iter(results))]
        write_private(self._file, json.dumps({"schema": SCHEMA, "results": results}).encode())
        if not is_again:
            return ""
        begins = result.text.lstrip().partition("\n")[0][:_SHOWN]
        note = (
            f"[modicum: unchanged, the very text that {result.tool} returned {age_s / 60:.0f} minutes ago, which "
            f"begins: {begins} - if you cannot see it any more, call the tool once more for all of it]"
        )
        return note if len(note) < len(result.text) else ""

    def forget(self) -> None:
        """The session begins with an empty context, or was compacted."""
        self._file.unlink(missing_ok=True)

    def _read(self) -> dict[str, tuple[float, str, bool]]:
        try:
            fields = json.loads(self._file.read_bytes())
            return dict(fields["results"]) if fields["schema"] == SCHEMA else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def forget_old(folder: Path, now_s: float | None = None) -> None:
    """Deletes what sessions left that nobody goes on with."""
    oldest = (time.time() if now_s is None else now_s) - MOST_DAYS * 86_400
    for file in (folder / "sessions").glob("*.json"):
        if file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)
