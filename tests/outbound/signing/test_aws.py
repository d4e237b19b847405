import asyncio

import pytest

from modicum.calls.errors import UserError
from modicum.outbound.signing.aws import AwsSigner

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION")


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """Nothing of AWS is on this machine."""
    for name in (*NAMES, "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def headers_of(signer):
    return dict(asyncio.run(signer.headers(b"POST", b"host", b"/model/a%3A0/converse", b"{}")))


def test_a_session_of_a_role_is_named_and_the_region_signed(alone):
    alone.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    alone.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    alone.setenv("AWS_SESSION_TOKEN", "of-a-role")
    told = headers_of(AwsSigner("eu-west-1"))
    assert told[b"x-amz-security-token"] == b"of-a-role"
    assert b"/eu-west-1/bedrock/aws4_request" in told[b"authorization"]


def test_without_credentials_it_says_where_to_put_them(alone):
    with pytest.raises(UserError, match="AWS_ACCESS_KEY_ID"):
        headers_of(AwsSigner("eu-west-1"))
    alone.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UserError, match="nobody"):
        headers_of(AwsSigner("eu-west-1"))
