"""Fetches pieces of a room's log that are not in memory: from the copy on disk, else from the broker. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from chat_client.model import orders
from chat_client.model.room import RoomState
from chat_core import messages as m
from chat_core import wire

# Events in one step of scrolling; about three screens.
STEP = 100
# Unread messages up to so many are fetched together with what comes after them.
UNREAD_AT_ONCE = 1500
# Lines above the first unread one, so that one sees what it answers.
BEFORE_UNREAD = 30

Purpose = Literal["show", "end", "older", "newer"]


@dataclass
class Fetch:
    """One piece that is on its way: the events after ``after`` up to ``upto``."""

    room: str
    after: int
    upto: int
    purpose: Purpose
    events: list[m.Event] = field(default_factory=list)
    from_broker: bool = False
    walls: dict[int, int] = field(default_factory=dict)  # that the broker's pages have shown


def first_piece(room: RoomState) -> tuple[int, int]:
    """What one wants to see on opening a room: the end, or where the unread ones begin. (after, up to)."""
    if room.unread and room.read + STEP < room.have:
        after = max(_floor(room), room.read - BEFORE_UNREAD)
        return after, room.have if room.have - after <= UNREAD_AT_ONCE else min(room.have, after + 3 * STEP)
    return last_piece(room)


def last_piece(room: RoomState) -> tuple[int, int]:
    """The end of a room. (after, up to)"""
    return max(_floor(room), room.have - STEP), room.have


def _floor(room: RoomState) -> int:
    """How far down to look at first: what is on this disk is there at once, with or without a broker."""
    return max(room.first, room.kept_first if room.kept_first <= room.have else 1) - 1


class Histories:
    """The fetches of all rooms, one at a time for each."""

    def __init__(self, order: Callable[[orders.Order], None], tokens: Callable[[], int]) -> None:
        """``order`` takes what is to be done, ``tokens`` gives a fresh number."""
        self._order, self._tokens = order, tokens
        self._fetches: dict[int, Fetch] = {}

    def begin(self, room: RoomState, purpose: Purpose) -> bool:
        """Fetch what is wanted; False if there is nothing to fetch, or something is on its way for this room."""
        if any(fetch.room == room.id for fetch in self._fetches.values()):
            if purpose != "end":
                return False
            self.forget(room.id)
        if purpose == "older":
            # The last event is one that is there already: its chain proves that nothing is missing between.
            if not room.lines or room.lowest <= room.first:
                return False
            after, upto = max(room.first - 1, room.lowest - 1 - STEP), room.lowest
            if room.kept_first < room.lowest:  # first what is on this disk
                after = max(after, room.kept_first - 1)
        elif purpose == "newer":
            if room.at_end or not room.lines:
                return False
            after, upto = room.highest - 1, min(room.have, room.highest + STEP)
        elif purpose == "end":
            after, upto = last_piece(room)
        else:
            after, upto = first_piece(room)
        if upto <= after:
            return False
        token = self._tokens()
        self._fetches[token] = Fetch(room.id, after, upto, purpose)
        self._order(orders.Look(token, room.id, after, upto))
        return True

    def found(self, news: orders.Found) -> Fetch | None:
        """What the copy has; returns the fetch if it is complete."""
        fetch = self._fetches.get(news.token)
        if fetch is None:
            return None
        if news.events is not None:
            fetch.events = news.events
            del self._fetches[news.token]
            return fetch
        fetch.from_broker = True
        self._ask(news.token, fetch)
        return None

    def answered(self, token: int, reply: m.Reply, epoch: str) -> Fetch | None:
        """What the broker has; returns the fetch if it is complete. ``epoch``: of the history that is being read."""
        fetch = self._fetches.get(token)
        if fetch is None:
            return None
        if not isinstance(reply, m.Paged) or reply.epoch != epoch:
            del self._fetches[token]
            return None
        if fetch.events and reply.first > fetch.events[-1].seq + 1:
            fetch.walls[fetch.events[-1].seq] = reply.first
        fetch.events += [wire.decode_event(event) for event in reply.events]
        fetch.after = max(fetch.after, reply.first - 1)
        if reply.events and fetch.events[-1].seq < fetch.upto:
            del self._fetches[token]
            again = self._tokens()
            self._fetches[again] = fetch
            self._ask(again, fetch)
            return None
        del self._fetches[token]
        return fetch

    def first_of(self, token: int, reply: m.Paged, first: int) -> int:
        """The oldest event that can be read: it was ``first``, as far as was known before this page."""
        fetch = self._fetches[token]
        asked = fetch.events[-1].seq if fetch.events else fetch.after
        return max(first, reply.first) if asked < first else first

    def has(self, token: int) -> bool:
        """Is this the number of a fetch?"""
        return token in self._fetches

    def loading(self, room: str) -> Purpose | None:
        """What is on its way for a room."""
        return next((fetch.purpose for fetch in self._fetches.values() if fetch.room == room), None)

    def forget(self, room: str = "") -> None:
        """What is on its way for a room, or for all, is of no interest any more."""
        self._fetches = {token: fetch for token, fetch in self._fetches.items() if room and fetch.room != room}

    def _ask(self, token: int, fetch: Fetch) -> None:
        after = fetch.events[-1].seq if fetch.events else fetch.after
        self._order(orders.Ask(token, m.Page(room=fetch.room, after=after, upto=fetch.upto)))
