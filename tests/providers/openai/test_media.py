from modicum.calls import Usage
from modicum.providers.openai.media import MediaTail, media_charges, media_reply, media_usage

COUNTS = {"input_tokens": 3, "output_tokens": 4}


def test_an_output_whose_kind_is_not_told_is_of_the_kind_that_the_api_makes():
    assert media_usage(COUNTS, "output_image")[0] == Usage(input_uncached=3, output_image=4)
    told = COUNTS | {"output_tokens_details": {"text_tokens": 1, "image_tokens": 3}}
    assert media_usage(told, "output_image")[0] == Usage(input_uncached=3, output_visible=1, output_image=3)
    assert media_usage({"input_tokens": -1, "output_tokens": 1})[0] is None


def test_seconds_are_charged_and_unknown_numbers_named():
    assert media_charges({"type": "duration", "seconds": 2.1}).requests == {"audio_second": 3}
    assert media_charges({"seconds": float("inf"), "new": 2}).caveats == ("usage.new",)
    assert media_charges(None).requests == {}
    assert media_reply({"usage": {"type": "duration", "seconds": 1}}, complete=True).usage is None


def test_a_tail_reads_only_the_event_that_ends_and_errors():
    tail = MediaTail((".done",))
    tail.feed(b'data: {"type":"a.delta","usage":{"input_tokens":3,"output_tokens":4}}\n\n')
    assert tail.facts().usage is None
    tail.feed(b'data: {"type":"error","error":{"type":"server_error"}}\n\n')
    assert tail.facts().error_kind == "server_error"
