# SPDX-License-Identifier: MIT
"""What the daemon's processes are: nobody's to look into, with nothing open but their channels"""
import contextlib
import ctypes
import errno
import os
import re
import resource
import signal
import struct
import time
import unittest

import canary
import harness
import pki

# Kinds of descriptor besides 0, 1, 2 and sockets.
ALLOWED = {
    "monitor": {"anon_inode:[eventfd]", "anon_inode:[signalfd]", "the program",
                "/dev/null"},
    "front": {"anon_inode:[eventfd]"},
    "trust": {"anon_inode:[eventfd]"},
    "vault": {"anon_inode:[eventfd]"},
}

INFINITY = resource.RLIM_INFINITY
LIMITS = {"Max core file size": resource.RLIMIT_CORE, "Max open files": resource.RLIMIT_NOFILE,
          "Max address space": resource.RLIMIT_AS, "Max processes": resource.RLIMIT_NPROC}
LIMITS_OF = {"monitor": (1, 4096, INFINITY, INFINITY),
             "front": (1, 2048, 256 << 20, 0),
             "trust": (1, 1024, 512 << 20, 0),
             "vault": (1, 1024, INFINITY, INFINITY)}


def page_out(pid, region):
    """Has the kernel put a process's memory to where there is room for it; an error's number."""
    process_madvise, madv_pageout = 440, 21  # on every machine
    parts = struct.pack("=QQ", region.start, region.end - region.start)
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.closing(harness.Pid(pid)) as process:
        done = libc.syscall(process_madvise, process.fd, parts, ctypes.c_size_t(1), madv_pageout,
                            ctypes.c_uint(0))
    return ctypes.get_errno() if done < 0 else 0


