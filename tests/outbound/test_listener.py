import pytest

from modicum.calls import UserError
from modicum.outbound.listener import bind_listener


def test_a_taken_port_is_said_with_the_setting():
    with bind_listener("gateway.listen", "127.0.0.1", 0) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        with pytest.raises(UserError, match=rf"gateway\.listen: 127\.0\.0\.1:{port} cannot be listened on"):
            bind_listener("gateway.listen", "127.0.0.1", port)
