"""One room as the window knows it: a piece of its log, own posts on their way, what is unread, who is in it. Pure."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from chat_client import walls
from chat_client.model.lines import DELETED, Me, counts, line_of
from chat_client.model.shown import Line
from chat_core import messages as m
from chat_core import said, wire
from chat_core.errors import WireError

# Lines of the room that is looked at; further ones are fetched again when they are scrolled to (GUI.md, section 1).
WINDOW = 2000
# The window may grow by so many before its far end is dropped, so that not every line costs a trim.
SLACK = 200
# Lines kept of rooms that are not looked at.
ASIDE = 200
# Passing lines and notes kept; they are not in the log, and nobody misses old ones.
EXTRAS = 100
# People named in one passing line.
PASSING_NAMES = 5
WALL = "You were not in this room for a while: what was said then is not for you."
# Of so many that became or ceased to be members last it is known, should a list of members come that is older.
MOVES = 100

Post = tuple[str, int]  # (sender, n)


@dataclass
class RoomState:
    """The state of one room. ``lines``: a piece of the log without holes; ``have``: the log was read up to there."""

    id: str
    name: str
    have: int = 0
    chain: str | None = None  # of event `have`, where it is known
    kept_first: int = 1  # the oldest event of the copy on this disk
    first: int = 1  # the oldest event that the broker is known to have
    read: int = 0
    unread: int = 0
    mentions: int = 0
    draft: str = ""
    kind: str = "open"
    closed: str = ""  # why it cannot be read any more, a sentence
    role: str = ""  # mine in it
    until: int = 0  # when it ends that I am muted (ms); 0: nobody knows
    read_only: bool = False
    slow: int = 0  # seconds between two posts of one member
    archived: bool = False
    said: int = 0  # when I said something in it last (ms)
    people: list[m.Pair] = field(default_factory=list)  # of a direct room
    roles: dict[str, str] = field(default_factory=dict)  # of those members who are more or less than one
    walls: dict[int, int] = field(default_factory=dict)  # last event before a wall -> first one behind it
    following: bool = False
    lines: list[Line] = field(default_factory=list)
    at_end: bool = True  # the lines reach up to `have`
    loaded: bool = False  # the lines are what one wants to see first
    new_from: int = 0  # the "new" rule stands above this event; 0: nowhere
    below: int = 0  # messages that came in below what is looked at
    members: dict[str, str] | None = None  # user -> name
    pending: dict[str, Line] = field(default_factory=dict)  # own posts that are not in the lines, by key, in order
    former: dict[Post, str] = field(default_factory=dict)  # what they were called before they were numbered anew
    _extras: list[tuple[int, Line]] = field(default_factory=list)  # stand behind this event
    _passing: list[str] = field(default_factory=list)  # what the last passing line tells
    _members_at: int = 0
    _moves: list[tuple[int, str, str]] = field(default_factory=list)  # event, user, name ("": is no member any more)
    _recent: list[Line] = field(default_factory=list)  # the last of what came in while `at_end` was False
    _deleted: set[int] = field(default_factory=set)  # what "deleted" events that were seen here are about

    @property
    def lowest(self) -> int:
        """The number of the first event among the lines; `have` + 1 if there is none."""
        return self.lines[0].seq if self.lines else self.have + 1

    @property
    def highest(self) -> int:
        """The number of the last event among the lines; `have` if there is none."""
        return self.lines[-1].seq if self.lines else self.have

    @property
    def last(self) -> int:
        """The number of the last event that was read; `have` may be further on, right before the end of a wall."""
        return next((last for last, first in self.walls.items() if first == self.have + 1), self.have)

    def shown(self) -> list[Line]:
        """All lines in order: the log's, with passing ones and notes where they came in, then own ones on their way."""
        if not self._extras and not self.walls:
            return [*self.lines, *self._on_their_way()] if self.at_end else list(self.lines)
        result: list[Line] = []
        extras = [extra for extra in self._extras if not self.lines or extra[0] >= self.lowest - 1]
        place, behind = 0, set(self.walls.values())
        for line in self.lines:
            while place < len(extras) and extras[place][0] < line.seq:
                result.append(extras[place][1])
                place += 1
            if line.seq in behind and result:
                result.append(Line(f"w{line.seq}", "wall", WALL, line.time))
            result.append(line)
        if self.at_end:
            result += [line for _, line in extras[place:]]
            result += self._on_their_way()
        return result

    def _on_their_way(self) -> Iterable[Line]:
        """Own lines that are not in the log. A backup was put back: what it has undone is among the lines until the
        fork is found, and stands for the post that is to say it once more."""
        if not self.former:
            return self.pending.values()
        said = {self.former[line.post]: line.text for line in self.lines if line.post in self.former}
        return [line for key, line in self.pending.items() if line.state == "refused" or said.get(key) != line.text]

    def has(self, post: Post) -> bool:
        """Is this post among the events that are in memory?"""
        return any(line.post == post for line in (*self.lines, *self._recent))

    # The log.

    def arrived(self, events: Sequence[m.Event], me: Me, mine: Mapping[Post, str], looking: bool) -> None:
        """The next events of the log. ``mine``: own posts by (sender, n), as keys of `pending`; ``looking``: the user
        sees the end of this room."""
        lines = self.lines if self.at_end else self._recent
        for event in events:
            if event.seq != self.have + 1:
                continue  # of a time before the room was begun anew
            key = mine.get((event.sender, event.n), "") if event.sender else ""
            if key in self.pending:
                # The line changes where it stands, unless that is behind another: one that was refused, perhaps.
                line = line_of(event, me, key if key == next(iter(self.pending)) else "", "sent")
                del self.pending[key]
            else:
                line = line_of(event, me)
            self._fold(event)
            self.have, self.chain = event.seq, event.chain
            lines.append(line)
            if event.seq > self.read and counts(line):
                if not looking:
                    if self.unread == 0:
                        self.new_from = event.seq
                    self.unread += 1
                    self.mentions += line.mention
                self.below += 1
        if looking:
            self.mark_read()

    def trim(self, current: bool, at_end: bool) -> None:
        """Keep the window in bounds. ``current``: the room is looked at; ``at_end``: and its end is."""
        if not current:
            if len(self.lines) > 2 * ASIDE:
                self._cut_top(ASIDE)
        elif at_end:
            if len(self.lines) > WINDOW + SLACK:
                self._cut_top(WINDOW)
        elif len(self.lines) > 2 * WINDOW:
            # Somebody reads further up while much is said: what is below is fetched again when they come down.
            self._cut_end()
        if len(self._recent) > 2 * ASIDE:
            del self._recent[:-ASIDE]

    def older(self, events: Sequence[m.Event], me: Me, mine: Mapping[Post, str]) -> bool:
        """Put older events before the lines. The last of them is the first line's once more: that it has the same
        chain proves that nothing is missing between. False, and nothing is done, if they do not fit."""
        if not self.lines or not fits(events, self.walls) or not self._same(events[-1], self.lines[0]):
            return False
        self.lines[:0] = self._from_log(events[:-1], me, mine)
        if len(self.lines) > WINDOW + SLACK:
            self._cut_end()
        return True

    def newer(self, events: Sequence[m.Event], me: Me, mine: Mapping[Post, str]) -> bool:
        """Put the events behind the lines, as one scrolls down; the first of them is the last line's once more.
        False, and nothing is done, if they do not fit."""
        if self.at_end or not self.lines or not fits(events, self.walls) or not self._same(events[0], self.lines[-1]):
            return False
        self.lines += self._from_log(events[1:], me, mine)
        self._join(self._recent)
        if len(self.lines) > WINDOW + SLACK:
            self._cut_top(WINDOW)
        return True

    def show(self, events: Sequence[m.Event], me: Me, mine: Mapping[Post, str]) -> bool:
        """Another piece of the log instead of the lines; False, and nothing is done, if it has holes or is empty."""
        if not fits(events, self.walls):
            return False
        since = self.lines if self.at_end else self._recent
        self.lines = self._from_log(events, me, mine)
        self._join(since)
        self.loaded = True
        return True

    def walled(self, after: int, first: int) -> None:
        """What lies between these two events is not for me; what comes next begins at ``first``."""
        if self.have < first - 1:
            if after:
                self.walls[after] = first
            self.have, self.chain = first - 1, None
            self.first = self.first if after else max(self.first, first)

    def rewound(self, seq: int) -> None:
        """The broker's log is another one from behind ``seq`` on."""
        ends = self.lines if self.at_end else self._recent
        gone = [line for line in ends if line.seq > max(seq, self.read) and counts(line)]
        # Those that are not in memory cannot be counted: then it is at most as many as there are events.
        self.unread = max(0, min(self.unread - len(gone), seq - self.read))
        self.mentions = max(0, min(self.mentions - sum(line.mention for line in gone), self.unread))
        self.below = min(self.below, self.unread)
        self.read = min(self.read, seq)
        self.new_from = self.new_from if self.new_from <= seq else 0
        self.have, self.chain = seq, None
        self.walls = {last: first for last, first in self.walls.items() if first <= seq}
        self.lines = [line for line in self.lines if line.seq <= seq]
        self._recent = [line for line in self._recent if line.seq <= seq]
        self._join(self._recent)
        self.former.clear()
        if not self.lines:
            self.loaded = False
        self.kept_first = min(self.kept_first, seq + 1)
        self.members = None
        self.roles.clear()
        self._moves.clear()
        self._extras = [(min(after, seq), line) for after, line in self._extras]

    def put_aside(self) -> None:
        """The user goes to another room."""
        self.new_from = self.below = 0
        if not self.at_end:
            self.lines, self._recent, self.at_end, self.loaded = [], [], True, False
        elif len(self.lines) > ASIDE:
            self._cut_top(ASIDE)

    def mark_read(self) -> bool:
        """All that is there was seen; True if that is news."""
        news = self.read < self.have
        self.read = max(self.read, self.have)
        self.unread = self.mentions = self.below = 0
        return news

    # Who is a member.

    def set_members(self, members: Iterable[tuple[str, str]], at: int, roles: Mapping[str, str] | None = None) -> None:
        """Who was a member as of event ``at``, which may be behind or ahead of what was read."""
        self.members, self.roles = dict(members), dict(roles or {})
        self._members_at = at
        for seq, user, name in self._moves:
            if seq > at:
                self._move(user, name)

    def rename(self, user: str, name: str) -> None:
        """Somebody is called otherwise from now on."""
        if self.members is not None and user in self.members:
            self.members[user] = name
        self.people = [(one, name if one == user else known) for one, known in self.people]

    def _fold(self, event: m.Event) -> None:
        """What an event of the log makes of the room."""
        if event.kind in ("joined", "left"):
            self._note_move(event.seq, event.author, event.name if event.kind == "joined" else "")
        elif target := said.target_of(event):
            self._blank({target})
        elif event.kind in ("removed", "role", "changed"):
            with contextlib.suppress(WireError):
                self._fold_body(event)

    def _fold_body(self, event: m.Event) -> None:
        if event.kind == "changed":
            changed = wire.decode(event.body, m.Changed)
            self.name = self.name if changed.name is None else changed.name
            self.read_only = self.read_only if changed.read_only is None else changed.read_only
            self.slow = self.slow if changed.slow is None else changed.slow
            self.archived = self.archived if changed.archived is None else changed.archived
            return
        about = wire.decode(event.body, m.About)
        if event.kind == "removed":
            self._note_move(event.seq, about.user, "")
        elif event.seq > self._members_at:
            self.roles[about.user] = about.role

    def _note_move(self, seq: int, user: str, name: str) -> None:
        self._moves.append((seq, user, name))
        del self._moves[:-MOVES]
        if seq > self._members_at:
            self._move(user, name)

    def _blank(self, targets: set[int]) -> None:
        """These messages were deleted."""
        self._deleted |= targets
        for lines in (self.lines, self._recent):
            for place, line in enumerate(lines):
                if line.seq in targets and not line.deleted:
                    lines[place] = msgspec.structs.replace(line, text=DELETED, mention=False, deleted=True)

    def _move(self, user: str, name: str) -> None:
        if self.members is not None:
            if name:
                self.members[user] = name
            else:
                self.members.pop(user, None)
                self.roles.pop(user, None)

    # What is not in the log.

    def note(self, line: Line) -> None:
        """This program tells its user something, at the end."""
        self._passing = []
        self._add_extra(line)

    def passing(self, text: str, make: Line) -> None:
        """Somebody came or went: a line of its own, or a part of the last one. ``make``: the line but for its text."""
        last = self._extras[-1] if self._extras else None
        if last is not None and last[1].kind == "passing" and last[0] >= self.have and self._passing:
            self._passing.append(text)
            more = len(self._passing) - PASSING_NAMES
            told = " · ".join(self._passing[:PASSING_NAMES]) + (f" · and {more} more" if more > 0 else "")
            self._extras[-1] = last[0], msgspec.structs.replace(last[1], text=told)
        else:
            self._passing = [text]
            self._add_extra(msgspec.structs.replace(make, text=text))

    def _add_extra(self, line: Line) -> None:
        self._extras.append((self.have, line))
        del self._extras[:-EXTRAS]

    def _from_log(self, events: Sequence[m.Event], me: Me, mine: Mapping[Post, str]) -> list[Line]:
        """Lines for events that were fetched. An own post among them is in the log: it is not on its way any more."""
        for event in events:
            if self.pending and event.sender:
                self.pending.pop(mine.get((event.sender, event.n), ""), None)
        self._blank({target for event in events if (target := said.target_of(event))})
        lines = [line_of(event, me) for event in events]
        return [
            msgspec.structs.replace(line, text=DELETED, mention=False, deleted=True)
            if line.seq in self._deleted and line.kind in ("message", "me")
            else line
            for line in lines
        ]

    def _join(self, since: Sequence[Line]) -> None:
        """Put what came in meanwhile behind the lines, if nothing is missing between."""
        since = [line for line in since if line.seq > self.highest]
        if since and since[0].seq in (self.highest + 1, self.walls.get(self.highest)):
            self.lines += since
        self.at_end = self.highest >= self.last
        if self.at_end:
            self._recent = []

    def _cut_top(self, keep: int) -> None:
        del self.lines[:-keep]

    def _cut_end(self) -> None:
        if self.at_end:
            self._recent = self.lines[-ASIDE:]
        del self.lines[WINDOW:]
        self.at_end = False

    @staticmethod
    def _same(event: m.Event, line: Line) -> bool:
        return event.seq == line.seq and event.chain == line.chain


def fits(events: Sequence[m.Event], within: walls.Walls = walls.NONE) -> bool:
    """Is this a piece of one log without holes, but for these walls? (The chain tells.)"""
    if not events:
        return False
    first = events[0]
    return walls.linked(events[1:], first.room, first.seq + 1, first.chain, within)