class Processes(harness.Case):
    """/proc of each role while a client is connected."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    def setUp(self):
        self.one = self.client()
        # The front that is kept warm may still be on its way, and is not told before it is ready.
        end = time.monotonic() + harness.DEADLINE
        while [worker["role"] for worker in self.one.call("get_status")["workers"]
               ].count("front") < 2:
            self.assertLess(time.monotonic(), end, "no front is kept warm")
        self.pids = {"monitor": [self.daemon.process.pid]}
        for role in ("front", "trust", "vault"):
            self.pids[role] = self.daemon.workers(role)
        self.assertEqual({role: len(pids) for role, pids in self.pids.items()},
                         {"monitor": 1, "front": 2, "trust": 1, "vault": 1})

    def tearDown(self):
        # Once the end of the stream is there, the front has closed its side.
        self.one.finish()
        self.assertEqual(self.one.rest(), [])

    def each(self, *but):
        return [(role, pid) for role, pids in self.pids.items() for pid in pids
                if role not in but]

    @staticmethod
    def read(pid, name):
        with open("/proc/%d/%s" % (pid, name), "rb") as file:
            return file.read()

    def status(self, pid):
        return dict(line.split(":\t", 1) for line in self.read(pid, "status").decode().splitlines()
                    if ":\t" in line)

    @unittest.skipUnless(harness.ROOT, "only as another user than the daemon can it be told")
    def test_not_dumpable(self):
        """Such a process's files in /proc belong to root: nobody of its own uid looks into it."""
        for role, pid in self.each():
            with self.subTest(role):
                self.assertEqual(os.stat("/proc/%d/mem" % pid).st_uid, 0)
                self.assertEqual(self.status(pid)["Uid"].split(), [str(harness.DAEMON_UID)] * 4)

    def test_the_same_user_cannot_look(self):
        for role, pid in self.each():
            with self.subTest(role):
                for name in ("mem", "maps", "environ", "fd/0"):
                    words = ["cat", "/proc/%d/%s" % (pid, name)]
                    if harness.ROOT:
                        words = ["setpriv", "--reuid", harness.DAEMON_UID, "--regid",
                                 harness.DAEMON_GID, "--clear-groups", *words]
                    done = harness.run_program(*words)
                    self.assertNotEqual(done.returncode, 0, name)
                    self.assertEqual(done.stdout, b"")

    def test_no_privileges(self):
        for role, pid in self.each():
            with self.subTest(role):
                status = self.status(pid)
                self.assertEqual(status["NoNewPrivs"], "1")
                if harness.ROOT:
                    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                        self.assertEqual(int(status[name], 16), 0, name)
                    self.assertEqual(status["Groups"].split(), [])

    def test_in_the_cage(self):
        """A filter of its own for each; the workers are in the monitor's as well."""
        for role, pid in self.each():
            with self.subTest(role):
                status = self.status(pid)
                self.assertEqual(status["Seccomp"], "2")
                self.assertEqual(status["Seccomp_filters"], "1" if role == "monitor" else "2")

    def test_a_call_outside_of_the_cage_is_said(self):
        since = len(self.daemon.log)
        front = [pid for pid in self.daemon.workers("front")][0]
        os.kill(front, signal.SIGSYS)
        self.daemon.wait_log(r"died \(SIGSYS: a system call that its cage forbids", since)

    def test_limits(self):
        """What each may have, and may not raise again; or less, where the daemon was started with
        less."""
        for role, pid in self.each():
            text = self.read(pid, "limits").decode()
            for i, (name, number) in enumerate(LIMITS.items()):
                with self.subTest(role=role, limit=name):
                    had = resource.getrlimit(number)[1]
                    most = LIMITS_OF[role][i]
                    if most == INFINITY or had != INFINITY and had < most:
                        most = had
                    shown = "unlimited" if most == INFINITY else str(most)
                    self.assertRegex(text, r"(?m)^%s +%s +%s " % (name, shown, shown))

    @unittest.skipUnless(harness.ROOT, "only root sees the descriptors of what is not dumpable")
    def test_descriptors(self):
        listening = "socket:[%d]" % os.fstat(self.daemon.listener.fileno()).st_ino
        for role, pid in self.each():
            with self.subTest(role):
                folder = "/proc/%d/fd" % pid
                open_ = {int(name): os.readlink(os.path.join(folder, name))
                         for name in os.listdir(folder)}
                self.assertEqual([open_.pop(fd, None) for fd in (0, 1)], ["/dev/null"] * 2)
                self.assertRegex(open_.pop(2), r"^pipe:")
                if role != "monitor":
                    self.assertRegex(open_[3], "^socket:")
                    self.assertNotIn(listening, open_.values())
                else:
                    self.assertIn(listening, open_.values())
                if role in ("monitor", "vault"):
                    fds = [fd for fd, text in open_.items() if text == self.daemon.audit_log]
                    self.assertEqual(len(fds), 1, role)
                    open_.pop(fds[0])
                if role in ("monitor", "trust"):
                    marks = [fd for fd, text in open_.items() if text == self.daemon.crl_marks]
                    self.assertEqual(len(marks), 1, role)
                    open_.pop(marks[0])
                rest = {"the program" if text == os.readlink("/proc/%d/exe" % pid) else text
                        for text in open_.values() if not text.startswith("socket:")}
                self.assertLessEqual(rest, ALLOWED[role], open_)

    @unittest.skipUnless(harness.ROOT, "only root sees the descriptors of what is not dumpable")
    def test_number_of_sockets(self):
        """Front: monitor, trust, vault, one client. Trust and vault: monitor, each other, one
        for the front (the one kept warm has no identity yet, and no channels)."""
        n = {}
        for role, pids in self.pids.items():
            for pid in pids:
                folder = "/proc/%d/fd" % pid
                n.setdefault(role, set()).add(sum(
                    os.readlink(os.path.join(folder, name)).startswith("socket:")
                    for name in os.listdir(folder)))
        self.assertEqual(n["front"], {1, 4})
        self.assertEqual(n["trust"], {3})
        self.assertEqual(n["vault"], {3})

    @unittest.skipUnless(harness.ROOT, "only root sees the environment of what is not dumpable")
    def test_environment(self):
        for role, pid in self.each("monitor"):
            with self.subTest(role):
                self.assertEqual(self.read(pid, "environ"), b"")

    def test_command_lines(self):
        for role, pid in self.each("monitor"):
            with self.subTest(role):
                self.assertEqual(self.read(pid, "cmdline").rstrip(b"\0").split(b"\0"),
                                 [b"pvsecretd", b"--role=" + role.encode()])

    @unittest.skipUnless(harness.ROOT, "only root sees the program of what is not dumpable")
    def test_the_same_program(self):
        binary = os.stat(harness.find_program("pvsecretd"))
        for role, pid in self.each():
            with self.subTest(role):
                self.assertTrue(os.path.samestat(os.stat("/proc/%d/exe" % pid), binary))

    def test_no_executable_memory_that_can_be_written(self):
        if not harness.ROOT:
            self.skipTest("only root sees the memory of what is not dumpable")
        for role, pid in self.each():
            with self.subTest(role):
                modes = re.findall(r"^[0-9a-f]+-[0-9a-f]+ (\S+)", self.read(pid, "maps").decode(),
                                   re.MULTILINE)
                self.assertTrue(modes)
                self.assertFalse([mode for mode in modes if "w" in mode and "x" in mode])

    @unittest.skipUnless(harness.ROOT, "only root sees the memory of what is not dumpable")
    def test_arenas_are_not_swapped(self):
        """Nor can they be: the kernel refuses to have them paged out, which it does of other
        memory. (Without swap nothing ever is; locked they are all the same.)"""
        for role, pid in self.each("monitor", "trust"):
            with self.subTest(role):
                (arena,) = [region for region in canary.regions(pid) if region.is_arena]
                self.assertIn("lo", arena.flags)
                self.assertGreaterEqual(int(self.status(pid)["VmLck"].split()[0]) * 1024,
                                        arena.end - arena.start)
                self.assertEqual(page_out(pid, arena), errno.EINVAL)
        # Trust has nothing that is locked.
        (pid,) = self.pids["trust"]
        (heap,) = [region for region in canary.regions(pid) if region.path == "[heap]"]
        self.assertEqual(page_out(pid, heap), 0)

    def test_status_tells_them(self):
        told = {}
        for worker in self.one.call("get_status")["workers"]:
            told.setdefault(worker["role"], []).append(worker["pid"])
        self.assertEqual({role: sorted(pids) for role, pids in told.items()}, self.pids)

    def test_signals_to_workers(self):
        """Ctrl-C in a terminal reaches all of them: the monitor decides when to stop."""
        for role, pid in self.each("monitor"):
            with self.subTest(role):
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    os.kill(pid, number)
                self.assertIn("ccks", self.one.call("list_ccks"), role)
                self.assertIn(pid, self.daemon.workers(role))
