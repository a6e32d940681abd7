# SPDX-License-Identifier: MIT
"""Attacks on the processes from outside, and what can be found in them after much work"""
import base64
import contextlib
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
import unittest

import canary
import harness
import material
import pki

HDR = material.header("attacks")

# Tries to get at the process that its argument names, or without one at a child of its own;
# prints what worked.
ATTACK = r"""
import ctypes, json, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
here = ctypes.create_string_buffer(b"something", 16)
child = 0
if len(sys.argv) > 1:
    pid = int(sys.argv[1])
else:
    child = pid = os.fork()
    if not pid:
        time.sleep(60)
        os._exit(0)
worked = []

def attempt(name, attack):
    try:
        if attack():
            worked.append(name)
    except OSError:
        pass

def read(name):
    with open("/proc/%d/%s" % (pid, name), "rb") as file:
        if name == "mem":
            file.seek(ctypes.addressof(here) if child else 0x400000)
        return bool(file.read(1)) or name == "environ"

class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]

def vm_readv():
    out = ctypes.create_string_buffer(8)
    mine = Iovec(ctypes.addressof(out), 8)
    its = Iovec(ctypes.addressof(here), 8)
    n = libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(its), 1, 0)
    # EFAULT: let in, and nothing is mapped there.
    return n >= 0 or ctypes.get_errno() == 14

def trace(request):
    if libc.ptrace(request, pid, None, None) != 0:
        return False
    if request == 16:
        os.waitpid(pid, 0x40000000)
        libc.ptrace(17, pid, None, None)
    return True

def getfd():
    pidfd = os.pidfd_open(pid)
    return libc.syscall(438, pidfd, 2, 0) >= 0

for name in ("mem", "maps", "environ", "auxv", "smaps", "pagemap"):
    attempt(name, lambda: read(name))
attempt("fd", lambda: bool(os.listdir("/proc/%d/fd" % pid)))
attempt("fd/2", lambda: bool(os.readlink("/proc/%d/fd/2" % pid)))
attempt("exe", lambda: bool(os.readlink("/proc/%d/exe" % pid)))
attempt("process_vm_readv", vm_readv)
attempt("pidfd_getfd", getfd)
attempt("PTRACE_ATTACH", lambda: trace(16))
attempt("PTRACE_SEIZE", lambda: trace(0x4206))
if child:
    os.kill(child, 9)
print(json.dumps(worked))
"""

ALL = {"mem", "maps", "environ", "auxv", "smaps", "pagemap", "fd", "fd/2", "exe",
       "process_vm_readv", "PTRACE_SEIZE", "PTRACE_ATTACH", "pidfd_getfd"}


