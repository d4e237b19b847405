import hashlib

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from modicum.providers.mock.aws_signature import ACCESS_KEY, SECRET, signature_fault

PATH = "/model/us.anthropic.claude%3A0/invoke"


def signed(path=PATH, query="", body=b"{}", key=ACCESS_KEY, secret=SECRET):
    url = f"https://bedrock-runtime.us-east-1.amazonaws.com{path}"
    request = AWSRequest("POST", f"{url}?{query}" if query else url, data=body)
    SigV4Auth(Credentials(key, secret), "bedrock", "us-east-1").add_auth(request)
    named = {name.lower(): value for name, value in request.headers.items()}
    return {**named, "host": "bedrock-runtime.us-east-1.amazonaws.com"}


def test_what_awss_package_signs_is_right():
    assert signature_fault("POST", PATH, "", signed(), b"{}") == ""
    assert signature_fault("POST", PATH, "b=2&a=x%20y", signed(query="b=2&a=x%20y"), b"{}") == ""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"body": b"{ }"}, "does not match"),
        ({"path": "/model/other/invoke"}, "does not match"),
        ({"secret": "another"}, "does not match"),
        ({"key": "AKIAOTHER"}, "invalid"),
    ],
)
def test_what_was_changed_after_it_was_signed_is_refused(change, fault):
    assert fault in signature_fault("POST", PATH, "", signed(**change), b"{}")


def test_a_bearers_key_passes_and_nothing_at_all_does_not():
    assert signature_fault("POST", PATH, "", {"authorization": "Bearer ABSK"}, b"") == ""
    for given in ({}, {"authorization": "Bearer "}, {"authorization": f"AWS4 {hashlib.sha256().hexdigest()}"}):
        assert "Missing" in signature_fault("POST", PATH, "", given, b"")
