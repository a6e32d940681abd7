# SPDX-License-Identifier: MIT
"""Texts that are made to cost much: size, depth, numbers of values, ends that do not come

Judged is what is read, what memory it takes and that it is the same process afterwards; times are
printed.
"""
import base64
import contextlib
import json
import os
import select
import socket
import threading
import time
import unittest

import harness
import material
import pki
import tap

HDR = material.header("bombs")
MIB = 1 << 20
MESSAGE = MIB
GIB = 1 << 30


def memory(pid, key):
    """KiB."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key + ":"))


def proportional(pid):
    """KiB, where of a page that N processes have an Nth counts."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def unfinished(daemon, n):
    """Clients who have sent of almost a MiB as much as is read, and not its end; what of it was
    not read is in their LEFT."""
    text = memoryview(b'{"a":"' + b"x" * (MESSAGE - 100))
    clients = [daemon.client() for _ in range(n)]
    poller, left = select.poll(), {}
    for client in clients:
        client.socket.setblocking(False)
        poller.register(client.socket, select.POLLOUT)
        left[client.socket.fileno()] = (client.socket, text)
    # Who has to wait is not read any more.
    while events := poller.poll(500):
        for fd, _ in events:
            one, rest = left[fd]
            sent = one.send(rest)
            left[fd] = (one, rest[sent:])
            if sent == len(rest):
                poller.unregister(fd)
    for client in clients:
        client.left = bytes(left[client.socket.fileno()][1])
        client.socket.settimeout(harness.DEADLINE)
    return clients


def member(name, value):
    """A call with that parameter, which its method does not have."""
    return '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"%s":%s}}' % (name, value)


