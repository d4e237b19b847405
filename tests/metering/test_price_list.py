from modicum.metering.price_list import candidates


def test_candidates_name_the_surest_seller_first():
    assert candidates("", "openrouter/anthropic/claude-opus-4.5")[0] == ("openrouter", "anthropic/claude-opus-4.5")
    assert candidates("groq", "llama-3.3-70b-versatile") == [("groq", "llama-3.3-70b-versatile")]
