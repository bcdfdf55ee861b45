"""The broker's rules: what a request changes and who is told; sockets, clocks and threads are in `serving`."""
