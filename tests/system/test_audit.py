# SPDX-License-Identifier: MIT
"""The audit log: no reply without a record, and none that can be forged, lost or changed unseen"""
import base64
import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness
import material
import pki

HDR = material.header("audit")
PROMPT = 1.0  # seconds


class Audit(harness.Case):
    """Calls, and what is on record of them."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki)

    def setUp(self):
        self.one = self.client()

    def params(self, **more):
        return dict({"hdr": base64.b64encode(HDR).decode(), "name": "n", "cck": "cck",
                     "host_keys": [{"document": self.pki.hosts[0].pem}]}, **more)

    def records(self):
        with open(self.daemon.audit_log, "rb") as file:
            return [json.loads(line) for line in file.read().splitlines()
                    if b'"event":"opened"' not in line]

    def verify(self, *files):
        return harness.run_program(harness.find_program("pvsecretctl"), "audit", "verify",
                                   *(files or (self.daemon.audit_log,)))

    def ask(self, method, params):
        """The answer, and what was recorded before it came."""
        before = len(self.records())
        self.one.post(method, params, ident=method)
        answer = self.one.wait(method)
        return answer, self.records()[before:]

    def test_made(self):
        answer, records = self.ask("create_association", self.params(
            cuid="00112233445566778899aabbccddeeff", flags=["disable-dump"]))
        self.assertEqual(len(records), 1)
        record = records[0]
        self.assertEqual(record["event"], "create_association")
        self.assertEqual((record["uid"], record["gid"]), (os.getuid(), os.getgid()))
        self.assertEqual(record["pid"], os.getpid())
        self.assertEqual(record["cck"], "cck")
        self.assertEqual(record["name"], "n")
        self.assertEqual(record["host_keys"], [self.pki.hosts[0].phkh])
        self.assertEqual(record["header_tag"], HDR[-16:].hex())
        self.assertEqual(record["cuid"], "00112233445566778899aabbccddeeff")
        self.assertEqual(record["id"], answer["result"]["secret"]["id"])
        self.assertEqual(record["outcome"], "ok")
        self.assertNotIn("code", record)
        self.assertRegex(record["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_refused(self):
        """By the vault, and by trust."""
        for change, event, outcome in (
                ({"cck": "none"}, "create_association", "cck"),
                ({"host_keys": [{"document": self.pki.bad_document("revoked").decode()}]},
                 "create", "revoked"),
                ({"host_keys": [{"name": "nobody"}]}, "create", "host-key")):
            answer, records = self.ask("create_association", self.params(**change))
            self.assertEqual(answer["error"]["data"]["reason"], outcome)
            self.assertEqual([(r["event"], r["outcome"], r["code"]) for r in records],
                             [(event, outcome, answer["error"]["code"])])
            self.assertEqual([r["pid"] for r in records], [os.getpid()])

    def test_examined(self):
        for document, outcome in ((self.pki.hosts[0].pem, "ok"),
                                  (self.pki.bad_document("expired").decode(), "expired")):
            _, records = self.ask("verify_host_key", {"host_key_document": document})
            self.assertEqual([(r["event"], r["outcome"]) for r in records],
                             [("verify_host_key", outcome)])
            self.assertEqual([r["pid"] for r in records], [os.getpid()])

    def test_nothing_named(self):
        for method in ("ping", "get_status", "list_ccks", "get_access"):
            self.assertEqual(self.ask(method, {})[1], [], method)

    def test_long_name(self):
        """A line of its first bytes and its hash: who may call at all cannot fill the disk with
        what is refused."""
        name = "\x01" * 4096
        for change in ({}, {"cck": "none"}):
            size = os.path.getsize(self.daemon.audit_log)
            _, records = self.ask("create_association", self.params(name=name, **change))
            self.assertEqual([r["name"] for r in records], [name[:256]])
            self.assertEqual(records[0]["name_sha256"], hashlib.sha256(name.encode()).hexdigest())
            self.assertEqual(records[0]["name_size"], 4096)
            self.assertLess(os.path.getsize(self.daemon.audit_log) - size, 4096)

    def test_host_key_names(self):
        """Each of several that were named."""
        _, records = self.ask("create_association", self.params(
            host_keys=[{"name": "nobody"}, {"name": "nowhere"}]))
        self.assertEqual([r["host_key_names"] for r in records], [["nobody", "nowhere"]])

    def test_names(self):
        for name in ('\n{"n":1}', '","outcome":"ok', "\x1b[2J", "\u202e", "\U0001d11e", "\\\""):
            _, records = self.ask("create_association", self.params(name=name))
            self.assertEqual([r["name"] for r in records], [name])
        with open(self.daemon.audit_log, "rb") as file:
            self.assertRegex(file.read(), rb"^[\x20-\x7e\n]*$")

    def said(self):
        """Number -> hash, of the lines that the journal has."""
        return {int(n): sha256 for n, sha256 in re.findall(
            r"audit: line (\d+) has the SHA-256 ([0-9a-f]{64})\n", self.daemon.log.decode())}

    def last_of(self, lines):
        """Number and hash of the last line, as the command tells them."""
        copy = os.path.join(harness.WORK, "cut.log")
        harness.write_file(copy, b"".join(lines))
        done = self.verify("--json", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        return result["last"], result["sha256"]

    def test_cut_tail(self):
        """What the file alone cannot tell: the journal has the number and the hash of what was
        last, so that a line that is missing at the end or was changed there shows."""
        for _ in range(3):
            self.ask("create_association", self.params())
        n = self.records()[-1]["n"]
        self.daemon.wait_log("audit: line %d has" % n)
        with open(self.daemon.audit_log, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        said = self.said()
        newest = max(said)
        # From the first line on, which is no call's.
        self.assertIn(1, said)
        self.assertEqual(self.last_of(lines), (newest, said[newest]))
        for cut in (1, 2, 3):
            last, sha256 = self.last_of(lines[:-cut])
            self.assertEqual(last, newest - cut)
            self.assertNotEqual(sha256, said[newest])
        changed = lines[-1].replace(b'"outcome":"ok"', b'"outcome":"no"')
        self.assertNotEqual(changed, lines[-1])
        last, sha256 = self.last_of(lines[:-1] + [changed])
        self.assertEqual(last, newest)
        self.assertNotEqual(sha256, said[newest])

    def test_verify(self):
        for _ in range(3):
            self.ask("create_association", self.params())
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stderr)
        n = self.records()[-1]["n"]
        self.assertIn(b"the last has the number %d " % n, done.stdout)
        # The journal knows the same hash.
        sha256 = done.stdout.split()[-1].decode()
        self.daemon.wait_log("audit: line %d has the SHA-256 %s" % (n, sha256))
        with open(self.daemon.audit_log, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        copy = os.path.join(harness.WORK, "changed.log")
        for what, wrong in (
                ("the first line stands at the end as well", lines + lines[:1]),
                ("the second is missing", lines[:1] + lines[2:]),
                ("the last but one is missing", lines[:-2] + lines[-1:]),
                ("the last two are swapped", lines[:-2] + lines[:-3:-1]),
                ("the first was changed", [lines[0].replace(b"opened", b"opaned")] + lines[1:]),
                ("the outcome of the last but one was changed",
                 lines[:-2] + [lines[-2].replace(b'"outcome":"ok"', b'"outcome":"no"')]
                 + lines[-1:])):
            with self.subTest(what):
                self.assertNotEqual(wrong, lines)
                harness.write_file(copy, b"".join(wrong))
                done = self.verify(copy)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr.decode(), r"changed\.log:\d+ does not have")
        # What was cut off at the beginning is for its owner to see.
        harness.write_file(copy, b"".join(lines[1:]))
        done = self.verify(copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"%d lines, numbers 2 to %d; " % (n - 1, n), done.stdout)
        self.assertIn(b"journalctl -u pvsecretd -g audit", done.stderr)
        # As logrotate leaves it.
        packed = os.path.join(harness.WORK, "it's.gz")
        harness.write_file(packed, gzip.compress(b"".join(lines)))
        done = self.verify(packed)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(),
                         r"it's\.gz: is compressed \(gzip\)\n.*hint: .*<\(zcat '.*it'\\''s\.gz'\)")
        done = harness.run_program(harness.find_program("pvsecretctl"), "audit", "verify", "-q",
                                   self.daemon.audit_log)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        done = self.verify(os.path.join(harness.WORK, "none.log"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"none.log", done.stderr)

    def test_mode(self):
        self.assertEqual(os.stat(self.daemon.audit_log).st_mode & 0o7777, 0o640)


class Rules(harness.Case):
    """What the access rules refuse, before anybody had work with it: on record like all else, by
    whom and with the keys that he tried."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, access={"me": {
            "Users": str(os.getuid()), "Methods": "create_association", "Ccks": "cck",
            "Names": "n"}})

    setUp = Audit.setUp
    params = Audit.params
    records = Audit.records
    ask = Audit.ask

    def expect(self, method, params, outcome, **named):
        """Refused so, with one record that says so."""
        answer, records = self.ask(method, params)
        self.assert_error(answer, -32001, outcome)
        self.assertEqual(len(records), 1, (method, params))
        wanted = dict(event=method, outcome=outcome, code=-32001, uid=os.getuid(), **named)
        self.assertLessEqual(wanted.items(), records[0].items())

    def test_creates(self):
        self.assertIn("result", self.ask("create_association", self.params())[0])
        for key, reason, value in (("cck", "cck", "others"), ("cck", "cck", "none"),
                                   ("extension_secret", "extension-secret", "others"),
                                   ("user_sign_key", "user-sign-key", "others"),
                                   ("name", "name", "others")):
            params = {name: other for name, other in self.params().items()
                      if (key, name) != ("extension_secret", "cck")}
            with self.subTest(key):
                self.expect("create_association", dict(params, **{key: value}), reason,
                            **{key: value})
        self.expect("create_association", self.params(no_verify=True), "no-verify")
        self.expect("create_association", self.params(secret={"derive": True}), "derive")

    def test_methods(self):
        target = {name: value for name, value in self.params().items() if name != "name"}
        plain = {"type": "plain", "secret": {"value": "YQ=="}}
        self.expect("create_meta", target, "method", cck="cck")
        self.expect("create_retrievable", self.params(**plain), "method", name="n")
        self.expect("create_update_cck", dict(target, new_cck="others"), "method",
                    new_cck="others")
        self.expect("verify_host_key", {"host_key_document": self.pki.hosts[0].pem}, "method")

    def test_what_names_nothing(self):
        """No key and no host key; or none that makes sense of the call."""
        for method, params in (
                ("verify_request", {"request": base64.b64encode(bytes(600)).decode()}),
                ("create_meta", {"cck": "others"}), ("create_meta", self.params(x=1)),
                ("verify_host_key", {"host_key_document": 7}), ("ping", {"x": 1})):
            with self.subTest(method=method, params=list(params)):
                answer, records = self.ask(method, params)
                self.assertIn("error", answer)
                self.assertEqual(records, [])

    def test_batch_and_notification(self):
        before = len(self.records())
        text = json.dumps([{"jsonrpc": "2.0", "method": "create_association",
                            "params": self.params(cck="others")} for _ in range(3)])
        self.one.send(text)
        # No answer that could be waited for.
        began = time.monotonic()
        while len(self.records()) < before + 3:
            self.assertLess(time.monotonic() - began, harness.DEADLINE)
            time.sleep(0.01)
        self.expect("create_association", self.params(cck="later"), "cck", cck="later")
        self.assertEqual([record["cck"] for record in self.records()[before:]],
                         ["others"] * 3 + ["later"])

    @unittest.skipUnless(harness.ROOT, "only root can be somebody else")
    def test_stranger(self):
        """Who may do nothing at all."""
        before = len(self.records())
        with harness.acting_as(64981, 64982):
            stranger = self.client("a stranger")
        for method, params in (("create_association", self.params(cck="others")),
                               ("verify_host_key", {"host_key_document": self.pki.hosts[0].pem}),
                               ("create_association", self.params(x=1)), ("ping", None)):
            self.assert_error(stranger.wait(stranger.post(method, params)), -32001, "method")
        self.assertEqual([(r["event"], r["uid"], r["gid"], r["outcome"], r.get("cck"))
                          for r in self.records()[before:]],
                         [("create_association", 64981, 64982, "method", "others"),
                          ("verify_host_key", 64981, 64982, "method", None)])


