import asyncio
import json

import pytest

from modicum.calls.errors import UserError
from modicum.outbound.signing.google import GoogleSigner


def headers_of(signer):
    return asyncio.run(signer.headers(b"POST", b"host", b"/x", b"{}"))


def test_without_valid_credentials_it_says_so(monkeypatch, tmp_path):
    file = tmp_path / "robot.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(UserError, match=r"robot\.json"):
        headers_of(GoogleSigner())
    file.write_text(json.dumps({"type": "service_account"}))
    with pytest.raises(UserError, match="Google's credentials cannot be had"):
        headers_of(GoogleSigner())