def texts_of_most_memory():
    """Each of about a MiB, within all limits, and refused only as calls."""
    n = 4000
    room = MESSAGE - 100
    yield "one string", member("x", '"%s"' % ("x" * room))
    yield "escapes", member("x", '"%s"' % ("\\u0001" * (room // 6)))
    yield "wide characters", member("x", '"%s"' % ("\\ud83d\\ude00" * (room // 12)))
    yield "empty objects", member("x", "[%s]" % ",".join(["{}"] * n))
    yield "empty lists", member("x", "[%s]" % ",".join(["[]"] * n))
    yield "numbers", member("x", "[%s]" % ",".join(["0" + " " * 240] * n))
    yield "long names", "{%s}" % ",".join('"%0500d":1' % i for i in range(n // 2))
    yield "strings", member("x", "[%s]" % ",".join(['"%s"' % ("x" * 250)] * n))
    yield "nested", member("x", "[%s]" % ",".join([
        "[" * 12 + '"%s"' % ("x" * 3000) + "]" * 12] * 300))
    yield "a batch", "[%s]" % ",".join([member("x", '"%s"' % ("x" * 16000))] * 60)
    yield "a batch of pings", "[%s]" % ",".join(
        ['{"jsonrpc":"2.0","id":"%s","method":"get_status"}' % ("i" * 120)] * 64)
    yield "spaces", member("x", " " * room + "1")
    yield "a name", member("y" * room, "1")
    yield "documents", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "create_association",
                                   "params": {"hdr": "", "name": "n", "host_keys": [
                                       {"document": "x" * 50000}] * 20}})


class Bombs(harness.Case):
    """With the limits that there are without configuration."""

    through = ()

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), through=cls.through)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The one that was kept warm is the first client's.
        cls.front, = cls.daemon.all_workers("front", 1)

    def setUp(self):
        self.one = self.client()
        self.assertEqual(self.one.call("ping"), {})

    def assert_the_same(self):
        self.assertEqual(self.one.call("ping"), {})
        self.assertIn(self.front, self.daemon.workers("front"))
        self.assertNotIn(b"died", self.daemon.log)

    def pour(self, client, start, filling, most):
        """Sends until the other end closes: how much was sent, seconds."""
        filling = filling * (65536 // len(filling))
        began = time.monotonic()
        sent = 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.socket.sendall(start)
            sent = len(start)
            while sent < most:
                sent += client.socket.send(filling)
        return sent, time.monotonic() - began

    def test_a_line_of_a_gigabyte(self):
        """Not read beyond the limit; what was read is forgotten. A socket holds some hundred KiB
        besides, which is the kernel's."""
        with self.client() as probe:
            held = probe.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self.client().send_what_it_takes(b"x" * MESSAGE)
        before = memory(self.front, "VmRSS")
        for start, filling in ((b"", b"x"), (b"{", b" "), (b'{"a":"', b"x"), (b"[", b"[" * 16),
                               (b'["', b"\\u00e9" * 8), (b"[x", b"x"), (b'["\xff', b"x"),
                               (b"[", b"0,"), (b"{}", b"y"), (b'{"a":"\n', b"z")):
            with self.subTest(start=start, filling=filling), self.client() as client:
                sent, took = self.pour(client, start, filling, GIB)
                tap.note("%r, then %r: closed after %d KiB, %.3f s"
                         % (start, filling, sent >> 10, took))
                self.assertLess(sent, MESSAGE + 65536 + 2 * held + 65536)
                self.assert_the_same()
        self.assertLess(memory(self.front, "VmRSS") - before, 1024)

    def test_depth(self):
        """A hundred thousand levels and a million: an error at the level that is too deep."""
        for text in (b"[" * 100000 + b"]" * 100000, b'{"a":' * 100000 + b"1" + b"}" * 100000,
                     b"[" * 500000 + b"]" * 500000, b'[{"a":' * 60000 + b"1" + b"}]" * 60000,
                     b"[" * 17 + b"]" * 17, b'{"a":' * 17 + b"1" + b"}" * 17):
            with self.client() as client:
                began = time.monotonic()
                client.send_what_it_takes(text)
                answer = client.answer()
                took = time.monotonic() - began
                self.assert_error(answer, -32004, "depth")
                self.assertIsNone(answer["id"])
                self.assertLess(took, 2)
                # What is behind it is read.
                self.assertEqual(client.call("ping"), {})
        for text in ("[" * 16 + "]" * 16, '{"a":' * 16 + "1" + "}" * 16):
            self.one.send(text)
            answer = json.loads(self.one.raw_line())
            answer = answer[0] if isinstance(answer, list) else answer
            self.assertEqual(answer["error"]["code"], -32600)
        with self.client() as client:
            client.send_what_it_takes(b"[" * 1000000)
            self.assert_error(client.answer(), -32004, "depth")
            client.finish()
            client.rest()
        self.assert_the_same()

    def test_most_memory(self):
        """The worst that the limits let through, one after the other and by sixteen clients at
        once: never more than 64 MiB for a front."""
        for name, text in texts_of_most_memory():
            with self.subTest(name):
                self.assertLessEqual(len(text), MESSAGE)
                clients = [self.client() for _ in range(16)]
                for client in clients:
                    client.socket.settimeout(harness.DEADLINE)
                    client.send(text)
                for client in clients:
                    self.assertTrue(client.raw_line())
                    client.close()
                peak = memory(self.front, "VmHWM")
                tap.note("%s: a front of %d KiB" % (name, peak))
                self.assertLess(peak, 64 * 1024)
        self.assert_the_same()

    def test_unfinished(self):
        """As many clients as a user may have, each with a text that is almost as long as it may be
        and does not end: they are read one after the other where they would be too much."""
        clients = unfinished(self.daemon, 60)
        self.addCleanup(lambda: [client.close() for client in clients])
        # Little more is said meanwhile, and much is after them.
        self.assert_the_same()
        peak = memory(self.front, "VmHWM")
        tap.note("%d texts without an end: a front of %d KiB" % (len(clients), peak))
        self.assertEqual(len(clients), 60)
        self.assertLess(peak, 64 * 1024)

    def test_all_at_once(self):
        """So many texts that do end are answered, all of them: one makes room for the next."""
        clients = unfinished(self.daemon, 60)
        self.addCleanup(lambda: [client.close() for client in clients])
        waited = sum(bool(client.left) for client in clients)
        threads = [threading.Thread(target=client.send_what_it_takes, args=(client.left + b'"}',))
                   for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in clients:
            self.assertEqual(client.answer()["error"]["code"], -32600)
        peak = memory(self.front, "VmHWM")
        tap.note("%d texts of a MiB at once, of which %d had to wait: a front of %d KiB"
                 % (len(clients), waited, peak))
        self.assertGreater(waited, 5)
        self.assertLess(peak, 64 * 1024)
        self.assert_the_same()

    def test_what_does_not_end_runs_nothing(self):
        """A call that is cut at any byte, and the end."""
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "create_association", "params": {
            "hdr": base64.b64encode(HDR).decode(), "name": "cut", "cck": "cck",
            "host_keys": [{"document": pki.get().hosts[0].pem}]}}).encode()
        built = self.one.call("get_status")["counters"]["built"]
        cuts = sorted({*range(0, 120), *range(0, len(text), 97),
                       *range(len(text) - 120, len(text))})
        for cut in cuts:
            with self.client() as client:
                client.send(text[:cut])
                client.finish()
                self.assertEqual(client.rest(), [], cut)
        self.assertEqual(self.one.call("get_status")["counters"]["built"], built)
        with self.client() as client:
            client.send(text)
            client.finish()
            self.assertIn("result", client.rest()[0])
        self.assertEqual(self.one.call("get_status")["counters"]["built"], built + 1)

    def test_pipelined_and_half_closed(self):
        """A hundred calls in one write, and no more: each is answered, by its id."""
        for n in (1, 100, 1000):
            with self.client() as client:
                client.send("".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": method})
                                    for i in range(n)
                                    for method in (("ping", "get_access", "nothing")[i % 3],)))
                client.finish()
                answers = client.rest()
                self.assertEqual(sorted(answer["id"] for answer in answers), list(range(n)))
                for answer in answers:
                    self.assertEqual("error" in answer, answer["id"] % 3 == 2)


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class Crowd(unittest.TestCase):
    """As many users as have all the connections that there are, each with all that he may have."""

    def test_unfinished(self):
        daemon = harness.Daemon(pki.get())
        self.addCleanup(daemon.stop)
        clients = []
        self.addCleanup(lambda: [client.close() for client in clients])
        for uid in range(64801 + 100, 64801 + 104):
            with harness.acting_as(uid, uid):
                clients += unfinished(daemon, 63)
        fronts = daemon.fronts()
        self.assertEqual(sorted(fronts.values()), [63] * 4)
        peaks = [memory(pid, "VmHWM") for pid in fronts]
        # What they have of libraries they have together: a page counts once.
        whole = sum(proportional(pid) for pid in daemon.workers("front"))
        tap.note("%d texts without an end: fronts of up to %d KiB, %d KiB together"
                 % (len(clients), max(peaks), whole))
        self.assertLess(max(peaks), 64 * 1024)
        self.assertLess(whole, 256 * 1024)


class SmallStack(Bombs):
    """The same on a stack of 64 KiB: nothing recurses as deep as a client likes."""

    through = ("prlimit", "--stack=65536:65536")
