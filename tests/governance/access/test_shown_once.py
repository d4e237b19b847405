from modicum.governance.access.shown_once import digest_of, fits, make_secret, split_secret

KEY = b"k" * 32


def test_a_secret_is_found_by_its_id_and_nothing_kept_opens_anything():
    fresh = make_secret("xx_", KEY)
    public_id, secret = split_secret("xx_", fresh.text)

    assert public_id == fresh.public_id
    assert fits(secret, fresh.digest, KEY)
    assert secret.encode() not in fresh.digest
    assert not fits(secret, fresh.digest, b"other" * 8)
    assert not fits(secret + "x", fresh.digest, KEY)


def test_without_a_record_nothing_fits_not_even_what_no_record_looks_like():
    assert not fits("", None, KEY)
    assert split_secret("xx_", "") == ("", "")
    assert digest_of("\ud83d", KEY) != digest_of("", KEY)
