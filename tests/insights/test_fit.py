from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Basis, UserError
from modicum.insights.code.codebase import list_files
from modicum.insights.count import CountBasis
from modicum.insights.fit import (
    Conversation,
    FitVerdict,
    check_conversation,
    count_calls_until_full,
    describe_fit,
    fit,
    fit_model,
    judge,
    price_calls,
)
from modicum.metering.calibration import Calibrations, TokenCount
from modicum.metering.price_file import PriceFile
from modicum.metering.prices import PriceBook

DAY = datetime(2026, 6, 1, tzinfo=UTC)
TALK = Conversation(calls=3, appended_tokens=100, reply_tokens=50)
MODEL = "gpt-4o"  # its window is 128,000 tokens


@pytest.fixture
def measures(tmp_path_factory):
    path = tmp_path_factory.mktemp("prices") / "prices.toml"
    # Dollars per million: input 1, output 10, read 0.1, write 2.
    path.write_text('[[price]]\nmodel = "gpt-4o"\ninput = 1\noutput = 10\ncache_read = 0.1\ncache_write_5m = 2\n')
    return CountBasis(Calibrations(), PriceBook(PriceFile.read(path)))


@pytest.fixture
def codebase(tmp_path):
    files = {
        "a/b/c/deep.py": "x = 1\n" * 300,
        "a/b/top.py": "y = 2\n" * 100,
        "README.md": "Some words.\n" * 10,
        "LICENSE": "Do.\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "old.txt").write_bytes("grün".encode("latin-1"))
    (tmp_path / "link.py").symlink_to(tmp_path / "a/b/top.py")
    return tmp_path


def count(tokens, most=None):
    return TokenCount(tokens, Basis.ESTIMATED, 0.0, most or tokens, "by hand")


def test_tokens_are_summed_by_folder_by_type_and_by_file(codebase, measures):
    report = fit(codebase, list_files(codebase), [MODEL], measures, at=DAY)

    tokens = {part.name: part.tokens for part in report.largest}
    assert next(iter(tokens)) == "a/b/c/deep.py"
    assert [(part.name, part.files) for part in report.by_folder] == [("a/b", 2), (".", 2)]
    assert {part.name: part.tokens for part in report.by_type} == {
        ".py": tokens["a/b/c/deep.py"] + tokens["a/b/top.py"],
        ".md": tokens["README.md"],
        "LICENSE": tokens["LICENSE"],
    }
    assert report.models[0].tokens == sum(tokens.values()) == sum(part.tokens for part in report.by_folder)


def test_what_is_no_text_is_left_out_and_counted_by_reason(codebase, measures):
    report = fit(codebase, list_files(codebase), [MODEL], measures, at=DAY)

    assert report.files == 4
    assert report.left_out == {"a link": 1, "binary": 1, "no UTF-8 text": 1}


def test_progress_is_told_as_files_are_done(tmp_path, measures):
    for number in range(130):
        (tmp_path / f"{number}.txt").write_text("x")
    told = []

    fit(tmp_path, list_files(tmp_path), [MODEL], measures, at=DAY, progress=told.append)

    assert told == [64, 128]


def test_an_empty_folder_has_no_tokens_and_fits(tmp_path, measures):
    report = fit(tmp_path, list_files(tmp_path), [MODEL], measures, at=DAY)

    assert (report.files, report.models[0].tokens, report.models[0].verdict) == (0, 0, FitVerdict.FITS)
    assert describe_fit(report) == [f"{tmp_path}: no text files (not listed by git: all that no .gitignore names)."]


@pytest.mark.parametrize(
    ("tokens", "most", "window", "expected"),
    [
        (900, 900, 1000, FitVerdict.FITS),
        (950, 950, 1000, FitVerdict.FITS),
        (951, 951, 1000, FitVerdict.TOO_LARGE),
        (900, 960, 1000, FitVerdict.CLOSE),
        (900, 900, None, FitVerdict.UNKNOWN),
    ],
)
def test_prompt_and_reply_must_fit_and_the_error_may_decide(tokens, most, window, expected):
    assert judge(count(tokens, most), window, 50) is expected


@pytest.mark.parametrize(
    ("start", "window", "calls"),
    [(0, None, 3), (0, 1000, 3), (850, 1000, 2), (750, 1000, 3), (950, 1000, 1), (951, 1000, 0)],
)
def test_calls_are_made_until_the_window_is_full(start, window, calls):
    assert count_calls_until_full(start, window, TALK) == calls


def test_without_cache_each_call_pays_for_the_whole_prompt(measures):
    costs = list(price_calls(MODEL, 1000, 3, TALK, measures, DAY, cached=False))

    # 1, 1.1 and 1.2 thousand tokens of input at $1 a million, 50 tokens of output at $10
    assert costs == [(1000, Decimal("0.0015")), (1100, Decimal("0.0016")), (1200, Decimal("0.0017"))]


def test_with_cache_the_first_call_writes_and_later_ones_read_what_came_before(measures):
    costs = list(price_calls(MODEL, 1000, 3, TALK, measures, DAY, cached=True))

    assert costs == [
        (1000, Decimal("0.002") + Decimal("0.0005")),
        (1100, Decimal("0.0001") + Decimal("0.0002") + Decimal("0.0005")),
        (1200, Decimal("0.00011") + Decimal("0.0002") + Decimal("0.0005")),
    ]


@given(tokens=st.integers(0, 100_000), calls=st.integers(1, 80), appended=st.integers(50, 5000))
def test_carrying_nothing_is_never_dearer_than_carrying_the_code(tokens, calls, appended):
    measures = CountBasis(Calibrations())
    talk = Conversation(calls=calls, appended_tokens=appended, reply_tokens=50)

    found = fit_model(MODEL, count(tokens), measures, talk, DAY)

    assert found.conversation_without_code_usd <= found.conversation_cached_usd <= found.conversation_usd


def test_what_does_not_fit_has_no_price(measures):
    found = fit_model(MODEL, count(200_000), measures, TALK, DAY)

    assert found.verdict is FitVerdict.TOO_LARGE
    assert found.one_call_usd is found.conversation_usd is found.conversation_cached_usd is None


def test_an_unknown_model_has_neither_window_nor_price(measures):
    found = fit_model("nobodys-model", count(1000), measures, TALK, DAY)

    assert (found.verdict, found.context_window, found.one_call_usd) == (FitVerdict.UNKNOWN, None, None)


def test_the_answer_comes_first_and_in_plain_words(codebase, measures):
    report = fit(codebase, list_files(codebase), [MODEL, "nobodys-model"], measures, at=DAY, conversation=TALK)

    first, fits, unknown, cost = describe_fit(report)

    assert "4 text files" in first
    assert "its own tokenizer" in first
    assert fits.strip().startswith("gpt-4o: fits; 2 % of its window of 128,000")
    assert "context window unknown" in unknown
    assert "3-call conversation" in cost


def test_a_codebase_that_is_too_large_says_what_to_leave_out(tmp_path, measures):
    (tmp_path / "big.txt").write_text("token " * 100_000)
    (tmp_path / "more.txt").write_text("token " * 100_000)

    report = fit(tmp_path, list_files(tmp_path), [MODEL], measures, at=DAY)

    assert [line.strip() for line in describe_fit(report)[1:]] == [
        "gpt-4o: does not fit; 1.6 times its window of 128,000; without its largest file, big.txt, it would."
    ]


def test_a_codebase_of_many_large_files_names_none(tmp_path, measures):
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text("token " * 4_000)

    report = fit(tmp_path, list_files(tmp_path), [MODEL], measures, at=DAY)

    assert describe_fit(report)[1].endswith("1.9 times its window of 128,000.")


@pytest.mark.parametrize(("calls", "appended", "reply"), [(0, 100, 50), (1, 100, -1), (1, 10, 50)])
def test_assumptions_that_cannot_be_are_refused(calls, appended, reply):
    with pytest.raises(UserError):
        check_conversation(calls, appended, reply)
