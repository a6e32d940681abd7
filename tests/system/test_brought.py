# SPDX-License-Identifier: MIT
"""What a client brings beside a host key, and a host key that it names instead of bringing it"""
import base64
import os
import shutil

import guest
import harness
import material
import pki

DAY = 24 * 3600
HDR = material.header("brought")


class Brought(harness.Case):
    """The store has no CRL of the signing key; a client may bring one."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        daemon = harness.Daemon(cls.pki, start=False)
        os.unlink(os.path.join(daemon.trust_dir, "signing.crl"))
        daemon.start()
        return daemon

    def verify(self, **brought):
        """None, or reason and parameter of the refusal."""
        with self.client() as client:
            try:
                client.call("verify_host_key", {"host_key_document": self.pki.hosts[0].pem,
                                                **brought})
            except harness.Refused as refused:
                return refused.reason, refused.error["data"].get("param")
        return None

    def test_many_in_one_file(self):
        """64 of a kind in all, however they are brought: each costs a signature's verification."""
        crl, cert = (self.pki.read(name).decode() for name in ("signing.crl", "inter.crt"))
        for kind, one in (("certificates", cert), ("crls", crl)):
            more = {} if kind == "crls" else {"crls": [crl]}
            for n, there in ((64, [one * 64]), (64, [one * 32] * 2), (64, [one] * 64)):
                self.assertIsNone(self.verify(**{kind: there}, **more), (kind, n))
            for there in ([one * 65], [one * 32, one * 33], [one * 64, one]):
                reason, param = self.verify(**{kind: there}, **more)
                self.assertEqual((reason, param.strip("/").partition("/")[0]),
                                 ("certificates", kind))

    def test_one_for_another(self):
        """What was found with one CRL says nothing where another one is brought, or none."""
        good = base64.b64encode(pki.der_of(self.pki.crl(-3600, DAY, 5).decode()))
        bad = bytearray(base64.b64decode(good))
        bad[-1] ^= 1
        self.assertIsNone(self.verify(crls=[good.decode()]))
        for _ in range(2):
            self.assertEqual(self.verify(crls=[base64.b64encode(bad).decode()])[0],
                             "crl-signature")
            self.assertEqual(self.verify()[0], "no-crl")
            self.assertIsNone(self.verify(crls=[good.decode()]))

    def test_not_read(self):
        for kind in ("certificates", "crls"):
            for bad in ("bm9uZQ==", self.pki.read("signing.crl").decode() + "-----BEGIN X\n"):
                reason, param = self.verify(**{kind: [bad]})
                self.assertEqual((reason, param), (
                    {"certificates": "certificate-format", "crls": "crl-format"}[kind],
                    "/%s/0" % kind))


class Named(harness.Case):
    """-k NAME, for a document that the owner installed."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        daemon = harness.Daemon(cls.pki, start=False)
        for name, host in (("z16-prod.crt", cls.pki.hosts[0]), ("z17.pem", cls.pki.hosts[1])):
            shutil.copy(host.crt, os.path.join(daemon.host_key_dir, name))
        shutil.copy(cls.pki.path("revoked.crt"), os.path.join(daemon.host_key_dir, "z15.crt"))
        daemon.start()
        return daemon

    def setUp(self):
        self.work = os.path.join(harness.WORK, "named%d" % next(harness.serial))
        os.mkdir(self.work)
        harness.write_file(os.path.join(self.work, "se.hdr"), HDR)

    def create(self, *keys, status=0):
        """The request, or what was said."""
        words = [word for key in keys for word in ("-k", key)]
        done = self.daemon.ctl("create", *words, "--hdr", "se.hdr", "-o", "request", "meta",
                               cwd=self.work)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        if status:
            self.assertFalse(os.path.exists(os.path.join(self.work, "request")))
            return done.stderr.decode()
        with open(os.path.join(self.work, "request"), "rb") as file:
            return file.read()

    def accepted_by(self, request):
        """For which of the machines it is."""
        return [i for i, host in enumerate(self.pki.hosts[:3])
                if guest.Guest(host, HDR).add(request).startswith("accepted ")]

    def test_one(self):
        self.assertEqual(self.accepted_by(self.create("z16-prod")), [0])

    def test_several(self):
        """Names beside each other, and beside a file."""
        self.assertEqual(self.accepted_by(self.create("z16-prod", "z17")), [0, 1])
        shutil.copy(self.pki.hosts[2].crt, os.path.join(self.work, "mine.crt"))
        self.assertEqual(self.accepted_by(self.create("mine.crt", "z17")), [1, 2])

    def test_a_file_comes_first(self):
        """Of the same name, where the command runs: no daemon is asked for its own."""
        shutil.copy(self.pki.hosts[2].crt, os.path.join(self.work, "z16-prod"))
        self.assertEqual(self.accepted_by(self.create("z16-prod")), [2])

    def test_refused(self):
        """Each says which of them, and why."""
        for names, pattern in ((("z14",), "-k z14.*no file, so a name"),
                               (("z16-prod", "z15"), "-k z15.*revoked"),
                               (("z16-prod.crt",), "-k z16-prod.crt")):
            self.assertRegex(" ".join(self.create(*names, status=1).split()), pattern)
