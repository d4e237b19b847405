"""Bytes of a model's weights that lie on disk, from the headers of their files. Nothing is loaded.

safetensors: eight bytes with the length of a JSON header, then the header with the place of each tensor.
"""

import struct
from pathlib import Path

import msgspec

from modicum.calls.errors import UserError
from modicum.calls.outside.regular_file import open_regular

MOST_HEADER_BYTES = 100_000_000
"""The format's own limit."""


def checkpoint_bytes(folder: Path) -> int | None:
    """Bytes of all tensors in `*.safetensors` of the folder, or the sizes of its `*.gguf` if there are none of these.

    Returns:
        None where there are no such files.

    Raises:
        UserError: a file is cut or is not of its format.
    """
    tensors = sorted(folder.glob("*.safetensors"))
    if tensors:
        return sum(_tensor_bytes(path) for path in tensors)
    quantized = sorted(folder.glob("*.gguf"))
    return sum(path.stat().st_size for path in quantized) if quantized else None


def _tensor_bytes(path: Path) -> int:
    with open_regular(path) as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else MOST_HEADER_BYTES + 1
        if length > MOST_HEADER_BYTES:
            raise UserError(f"{path}: not a safetensors file; download it again")
        try:
            header = msgspec.json.decode(file.read(length))
            spans = [entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"]
            return sum(int(end) - int(begin) for begin, end in spans)
        except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise UserError(f"{path}: the safetensors header cannot be read; download it again") from None
