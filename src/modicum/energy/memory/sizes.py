"""Token counts, bytes and data types as people type them."""

from fractions import Fraction

from modicum.calls.errors import UserError, unknown_name

GIB = 1024**3

CACHE_BITS = {
    "fp32": Fraction(32),
    "bf16": Fraction(16),
    "fp16": Fraction(16),
    "fp8": Fraction(8),
    "int8": Fraction(8),
    "q8_0": Fraction(17, 2),
    "q4_0": Fraction(9, 2),
}
"""Bits per element of a cache. llama.cpp's block types carry a scale per 32 elements."""

DTYPES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16", "float8_e4m3fn": "fp8", "auto": "bf16"}
"""Spellings of configs."""


def parse_dtype(spelling: str) -> str:
    return DTYPES.get(spelling.removeprefix("torch."), spelling)


def cache_bytes(elements: int, dtype: str) -> int:
    """Bytes of that many elements, rounded up to a whole byte.

    Raises:
        UserError: no such data type.
    """
    bits = CACHE_BITS.get(dtype)
    if bits is None:
        raise unknown_name("cache type", dtype, CACHE_BITS)
    return -(-elements * bits.numerator // (bits.denominator * 8))


def parse_tokens(text: str) -> int:
    """`128k` is 131,072, as context lengths are named; `8192` is itself.

    Raises:
        UserError: it is no such number, or not positive.
    """
    factor = {"k": 1024, "m": 1024**2}.get(text[-1:].lower(), 1)
    digits = text[:-1] if factor > 1 else text
    if not digits.isdecimal() or int(digits) < 1:
        raise UserError(f"'{text:.20}' is not a number of tokens; write 8192, 8k or 128k")
    return int(digits) * factor


def format_context(count: int) -> str:
    """The short name of a context length: 131,072 is `128k`."""
    return f"{count // 1024}k" if count % 1024 == 0 else f"{count:,}"


def to_gib(size: float) -> float:
    return size / GIB
