# SPDX-License-Identifier: MIT
"""What is installed, over time: CRLs that expire, come back and are rolled back; documents by name"""
import base64
import hashlib
import json
import os
import struct
import time

import harness
import material
import pki

DAY = 24 * 3600


class Trust(harness.Case):
    """A daemon whose owner changes what is installed."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki)

    def setUp(self):
        super().setUp()
        # Each case begins with nothing seen.
        self.daemon.stop()
        os.unlink(self.daemon.crl_marks)
        harness.write_file(os.path.join(self.daemon.trust_dir, "signing.crl"),
                           self.pki.read("signing.crl"))
        self.daemon.start()
        self.signing_crl = os.path.join(self.daemon.trust_dir, "signing.crl")

    def tearDown(self):
        for name in os.listdir(self.daemon.host_key_dir):
            os.unlink(os.path.join(self.daemon.host_key_dir, name))
        super().tearDown()

    def install(self, data, name="signing.crl"):
        """As an owner does it: by renaming. Then a reload, which has to be good."""
        path = os.path.join(self.daemon.trust_dir, name)
        harness.write_file(path + "~", data)
        os.rename(path + "~", path)
        self.assertIn("reloaded\n", self.daemon.reload())

    def verify(self):
        """None, or the reason of the refusal."""
        with self.client() as client:
            try:
                client.call("verify_host_key", {"host_key_document": self.pki.hosts[0].pem})
            except harness.Refused as refused:
                return refused.reason
        return None

    def marks(self):
        with open(self.daemon.crl_marks, "rb") as file:
            data = file.read()
        self.assertEqual(len(data) % 64, 0)
        records = [data[i:i + 64] for i in range(0, len(data), 64)]
        for one in records:
            self.assertEqual(hashlib.sha256(one[:56]).digest()[:8], one[56:])
        return [struct.unpack(">q", one[32:40])[0] for one in records]

    def test_rolled_back(self):
        """An older CRL in the place of a newer one, also after a restart."""
        old = self.pki.crl(-3600, DAY, 10)
        new = self.pki.crl(-1800, DAY, 11)
        self.install(old)
        self.assertIsNone(self.verify())
        before = self.marks()
        self.install(new)
        self.assertIsNone(self.verify())
        self.assertEqual(self.marks()[:-1], before)
        self.assertEqual(os.stat(self.daemon.crl_marks).st_mode & 0o7777, 0o640)
        self.install(old)
        self.assertEqual(self.verify(), "crl-rolled-back")
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.verify(), "crl-rolled-back")
        # What a client brings is not what its owner installed, but it is new enough.
        with self.client() as client:
            client.call("verify_host_key", {"host_key_document": self.pki.hosts[0].pem,
                                            "crls": [new.decode()]})
        count = len(self.marks())
        self.install(self.pki.crl(-900, DAY, 12))
        self.assertIsNone(self.verify())
        self.assertEqual(len(self.marks()), count + 1)

    def test_level(self):
        """An error says whose CRL it is about; so does the command."""
        path = os.path.join(self.daemon.trust_dir, "inter.crl")
        crl = self.pki.read("inter.crl")
        os.unlink(path)
        try:
            self.assertIn("reloaded\n", self.daemon.reload())
            with self.client() as client:
                answer = client.wait(client.post("verify_host_key", {
                    "host_key_document": self.pki.hosts[0].pem}))
                self.assert_error(answer, -32002, "no-crl", "/host_key_document")
                self.assertEqual(answer["error"]["data"]["name"], "intermediate")
            done = self.daemon.ctl("host-key", "verify", self.pki.hosts[0].crt, "--json=off")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr.decode(), r"missing \(intermediate\)\n.*hint: .*start pvsecretd-crl")
        finally:
            harness.write_file(path, crl)
            self.assertIn("reloaded\n", self.daemon.reload())

    def test_said_before_a_call(self):
        """What would have every host key refused is said without a document: in the log, in
        get_status, and by trust list, for who monitors."""
        self.install(self.pki.crl(-1800, 100 * DAY, 15))
        done = self.daemon.ctl("trust", "list", "-q", "--warn-days", "9")
        self.assertEqual(done.returncode, 0, done.stderr)
        since = len(self.daemon.log)
        self.install(self.pki.crl(-3600, 100 * DAY, 14))
        self.daemon.wait_log("signing.crt: no host key that this signing key signed is accepted: "
                             "every CRL .* older", since)
        with self.client() as client:
            status = client.call("get_status")
        self.assertTrue(any(text.startswith("signing.crt: no host key that")
                            for text in status["warnings"]), status["warnings"])
        entry, = (one for one in status["trust"]["entries"] if one["kind"] == "signing-key")
        self.assertEqual((entry["good"], entry["reason"]), (False, "crl-rolled-back"))
        done = self.daemon.ctl("trust", "list", "--warn-days", "9", "--json=off")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr.decode(), "signing.crt: every CRL .* older")
        self.assertRegex(done.stdout.decode(), "(?m)^signing.crt: every CRL .* older")
        # Without --warn-days nobody asked for a judgement.
        self.assertEqual(self.daemon.ctl("trust", "list", "-q").returncode, 0)
        self.install(self.pki.crl(-900, 100 * DAY, 16))
        done = self.daemon.ctl("trust", "list", "-q", "--warn-days", "9")
        self.assertEqual(done.returncode, 0, done.stderr)
        with self.client() as client:
            status = client.call("get_status")
        entry, = (one for one in status["trust"]["entries"] if one["kind"] == "signing-key")
        self.assertTrue(entry["good"])
        self.assertNotIn("reason", entry)

    def test_forged_beside_good(self):
        """A CRL that nobody signed does no harm, and does not go unnoticed either."""
        self.install(self.pki.crl(-1800, 100 * DAY, 17))
        base = base64.b64decode("".join(self.pki.crl(-900, 1, 18).decode().split("-----")[2].split()))
        since = len(self.daemon.log)
        path = os.path.join(self.daemon.trust_dir, "forged.crl")
        try:
            self.install(base[:-1] + bytes([base[-1] ^ 1]), "forged.crl")
            self.assertIsNone(self.verify())
            self.daemon.wait_log("<4>.*forged.crl: the CRL of .* is not used: no certificate", since)
            with self.client() as client:
                status = client.call("get_status")
            self.assertTrue(any("forged.crl: the CRL of" in text for text in status["warnings"]))
            crls = {one["file"]: one for one in status["trust"]["entries"] if one["kind"] == "crl"}
            self.assertEqual((crls["forged.crl"]["good"], crls["forged.crl"]["reason"]),
                             (False, "crl-signature"))
            self.assertTrue(crls["signing.crl"]["good"])
            # Who monitors is not called for it.
            done = self.daemon.ctl("trust", "list", "--warn-days", "9", "--json=off")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout.decode(), "(?m)^forged.crl: .*not signed")
        finally:
            os.unlink(path)

    def test_client_marks_nothing(self):
        """A client with a newer CRL takes the installed one from nobody."""
        self.install(self.pki.crl(-600, DAY, 20))
        self.assertIsNone(self.verify())
        marks = self.marks()
        with self.client() as client:
            client.call("verify_host_key", {
                "host_key_document": self.pki.hosts[0].pem,
                "crls": [self.pki.crl(-5, DAY, 21).decode()]})
        self.assertIsNone(self.verify())
        self.assertIn("reloaded\n", self.daemon.reload())
        self.assertIsNone(self.verify())
        self.assertEqual(self.marks(), marks)

    def test_each_in_its_list(self):
        """What is given as a CRL and is none is not passed over, and is not called a host key."""
        good = {"certificates": self.pki.read("inter.crt").decode(),
                "crls": self.pki.read("inter.crl").decode()}
        document = self.pki.hosts[0].pem
        for member, reason in (("certificates", "certificate-format"), ("crls", "crl-format")):
            other = next(name for name in good if name != member)
            for text in (good[other], base64.b64encode(b"short").decode(),
                         good[member] + good[member].replace("A", "!", 1)):
                with self.subTest(member=member, text=text[:40]), self.client() as client:
                    answer = client.wait(client.post("verify_host_key", {
                        "host_key_document": document, member: [good[member], text]}))
                    self.assertEqual(answer["error"]["code"], -32602)
                    self.assertEqual(answer["error"]["data"]["reason"], reason)
                    self.assertEqual(answer["error"]["data"]["param"], "/%s/1" % member)
            with self.client() as client:
                client.call("verify_host_key", {"host_key_document": document,
                                                member: [good[member]]})
                # A bundle of both is good for either.
                client.call("verify_host_key", {"host_key_document": document,
                                                member: [good[member] + good[other]]})

    def test_clock_behind(self):
        """A CRL was seen that this machine's clock has not come to: the running daemon says so, and
        refuses nothing for it."""
        self.daemon.stop()
        key = hashlib.sha256(b"some signing key").digest()
        body = key + struct.pack(">q", int(time.time()) + 3600) + bytes(16)
        with open(self.daemon.crl_marks, "ab") as file:
            file.write(body + hashlib.sha256(body).digest()[:8])
        since = len(self.daemon.log)
        self.daemon.start()
        self.assertIsNone(self.verify())
        self.daemon.wait_log("<4>trust: the clock has gone back, or is behind a CRL", since)
        with self.client() as client:
            self.assertTrue(any(text.startswith("the clock has gone back")
                                for text in client.call("get_status")["warnings"]))
        # Not where the mark is of the past.
        self.daemon.stop()
        os.unlink(self.daemon.crl_marks)
        since = len(self.daemon.log)
        self.daemon.start()
        with self.client() as client:
            self.assertFalse(any("clock" in text
                                 for text in client.call("get_status")["warnings"]))
        self.assertNotIn(b"the clock", self.daemon.log[since:])

    def test_in_good_time(self):
        """Ten days before its end, of four months: in the log once, and in get_status."""
        since = len(self.daemon.log)
        self.install(self.pki.crl(-100 * DAY, 10 * DAY, 70))
        end = self.daemon.wait_log("<4>trust: signing.crl: the CRL expires 20", since)
        with self.client() as client:
            said = [text for text in client.call("get_status")["warnings"]
                    if text.startswith("signing.crl: the CRL expires 20")]
        self.assertEqual(len(said), 1)
        self.assertIn("install a current one and reload", said[0])
        self.assertNotIn(b"the CRL expires", self.daemon.log[end:])
        since = len(self.daemon.log)
        self.install(self.pki.crl(-60, 100 * DAY, 71))
        with self.client() as client:
            self.assertFalse(any("expires" in text
                                 for text in client.call("get_status")["warnings"]))
        self.assertNotIn(b"the CRL expires", self.daemon.log[since:])

    def test_torn_mark(self):
        """The power failed in the middle of a record."""
        self.install(self.pki.crl(-500, DAY, 30))
        self.assertIsNone(self.verify())
        self.daemon.stop()
        with open(self.daemon.crl_marks, "ab") as file:
            file.write(b"torn")
        self.daemon.start()
        self.assertIsNone(self.verify())
        self.install(self.pki.crl(-400, DAY, 31))
        self.assertIsNone(self.verify())
        with open(self.daemon.crl_marks, "rb") as file:
            data = file.read()
        self.assertEqual(len(data) % 64, 0)
        with open(self.daemon.crl_marks, "wb") as file:
            file.write(data[:-128] + data[-64:])
        self.marks()

    def test_expires_while_running(self):
        """The first call at nextUpdate is refused; with a fresh CRL and a reload it goes on, and
        who calls meanwhile is answered."""
        monitor = self.daemon.process.pid
        crl = self.pki.crl(-300, 5, 40)
        end = time.time() + 5
        self.install(crl)
        hdr = base64.b64encode(material.header("trust")).decode()
        params = {"hdr": hdr, "name": "trust", "host_keys": [{"document": self.pki.hosts[1].pem}]}
        good = 0
        with self.client() as client:
            while True:
                before = time.time()
                answer = client.wait(client.post("create_association", params))
                after = time.time()
                if "error" in answer:
                    # The file has whole seconds.
                    self.assertGreaterEqual(after, end - 1)
                    self.assert_error(answer, -32002, "crl-expired",
                                      "/host_keys/0/document")
                    break
                self.assertLess(before, end + 1)
                good += 1
            self.assertGreater(good, 10)
            self.assert_error(client.wait(client.post("create_association", params)), -32002,
                              "crl-expired",
                                      "/host_keys/0/document")
            path = harness.write_file(self.signing_crl + "~", self.pki.crl(-200, DAY, 41))
            os.rename(path, self.signing_crl)
            since = len(self.daemon.log)
            self.daemon.process.kill(1)
            # Calls all the while: none is lost.
            while b"reloaded\n" not in self.daemon.log[since:]:
                answer = client.wait(client.post("create_association", params))
                if "error" in answer:
                    self.assert_error(answer, -32002, "crl-expired",
                                      "/host_keys/0/document")
            self.assertIn("request", client.call("create_association", params))
        self.assertEqual(self.daemon.process.pid, monitor)

    def test_names(self):
        """host-key list, and what get_status and the log have."""
        self.install(self.pki.crl(-100, 10 * DAY, 50))
        for name, source in (("z16-prod.crt", "host2.crt"), ("z15-old.pem", "expired.crt"),
                             ("gone.crt", "revoked.crt")):
            harness.write_file(os.path.join(self.daemon.host_key_dir, name),
                               self.pki.read(source))
        since = len(self.daemon.log)
        self.assertIn("reloaded\n", self.daemon.reload())
        with self.client() as client:
            status = client.call("get_status")
        keys = {one["file"]: one for one in status["trust"]["entries"]
                if one["kind"] == "host-key"}
        self.assertEqual(sorted(keys), ["gone", "z15-old", "z16-prod"])
        self.assertTrue(keys["z16-prod"]["good"])
        self.assertNotIn("reason", keys["z16-prod"])
        self.assertLess(keys["z16-prod"]["until"], keys["z16-prod"]["valid_until"])
        self.assertEqual((keys["z15-old"]["good"], keys["z15-old"]["reason"]), (False, "expired"))
        self.assertEqual((keys["gone"]["good"], keys["gone"]["reason"]), (False, "revoked"))
        self.assertNotIn("until", keys["gone"])
        self.assertTrue(any("host key gone is not good" in text for text in status["warnings"]))
        self.daemon.wait_log("host key z15-old is not good", since)
        done = self.daemon.ctl("host-key", "list", "--json=off")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode()
        self.assertRegex(text, r"(?m)^ *z16-prod +good ")
        self.assertRegex(text, r"(?m)^ *z15-old +expired ")
        self.assertRegex(text, r"(?m)^gone: .*revoked.*; .*IBM")
        done = self.daemon.ctl("host-key", "list", "--json=short")
        self.assertEqual([one["file"] for one in json.loads(done.stdout)["host_keys"]],
                         ["gone", "z15-old", "z16-prod"])
        done = self.daemon.ctl("host-key", "list", "-q", "--warn-days", "1")
        self.assertEqual(done.returncode, 1, done.stderr)
        os.unlink(os.path.join(self.daemon.host_key_dir, "gone.crt"))
        os.unlink(os.path.join(self.daemon.host_key_dir, "z15-old.pem"))
        self.assertIn("reloaded\n", self.daemon.reload())
        for days, status in (("9", 0), ("11", 5), ("0", 0)):
            with self.subTest(days):
                done = self.daemon.ctl("host-key", "list", "-q", "--warn-days", days)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertEqual(done.stdout, b"")

    def test_warn_days(self):
        """trust list and host-key verify: 0, 5, and 1."""
        self.install(self.pki.crl(-50, 10 * DAY, 60))
        document = self.pki.hosts[0].crt
        for words in (("trust", "list"), ("host-key", "verify", document)):
            for days, status in (("9", 0), ("11", 5), ("36500", 5)):
                with self.subTest((words, days)):
                    done = self.daemon.ctl(*words, "--warn-days", days, "--json=off")
                    self.assertEqual(done.returncode, status, done.stderr)
                    self.assertIn(b"crl", done.stdout)
                    if status == 5:
                        self.assertIn(b"expires", done.stderr)
            for days in ("x", "-1", "36501", ""):
                with self.subTest((words, days)):
                    done = self.daemon.ctl(*words, "--warn-days=" + days)
                    self.assertEqual(done.returncode, 2, done.stderr)
        # The old one beside it is of no concern.
        old = harness.write_file(os.path.join(self.daemon.trust_dir, "old.crl"),
                                 self.pki.crl(-DAY, -60, 5))
        self.assertIn("reloaded\n", self.daemon.reload())
        done = self.daemon.ctl("trust", "list", "--warn-days", "9", "--json=short")
        self.assertEqual(done.returncode, 0, done.stderr)
        entries = {one["file"]: one for one in json.loads(done.stdout)["entries"]}
        self.assertIs(entries["old.crl"]["superseded"], True)
        self.assertNotIn("superseded", entries["signing.crl"])
        self.assertFalse(any(one["kind"] == "host-key" for one in entries.values()))
        os.unlink(old)
        # One that is over, with nothing in its place.
        self.install(self.pki.crl(-40, 1, 61))
        deadline = time.time() + 3
        while self.verify() is None:
            self.assertLess(time.time(), deadline)
        done = self.daemon.ctl("trust", "list", "--warn-days", "9", "--json=off")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"signing.crl (crl): expired", done.stderr)
        self.install(self.pki.crl(-30, 10 * DAY, 62))

    def test_bad_file(self):
        """What was loaded stays, and the log and get_status say which file and why."""
        path = harness.write_file(os.path.join(self.daemon.trust_dir, "garbage.crl"), b"garbage")
        said = self.daemon.reload()
        self.assertIn("garbage.crl", said)
        self.assertIn("reload failed", said)
        self.assertIsNone(self.verify())
        with self.client() as client:
            self.assertIn("garbage.crl", client.call("get_status")["reload_error"])
        os.unlink(path)
        self.assertIn("reloaded\n", self.daemon.reload())
        with self.client() as client:
            self.assertNotIn("reload_error", client.call("get_status"))


class Large(harness.Case):
    """1,000 certificates, 1,000 documents, and a CRL of 199,000 entries, at the default limits."""

    FILES, ENTRIES = 1000, 199000

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        daemon = harness.Daemon(cls.pki, start=False)
        base = pki.der_of(cls.pki.crl(-3600, 100 * DAY, 10, cls.ENTRIES).decode())
        harness.write_file(os.path.join(daemon.trust_dir, "signing.crl"), base)
        inter = cls.pki.read("inter.crt")
        for i in range(cls.FILES):
            # Each of other bytes: else one verdict would serve for all.
            host = b"number %d\n" % i + cls.pki.hosts[i % 20].pem.encode()
            harness.write_file(os.path.join(daemon.host_key_dir, "k%04d.crt" % i), host)
            harness.write_file(os.path.join(daemon.trust_dir, "more%04d.crt" % i), inter)
        return daemon

    def call_meanwhile(self):
        """Calls for a second while everything is looked at, which get_status waits for: the longest
        call, how many there were, and how long the look took."""
        longest = n = 0
        with self.client() as status, self.client() as client:
            began = time.monotonic()
            asked = status.post("get_status")
            while n == 0 or time.monotonic() - began < 1:
                before = time.monotonic()
                client.call("verify_host_key", {"host_key_document": self.pki.hosts[n % 20].pem})
                longest = max(longest, time.monotonic() - before)
                n += 1
            answer = status.wait(asked)
            took = time.monotonic() - began
        keys = [one for one in answer["result"]["trust"]["entries"] if one["kind"] == "host-key"]
        self.assertEqual(len(keys), self.FILES)
        self.assertTrue(all(one["good"] for one in keys))
        return longest, n, took

    def test_nobody_waits(self):
        """After a start and after a reload: while all documents are judged for the log and for
        get_status, calls are served between them."""
        began = time.monotonic()
        self.daemon.start()
        ready = time.monotonic() - began
        for what in ("start", "reload"):
            with self.subTest(what):
                longest, n, took = self.call_meanwhile()
                harness.tap.note("%s in %.1f s; then %d calls within a second, the longest of %.3f s; "
                                 "all looked at in %.1f s" % (what, ready, n, longest, took))
                # Judged in one go they took seconds, which the first call waited for.
                self.assertLess(longest, max(1, took / 3))
                self.assertGreater(n, 3)
            began = time.monotonic()
            self.assertIn("reloaded\n", self.daemon.reload())
            ready = time.monotonic() - began


class Issuer(harness.Case):
    """HostKeyIssuer=akid: a key id that fits stands for the issuer's name."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), daemon={"HostKeyIssuer": "akid"})

    def test_by_key_id(self):
        """What is refused without the setting (pki.bad_documents), by the daemon as it is run."""
        with self.client() as client:
            for name in ("other-name.crt", "host1.crt"):
                client.call("verify_host_key", {
                    "host_key_document": pki.get().read(name).decode()})
            with self.assertRaises(harness.Refused) as caught:
                client.call("verify_host_key", {
                    "host_key_document": pki.get().read("stranger.crt").decode()})
        self.assertEqual(caught.exception.reason, "signature")
