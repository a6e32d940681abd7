# SPDX-License-Identifier: MIT
"""harness - starts the real daemon as systemd does, and keeps everything that comes out of it

The listening socket is bound here and passed on (LISTEN_FDS); readiness comes by NOTIFY_SOCKET;
whatever is waited for is an event with a deadline, nothing sleeps. Where the tests run as root the
daemon gets a uid of its own. All replies, logs and files are kept and looked through for the
canaries (canary.py), and so is the memory of the daemon's processes before it is stopped.
"""
import atexit
import collections
import contextlib
import fcntl
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import canary
import material
import tap

# Builds with --enable-cage=log alone. PVS_VALGRIND: the daemon runs under valgrind, and with it all
# that it starts. PVS_SANITIZERS: it is a build with sanitizers. What they report is a failure.
VALGRIND = "PVS_VALGRIND" in os.environ
SANITIZERS = "PVS_SANITIZERS" in os.environ
DEADLINE = 120.0 if VALGRIND else 20.0  # seconds, for what should come at once
ROOT = os.geteuid() == 0
DAEMON_UID = 64801 if ROOT else os.getuid()
DAEMON_GID = 64801 if ROOT else os.getgid()
BUILD_DIR = os.path.abspath(os.environ.get("PVS_BUILD_DIR", "."))
NEEDLES = [canary.Needle("the CCK", material.CANARY_CCK),
           canary.Needle("the held extension secret", material.HELD_SECRET),
           canary.Needle("the master", material.MASTER),
           canary.Needle("a derived secret", material.association(material.MASTER, "canary")),
           canary.Needle("a given secret", material.CANARY_SECRET)] + [
               # What the requests of these tests carry, encrypted, is as good as the CCK.
               canary.Needle("an extension secret", material.extension_secret(
                   material.CANARY_CCK, material.header(seed))) for seed in ("canary", "wire")]


# What the vault holds as long as it lives.
HELD = ("of the CCK", "of the held extension secret", "of the master", "of a user signing key")


# valgrind refuses to have the hard limit of descriptors changed: it is no higher than that of the
# role with the lowest. What a thread has that did not end is no leak.
UNDER_VALGRIND = ("prlimit", "--nofile=1024:1024", "valgrind", "--trace-children=yes",
                  "--leak-check=full", "--show-leak-kinds=definite,indirect",
                  "--errors-for-leak-kinds=definite,indirect", "--num-callers=20")
# One of its errors, or a leak, has a stack; a sanitizer's report has a name.
STACK = re.compile(rb"^==\d+==    (?:at|by) 0x", re.M)
REPORT = re.compile(rb"(Address|Leak|UndefinedBehavior)Sanitizer|: runtime error: ")


class Reported(AssertionError):
    """A sanitizer or valgrind found something."""


def make_run():
    """The folder of this run; everything is below it."""
    path = tempfile.mkdtemp(prefix="pvs-system-", dir="/tmp")
    os.chmod(path, 0o755)
    if os.environ.get("PVS_KEEP"):
        print("# files are in", path)
    else:
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


# What this run was started with open is not the daemon's.
for _name in os.listdir("/proc/self/fd"):
    with contextlib.suppress(OSError):
        if int(_name) > 2:
            os.set_inheritable(int(_name), False)
RUN = make_run()
PRIVATE = os.path.join(RUN, "private")  # keys, and what the ultravisor holds: not looked through
WORK = os.path.join(RUN, "work")        # what clients write
VALGRIND_LOGS = os.path.join(RUN, "valgrind")
for _folder in (PRIVATE, WORK, VALGRIND_LOGS):
    os.mkdir(_folder)
os.chmod(VALGRIND_LOGS, 0o777)


