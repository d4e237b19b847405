from insights.planted import Conversation, history_of, tool_round, user
from modicum.calls import Anatomy, Usage
from modicum.insights.caching import Caching


def shrunk(cause, read):
    talk = Conversation().call(user("q", 5000)).call(*tool_round("Read", "a", "text", 3000))
    return talk.call(anatomy=Anatomy(1, 5000, (), cause), usage=Usage(0, read, 6000 - read, 0, 30))


def test_a_cut_that_was_guessed_from_the_read_does_not_predict_that_read():
    low, high = (Caching.of(history_of(shrunk("edited", read))).predicted.read[2] for read in (0, 5000))

    assert low == high == 0


def test_a_cut_that_is_on_record_does():
    assert Caching.of(history_of(shrunk("compaction", 5000))).predicted.read[2] == 5000


def test_the_time_of_a_reply_is_taken_for_later_than_that_of_its_request():
    def late(source):
        talk = Conversation(source=source).call(user("q", 5000), lasts=0.0).call(user("r", 10), after=305.0)
        return Caching.of(history_of(talk)).predicted.warm[1]

    assert (late("gateway"), late("claude-code")) == (False, True)
