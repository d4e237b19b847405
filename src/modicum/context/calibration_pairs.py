"""Steps to calibrate token counts with, from any log that shows what its prompts were made of.

Between two calls of a conversation the provider's count of the prompt grew by what was appended. Where the log shows
all of that, our count of it beside the growth is one pair. Claude Code's transcripts have a reader of their own
(`importers/claude_code/calibration_pairs.py`): their segments are fitted to the growth already, and would prove
themselves.
"""

from collections.abc import Iterable, Iterator

from modicum.calls import Basis, Call
from modicum.metering.calibration import CalibrationPair


def growth_pairs(calls: Iterable[Call]) -> Iterator[tuple[str, CalibrationPair]]:
    """(model, pair) for every call that only appended to the call before it in its conversation.

    Calls come in the order of their log. Steps with a break, another model, or a block that nobody counted (an image)
    are left out.
    """
    before: dict[str, tuple[Call, int]] = {}
    for call in calls:
        if call.anatomy is None or call.usage_basis is not Basis.EXACT:
            continue
        conversation = call.conversation or call.task
        held = call.anatomy.kept_segments + len(call.anatomy.added)
        known = before.get(conversation)
        before[conversation] = call, held
        if known is None or call.anatomy.kept_segments != known[1] or call.model != known[0].model:
            continue
        raw = sum(part.tokens for part in call.anatomy.added)
        growth = call.usage.prompt_tokens - known[0].usage.prompt_tokens
        if raw > 0 and growth > 0 and all(part.basis is not Basis.UNKNOWN for part in call.anatomy.added):
            yield call.model, CalibrationPair(raw, growth, call.task or conversation)
