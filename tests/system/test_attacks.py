# SPDX-License-Identifier: MIT
"""Attacks on the processes from outside, and what can be found in them after much work"""
import base64
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import canary
import harness
import material
import pki
from test_canary import WITHOUT

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
attempt("mem to write", lambda: os.open("/proc/%d/mem" % pid, os.O_RDWR) >= 0)
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

ALL = {"mem", "mem to write", "maps", "environ", "auxv", "smaps", "pagemap", "fd", "fd/2", "exe",
       "process_vm_readv", "PTRACE_SEIZE", "PTRACE_ATTACH", "pidfd_getfd"}

# Kills the process that its first argument names and tries to open the memory of all that are
# started from then on, one of which is its own child; until its input ends. Prints that child's
# number, what it was let into of that and of the second argument's children, and what it was
# refused.
RACE = r"""
import json, os, select, sys

def last():
    with open("/proc/loadavg") as file:
        return int(file.read().split()[-1])

first = last() + 1
child = os.fork()
if not child:
    select.select([sys.stdin], [], [])
    os._exit(0)
parents = os.getpid(), int(sys.argv[2])
got, refused = set(), set()
os.kill(int(sys.argv[1]), 9)
while not select.select([sys.stdin], [], [], 0)[0]:
    for pid in range(first, last() + 1):
        try:
            os.close(os.open("/proc/%d/mem" % pid, os.O_RDWR))
            with open("/proc/%d/stat" % pid) as file:
                if int(file.read().rpartition(")")[2].split()[1]) in parents:
                    got.add(pid)
        except PermissionError:
            refused.add(pid)
        except OSError:
            pass
print(json.dumps([child, sorted(got), sorted(refused)]))
"""


NEEDS_ROOT = unittest.skipUnless(harness.ROOT, "whose own the program is may read it")


