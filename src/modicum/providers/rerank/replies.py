"""Rankings of the mock provider: documents in the order in which they came."""

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed
from modicum.providers.planned_reply import PlannedReply, ReplyWriter


def whole(plan: PlannedReply) -> bytes:
    documents = listed(plan.request.get("documents"))
    most = plan.request.get("top_n")
    count = min(most, len(documents)) if isinstance(most, int) and most > 0 else len(documents)
    results = [{"index": place, "relevance_score": 1.0 - place / len(documents)} for place in range(count)]
    wire: dict[str, object] = {"id": f"rerank-{plan.reply_id}", "model": plan.model, "results": results}
    if plan.usage:
        wire["usage"] = {"total_tokens": plan.usage.prompt_tokens}
    return encode(wire)


WRITER = ReplyWriter(whole)
