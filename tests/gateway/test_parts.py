import httpx2 as httpx

from gateway.rig import CHAT


def test_gauges_are_brought_up_to_date_when_somebody_asks(fresh_rig):
    httpx.post(f"{fresh_rig.url}/v1/chat/completions", json=CHAT, headers=fresh_rig.headers())
    parts = fresh_rig.gateway.parts
    parts.metrics.under_way.set(99)

    text = httpx.get(f"{fresh_rig.url}/metrics").text

    assert "modicum_calls_under_way 0.0" in text
    assert parts.metrics.registry.get_sample_value("modicum_request_bytes_limit") == parts.bodies.most_bytes
