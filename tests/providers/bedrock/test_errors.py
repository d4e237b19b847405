import json

import pytest

from modicum.providers.bedrock.errors import error_body, error_frame, error_name
from modicum.providers.bedrock.frames import read_frame


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "ValidationException"),
        (402, "ServiceQuotaExceededException"),
        (429, "ThrottlingException"),
        (404, "ResourceNotFoundException"),
        (502, "InternalServerException"),
    ],
)
def test_errors_have_the_names_that_clients_raise(status, name):
    assert error_name(status) == name
    assert json.loads(error_body(status, "why")) == {"__type": name, "message": "why"}
    frame = read_frame(error_frame(status, "why"))
    assert (frame.kind, frame.is_exception) == (name[0].lower() + name[1:], True)
