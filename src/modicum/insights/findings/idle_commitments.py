"""F4: what was reserved and not used: token limits, throughput bought ahead."""

from modicum.insights.finding import Finding, FindingClass
from modicum.insights.history import History


def find(history: History) -> Finding:
    del history
    return Finding(
        id="F4",
        name="idle_commitments",
        title="Reserved and not used",
        what="Provisioned throughput, or other commitments, above what the calls needed. APIs that bill by the token "
        "charge nothing for an unused max_tokens.",
        finding_class=FindingClass.INFO,
        remedy="Compare the provider's commitment with 'modicum bill --by day'.",
        guard="This is no claim of a saving.",
        lacks="commitments: no log says what was bought in advance",
    )
