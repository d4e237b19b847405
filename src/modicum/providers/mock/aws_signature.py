"""Whether a request to the mock provider is signed as AWS wants it: Signature Version 4, worked out anew.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (2026-11). Written
apart from the package that signs, so that the two check each other.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

ACCESS_KEY, SECRET = "AKIAMODICUMMOCK00000", "mock-secret-of-nobody"
_FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([\w;-]+), ?"
    r"Signature=([0-9a-f]{64})"
)
_NEEDED = frozenset({"host", "x-amz-date"})


def signature_fault(method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """What is wrong with a request's authorisation, in the words of AWS; empty: nothing. A bearer's key passes.

    `raw_path` is as it came, before anybody decoded it; `headers` by their names in small letters.
    """
    given = headers.get("authorization", "")
    if given.startswith("Bearer ") and len(given) > len("Bearer "):
        return ""
    found = _FORM.fullmatch(given)
    if found is None:
        return "Missing Authentication Token"
    access_key, date, region, service, names, signature = found.groups()
    signed = names.split(";")
    at = headers.get("x-amz-date", "")
    if access_key != ACCESS_KEY or not at.startswith(date) or not set(signed) >= _NEEDED or signed != sorted(signed):
        return "The security token included in the request is invalid."
    canonical = "\n".join(
        (
            method,
            quote(raw_path, safe="/~"),
            "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in _pairs(query))),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{date}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + SECRET.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature):
        return "The request signature we calculated does not match the signature you provided."
    return ""


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)
