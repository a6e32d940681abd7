# SPDX-License-Identifier: MIT
"""A bit of everything, for as long as PVS_MIXED_REQUESTS says, and then an end in good order

What it is for is a build in which memory is watched: see PVS_VALGRIND and PVS_SANITIZERS in
CONTRIBUTING.md. With any other, that no process has a descriptor more at the end.
"""
import base64
import json
import os
import random
import signal
import time

import harness
import material
import pki

COUNT = int(os.environ.get("PVS_MIXED_REQUESTS", "300"))
HDR = material.header("mixed")
OTHER_HDR = material.header("mixed, installed")


def b64(data):
    return base64.b64encode(data).decode()


class Mixed(harness.Case):
    """One daemon with all that it may have."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, images={"web": OTHER_HDR}, credentials={
            "assoc_master": material.MASTER, "ext_held": material.HELD_SECRET})

    def common(self, **more):
        return {"hdr": b64(HDR), "cck": "cck", "host_keys": [
            {"document": host.pem} for host in self.pki.hosts[:1]], **more}

    def calls(self, rng):
        """Method and parameters, for ever: what is right, what is refused, what is no call."""
        keys = self.pki.hosts
        name = "mixed %d" % rng.randrange(50)
        while True:
            yield from (
                ("create_association", self.common(name=name, secret={"random": True})),
                ("create_association", self.common(name=name, secret={
                    "value": b64(rng.randbytes(32))})),
                ("create_association", {"image": "web", "name": name, "secret": {"derive": True},
                                        "cck": "cck", "host_keys": [{"document": keys[1].der64}]}),
                ("create_retrievable", self.common(name=name, type="plain", secret={
                    "value": b64(rng.randbytes(rng.randrange(1, 8000)))})),
                ("create_retrievable", self.common(name=name, type="aes", secret={
                    "value": b64(rng.randbytes(32))})),
                ("create_meta", self.common()),
                ("create_association", self.common(name=name, extension_secret="held")),
                ("create_association", self.common(name=name, user_data=b64(rng.randbytes(100)))),
                ("create_association", self.common(name=name, cck="none")),
                ("create_association", self.common(name=name, host_keys=[
                    {"document": "-----BEGIN CERTIFICATE-----\nAAAA\n"}])),
                ("verify_host_key", {"host_key_document": rng.choice(keys).pem}),
                ("verify_host_key", {"host_key_document": b64(rng.randbytes(300))}),
                ("get_status", None), ("get_access", None), ("list_ccks", None),
                ("describe_request", {"request": b64(rng.randbytes(300))}), ("nothing", {"a": [1, {}]}),
                ("ping", {"more": True}), ("ping", None))

    @staticmethod
    def no_calls(rng):
        """Texts that are none, up to the end of the stream."""
        return rng.choice((b"[]", b"{}", b"[1,2,{}]", b'{"a":1,"a":2}', b"[" * 40, b'{"a":"\xff"}',
                           b'[{"jsonrpc":"2.0","id":1,"method":"ping"},7]', b"GET / HTTP/1.0\r\n",
                           b'{"jsonrpc":"2.0","method":"ping"}', b'{"a":"' + b"x" * 70000))

    def descriptors(self):
        """Role -> how many, of processes that live on."""
        return {role: [len(os.listdir("/proc/%d/fd" % pid)) for pid in pids]
                for role, pids in (("monitor", [self.daemon.process.pid]),
                                   ("trust", self.daemon.workers("trust")),
                                   ("vault", self.daemon.workers("vault")))}

    def part(self, rng, calls, n):
        """N calls on one connection, some at a time; returns the reasons of what was refused."""
        reasons = set()
        with self.client() as client:
            while n > 0:
                idents = [client.post(*next(calls)) for _ in range(min(n, rng.randrange(1, 6)))]
                for ident in idents:
                    answer = client.wait(ident)
                    reasons.add(answer["error"]["data"]["reason"] if "error" in answer else "")
                n -= len(idents)
        with self.client() as client:
            client.send_what_it_takes(self.no_calls(rng))
            client.finish()
            client.rest()
        with self.client() as client:
            client.post(*next(calls))  # nobody waits for the answer
        return reasons

    def settle(self, before):
        """No more than BEFORE; the last client's connection may be on its way out."""
        end = time.monotonic() + harness.DEADLINE
        while [role for role, now in self.descriptors().items() if now > before[role]]:
            self.assertLess(time.monotonic(), end, "%s, and before %s"
                            % (self.descriptors(), before))
            time.sleep(0.05)

    def test_mixed(self):
        rng = random.Random("mixed")
        calls, reasons, done = self.calls(rng), set(), 0
        while done < COUNT:
            reasons |= self.part(rng, calls, 30)
            done += 30
            if done == 60:
                self.daemon.reload()
            if done == 120 and harness.ROOT:
                before = self.descriptors()
        self.assertIn("", reasons)
        self.assertGreater(len(reasons), 5, reasons)
        if harness.ROOT:
            self.settle(before)

    def test_the_end(self):
        """Of all its processes, none of which is killed: what is lost is told then."""
        daemon = harness.Daemon(self.pki)
        with daemon.client() as client:
            self.assertEqual(client.call("ping"), {})
            client.send(json.dumps(dict(jsonrpc="2.0", id=1, method="create_association",
                                        params=self.common(name="the end"))))
            self.assertIn("result", client.answer())
        daemon.process.kill(signal.SIGTERM)
        self.assertEqual(daemon.reap(), 0)
        if harness.VALGRIND:
            logs = harness.valgrind_logs()
            for role in ("monitor", "front", "trust", "vault"):
                self.assertTrue([text for text in logs[role]
                                 if b"ERROR SUMMARY: 0 errors " in text], (role, logs[role]))
