"""The corpus: frames and scripts to begin with, as files in the folder ``corpus``; what a fuzzer finds joins them.

A frame is a file as it is sent. A script (``*.script``) is JSON, with each frame's bytes as the characters of Latin-1.
"""

import json
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

from tests.broker.table import OTHER_SENDER, SENDER, key_of
from tests.hostile.bad_frames import BAD_FRAMES
from tests.hostile.bad_requests import BAD_REQUESTS, GRANTED
from tests.hostile.cases import ROOM, THEIR_ROOM, filled
from tests.hostile.mutations import Script, Turn

FOLDER = Path(__file__).with_name("corpus")
_SCRIPT = ".script"


def files() -> dict[str, bytes]:
    """The frames that are files, by name."""
    return {file.name: file.read_bytes() for file in sorted(FOLDER.iterdir()) if file.suffix != _SCRIPT}


def frames() -> list[bytes]:
    """All frames: the files, and what the table of bad input has, of people and rooms that these scripts know."""
    tabled = [frame for case in (*BAD_FRAMES, *BAD_REQUESTS) for frame in (*case.first, *case.frames)]
    # Large ones are there for their size alone; changed at random they only take time.
    return [
        *files().values(),
        *sorted({_known(frame) for frame in (*tabled, *GRANTED.values()) if len(frame) < 10_000}),
    ]


def _known(frame: bytes) -> bytes:
    keys = {"KEY": key_of("eve"), "MINE": key_of("ann"), "ZOE": key_of("bob")}
    frame = filled(frame, keys | {"SENDER": SENDER, "THEIRS": OTHER_SENDER})
    return frame.replace(ROOM.encode(), b"lobby").replace(THEIR_ROOM.encode(), b"books")


def scripts() -> dict[str, Script]:
    """The scripts, by name."""
    return {file.name: read_script(file.read_text()) for file in sorted(FOLDER.glob(f"*{_SCRIPT}"))}


def save_frame(frame: bytes, folder: Path = FOLDER) -> Path:
    """Keep a frame that something went wrong with."""
    file = folder / f"found-{_digest(frame)}"
    file.write_bytes(frame)
    return file


def save_script(script: Script, folder: Path = FOLDER) -> Path:
    """Keep a script that something went wrong with."""
    turns = [
        asdict(turn) | {"arrived": [[who, frame.decode("latin-1")] for who, frame in turn.arrived]} for turn in script
    ]
    text = json.dumps(turns, indent=1) + "\n"
    file = folder / f"found-{_digest(text.encode())}{_SCRIPT}"
    file.write_text(text)
    return file


def read_script(text: str) -> Script:
    """A script from its file."""
    return tuple(
        Turn(**turn | {"arrived": tuple((who, frame.encode("latin-1")) for who, frame in turn["arrived"])})
        for turn in json.loads(text)
    )


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=6).hexdigest()
