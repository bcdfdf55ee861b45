"""The front door of the broker: ``python broker.py``; `chat_broker.serving.process` does the work."""

import sys
from pathlib import Path


def main() -> int:
    """Run the broker with the config.toml beside this file; returns the exit status."""
    if sys.version_info < (3, 11):
        print(f"chat-broker: Python 3.11 or newer is needed, and this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    try:
        from chat_broker.serving.process import main as serve
    except ModuleNotFoundError as problem:
        if problem.name is None or problem.name.startswith("chat_"):
            raise
        here = Path(__file__).resolve().parent
        print(
            f"chat-broker: the package {problem.name!r} is missing. Install what the broker needs: "
            f"{sys.executable} -m pip install -e {here}",
            file=sys.stderr,
        )
        return 1
    return serve(beside=Path(__file__).resolve().parent)


if __name__ == "__main__":
    sys.exit(main())
