"""`modicum init`: a commented settings file to start from."""

from pathlib import Path

import click

from modicum.calls import UserError
from modicum.settings import FILE_NAME

TEXT = """\
# Settings of modicum. Every line that is commented out shows the default.

# Where the ledger is: a path, or clickhouse://user:password@host:port/database.
# ledger = ""

# Your own prices, above the list (docs/prices.md).
# prices = "prices.toml"

# The zone in which days are cut, as "Europe/Berlin". Empty: this machine's.
# timezone = ""

# Entries older than this are forgotten. 0: they are kept.
# keep_days = 0

[gateway]
# Host and port. Anything but this machine itself only if you write it here.
# listen = "127.0.0.1:4000"

# Other names under which it is called, those that a proxy in front of it passes on, say.
# hosts = ["llm.example.com"]

# Origins of the pages that may call it from a browser. None: no page of another origin.
# cors_origins = ["https://app.example.com"]

# TLS: the certificate that callers are shown, and its key, as PEM. Renewed files are taken without a restart.
# tls_certificate_file = "/etc/ssl/llm.example.com.pem"
# tls_key_file = "/etc/ssl/private/llm.example.com.key"

# Whether a caller without a modicum key may use its own provider key. The keys below are never used for it.
# own_keys = true

# Whether the credential of a person's plan may pass: from the vendor's own client to the vendor's own host, metered and
# nothing else. Read docs/plans.md and the vendor's terms first.
# plan_credentials = false

# Whether the parts of each context are digested and counted. No text is kept.
# anatomy = true

# most_body_mb = 64
# most_upload_mb = 2048                 # files pass as they come and take no memory

# How many MB the requests under way may have together. 0: an eighth of the memory.
# most_bodies_mb = 0

# How many calls may be under way at once; an upstream may have three quarters of them, or what its own most_calls says.
# most_calls = 4000

# How many gateway processes share the port. Each uses one core.
# workers = 1

# What the record of a call survives before its reply is finished: "disk", any end of the machine; "process", any end of
# the process (kill -9), but not a power cut.
# durable = "disk"

# silence_s = 600
# slow_client_s = 60
# drain_s = 30

# How long calls and connections of the old processes may go on after an upgrade (SIGUSR2).
# upgrade_drain_s = 600

[console]
# listen = "127.0.0.1:4100"

# Where the pages are (docs/console.md); empty: 'modicum up' shows none.
# pages_listen = "127.0.0.1:4101"

# Who may see spend, tokens and budgets by team, app and key in /metrics of console.listen (docs/monitoring.md).
[metrics]
# token = "file:/etc/modicum/metrics-token"
# most_owners = 200

# Alerts of budgets, refusals, unknown prices, open circuits and trouble, beside the log (docs/monitoring.md).
[alerts]
# webhook = "env:ALERT_WEBHOOK"
# headers = { authorization = "env:ALERT_KEY" }

# "event", the whole event as JSON, or "text", as chat services take it.
# body = "event"

# budget_steps = [0.5, 0.8, 1.0]

# refusals = 20
# behind_s = 60
# again_after_s = 3600

# Finished calls as OpenTelemetry spans, to a collector, Langfuse, Grafana and the like (pip install 'modicum[otel]').
# Empty: nothing is sent. A key is never written here: env:NAME or file:PATH.
[otel]
# endpoint = "http://127.0.0.1:4318"
# headers = { authorization = "env:OTEL_KEY" }
# protocol = "http/protobuf"

# Names of the attributes: "new" (gen_ai.provider.name), "old" (gen_ai.system), or "both".
# names = "both"

# service = "modicum"

# Whether calls are sent whose caller does not record its trace.
# unsampled = false

# Where calls may go, in the order in which a model is looked for. A key is never written here: say where it is, as
# env:NAME or file:PATH. With own_keys, callers without a modicum key may send their own key of that provider.
[upstreams.openai]
url = "https://api.openai.com/v1"
speaks = "openai"
key = "env:OPENAI_API_KEY"
own_keys = true
models = ["gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "codex-*", "text-embedding-*", "computer-use-*",
          "dall-e-*", "whisper-*", "tts-*", "omni-moderation*", "text-moderation*", "davinci-*", "babbage-*"]

[upstreams.anthropic]
url = "https://api.anthropic.com/v1"
speaks = "anthropic"
key = "env:ANTHROPIC_API_KEY"
own_keys = true
models = ["claude-*"]

[upstreams.gemini]
url = "https://generativelanguage.googleapis.com/v1beta"
speaks = "gemini"
key = "env:GEMINI_API_KEY"
own_keys = true
models = ["gemini-*", "gemma-*", "text-embedding-004", "embedding-001"]

# A server of your own:
# [upstreams.vllm]
# url = "https://vllm.internal:8000/v1"
# ca_file = "internal-ca.pem"     # where its certificate comes from an authority of your own
# speaks = "openai"
# models = ["qwen3-*"]
# output_limit = "max_tokens"
# most_calls = 64
# pass_headers = ["x-tenant"]
# first_byte_s = 20               # how long it may take until a reply begins
# circuit_share = 0.5             # no calls go there for a while when so many failed

# A budget: what calls may cost, within a window; once for each (docs/budgets.md).
# [[budget]]
# name = "each-key-day"
# per = "day"
# limit_usd = 20
# key = "*"

# How many calls and tokens a minute, and calls at once; once for each (docs/limits.md).
# [[limit]]
# name = "each-key"
# calls_per_minute = 60
# key = "*"

# What is tried when an upstream fails; the first that covers a call counts (docs/resilience.md).
# [[resilience]]
# name = "all"
# retries = 2
# fallbacks = ["anthropic/claude-haiku-4-5"]

# A plan for a team of agents, applied to calls whose headers name the team (docs/teams.md).
# [teams.support]
# plan = "support-plan.json"

# Other names for models.
[models]
# fast = "openai/gpt-4o-mini"
"""


@click.command()
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default=FILE_NAME)
def command(path: Path, *, force: bool) -> None:
    """Write a commented modicum.toml to start from.

    \b
    Examples:
      modicum init
      modicum init ~/.config/modicum/modicum.toml
    """
    if path.exists() and not force:
        raise UserError(f"{path} already exists; 'modicum init --force' overwrites it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEXT, encoding="utf-8")
    click.echo(f"{path} written; 'modicum doctor' checks it, 'modicum up' starts the gateway")
