import ctypes
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.metering import tokens
from modicum.metering.tokens import bare_name, count_tokens, count_with, encoding_for

GOLDEN = json.loads((Path(__file__).parent / "fixtures/golden_counts.json").read_text())["texts"]
ENCODINGS = ("cl100k_base", "o200k_base", "o200k_harmony")


@pytest.mark.parametrize("name", GOLDEN)
def test_counts_are_those_of_tiktoken(name):
    text, tokens = GOLDEN[name]["text"], GOLDEN[name]["tokens"]

    assert {encoding: count_with(text, encoding) for encoding in ENCODINGS} == tokens


def test_the_text_of_a_special_token_counts_as_text():
    assert count_tokens("<|endoftext|>", "gpt-4o") > 1


def test_half_a_surrogate_pair_counts_as_the_mark_that_replaces_it():
    assert count_tokens("a \ud83d b", "gpt-4o") == count_tokens("a \ufffd b", "gpt-4o")


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o", "o200k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-5", "o200k_base"),
        ("gpt-5.2-codex", "o200k_base"),
        ("o3-mini", "o200k_base"),
        ("ft:gpt-4o-mini-2024-07-18:org:name:id", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-4-1106-preview", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("azure/gpt-35-turbo-16k", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("openai/gpt-oss-120b", "o200k_harmony"),
        ("openai.gpt-oss-120b-1:0", "o200k_harmony"),
        ("openrouter/openai/gpt-4o:free", "o200k_base"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3"),
        ("us.meta.llama3-1-70b-instruct-v1:0", "llama3"),
        ("accounts/fireworks/models/llama-v3p1-70b-instruct", "llama3"),
        ("Qwen/Qwen2.5-Coder-32B", "qwen3"),
        ("qwen.qwen3-32b-v1:0", "qwen3"),
    ],
)
def test_a_public_tokenizer_is_the_models_own(model, encoding):
    assert encoding_for(model) == (encoding, True)


@pytest.mark.parametrize(
    "model",
    ["claude-opus-4-6", "gemini-2.5-pro", "llama-4-scout", "qwen3.5-plus", "deepseek-v3.2", "gpt-9", "o1000", "", "my"],
)
def test_anything_else_is_counted_with_the_nearest(model):
    assert encoding_for(model) == ("o200k_base", False)


@pytest.mark.parametrize(
    ("model", "bare"),
    [
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5-20251101-v1"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
         "claude-3-haiku-20240307-v1"),
        ("vertex_ai/claude-opus-4-5@20251101", "claude-opus-4-5"),
        ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("anthropic/claude-opus-4.5", "claude-opus-4.5"),
        ("databricks-claude-sonnet-4", "claude-sonnet-4"),
    ],
)  # fmt: skip
def test_sellers_names_are_brought_back_to_the_makers(model, bare):
    assert bare_name(model) == bare


@given(st.text(), st.sampled_from(ENCODINGS))
def test_any_text_has_a_count_between_nothing_and_its_bytes(text, encoding):
    size = len(text.encode("utf-8", "surrogatepass"))

    assert min(1, size) <= count_with(text, encoding) <= size


def test_only_the_encoding_that_is_needed_is_loaded():
    script = (
        "import quicktok\nfrom modicum.metering.tokens import count_tokens, encoding_for\n"
        "encoding_for('gpt-4o')\nassert not quicktok._CACHE\n"
        "count_tokens('hi', 'gpt-4')\nprint([name for name, _ in quicktok._CACHE])"
    )

    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert shown.strip() == "['cl100k_base']"


@pytest.mark.parametrize("has_trim", [True, False])
def test_what_loading_has_freed_goes_back_where_the_c_library_can_do_that(monkeypatch, has_trim):
    done = []
    library = SimpleNamespace(malloc_trim=lambda _keep: done.append("trimmed")) if has_trim else SimpleNamespace()
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(
        tokens.quicktok, "get_encoding", lambda _name: done.append("loaded") or SimpleNamespace(count=len)
    )

    tokens.load_encoding(f"of this test {has_trim}")

    assert done == (["loaded", "trimmed"] if has_trim else ["loaded"])
