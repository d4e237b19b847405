"""The command `modicum`, as `python -m modicum` and as its script: nothing is loaded before Ctrl-C is minded."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command (`modicum.cli.main`); whoever stops it while it loads sees no trace."""
    try:
        from modicum.cli import main as run  # here, so that who stops it while it loads sees no trace

        run()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
