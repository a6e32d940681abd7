# SPDX-License-Identifier: MIT
"""The audit log: no reply without a record, and none that can be forged, lost or changed unseen"""
import base64
import contextlib
import gzip
import json
import os
import shutil
import signal
import subprocess
import unittest

import harness
import material
import pki

HDR = material.header("audit")


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

    def test_names(self):
        for name in ('\n{"n":1}', '","outcome":"ok', "\x1b[2J", "\u202e", "\U0001d11e", "\\\""):
            _, records = self.ask("create_association", self.params(name=name))
            self.assertEqual([r["name"] for r in records], [name])
        with open(self.daemon.audit_log, "rb") as file:
            self.assertRegex(file.read(), rb"^[\x20-\x7e\n]*$")

    def test_verify(self):
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
        for wrong in (lines[:-1] + [lines[-1].replace(b'"outcome":"ok"', b'"outcome":"no"')] * 0
                      + lines[:1], lines[:1] + lines[2:], lines[:-2] + lines[-1:],
                      [lines[0].replace(b"opened", b"opaned")] + lines[1:]):
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

    def test_torn(self):
        one = self.client()
        self.create(one)
        worker = self.daemon.worker("vault")
        since = len(self.daemon.log)
        worker.kill(signal.SIGSTOP)
        with open(self.daemon.audit_log, "ab") as file:
            file.write(b'{"n":12,"prev":"00')
        worker.kill()
        worker.wait()
        worker.close()
        self.daemon.wait_log("trust and the vault are back", since)
        self.assertIn("result", self.create(one))
        with open(self.daemon.audit_log, "rb") as file:
            self.assertIn(b'"event":"recovered"', file.read())
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stderr)

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
        one.post("create_association", self.params(), ident="again")
        self.assertIn("result", one.wait("again"))
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
