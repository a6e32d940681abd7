# SPDX-License-Identifier: MIT
"""What each process asks of the kernel once the daemon is ready, while it works"""
import base64
import collections
import contextlib
import ctypes
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

import harness
import material
import mixed
import pki

HDR = material.header("cage")

# Calls that may fail, and why they do in good order.
FAILS = {
    ("recvmsg", "EAGAIN"),       # a channel is read until it has nothing more
    ("recvfrom", "EAGAIN"),      # and so is a connection
    ("sendmsg", "EAGAIN"),       # both are written until they are full
    ("sendto", "EAGAIN"),
    ("read", "EAGAIN"),          # another thread has read what woke this one
    ("accept4", "EAGAIN"),
    ("futex", "EAGAIN"),         # what was to be waited for has come meanwhile
    ("futex", "ETIMEDOUT"),      # the audit log is to be synced
    ("sendto", "ECONNREFUSED"),  # the monitor's sign of life: the test has gone
    ("sendto", "ENOTCONN"),
}

# No worker has any business with these; nor has the monitor but for the ones it starts.
NEVER = re.compile(r"^(open|openat|openat2|creat|stat|lstat|newfstatat|statx|access|faccessat2?|"
                   r"readlink|readlinkat|socket|socketpair|connect|bind|listen|accept4?|execve|"
                   r"execveat|fork|vfork|clone|clone3|ptrace|io_uring_.*|mount|unlink|rename|"
                   r"process_vm_.*|pidfd_.*|bpf|keyctl|prctl|setrlimit|prlimit64|seccomp|"
                   r"landlock_.*|mlock.*|memfd_.*)$")


