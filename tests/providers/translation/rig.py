"""What the translations make of recorded replies, read by the official clients of the caller's side."""

from pathlib import Path

import anthropic
import httpx2
import openai

from modicum.providers.translation.translations import TRANSLATIONS

FIXTURES = Path(__file__).parent.parent / "fixtures"


CREATED = 1763800000


FOR_OPENAI = TRANSLATIONS["openai-chat", "anthropic-messages"]


FOR_ANTHROPIC = TRANSLATIONS["anthropic-messages", "openai-chat"]


def upstream(name, directory):
    return (FIXTURES / directory / name).read_bytes()


def streamed(translation, body, *, usage_asked=True):
    translated = translation.stream(usage_asked, CREATED)
    return translated.feed(body) + translated.end()


def client(body, kind):
    """A client of OpenAI or Anthropic that gets this answer, whatever it asks."""
    sse = body.startswith((b"data:", b"event:", b":"))
    headers = {"content-type": "text/event-stream" if sse else "application/json"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body, headers=headers))
    return kind(api_key="none", http_client=httpx2.Client(transport=transport), max_retries=0)


def openai_reads(body, **options):
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **options}
    with client(body, openai.OpenAI) as official:
        if not options:
            return official.chat.completions.create(**asked)
        with official.chat.completions.stream(**asked) as stream:
            list(stream)
            return stream.get_final_completion()


def anthropic_reads(body, *, stream=False):
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    with client(body, anthropic.Anthropic) as official:
        if not stream:
            return official.messages.create(**asked)
        with official.messages.stream(**asked) as events:
            return events.get_final_message()
