# SPDX-License-Identifier: MIT
"""The monitor without a descriptor left: it waits, without haste and without many words

Its limit is lowered while it runs, to just what it has open. Times are printed, not judged; but where
PVS_FLOOD_SEC says for how long (make check-flood).
"""
import contextlib
import os
import re
import signal
import socket
import time
import unittest

import harness
import pki
import tap

BAD, GOOD, LATE = 64981, 64982, 64983
LONG = "PVS_FLOOD_SEC" in os.environ
STARVED_SEC = min(float(os.environ.get("PVS_FLOOD_SEC", "3")), 30)
CLIENTS = 1000


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def set_soft_limit(pid, option, n):
    """As the process's own user, who may without any privilege."""
    done = harness.run_program("setpriv", "--reuid", harness.DAEMON_UID,
                               "--regid", harness.DAEMON_GID, "--clear-groups", "prlimit",
                               "--pid", pid, "--%s=%s:" % (option, n), recorded=False)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def soft_limit(pid, option, name, n):
    with open("/proc/%d/limits" % pid, encoding="ascii") as file:
        (before,) = [line.split()[3] for line in file if line.startswith(name)]
    set_soft_limit(pid, option, n)
    try:
        yield
    finally:
        set_soft_limit(pid, option, before)


def starved(pid, spare=0):
    """The process may open SPARE more descriptors than it has now."""
    used = {int(name) for name in os.listdir("/proc/%d/fd" % pid)}
    free = [fd for fd in range(len(used) + spare + 1) if fd not in used]
    return soft_limit(pid, "nofile", "Max open files", free[spare])


def childless(pid):
    """It can start no process: its user has more already."""
    return soft_limit(pid, "nproc", "Max processes", 1)


def barren(pid):
    """What it starts ends before it has loaded: so much stack nobody can do with."""
    return soft_limit(pid, "stack", "Max stack size", 4096)


