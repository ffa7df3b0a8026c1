"""One XMPP account in the real profanity, at a terminal of its own: reads a JSON order from standard input, types what a
person would type, and prints the URLs that went to the contact as JSON. What happened is read from profanity's own log,
not from the screen. Needs pseudo-terminals and Debian's profanity."""

import html
import json
import os
import pty
import re
import select
import sys
import tempfile
import time

SECONDS_PER_STEP = 30
READ_GAP_SECONDS = 0.02
SCREEN_BYTES = 65536
SENT_URL = r"SENT: <message [^\n]*<url>([^<\n]*)</url>"


class Profanity:
    """Its accounts, settings and log lie in this folder."""

    def __init__(self, folder):
        self.log = os.path.join(folder, "log")
        self.read = 0
        open(self.log, "w").close()
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            places = {name: os.path.join(folder, name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
            basics = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TERM": "xterm"}
            os.execvpe("profanity", ["profanity", "--log", "DEBUG", "--logfile", self.log], {**basics, **places})

    def type(self, line):
        os.write(self.terminal, line.encode() + b"\r")

    def until(self, pattern):
        """Waits for the next line of its log like this. Returns the match."""
        deadline = time.monotonic() + SECONDS_PER_STEP
        while True:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                text = log.read()
            match = re.compile(pattern).search(text, self.read)
            if match:
                self.read = match.end()
                return match
            if time.monotonic() > deadline or not self.show(READ_GAP_SECONDS):
                raise SystemExit(f"profanity: no {pattern}\n{text[-4000:]}")

    def show(self, seconds):
        """Takes what it draws: it stands still when nobody does. Returns whether it is still there."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            return os.read(self.terminal, SCREEN_BYTES) != b""
        except OSError:
            return False

    def end(self):
        self.type("/quit")
        deadline = time.monotonic() + SECONDS_PER_STEP
        while self.show(READ_GAP_SECONDS):
            if time.monotonic() > deadline:
                raise SystemExit("profanity: does not quit")
        os.waitpid(self.child, 0)


def main():
    order = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="profanity-") as folder:
        client = Profanity(folder)
        client.until("Starting Profanity")
        client.type(f"/connect {order['jid']} server 127.0.0.1 port {order['port']} tls disable")
        client.until("Input received: /connect")
        client.type(order["password"])
        # Before it has asked the service, a file is refused.
        client.until(f"connection_features_received {re.escape(order['service'])}")
        client.type(f"/msg {order['contact']}")
        urls = []
        for file in order["files"]:
            client.type(f'/sendfile "{file}"')
            urls.append(html.unescape(client.until(SENT_URL).group(1)))
        client.end()
    print(json.dumps(urls))


main()
