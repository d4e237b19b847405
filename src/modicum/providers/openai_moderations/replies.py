"""Moderations of the mock provider, which takes offence at nothing."""

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed
from modicum.providers.planned_reply import PlannedReply, ReplyWriter

CATEGORIES = ("harassment", "hate", "illicit", "self-harm", "sexual", "violence")


def whole(plan: PlannedReply) -> bytes:
    result = {
        "flagged": False,
        "categories": dict.fromkeys(CATEGORIES, False),
        "category_scores": dict.fromkeys(CATEGORIES, 0.0),
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }
    results = [result] * max(len(listed(plan.request.get("input"))), 1)
    return encode({"id": f"modr-{plan.reply_id}", "model": plan.model, "results": results})


WRITER = ReplyWriter(whole)