@unittest.skipUnless(harness.ROOT, "only root can be several users, and change others' limits")
class Starved(unittest.TestCase):
    """A daemon of its own for each."""

    def setUp(self):
        self.daemon = harness.Daemon(pki.get())
        self.addCleanup(self.daemon.stop)
        self.good = self.client(GOOD)
        self.assertEqual(self.good.call("ping"), {})
        (self.good_front,) = self.daemon.fronts()
        # Or it is made while the test counts what the monitor has open.
        self.first_kept_warm = self.kept_warm()

    def kept_warm(self):
        """The front that is; it may still be on its way, and is told of when it is ready."""
        end = time.monotonic() + harness.DEADLINE
        while True:
            told = [worker["pid"] for worker in self.good.call("get_status")["workers"]
                    if worker["role"] == "front"]
            if rest := set(told) - set(self.daemon.fronts()):
                return rest.pop()
            self.assertLess(time.monotonic(), end, "no front is kept warm")
            time.sleep(0.01)

    def client(self, uid):
        with harness.acting_as(uid, uid):
            client = self.daemon.client("uid %d" % uid)
        self.addCleanup(client.close)
        return client

    def refused(self, uid):
        with contextlib.closing(self.client(uid)) as client:
            with contextlib.suppress(BrokenPipeError):
                client.post("ping")
                client.finish()
            return not client.rest()

    def queue_up(self, n):
        """Of N who try to connect: those who wait in the socket's queue, which has an end."""
        waiting = []
        with harness.acting_as(BAD, BAD):
            for _ in range(n):
                one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                one.setblocking(False)
                try:
                    one.connect(self.daemon.socket_path)
                    waiting.append(one)
                except BlockingIOError:
                    one.close()
        self.addCleanup(lambda: [one.close() for one in waiting])
        return waiting

    def test_accepting(self):
        """No spin, few lines, and whoever waits is served as soon as there are descriptors."""
        main, since, n = self.daemon.process.pid, len(self.daemon.log), 0
        with starved(main):
            late = self.client(LATE)
            ident = late.post("ping")
            waiting = self.queue_up(CLIENTS)
            self.daemon.wait_log("cannot accept a connection, trying again: ", since)
            began, cpu = time.monotonic(), cpu_seconds(main)
            while time.monotonic() < began + STARVED_SEC:
                # Who is connected does not notice.
                self.assertEqual(self.good.call("ping"), {})
                n += 1
                time.sleep(0.05)
            spent, cpu = time.monotonic() - began, cpu_seconds(main) - cpu
            lines = len(re.findall(rb"(?m)^<[0-4]>", self.daemon.log[since:]))
        freed = time.monotonic()
        self.assertEqual(late.wait(ident)["result"], {})
        resumed = time.monotonic() - freed
        self.assertLess(cpu / spent, 0.05 if LONG else 0.2, "it spins")
        self.assertLessEqual(lines, 1 + spent / 6, self.daemon.log[since:].decode())
        if LONG:
            self.assertLessEqual(lines, 10 * spent / 60)
            self.assertLessEqual(resumed, 0.1)
        self.assertEqual(self.daemon.process.pid, main)
        tap.note("without descriptors, %d clients waiting (of %d) and %d calls on a connection: "
                 "%.1f %% of a processor, %d lines in %.0f s; served again %.0f ms after there "
                 "were some" % (len(waiting), CLIENTS, n, 100 * cpu / spent, lines, spent,
                                1e3 * resumed))

    def test_nobody_pays_for_it(self):
        """A front that the monitor could not give its channels to is not its user's doing."""
        main, since = self.daemon.process.pid, len(self.daemon.log)
        # Enough to accept, and not for a front's channels to trust and the vault.
        with starved(self.daemon.process.pid, spare=3):
            for _ in range(20):
                self.assertTrue(self.refused(LATE))
                self.assertEqual(self.good.call("ping"), {})
                time.sleep(0.1)  # or none would be tried
            lines = len(re.findall(rb"(?m)^<[0-4]>", self.daemon.log[since:]))
        freed = time.monotonic()
        while self.refused(LATE):
            self.assertLess(time.monotonic() - freed, 8)
        tap.note("a front %.0f ms after there were descriptors for it"
                 % (1e3 * (time.monotonic() - freed)))
        self.assertEqual(self.daemon.process.pid, main)
        self.assertNotIn(b"not served", self.daemon.log[since:])
        self.assertNotIn(b"died", self.daemon.log[since:])
        self.assertLessEqual(lines, 4, self.daemon.log[since:].decode())

    def test_too_many_on_their_way(self):
        """To a process that does not read. A front that could not get its channels is not kept."""
        main, since = self.daemon.process.pid, len(self.daemon.log)
        bad = self.client(BAD)
        self.assertEqual(bad.call("ping"), {})
        (busy,) = set(self.daemon.fronts()) - {self.good_front}
        one = harness.Pid(busy)
        self.addCleanup(one.close)
        one.kill(signal.SIGSTOP)
        used = len(os.listdir("/proc/%d/fd" % main))
        for _ in range(used + 30):
            self.client(BAD)
        # Once all were accepted.
        self.assertEqual(self.good.call("ping"), {})
        self.wait_connections(used + 32)
        with starved(main, spare=8):
            self.assertTrue(self.refused(LATE))
            self.daemon.wait_log("as many (descriptors )?are on their way", since)
            self.assertEqual(self.good.call("ping"), {})
        one.kill(signal.SIGCONT)
        self.assertEqual(bad.call("ping"), {})
        freed = time.monotonic()
        while self.refused(LATE):
            self.assertLess(time.monotonic() - freed, 8)
        self.assertIn("result", self.late_call())
        self.assertLess(time.monotonic() - freed, 8)
        self.assertNotIn(b"not served", self.daemon.log[since:])

    def late_call(self):
        """One that needs the vault."""
        with contextlib.closing(self.client(LATE)) as client:
            return client.wait(client.post("list_ccks"))

    def wait_connections(self, n):
        end = time.monotonic() + harness.DEADLINE
        while self.good.call("get_status")["connections"] < n:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_reload(self):
        """Fails, and what was loaded before stays."""
        main, before = self.daemon.process.pid, self.good.call("get_status")
        with childless(main):
            said = self.daemon.reload()
        self.assertIn("reload failed", said)
        self.assertEqual(self.good.call("ping"), {})
        after = self.good.call("get_status")
        self.assertIn("cannot start the trust: ", after["reload_error"])
        self.assertEqual(after["generation"], before["generation"])
        self.assertIn("reloaded", self.daemon.reload())
        self.assertNotIn("reload_error", self.good.call("get_status"))
        self.assertEqual(self.daemon.process.pid, main)

    def test_dead_vault(self):
        """Another is there soon after one can be started; who calls meanwhile waits for it."""
        since = len(self.daemon.log)
        with childless(self.daemon.process.pid):
            self.daemon.worker("vault").kill()
            self.daemon.wait_log("cannot start the trust: ", since)
            ident = self.good.post("list_ccks")
            time.sleep(1)
            self.assertEqual(self.good.call("ping"), {})
        freed = time.monotonic()
        self.assertIn("result", self.good.wait(ident))
        self.assertLess(time.monotonic() - freed, 8)
        self.assertLessEqual(self.daemon.log[since:].count(b"cannot start the trust: "), 2)

    def test_dead_vault_and_no_other(self):
        """What cannot be started in all that time is for systemd to start anew."""
        set_soft_limit(self.daemon.process.pid, "nproc", 1)
        self.daemon.worker("vault").kill()
        self.assertEqual(self.daemon.reap(), 71)
        self.assertRegex(self.daemon.log.decode(), r"(?m)^<3>monitor: .* 5 times in a row; giving up$")

    def test_fronts_that_cannot_load(self):
        """Have read nothing of anybody, and who is connected keeps what he has."""
        main, since = self.daemon.process.pid, len(self.daemon.log)
        with barren(main):
            harness.Pid(self.first_kept_warm).kill()
            self.daemon.wait_log("the front kept warm died", since)
            died = self.good.call("get_status")["restarts"]
            cpu, began = cpu_seconds(main), time.monotonic()
            while time.monotonic() < began + 2:
                self.assertTrue(self.refused(LATE))
                self.assertEqual(self.good.call("ping"), {})
            cpu, spent = cpu_seconds(main) - cpu, time.monotonic() - began
            died = self.good.call("get_status")["restarts"] - died
            lines = len(re.findall(rb"(?m)^<[0-4]>", self.daemon.log[since:]))
        freed = time.monotonic()
        while self.refused(LATE):
            self.assertLess(time.monotonic() - freed, 8)
        self.assertEqual(self.daemon.process.pid, main)
        self.assertNotIn(b"not served", self.daemon.log[since:])
        self.assertNotIn(b"giving up", self.daemon.log[since:])
        self.assertLessEqual(lines, 4, self.daemon.log[since:].decode())
        # One that is kept warm, and one for who comes before it has died, each 50 ms.
        self.assertLessEqual(died, 10 + 2 * spent / 0.05, "it starts one after the other")
        tap.note("while no front could load, %d were started in %.1f s, and the monitor used "
                 "%.1f %% of a processor" % (died, spent, 100 * cpu / spent))


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class Crowd(unittest.TestCase):
    """Users without end: as many processes as there are descriptors for, and no more."""

    def connect(self, daemon, uid):
        with harness.acting_as(uid, uid):
            client = daemon.client("uid %d" % uid)
        self.addCleanup(client.close)
        try:
            return client if client.call("ping") == {} else None
        except (BrokenPipeError, ConnectionResetError, AssertionError):
            client.close()
            return None

    def connect_in_time(self, daemon, uid):
        """While a process is starting there may be a descriptor too few for another."""
        began = time.monotonic()
        while not (client := self.connect(daemon, uid)):
            self.assertLess(time.monotonic() - began, harness.DEADLINE)
            time.sleep(0.05)
        return client

    def test_many_users(self):
        daemon = harness.Daemon(pki.get(), through=("prlimit", "--nofile=64"))
        self.addCleanup(daemon.stop)
        # 32 descriptors for the monitor itself, four for each front, one of which is kept warm.
        clients = [self.connect_in_time(daemon, GOOD + i) for i in range(7)]
        self.assertEqual([self.connect(daemon, GOOD + i) for i in range(7, 20)], [None] * 13)
        daemon.wait_log("was closed: there are too many processes for clients")
        daemon.all_workers("front", 8)
        for one in clients:
            self.assertEqual(one.call("ping"), {})
        # The front of one who has gone makes room for somebody, long before it would end by itself.
        clients[3].close()
        self.connect_in_time(daemon, LATE + 100)
        for one in clients[:3] + clients[4:]:
            self.assertEqual(one.call("ping"), {})
