# SPDX-License-Identifier: MIT
"""The audit log's file fails or hangs under a daemon that works: no reply without a record"""
import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import time
import unittest

import harness
import material
import pki
import tap

HDR = material.header("audit failures")
AUDIT = -32005
PATIENCE = 5.0  # seconds that a record is waited for
PROMPT = 2.0    # what takes milliseconds on a machine that has nothing else to do


class Failing:
    """What the tests below share: one connection, and what is on record."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki)

    def params(self, **more):
        return dict({"hdr": base64.b64encode(HDR).decode(), "name": "n", "cck": "cck",
                     "host_keys": [{"document": self.pki.hosts[0].pem}]}, **more)

    def create(self, one, name="n"):
        """The answer, and how long it took."""
        began = time.monotonic()
        answer = one.wait(one.post("create_association", self.params(name=name)))
        return answer, time.monotonic() - began

    def recorded(self):
        """Names of the secrets of the whole lines that are on record as made."""
        with open(self.daemon.audit_log, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
        return [record["name"] for record in map(json.loads, lines)
                if record["event"] == "create_association" and record["outcome"] == "ok"]

    def assert_chain(self):
        done = harness.run_program(harness.find_program("pvsecretctl"), "audit", "verify",
                                   self.daemon.audit_log)
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_works_at_once(self, one):
        """Without a restart of anything."""
        pids = self.daemon.workers("vault") + self.daemon.workers("trust")
        answer, took = self.create(one, "again")
        self.assertIn("result", answer)
        tap.note("again after %.0f ms" % (1e3 * took))
        self.assertLess(took, PROMPT)
        self.assertIn("again", self.recorded())
        self.assertEqual(self.daemon.workers("vault") + self.daemon.workers("trust"), pids)
        self.assert_chain()

    @contextlib.contextmanager
    def injected(self, *what):
        """strace at the vault: what happens to its calls on the log's file. A call that fails
        never begins: another, harmless one takes its place, since the cage lets no number pass
        that means none."""
        words = ["strace", "-f", "-ttt", "-o", os.path.join(harness.PRIVATE, "injected"),
                 "-P", self.daemon.audit_log, "-e", "trace=write,fdatasync,ftruncate"]
        for one in what:
            words += ["-e", "inject=" + one]
        words += ["-p", str(self.daemon.workers("vault")[0])]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as tracer:
            harness.wait_for(tracer.stderr, what="strace")
            said = os.read(tracer.stderr.fileno(), 4096)
            self.assertIn(b"attached", said)
            try:
                yield
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.wait(harness.DEADLINE)

    def traced(self):
        """What strace saw last: (when it began, name) of each call, and of a sync its end."""
        seen = []
        with open(os.path.join(harness.PRIVATE, "injected"), encoding="utf-8",
                  errors="replace") as file:
            for line in file:
                found = re.match(r"\d+ +(\d+\.\d+) (?:<\.\.\. )?(\w+)(\(| resumed>)", line)
                if not found:
                    continue
                if found.group(3) == "(":
                    seen.append((float(found.group(1)), found.group(2)))
                if found.group(2) == "fdatasync" and "<unfinished" not in line:
                    seen.append((float(found.group(1)), "synced"))
        return seen

    def syncs(self):
        return [name for _, name in self.traced()].count("fdatasync")


@unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
class Errors(Failing, harness.Case):
    """write(2) and fdatasync(2) that fail."""

    def test_write(self):
        """Whatever the error is, nothing is answered but that; ping goes on."""
        one = self.client()
        for error in ("EIO", "ENOSPC", "EROFS", "EDQUOT", "EBADF"):
            with self.subTest(error):
                since = len(self.daemon.log)
                with self.injected("write:error=%s:syscall=getpid" % error):
                    for i in range(3):
                        answer, took = self.create(one, "%s %d" % (error, i))
                        self.assert_error(answer, AUDIT, "audit")
                        self.assertLess(took, PROMPT)
                        self.assertEqual(one.call("ping"), {})
                    # What trust refuses is not answered, either.
                    one.post("verify_host_key", {"host_key_document": self.pki.hosts[0].pem},
                             ident="v")
                    self.assert_error(one.wait("v"), AUDIT, "audit")
                self.assertFalse([name for name in self.recorded() if name.startswith(error)])
                self.assert_works_at_once(one)
                log = self.daemon.log[since:].decode()
                # Once, not for each call.
                self.assertEqual(log.count("nothing is done until it can be written"), 1, log)
                self.assertIn("the audit log can be written again", log)

    def test_written_in_part(self):
        """A short write is followed by the rest, and where that fails taken back."""
        one = self.client()
        self.create(one)
        before = os.path.getsize(self.daemon.audit_log)
        with self.injected("write:retval=0:syscall=getpid"):
            answer, _ = self.create(one, "none")
            self.assert_error(answer, AUDIT, "audit")
        self.assertEqual(os.path.getsize(self.daemon.audit_log), before)
        self.assert_works_at_once(one)

    def test_not_taken_back(self):
        """Neither written nor cut: the chain goes on all the same."""
        one = self.client()
        with self.injected("write:error=EIO:syscall=getpid",
                           "ftruncate:error=EIO:syscall=getpid"):
            answer, _ = self.create(one, "none")
            self.assert_error(answer, AUDIT, "audit")
        self.assert_works_at_once(one)

    def test_sync(self):
        """AuditSync=batch: the first reply does not wait for it. Once the disk has failed each one
        does, until it works: no reply without a record that is on the disk. It is asked once a
        second, and the log says each thing once."""
        one = self.client()
        since = len(self.daemon.log)
        with self.injected("fdatasync:error=EIO:syscall=getpid"):
            began = time.monotonic()
            self.assertIn("result", self.create(one, "before it is known")[0])
            self.daemon.wait_log("the audit log: cannot be brought to the disk", since)
            for i in range(5):
                answer, took = self.create(one, "not on the disk %d" % i)
                self.assert_error(answer, AUDIT, "audit")
                self.assertLess(took, 1 + PROMPT)
                self.assertEqual(one.call("ping"), {})
            # Calls that come together wait for one answer of the disk.
            idents = [one.post("create_association", self.params(name="together %d" % i))
                      for i in range(10)]
            for ident in idents:
                self.assert_error(one.wait(ident), AUDIT, "audit")
            # Without calls, too.
            time.sleep(2)
            took = time.monotonic() - began
            # Here: it works again as soon as nothing is injected any more.
            log = self.daemon.log[since:].decode()
        syncs = self.syncs()
        tap.note("%d fdatasync in %.1f s" % (syncs, took))
        self.assertGreaterEqual(syncs, 3)
        self.assertLessEqual(syncs, took + 2)
        self.assertEqual(log.count("cannot be brought to the disk"), 1, log)
        self.assertNotIn("again", log)
        self.assert_works_at_once(one)
        self.daemon.wait_log("the audit log can be brought to the disk again", since)
        # And as before: no reply waits for the disk.
        with self.injected("fdatasync:delay_enter=3000000"):
            self.assertLess(self.create(one, "as before")[1], PROMPT)
            time.sleep(3.5)
        self.assertNotIn("the audit log can be written again", self.daemon.log[since:].decode())

    def test_write_while_the_disk_fails(self):
        """One works again without the other: each is said for itself."""
        one = self.client()
        since = len(self.daemon.log)
        with self.injected("fdatasync:error=EIO:syscall=getpid", "write:error=ENOSPC:syscall=getpid"
                           ":when=2+"):
            self.assertIn("result", self.create(one, "written")[0])
            self.daemon.wait_log("the audit log: cannot be brought to the disk", since)
            self.assert_error(self.create(one, "not written")[0], AUDIT, "audit")
            self.daemon.wait_log("the audit log: cannot be written", since)
        since = len(self.daemon.log)
        self.assert_works_at_once(one)
        end = self.daemon.wait_log("the audit log can be written again", since)
        self.daemon.wait_log("the audit log can be brought to the disk again", end)


@unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
class Batch(Failing, harness.Case):
    """AuditSync=batch: on the disk within a second."""

    LATEST = 1 + PROMPT

    def assert_synced_in_time(self):
        """After each write; returns the latest."""
        waits, latest = [], 0
        for when, name in self.traced():
            if name == "write":
                waits.append(when)
            elif name == "fdatasync":
                covered, waits = waits, []
            elif name == "synced" and covered:
                latest = max(latest, when - covered[0])
        self.assertEqual(waits, [], "not synced")
        self.assertGreater(latest, 0)
        self.assertLess(latest, self.LATEST)
        return latest

    def test_idle(self):
        one = self.client()
        with self.injected():
            for i in range(3):
                self.assertIn("result", self.create(one, "idle %d" % i)[0])
                time.sleep(self.LATEST)
        tap.note("on the disk after %.2f s" % self.assert_synced_in_time())
        self.assertEqual(self.syncs(), 3)

    def test_under_load(self):
        """Records that come all the time do not put it off."""
        one = self.client()
        made = 0
        with self.injected():
            until = time.monotonic() + 4
            while time.monotonic() < until:
                self.assertIn("result", self.create(one, "load %d" % made)[0])
                made += 1
            time.sleep(self.LATEST)
        latest = self.assert_synced_in_time()
        syncs = self.syncs()
        tap.note("%d records, %d fdatasync, the latest after %.2f s" % (made, syncs, latest))
        self.assertGreaterEqual(syncs, 3)
        # Nor does each of them have its own.
        self.assertLess(syncs, 10)


@unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
class Always(Failing, harness.Case):
    """AuditSync=always."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, daemon={"AuditSync": "always"})

    def test_sync_fails(self):
        """On the disk, or no reply."""
        one = self.client()
        with self.injected("fdatasync:error=EIO:syscall=getpid"):
            for i in range(3):
                answer, _ = self.create(one, "unsynced %d" % i)
                self.assert_error(answer, AUDIT, "audit")
        self.assert_works_at_once(one)

    def test_shared(self):
        """Calls that come together share a sync; each waits for one that began after its write."""
        one = self.client()
        with self.injected("fdatasync:delay_enter=20000"):
            idents = [one.post("create_association", self.params(name="shared %d" % i))
                      for i in range(60)]
            for ident in idents:
                self.assertIn("result", one.wait(ident))
        syncs = self.syncs()
        tap.note("60 records, %d fdatasync" % syncs)
        self.assertGreaterEqual(syncs, 1)
        self.assertLess(syncs, 60)
        self.assertEqual(len([name for name in self.recorded() if name.startswith("shared")]), 60)
        self.assert_chain()

    def test_order(self):
        """For each call: its line is written, then on the disk, then answered."""
        one = self.client()
        path = os.path.join(harness.PRIVATE, "order")
        words = ["strace", "-f", "-y", "-s", "4096", "-o", path, "-e",
                 "trace=write,fdatasync,sendmsg", "-p", str(self.daemon.workers("vault")[0])]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as tracer:
            harness.wait_for(tracer.stderr, what="strace")
            self.assertIn(b"attached", os.read(tracer.stderr.fileno(), 4096))
            for i in range(20):
                self.assertIn("result", self.create(one, "order %d" % i)[0])
            tracer.send_signal(signal.SIGINT)
            tracer.wait(harness.DEADLINE)
        state, seen = "answered", 0
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                # Calls that another thread's come between are shown in two pieces.
                if "audit.log" in line and " write(" in line:
                    self.assertEqual(state, "answered", line)
                    self.assertIn("order %d" % seen, line)
                    state = "written"
                elif re.search(r"fdatasync(\(.*\)| resumed>\)) += 0$", line):
                    self.assertEqual(state, "written", line)
                    state = "synced"
                # A request is the one answer of that size.
                elif (size := re.search(r"sendmsg(?:\(| resumed>).*= (\d+)$", line)) and \
                        int(size.group(1)) > 700:
                    self.assertEqual(state, "synced", line)
                    state = "answered"
                    seen += 1
        self.assertEqual((state, seen), ("answered", 20))


@unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
class Hung(Failing, harness.Case):
    """A disk that does not answer."""

    def test_hung_write(self):
        """After five seconds the calls are answered, with an error; meanwhile what needs no
        record is served; and when the disk answers everything goes on."""
        one, other = self.client(), self.client()
        with self.injected("write:delay_enter=8000000:when=1"):
            idents = [one.post("create_association", self.params(name="hung %d" % i))
                      for i in range(5)]
            idents.append(one.post("verify_host_key",
                                   {"host_key_document": self.pki.hosts[0].pem}))
            began = time.monotonic()
            self.assertEqual(other.call("ping"), {})
            other.call("get_status")
            self.assertLess(time.monotonic() - began, PROMPT)
            for ident in idents:
                self.assert_error(one.wait(ident), AUDIT, "audit")
            took = time.monotonic() - began
            self.assertGreater(took, PATIENCE - 0.1)
            tap.note("refused after %.1f s" % took)
            self.assertLess(took, PATIENCE + PROMPT)
            self.assertEqual(other.call("ping"), {})
            # The next is not refused at once: it may be written in time.
            answer, took = self.create(other, "in time")
            self.assertIn("result", answer)
            self.assertIn("in time", self.recorded())
        self.assert_works_at_once(other)


@unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
class HungSync(Failing, harness.Case):
    """A disk that takes what is written and does not answer, with AuditSync=always."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, daemon={"AuditSync": "always"})

    def test_hung_sync(self):
        one, other = self.client(), self.client()
        with self.injected("fdatasync:delay_enter=10000000:when=1"):
            began = time.monotonic()
            idents = [one.post("create_association", self.params(name="hung %d" % i))
                      for i in range(5)]
            while time.monotonic() - began < PATIENCE - 1:
                asked = time.monotonic()
                self.assertEqual(other.call("ping"), {})
                other.call("get_status")
                self.assertLess(time.monotonic() - asked, PROMPT)
                time.sleep(0.2)
            for ident in idents:
                self.assert_error(one.wait(ident), AUDIT, "audit")
            took = time.monotonic() - began
            tap.note("refused after %.1f s" % took)
            self.assertGreater(took, PATIENCE - 0.1)
            self.assertLess(took, PATIENCE + PROMPT)
            # Who comes while it hangs waits as long, and has it in time here and not before.
            while time.monotonic() - began < 10 - PATIENCE / 2:
                time.sleep(0.1)
            answer, _ = self.create(other, "in time")
            self.assertIn("result", answer)
            self.assertGreater(time.monotonic() - began, 9.9)
        self.assert_works_at_once(other)