class Broken(harness.Case):
    """A log that cannot be written, and comes again."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki)

    params = Audit.params
    records = Audit.records
    verify = Audit.verify

    def create(self, one, **more):
        one.post("create_association", self.params(**more), ident="c")
        return one.wait("c")

    def test_killed_vault(self):
        """Whatever was being written: the chain goes on."""
        one = self.client()
        for _ in range(5):
            for i in range(20):
                one.post("create_association", self.params(), ident=i)
            worker = self.daemon.worker("vault")
            worker.kill()
            worker.wait()
            worker.close()
            for i in range(20):
                self.assertIn("result", one.wait(i))
        self.assertEqual(self.verify().returncode, 0)

    def spoil(self, text):
        """The vault is killed and leaves TEXT at the log's end; another one takes over."""
        worker = self.daemon.worker("vault")
        since = len(self.daemon.log)
        worker.kill(signal.SIGSTOP)
        with open(self.daemon.audit_log, "ab") as file:
            file.write(text)
        worker.kill()
        worker.wait()
        worker.close()
        self.daemon.wait_log("trust and the vault are back", since)

    def test_torn(self):
        """Whatever is left there the log goes on, says so, and is whole for who reads it; and who
        changes what is there, or before it, does not go unseen."""
        one = self.client()
        with open(self.daemon.audit_log, "rb") as file:
            torn = file.read().count(b'"event":"recovered"')
        for text in (b'{"n":12,"prev":"00', b"garbage\n", b"\n", bytes(5000) + b"\n", b"a\n\nb"):
            with self.subTest(text[:20]):
                self.create(one)
                self.spoil(text)
                self.assertIn("result", self.create(one))
                torn += 1
                with open(self.daemon.audit_log, "rb") as file:
                    log = file.read()
                self.assertEqual(log.count(b'"event":"recovered"'), torn)
                done = self.verify()
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b"%d times what a crash cut off" % torn, done.stdout)
        copy = os.path.join(harness.WORK, "torn.log")
        for old, new in ((b"garbage\n", b"gerbage\n"), (b"garbage\n", b""), (b"a\n\nb", b"a\nb"),
                         (b'"event":"recovered"', b'"event":"opened"')):
            self.assertIn(old, log)
            harness.write_file(copy, log.replace(old, new))
            self.assertEqual(self.verify(copy).returncode, 1, old)

    def reload_and_open(self, path):
        """Until the new vault has written its first line, behind what is in PATH."""
        with open(path, "rb") as file:
            last = json.loads(file.read().splitlines()[-1])["n"]
        self.daemon.reload()
        self.daemon.wait_log("audit: line %d has" % (last + 1))

    def test_torn_first_line(self):
        """Of a file that a rotation has just begun: the chain goes on from the file before, with
        the daemon that rotated it and with one that starts later."""
        one = self.client()
        old = self.daemon.audit_log + ".1"
        self.create(one)
        self.reload_and_open(self.daemon.audit_log)
        os.rename(self.daemon.audit_log, old)
        self.reload_and_open(old)
        os.truncate(self.daemon.audit_log, 0)
        self.spoil(b'{"n":12,"prev":"00')
        self.assertIn("result", self.create(one))
        done = self.verify(old, self.daemon.audit_log)
        self.assertEqual(done.returncode, 0, done.stderr)
        # By itself it cannot tell.
        done = self.verify(self.daemon.audit_log)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"name the file before", done.stderr)
        self.daemon.stop()
        with open(self.daemon.audit_log, "wb") as file:
            file.write(b'{"n":12,"prev":"00')
        self.daemon.start()
        one.close()
        with self.client() as other:
            self.assertIn("result", self.create(other))
        done = self.verify(old, self.daemon.audit_log)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_start_with_an_empty_log(self):
        """It goes on from AuditLog.1."""
        daemon = harness.Daemon(self.pki)
        with daemon.client() as one:
            self.assertIn("result", self.create(one))
        daemon.stop()
        old = daemon.audit_log + ".1"
        os.rename(daemon.audit_log, old)
        daemon.start()
        with daemon.client() as one:
            self.assertIn("result", self.create(one))
        daemon.stop()
        daemon.listener.close()
        with open(daemon.audit_log, "rb") as file:
            first = json.loads(file.readline())
        with open(old, "rb") as file:
            last = file.read().splitlines()[-1]
        self.assertEqual((first["event"], first["n"], first["prev"]),
                         ("opened", json.loads(last)["n"] + 1, hashlib.sha256(last).hexdigest()))
        done = self.verify(old, daemon.audit_log)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_another_daemons_log(self):
        """Two never write to one file; the one that came second goes on when the first has
        ended."""
        first = harness.Daemon(self.pki)
        second = harness.Daemon(self.pki, daemon={"AuditLog": first.audit_log})
        with first.client() as one, second.client() as other:
            second.wait_log("the audit log: is another daemon's")
            for _ in range(2):
                self.assert_error(self.create(other), -32005, "audit")
                self.assertEqual(other.call("ping"), {})
                self.assertIn("result", self.create(one))
        first.stop()
        with second.client() as other:
            self.assertIn("result", self.create(other))
        second.wait_log("the audit log can be written again")
        self.assertEqual(second.log.count(b"is another daemon's"), 1)
        self.assertEqual(self.verify(first.audit_log).returncode, 0)
        second.stop()
        for daemon in (first, second):
            daemon.listener.close()

    def test_rotated(self):
        one = self.client()
        self.create(one)
        old = self.daemon.audit_log + ".1"
        os.rename(self.daemon.audit_log, old)
        self.assertIn("result", self.create(one))
        self.daemon.reload()
        self.assertIn("result", self.create(one))
        done = self.verify(old, self.daemon.audit_log)
        self.assertEqual(done.returncode, 0, done.stderr)
        # The other way round it is none.
        self.assertEqual(self.verify(self.daemon.audit_log, old).returncode, 1)

    def test_reload_with_a_bad_place(self):
        one = self.client()
        old = self.daemon.audit_log + ".aside"
        os.rename(self.daemon.audit_log, old)
        os.mkdir(self.daemon.audit_log)
        try:
            said = self.daemon.reload()
            self.assertRegex(said, r"audit\.log: the audit log cannot be written: .*AuditLog=")
            self.assertIn("result", self.create(one))
        finally:
            os.rmdir(self.daemon.audit_log)
            os.rename(old, self.daemon.audit_log)
        self.daemon.reload()


