# SPDX-License-Identifier: MIT
"""What comes out of the daemon while it is asked for anything: no byte of a key or a secret

PVS_EGRESS_REQUESTS says how many texts, each with a secret in it: right, or wrong in some way, or
changed at random.
"""
import base64
import json
import os
import random
import re

import canary
import harness
import material
import pki

HDR = material.header("egress")
COUNT = int(os.environ.get("PVS_EGRESS_REQUESTS", "4000"))
# In what is not right the secret may stand where no secret is looked for, and then passes through
# memory like anything else: there it is another one.
STRAY_SECRET = bytes((7 * i + 0x91) & 0xff for i in range(32))
STRAY = base64.b64encode(STRAY_SECRET).decode()
VALUE = base64.b64encode(material.CANARY_SECRET).decode()
NEEDLES = harness.NEEDLES + [canary.Needle("a stray secret", STRAY_SECRET)]
# As it is never meant to be anywhere, so that a file's or a reply's way of writing does not matter.
FORMS = {
    "reversed": lambda secret: secret[::-1],
    "words reversed": lambda secret: b"".join(secret[i:i + 8][::-1] for i in range(0, 32, 8)),
    "as C writes it": lambda secret: b"".join(b"\\x%02x" % byte for byte in secret),
    "as JSON writes it": lambda secret: b"".join(b"\\u%04x" % byte for byte in secret),
    "hex with colons": lambda secret: secret.hex(":").encode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret).rstrip(b"="),
    "decimal": lambda secret: ",".join(map(str, secret)).encode(),
    "under HMAC's inner key": lambda secret: bytes(byte ^ 0x36 for byte in secret),
    "under HMAC's outer key": lambda secret: bytes(byte ^ 0x5c for byte in secret),
}


