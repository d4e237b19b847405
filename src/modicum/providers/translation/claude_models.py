"""What Claude models take and refuse, by their names: what was one model's way to say something is another's error.

Sources, 2026-11: https://platform.claude.com/docs/en/build-with-claude/effort, .../adaptive-thinking,
.../structured-outputs, https://platform.claude.com/docs/en/about-claude/models/migration-guide.
"""

import re
from functools import lru_cache
from typing import NamedTuple

_NEW = re.compile(r"claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?![\d])")
_OLD = re.compile(r"claude-(\d)(?:[-.](\d))?-?([a-z]*)")


class ClaudeModel(NamedTuple):
    """What one takes. A name that tells no version is a model that takes everything."""

    takes_effort: bool = True
    takes_budget: bool = True
    """`thinking` with `budget_tokens`; newer models decide for themselves (`adaptive`)."""
    takes_adaptive: bool = True
    takes_sampling: bool = True
    """`temperature`, `top_p` and `top_k` other than the usual ones."""
    takes_temperature_with_top_p: bool = True
    takes_schema: bool = True
    """`output_config.format`."""


@lru_cache(maxsize=1000)
def claude_model(name: str) -> ClaudeModel:
    """What the model of that name takes."""
    if found := _NEW.search(name):
        family, version = found[1], (int(found[2]), int(found[3] or 0))
    elif found := _OLD.search(name):
        family, version = found[3], (int(found[1]), int(found[2] or 0))
    else:
        return ClaudeModel()
    is_opus = family == "opus"
    decides_alone = version >= (5, 0) or (is_opus and version >= (4, 7))
    return ClaudeModel(
        takes_effort=version >= (4, 6) or (is_opus and version >= (4, 5)),
        takes_budget=version >= (3, 7) and not decides_alone,
        takes_adaptive=version >= (4, 6),
        takes_sampling=not decides_alone,
        takes_temperature_with_top_p=version < (4, 1),
        takes_schema=version >= (4, 5) or (is_opus and version >= (4, 1)),
    )
