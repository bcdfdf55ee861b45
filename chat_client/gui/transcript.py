"""What was said in a room, to read: rows that change in place, a view that stays where one reads, text to copy."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Final

from chat_client.gui.keys import bind_menu
from chat_client.gui.look import Look
from chat_client.gui.pictures import Pictures
from chat_client.gui.scrolling import Scrolling
from chat_client.gui.selecting import Selecting
from chat_client.gui.tags import TagStyles
from chat_client.gui.targets import Targets, TimeHint
from chat_client.gui.writing import Writing, clock
from chat_client.model.shown import Delete, Insert, Op, Row

# A row begins at a mark of its own (left gravity) and ends where the next begins; the last one ends here.
_TAIL: Final = "tail"
_FINISH_MS: Final = 30
_EDGE: Final = 16  # design pixels between the edge of the view and what is shown over it


class TranscriptView(ttk.Frame):
    """The rows of one room at a time. While its end is in view it follows what comes; else the first line in view
    stays where it is, whatever happens above and below it.

    ``on_scrolled(at_top, at_end)``: when either changes, after `show_rows`, when rows came in above and the top is
    still in view, and at every further attempt to scroll up from the very top. ``on_link(url)``. ``on_edit(key)`` and
    ``on_discard(key)``: of a line that was refused. ``on_menu(key, x, y)``: what can be done with a row is asked for,
    at this place of the screen: by the right button, or by the menu key or Shift+F10.
    """

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        *,
        on_scrolled: Callable[[bool, bool], None],
        on_link: Callable[[str], None],
        on_edit: Callable[[str], None],
        on_discard: Callable[[str], None],
        on_jump: Callable[[], None],
        on_menu: Callable[[str, int, int], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._on_link, self._on_edit, self._on_discard = on_link, on_edit, on_discard
        self._rows: dict[str, Row] = {}
        self._order: list[str] = []
        self._marks: dict[str, str] = {}  # key -> mark
        self._keys: dict[str, str] = {}  # mark -> key
        self._made = 0  # marks so far
        self._finishing = ""  # Tk's id
        self._empty_text = ""

        self.text = tk.Text(self, wrap="word", takefocus=1, width=1, height=1, borderwidth=0, undo=False, insertwidth=0)
        self._bar = ttk.Scrollbar(self, orient="vertical")
        self._jump = ttk.Button(self, style="Accent.TButton", command=on_jump)
        self._empty = ttk.Label(self, style="Dim.TLabel", anchor="center", justify="center")
        self.text.mark_set(_TAIL, "1.0")
        self._styles = TagStyles(self.text, look)
        self._pictures = Pictures(self.text, look)
        self._writing = Writing(self.text, look, self._pictures)
        self._scrolling = Scrolling(self.text, self._bar, look, on_scrolled)
        self._selecting = Selecting(self.text, self._selected)
        self._targets = Targets(self.text, self._on_press)
        self._hint = TimeHint(self.text, look, self._time_at)
        self._scrolling.watch(self._hint.hide)
        if on_menu is not None:
            bind_menu(self.text, lambda event: self._ask_menu(event, on_menu))
        self.text.bind("<Configure>", lambda event: self._show_whether_empty(), add=True)
        self.text.configure(state="disabled")
        self.text.grid(row=0, column=0, sticky="nsew")
        self._bar.grid(row=0, column=1, sticky="ns")
        self.rowconfigure(0, weight=1)
        self.columnconfigure(0, weight=1)
        look.watch(self._on_look)

    # What is shown.

    def show_rows(self, rows: Sequence[Row], place: str = "") -> None:
        """Other rows in the place of all. ``place``: the key of the row to look at; "": the end."""
        self._open()
        self.text.delete("1.0", "end")
        self.text.mark_unset(*self._keys)
        for store in (self._rows, self._order, self._marks, self._keys, self._pictures):
            store.clear()
        self._insert(rows, "")
        self._close()
        if place in self._marks:
            self._scrolling.go_to(self._marks[place])
        else:
            self._scrolling.go_to_end()
        self._scrolling.tell_anew()

    def show_changes(self, ops: Sequence[Op], follow: bool = True) -> None:
        """Change the rows; the view stays at the end, or else where it is. An unknown key is a KeyError.

        Not ``follow``: the end of the rows was not the room's, and the view stays where it is there, too."""
        self._scrolling.notice()
        if not follow and self._scrolling.following:
            self._scrolling.let_go()
            self._scrolling.tell_anew()
        held, depth = self._first_place()
        at_top, above = self._scrolling.at_top, False
        self._open()
        for op in ops:
            if isinstance(op, Delete):
                for key in op.keys:
                    self._delete(key)
            elif isinstance(op, Insert):
                above = above or (bool(op.before) and op.before == self._order[0])
                self._insert(op.rows, op.before)
            else:
                self._change(op.row)
                if op.row.line.key == held:
                    self._scrolling.hold_to(self._place_in(held, depth))
        self._close()
        self._scrolling.settle()
        if above and at_top and self._scrolling.at_top:
            self._scrolling.tell_anew()

    def show_me(self, names: Sequence[str]) -> None:
        """What I am called: where a text says so, it is marked. For rows that are shown from now on."""
        self._writing.me = tuple(names)

    def show_jump(self, text: str) -> None:
        """A button over the text's end, which says this; "": none."""
        if text:
            self._jump.configure(text=text)
            edge = self._look.px(_EDGE)
            self._jump.place(in_=self.text, relx=1, rely=1, x=-edge, y=-edge, anchor="se")
        else:
            if self._jump.focus_displayof() is self._jump:
                self.text.focus_set()
            self._jump.place_forget()

    def show_empty(self, text: str) -> None:
        """What to say in the middle while there are no rows."""
        self._empty_text = text
        self._show_whether_empty()

    # What it is like.

    @property
    def at_end(self) -> bool:
        """Whether the end is in view, and followed."""
        return self._scrolling.following

    def scroll_to_end(self) -> None:
        """Show the end, and follow it."""
        self._scrolling.go_to_end()

    def scroll_pages(self, pages: int) -> None:
        """Scroll so many pages down; negative: up."""
        self._scrolling.by_pages(pages)

    def scroll_to_top(self) -> None:
        """Show the first of the rows."""
        self._scrolling.to_top()

    def focus_text(self) -> None:
        """Have the keys go to the text."""
        self.text.focus_set()

    def select_all(self) -> None:
        """Select everything."""
        self._selecting.select_all()

    def copy(self, key: str = "") -> None:
        """Put what is selected on the clipboard; with nothing selected, the text of this row."""
        if self.text.tag_ranges("sel") or not key:
            self._selecting.copy()
        else:
            self.clipboard_clear()
            self.clipboard_append(self._pictures.read(*self._body_of(key)))

    def visible_keys(self) -> tuple[str, str]:
        """The first and the last row of which something is in view; "" and "" if there are no rows."""
        return self._row_at("@0,0"), self._row_at(f"@0,{self.text.winfo_height()}")

    def text_of(self, key: str) -> str:
        """All that is shown of a row, in words."""
        return self._pictures.read(self._marks[key], self._end_of(key)).strip().replace("\n\t", "\n")

    # Rows and marks.

    def _open(self) -> None:
        self._pictures.begin()
        self.text.configure(state="normal")

    def _close(self) -> None:
        self.text.configure(state="disabled")
        self._hint.hide()
        self._show_whether_empty()
        self._finish_soon()

    def _insert(self, rows: Sequence[Row], before: str) -> None:
        """Put rows in before another; "": at the end."""
        call, path = self.text.tk.call, str(self.text)
        at = self._marks[before] if before else _TAIL
        place = self._order.index(before) if before else len(self._order)
        self._order[place:place] = [row.line.key for row in rows]
        for row in rows:
            self._made += 1
            mark = f"row{self._made}"
            call(path, "mark", "set", mark, at)
            call(path, "mark", "gravity", mark, "left")
            self._marks[row.line.key], self._keys[mark] = mark, row.line.key
            self._write(row, at)

    def _delete(self, key: str) -> None:
        self.text.delete(self._marks[key], self._end_of(key))
        self._order.remove(key)
        mark = self._marks.pop(key)
        del self._keys[mark], self._rows[key]
        self.text.mark_unset(mark)

    def _change(self, row: Row) -> None:
        key = row.line.key
        end = self._end_of(key)
        self.text.delete(self._marks[key], end)
        self._write(row, end)

    def _write(self, row: Row, at: str) -> None:
        """Write a row at the mark of the next one, which is pushed on by it."""
        key = row.line.key
        self._rows[key] = row
        if at != _TAIL:
            self.text.mark_gravity(at, "right")
        self._writing.write(at, row)
        if at != _TAIL:
            self.text.mark_gravity(at, "left")

    def _finish_soon(self) -> None:
        if self._pictures.unfinished and not self._finishing:
            self._finishing = self.after(_FINISH_MS, self._finish)

    def _finish(self) -> None:
        """Draw some of the emoji that there was no time for."""
        self._finishing = ""
        self._scrolling.notice()
        self._open()
        self._pictures.finish()
        self._close()
        self._scrolling.settle()

    def _end_of(self, key: str) -> str:
        place = self._order.index(key) + 1
        return self._marks[self._order[place]] if place < len(self._order) else _TAIL

    def _row_at(self, index: str) -> str:
        """The key of the row at this place; "" if there is none."""
        mark = self.text.mark_previous(f"{index}+1c")
        while mark and mark not in self._keys:
            mark = self.text.mark_previous(mark)
        return self._keys[mark] if mark else ""

    def _body_of(self, key: str) -> tuple[str, str]:
        """From where to where a row's own text goes."""
        found = self.text.tag_nextrange("body", self._marks[key], self._end_of(key))
        return (found[0], found[1]) if found else (self._marks[key], self._marks[key])

    def _first_place(self) -> tuple[str, int]:
        """The first row in view, and how far behind the beginning of its text the view begins (or before: below 0).
        At the end, where no place is kept, "" and 0."""
        key = "" if self._scrolling.following else self._row_at(self._scrolling.top())
        if not key:
            return "", 0
        return key, int(self.text.tk.call(self.text, "count", self._body_of(key)[0], self._scrolling.top()))

    def _place_in(self, key: str, depth: int) -> str:
        """The place so far behind the beginning of a row's text, but in that row."""
        place = self.text.index(f"{self._body_of(key)[0]} {depth:+d} indices")
        if self.text.compare(place, "<", self._marks[key]):
            return self._marks[key]
        return place if self.text.compare(place, "<", self._end_of(key)) else f"{self._end_of(key)}-1c"

    def _show_whether_empty(self) -> None:
        if self._empty_text and not self._order:
            room = self.text.winfo_width() - 2 * self._look.px(_EDGE)
            self._empty.configure(text=self._empty_text, wraplength=max(1, room))
            self._empty.place(in_=self.text, relx=0.5, rely=0.5, anchor="center")
        elif self._empty.winfo_manager():
            self._empty.place_forget()

    # What others ask for.

    def _selected(self) -> str:
        """What is selected: a part of one message as it is, several messages with names and times."""
        ranges = self.text.tag_ranges("sel")
        if not ranges:
            return ""
        start, end = str(ranges[0]), str(ranges[-1])
        first, last = self._row_at(start), self._row_at(f"{end}-1c")
        if not first:
            return ""
        parts: list[tuple[Row, str]] = []
        for key in self._order[self._order.index(first) : self._order.index(last) + 1]:
            begin, stop = self._body_of(key)
            begin = start if self.text.compare(begin, "<", start) else begin
            stop = end if self.text.compare(stop, ">", end) else stop
            if self.text.compare(begin, "<", stop):
                parts.append((self._rows[key], self._pictures.read(begin, stop)))
        if not parts:
            return self._pictures.read(start, end).rstrip("\n")
        return parts[0][1] if len(parts) == 1 else "\n".join(_quoted(row, text) for row, text in parts)

    def _on_press(self, start: str, end: str) -> None:
        key, tags = self._row_at(start), self.text.tag_names(start)
        if "edit" in tags:
            self._on_edit(key)
        elif "discard" in tags:
            self._on_discard(key)
        else:
            url = self._writing.url_of(self._rows[key], self._pictures.read(start, end))
            if url:
                self._on_link(url)

    def _ask_menu(self, event: "tk.Event[tk.Misc] | None", on_menu: Callable[[str, int, int], None]) -> None:
        """``event``: of the pointer; None: by a key, which means the row that was clicked, else the last in view."""
        text = self.text
        if event is not None:
            key, x, y = self._row_at(f"@{event.x},{event.y}"), event.x_root, event.y_root
        else:
            seen = text.bbox("insert")
            key = self._row_at("insert") if seen else self.visible_keys()[1]
            box = text.bbox(self._body_of(key)[0]) if key else None
            x, y, _, high = box or (0, 0, 0, 0)
            x, y = text.winfo_rootx() + x, text.winfo_rooty() + y + high
        if key:
            on_menu(key, x, y)

    def _time_at(self, y: int) -> tuple[str, str] | None:
        key = self._row_at(f"@0,{y}")
        row = self._rows.get(key)
        if row is None or row.head or row.line.kind != "message":
            return None
        return clock(row.line.time), self._body_of(key)[0]

    def _on_look(self) -> None:
        # No `notice` here: by now the fonts have another size, and what was in view before is not.
        self._styles.apply()
        self._pictures.resize()
        self._finish_soon()
        self._scrolling.settle()

    def destroy(self) -> None:
        self._look.unwatch(self._on_look)
        if self._finishing:
            self.after_cancel(self._finishing)
        super().destroy()
        self._styles.forget()


def _quoted(row: Row, text: str) -> str:
    line = row.line
    if line.kind == "note":
        return text
    return f"[{clock(line.time)}] {line.name}: {text}" if line.kind == "message" else f"[{clock(line.time)}] {text}"
