# SPDX-License-Identifier: MIT
"""Start-up errors: each names the file and what to do; and the daemon's own command line"""
import base64
import os
import re
import shutil
import unittest

import harness
import material
import pki

EX_USAGE, EX_CONFIG = 64, 78


class Startup(unittest.TestCase):
    """Daemons that do not start."""

    def make(self, **more):
        daemon = harness.Daemon(pki.get(), start=False, **more)
        self.addCleanup(daemon.listener.close)
        return daemon

    def assert_bad(self, daemon, *patterns):
        """--check-config and a start both end with 78 and say so."""
        status, said = daemon.check()
        self.assertEqual(status, EX_CONFIG, said)
        for pattern in patterns:
            self.assertRegex(said, pattern)
        with self.assertRaises(AssertionError):
            daemon.start()
        self.assertEqual(daemon.reap(), EX_CONFIG)
        for pattern in patterns:
            self.assertRegex(daemon.log.decode(), pattern)

    def test_all_in_order(self):
        daemon = self.make()
        self.assertEqual(daemon.check()[0], 0, daemon.log)
        self.assertNotRegex(daemon.log.decode(), "<[34]>")

    def test_checked_and_of_no_use(self):
        """Nothing that keeps a daemon from starting, and yet every host key would be refused."""
        for missing, pattern in (
                ("signing.crl", r"<4>.*signing\.crt: no host key .* CRL .* missing \(signing-key: OU="),
                ("root.crl", r"<4>.*signing\.crt: no host key .* CRL .* missing \(root: CN="),
                ("inter.crt", r"<4>.*signing\.crt: no host key .* \(intermediate: CN=")):
            with self.subTest(missing):
                daemon = self.make()
                os.unlink(os.path.join(daemon.trust_dir, missing))
                status, said = daemon.check()
                self.assertEqual(status, 0, said)
                self.assertRegex(said, pattern)
        daemon = self.make()
        for name in ("revoked.crt", "expired.crt"):
            shutil.copy(pki.get().path(name), daemon.host_key_dir)
        status, said = daemon.check()
        self.assertEqual(status, 0, said)
        for name in ("revoked", "expired"):
            self.assertRegex(said, "<4>.*host key %s is not good: .*%s" % (name, name))
        # Which CRLs were seen before is not asked.
        self.assertNotIn("CrlMarks", said)

    def test_nothing_configured(self):
        """No keys, no certificates: nothing can be made, and nothing is wrong."""
        daemon = harness.Daemon(ccks={}, daemon={"CckDirectory": "/nonexistent/cck.d",
                                                 "TrustDirectory": "/nonexistent/trust.d"})
        self.addCleanup(daemon.stop)
        with daemon.client() as client:
            self.assertEqual(client.call("list_ccks"), {"ccks": []})
            with self.assertRaises(harness.Refused) as caught:
                client.call("verify_host_key",
                            {"host_key_document": pki.get().hosts[0].pem})
            self.assertEqual(caught.exception.code, -32002)

    def test_keys(self):
        """One daemon with all the mistakes, each of which it names."""
        daemon = self.make(ccks={"good": material.CANARY_CCK})
        path = os.path.join
        rows = []
        for name, mode in (("group", 0o640), ("others", 0o604), ("all", 0o644)):
            rows.append((daemon.write_cck(name, material.CANARY_CCK, mode), "mode|chmod"))
        for name, size in (("empty", 0), ("short", 31), ("long", 33), ("hex", 64)):
            rows.append((daemon.write_cck(name, material.CANARY_CCK.hex()[:size].encode()),
                         "%d bytes" % size))
        os.symlink(path(daemon.cck_dir, "good"), path(daemon.cck_dir, "link"))
        rows.append((path(daemon.cck_dir, "link"), "link"))
        os.mkdir(path(daemon.cck_dir, "folder"))
        rows.append((path(daemon.cck_dir, "folder"), "regular file"))
        os.mkfifo(path(daemon.cck_dir, "pipe"), 0o600)
        rows.append((path(daemon.cck_dir, "pipe"), "regular file"))
        for name in ("with space", ".hidden", "-dash", "a" * 65, "\u00fc"):
            rows.append((daemon.write_cck(name, material.CANARY_CCK), "name"))
        if harness.ROOT:
            other = daemon.write_cck("stranger", material.CANARY_CCK, 0o600)
            os.chown(other, 64999, 64999)
            rows.append((other, "belongs to|cannot be opened|chown"))
        status, said = daemon.check()
        self.assertEqual(status, EX_CONFIG, said)
        for file, pattern in rows:
            with self.subTest(os.path.basename(file)):
                shown = file.replace("\u00fc", "\\303\\274")
                lines = [line for line in said.splitlines() if shown + ":" in line]
                self.assertTrue(lines, said)
                self.assertRegex("\n".join(lines), pattern)
        self.assertNotIn(path(daemon.cck_dir, "good") + ":", said)
        harness.check_everything_said()

    def test_each_key_alone_is_enough(self):
        for name, key, mode in (("mode", material.CANARY_CCK, 0o640), ("size", b"x" * 31, 0o600)):
            daemon = self.make()
            self.assert_bad(daemon, daemon.write_cck(name, key, mode))

    def test_name_from_two_places(self):
        daemon = self.make(credentials={"cck_cck": material.OTHER_CCK})
        self.assert_bad(daemon, "cck_cck")

    def test_bad_credential(self):
        daemon = self.make(ccks={}, credentials={"cck_short": b"x"})
        self.assert_bad(daemon, "cck_short")

    def test_configuration(self):
        rows = (
            ("[daemon]\nNonesuch=1\n", r":2: .*Nonesuch"),
            ("[nonesuch]\n", r":1: .*section"),
            ("[daemon]\nMaxHostKeys=20\nMaxHostKeys=20\n", r":3: .*twice"),
            ("[daemon]\nMaxHostKeys=256\n", r":2: .*255"),
            ("[daemon]\nMaxHostKeys=0\n", r":2: "),
            ("[daemon]\nMaxHostKeys=many\n", r":2: "),
            ("[daemon]\nCckDirectory=relative\n", r":2: .*absolute"),
            ("MaxHostKeys=1\n", r":1: "),
            ("[daemon]\nMaxHostKeys\n", r":2: "),
            ("[limits]\nMessageSize=1G\n", r":2: "),
            ("[daemon]\n[daemon]\n", r":2: "),
            (b"[daemon]\n\xff=1\n", r": .*UTF-8"),
        )
        for text, pattern in rows:
            with self.subTest(text):
                daemon = self.make(config=text)
                status, said = daemon.check()
                self.assertEqual(status, EX_CONFIG, said)
                self.assertRegex(said, r"(?m)^<3>.*pvsecretd\.conf" + pattern)

    def test_configuration_in_pieces(self):
        """conf.d is read in order, a later file wins, and each is named where it is wrong."""
        daemon = self.make(daemon={"MaxHostKeys": 1})
        more = daemon.conf + ".d"
        harness.write_file(os.path.join(more, "20-more.conf"), "[daemon]\nMaxHostKeys=3\n")
        harness.write_file(os.path.join(more, "10-less.conf"), "[daemon]\nMaxHostKeys=2\n")
        harness.write_file(os.path.join(more, "30-other.txt"), "nonsense\n")
        self.assertEqual(daemon.check()[0], 0, daemon.log)
        harness.write_file(os.path.join(more, "40-bad.conf"), "\n\nnonsense\n")
        self.assert_bad(daemon, r"40-bad\.conf:3: ")

    def test_no_configuration(self):
        daemon = self.make()
        os.unlink(daemon.conf)
        self.assert_bad(daemon, r"pvsecretd\.conf: ")

    def test_trust(self):
        rows = (("garbage.crt", b"-----BEGIN CERTIFICATE-----\nnonsense\n"),
                ("cut.crt", None))
        for name, data in rows:
            with self.subTest(name):
                daemon = self.make()
                if data is None:
                    with open(pki.get().signing, "rb") as file:
                        data = file.read()[:-60]
                harness.write_file(os.path.join(daemon.trust_dir, name), data)
                self.assert_bad(daemon, os.path.join(daemon.trust_dir, name) + ": ")

    def test_both_are_told(self):
        """What is wrong for one process and what is for the other: all of it, every time."""
        daemon = self.make()
        key = daemon.write_cck("short", b"x")
        cert = harness.write_file(os.path.join(daemon.trust_dir, "garbage.crt"), b"garbage")
        for _ in range(10):
            status, said = daemon.check()
            self.assertEqual(status, EX_CONFIG)
            self.assertEqual(sorted(line.split()[1].rstrip(":") for line in said.splitlines()
                                    if line.startswith("<3>")), sorted([key, cert]), said)

    def test_everything_is_told(self):
        """What is the monitor's own to open, and what it starts others for: one does not hide the
        other."""
        daemon = self.make(daemon={"AuditLog": "/dev/null", "CrlMarks": "/dev/null/crl-marks"})
        key = daemon.write_cck("short", b"x")
        cert = harness.write_file(os.path.join(daemon.trust_dir, "garbage.crt"), b"garbage")
        status, said = daemon.check()
        self.assertEqual(status, EX_CONFIG)
        self.assertEqual(sorted(line.split()[1].rstrip(":") for line in said.splitlines()
                                if line.startswith("<3>")),
                         sorted([key, cert, "/dev/null", "/dev/null/crl-marks"]), said)
        for more in ({"AuditLog": "/dev/null"}, {"CrlMarks": "/dev/null"}):
            daemon = self.make(daemon=more)
            status, said = daemon.check()
            self.assertEqual(status, EX_CONFIG, said)
            self.assertNotIn("in order", said)
            self.assertEqual(len([line for line in said.splitlines() if line.startswith("<3>")]),
                             1, said)
            # A start ends with the first that it has no use without.
            self.assert_bad(daemon, next(iter(more)) + "=")

    def test_root(self):
        daemon = self.make(daemon={"RootCA": "/nonexistent/root.crt"})
        self.assert_bad(daemon, r"pvsecretd\.conf:\d+: RootCA= names /nonexistent/root\.crt, and "
                                r"there is no such file; correct the path")

    def test_host_key_directory(self):
        """A document by name works; one that is none is an error."""
        where = pki.get()
        daemon = self.make()
        shutil.copy(where.hosts[0].crt, os.path.join(daemon.host_key_dir, "z16-a.crt"))
        daemon.start()
        self.addCleanup(daemon.stop)
        with daemon.client() as client:
            result = client.call("create_association", {
                "hdr": base64.b64encode(material.header("startup")).decode(),
                "host_keys": [{"name": "z16-a"}], "name": "by name"})
            self.assertEqual(result["host_keys"][0]["phkh"], where.hosts[0].phkh)

    def test_crl_directory_pins_nothing(self):
        """Whoever may write CRLs cannot bring a signing key: with a warning, and to no effect."""
        where = pki.get()
        daemon = self.make()
        for path in where.trust:
            if os.path.basename(path) == os.path.basename(where.signing):
                os.unlink(os.path.join(daemon.trust_dir, os.path.basename(path)))
        crl_dir = os.path.join(daemon.top, "CrlDirectory")
        shutil.copy(where.signing, crl_dir)
        daemon.start()
        self.addCleanup(daemon.stop)
        with daemon.client() as client:
            with self.assertRaises(harness.Refused) as caught:
                client.call("verify_host_key", {"host_key_document": where.hosts[0].pem})
            self.assertEqual(caught.exception.reason, "no-signing-key")
            self.assertIn(os.path.basename(where.signing),
                          str(client.call("get_status")["warnings"]))

    # The command line.

    def run_daemon(self, *words, **more):
        return harness.run_program(harness.find_program("pvsecretd"), *words, **more)

    @unittest.skipUnless(harness.ROOT, "only root can put another /etc/passwd in place")
    def test_root_looks_as_the_daemon(self):
        """What root finds in order by its own rights, the service may not be able to use."""
        daemon = self.make()
        ids = (harness.DAEMON_UID, harness.DAEMON_GID)
        files = [harness.write_file(os.path.join(harness.WORK, name), text % ids[-n:])
                 for name, text, n in (
                     ("passwd", "root:x:0:0::/:/bin/sh\npvsecretd:x:%d:%d::/:/bin/false\n", 2),
                     ("group", "root:x:0:\npvsecretd:x:%d:\n", 1))]
        put = ('mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && '
               'exec "$@"')

        def check(*files):
            done = harness.run_program("unshare", "--mount", "sh", "-c", put, "sh", *files,
                                       harness.find_program("pvsecretd"), "--config", daemon.conf,
                                       "--check-config")
            return done.returncode, done.stderr.decode()

        status, said = check(*files)
        self.assertEqual(status, 0, said)
        self.assertIn("checking as the user pvsecretd", said)
        path = daemon.write_cck("roots", material.CANARY_CCK)
        os.chown(path, 0, 0)
        status, said = check(*files)
        self.assertEqual(status, EX_CONFIG, said)
        self.assertIn("%s: cannot be opened (Permission denied), a key must belong to the daemon's "
                      "user; chown pvsecretd %s" % (path, path), said)
        # Nobody of this name: it is root's own start that is looked at.
        status, said = check(harness.write_file(files[0], "root:x:0:0::/:/bin/sh\n"), files[1])
        self.assertNotIn("checking as", said)
        self.assertNotIn(path + ": cannot be opened", said)

    def test_sockets_that_cannot_be(self):
        there = harness.write_file(os.path.join(harness.WORK, "there"), "")
        for path, said in ((there, r"Address already in use\); another daemon listens there"),
                           ("/nonexistent/s", r"No such file or directory\); make the directory"),
                           (there + "/s", r"Not a directory\); choose a path in a directory")):
            daemon = self.make(args=("--socket", path))
            daemon.process = daemon.spawn((), listen=False)
            self.assertEqual(daemon.reap(), 71)
            self.assertRegex(daemon.log.decode(), "<3>monitor: %s: .*%s" % (path, said))

    def test_few_descriptors(self):
        daemon = self.make(through=("prlimit", "--nofile=10:10"))
        status, said = daemon.check()
        self.assertEqual(status, 71, said)
        self.assertIn("; raise the number of descriptors: LimitNOFILE= of", said)

    def test_told_once(self):
        """Trust and the vault both read the certificates."""
        daemon = self.make()
        path = os.path.join(daemon.trust_dir, "link")
        os.symlink("nowhere", path)
        status, said = daemon.check()
        self.assertEqual(status, EX_CONFIG, said)
        self.assertEqual(said.count(path + ": "), 1, said)
        self.assertIn("put a copy of the file in its place", said)

    def test_who_may_write(self):
        """Whoever may write what the daemon goes by is its owner: refused at the start and at a
        reload, after which what was there before holds."""
        daemon = self.make()
        anchor = os.path.join(daemon.trust_dir, sorted(os.listdir(daemon.trust_dir))[0])
        paths = (daemon.conf, daemon.trust_dir, anchor, daemon.cck_dir, daemon.host_key_dir,
                 daemon.image_dir)
        for path in paths:
            mode = os.stat(path).st_mode & 0o777
            os.chmod(path, mode | 0o020)
            self.assert_bad(daemon, r"%s: its mode %04o .*; chmod go-w %s" %
                            (re.escape(path), mode | 0o020, re.escape(path)))
            os.chmod(path, mode)
        daemon.start()
        self.addCleanup(daemon.stop)
        os.chmod(daemon.trust_dir, 0o777)
        self.assertRegex(daemon.reload(), "<3>.*its mode 0777 ")
        with daemon.client() as client:
            self.assertEqual(client.call("ping"), {})

    def test_keys_of_zeros(self):
        """Of the right size, and known to everybody."""
        daemon = self.make(ccks={"zero": bytes(32), "good": material.CANARY_CCK})
        status, said = daemon.check()
        self.assertEqual(status, 0, said)
        self.assertRegex(said, "<4>.*the CCK zero is all zeros, which everybody can guess; ")
        self.assertNotIn("the CCK good", said)

    def test_rules_of_the_manual(self):
        """What pvsecretd-start(7) has root do with the configuration as installed."""
        pages = os.path.join(os.path.dirname(__file__), "..", "..", "man")
        with open(os.path.join(pages, "pvsecretd-start.7.in"), encoding="utf-8") as file:
            page = file.read().replace("\\e", "\\")
        script = re.search(r"(?s)(sed -i .*?\nEOF\n)", page).group(1)
        daemon = self.make()
        shutil.copy(os.path.join(harness.BUILD_DIR, "systemd", "pvsecretd.conf"), daemon.conf)
        os.mkdir(daemon.conf + ".d")
        script = script.replace("@sysconfdir@/pvsecretd/pvsecretd.conf", daemon.conf)
        done = harness.run_program("sh", "-ec", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(daemon.conf, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("[access ", text.replace("[access]", ""))
        with open(daemon.conf + ".d/20-access.conf", encoding="utf-8") as file:
            rules = file.read()
        self.assertEqual(re.findall(r"(?m)^\[access (\w+)\]$", rules), ["web", "mon"])
        # With what the page says next.
        self.assertIn("--cck prod web-secret", page)
        self.assertIn("Names=web-*", rules)
        daemon.set_access({})
        status, said = daemon.check()
        self.assertEqual(status, 0, said)
        self.assertNotIn("there is no Names=", said)

    def test_misspelt_directory(self):
        """It counts as empty, as one that was not set does; but not in silence."""
        daemon = self.make(daemon={"CckDirectory": "/nonexistent/ckc.d"})
        status, said = daemon.check()
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"<4>.*pvsecretd\.conf:\d+: CckDirectory= names "
                               r"/nonexistent/ckc\.d, and there is no such directory: it counts "
                               r"as empty; ")

    def test_usage(self):
        for words in (("--nonesuch",), ("-x",), ("word",), ("--config",), ("--role=nonesuch",),
                      ("--role=",)):
            done = self.run_daemon(*words)
            self.assertEqual(done.returncode, EX_USAGE, words)
            self.assertEqual(done.stdout, b"")

    def test_version_and_help(self):
        done = self.run_daemon("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"\Apvsecretd \d+\.\d+\.\d+\n")
        done = self.run_daemon("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"Usage: pvsecretd", done.stdout)

    def test_no_socket(self):
        daemon = self.make()
        daemon.process = daemon.spawn((), listen=False)
        self.assertEqual(daemon.reap(), EX_CONFIG, daemon.log)
        self.assertRegex(daemon.log.decode(), "pvsecretd.socket")

    def test_a_worker_by_hand(self):
        """Started by somebody else than the monitor it ends, and does nothing."""
        for role in ("front", "trust", "vault"):
            done = self.run_daemon("--role=" + role, deadline=harness.DEADLINE)
            self.assertNotEqual(done.returncode, 0)
            self.assertGreaterEqual(done.returncode, 0, "killed by a signal")
