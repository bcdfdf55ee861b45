"""``python -m chat_client``: the command line."""

import sys

from chat_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
