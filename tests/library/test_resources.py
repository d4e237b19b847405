import os
import stat

import pytest

from modicum.calls import UserError
from modicum.library.resources import (
    KEY_BYTES,
    has_digest_key,
    lend_digest_key,
    load_prices,
    open_ledger,
    read_digest_key,
)
from modicum.settings import data_folder


def test_the_key_of_digests_is_made_once_and_only_its_user_can_read_it():
    first = read_digest_key()
    path = data_folder() / "digest.key"

    assert len(first) == KEY_BYTES
    assert read_digest_key() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_cannot_be_read_is_said():
    read_digest_key()
    path = data_folder() / "digest.key"
    path.chmod(0)

    with pytest.raises(UserError, match=r"digest\.key cannot be read or made"):
        read_digest_key()


def test_a_key_that_is_a_folder_is_said():
    (data_folder() / "digest.key").mkdir(parents=True)

    with pytest.raises(UserError, match=r"digest\.key cannot be read or made"):
        read_digest_key()


def test_the_ledger_is_the_one_that_was_named_or_the_usual_one(tmp_path):
    with open_ledger(str(tmp_path / "a.duckdb"), creates=True) as store:
        assert store.place == str(tmp_path / "a.duckdb")
    with open_ledger(None, creates=True) as store:
        assert store.place == str(data_folder() / "ledger.duckdb")


def test_who_only_asks_leaves_no_ledger_behind(tmp_path):
    with pytest.raises(UserError, match=r"there is no ledger .*typo/a\.duckdb; name another, or fill one"):
        open_ledger(str(tmp_path / "typo" / "a.duckdb")).__enter__()
    with open_ledger(None) as store:
        assert store.place == str(data_folder() / "ledger.duckdb")
        assert store.ask("holdings") == []

    assert not (tmp_path / "typo").exists()
    assert not data_folder().exists()


def test_own_prices_stand_above_the_list(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('[[price]]\nmodel = "my-llama"\ninput = 0.20\noutput = 0.60\n')

    assert load_prices(None).price_file is None
    assert [price.model for price in load_prices(path).price_file.prices] == ["my-llama"]


def test_where_no_key_can_be_made_logs_get_one_of_this_process_and_a_ledger_gets_none(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))

    assert lend_digest_key() == lend_digest_key()
    assert not has_digest_key()
    with pytest.raises(UserError, match="set XDG_DATA_HOME to another folder"):
        read_digest_key()


def test_a_key_that_is_broken_is_not_replaced_by_a_lent_one():
    (data_folder() / "digest.key").parent.mkdir(parents=True)
    (data_folder() / "digest.key").write_bytes(b"short")

    with pytest.raises(UserError, match="is broken"):
        lend_digest_key()
