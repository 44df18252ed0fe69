#!/usr/bin/python3
"""A TCP proxy in front of a server's socket: counts bytes, and makes a slow link of a fast one.

    tests/proxy.py --to /tmp/c1/.s.PGSQL.5432 --port 6000 --delay-ms 25 --rate-mbit 100

Delay and rate hold for each direction; all connections share the rate. Counts are printed when its input ends.
"""
import argparse
import queue
import socket
import sys
import threading
import time

CHUNK = 65536
QUEUED = 64  # chunks on the way: more than any link here holds


class Link:
    """One direction."""

    def __init__(self, delay, rate):
        self.delay = delay
        self.rate = rate  # bytes a second, or None
        self.bytes = 0
        self._free = 0.0
        self._lock = threading.Lock()

    def arrival(self, size):
        """When a chunk that is sent now has arrived."""
        now = time.monotonic()
        with self._lock:
            self.bytes += size
            self._free = max(now, self._free) + (size / self.rate if self.rate else 0)
            return self._free + self.delay

    def carry(self, source, target):
        """Both ends are closed when either is."""
        chunks = queue.Queue(QUEUED)
        writer = threading.Thread(target=self._write, args=(chunks, target), daemon=True)
        writer.start()
        try:
            while data := source.recv(CHUNK):
                chunks.put((self.arrival(len(data)), data))
        except OSError:
            pass
        chunks.put((0, None))
        writer.join()

    @staticmethod
    def _write(chunks, target):
        broken = False
        while True:
            arrival, data = chunks.get()
            if data is None:
                break
            wait = arrival - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            try:
                if not broken:
                    target.sendall(data)
            except OSError:
                broken = True
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Proxy:
    """Listens on 127.0.0.1 until it is closed."""

    def __init__(self, to, port=0, delay_ms=0, rate_mbit=None):
        self.to = str(to)
        rate = rate_mbit * 1e6 / 8 if rate_mbit else None
        self.up, self.down = Link(delay_ms / 1000, rate), Link(delay_ms / 1000, rate)
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect()
            except OSError:
                client.close()
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for link, source, target in ((self.up, client, server), (self.down, server, client)):
                threading.Thread(target=link.carry, args=(source, target), daemon=True).start()

    def _connect(self):
        if self.to.isdigit():
            return socket.create_connection(("127.0.0.1", int(self.to)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.to)
        return server

    @property
    def bytes(self):
        return self.up.bytes + self.down.bytes

    def close(self):
        self._listener.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", required=True, help="socket of the server, or a port of 127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--rate-mbit", type=float)
    options = parser.parse_args()
    proxy = Proxy(options.to, options.port, options.delay_ms, options.rate_mbit)
    print(f"127.0.0.1:{proxy.port}", flush=True)
    sys.stdin.read()
    print(f"up {proxy.up.bytes} bytes, down {proxy.down.bytes} bytes")


if __name__ == "__main__":
    main()
