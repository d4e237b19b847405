import pytest

from modicum.energy.memory import PlanRequest, find_blueprint
from modicum.energy.memory.compare import compare_memory

# Change in memory of weights and cache, in per cent: contexts and batches of the notes on the claim "70 % less".
CLAIM = {
    ("granite-4.0-h-micro", "granite-4.0-micro"): {
        (8, 1): -13,
        (32, 8): -68,
        (128, 1): -57,
        (128, 8): -83,
        (128, 32): -88,
    },
    ("granite-4.0-h-tiny", "llama-3.1-8b"): {(8, 1): -18, (32, 8): -67, (128, 1): -55, (128, 8): -85, (128, 32): -91},
    ("granite-4.0-h-small", "qwen3-32b"): {(8, 1): -4, (32, 8): -48, (128, 1): -33, (128, 8): -76, (128, 32): -88},
    ("granite-4.0-h-small", "gemma-3-27b"): {(8, 1): 17, (32, 8): -11, (128, 1): 2, (128, 8): -42, (128, 32): -66},
    ("granite-4.0-h-small", "qwen3.5-27b"): {(8, 1): 19, (32, 8): -3, (128, 1): 7, (128, 8): -33, (128, 32): -59},
}


@pytest.mark.parametrize("pair", CLAIM)
def test_the_claim_holds_at_long_contexts_with_many_sessions_and_not_elsewhere(pair):
    found = compare_memory(*map(find_blueprint, pair), PlanRequest(131_072, 8, weights="bf16"))

    cells = {(cell.context // 1024, cell.batch): round(-100 * cell.saving) for cell in found.cells}
    assert {point: cells[point] for point in CLAIM[pair]} == CLAIM[pair]


def test_the_asked_for_point_comes_first_and_once():
    found = compare_memory(find_blueprint("qwen3-8b"), find_blueprint("qwen3-32b"), PlanRequest(8192, 1))

    assert (found.cells[0].context, found.cells[0].batch) == (8192, 1)
    assert len(found.cells) == 6


def test_the_break_even_is_where_state_and_saved_cache_are_equal():
    hybrid, dense = find_blueprint("granite-4.0-h-small"), find_blueprint("mistral-small-3-24b")

    found = compare_memory(hybrid, dense, PlanRequest(8192))

    # 145.7 MiB of state over 160 - 16 KiB per token.
    assert found.break_even_tokens == pytest.approx(145.7 * 1024 / 144, abs=2)


def test_a_cache_that_is_always_or_never_smaller_says_so():
    small, large = find_blueprint("qwen3-8b"), find_blueprint("qwen3-32b")

    assert compare_memory(small, large, PlanRequest(8192)).break_even_tokens == 0
    assert compare_memory(large, small, PlanRequest(8192)).break_even_tokens is None
