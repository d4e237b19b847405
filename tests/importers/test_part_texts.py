import gzip

from modicum.context.block_listener import BlockListener
from modicum.importers.format import Reading
from modicum.importers.part_texts import read_part_texts
from modicum.importers.read_logs import read_calls
from modicum.metering.digests import Digester

DIGESTER = Digester(b"k" * 32)


def texts_in(path):
    seen = {}

    class Ears(BlockListener):
        def on_block(self, block):
            seen[block.digest] = block.text

    list(read_calls([path], Reading(anatomy=True, watches_text=False, digester=DIGESTER, listener=Ears())))
    return seen


def test_texts_are_found_by_the_digests_of_their_parts(transcripts):
    path = transcripts / "session.jsonl"
    texts = texts_in(path)
    chosen = dict(list(texts.items())[:3])

    assert len(chosen) == 3
    assert read_part_texts([path], None, DIGESTER, chosen, ["s-1"]) == chosen
    assert read_part_texts([path], None, Digester(b"other" * 8), chosen, ["s-1"]) == {}


def test_files_that_mention_no_name_are_not_read(transcripts):
    path = transcripts / "session.jsonl"
    digests = texts_in(path)

    assert read_part_texts([path], None, DIGESTER, digests, ["some-other-session"]) == {}
    assert read_part_texts([transcripts / "gone.jsonl"], None, DIGESTER, digests, ["s-1"]) == {}


def test_packed_files_are_read_since_a_name_cannot_be_looked_for(transcripts):
    path = transcripts / "packed.jsonl.gz"
    path.write_bytes(gzip.compress((transcripts / "session.jsonl").read_bytes()))
    digests = texts_in(path)

    assert read_part_texts([path], None, DIGESTER, digests, ["s-1"]) == digests
