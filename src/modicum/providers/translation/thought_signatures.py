"""Signatures of Gemini's thoughts, carried by the ids of tool calls.

Gemini 3 and later refuse a conversation whose calls come back without the signature that they had. Clients of other
dialects have no field for one, and all of them send a call's id back as it was: so it travels there. Source, 2026-11:
https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

import re

MARK = "__thought__"
NOBODY_SIGNED = "skip_thought_signature_validator"
"""What Google's documentation gives for calls that another model made."""
_TO_ID = str.maketrans("+/", "-_")
_FROM_ID = str.maketrans("-_", "+/")
_ALPHABET = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def id_with(call_id: str, signature: str) -> str:
    """The id of a call, with the signature where it can be put into one."""
    if not signature or not _ALPHABET.fullmatch(signature):
        return call_id
    return f"{call_id}{MARK}{signature.rstrip('=').translate(_TO_ID)}"


def id_and_signature(call_id: str) -> tuple[str, str]:
    """The two taken apart; an empty signature where there is none."""
    plain, mark, signature = call_id.partition(MARK)
    if not mark or not signature:
        return call_id, ""
    return plain, signature.translate(_FROM_ID) + "=" * (-len(signature) % 4)