class Cage(harness.Case):
    """strace of every process over calls of all kinds."""

    CALLS = 10000

    USERS = (os.getuid(), 64891)

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return mixed.make_daemon(*cls.USERS)

    def texts(self, one):
        """One of each kind, each of which is answered as it should be, by one line."""
        texts = []
        for calls, member in ((mixed.good(one), "result"), (mixed.refused(one), "error"),
                              (mixed.malformed(), "error")):
            for method, params in calls:
                text = mixed.text_of(method, params)
                one.send(text)
                answer = one.answer()
                self.assertIn(member, answer, (method, answer))
                if member == "error":
                    self.assertNotIn(answer["error"]["data"]["reason"], ("internal", "audit"))
                texts.append(text)
        return texts + list(mixed.TEXTS)

    def work(self, clients, texts):
        for begin in range(0, self.CALLS, 16):
            one = clients[begin // 16 % len(clients)]
            for i in range(begin, begin + 16):
                one.send(texts[i % len(texts)])
            for _ in range(16):
                one.raw_line()

    def wait_for_warm_front(self, one, fronts=2):
        """What is still being loaded does open files."""
        end = time.monotonic() + harness.DEADLINE
        while [worker["role"] for worker in one.call("get_status")["workers"]
               ].count("front") < fronts:
            self.assertLess(time.monotonic(), end, "no front is kept warm")

    def test_a_long_crl(self):
        """Five thousand entries in no order, which OpenSSL sorts at the first look: trust lives,
        whether a client brings the CRL or the owner."""
        one = self.client()
        trust = self.daemon.workers("trust")
        crl = self.pki.read("long.crl").decode()
        for _ in range(2):
            answer = one.call("verify_host_key",
                              {"host_key_document": self.pki.hosts[0].pem, "crls": [crl]})
            self.assertEqual(answer["phkh"], self.pki.hosts[0].phkh)
        self.assertEqual(self.daemon.workers("trust"), trust)

    @unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
    def test_while_they_work(self):
        """Calls of all kinds, good, refused and malformed, by two users and by one whom no rule
        allows anything. Nor is there a call that fails, but as some have to."""
        clients = [self.client()]
        with harness.acting_as(64891, 64891):
            clients.append(self.client("another user"))
        with harness.acting_as(mixed.STRANGER, mixed.STRANGER):
            clients.append(self.client("a stranger"))
        texts = self.texts(clients[0])
        self.assertEqual(clients[1].call("ping"), {})
        with self.assertRaises(harness.Refused):
            clients[2].call("get_status")
        self.wait_for_warm_front(clients[0], 4)
        pids = {str(self.daemon.process.pid): "monitor"}
        for role in ("front", "trust", "vault"):
            pids.update({str(pid): role for pid in self.daemon.workers(role)})
        # Threads are told apart from nothing: -f follows them, and each file is a process's.
        prefix = os.path.join(harness.RUN, "private", "strace")
        words = ["strace", "-f", "-ff", "-qq", "-o", prefix]
        for pid in pids:
            words += ["-p", pid]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as tracer:
            end = time.monotonic() + harness.DEADLINE
            while not all(os.path.exists("%s.%s" % (prefix, pid)) for pid in pids):
                self.assertLess(time.monotonic(), end, "strace does not come to them")
                time.sleep(0.05)
            try:
                self.work(clients, texts)
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.wait(harness.DEADLINE)
        seen = collections.defaultdict(collections.Counter)
        failed = collections.Counter()
        for name in os.listdir(os.path.dirname(prefix)):
            if not name.startswith("strace."):
                continue
            path = os.path.join(os.path.dirname(prefix), name)
            with open(path, encoding="utf-8", errors="replace") as file:
                role = pids.get(name.partition(".")[2]) or self.role_of_thread(name, pids)
                for line in file:
                    call = re.match(r"(\w+)\(", line)
                    if call:
                        seen[role][call.group(1)] += 1
                    error = re.search(r"= -1 (E[A-Z]+) ", line)
                    if call and error and (call.group(1), error.group(1)) not in FAILS:
                        failed[role, line.strip()] += 1
            os.unlink(path)
        self.assertEqual(set(seen), {"monitor", "front", "trust", "vault"})
        self.assertEqual("\n".join("%s: %s" % key for key in sorted(failed)), "")
        for role, counts in sorted(seen.items()):
            bad = {call: n for call, n in counts.items() if NEVER.match(call)}
            self.assertEqual(bad, {}, role)
            # It was looked at while it worked.
            if role != "monitor":
                self.assertGreater(counts["sendmsg"] + counts["sendto"], self.CALLS / 20, role)

    def role_of_thread(self, name, pids):
        """The process that a thread is of."""
        thread = name.partition(".")[2]
        for pid, role in pids.items():
            if os.path.isdir("/proc/%s/task/%s" % (pid, thread)):
                return role
        return "vault"


# Has one system call fail, for itself and all that it starts, and becomes its other arguments.
WITHOUT = r"""
import ctypes, os, struct, sys
number, index, value, error = map(int, sys.argv[1:5])
low = (16 if sys.byteorder == "little" else 20) + 8 * index

def op(code, jump_true, jump_false, value):
    return struct.pack("=HBBI", code, jump_true, jump_false, value)

code = [op(0x20, 0, 0, 0), op(0x15, 0, 3, number), op(0x20, 0, 0, low),
        op(0x15, 0, 1, value) if value >= 0 else op(0x15, 0, 0, 0),
        op(6, 0, 0, 0x50000 | error), op(6, 0, 0, 0x7fff0000)]
text = ctypes.create_string_buffer(b"".join(code))
program = struct.pack("=HxxxxxxQ", len(code), ctypes.addressof(text))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_void_p] * 4
kept = ctypes.create_string_buffer(program)
if os.geteuid():
    assert libc.prctl(38, 1, None, None, None) == 0
assert libc.prctl(22, 2, ctypes.addressof(kept), None, None) == 0, ctypes.get_errno()
os.execvp(sys.argv[5], sys.argv[5:])
"""

# Takes what the kernel has for a process and all that it starts: so many layers of Landlock, or
# instructions of filters for system calls, in filters of so many. Becomes its other arguments.
FULL = r"""
import ctypes, os, struct, sys
create, restrict, kind, *sizes = sys.argv[1:5]
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_void_p] * 4
if os.geteuid():
    assert libc.prctl(38, 1, None, None, None) == 0
sizes = [int(size) for size in sizes[0].split(",")]

def layer():
    making_block_devices = struct.pack("=Q", 1 << 11)
    ruleset = libc.syscall(int(create), making_block_devices, 8, 0)
    assert ruleset >= 0 and libc.syscall(int(restrict), ruleset, 0) == 0, ctypes.get_errno()
    os.close(ruleset)

def filter(size):
    # Over all of it, to the one that allows.
    code = struct.pack("=HBBI", 5, 0, 0, size) + struct.pack("=HBBI", 0, 0, 0, 0) * size
    text = ctypes.create_string_buffer(code + struct.pack("=HBBI", 6, 0, 0, 0x7fff0000))
    program = struct.pack("=HxxxxxxQ", size + 2, ctypes.addressof(text))
    kept = ctypes.create_string_buffer(program)
    assert libc.prctl(22, 2, ctypes.addressof(kept), None, None) == 0, ctypes.get_errno()

for size in sizes:
    if kind == "filters":
        filter(size)
    for _ in range(size if kind == "layers" else 0):
        layer()
os.execvp(sys.argv[5], sys.argv[5:])
"""

EPERM, EAGAIN, ENOSYS = 1, 11, 38
ANY = -1
PRCTL, SECCOMP, CREATE_RULESET, RESTRICT_SELF, GETSOCKOPT, CLONE, CLONE_FLAGS = {
    "x86_64": (157, 317, 444, 446, 55, 56, 0), "s390x": (172, 348, 444, 446, 365, 120, 1),
}.get(os.uname().machine, (None,) * 7)
SO_PEERCRED, SO_PEERGROUPS = 17, 59
THREAD = 0x3d0f00  # what the C library asks clone() for in pthread_create()
LAYERS = 16        # of Landlock, for a process


@unittest.skipUnless(PRCTL, "the numbers of this machine's system calls are not known here")
class NoCage(unittest.TestCase):
    """Where a part of the cage cannot be put on there is no start: nothing says READY=1."""

    def daemon(self, number, value, error, index=0):
        """Where the argument of that index has that value the call fails."""
        path = os.path.join(harness.WORK, "without.py")
        harness.write_file(path, WITHOUT)
        return harness.Daemon(pki.get(), start=False, through=(
            sys.executable, path, str(number), str(index), str(value), str(error)))

    def test_no_start(self):
        for what, number, first, said in (
                ("dumpable", PRCTL, 4, "PR_SET_DUMPABLE"),
                ("executable memory", PRCTL, 65, "PR_SET_MDWE"),
                ("new privileges", PRCTL, 38, "PR_SET_NO_NEW_PRIVS"),
                ("files", RESTRICT_SELF, ANY, "Landlock"),
                ("asking for files", CREATE_RULESET, ANY, "Landlock"),
                ("system calls", SECCOMP, ANY, "system calls")):
            with self.subTest(what):
                daemon = self.daemon(number, first, EPERM)
                with self.assertRaisesRegex(AssertionError, "not ready"):
                    daemon.start()
                self.assertNotEqual(daemon.reap(), 0)
                self.assertIn(said, daemon.log.decode())

    def test_what_is_let_through_starts(self):
        """The same detour, and nothing fails that the cage needs."""
        daemon = self.daemon(PRCTL, 12345, EPERM)
        daemon.start()
        daemon.stop()

    def test_no_locked_memory(self):
        """Keys are in memory that is locked, or there is no start."""
        daemon = harness.Daemon(pki.get(), start=False, through=("prlimit", "--memlock=0:0"))
        with self.assertRaisesRegex(AssertionError, "not ready"):
            daemon.start()
        # The system's refusal, and no mistake in a file of the owner's.
        self.assertEqual(daemon.reap(), 71)
        self.assertRegex(daemon.log.decode(), r"<3>.*cannot lock .*LimitMEMLOCK=")
        # Beside one, that comes first: it is the one that the owner can mend at once.
        harness.write_file(os.path.join(daemon.trust_dir, "garbage.crt"), b"garbage")
        status, said = daemon.check()
        self.assertEqual(status, 78, said)
        self.assertRegex(said, r"<3>.*cannot lock ")
        self.assertRegex(said, r"<3>.*garbage\.crt: ")

    def test_nobody_knows_who_it_is(self):
        """Where the kernel does not say who a client is, he is not served."""
        for option in (SO_PEERCRED, SO_PEERGROUPS):
            with self.subTest(option):
                daemon = self.daemon(GETSOCKOPT, option, EPERM, 2)
                daemon.start()
                for uid in (0, 64893):
                    with contextlib.ExitStack() as stack:
                        if harness.ROOT:
                            stack.enter_context(harness.acting_as(uid, uid))
                        client = stack.enter_context(daemon.client())
                        client.send_what_it_takes(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
                        self.assertEqual(client.rest(), [])
                daemon.all_workers("front", 1)  # the warm one
                daemon.stop()

    def test_a_kernel_without_landlock(self):
        daemon = self.daemon(CREATE_RULESET, ANY, ENOSYS)
        daemon.start()
        daemon.wait_log("has no Landlock")
        daemon.stop()


@unittest.skipUnless(PRCTL, "the numbers of this machine's system calls are not known here")
class NoWorkersCage(unittest.TestCase):
    """Where the monitor has its cage and a worker cannot put on its own there is no start either:
    what only workers do fails, or what the monitor has left is not enough for one more."""

    # Exit status, and whether the vault had anything to say before: of a monitor that has no cage
    # itself, of one whose workers died of it or said so.
    OWN, DIED, SAID = (71, False), (70, True), (71, True)

    def outcome(self, **how):
        """How it ended, None where the daemon starts; and the log."""
        daemon = harness.Daemon(pki.get(), start=False, **how)
        try:
            daemon.start()
        except AssertionError as error:
            self.assertIn("not ready", str(error))
            status, log = daemon.reap(), daemon.log.decode()
            return (status, ">vault: " in log), log
        daemon.stop()
        return None, daemon.log.decode()

    @staticmethod
    def script(text):
        return harness.write_file(os.path.join(harness.WORK, "before.py"), text)

    def test_a_call_of_workers(self):
        for number, index, value, error, expected, said in (
                (PRCTL, 0, 1, EPERM, self.DIED, "<3>vault: cannot be tied .*PR_SET_PDEATHSIG"),
                (CLONE, CLONE_FLAGS, THREAD, EAGAIN, self.SAID, "cannot start a thread")):
            with self.subTest(said):
                # Behind setpriv(1), which asks for a signal at its parent's death, too.
                status, log = self.outcome(inside=(
                    sys.executable, self.script(WITHOUT), *map(str, (number, index, value, error))))
                self.assertEqual(status[0], expected[0], log)
                self.assertRegex(log, said)

    def full(self, kind, *sizes):
        return self.outcome(through=(
            sys.executable, self.script(FULL), *map(str, (CREATE_RULESET, RESTRICT_SELF, kind)),
            ",".join(map(str, sizes))))

    def test_no_layer_of_landlock_left(self):
        """One for the monitor, and none for its workers."""
        for layers, expected in ((LAYERS, self.OWN), (LAYERS - 1, self.SAID), (LAYERS - 2, None)):
            status, log = self.full("layers", layers)
            self.assertEqual(status and status[0], expected and expected[0], log)
            if expected:
                self.assertRegex(log, r"<3>.*\(Landlock\): Argument list too long")

    def test_no_room_for_a_filter(self):
        """Of the instructions that the kernel allows a process's filters to have together (2^15),
        enough are left for the monitor's and too few for a worker's. How many these are is looked
        for: with LEAST more taken it starts, with MOST it is the monitor that fails."""
        least, most = 1, 4070
        status = self.OWN
        while status in (None, self.OWN):
            size = (least + most) // 2
            self.assertLess(least, size, "the filter of a worker takes nothing")
            status, log = self.full("filters", *[4090] * 7, size)
            if status is None:
                least = size
            else:
                most = size
                self.assertRegex(log, r"<3>.*\(seccomp\): Cannot allocate memory")
        self.assertEqual(status, self.SAID, log)


class Installed(harness.Case):
    """The kernel's own word on the filters of the daemon's processes: they are those that the unit
    tests try call by call."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    @staticmethod
    def installed(pid, index):
        """PTRACE_SECCOMP_GET_FILTER; None where the kernel does not tell."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.restype = ctypes.c_long
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        seize, detach, interrupt, get_filter = 0x4206, 17, 0x4207, 0x420c
        if libc.ptrace(seize, pid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "PTRACE_SEIZE")
        try:
            libc.ptrace(interrupt, pid, None, None)
            os.waitpid(pid, 0x40000000)
            code = ctypes.create_string_buffer(8 * 4096)
            n = libc.ptrace(get_filter, pid, index, ctypes.addressof(code))
        finally:
            libc.ptrace(detach, pid, None, None)
        return list(struct.iter_unpack("=HBBI", code.raw[:8 * n])) if n > 0 else None

    def exported(self, role, program, pid):
        path = os.path.join(harness.BUILD_DIR, "tests/unit/test-filter")
        if not os.path.exists(path):
            self.skipTest("tests/unit/test-filter was not built")
        done = harness.run_program(path, "--dump", role, program)
        self.assertEqual(done.returncode, 0, done.stderr)
        own, *lines = done.stdout.decode().splitlines()
        for line in lines:
            code, if_true, if_false, k = map(int, line.split())
            yield code, if_true, if_false, pid if k == int(own) else k

    @unittest.skipUnless(harness.ROOT, "only root may ask")
    def test_filters(self):
        with self.client() as one:
            one.call("get_status")
            monitor = self.daemon.process.pid
            exe = os.readlink("/proc/%d/exe" % monitor)
            program, = [int(fd) for fd in os.listdir("/proc/%d/fd" % monitor)
                        if os.readlink("/proc/%d/fd/%s" % (monitor, fd)) == exe]
            if self.installed(monitor, 0) is None:
                self.skipTest("the kernel does not show filters")
            self.assertEqual(self.installed(monitor, 0),
                             list(self.exported("monitor", program, monitor)))
            for role in ("front", "trust", "vault"):
                for pid in self.daemon.workers(role):
                    for thread in map(int, os.listdir("/proc/%d/task" % pid)):
                        # Inherited, and its own.
                        self.assertEqual(self.installed(thread, 0),
                                         list(self.exported("monitor", program, monitor)), role)
                        self.assertEqual(self.installed(thread, 1),
                                         list(self.exported(role, program, pid)), role)
                        self.assertIsNone(self.installed(thread, 2))


class Traced(unittest.TestCase):
    """strace from the first instruction on: what the monitor does, and in what order others do."""

    def daemon(self, *what, start=True, **more):
        self.path = os.path.join(harness.PRIVATE, "trace-" + self.id().rpartition(".")[2])
        daemon = harness.Daemon(pki.get(), start=False, through=(
            "strace", "-D", "-f", "-qq", "-s", "200", "-o", self.path, "-e",
            "trace=" + ",".join(what)), **more)
        if start:
            daemon.start()
        self.addCleanup(daemon.stop)
        return daemon

    def lines(self):
        """(pid, the call and what came of it), those in two pieces joined."""
        begun = {}
        with open(self.path, encoding="utf-8", errors="replace") as file:
            for line in file:
                pid, _, text = line.rstrip("\n").partition(" ")
                text = text.strip()
                if text.endswith(" <unfinished ...>"):
                    begun[pid] = text[:-len(" <unfinished ...>")]
                    continue
                if (rest := re.match(r"<\.\.\. \w+ resumed>(.*)", text)):
                    text = begun.pop(pid, "") + rest.group(1)
                yield int(pid), text

    @unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
    def test_the_monitor(self):
        """Readiness is said when one worker of each kind is in its cage. After it: the program by
        its descriptor, the configuration and the names of users. No socket to anywhere."""
        daemon = self.daemon("%process", "%file", "%network", "seccomp")
        monitor = daemon.process.pid
        with daemon.client() as one:
            one.call("get_status")
        since = len(daemon.log)
        for role in ("front", "vault"):
            for pid in daemon.workers(role):
                with contextlib.closing(harness.Pid(pid)) as victim:
                    victim.kill()
                    victim.wait()
        daemon.wait_log("are back", since)
        daemon.reload()
        with daemon.client() as one:
            one.call("get_status")
        daemon.stop()
        ready = False
        executed = 0
        roles, caged = {}, set()
        for pid, text in self.lines():
            if (role := re.match(r'execveat\(.*"--role=(\w+)".* = 0$', text)):
                roles[pid] = role.group(1)
            if re.match(r"seccomp\(SECCOMP_SET_MODE_FILTER, .*= 0$", text):
                caged.add(roles.get(pid))
            if re.match(r'(sendto|sendmsg|send)\(.*"READY=1"', text):
                self.assertLessEqual({"front", "trust", "vault"}, caged)
                ready = True
            name = text.partition("(")[0]
            if name.startswith("exec") and ready:
                executed += 1
                self.assertRegex(text, r'^execveat\(\d+, "", \["pvsecretd", '
                                       r'"--role=(front|trust|vault)"\], .*AT_EMPTY_PATH\) += 0')
            if pid != monitor or not ready:
                continue
            self.assertNotIn(name, ("socket", "connect", "bind", "listen", "unlink", "rename",
                                    "mkdir", "chmod", "chown", "readlink", "ptrace"), text)
            if name.startswith("open") and daemon.audit_log in text:
                self.assertRegex(text, "O_NOFOLLOW")
            elif name.startswith("open"):
                self.assertRegex(text, r'"(%s(\.d)?|/etc/(passwd|group)|%s)"'
                                 % (re.escape(daemon.conf), "|".join(
                                     re.escape(os.path.join(daemon.top, key)) for key in (
                                         "TrustDirectory", "CrlDirectory", "HostKeyDirectory",
                                         "ImageDirectory"))
                                    + "|" + re.escape(daemon.cck_dir) + "|" + re.escape(
                                        pki.get().root)))
                self.assertNotRegex(text, "O_(WRONLY|RDWR|CREAT)")
        # A front, a pair for the one that died, a pair for the reload.
        self.assertGreaterEqual(executed, 5)

    @unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
    def test_every_thread(self):
        """Each thread of the vault has put Landlock on itself, and nobody starts one behind the
        filter."""
        daemon = self.daemon("clone", "clone3", "landlock_restrict_self", "seccomp")
        vault = daemon.workers("vault")[0]
        threads = {int(name) for name in os.listdir("/proc/%d/task" % vault)}
        daemon.stop()
        confined = {pid for pid, text in self.lines()
                    if text.startswith("landlock_restrict_self(") and text.endswith("= 0")}
        self.assertGreater(len(threads), 1)
        self.assertLessEqual(threads, confined)
        filtered = False
        for pid, text in self.lines():
            if pid in threads and re.match(r"seccomp\(SECCOMP_SET_MODE_FILTER, .*= 0$", text):
                filtered = True
            elif pid in threads and filtered:
                self.assertFalse(text.startswith("clone"), text)
        self.assertTrue(filtered)

    @unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
    def test_crls_behind_the_cage(self):
        """What the fetcher's user has written is looked at behind the cage, and what he links to
        is not read."""
        daemon = self.daemon("openat", "read", "write", "seccomp", start=False)
        key = os.path.join(daemon.cck_dir, "cck")
        os.symlink(key, os.path.join(daemon.crl_dir, "link.crl"))
        harness.write_file(os.path.join(daemon.crl_dir, "rubbish.crl"), b"rubbish")
        daemon.start()
        trust = daemon.workers("trust")[0]
        daemon.wait_log(r"link\.crl: .*\(ignored\)")
        daemon.stop()
        mine = [text for pid, text in self.lines() if pid == trust]
        (caged,) = [i for i, text in enumerate(mine)
                    if re.match(r"seccomp\(SECCOMP_SET_MODE_FILTER, .*= 0$", text)]
        (looked,) = [i for i, text in enumerate(mine)
                     if "rubbish.crl: not certificates or CRLs" in text]
        (read,) = [i for i, text in enumerate(mine) if text.startswith("openat(")
                   and '"rubbish.crl"' in text]
        self.assertLess(read, caged)
        self.assertLess(caged, looked)
        (link,) = [text for text in mine if text.startswith("openat(") and '"link.crl"' in text]
        self.assertTrue(link.endswith("(Too many levels of symbolic links)"), link)
        self.assertEqual([text for text in mine if "cck.d" in text and text.startswith("openat(")],
                         [])


class Locked(unittest.TestCase):
    """What is in the vault besides the keys is locked as well where the limit leaves room."""

    def locked(self, limit, capabilities="-all"):
        daemon = harness.Daemon(pki.get(), start=False, capabilities=capabilities,
                                through=("prlimit", "--memlock=%s" % limit))
        daemon.start()
        try:
            daemon.wait_log("monitor: ready")
            with open("/proc/%d/status" % daemon.workers("vault")[0], encoding="ascii") as file:
                kib = int(re.search(r"VmLck:\s+(\d+)", file.read()).group(1))
            return kib, daemon.log.decode()
        finally:
            daemon.stop()

    @unittest.skipUnless(harness.ROOT, "only root can give room")
    def test_room(self):
        """By the capability, as not every machine lets even root raise the limit."""
        kib, log = self.locked(4 << 20, "-all,+ipc_lock")
        self.assertGreater(kib, 8 * 1024)
        self.assertNotIn("the rest of the process", log)

    def test_no_room(self):
        kib, log = self.locked(4 << 20)
        self.assertLess(kib, 4 * 1024)
        self.assertIn("the rest of the process is not", log)


class Moved(unittest.TestCase):
    """What the owner changes while the daemon runs."""

    def test_a_link(self):
        """A document that is a link is followed, over a reload as well."""
        daemon = harness.Daemon(pki.get(), start=False)
        there = os.path.join(harness.RUN, "elsewhere")
        os.mkdir(there)
        shutil.copy(pki.get().hosts[0].crt, os.path.join(there, "one.crt"))
        os.symlink(os.path.join(there, "one.crt"), os.path.join(daemon.host_key_dir, "one.crt"))
        daemon.start()
        self.addCleanup(daemon.stop)
        for _ in range(2):
            with daemon.client() as one:
                answer = one.call("create_association", {
                    "hdr": base64.b64encode(HDR).decode(), "name": "by a link",
                    "host_keys": [{"name": "one"}]})
                self.assertEqual(answer["host_keys"][0]["phkh"], pki.get().hosts[0].phkh)
            self.assertIn("reloaded", daemon.reload())

    def test_a_new_directory(self):
        """One that was not there at the start: the reload says so, and what was loaded stays."""
        where = os.path.join(harness.WORK, "later")
        daemon = harness.Daemon(pki.get(), daemon={"CrlDirectory": where})
        self.addCleanup(daemon.stop)
        os.mkdir(where)
        self.addCleanup(os.rmdir, where)
        said = daemon.reload()
        self.assertRegex(said, re.escape(where) + ": was not there.*restart")
        self.assertIn("reload failed", said)
        with daemon.client() as one:
            self.assertEqual(one.call("ping"), {})
