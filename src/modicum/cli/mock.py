"""`modicum mock`: a provider for trying everything without a key."""

from pathlib import Path

import click

from modicum.settings import host_and_port

LISTEN = "127.0.0.1:4200"


@click.command()
@click.option("--listen", default=LISTEN, show_default=True, metavar="HOST:PORT", help="Address to listen on.")
@click.option(
    "--settings", "show_settings", is_flag=True, help="Print a modicum.toml that sends all calls to this provider."
)
@click.option(
    "--recordings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of recorded replies (.sse, .json, .jsonl), played back as x-mock-replay: FILE asks.",
)
def command(listen: str, recordings: Path | None, *, show_settings: bool) -> None:
    """Run a provider that answers like OpenAI, Anthropic and Gemini: streams, tools, schemas, pictures, sound,
    embeddings, files, batches, cache usage, and administrators' reports of usage and costs.

    Headers of a call choose the reply: x-mock-says, -output-tokens, -reasoning-tokens, -tool-calls, -chunks,
    -delay-ms, -chunk-delay-ms, and -fault (rate_limited, overloaded, server_error, broken_off, error_event, garbage,
    empty, no_usage, over_bound, silent) with -fault-percent, -batch-polls (how often a batch is looked at until it is
    over) and -replay. A tool is called where the request chooses it, or its last words name it. The settings of
    --settings make the gateway pass these headers on.

    \b
    Examples:
      modicum mock --settings > modicum.toml && modicum mock &
      modicum up
      curl localhost:4000/v1/chat/completions -H 'authorization: Bearer any-key-does' \\
        -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}'
    """
    host_and_port("--listen", listen)
    if show_settings:
        click.echo(settings_text(f"http://{listen}"), nl=False)
        return
    from modicum.gateway.process.mock import run

    click.echo(f"a mock provider listens on http://{listen}; Ctrl-C ends it", err=True)
    run(listen, recordings)


def settings_text(base: str) -> str:
    """A settings file in which all three kinds of upstream are the mock."""
    return f"""\
# All calls go to 'modicum mock'. Made by 'modicum mock --settings'.
[upstreams.openai]
url = "{base}/v1"
speaks = "openai"
provider = "openai"
own_keys = true
pass_headers = ["x-mock-*"]
models = ["gpt-*", "o*", "text-embedding-*", "dall-e-*", "whisper-*", "tts-*", "omni-moderation*", "rerank-*"]

[upstreams.anthropic]
url = "{base}/v1"
speaks = "anthropic"
own_keys = true
pass_headers = ["x-mock-*"]
models = ["claude-*"]

[upstreams.gemini]
url = "{base}/v1beta"
speaks = "gemini"
own_keys = true
pass_headers = ["x-mock-*"]
models = ["gemini-*"]
"""