class FromOutside(harness.Case):
    """By the daemon's own user, by a client's, by another's."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    def attack(self, *words, uid):
        done = harness.run_program("setpriv", "--reuid", str(uid), "--regid", str(uid),
                                   "--clear-groups", sys.executable, "-c", ATTACK,
                                   *map(str, words))
        self.assertEqual(done.returncode, 0, done.stderr)
        return set(json.loads(done.stdout))

    @unittest.skipUnless(harness.ROOT, "only root can be each of these users")
    def test_nobody_gets_in(self):
        one = self.client()
        one.call("ping")
        pids = [("monitor", self.daemon.process.pid)]
        pids += [(role, pid) for role in ("front", "trust", "vault")
                 for pid in self.daemon.workers(role)]
        self.assertGreaterEqual(len(pids), 4)
        for uid in (harness.DAEMON_UID, 64888, 65534):
            # What is tried does work where nothing stands against it.
            self.assertEqual(self.attack(uid=uid), ALL, uid)
            for role, pid in pids:
                self.assertEqual(self.attack(pid, uid=uid), set(), (role, uid))
        self.assertEqual(one.call("ping"), {})


class Cores(harness.Case):
    """A process that dies of a signal leaves no core, whatever the machine does with cores."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    PATTERN = "/proc/sys/kernel/core_pattern"

    @contextlib.contextmanager
    def pattern(self, text):
        """The machine's, for as long as this takes; SIGTERM (see run-system) is no way past it."""
        with open(self.PATTERN, encoding="ascii") as file:
            old = file.read()
        try:
            try:
                with open(self.PATTERN, "w", encoding="ascii") as file:
                    file.write(text)
            except OSError as error:
                self.skipTest("core_pattern cannot be set: %s" % error)
            yield
        finally:
            with contextlib.suppress(OSError):
                with open(self.PATTERN, "w", encoding="ascii") as file:
                    file.write(old)

    users = itertools.count(64971)

    def somebody(self, daemon):
        """Another user each time: whose fronts keep dying is not served for a while."""
        uid = next(self.users)
        with harness.acting_as(uid, uid) if harness.ROOT else contextlib.nullcontext():
            one = daemon.client("uid %d" % uid)
        self.addCleanup(one.close)
        return one

    def assert_served(self, daemon):
        """In the end: a front that was killed may still be given a connection."""
        end = time.monotonic() + harness.DEADLINE
        while True:
            with self.somebody(daemon) as one:
                try:
                    one.call("get_status")
                    return
                except (AssertionError, OSError):
                    self.assertLess(time.monotonic(), end)

    def die_each(self, daemon, number=signal.SIGSEGV):
        """Each worker by that signal, the fronts first; its end is in the log."""
        name = signal.Signals(number).name
        for role in ("front", "trust", "vault"):
            since = len(daemon.log)
            with self.somebody(daemon) as one:
                one.call("get_status")
                for pid in daemon.workers(role):
                    victim = harness.Pid(pid)
                    victim.kill(number)
                    victim.wait()
                    victim.close()
            # (Trust and the vault end with each other; which of them is seen first depends.)
            daemon.wait_log(r"front of uid \d+ died \(%s\)" % name if role == "front"
                            else "(trust|vault) died ", since)
            if role != "front":
                daemon.wait_log("trust and the vault are back", since)
            self.assert_served(daemon)

    def control(self, cores, start):
        """An ordinary process does leave one, or nothing can be told here."""
        done = harness.run_program("bash", "-c", "ulimit -c unlimited; sleep 60 & sleep 0.3; "
                                                 "kill -SEGV $!; wait", cwd=cores)
        self.assertEqual(done.returncode, 0, done.stderr)
        end = time.monotonic() + 5
        while not self.found(cores, start, "sleep"):
            if time.monotonic() > end:
                self.skipTest("this machine writes no cores: " + start)
            time.sleep(0.05)

    def test_no_core(self):
        """Whatever the pattern is: the kernel says of each that it wrote none."""
        since = len(self.daemon.log)
        self.die_each(self.daemon)
        self.assertNotIn(b"core", self.daemon.log[since:])

    def all_die(self):
        """A daemon without a limit for cores: each of its workers and the monitor, by each of the
        signals that are worth a core."""
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
            daemon = harness.Daemon(pki.get(), start=False,
                                    through=("prlimit", "--core=unlimited:unlimited"))
            daemon.start()
            since = len(daemon.log)
            self.die_each(daemon, number)
            daemon.process.kill(number)
            daemon.process.wait()
            end = os.waitid(os.P_PID, daemon.process.pid, os.WEXITED | os.WNOWAIT)
            self.assertEqual((end.si_code, end.si_status), (os.CLD_KILLED, number))
            daemon.reap()
            self.assertNotIn(b"core", daemon.log[since:])

    def test_no_core_without_a_limit(self):
        self.all_die()

    def test_no_core_in_a_file_or_a_pipe(self):
        """The pattern is the whole machine's: set only where PVS_CORE_PATTERN allows it. Its
        value is this root's path as the machine's own processes know it, for a pipe's program is
        one of these: / or that of a chroot."""
        outside = os.environ.get("PVS_CORE_PATTERN", "").rstrip("/")
        if not os.environ.get("PVS_CORE_PATTERN") or not harness.ROOT:
            return
        # Outside of what is looked through: the control's core has nothing of ours.
        with tempfile.TemporaryDirectory(dir="/var/tmp") as cores:
            os.chmod(cores, 0o777)
            script = os.path.join(cores, "take")
            harness.write_file(script, '#!/bin/sh\ncat >"%s%s/piped.$1.$2"\n'
                               % (outside, cores), 0o755)
            for text, start in (("%s/core.%%e.%%p" % cores, "core."),
                                ("|%s%s %%e %%p" % (outside, script), "piped.")):
                with self.pattern(text):
                    self.control(cores, start)
                    self.die_each(self.daemon)
                    self.all_die()
                    time.sleep(0.5)
                self.assertEqual(self.found(cores, start, "pvsecretd"), [])
                self.assertEqual([name for name in self.found(cores, start)
                                  if "sleep" not in name], [])

    @staticmethod
    def found(cores, start, word=""):
        return [name for name in os.listdir(cores) if name.startswith(start) and word in name]


class AfterMuchWork(harness.Case):
    """10,000 requests, each with a secret of its own: none of them is left anywhere."""

    COUNT = 10000

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki)

    def test_no_secret_stays(self):
        rng = random.Random("much work")
        one = self.client()
        secrets = []
        waiting = 0

        def take():
            answer = one.answer()
            self.assertIn("result", answer, answer)

        for i in range(self.COUNT):
            secret = rng.randbytes(32)
            if i % 100 == 0 or i > self.COUNT - 20:
                secrets.append(secret)
            one.send(json.dumps({
                "jsonrpc": "2.0", "id": i, "method": "create_association",
                "params": {"hdr": base64.b64encode(HDR).decode(), "name": "much %d" % i,
                           "cck": "cck", "secret": {"value": base64.b64encode(secret).decode()},
                           "host_keys": [{"document": self.pki.hosts[0].pem}]}}))
            waiting += 1
            if waiting == 16:
                take()
                waiting -= 1
        for _ in range(waiting):
            take()
        needles = [canary.Needle("the secret of request %d" % i, secret)
                   for i, secret in enumerate(secrets)]
        try:
            for role in ("monitor", "front", "trust", "vault"):
                for pid in ([self.daemon.process.pid] if role == "monitor"
                            else self.daemon.workers(role)):
                    seen = canary.scan_process(pid, needles)
                    self.assertEqual(seen.ordinary + seen.arena, [], role)
        except canary.Unreadable as error:
            self.skipTest(str(error))
