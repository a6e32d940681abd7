# SPDX-License-Identifier: MIT
"""Starts and ends in quick succession: none is one too many, or the socket would be turned off

systemd's own limits are 5 starts in 10 s for a service and 20 activations in 2 s for a socket. What
is claimed is held against these: with them the same does turn the socket off.
"""
import contextlib
import os
import signal
import socket
import threading
import time

import booted

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
ROUNDS = 25
STARTS = "/var/lib/pvsecretd/starts"
# A service that ends at once, and as often as it is asked for: by the socket alone.
ENDS = """[Service]
Type=exec
Restart=no
ExecStart=
ExecStart=/bin/sh -c 'echo >>%s; exit 1'
""" % STARTS


def connect():
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.settimeout(60)
    try:
        one.connect(booted.PATH)
    except OSError:
        one.close()
        raise
    return one


class Restarts(booted.Case):
    """The units as installed, but for how fast they start again."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.end)

    @staticmethod
    def end():
        """A socket that was turned off is none of the next test's."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(STARTS)
        for unit in (booted.SERVICE, booted.SOCKET):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(booted.DROP_INS % unit + "/booted.conf")
        booted.must("systemctl", "daemon-reload")
        booted.must("systemctl", "reset-failed")
        booted.must("systemctl", "start", booted.SOCKET)

    @contextlib.contextmanager
    def clients(self):
        """Connects all the time; what becomes of a connection is nobody's business here."""
        over = threading.Event()

        def one_after_the_other():
            while not over.is_set():
                with contextlib.suppress(OSError), connect() as one:
                    one.settimeout(0.2)
                    one.sendall(PING)
                    one.recv(4096)

        thread = threading.Thread(target=one_after_the_other)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @staticmethod
    def main():
        return int(booted.show(booted.SERVICE, "MainPID"))

    def kill_the_monitor(self):
        """Often; a process that has just been started as well."""
        last = 0
        for _ in range(ROUNDS):
            last = booted.wait_for("another monitor", lambda last=last:
                                   (self.main() not in (0, last)) and self.main())
            with contextlib.suppress(ProcessLookupError):
                os.kill(last, signal.SIGKILL)

    def test_what_the_units_say(self):
        self.assertEqual(booted.show(booted.SERVICE, "StartLimitIntervalUSec"), "0")
        self.assertEqual(booted.show(booted.SOCKET, "TriggerLimitIntervalUSec"), "0")

    def test_a_monitor_that_is_killed_again_and_again(self):
        self.drop_in("[Service]\nRestartSec=0\n")
        with self.clients():
            began = time.monotonic()
            self.kill_the_monitor()
            print("# a monitor killed %d times in %.1f s" % (ROUNDS, time.monotonic() - began))
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
        self.ping()
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
        self.assertEqual(booted.show(booted.SERVICE, "ActiveState"), "active")

    def starts(self):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(STARTS)
        return 0

    def wait_for_starts(self, n):
        """Or for what systemd does instead."""
        return booted.wait_for("%d starts" % n, lambda: self.starts() >= n or booted.show(
            booted.SOCKET, "ActiveState") == "failed")

    def test_a_service_that_ends_at_once(self):
        """For as long as somebody waits; and then he is served."""
        self.drop_in(ENDS)
        with connect() as one:
            one.sendall(PING)
            began = time.monotonic()
            self.wait_for_starts(2 * ROUNDS)
            print("# %d starts in %.1f s" % (self.starts(), time.monotonic() - began))
            self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
            self.drop_in("[Service]\n")
            self.assertIn(b'"result":{}', one.recv(4096))
        self.ping()
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")

    def turned_off(self, result, starts, service="", socket_=""):
        """With that limit, the socket is, after no more than so many starts."""
        self.drop_in(ENDS + service)
        self.drop_in(socket_, booted.SOCKET)
        booted.must("systemctl", "restart", booted.SOCKET)
        with connect() as one:
            one.sendall(PING)
            booted.wait_for("the socket's end", lambda: booted.show(
                booted.SOCKET, "ActiveState") == "failed")
        self.assertEqual(booted.show(booted.SOCKET, "Result"), result)
        self.assertLessEqual(self.starts(), starts)

    def test_a_limit_of_starts(self):
        self.turned_off("service-start-limit-hit", 5,
                        service="[Unit]\nStartLimitIntervalSec=10s\nStartLimitBurst=5\n")

    def test_a_limit_of_activations(self):
        # As systemd's own, but for a longer time: the machine may be slow.
        self.turned_off("trigger-limit-hit", 20,
                        socket_="[Socket]\nTriggerLimitIntervalSec=60s\nTriggerLimitBurst=20\n")

    def test_a_vault_that_always_dies(self):
        """The monitor gives up, and systemd starts another one; who waits is served by that."""
        self.ping()
        main = self.main()
        # So much stack nothing can do with: whatever it starts ends before it has loaded. By its
        # own user, who may.
        booted.must("prlimit", "--pid", str(main), "--stack=4096:", user="pvsecretd")
        for pid in booted.processes()["pvsecretd-vault"]:
            os.kill(pid, signal.SIGKILL)
        with connect() as one:
            one.sendall(PING)
            booted.wait_for("another monitor", lambda: self.main() not in (0, main))
            status = booted.must("journalctl", "--no-pager", "--output=cat", "--unit",
                                 booted.SERVICE)
            self.assertIn("Main process exited, code=exited, status=70", status)
        self.assertGreaterEqual(int(booted.show(booted.SERVICE, "NRestarts")), 1)
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
        self.ping()
        self.assertEqual(booted.show(booted.SERVICE, "ActiveState"), "active")
