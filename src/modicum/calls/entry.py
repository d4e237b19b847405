"""What the ledger keeps of a call: the call, and what it cost."""

import msgspec

from modicum.calls.call import Call
from modicum.calls.cost import Cost


class Entry(msgspec.Struct, frozen=True, gc=False):
    call: Call
    cost: Cost
