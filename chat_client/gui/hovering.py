"""The row of a list under the pointer, which ttk does not mark by itself."""

from tkinter import ttk


def mark_hovered_row(tree: ttk.Treeview) -> None:
    """From now on, show which row of a "Rooms.Treeview" or "People.Treeview" is under the pointer.

    Its style shows a row that is "open" as hovered; for rows without others below them it has no other meaning.
    """
    _Hovering(tree)


class _Hovering:
    """Keeps one row of the list open: the one under the pointer. Lives for as long as the list."""

    def __init__(self, tree: ttk.Treeview) -> None:
        self._tree = tree
        self._row = ""
        tree.bind("<Motion>", lambda event: self._mark(tree.identify_row(event.y)), add=True)
        tree.bind("<Leave>", lambda event: self._mark(""), add=True)

    def _mark(self, row: str) -> None:
        if row == self._row:
            return
        for item, hovered in ((self._row, False), (row, True)):
            if item and self._tree.exists(item):
                self._tree.item(item, open=hovered)
        self._row = row
