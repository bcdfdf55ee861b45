"""What the window knows, as plain data: rooms, transcripts, people, drafts. No tkinter, no threads, no clock."""