def find_program(name):
    """A program of the build; copied to where the daemon's user can run it."""
    for folder in ("", "tests/ultravisor", "tests/pki"):
        path = os.path.join(BUILD_DIR, folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            break
    else:
        raise FileNotFoundError("%s is not in %s (PVS_BUILD_DIR)" % (name, BUILD_DIR))
    copy = os.path.join(RUN, "bin", name)
    if not os.path.exists(copy):
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy(path, copy)
        # The daemon as it is installed: its user may not read it. Valgrind, run as that user, has to.
        installed = ROOT and name == "pvsecretd" and not VALGRIND
        os.chmod(copy, 0o711 if installed else 0o755)
    return copy


class Recorder:
    """Every byte that came out of the daemon and its clients."""

    def __init__(self):
        self.pieces = collections.defaultdict(bytearray)
        self.lock = threading.Lock()
        self.total = 0
        self.looked_at = collections.Counter()
        self.needles = 0

    def add(self, source, data):
        with self.lock:
            self.pieces[source] += data
            self.total += len(data)

    def look(self):
        """At what came since it was looked at last: by the end it is a hundred megabytes."""
        lines = []
        with self.lock:
            if self.needles != len(NEEDLES):
                self.needles = len(NEEDLES)
                self.looked_at.clear()
            for source, data in self.pieces.items():
                # What was cut in two is found in the second part.
                begin = max(0, self.looked_at[source] - canary.PIECE_MAX)
                lines += canary.look(NEEDLES, data[begin:], source)
                self.looked_at[source] = len(data)
        return lines


record = Recorder()
serial = itertools.count(1)
# What the tests that are not about access rules run with.
EVERYTHING = {"everybody": {"Users": "*", "Methods": "*", "Ccks": "*", "Names": "*"}}


def wait_for(fd, events=select.POLLIN, deadline=DEADLINE, what="an event"):
    poller = select.poll()
    poller.register(fd, events)
    if not poller.poll(max(deadline, 0) * 1000):
        raise AssertionError("waited %.0f s in vain for %s" % (deadline, what))


def write_file(path, data, mode=0o644, owner=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
    os.chmod(path, mode)
    if owner is not None and ROOT:
        os.chown(path, owner, owner)
    return path


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def run_program(*argv, data=b"", cwd=WORK, env=None, deadline=60.0, recorded=True, **more):
    """Runs a program to its end; what it says is recorded."""
    done = subprocess.run([str(word) for word in argv], input=data, cwd=cwd, env=env or clean_env(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=deadline,
                          check=False, **more)
    if recorded:
        record.add("output of " + os.path.basename(str(argv[0])),
                   done.stdout + b"\n" + done.stderr)
    check_reports(done.stderr)
    return done


def check_reports(log):
    """Of a sanitizer, in what a process said."""
    found = REPORT.search(log)
    if found:
        raise Reported(log[max(found.start() - 200, 0):found.start() + 6000].decode(
            errors="replace"))


def valgrind_logs():
    """Name of a process -> its valgrind's logs, of all there were."""
    found = collections.defaultdict(list)
    for name in os.listdir(VALGRIND_LOGS):
        with open(os.path.join(VALGRIND_LOGS, name), "rb") as file:
            text = file.read()
        role = re.search(rb"^==\d+== Command: .*?(?:--role=(\w+))?$", text, re.M)
        found[(role[1] or b"monitor").decode() if role else "?"].append(text)
    return found


def clean_env(**more):
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": WORK,
           "G_DEBUG": "fatal-criticals"}
    env.update({name: os.environ[name] for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS")
                if name in os.environ})
    env.update(more)
    return env


@contextlib.contextmanager
def acting_as(uid, gid, groups=()):
    """What is connected inside was connected by that user."""
    saved = os.getgroups()
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(saved)


class Client:
    """One connection, byte for byte."""

    def __init__(self, path, name="a client"):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)  # may wait in the socket's queue; a time-out would not let it
        self.socket.settimeout(DEADLINE)
        self.buffer = b""
        self.ids = itertools.count(1)
        self.kept = {}
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def send_what_it_takes(self, data):
        """As much as is read: it may be closed in the midst."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def send_slowly(self, data):
        for at in range(len(data)):
            self.socket.sendall(data[at:at + 1])

    def finish(self):
        """No more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def _read(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""  # closed before it had read all that was sent
        record.add("replies", data)
        self.buffer += data
        self.ended = not data
        return bool(data)

    def raw_line(self):
        """The next line with its line feed; empty at the end of the stream."""
        while b"\n" not in self.buffer:
            if not self._read():
                if self.buffer:
                    raise AssertionError("half a line before the end: %r" % self.buffer[:200])
                return b""
        line, feed, self.buffer = self.buffer.partition(b"\n")
        return line + feed

    def answer(self):
        """The next answer, held against what the protocol says of every one."""
        line = self.raw_line()
        if not line:
            raise AssertionError("%s: the stream ended where an answer was due" % self.name)
        check_line(line)
        return json.loads(line)

    def rest(self):
        """All answers up to the end of the stream."""
        answers = []
        while (line := self.raw_line()):
            check_line(line)
            answers.append(json.loads(line))
        return answers

    def rest_or_half(self):
        """As rest(), where the daemon's process may have been killed in the midst of a line."""
        while self._read():
            pass
        lines = self.buffer.splitlines(keepends=True)
        self.buffer = b""
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def post(self, method, params=None, ident=None):
        """Sends a call, waits for nothing; returns its id."""
        if ident is None:
            ident = next(self.ids)
        call = {"jsonrpc": "2.0", "id": ident, "method": method}
        if params is not None:
            call["params"] = params
        self.send(json.dumps(call))
        return ident

    def wait(self, ident):
        """The answer of that id; others that come first are kept for their callers."""
        while ident not in self.kept:
            answer = self.answer()
            if answer["id"] in self.kept:
                raise AssertionError("two answers for one call: %s" % answer)
            self.kept[answer["id"]] = answer
        return self.kept.pop(ident)

    def call(self, method, params=None):
        """The result; Refused where there is an error instead."""
        answer = self.wait(self.post(method, params))
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]


class Refused(Exception):
    """The daemon answered with an error."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.error = error
        self.code = error["code"]
        self.reason = error["data"]["reason"]


def check_line(line):
    """Each answer is one compact line: no line feed, no }{ and no }]{ even inside a string."""
    assert line.endswith(b"\n") and line.count(b"\n") == 1, line[:200]
    text = line[:-1].decode("utf-8")
    assert "}{" not in text and "}]{" not in text, text[:200]
    value = json.loads(text)
    assert compact(value) == compact_of(text), "not compact: %s" % text[:200]
    for answer in value if isinstance(value, list) else [value]:
        assert answer["jsonrpc"] == "2.0" and "id" in answer, text[:200]
        assert ("result" in answer) != ("error" in answer), text[:200]
        if "error" in answer:
            error = answer["error"]
            assert isinstance(error["code"], int) and error["message"], text[:200]
            assert error["data"]["reason"], text[:200]


def compact(value):
    """How many bytes outside of strings VALUE has without white space."""
    return len(re.sub(r'"(?:[^"\\]|\\.)*"', '""', json.dumps(value, separators=(",", ":"))))


def compact_of(text):
    return len(re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))


class Pid:
    """A process, by a descriptor that no other process can come to mean."""

    def __init__(self, pid):
        self.pid = pid
        self.fd = os.pidfd_open(pid)

    def kill(self, number=signal.SIGKILL):
        signal.pidfd_send_signal(self.fd, number)

    def wait(self, deadline=DEADLINE):
        wait_for(self.fd, deadline=deadline, what="the end of process %d" % self.pid)

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
        self.fd = None

    __del__ = close


def sockets(pid):
    """How many sockets a process has, of those that are not closed meanwhile."""
    n = 0
    with contextlib.suppress(FileNotFoundError):
        for fd in os.listdir("/proc/%d/fd" % pid):
            with contextlib.suppress(FileNotFoundError):
                n += os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:")
    return n


class Daemon:
    """pvsecretd with a socket, a configuration and keys of its own."""

    alive = []

    def __init__(self, pki=None, ccks=None, credentials=None, daemon=None, limits=None, access=None,
                 images=None, config=None, args=(), through=(), inside=(), capabilities="-all",
                 start=True):
        """PKI: files for trust.d and the root. CCKS: name -> bytes. DAEMON, LIMITS: keys of these
        sections. ACCESS: name of a section -> its keys; everything for everybody if None. IMAGES:
        name -> SE header. CONFIG: the whole text instead of DAEMON, LIMITS and ACCESS.
        CREDENTIALS: name -> bytes, as systemd would.
        THROUGH: a command that the daemon is started by, as root where the tests are. INSIDE: one
        as the daemon's user."""
        self.top = os.path.join(RUN, "daemon%d" % next(serial))
        self.keys = os.path.join(PRIVATE, os.path.basename(self.top))
        self.socket_path = os.path.join(self.top, "pvsecretd.sock")
        self.conf = os.path.join(self.top, "pvsecretd.conf")
        self.cck_dir = os.path.join(self.keys, "cck.d")
        self.args = args
        self.through = through
        self.inside = inside
        self.capabilities = capabilities
        self.process = None
        self.status = None
        self.log = bytearray()
        self.log_event = threading.Condition()
        self.log_ended = True
        self.clients = []
        os.mkdir(self.top)
        os.makedirs(self.cck_dir)
        settings = {"CckDirectory": self.cck_dir}
        for key in ("TrustDirectory", "CrlDirectory", "HostKeyDirectory", "ImageDirectory"):
            settings[key] = os.path.join(self.top, key)
            os.mkdir(settings[key])
        self.log_dir = os.path.join(self.top, "log")
        os.mkdir(self.log_dir)
        if ROOT:
            os.chown(self.log_dir, DAEMON_UID, DAEMON_GID)
        settings["AuditLog"] = os.path.join(self.log_dir, "audit.log")
        settings["CrlMarks"] = os.path.join(self.log_dir, "crl-marks")
        self.trust_dir = settings["TrustDirectory"]
        self.crl_dir = settings["CrlDirectory"]
        self.host_key_dir = settings["HostKeyDirectory"]
        self.image_dir = settings["ImageDirectory"]
        for name, hdr in (images or {}).items():
            write_file(os.path.join(self.image_dir, name + ".hdr"), hdr)
        if pki:
            settings["RootCA"] = pki.root
            for path in pki.trust:
                shutil.copy(path, self.trust_dir)
        settings.update(daemon or {})
        self.audit_log = settings["AuditLog"]
        self.crl_marks = settings["CrlMarks"]
        for name, key in (ccks if ccks is not None else {"cck": material.CANARY_CCK}).items():
            self.write_cck(name, key)
        self.credentials = None
        if credentials is not None:
            self.credentials = os.path.join(self.keys, "credentials")
            for name, key in credentials.items():
                write_file(os.path.join(self.credentials, name), key, 0o440, DAEMON_UID)
        self.sections = {"daemon": settings, "limits": limits or {}}
        self.set_access(EVERYTHING if access is None else access, config)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.socket_path)
        os.chmod(self.socket_path, 0o666)
        self.listener.listen(128)
        if start:
            self.start()

    def set_access(self, access, config=None):
        """Writes the configuration anew, with these [access] sections (or the text CONFIG)."""
        sections = {**self.sections,
                    **{"access " + name: keys for name, keys in access.items()}}
        write_file(self.conf, config if config is not None else "".join(
            "[%s]\n%s" % (name, "".join("%s=%s\n" % item for item in keys.items()
                                        if item[1] is not None))
            for name, keys in sections.items()))

    def write_cck(self, name, key, mode=0o600):
        return write_file(os.path.join(self.cck_dir, name), key, mode, DAEMON_UID)

    def spawn(self, args, listen=True, notify=None):
        """Starts the program as the daemon's user; its standard error goes to the log."""
        words = [*self.inside, find_program("pvsecretd"), "--config", self.conf, *self.args, *args]
        if VALGRIND:
            words = [*UNDER_VALGRIND, "--log-file=%s/%%p" % VALGRIND_LOGS, *words]
        become = ["setpriv", "--pdeathsig", "KILL"]
        if ROOT:
            become += ["--reuid", str(DAEMON_UID), "--regid", str(DAEMON_GID), "--clear-groups",
                       *("--%s=%s" % (set_, self.capabilities)
                         for set_ in ("inh-caps", "ambient-caps", "bounding-set"))]
        env = clean_env(PVS_TEST_LEFTOVER="1")
        if self.credentials:
            env["CREDENTIALS_DIRECTORY"] = self.credentials
        if notify:
            env["NOTIFY_SOCKET"] = notify
        script = 'exec "$@"'
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        read, write = os.pipe()
        # Behind 9, so that no later step writes over an earlier one's source.
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1),
                   (os.POSIX_SPAWN_DUP2, write, 2)]
        if listen:
            env.update(LISTEN_FDS="1", LISTEN_FDNAMES="pvsecretd.socket")
            script = "LISTEN_PID=$$; export LISTEN_PID; " + script
            actions.append((os.POSIX_SPAWN_DUP2, high(self.listener.fileno()), 3))
        actions = [(kind, high(source), target) for kind, source, target in actions]
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", script, "sh", *self.through, *become, *words],
                             env,
                             file_actions=actions, setsigmask=[], setsigdef=[signal.SIGPIPE])
        for _, source, _ in actions:
            os.close(source)
        os.close(null)
        os.close(write)
        self.log_ended = False
        self.reader = threading.Thread(target=self._read_log, args=(read,), daemon=True)
        self.reader.start()
        return Pid(pid)

    def _read_log(self, fd):
        while (data := os.read(fd, 1 << 16)):
            record.add("log", data)
            with self.log_event:
                self.log += data
                self.log_event.notify_all()
        os.close(fd)
        with self.log_event:
            self.log_ended = True
            self.log_event.notify_all()

    def start(self):
        """Starts and waits for READY=1; AssertionError with the log where it ends instead."""
        notify = os.path.join(self.top, "notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(notify)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            heard.bind(notify)
            os.chmod(notify, 0o666)
            self.process = self.spawn((), notify=notify)
            poller = select.poll()
            poller.register(heard, select.POLLIN)
            poller.register(self.process.fd, select.POLLIN)
            began = time.monotonic()
            while True:
                left = began + DEADLINE - time.monotonic()
                ready = dict(poller.poll(max(left, 0) * 1000))
                if heard.fileno() in ready:
                    words = heard.recv(4096).decode().split("\n")
                    record.add("notifications", "\n".join(words).encode())
                    if "READY=1" in words:
                        break
                    continue
                raise AssertionError("the daemon is not ready:\n" + self.log.decode())
        Daemon.alive.append(self)

    def reap(self, deadline=DEADLINE):
        """Waits for its end and for that of all that it started; returns the exit status."""
        self.process.wait(deadline)
        _, status = os.waitpid(self.process.pid, 0)
        self.process.close()
        self.process = None
        if self in Daemon.alive:
            Daemon.alive.remove(self)
        with self.log_event:
            if not self.log_event.wait_for(lambda: self.log_ended, DEADLINE):
                raise AssertionError("processes of the daemon live on without it")
        self.status = os.waitstatus_to_exitcode(status)
        check_reports(self.log)
        for texts in valgrind_logs().values():
            for text in texts:
                if STACK.search(text):
                    raise Reported(text.decode(errors="replace"))
        return self.status

    def stop(self):
        """Looks for the canaries, then has it end in good order."""
        if not self.process:
            return
        try:
            with contextlib.suppress(canary.Unreadable):
                self.check_memory()
        finally:
            self.process.kill(signal.SIGTERM)
            try:
                status = self.reap()
            except AssertionError:
                if self.process:
                    self.process.kill()
                    self.reap()
                raise
        if status != 0:
            raise AssertionError("the daemon ended with %d:\n%s" % (status, self.log.decode()))

    def check(self):
        """--check-config: exit status and what was said."""
        self.log.clear()
        self.process = self.spawn(("--check-config",), listen=False)
        status = self.reap()
        return status, self.log.decode()

    def fronts(self):
        """The fronts that have clients: pid -> how many. Besides those, a front that has an
        identity has three sockets: to the monitor, trust and the vault."""
        found = {pid: sockets(pid) - 3 for pid in self.workers("front")}
        return {pid: n for pid, n in found.items() if n > 0}

    def workers(self, role):
        """The pids of the workers of one role."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with contextlib.suppress(OSError):
                with open("/proc/%s/stat" % name, "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
                if parent != self.process.pid:
                    continue
                with open("/proc/%s/cmdline" % name, "rb") as file:
                    words = file.read().split(b"\0")
                if b"--role=" + role.encode() in words:
                    found.append(int(name))
        return sorted(found)

    def all_workers(self, role, n):
        """Their pids, when there are N of them: one that has just been forked is not called by its
        role yet."""
        end = time.monotonic() + DEADLINE
        while len(pids := self.workers(role)) < n and time.monotonic() < end:
            time.sleep(0.01)
        assert len(pids) == n, "%d processes are %s, not %d" % (len(pids), role, n)
        return pids

    def worker(self, role):
        pids = self.workers(role)
        assert len(pids) == 1, "%d processes are %s" % (len(pids), role)
        return Pid(pids[0])

    def wait_log(self, pattern, since=0, deadline=DEADLINE):
        """Waits for a line behind byte SINCE of the log; returns where it ends."""
        regex = re.compile(pattern.encode())
        with self.log_event:
            if not self.log_event.wait_for(lambda: regex.search(self.log, since), deadline):
                raise AssertionError("no '%s' in the log:\n%s"
                                     % (pattern, self.log[since:].decode()))
            return regex.search(self.log, since).end()

    def reload(self):
        """SIGHUP; returns once it is done, either way, with what was logged since."""
        since = len(self.log)
        self.process.kill(signal.SIGHUP)
        self.wait_log(r"reloaded\n|reload failed", since)
        return self.log[since:].decode()

    def client(self, name="a client"):
        return Client(self.socket_path, name)

    def ctl(self, *words, **more):
        """pvsecretctl at this daemon's socket."""
        return run_program(find_program("pvsecretctl"), "--socket", self.socket_path, *words,
                           **more)

    def check_memory(self):
        """No process has a canary outside of its arena, and the vault alone has the CCK in it.
        Returns role -> canary.Memory."""
        if VALGRIND or SANITIZERS:
            raise canary.Unreadable("the memory of a sanitizer cannot be searched")
        seen = {"monitor": canary.scan_process(self.process.pid, NEEDLES)}
        for role in ("front", "trust", "vault"):
            for pid in self.workers(role):
                # One that ends meanwhile has nothing any more.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    seen["%s %d" % (role, pid)] = canary.scan_process(pid, NEEDLES)
        lines = []
        for role, memory in seen.items():
            lines += ["%s: %s" % (role, line) for line in memory.ordinary]
            allowed = HELD if role.startswith("vault") else ()
            lines += ["%s: %s" % (role, line) for line in memory.arena
                      if not (line.endswith(allowed) and " raw of" in line)]
        if lines:
            raise canary.Found("\n".join(lines))
        return seen


def high(fd):
    """A copy of a descriptor where no fixed number is."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)


def check_everything_said():
    """No reply, log line or file has a canary. Returns bytes and files looked at."""
    lines, files = canary.scan_files(RUN, NEEDLES, (PRIVATE, os.path.join(RUN, "bin")))
    lines += record.look()
    if lines:
        raise canary.Found("\n".join(lines))
    return record.total, files


@tap.diagnosers.append
def _logs():
    for one in Daemon.alive:
        yield "log of %s:" % one.top
        yield from one.log.decode(errors="replace").splitlines()[-30:]


class Case(unittest.TestCase):
    """A class of tests around one daemon; the last of them looks for the canaries."""

    maxDiff = 4000
    daemon = None

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.make_daemon()

    @classmethod
    def make_daemon(cls):
        raise NotImplementedError

    @classmethod
    def tearDownClass(cls):
        if cls.daemon:
            cls.daemon.stop()

    def client(self, name="a client"):
        one = self.daemon.client(name)
        self.addCleanup(one.close)
        return one

    def assert_error(self, answer, code, reason, param=None):
        """An error object of this code and reason, with a text and a hint for a person."""
        self.assertIn("error", answer)
        error = answer["error"]
        self.assertEqual((error["code"], error["data"]["reason"]), (code, reason), error)
        if param is not None:
            self.assertEqual(error["data"].get("param"), param, error)
        self.assertRegex(error["message"], r"\w+ \w+")
        self.assertRegex(error["data"].get("hint", ""), r"\w+ \w+", error)
        self.assertLessEqual(set(error["data"]), {"reason", "param", "name", "hint", "expected"})

    def test_zz_canary(self):
        """Nothing that was said, written or is in memory has a byte of the keys."""
        check_everything_said()
        try:
            self.daemon.check_memory()
        except canary.Unreadable as error:
            self.skipTest("replies, logs and files have none; %s" % error)
