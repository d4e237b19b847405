import msgspec
import pytest

from modicum.insights.claude_correction import CountablePart, confirmed_checks, correct, parts_of, unchecked_models
from modicum.metering.calibration import Calibrations
from modicum.metering.claude_tokens import PIECE_CHARS, CounterCheck, counter_name

COUNTER = "ctok 1.3.0"
OLD = CounterCheck(
    family="claude",
    counter=COUNTER,
    ratio=1.0,
    error=0.006,
    error_long=0.003,
    error_whole=0.02,
    line_error=0.05,
    steps=200,
    groups=10,
    models=("claude-opus-4-6",),
)
NEW = msgspec.structs.replace(OLD, family="claude-4.7")


def words(text):
    return len(text.split())


def letters(text, generation):
    """Another count of the same text, which no ratio of words gives."""
    return sum(map(len, text.split())) * (2 if generation == "3.0" else 3)


def part(content, text):
    return CountablePart(content, len(text), lambda: text)


def test_a_counter_is_used_for_the_models_that_records_confirmed_it_for():
    models = ["claude-opus-4-6", "claude-opus-5-5", "gpt-4o"]

    assert confirmed_checks(models, [OLD], COUNTER) == {"3.0": OLD}
    assert confirmed_checks(models, [OLD, NEW], COUNTER) == {"3.0": OLD, "4.8": NEW}
    assert confirmed_checks(["gpt-4o"], [OLD, NEW], COUNTER) == {}


def test_a_counter_that_has_changed_since_or_was_not_confirmed_is_not_used():
    doubtful = msgspec.structs.replace(OLD, ratio=1.1)

    assert confirmed_checks(["claude-opus-4-6"], [OLD], "ctok 1.4.0") == {}
    assert confirmed_checks(["claude-opus-4-6"], [doubtful], COUNTER) == {}


def test_who_has_no_counter_is_not_told_to_check_it():
    models = ["claude-opus-4-6", "gpt-4o"]

    assert unchecked_models(models, []) == (["claude-opus-4-6"] if counter_name() else [])


def test_texts_below_the_limit_have_the_very_count_of_the_counter():
    parts = [part("code", "x = yy"), part("prose", "some long words"), part("code", "zzz")]

    lines = correct(parts, {"3.0": OLD}, words, letters)

    known = Calibrations(shipped=()).overlaid(lines)
    assert known.convert(4, "claude-opus-4-6", "code").tokens == letters("x = yy zzz", "3.0")
    assert known.convert(3, "claude-opus-4-6", "prose").tokens == letters("some long words", "3.0")
    assert all((line.error, line.error_whole) == (0.006, 0.02) for line in lines)


def test_each_tokenizer_has_its_own_lines():
    lines = correct([part("", "some words")], {"3.0": OLD, "4.8": NEW}, words, letters)

    known = Calibrations(shipped=()).overlaid(lines)
    assert known.convert(2, "claude-opus-4-6").tokens == 18
    assert known.convert(2, "claude-opus-5-5").tokens == 27


def test_long_texts_have_the_error_of_long_steps():
    (line, _) = correct([part("code", "word " * 4000)], {"3.0": OLD}, words, letters)

    assert line.error == 0.003


def test_more_than_the_limit_is_sampled_from_everywhere_and_the_spread_is_part_of_the_error():
    texts = [("aa " if number < 50 else "aaaa ") * 100 for number in range(100)]
    parts = [part("code", text) for text in texts]
    whole = sum(letters(text, "3.0") for text in texts) / sum(map(words, texts))

    lines = correct(parts, {"3.0": OLD}, words, letters, most_chars=8000)

    (line,) = [one for one in lines if one.content == "code"]
    assert 15 < line.pairs < 40
    assert line.ratio == pytest.approx(whole, rel=0.1)
    assert line.error > 0.006
    assert abs(line.ratio / whole - 1) < line.error_whole
    assert "parts of it" in line.counted_by


def test_a_kind_that_the_sample_hardly_has_is_counted_as_the_rest():
    parts = [part("code", "aa " * 100) for _ in range(60)] + [part("prose", "aaaa " * 100)]

    lines = correct(parts, {"3.0": OLD}, words, letters, most_chars=9000)

    assert "prose" not in {line.content for line in lines}
    assert {line.content for line in lines} == {"", "code"}


def test_a_file_above_the_limit_is_counted_in_part():
    text = "word " * PIECE_CHARS
    read = []

    def count(piece, generation):
        read.append(len(piece))
        return letters(piece, generation)

    lines = correct([part("", text), part("", text)], {"3.0": OLD}, words, count, most_chars=2 * PIECE_CHARS)

    assert max(read) <= PIECE_CHARS
    assert lines[0].ratio == pytest.approx(8, rel=0.001)


def test_nothing_to_count_and_nobody_to_count_it_give_no_lines():
    assert correct([], {"3.0": OLD}, words, letters) == []
    assert correct([part("", "word")], {}, words, letters) == []
    assert correct([part("", " ")], {"3.0": OLD}, words, letters) == []


def test_a_text_is_cut_into_parts_that_can_be_read_again():
    text = "some words\n" * 30_000

    parts = list(parts_of(text, "prose"))

    assert len(parts) > 1
    assert "".join(one.read() for one in parts) == text
    assert all(one.chars == len(one.read()) and one.content == "prose" for one in parts)
