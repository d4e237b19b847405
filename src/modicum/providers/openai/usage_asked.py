"""Asking for the usage of a stream, which OpenAI's completions tell only if they are asked.

Source: https://platform.openai.com/docs/api-reference/chat/create (stream_options).
"""

import msgspec

from modicum.providers.body_parsing import encode, parse_request, parse_request_object

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class UsageOptions(msgspec.Struct):
    include_usage: bool | None = None


def with_usage_asked(body: bytes) -> bytes:
    """`stream_options.include_usage` put in front, or set where the options stand; the rest as it was.

    Raises:
        DialectError: it is not JSON.
    """
    start = body.find(b"{") + 1
    if start and b'"stream_options"' not in body:
        return b'%b"stream_options":{"include_usage":true},%b' % (body[:start], body[start:])
    fields = parse_request(_fields, body)
    options = parse_request_object(bytes(fields["stream_options"])) if _is_object(fields.get("stream_options")) else {}
    fields["stream_options"] = msgspec.Raw(encode({**options, "include_usage": True}))
    return msgspec.json.encode(fields)


def without_usage_asked(body: bytes) -> bytes:
    """The way back.

    Raises:
        DialectError: it is not JSON.
    """
    fields = parse_request(_fields, body)
    fields.pop("stream_options", None)
    return msgspec.json.encode(fields)


def _is_object(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(raw).lstrip().startswith(b"{")
