"""What an agent starts: `python -I -m modicum.hooks after-tool claude-code FOLDER`, with its event on standard input.

Nearly all results are short, and then this file is all that is loaded.
"""

import sys

LEAST_BYTES = 1_000
"""Of an event; in a smaller one there is nothing to save."""
MOST_BYTES = 8_000_000
"""More would take longer than an agent may wait."""


def main(arguments: list[str]) -> None:
    """Reads the event, and lets `running.py` answer where that can be worth it. Nothing printed changes nothing."""
    event = sys.stdin.buffer.read(MOST_BYTES + 1)
    is_result = arguments[:1] == ["after-tool"]
    if len(event) > MOST_BYTES or (is_result and len(event) < LEAST_BYTES):
        return
    if arguments[:1] == ["status-line"]:
        # Each command loads only its own: an agent waits for it.
        from modicum.hooks.status_line import answer_status

        sys.stdout.write(answer_status(arguments, event))  # drawn all the time: no rule is loaded for it
        return
    from modicum.hooks.running import run

    sys.stdout.write(run(arguments, event))


if __name__ == "__main__":
    main(sys.argv[1:])
