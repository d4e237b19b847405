"""OpenAI chat and Anthropic messages, each into the other, so that a route may cross providers.

What has a counterpart is translated; hints that change no reply (names for caches and logs) may be left out, and are
named in `Translated.left_out`; everything else is refused with an error that says what and why. Nothing is dropped in
silence. Pure: the caller of a stream's translation gives the time.
"""
