"""One XMPP account that does what it is told, by slixmpp: reads a JSON order from standard input, asks for upload slots
or uploads whole files as the library's own plugin does, and prints one JSON result for each job. Needs Debian's
python3-slixmpp and python3-aiohttp."""

import json
import sys

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0363 import FileUploadError

SECONDS_PER_JOB = 60


class Account(ClientXMPP):
    def __init__(self, order):
        super().__init__(order["jid"], order["password"])
        self.order = order
        self.results = []
        self.register_plugin("xep_0030")
        # Its own search for the service does not work with Python 3.11 (coroutines given to asyncio.wait).
        self.register_plugin("xep_0363", {"upload_service": order["service"]})
        self.add_event_handler("session_start", self.work)
        for failure in ("failed_all_auth", "connection_failed"):
            self.add_event_handler(failure, lambda reason: self.abort())

    async def work(self, _):
        try:
            for job in self.order["jobs"]:
                self.results.append(await self.do(job))
        finally:
            await self.disconnect()

    async def do(self, job):
        try:
            return await (self.upload(job) if "file" in job else self.ask_for_slot(job))
        except (IqError, IqTimeout, FileUploadError) as error:
            return {"error": str(error) or type(error).__name__}

    async def upload(self, job):
        with open(job["file"], "rb") as content:
            url = await self["xep_0363"].upload_file(
                job["name"], content_type=job["type"], input_file=content, timeout=SECONDS_PER_JOB
            )
        return {"get": url}

    async def ask_for_slot(self, job):
        iq = self.make_iq_get(ito=self.order["service"])
        # Not by the plugin, which leaves out what is empty.
        for attribute, key in (("filename", "name"), ("size", "size"), ("content-type", "type")):
            iq["http_upload_request"].xml.set(attribute, str(job[key]))
        slot = (await iq.send())["http_upload_slot"]
        headers = {header["name"]: header["value"] for header in slot["put"]["headers"]}
        return {"put": slot["put"]["url"], "get": slot["get"]["url"], "headers": headers}


def main():
    order = json.load(sys.stdin)
    account = Account(order)
    # The server listens on loopback only, and offers plain connections there.
    account.connect((order["host"], order["port"]), force_starttls=False, disable_starttls=True)
    account.process(forever=False)
    json.dump(account.results, sys.stdout)
    return 0 if len(account.results) == len(order["jobs"]) else 1


if __name__ == "__main__":
    sys.exit(main())