class FromOutside(harness.Case):
    """By the daemon's own user, by a client's, by another's."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    @staticmethod
    def become(uid, *words):
        return ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", *words]

    def attack(self, *words, uid):
        done = harness.run_program(*self.become(uid, sys.executable, "-c", ATTACK,
                                                *map(str, words)))
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

    def in_the_loader(self, program):
        """What the daemon's own user can do to a process of his that has just begun to execute
        PROGRAM: its loader waits for somebody to write to a pipe, which it was told to load."""
        pipe = os.path.join(harness.WORK, "loaded-first")
        os.mkfifo(pipe, 0o644)
        self.addCleanup(os.unlink, pipe)
        with subprocess.Popen(self.become(harness.DAEMON_UID, "env", "LD_PRELOAD=" + pipe, program,
                                          "--version")) as process:
            try:
                end = time.monotonic() + harness.DEADLINE
                comm = "/proc/%d/comm" % process.pid
                while harness.read_file(comm).decode().strip() != os.path.basename(program)[:15]:
                    self.assertLess(time.monotonic(), end)
                return self.attack(process.pid, uid=harness.DAEMON_UID)
            finally:
                process.kill()

    @NEEDS_ROOT
    def test_nobody_gets_in_before_it_begins(self):
        """Between execve() and what the process does about it itself."""
        if harness.read_file("/proc/sys/fs/suid_dumpable").strip() == b"1":
            self.skipTest("this machine lets everybody look into everything (fs.suid_dumpable)")
        self.assertEqual(self.in_the_loader(harness.find_program("pvsecretd")), set())

    @NEEDS_ROOT
    def test_one_that_can_be_read(self):
        """It is the file's mode that does it: a copy with another one lets its user in."""
        copy = os.path.join(harness.WORK, "readable")
        shutil.copy(harness.find_program("pvsecretd"), copy)
        os.chmod(copy, 0o755)
        self.addCleanup(os.unlink, copy)
        # Nothing is mapped where that one reads.
        self.assertEqual(self.in_the_loader(copy), ALL - {"mem"})

    @NEEDS_ROOT
    def test_nobody_gets_in_while_it_starts(self):
        """The same, without a pipe: over and over, from before there is a new vault."""
        for _ in range(10):
            since = len(self.daemon.log)
            vault = self.daemon.workers("vault")
            self.assertEqual(len(vault), 1)
            with subprocess.Popen(self.become(harness.DAEMON_UID, sys.executable, "-c", RACE,
                                              str(vault[0]), str(self.daemon.process.pid)),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as racer:
                self.daemon.wait_log("trust and the vault are back", since)
                said, _ = racer.communicate(timeout=harness.DEADLINE)
            # A pair that answers nothing between its deaths would be given up.
            with self.daemon.client() as client:
                client.call("list_ccks")
            child, got, refused = json.loads(said)
            self.assertEqual(got, [child])
            self.assertLessEqual(set(self.daemon.workers("vault") + self.daemon.workers("trust")),
                                 set(refused))


class Cores(harness.Case):
    """A process that dies of a signal leaves no core, whatever the machine does with cores."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    PATTERN = "/proc/sys/kernel/core_pattern"

    LOCK = "\0pvsecretd tests core_pattern"

    @contextlib.contextmanager
    def alone(self):
        """The pattern is the whole machine's, and two runs of this would each restore what the
        other has set. The name is one for all that share a network, a chroot's tests as well."""
        with socket.socket(socket.AF_UNIX) as lock:
            while True:
                try:
                    lock.bind(self.LOCK)
                    lock.listen()
                    break
                except OSError:
                    # It ends with the process that has it.
                    with socket.socket(socket.AF_UNIX) as wait, contextlib.suppress(OSError):
                        wait.settimeout(300)
                        wait.connect(self.LOCK)
                        wait.recv(1)
            yield

    @contextlib.contextmanager
    def pattern(self, text):
        """Sets it, for as long as this takes. Whatever becomes of this process, SIGKILL included:
        one of another session sees its pipe close, and restores what was there."""
        with open(self.PATTERN, encoding="ascii") as file:
            old = file.read().rstrip("\n")
        with subprocess.Popen(["sh", "-c", 'read -r _; printf "%s\\n" "$1" >"$2"', "sh", old,
                               self.PATTERN],
                              stdin=subprocess.PIPE, start_new_session=True) as keeper:
            try:
                with open(self.PATTERN, "w", encoding="ascii") as file:
                    file.write(text)
            except OSError as error:
                self.skipTest("core_pattern cannot be set: %s" % error)
            yield
            keeper.stdin.close()
            keeper.wait()
        with open(self.PATTERN, encoding="ascii") as file:
            self.assertEqual(file.read().rstrip("\n"), old)

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

    @unittest.skipUnless(harness.ROOT, "only root can set core_pattern")
    @unittest.skipUnless(os.access(PATTERN, os.W_OK), "core_pattern cannot be written here")
    def test_no_core_in_a_file_or_a_pipe(self):
        """PVS_CORE_PATTERN is this root's path as the machine's own processes know it, where it is
        not / (in a chroot): a pipe's program is one of these."""
        outside = os.environ.get("PVS_CORE_PATTERN", "").rstrip("/")
        # Outside of what is looked through: the control's core has nothing of ours.
        with self.alone(), tempfile.TemporaryDirectory(dir="/var/tmp") as cores:
            os.chmod(cores, 0o777)
            script = os.path.join(cores, "take")
            harness.write_file(script, '#!/bin/sh\ncat >"%s%s/piped.$1.$2.$3"\n'
                               % (outside, cores), 0o755)
            for text, start in (("%s/core.%%u.%%e.%%p" % cores, "core."),
                                ("|%s%s %%u %%e %%p" % (outside, script), "piped.")):
                with self.pattern(text):
                    self.control(cores, start)
                    self.die_each(self.daemon)
                    self.all_die()
                    time.sleep(0.5)
                # Others of the machine may die meanwhile, and leave what they like.
                self.assertEqual(self.found(cores, start, ".pvsecretd"), [])
                self.assertEqual(self.found(cores, start + "%d." % harness.DAEMON_UID), [])

    @staticmethod
    def found(cores, start, word=""):
        return [name for name in os.listdir(cores) if name.startswith(start) and word in name]


class AfterMuchWork(harness.Case):
    """10,000 requests, each with a secret of its own: none of them is left anywhere."""

    COUNT = 10000
    # The middle of every secret, so that one needle finds any piece of any of them.
    MIDDLE = random.Random("much work").randbytes(24)
    NEEDLES = [canary.Needle("a secret", MIDDLE), canary.Needle("the CCK", material.CANARY_CCK)]
    through = ()

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, through=cls.through)

    def secret(self, i):
        return i.to_bytes(4, "big") + self.MIDDLE + (self.COUNT - i).to_bytes(4, "big")

    def make_all(self, one):
        waiting = 0

        def take():
            answer = one.answer()
            self.assertIn("result", answer, answer)

        for i in range(self.COUNT):
            value = base64.b64encode(self.secret(i)).decode()
            one.send(json.dumps({
                "jsonrpc": "2.0", "id": i, "method": "create_association",
                "params": {"hdr": base64.b64encode(HDR).decode(), "name": "much %d" % i,
                           "cck": "cck", "secret": {"value": value},
                           "host_keys": [{"document": self.pki.hosts[0].pem}]}}))
            waiting += 1
            if waiting == 16:
                take()
                waiting -= 1
        for _ in range(waiting):
            take()

    def test_no_secret_stays(self):
        for i in (0, 7, self.COUNT - 1):
            self.assertEqual(self.NEEDLES[0].found_in(self.secret(i)), ["raw"])
            self.assertEqual(self.NEEDLES[0].found_in(base64.b64encode(self.secret(i))),
                             ["base64"])
        one = self.client()
        self.make_all(one)
        held = []
        try:
            for role in ("monitor", "front", "trust", "vault"):
                for pid in ([self.daemon.process.pid] if role == "monitor"
                            else self.daemon.workers(role)):
                    seen = canary.scan_process(pid, self.NEEDLES)
                    self.assertEqual(seen.ordinary, [], role)
                    self.assertEqual([line for line in seen.arena if "of a secret" in line], [],
                                     role)
                    held += ["%s: %s" % (role, line.split(": ")[-1]) for line in seen.arena]
                    self.check_arena(role, seen)
        except canary.Unreadable as error:
            self.skipTest(str(error))
        self.check_held(held)

    def check_arena(self, role, seen):
        """Where there is memfd_secret(2), nobody can look into an arena."""

    def check_held(self, held):
        """What stands in arenas, and may."""
        self.assertLessEqual(set(held), {"vault: raw of the CCK"})


class AfterMuchWorkWithoutMemfdSecret(AfterMuchWork):
    """The same where root can look into the arenas of the front and the vault, which the secrets
    went through: it finds there what belongs there, and nothing else."""

    through = (sys.executable, "-c", WITHOUT)

    def check_arena(self, role, seen):
        self.assertEqual(seen.secret, 0)
        if role in ("front", "vault"):
            self.assertGreaterEqual(seen.arenas, 1, role)

    def check_held(self, held):
        self.assertEqual(set(held), {"vault: raw of the CCK"})
