from modicum.calls import Segment, SegmentKind
from modicum.context.block_listener import BlockListener, Listeners, MeasuredBlock


class Ear(BlockListener):
    def __init__(self):
        self.blocks, self.replies = [], []

    def on_block(self, block):
        self.blocks.append(block)

    def on_reply(self, call_id, said):
        self.replies.append((call_id, list(said)))


def test_several_listeners_all_get_what_passes():
    one, two = Ear(), Ear()
    both = Listeners(one, two)
    reply = Segment(SegmentKind.ASSISTANT, 3)
    block = MeasuredBlock(SegmentKind.USER, "hello", b"d", 1, "m")

    both.on_block(block)
    both.on_reply("c", iter([reply]))

    assert one.blocks == two.blocks == [block]
    assert one.replies == two.replies == [("c", [reply])]
