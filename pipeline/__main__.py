"""`phasesweep`, and `python -m pipeline`: Ctrl-C ends it quietly while it is still loading."""

import sys


def main() -> None:
    """Run the command."""
    try:
        from pipeline import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
