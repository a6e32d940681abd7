# SPDX-License-Identifier: MIT
"""Beside users who are slow, deaf, in a hurry or out of their share, everybody else is served"""
import base64
import contextlib
import json
import os
import select
import signal
import time
import unittest

import harness
import material
import pki
import tap
import test_audit_failures as failures

BAD, GOOD = 64991, 64992
# Times are judged where there is time and the machine is for nothing else (make check-flood).
LONG = "PVS_FLOOD_SEC" in os.environ
FLOOD_SEC = min(float(os.environ.get("PVS_FLOOD_SEC", "3")), 15)
SLOW_SEC = 10 if LONG else 1  # the time-outs
HDR = material.header("beside")
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
SLOW = 16  # clients


def p99(times):
    return sorted(times)[len(times) * 99 // 100]


def figures(times):
    times = sorted(times)
    return "p50 %.2f ms, p99 %.2f ms, most %.2f ms of %d calls" % (
        1e3 * times[len(times) // 2], 1e3 * times[len(times) * 99 // 100], 1e3 * times[-1],
        len(times))


class Case(unittest.TestCase):
    """A daemon of its own for each."""

    def make(self, **limits):
        daemon = harness.Daemon(pki.get(), limits=limits)
        self.addCleanup(daemon.stop)
        return daemon

    def client(self, daemon, uid, gid=None):
        # Without root everybody is one user, and most of what is claimed here holds all the same.
        with harness.acting_as(uid, gid or uid) if harness.ROOT else contextlib.nullcontext():
            client = daemon.client("uid %d" % uid)
        self.addCleanup(client.close)
        return client

    def timed_ping(self, client):
        began = time.monotonic()
        self.assertEqual(client.call("ping"), {})
        return time.monotonic() - began


class Slow(Case):
    """A time-out is for the whole of what it is for: a byte now and then does not prolong it."""

    def beside(self, daemon, clients, byte, what, began):
        """Calls BYTE with each of CLIENTS, again and again, until the daemon has closed them all;
        BEGAN before the time-outs of any of them."""
        good, times, left = self.client(daemon, GOOD), [], list(clients)
        closed = []
        while left:
            for one in list(left):
                try:
                    byte(one)
                except (BrokenPipeError, ConnectionResetError, EOFError):
                    left.remove(one)
                    closed.append(time.monotonic() - began)
            times.append(self.timed_ping(good))
            self.assertLess(time.monotonic() - began, harness.DEADLINE, "%d are left" % len(left))
            time.sleep(0.05)
        tap.note("beside %d %s, closed after %.2f to %.2f s of %d: %s"
                 % (len(clients), what, min(closed), max(closed), SLOW_SEC, figures(times)))
        # Not before it is due, and not long after; what is slow here need not be the daemon.
        self.assertGreater(min(closed), SLOW_SEC - 0.1)
        self.assertLess(max(closed), SLOW_SEC + (0.5 if LONG else 5))
        if LONG:
            self.assertLessEqual(p99(times), 0.05)

    def test_senders(self):
        daemon = self.make(ReceiveSec=SLOW_SEC)
        clients = [self.client(daemon, BAD) for _ in range(SLOW)]
        began = time.monotonic()
        for one in clients:
            one.send('{"jsonrpc":"2.0","id":1,"method":"ping","params":"')
        self.beside(daemon, clients, lambda one: one.send(b"x"), "who send a byte at a time",
                    began)

    def test_readers(self):
        daemon = self.make(ReplySec=SLOW_SEC)
        clients = [self.client(daemon, BAD) for _ in range(SLOW)]
        calls = json.dumps({"jsonrpc": "2.0", "id": "x" * 128, "method": "get_status"}) * 64

        def byte(one):
            one.socket.settimeout(0.001)
            with contextlib.suppress(TimeoutError):
                one.socket.send(calls.encode())
            # What was sent before it was closed may still be read.
            with contextlib.suppress(TimeoutError):
                if not one.socket.recv(1):
                    raise EOFError

        self.beside(daemon, clients, byte, "who take a byte at a time", time.monotonic())

    def test_white_space(self):
        """Is not a text, nor a sign of life."""
        daemon = self.make(IdleSec=SLOW_SEC)
        clients = [self.client(daemon, BAD) for _ in range(SLOW)]
        began = time.monotonic()
        for one in clients:
            self.assertEqual(one.call("ping"), {})
        self.beside(daemon, clients, lambda one: one.send(b"\n"), "who send line feeds", began)


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class Hurry(Case):
    """Who connects anew for each call is not taken for somebody who has many connections."""

    def test_a_connection_for_each_call(self):
        daemon = self.make()
        self.timed_ping(self.client(daemon, GOOD))
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setresgid(BAD, BAD, BAD)
                os.setresuid(BAD, BAD, BAD)
                while True:
                    harness.Client(daemon.socket_path).close()
            finally:
                os._exit(1)
        times, until = [], time.monotonic() + FLOOD_SEC
        try:
            while time.monotonic() < until:
                began = time.monotonic()
                with contextlib.closing(self.client(daemon, GOOD)) as client:
                    self.timed_ping(client)
                times.append(time.monotonic() - began)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        tap.note("a connection for each call, beside one who connects in a loop: " + figures(times))


@contextlib.contextmanager
def held(process):
    """It neither works nor dies meanwhile. Shorter than what the monitor takes for a death."""
    process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        process.kill(signal.SIGCONT)


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class InFlight(Case):
    """Calls that have no answer yet."""

    PARAMS = {"hdr": base64.b64encode(HDR).decode(), "name": "flight", "cck": "cck"}

    def post(self, client):
        return client.post("create_association", {
            **self.PARAMS, "host_keys": [{"document": pki.get().hosts[0].pem}]})

    def answered_meanwhile(self, n, per_user, waits=False, **limits):
        """Whether a ping of the user is answered who has N calls in a vault that stands still;
        all are in the end."""
        daemon = self.make(CallsPerUser=per_user, **limits)
        clients = [self.client(daemon, BAD) for _ in range(n)]
        other = self.client(daemon, BAD)
        for client in [*clients, other]:
            self.assertEqual(client.call("ping"), {})
        with held(daemon.worker("vault")):
            idents = [self.post(client) for client in clients]
            time.sleep(0.3)  # what could be started meanwhile has been
            other.post("ping", ident="of the other")
            other.socket.settimeout(1 if waits else harness.DEADLINE)
            try:
                answer = other.answer()
            except TimeoutError:
                answer = None
        other.socket.settimeout(harness.DEADLINE)
        for client, ident in zip(clients, idents):
            self.assertIn("result", client.wait(ident))
        if not answer:
            self.assertEqual(other.answer()["id"], "of the other")
            return False
        return True

    def test_of_a_user(self):
        self.assertTrue(self.answered_meanwhile(3, 4))
        self.assertFalse(self.answered_meanwhile(3, 3, waits=True))

    def test_three_quarters(self):
        self.assertTrue(self.answered_meanwhile(2, 16, Calls=4))
        self.assertFalse(self.answered_meanwhile(3, 16, waits=True, Calls=4))

    def test_another_user(self):
        """The share of one is not the other's loss."""
        daemon = self.make(CallsPerUser=2)
        bad, good = [self.client(daemon, BAD) for _ in range(8)], self.client(daemon, GOOD)
        for client in [*bad, good]:
            self.assertEqual(client.call("ping"), {})
        with held(daemon.worker("vault")):
            idents = [self.post(client) for client in bad]
            for _ in range(20):
                self.timed_ping(good)
        for client, ident in zip(bad, idents):
            self.assertIn("result", client.wait(ident))


@unittest.skipUnless(harness.ROOT, "only root can be several users, and trace the vault")
class InVault(failures.Failing, Case):
    """Calls in the vault, where a user's fronts have one share together."""

    DELAY = "write:delay_enter=4000000:when=1"  # microseconds

    def waits(self, other, busy):
        """Whether a call that needs no record waits all the same, while those do."""
        other.socket.settimeout(1)
        while not select.select([one.socket for one, _ in busy], [], [], 0)[0]:
            ident = other.post("list_ccks")
            try:
                other.wait(ident)
            except TimeoutError:
                other.socket.settimeout(harness.DEADLINE)
                other.wait(ident)
                return True
        return False

    def tried(self, users, other, **limits):
        self.daemon = self.make(**limits)
        self.pki = pki.get()
        other = self.client(self.daemon, *other)
        clients = [self.client(self.daemon, *user) for user in users]
        for one in [other, *clients]:
            self.assertEqual(one.call("ping"), {})
        with self.injected(self.DELAY):
            busy = [(one, one.post("create_association", self.params())) for one in clients]
            waited = self.waits(other, busy)
            for one, ident in busy:
                # Or, where the machine is slow, that the record took too long.
                self.assertEqual(one.wait(ident)["id"], ident)
        return waited

    def test_of_a_user(self):
        """By another set of groups he gets no more."""
        self.assertTrue(self.tried([(BAD, BAD)], (BAD, BAD + 100), CallsPerUser=1))

    def test_in_all(self):
        self.assertTrue(self.tried([(BAD, BAD), (GOOD, GOOD)], (GOOD + 1, GOOD + 1), Calls=2))


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class InTrust(Case):
    """Calls that trust has passed on to a vault that stands still."""

    def tried(self, other, **limits):
        """Whether OTHER waits for trust alone, which the vault has nothing to do with, while BAD
        has a call there."""
        daemon = self.make(**limits)
        other, bad = self.client(daemon, *other), self.client(daemon, BAD)
        params = {"hdr": base64.b64encode(HDR).decode(), "name": "flight",
                  "host_keys": [{"document": pki.get().hosts[0].pem}]}
        request = other.call("create_association", params)["request"]
        self.assertEqual(bad.call("ping"), {})
        with held(daemon.worker("vault")):
            ident = bad.post("create_association", params)
            # When it has come to trust nobody says; so more than once, and not without end.
            for _ in range(30):
                mine = other.post("verify_request", {"request": request})
                other.socket.settimeout(1)
                try:
                    other.wait(mine)
                except TimeoutError:
                    break
                time.sleep(0.05)
            else:
                mine = None
        for client, one in ((other, mine), (bad, ident)):
            client.socket.settimeout(harness.DEADLINE)
            if one:
                self.assertIn("result", client.wait(one))
        return mine is not None

    def test_of_a_user(self):
        self.assertTrue(self.tried((BAD, BAD + 100), CallsPerUser=1))
        self.assertFalse(self.tried((BAD, BAD + 100), CallsPerUser=2))

    def test_another_user(self):
        self.assertFalse(self.tried((GOOD, GOOD), CallsPerUser=1))

    def test_in_all(self):
        self.assertTrue(self.tried((GOOD, GOOD), Calls=1))
