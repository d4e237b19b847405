"""What Bedrock's dialects share: an address, and a key that is a bearer's or a signature."""

from modicum.providers.dialect import DialectApi

BEDROCK = DialectApi(
    "bedrock", provider="aws", request_id_header=b"x-amzn-requestid", is_signed=True, lists_models=False
)
