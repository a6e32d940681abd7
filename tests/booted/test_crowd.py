# SPDX-License-Identifier: MIT
"""A user who does his worst to the unit, and another who is served meanwhile"""
import contextlib
import os
import pwd
import signal
import socket
import time

import booted

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


@contextlib.contextmanager
def acting_as(user):
    entry = pwd.getpwnam(user)
    os.setgroups(os.getgrouplist(user, entry.pw_gid))
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups([])


def connect_as(user):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with acting_as(user):
        one.connect(booted.PATH)
    one.settimeout(60)
    return one


class Crowd(booted.Case):
    """Through the socket unit and with the limits as installed."""

    def setUp(self):
        super().setUp()
        self.ping(user="root")
        self.main = booted.show(booted.SERVICE, "MainPID")
        self.good = connect_as("root")
        self.addCleanup(self.good.close)
        self.times = []

    def tearDown(self):
        self.times.sort()
        print("# %s: %d pings of another user, p50 %.2f ms, p99 %.2f ms, most %.2f ms"
              % (self.id(), len(self.times), *(1e3 * self.times[min(int(len(self.times) * share),
                                                                 len(self.times) - 1)]
                                               for share in (0.5, 0.99, 1))))
        self.assertEqual(booted.show(booted.SERVICE, "NRestarts"), "0")
        self.assertEqual(booted.show(booted.SERVICE, "MainPID"), self.main)
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
        super().tearDown()

    def serve(self, n=1):
        for _ in range(n):
            began = time.monotonic()
            self.good.sendall(PING)
            self.assertIn(b'"result":{}', self.good.recv(4096))
            self.times.append(time.monotonic() - began)

    def test_idle_connections(self):
        """10,000, of which no more stay open than one user may have."""
        kept = []
        for i in range(10000):
            one = connect_as(booted.MEMBER)
            one.setblocking(False)
            kept.append(one)
            if len(kept) == 256:
                kept = [one for one in kept if self.is_open(one)]
            if i % 10 == 0:
                self.serve(10)
        booted.wait_for("the surplus to be closed",
                        lambda: len([one for one in kept if self.is_open(one)]) == 64)
        self.ping(user="root")

    @staticmethod
    def is_open(one):
        try:
            if one.recv(1):
                return True
        except BlockingIOError:
            return True
        except OSError:
            pass
        one.close()
        return False

    def test_fronts_that_keep_dying(self):
        """A thousand attempts to have them killed: five are, then there is a pause."""
        self.serve()
        spared = self.fronts()
        self.assertEqual(len(spared), 1)
        since, killed = len(booted.journal()), 0
        for _ in range(1000):
            bad = connect_as(booted.MEMBER)
            bad.setblocking(False)
            self.serve()
            while killed < 5 and self.is_open(bad):
                for pid in self.fronts() - spared:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        killed += 1
            bad.close()
        booted.wait_journal("uid %d is not served for 10 s"
                            % pwd.getpwnam(booted.MEMBER).pw_uid, since)
        self.assertNotEqual(booted.ctl("ping").returncode, 0)
        booted.wait_for("the end of the pause", lambda: booted.ctl("ping").returncode == 0)
        self.serve()

    @staticmethod
    def fronts():
        """Those that have clients. Besides those, one that has an identity has four sockets: to
        the monitor, trust, the vault and the journal."""
        found = set()
        for pid in booted.processes()["pvsecretd-front"]:
            with contextlib.suppress(FileNotFoundError):
                n = sum(os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:")
                        for fd in os.listdir("/proc/%d/fd" % pid))
                if n > 4:
                    found.add(pid)
        return found
