"""A crowd of slow clients, as a process of its own: opens all its connections, moves a little every second on those that are
slow, stops after a while, and goes on watching. Reads an order (JSON) from standard input, and prints a JSON line when
all have come, when the last byte was moved, and when every connection was closed by the other side. Stays until its standard
input ends, since its end would close what the server has to.

Python, because slow readers need a small receive buffer (SO_RCVBUF), as real ones have: with a large one the kernel
itself would read for them."""

import json
import select
import socket
import sys
import time

BATCH = 100
RECEIVE_BYTES = {"slow-reader": 4096, "stopping-reader": 32768}
# Of Ethernet; loopback's 64 KiB would make the kernel take some MB from the server for each reader.
SEGMENT_BYTES = 1448
TICK_SECONDS = 1.0


class SlowClient:
    def __init__(self, kind, opening, port):
        self.kind = kind
        self.opening = opening
        self.socket = socket.socket()
        if self.is_reader():
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES[kind])
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.last = time.monotonic()
        self.send(opening)

    def is_reader(self):
        return self.kind in RECEIVE_BYTES

    def drip(self):
        """A little more, in the direction in which this client is slow."""
        if self.kind in ("slow-head", "slow-body", "refused-body"):
            self.send("a")
        elif self.kind == "slow-reader":
            self.take(1)
        elif self.kind == "stopping-reader":
            self.take(RECEIVE_BYTES[self.kind])

    def send(self, text):
        if not text:
            return
        self.last = time.monotonic()
        try:
            self.socket.send(text.encode())
        except OSError:
            pass  # Closed by the other side: the poll tells.

    def take(self, count):
        """Reads; false when the other side has closed."""
        try:
            return self.socket.recv(count) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False


class Crowd:
    def __init__(self, order):
        self.order = order
        self.poll = select.epoll()
        self.present = {}
        self.longest = {kind: 0.0 for kind in order["openings"]}

    def arrive(self):
        arrivals = [(kind, text) for kind, texts in self.order["openings"].items() for text in texts]
        for at in range(0, len(arrivals), BATCH):
            for kind, text in arrivals[at : at + BATCH]:
                client = SlowClient(kind, text, self.order["port"])
                self.present[client.socket.fileno()] = client
                # What a slow reader gets stays where it is; the poll tells of its end all the same.
                events = select.EPOLLRDHUP if client.is_reader() else select.EPOLLIN | select.EPOLLRDHUP
                self.poll.register(client.socket.fileno(), events)
            self.watch(0.02)
        return len(arrivals)

    def act(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for client in list(self.present.values()):
                client.drip()
            self.watch(TICK_SECONDS)

    def watch(self, seconds):
        """Reads what comes and lets go of what was closed, for so long or until nobody is left."""
        end = time.monotonic() + seconds
        while self.present and (left := end - time.monotonic()) > 0:
            for descriptor, event in self.poll.poll(left):
                client = self.present[descriptor]
                is_over = event & (select.EPOLLHUP | select.EPOLLERR) or (
                    not client.is_reader() and not client.take(65536)
                )
                if is_over or event == select.EPOLLRDHUP:
                    self.lose(descriptor)

    def lose(self, descriptor):
        client = self.present.pop(descriptor)
        self.longest[client.kind] = max(self.longest[client.kind], time.monotonic() - client.last)
        client.socket.close()


def tell(**message):
    print(json.dumps(message), flush=True)


def main():
    crowd = Crowd(json.loads(sys.stdin.readline()))
    tell(type="open", connections=crowd.arrive())
    crowd.act(crowd.order["activeSeconds"])
    tell(type="stopped")
    # The server closes the connections of slow readers, but its kernel keeps what they have not read: they never learn.
    while any(not client.is_reader() for client in crowd.present.values()):
        crowd.watch(TICK_SECONDS)
    tell(type="gone", longestSeconds=crowd.longest)
    sys.stdin.read()


main()