class Outlived(harness.Case):
    """A vault that lives on when trust has died."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, access={"me": {
            "Users": str(os.getuid()), "Methods": "*", "Ccks": "cck", "Names": "*"}})

    params = Audit.params
    verify = Audit.verify
    create = Broken.create

    def test_one_writer(self):
        """It has a call before it that the rules refuse, and so a line to write. The next vault goes
        on with the log when that one has ended, and not before."""
        one = self.client()
        self.assertIn("result", self.create(one))
        vault, trust = self.daemon.worker("vault"), self.daemon.worker("trust")
        since = len(self.daemon.log)
        vault.kill(signal.SIGSTOP)
        one.post("create_association", self.params(cck="others"), ident="refused")
        # Answered once what was sent before it is on its way.
        self.assertIn("result", one.wait(one.post("ping")))
        trust.kill()
        self.daemon.wait_log("trust and the vault are back", since)
        self.assert_error(one.wait("refused"), -32001, "cck")
        with contextlib.suppress(ProcessLookupError):
            vault.kill(signal.SIGCONT)
        vault.wait()
        for ended in (vault, trust):
            ended.close()
        self.assertIn("result", self.create(one))
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stderr)


class Full(harness.Case):
    """On a file system of its own, which fills up."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.folder = os.path.join(harness.RUN, "small")
        os.mkdir(cls.folder)
        if harness.ROOT:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755,uid=%d"
                            % harness.DAEMON_UID, "tmpfs", cls.folder], check=True)
        return harness.Daemon(cls.pki, daemon={"AuditLog": os.path.join(cls.folder, "a.log")})

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        if os.path.ismount(cls.folder):
            subprocess.run(["umount", "--lazy", cls.folder], check=True, cwd="/")

    params = Audit.params
    records = Audit.records
    verify = Audit.verify

    @unittest.skipUnless(harness.ROOT, "only root can mount")
    def test_full_then_room(self):
        one = self.client()
        one.call("ping")
        filler = os.path.join(self.folder, "filler")
        with open(filler, "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(1024))
        answered = 0
        for i in range(200):
            one.post("create_association", self.params(name="x" * 500), ident=i)
            answer = one.wait(i)
            if "error" in answer:
                self.assert_error(answer, -32005, "audit")
                break
            answered += 1
        else:
            self.fail("the log is never full")
        # What trust would answer is not answered, either.
        for _ in range(40):
            one.post("verify_host_key", {"host_key_document": self.pki.hosts[0].pem}, ident="v")
            answer = one.wait("v")
            if "error" in answer:
                break
        self.assert_error(answer, -32005, "audit")
        self.assertEqual(one.call("ping"), {})
        self.assertEqual(sum(r["event"] == "create_association" for r in self.records()), answered)
        os.unlink(filler)
        began = time.monotonic()
        one.post("create_association", self.params(), ident="again")
        self.assertIn("result", one.wait("again"))
        # At the first call after there is room, which takes milliseconds.
        self.assertLess(time.monotonic() - began, PROMPT)
        self.daemon.wait_log("the audit log can be written again")
        # Said once, not for each call.
        self.assertLessEqual(self.daemon.log.count(b"nothing is done until"), 2)
        self.assertEqual(self.verify().returncode, 0)
        shutil.copy(self.daemon.audit_log, os.path.join(harness.WORK, "full.log"))


class Always(harness.Case):
    """AuditSync=always: on the disk before the reply."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, daemon={"AuditSync": "always"})

    params = Audit.params
    records = Audit.records

    def test_many_at_once(self):
        one = self.client()
        for i in range(60):
            one.post("create_association", self.params(), ident=i)
        for i in range(60):
            self.assertIn("result", one.wait(i))
        made = [r for r in self.records() if r["event"] == "create_association"]
        self.assertEqual(len(made), 60)
        self.assertEqual([r["n"] for r in self.records()], list(range(2, 62)))
