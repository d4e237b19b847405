import io
import json
import sys
from types import SimpleNamespace

import pytest

from modicum.cli import main


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('[[price]]\nmodel = "gpt-4o"\ninput = 1000\noutput = 1\ncache_read = 100\n')
    return str(path)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(["count", *args])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_standard_input_is_counted_and_priced(capsys, monkeypatch, prices):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"hello world")))

    code, out, _ = run(capsys, "--model", "gpt-4o", "--prices", prices)

    assert code == 0
    assert out.splitlines()[1].split() == ["gpt-4o", "2", "exact", "$0.0020", "$0.00020", "$0.0020", "$0.0020"]


def test_files_are_counted_together_and_links_are_followed(capsys, tmp_path, prices):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")

    code, out, _ = run(
        capsys, str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), "-m", "gpt-4o", "--prices", prices, "--json"
    )

    found = json.loads(out)
    assert (code, found["texts"], found["bytes"]) == (0, 2, 10)
    assert found["models"][0]["tokens"] == 2
    assert found["models"][0]["input_usd"] == 0.002
    assert found["models"][0]["error"] == 0


def test_a_model_without_tokenizer_and_price_says_both(capsys, tmp_path):
    (tmp_path / "a.txt").write_text("hello")

    _, out, _ = run(capsys, str(tmp_path / "a.txt"), "-m", "nobodys-model")

    assert out.splitlines()[1].split()[:4] == ["nobodys-model", "1", "unknown", "unknown"]
    assert "not measured for nobodys" in out
    assert "no price known: nobodys-model" in out


def test_old_and_new_claude_models_are_counted_apart_each_with_its_error(capsys, tmp_path):
    (tmp_path / "a.txt").write_text("hello " * 1000)

    _, out, _ = run(capsys, str(tmp_path / "a.txt"), "-m", "claude-opus-4-6", "-m", "claude-opus-4-7", "--json")

    older, newer = json.loads(out)["models"]
    assert 1.25 < newer["tokens"] / older["tokens"] < 1.45
    assert 0.01 < older["error"] < 0.1
    assert 0.01 < newer["error"] < 0.1
    assert "rebuilds this tokenizer" in newer["known_by"]


def test_an_installed_counter_is_not_used_before_records_confirm_it(capsys, tmp_path):
    pytest.importorskip("ctok", reason="scripts/test-claude-tokens runs this")
    (tmp_path / "a.txt").write_text("hello " * 1000)

    _, out, _ = run(capsys, str(tmp_path / "a.txt"), "-m", "claude-opus-4-6", "-m", "gpt-4o")

    assert "claude-opus-4-6: o200k_base times" in out
    assert "claude-opus-4-6: ctok 1." in out
    assert "'modicum calibrate' checks it" in out


def test_what_cannot_be_counted_is_one_clear_line_each_and_status_1(capsys, tmp_path):
    (tmp_path / "good.txt").write_text("hello")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "old.txt").write_bytes(b"gr\xfcn")
    names = [str(tmp_path / name) for name in ("good.txt", "logo.png", "old.txt", "none.txt")]

    code, out, err = run(capsys, *names, str(tmp_path), "-m", "gpt-4o")

    assert code == 1
    assert out.splitlines()[1].split()[1] == "1"
    assert err.splitlines() == [
        f"not counted: {names[1]}: binary",
        f"not counted: {names[2]}: no UTF-8 text",
        f"not counted: {names[3]}: cannot be read: No such file or directory",
        f"not counted: {tmp_path}: a folder; 'modicum fit {tmp_path}' counts folders",
    ]