def odd_pieces():
    for name, secret in (("the CCK", material.CANARY_CCK), ("the secret", material.CANARY_SECRET),
                         ("the stray secret", STRAY_SECRET)):
        for form, write in FORMS.items():
            text = write(secret)
            size = max(12, len(text) // 3)
            for at in (0, (len(text) - size) // 2, len(text) - size):
                yield "%s, %s" % (name, form), text[at:at + size]


PIECES = list(odd_pieces())


class Egress(harness.Case):
    """Replies, log, notifications, files, command lines, environments."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, ccks={"cck": material.CANARY_CCK},
                              images={"web": HDR}, limits={"ConnectionsPerUser": 48})

    def good(self, value=STRAY):
        return {"jsonrpc": "2.0", "id": 1, "method": "create_association", "params": {
            "hdr": base64.b64encode(HDR).decode(), "name": "egress", "cck": "cck",
            "host_keys": [{"document": self.pki.hosts[0].pem}], "secret": {"value": value}}}

    def wrong(self, rng):
        """A call with a secret, and something else that is not right."""
        call = self.good()
        params = call["params"]
        key = rng.choice(("hdr", "cuid", "flags", "pcf", "user_data", "certificates", "crls",
                          "host_keys", "cck", "image", "secret", "x", "method", "jsonrpc", "params",
                          "verify", "more", "name"))
        odd = rng.choice((STRAY, [STRAY], {"value": STRAY}, {"secret": {"value": STRAY}}, None, 7,
                          True, "", [], {}, [[STRAY]], -1, 1e300))
        if key in ("method", "jsonrpc", "params"):
            call[key] = odd
        elif key == "verify":
            call.update(method="verify_host_key", params={
                "host_key_document": odd, "secret": {"value": STRAY}})
        elif key == "more":
            params[rng.choice(("extension_secret", "user_sign_key", "no_verify", "hdr"))] = (
                rng.choice((True, "none", 7, [STRAY], {"value": STRAY})))
        elif key == "secret":
            params[key] = rng.choice((
                odd, {"value": STRAY, "random": True}, {"derive": True, "value": STRAY},
                {"value": STRAY + "AA"}, {"value": STRAY[:-1]}, {"value": "=" + STRAY},
                {"value": [STRAY]}, {"value": {"value": STRAY}}, {"Value": STRAY},
                {"value": STRAY, "x": STRAY}, {"value": STRAY_SECRET.hex()},
                {"random": STRAY}))
        elif key in ("cck", "image", "name"):
            # What is a name is told back, and is no place for a secret.
            params[key] = rng.choice(("none", "", "../cck", 7, None, [STRAY], {"value": STRAY}))
        elif key == "user_data":
            # Stands in the request for all to read, if it is good.
            params[key] = [STRAY] if odd == STRAY else odd
        else:
            params[key] = odd
        return call

    def text(self, rng):
        kind = rng.randrange(10)
        if kind < 2:
            call = self.good(VALUE)
        elif kind < 3:
            call = [self.good(), self.wrong(rng), {"secret": {"value": STRAY}}]
        else:
            call = self.wrong(rng)
        text = json.dumps(call, indent=rng.choice((None, None, 1)))
        if rng.randrange(4) == 0:
            for value in (VALUE, STRAY):
                text = text.replace(value, "".join("\\u%04x" % ord(c) for c in value))
        data = bytearray(text.encode())
        if kind >= 6:
            for _ in range(rng.randrange(1, 4)):
                # Behind the document, in which most bytes are, as often as in it.
                at = rng.randrange(len(data)) if rng.random() < 0.5 else (
                    len(data) - 1 - rng.randrange(min(len(data), 200)))
                what = rng.randrange(4)
                if what == 0:
                    data[at] = rng.choice(b'{}[]",:\\/0 \n\x00\x80\xff')
                elif what == 1:
                    del data[at:at + rng.randrange(1, 20)]
                elif what == 2:
                    data[at] ^= 1 << rng.randrange(8)
                else:
                    data[at:at] = data[at:at + 30]
                if not data:
                    break
        return bytes(data)

    def sentences(self):
        """All that the daemon has to say of an error: what stands in its table."""
        with open(os.path.join(os.environ.get("PVS_SRC_DIR", "."), "protocol", "error.h"),
                  encoding="utf-8") as file:
            table = file.read()
        return {json.loads('"%s"' % text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', table)}

    def test_nothing_comes_out(self):
        rng = random.Random(os.environ.get("PVS_EGRESS_SEED", "egress"))
        outcomes = {}
        said = set()
        done = 0
        while done < COUNT:
            texts = [self.text(rng) for _ in range(8)]
            done += len(texts)
            with self.client() as client:
                # Two line feeds: a string that does not end does so there.
                client.send_what_it_takes(b"\n\n".join(texts))
                client.finish()
                for line in client.rest():
                    for answer in line if isinstance(line, list) else [line]:
                        error = answer.get("error", {"data": {"reason": "ok"}})
                        reason = error["data"]["reason"]
                        outcomes[reason] = outcomes.get(reason, 0) + 1
                        said |= {error.get("message"), error["data"].get("hint")} - {None}
        # It was more than one thing that went wrong, and some went well.
        self.assertGreater(len(outcomes), 12, outcomes)
        self.assertGreater(outcomes["ok"], COUNT / 20)
        if "PVS_SRC_DIR" in os.environ:
            self.assertLessEqual(said, self.sentences())
        self.check()

    def check(self):
        harness.check_everything_said()
        pids = [self.daemon.process.pid] + [
            pid for role in ("front", "trust", "vault") for pid in self.daemon.workers(role)]
        places = {source: bytes(data) for source, data in harness.record.pieces.items()}
        for pid in pids:
            for name in ("cmdline", "environ", "comm", "stat", "maps"):
                try:
                    with open("/proc/%d/%s" % (pid, name), "rb") as file:
                        places["%s of process %d" % (name, pid)] = file.read()
                except PermissionError:
                    pass
        for folder in (self.daemon.top, harness.WORK):
            for top, _, names in os.walk(folder):
                for name in names:
                    path = os.path.join(top, name)
                    if os.path.isfile(path) and not os.path.islink(path):
                        with open(path, "rb") as file:
                            places[path] = file.read()
        found = [line for source, data in places.items()
                 for line in canary.look(NEEDLES, data, source)]
        found += ["%s: %s" % (source, form) for source, data in places.items()
                  for form, piece in PIECES if piece in data]
        if found:
            raise canary.Found("\n".join(found))
        # Where something has been said at all.
        self.assertGreater(len(places["replies"]), 100000)
        self.assertGreater(len(places[self.daemon.audit_log]), 10000)
