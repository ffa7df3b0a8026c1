"""An honest reader on a slow network: gets one file at its own pace, with the segments and the receive buffer of a network
instead of those of loopback. Reads an order (JSON) from standard input, and prints a JSON line when the head of the answer
has come, and one with the length and the SHA-256 of the body at its end. From the end of standard input on it takes
everything as it comes.

Python, because Node.js can set neither TCP_MAXSEG nor SO_RCVBUF."""

import hashlib
import json
import socket
import sys
import threading
import time

RECEIVE_BYTES = 4096
SEGMENT_BYTES = 1460
STEP_SECONDS = 0.25


def connect(order):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    connection.bind((order["address"], 0))
    connection.connect(("127.0.0.1", order["port"]))
    connection.sendall(order["request"].encode())
    return connection


def receive_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if byte == b"":
            raise SystemExit("the connection ended in the head")
        head += byte
    return head.decode()


def receive_body(connection, bytes_per_second, is_released):
    """Takes so much in each step, late or not, until the other side closes."""
    step = int(bytes_per_second * STEP_SECONDS)
    digest = hashlib.sha256()
    length = 0
    due = time.monotonic()
    while (part := connection.recv(step, socket.MSG_WAITALL)) != b"":
        digest.update(part)
        length += len(part)
        due = max(due, time.monotonic() - STEP_SECONDS) + STEP_SECONDS
        is_released.wait(max(0, due - time.monotonic()))
    return {"length": length, "sha256": digest.hexdigest()}


def await_release(is_released):
    sys.stdin.read()
    is_released.set()


def tell(**message):
    print(json.dumps(message), flush=True)


def main():
    order = json.loads(sys.stdin.readline())
    connection = connect(order)
    tell(head=receive_head(connection))
    started = time.monotonic()
    is_released = threading.Event()
    threading.Thread(target=await_release, args=[is_released], daemon=True).start()
    body = receive_body(connection, order["bytesPerSecond"], is_released)
    tell(seconds=time.monotonic() - started, **body)


main()
