"""What the status bar says: the truth about the connection, and what is being done about it. Pure."""

from chat_client.effects import Status
from chat_client.model.shown import StatusLine
from chat_core import messages as m


def status_line(
    status: Status,
    *,
    address: str,
    was_live: bool,
    waited: bool,
    round_trip: float | None,
    held: m.Refused | None,
    turned_away: str,
    unsent: int,
    trouble: str,
    encrypted: bool = False,
) -> StatusLine:
    """``was_live``: there was a connection before; ``waited``: some time has passed without; ``round_trip`` in seconds;
    ``held``: what the broker cannot do now; ``unsent``: own messages on their way; ``trouble``: what the disk of this
    machine could not do."""
    kept = "" if not unsent else "1 message not sent yet" if unsent == 1 else f"{unsent} messages not sent yet"
    right = " · ".join(part for part in (kept, trouble) if part)
    if status.state == "waiting":
        return StatusLine("busy", f"Waiting to be let in. {status.text}", right)
    if status.state == "refused":
        return StatusLine("bad", turned_away or status.text, right)
    if held is not None and status.state != "offline":
        # Of what is kept on the broker's side nothing is lost, and this side goes on asking.
        return StatusLine("bad", f"{held.text} Trying again.", right)
    if status.state == "offline":
        safe = " What you write is kept." if not unsent else ""
        if status.trouble not in ("", "nobody"):
            return StatusLine("bad", f"{status.text} Trying again.{safe}", right)
        if was_live or waited:
            if not was_live:
                return StatusLine("bad", f"No broker answers at {address} yet. Trying again every second.{safe}", right)
            return StatusLine("bad", f"The broker at {address} is away. Trying again every second.{safe}", right)
        return StatusLine("busy", f"Looking for the broker at {address}…{safe}", right)
    if "blocked" in status.text:
        text = "The feed's port is blocked (a firewall?): messages come a second later. Trying again."
        return StatusLine("bad", text, right)
    if status.state == "joining":
        return StatusLine("busy", f"Connected to {address}: joining…", right)
    if status.state == "syncing":
        return StatusLine("busy", f"Connected to {address}: catching up…", right)
    time = f" · {round_trip * 1000:.1f} ms" if round_trip is not None else ""
    return StatusLine("good", f"Connected to {address}{time} · {'' if encrypted else 'not '}encrypted", right)
