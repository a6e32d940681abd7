# SPDX-License-Identifier: MIT
"""Limits, and that one identity is another's neighbour and nothing more"""
import base64
import contextlib
import json
import os
import select
import time
import unittest

import harness
import material
import pki

HDR = material.header("limits")


class Limits(unittest.TestCase):
    """Small limits, so that they are reached soon."""

    def make(self, **limits):
        daemon = harness.Daemon(pki.get(), limits=limits)
        self.addCleanup(daemon.stop)
        return daemon

    def test_connections_of_a_user(self):
        daemon = self.make(ConnectionsPerUser=2)
        with daemon.client() as first, daemon.client() as second:
            self.assertEqual(first.call("ping"), {})
            self.assertEqual(second.call("ping"), {})
            with daemon.client() as third:
                self.assertEqual(third.rest(), [])
            self.assertEqual(first.call("ping"), {})
            daemon.wait_log(r"closed: .*ConnectionsPerUser=")

    def test_text_that_never_ends(self):
        """Half a text may take ReceiveSec=; a byte now and then is no excuse."""
        daemon = self.make(ReceiveSec=1)
        with daemon.client() as slow, daemon.client() as other:
            slow.send('{"jsonrpc":"2.0","id":1,"method":"pi')
            self.assertEqual(slow.rest(), [])
            self.assertEqual(other.call("ping"), {})

    def test_idle_connection(self):
        daemon = self.make(IdleSec=1)
        with daemon.client() as client:
            self.assertEqual(client.call("ping"), {})
            self.assertEqual(client.rest(), [])
        with daemon.client() as client:
            self.assertEqual(client.call("ping"), {})

    def test_replies_that_nobody_takes(self):
        """Who does not read is closed after ReplySec=, and holds up nobody meanwhile."""
        daemon = self.make(ReplySec=1)
        with daemon.client() as deaf, daemon.client() as other:
            deaf.socket.settimeout(0.05)
            call = json.dumps({"jsonrpc": "2.0", "id": "x" * 128, "method": "get_status"}) * 64
            closed = False
            for _ in range(100000):
                try:
                    deaf.socket.send(call.encode())
                except TimeoutError:
                    # Its buffer is full: the daemon reads no more from it.
                    self.assertEqual(other.call("ping"), {})
                except (BrokenPipeError, ConnectionResetError):
                    closed = True
                    break
            self.assertTrue(closed)
            self.assertEqual(other.call("ping"), {})

    def test_size_of_a_text(self):
        daemon = self.make(MessageSize="16K")
        call = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
        padded = call[:-1] + " " * (16384 - len(call)) + "}"
        with daemon.client() as client:
            client.send(" " * 100 + padded)
            self.assertEqual(client.answer()["result"], {})
            client.send_what_it_takes((" " + call[:-1] + " " * (16385 - len(call)) + "}").encode())
            self.assertEqual(client.answer()["error"]["data"]["reason"], "message-size")
            self.assertEqual(client.rest(), [])

    def test_depth_and_tokens(self):
        daemon = self.make(Depth=8, Tokens=64, BatchSize=2)
        with daemon.client() as client:
            client.send('{"a":' + "[" * 7 + "]" * 7 + "}")
            self.assertEqual(client.answer()["error"]["code"], -32600)
            for text, reason in (("[" * 9 + "]" * 9, "depth"),
                                 ("[%s]" % ",".join("1" * 64), "tokens"),
                                 ("[%s]" % ",".join(['{"id":1}'] * 3), "batch-size")):
                client.send(text + "\n")
                self.assertEqual(client.answer()["error"]["data"]["reason"], reason)
            self.assertEqual(client.call("ping"), {})

    def test_more_host_keys(self):
        daemon = harness.Daemon(pki.get(), daemon={"MaxHostKeys": 255})
        self.addCleanup(daemon.stop)
        params = {"hdr": base64.b64encode(HDR).decode(), "name": "many",
                  "host_keys": [{"document": pki.get().hosts[0].der64}] * 255}
        with daemon.client() as client:
            request = base64.b64decode(client.call("create_association", params)["request"])
            self.assertEqual(material.parse_request(request).keyslots, 255)
            params["host_keys"].append(params["host_keys"][0])
            with self.assertRaises(harness.Refused) as caught:
                client.call("create_association", params)
            self.assertEqual(caught.exception.reason, "host-keys")

    def test_number_of_host_keys(self):
        daemon = harness.Daemon(pki.get(), daemon={"MaxHostKeys": 2})
        self.addCleanup(daemon.stop)
        params = {"hdr": base64.b64encode(HDR).decode(), "name": "two",
                  "host_keys": [{"document": pki.get().hosts[0].der64}] * 2}
        with daemon.client() as client:
            self.assertIn("request", client.call("create_association", params))
            params["host_keys"] *= 2
            with self.assertRaises(harness.Refused) as caught:
                client.call("create_association", params)
            self.assertEqual(caught.exception.reason, "host-keys")

    def test_more_than_may_be_in_flight(self):
        """What is over CallsPerUser= waits unread; everybody is answered, in whatever order."""
        daemon = self.make(CallsPerUser=1, Calls=2)
        params = {"hdr": base64.b64encode(HDR).decode(), "name": "flight", "cck": "cck",
                  "host_keys": [{"document": pki.get().hosts[0].pem}]}
        clients = [daemon.client() for _ in range(8)]
        for client in clients:
            self.addCleanup(client.close)
        idents = [[client.post("create_association", params) for _ in range(5)]
                  for client in clients]
        for client, own in zip(clients, idents):
            for ident in own:
                self.assertIn("result", client.wait(ident))


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class Identities(harness.Case):
    """A front for each uid, gid and set of groups."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    def connect(self, uid, gid, groups=()):
        with harness.acting_as(uid, gid, groups):
            client = self.client("uid %d" % uid)
        return client

    def served(self):
        return self.daemon.fronts()

    def part(self, *clients):
        """Once the end of the stream is there, the front has closed its side."""
        for client in clients:
            client.finish()
            self.assertEqual(client.rest(), [])

    def test_a_front_for_each(self):
        clients = [self.connect(64901 + i, 64901) for i in range(5)]
        for i, client in enumerate(clients):
            client.post("ping", ident="of %d" % i)
        for i, client in enumerate(clients):
            self.assertEqual(client.answer()["id"], "of %d" % i)
        self.assertEqual(sorted(self.served().values()), [1] * 5)
        again = self.connect(64901, 64901)
        self.assertEqual(again.call("ping"), {})
        self.assertEqual(sorted(self.served().values()), [1] * 4 + [2])
        self.part(again, *clients)

    def test_groups_are_part_of_it(self):
        clients = [self.connect(64911, 64911, groups)
                   for groups in ([64921, 64922], [64921], [64922, 64921])]
        for client in clients:
            self.assertEqual(client.call("ping"), {})
        self.assertEqual(sorted(self.served().values()), [1, 2])
        self.part(*clients)

    def test_very_many_groups(self):
        """With subordinate gids (subgid(5)) nobody needs a privilege for that."""
        client = self.connect(64951, 64951, range(70000, 70000 + 1024))
        self.assertEqual(client.call("ping"), {})
        for n in (1025, 65536):
            self.assertEqual(self.connect(64951, 64951, range(70000, 70000 + n)).rest(), [])
        self.daemon.wait_log("a connection was closed: .* more than 1024 groups")
        self.assertEqual(client.call("ping"), {})
        self.part(client)

    def test_at_most_four_of_a_user(self):
        clients = [self.connect(64931, 64931 + i) for i in range(4)]
        for client in clients:
            self.assertEqual(client.call("ping"), {})
        self.assertEqual(self.connect(64931, 64939).rest(), [])
        clients.append(self.connect(64932, 64939))
        for client in clients:
            self.assertEqual(client.call("ping"), {})
        self.part(*clients)

    def test_the_front_of_another_dies(self):
        ours = self.connect(64941, 64941)
        self.assertEqual(ours.call("ping"), {})
        front_of_ours = set(self.served())
        theirs = self.connect(64942, 64942)
        self.assertEqual(theirs.call("ping"), {})
        since = len(self.daemon.log)
        (front_of_theirs,) = set(self.served()) - front_of_ours
        harness.Pid(front_of_theirs).kill()
        self.daemon.wait_log("the front of uid 64942 died", since)
        self.assertEqual(theirs.rest(), [])
        self.assertEqual(ours.call("ping"), {})
        theirs = self.connect(64942, 64942)
        self.assertEqual(theirs.call("ping"), {})
        self.part(ours, theirs)

    def test_gone_after_idling(self):
        """A front whose last connection has closed ends after IdleSec=, and that is no death; one
        that has a connection stays."""
        daemon = harness.Daemon(pki.get(), limits={"IdleSec": 1})
        self.addCleanup(daemon.stop)

        def connect(uid):
            with harness.acting_as(uid, uid):
                client = daemon.client()
            self.addCleanup(client.close)
            self.assertEqual(client.call("ping"), {})
            return client

        busy = connect(64962)
        (stays,) = daemon.fronts()
        # More often than a user's fronts may die without a pause.
        for _ in range(6):
            client = connect(64961)
            goes = harness.Pid((set(daemon.fronts()) - {stays}).pop())
            client.close()
            end = time.monotonic() + harness.DEADLINE
            while not select.select([goes.fd], [], [], 0.1)[0]:
                self.assertLess(time.monotonic(), end)
                self.assertEqual(busy.call("ping"), {})
        self.assertEqual(list(daemon.fronts()), [stays])
        self.assertEqual(connect(64961).call("get_status")["restarts"], 0)
        self.assertNotRegex(daemon.log.decode(), "died|not served")

    def test_nobody_is_nobody(self):
        """65534 stands for everybody who has no name here."""
        self.assertEqual(self.connect(65534, 65534).rest(), [])
