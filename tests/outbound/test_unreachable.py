from modicum.outbound.unreachable import OtherProtocol, Unreachable, Untrusted


def test_whoever_waits_for_a_host_catches_all_that_can_be_wrong_with_it():
    assert issubclass(Untrusted, Unreachable)
    assert issubclass(OtherProtocol, Unreachable)


def test_a_host_that_answered_says_what_and_when_to_come_again():
    busy, silent = Unreachable("busy", 503, "7"), Unreachable("no answer")

    assert (str(busy), busy.status, busy.retry_after) == ("busy", 503, "7")
    assert (silent.status, silent.retry_after) == (None, "")
