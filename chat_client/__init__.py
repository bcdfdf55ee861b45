"""The client without a window: session, link, outbox, bots and the command line; importable without a display."""
