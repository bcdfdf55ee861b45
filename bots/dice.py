"""A bot on the client library, which misses nothing: rolls dice, and chooses. ``python bots/dice.py [ADDRESS [DIR]]``

DIR: the folder of its key and its place; otherwise one for its name.
"""

import logging
import random
import sys
from pathlib import Path

from chat_client.bot import Bot, Call

address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
bot = Bot(address, "dice", rooms=["lobby"], identity=folder)


@bot.command
def roll(call: Call, sides: int = 6) -> str:
    """Roll a die."""
    if not 2 <= sides <= 1000:
        return "A die has 2 to 1000 sides."
    return f"{call.name} rolled {random.randint(1, sides)} of {sides}."


@bot.command
def choose(call: Call, options: str) -> str:
    """Choose one of several things, separated by commas."""
    return random.choice([option.strip() for option in options.split(",")]) or "nothing"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    bot.run()
