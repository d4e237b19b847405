from unittest.mock import patch

from modicum.gateway.websocket.library import has_websockets


def test_the_library_is_an_extra():
    assert has_websockets()
    with patch("modicum.gateway.websocket.library.find_spec", lambda _: None):
        assert not has_websockets()
