import io
from datetime import date

import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.learners.by_name import LIVE, make_learner
from modicum.routing.training import train_router
from modicum.routing.weights import MOST_BYTES, decode_router, encode_router
from routing_tables import known_table

TODAY = date(2026, 11, 30)


def trained(name):
    return train_router(
        known_table(), make_learner(name), "usd", source="t.csv", today=TODAY, holds_days=9, loss=0.02
    ).router


@pytest.mark.parametrize("name", LIVE)
def test_a_router_decides_the_same_after_it_was_written_and_read(name):
    router = trained(name)
    data = encode_router(router)
    again = decode_router(data, "r.npz")

    assert len(data) < MOST_BYTES
    assert again.terms == router.terms
    prompts = known_table(60, seed=4).prompts
    same = [again.decide(each, today=TODAY).model == router.decide(each, today=TODAY).model for each in prompts]
    assert np.mean(same) > 0.97


def test_what_is_no_router_is_said_in_one_line():
    data = encode_router(trained("linear"))
    plain = io.BytesIO()
    np.savez(plain, header=np.frombuffer(b"{}", np.uint8))

    for broken in (b"", b"text", data[:-40], data[: len(data) // 2], plain.getvalue()):
        with pytest.raises(UserError, match=r"r.npz is no router .*'modicum route train TABLE --out r.npz' makes one"):
            decode_router(broken, "r.npz")


def test_a_file_with_objects_in_it_is_not_opened():
    packed = io.BytesIO()
    np.savez(packed, header=np.array([{"a": 1}], dtype=object))

    with pytest.raises(UserError, match="is no router"):
        decode_router(packed.getvalue(), "r.npz")


def test_weights_on_vectors_cannot_be_used_live():
    table = known_table()
    table = type(table)(table.models, table.prompts, table.outcomes, (), table.costs, None, np.eye(300))
    router = train_router(
        table, make_learner("embedding"), "usd", source="", today=TODAY, holds_days=9, loss=0.02
    ).router

    with pytest.raises(UserError, match="no call has vectors of its prompt in time"):
        encode_router(router)


def test_what_a_scorer_lays_out_once_is_laid_out_when_the_router_is_read():
    scorer = decode_router(encode_router(trained("neighbours")), "r").scorer

    assert {"postings", "graded"} <= vars(scorer).keys()
