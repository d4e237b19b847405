from modicum.calls import SegmentKind
from modicum.context.block_listener import BlockListener, MeasuredBlock
from modicum.importers.format import Reading
from modicum.metering.digests import Digester
from modicum.providers.blocks import Block


class Ear(BlockListener):
    def __init__(self):
        self.texts = []

    def on_block(self, block):
        self.texts.append(block)


def test_a_segmenter_counts_digests_and_tells_as_its_reading_says():
    ear, digester = Ear(), Digester(b"key")
    reading = Reading(anatomy=True, digester=digester, count=lambda text, _: len(text), listener=ear)

    (found,) = reading.segmenter().segments([Block(SegmentKind.USER, "hello")], "m")

    assert (found.tokens, found.digest) == (5, digester.segment("hello"))
    assert ear.texts == [MeasuredBlock(SegmentKind.USER, "hello", found.digest, 5, "m")]
