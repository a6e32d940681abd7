# SPDX-License-Identifier: MIT
"""pvsecretctl, where somebody else listens in the daemon's place

Whatever it is told: it ends soon, with a status of its own, takes little memory, writes nothing to
a terminal that the terminal would obey, and no file but those it was asked for. Soon is within 5
seconds of the first byte that it is told; who says nothing at all is waited for as the daemon is.
"""
import base64
import concurrent.futures
import itertools
import json
import os
import pty
import random
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import harness
import material
import pki

SECONDS = 5
SILENT_SECONDS = 30
KIB = 32 * 1024  # of memory
# What a terminal would obey, or show as what it is not.
EVIL = ("\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\r\nroot@host:~# ", "\x08\x08\x08", "\x7f",
        "\u202egnp", "\u2066x\u2069", "\u200b", "\x85")
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
HDR = material.header("hostile server")

# Runs a program and writes down how much memory it had: a process's own account begins with what
# the one that started it had.
MEASURE = """
import os, sys
pid = os.fork()
if not pid:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
os._exit(os.waitstatus_to_exitcode(status) & 255)
"""


class Server:
    """Answers every call by SCRIPT(connection); ends with the block."""

    def __init__(self, script):
        self.script = script
        self.folder = tempfile.mkdtemp(dir=harness.WORK)
        self.path = os.path.join(self.folder, "sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.calls = 0
        self.method = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(harness.DEADLINE)
        self.listener.close()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(harness.DEADLINE)
                try:
                    while (call := connection.recv(1 << 20)):
                        self.calls += 1
                        self.method = re.search(rb'"method":"(\w+)"', call).group(1).decode()
                        if not self.script(connection, self):
                            break
                except OSError:
                    pass


def saying(data):
    def script(connection, _):
        connection.sendall(data)
    return script


def answering(results, spoilt):
    """What is spoilt of the results, and the others as they are."""
    def script(connection, server):
        connection.sendall(text_of(result({**results, **spoilt}[server.method])))
        return True
    return script


def endless(data):
    data = data * max(1, 65536 // len(data))

    def script(connection, _):
        while True:
            connection.sendall(data)
    return script


def dripping(data, pause):
    """The same for ever, a byte at a time."""
    def script(connection, _):
        for byte in itertools.cycle(data):
            connection.sendall(bytes((byte,)))
            time.sleep(pause)
    return script


def silent(connection, _):
    """Reads what comes until the other side has gone."""
    connection.settimeout(2 * SILENT_SECONDS)
    while connection.recv(65536):
        pass


def text_of(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def result(value):
    return {"jsonrpc": "2.0", "id": 1, "result": value}


def refusal(**members):
    error = {"code": -32001, "message": "no", "data": {"reason": "method", "hint": "ask"}}
    error.update({key: value for key, value in members.items() if key in ("code", "message")})
    error["data"].update({key: value for key, value in members.items()
                          if key not in ("code", "message")})
    return {"jsonrpc": "2.0", "id": 1, "error": error}


def ask(server, *words, terminal=False, folder=None, memory=False, patience=SECONDS + 1):
    """The exit status, what was said, seconds, KiB at the most."""
    measured = os.path.join(server.folder, "measured")
    argv = [sys.executable, "-S", "-E", "-c", MEASURE, measured,
            harness.find_program("pvsecretctl"), "--socket", server.path, *words]
    if not memory:
        argv = argv[6:]
    with tempfile.TemporaryDirectory(dir=harness.WORK) as own:
        if terminal:
            mine, its = pty.openpty()
        else:
            mine, its = os.pipe()
        began = time.monotonic()
        process = subprocess.Popen(argv, cwd=folder or own, env=harness.clean_env(TERM="xterm"),
                                   stdin=subprocess.DEVNULL, stdout=its, stderr=its)
        os.close(its)
        said = bytearray()
        while select.select([mine], [], [], patience)[0]:
            try:
                data = os.read(mine, 65536)
            except OSError:
                break  # the other end of a terminal is closed
            if not data:
                break
            said += data
        os.close(mine)
        process.wait(harness.DEADLINE)
        took = time.monotonic() - began
    harness.record.add("output of pvsecretctl", bytes(said))
    if terminal:
        said = said.replace(b"\r\n", b"\n")
    kib = 0
    if memory:
        with open(measured, encoding="ascii") as file:
            kib = int(file.read())
    return process.returncode, said.decode("utf-8"), took, kib


class Hostile(unittest.TestCase):
    """Each by the real program."""

    @classmethod
    def setUpClass(cls):
        cls.hdr = harness.write_file(os.path.join(harness.WORK, "hostile.hdr"), HDR)
        cls.document = pki.get().hosts[0].crt
        create = ("create", "association", "NAME", "-k", cls.document, "--hdr", cls.hdr, "-o",
                  "request", "--cck", "cck")
        # What the real daemon says: method -> result, the first being the one that is spoilt.
        daemon = harness.Daemon(pki.get())
        secret = {"hdr": base64.b64encode(HDR).decode(), "name": "NAME", "cck": "cck",
                  "host_keys": [{"document": pki.get().hosts[0].pem}]}
        with daemon.client() as one:
            cls.commands = {words: {method: one.call(method, params) for method, params in calls}
                            for words, calls in {
                ("ping",): [("ping", None)],
                ("status",): [("get_status", None), ("list_ccks", None)],
                ("access",): [("get_access", None)],
                ("host-key", "verify", cls.document): [
                    ("verify_host_key", {"host_key_document": pki.get().hosts[0].pem})],
                create: [("create_association", secret)]}.items()}
        daemon.stop()
        daemon.listener.close()

    def check(self, script, words, statuses=(3,), terminal=False, memory=False):
        with Server(script) as server:
            status, said, took, kib = ask(server, *words, terminal=terminal, memory=memory)
            self.assertIn(status, statuses, said)
            self.assertLess(took, SECONDS)
            self.assertLess(kib, KIB)
            self.assertEqual(kib > 0, memory)
            self.assertLess(len(said), 1 << 20)
            if (found := OBEYED.search(said)):
                self.fail("%r in %r" % (found.group(), said[max(found.start() - 40, 0):][:200]))
            self.assertGreaterEqual(server.calls, 1)
            if status:
                self.assertIn("pvsecretctl: error: ", said)
                self.assertIn("pvsecretctl: hint: ", said)
        return said

    def test_good_answers(self):
        """What the tests below spoil is good, else."""
        for words, good in self.commands.items():
            said = self.check(answering(good, {}), words + ("-v",), (0,), memory=True)
            self.assertEqual("CN=" in said, words[0] in ("status", "host-key"), said)
            said = self.check(answering(good, {}), words + ("--json=short",), (0,))
            self.assertLessEqual(next(iter(good.values())).items(),
                                 json.loads(re.search(r"(?m)^\{.*", said).group()).items())
            self.check(saying(text_of(refusal())), words, (1,))

    def test_floods(self):
        for data in (b" ", b"\n", b"x", b"{", b"[", b'{"a":', b'["', b'{"a":"', b"[0,", b"\0",
                     b"\xff", b'{"jsonrpc":"2.0",', b"\x1b[2J", b"HTTP/1.1 200 OK\r\n"):
            for words in (("ping",), ("status", "--json=short")):
                with self.subTest(data=data, words=words):
                    self.check(endless(data), words, memory=True)

    def test_one_huge_answer(self):
        """Valid in all but its size; the first part of a gigabyte, as much as is taken."""
        start = b'{"jsonrpc":"2.0","id":1,"result":{"a":"'
        for size in (2 << 20, 64 << 20, 1 << 30):
            def script(connection, _, size=size):
                connection.sendall(start)
                for _ in range(size >> 16):
                    connection.sendall(b"x" * 65536)
                connection.sendall(b'"}}\n')
            for words in self.commands:
                self.check(script, words, memory=True)

    def test_large_but_allowed(self):
        """Just under what is taken, of the kinds that take most memory."""
        for filling in (["x" * 1000] * 1900, [0] * 32000, [{}] * 32000, [""] * 32000,
                        {"%d" % i: 0 for i in range(16000)}, "\\" * 900000):
            for words, good in self.commands.items():
                with self.subTest(words=words[:2], filling=str(filling)[:20]):
                    method, value = next(iter(good.items()))
                    self.check(answering(good, {method: dict(value, more=filling)}), words,
                               (0, 1, 3), memory=True)

    @staticmethod
    def at_the_same_time(rows, patience):
        """For each (script, words), in its order: calls that were heard, and what ask() says."""
        harness.find_program("pvsecretctl")  # which may have to put it in place

        def one(row):
            script, words = row
            with Server(script) as server:
                return server, ask(server, *words, patience=patience)

        with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
            return [(server.calls, *told) for server, told in pool.map(one, rows)]

    def test_drip(self):
        """A byte now and then: each is a sign of life, and all of them never an answer. What the
        process takes to start, where there is much else to do, is beside the five seconds."""
        rows = [(dripping(data, pause), words)
                for data, pause in ((b" ", 1), (b"\n", 0.01), (b'{"a":["', 0.2), (b"[", 1),
                                    (b'["x', 0.2), (text_of(result({"a": "x" * 100000})), 1))
                for words in (("ping",), ("status", "--json=short"))]
        for calls, status, said, took, _ in self.at_the_same_time(rows, 4 * SECONDS):
            self.assertEqual((calls, status), (1, 3), said)
            self.assertIn("pvsecretctl: error: ", said)
            self.assertLess(took, SECONDS + 2)

    def test_silence(self):
        """As long as the daemon may take for much work, and not longer."""
        rows = [(silent, words) for words in self.commands]
        for calls, status, said, took, _ in self.at_the_same_time(rows, 2 * SILENT_SECONDS):
            self.assertEqual((calls, status), (1, 3), said)
            self.assertIn("no answer within %d seconds" % SILENT_SECONDS, said)
            self.assertGreater(took, SILENT_SECONDS - 1)
            self.assertLess(took, SILENT_SECONDS + 2)

    def test_deep(self):
        for levels in (17, 100, 100000):
            for start, end in (("[", "]"), ('{"a":', "}")):
                text = '{"jsonrpc":"2.0","id":1,"result":%s0%s}\n' % (start * levels, end * levels)
                self.check(saying(text.encode()), ("ping",), memory=True)

    def test_halves(self):
        """It ends in the midst, each time that it is asked."""
        for words, good in self.commands.items():
            text = text_of(result(next(iter(good.values()))))
            for cut in (0, 1, len(text) // 2, len(text) - 2):
                self.check(saying(text[:cut]), words)

    def test_not_an_answer(self):
        for value in (None, True, 7, "x", [], {}, [result({})], {"jsonrpc": "2.0", "id": 1},
                      dict(result({}), jsonrpc="1.0"), dict(result({}), id=2),
                      dict(result({}), id="1"), dict(result({}), error={}),
                      result(None), result([]), result("x"), result(7),
                      {"jsonrpc": "2.0", "id": 1, "error": []},
                      {"jsonrpc": "2.0", "id": 1, "error": {"code": "x", "message": "y"}},
                      {"jsonrpc": "2.0", "id": 1, "error": {"code": 1}},
                      {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": 2}}):
            for words in self.commands:
                self.check(saying(text_of(value)), words)
        for data in (b'{"jsonrpc":"2.0","id":1,"result":{"a":"\\u0000"}}\n',
                     b'{"jsonrpc":"2.0","id":1,"result":{}}\0\n',
                     b'{"jsonrpc":"2.0","id":1,"result":{"a":"\x1b"}}\n',
                     b'{"jsonrpc":"2.0","id":1,"result":{},"result":{}}\n',
                     b'{"jsonrpc":"2.0","id":1,"result":{"a":"\xff"}}\n',
                     b'{"jsonrpc":"2.0","id":1e0,"result":{}}\n',
                     b'{"jsonrpc":"2.0","id":1,"result":{}}{"jsonrpc":"2.0","id":1,"result":{}}\n'):
            self.check(saying(data), ("ping",))

    def test_what_a_terminal_obeys(self):
        """In everything that is shown, on a terminal and in a pipe."""
        for terminal, words in itertools.product((False, True), self.commands):
            for json_word in ((), ("--json=pretty",), ("--json=short",)):
                for evil in EVIL:
                    for members in ({"message": evil}, {"hint": evil}, {"name": evil},
                                    {"param": "/" + evil}, {"reason": evil},
                                    {"code": -32601, "param": evil}):
                        if members.keys() != {"message"} and evil is not EVIL[0]:
                            continue
                        self.check(saying(text_of(refusal(**members))), words + json_word,
                                   (1, 3), terminal)

    def poisoned(self, value, evil):
        """Each text of VALUE, one after the other, with EVIL in it."""
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            changed = [item + evil] if isinstance(item, str) else (
                self.poisoned(item, evil) if isinstance(item, (dict, list)) else ())
            for other in changed:
                whole = dict(value) if isinstance(value, dict) else list(value)
                whole[key] = other
                yield whole

    def test_results_that_a_terminal_obeys(self):
        for words, good in self.commands.items():
            for i, one in enumerate(self.poisoned(good, "".join(EVIL))):
                for more in ((), ("--json=short",)):
                    self.check(answering(good, one), words + more, (0, 1, 3), i % 2 == 0)

    def test_results_of_any_shape(self):
        """Values replaced by others of any type: nothing is believed."""
        rng = random.Random("any shape")
        others = [None, True, 0, -1, 1 << 62, 1.5, "", "x" * 5000, [], {}, [[]], [{}], {"a": []}]

        def change(value):
            if rng.random() < 0.15:
                return rng.choice(others)
            if isinstance(value, dict):
                return {key: change(item) for key, item in value.items() if rng.random() > 0.05}
            if isinstance(value, list):
                return [change(item) for item in value for _ in range(rng.randrange(3))]
            return value

        for i in range(60):
            for words, good in self.commands.items():
                self.check(answering(good, {method: change(value)
                                            for method, value in good.items()}),
                           words + (("--json=short",) if i % 3 == 0 else ()), (0, 1, 3))

    def test_only_the_files_that_were_asked_for(self):
        """Names that the other side tells are no names of files."""
        create = next(words for words in self.commands if words[0] == "create")
        good = self.commands[create]["create_association"]
        for name in ("../escaped", "/tmp/escaped", "NAME\0", ".bashrc", "a/b"):
            with tempfile.TemporaryDirectory(dir=harness.WORK) as folder, \
                    Server(saying(text_of(result(dict(good, secret=dict(
                        good["secret"], name=name, type=name)))))) as server:
                before = set(os.listdir(os.path.dirname(folder)))
                ask(server, *create, folder=folder)
                self.assertLessEqual(set(os.listdir(folder)), {"request", "NAME.yaml"})
                self.assertEqual(set(os.listdir(os.path.dirname(folder))), before)
