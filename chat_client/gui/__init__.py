"""The window: the only place that knows tkinter. Views are passive: `show_*` in, callbacks out."""
