"""The broker as a process: sockets, threads and signals around the rules; zmq and threads are only here."""
