from insights.planted import Conversation, history_of, user
from modicum.insights.findings.idle_commitments import find


def test_it_says_which_data_it_lacks():
    found = find(history_of(Conversation().call(user("do", 1000))))

    assert (found.gross_usd, found.change) == (0.0, None)
    assert "commitments" in found.lacks
