"""Accelerators and their memory, as their driver reports it (`nvidia-smi`, in MiB)."""

import re

import msgspec

from modicum.calls.errors import unknown_name
from modicum.energy.memory.sizes import GIB

CARD_MIB = {
    "b200": 183_359,
    "h200": 143_771,
    "h100": 81_559,
    "a100-80gb": 81_920,
    "a100-40gb": 40_960,
    "l40s": 46_068,
    "l4": 23_034,
    "rtx-5090": 32_607,
    "rtx-4090": 24_564,
    "rtx-3090": 24_576,
}
"""Totals that `nvidia-smi` prints for these cards; less than the number in their name. Others: give the size."""


class Cards(msgspec.Struct, frozen=True):
    name: str
    count: int
    bytes_each: int


def parse_cards(text: str) -> Cards:
    """`h100`, `4xh100`, `24GiB`, `2x48GiB`.

    Raises:
        UserError: no such card or size.
    """
    match = re.fullmatch(r"(?:(\d+)x)?(.+)", text.strip().lower())
    count, name = (int(match[1] or 1), match[2]) if match else (0, "")
    size = re.fullmatch(r"(\d+(?:\.\d+)?) ?gib", name)
    each = int(float(size[1]) * GIB) if size else CARD_MIB.get(name, 0) * 1024**2
    if not each or not count:
        raise unknown_name("card", text, CARD_MIB, "; or write its memory (--gpu 24GiB, --gpu 4x80GiB)")
    return Cards(name, count, each)
