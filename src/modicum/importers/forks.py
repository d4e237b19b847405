"""Sessions that were forked repeat the calls of the session that they came from.

Such calls are booked once, for the conversation in which they were seen first. What the fork goes on with then rests on
calls that are booked elsewhere; so its first own call is given its whole context anew.
"""

from collections.abc import Iterable

import msgspec

from modicum.calls import Anatomy, Call, Problem, Segment
from modicum.importers.format import Found


def anchored(found: Iterable[Call | Problem]) -> Found:
    """The same calls; in forks, the first call of their own carries its full anatomy."""
    owners: dict[str, str] = {}
    repeated: dict[str, list[Segment]] = {}
    for item in found:
        if not isinstance(item, Call) or item.anatomy is None:
            yield item
            continue
        is_repeat = owners.setdefault(item.call_id, item.conversation) != item.conversation
        if not is_repeat and item.conversation not in repeated:
            yield item
            continue
        context = repeated.setdefault(item.conversation, [])
        del context[item.anatomy.kept_segments :]
        context.extend(item.anatomy.added)
        if is_repeat:
            yield item
        else:
            del repeated[item.conversation]
            yield msgspec.structs.replace(item, anatomy=Anatomy(0, 0, tuple(context), item.anatomy.break_cause))
