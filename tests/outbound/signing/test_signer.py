import sys

import pytest

from modicum.calls.errors import UserError
from modicum.outbound.signing.aws import AwsSigner
from modicum.outbound.signing.google import GoogleSigner
from modicum.outbound.signing.signer import signer_of


@pytest.mark.parametrize(
    ("host", "region", "wanted"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "", "us-east-1"),
        ("bedrock-runtime.us-gov-west-1.amazonaws.com", "", "us-gov-west-1"),
        ("vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "", "eu-west-1"),
        ("127.0.0.1", "ap-south-1", "ap-south-1"),
    ],
)
def test_the_region_is_the_hosts_or_the_settings(host, region, wanted):
    signer = signer_of("aws", "bedrock", host, region)
    assert isinstance(signer, AwsSigner)
    assert signer.region == wanted


def test_a_key_signs_nothing_and_google_has_its_own(monkeypatch, tmp_path):
    assert signer_of("key", "x", "api.openai.com", "") is None
    assert isinstance(signer_of("google", "x", "aiplatform.googleapis.com", ""), GoogleSigner)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"upstreams\.mine\.region"):
        signer_of("aws", "mine", "localhost", "")


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    monkeypatch.setitem(sys.modules, "google.auth", None)
    for auth, extra in (("aws", "bedrock"), ("google", "vertex")):
        with pytest.raises(UserError, match=rf"\[{extra}\]"):
            signer_of(auth, "x", "bedrock-runtime.us-east-1.amazonaws.com", "")
