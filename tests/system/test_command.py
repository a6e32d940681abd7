# SPDX-License-Identifier: MIT
"""pvsecretctl against the real daemon: the documented command line, files, errors, statuses"""
import hashlib
import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess

import guest
import harness
import material
import pki

try:
    import yaml
except ImportError:
    yaml = None

HDR = material.header("command")


class Command(harness.Case):
    """Each test works in a folder of its own with the files of the documented line."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.guest = guest.Guest(cls.pki.hosts[0], HDR, material.CANARY_CCK, enforce=True)
        return harness.Daemon(cls.pki)

    def setUp(self):
        self.work = os.path.join(harness.WORK, "command%d" % next(harness.serial))
        os.mkdir(self.work)
        self.put("se.hdr", HDR)
        # The same line as for pvsecret; the name, not this file, is what is meant.
        self.put("cck", b"not the CCK, which lives in the daemon\n")
        shutil.copy(self.pki.hosts[0].crt, self.path("z16.crt"))
        shutil.copy(self.pki.intermediate, self.path("DigiCertCA.crt"))
        shutil.copy(self.pki.signing, self.path("ibm-sign.crt"))
        self.given = sorted(os.listdir(self.work))

    def path(self, name):
        return os.path.join(self.work, name)

    def put(self, name, data):
        return harness.write_file(self.path(name), data)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def made(self):
        """The files that were not there before."""
        return sorted(set(os.listdir(self.work)) - set(self.given))

    def run_in_work(self, *words, **more):
        return self.daemon.ctl(*words, cwd=self.work, **more)

    def create(self, *words, name="name", change=(), **more):
        """Runs create association with the usual options; those in CHANGE replace them."""
        options = {"-k": "z16.crt", "--hdr": "se.hdr", "-o": "request", "--cck": "cck"}
        options.update(change)
        line = [word for item in options.items() if item[1] is not None for word in item]
        return self.run_in_work("create", "association", *line, *words, "--", name, **more)

    def assert_done(self, done):
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def assert_failed(self, done, status, pattern="error"):
        """Exactly the two lines, and nothing on standard output."""
        self.assertEqual(done.returncode, status, done.stderr.decode())
        self.assertRegex(done.stderr.decode(),
                         r"\Apvsecretctl: error: [^\n]+\npvsecretctl: hint: [^\n]+\n\Z")
        self.assertRegex(done.stderr.decode(), pattern)
        self.assertEqual(done.stdout, b"")

    def assert_accepted(self, request, name="name"):
        ident = material.parse_request(request).id.hex()
        self.assertEqual(self.guest.add(request), "accepted association " + ident, name)

    # The documented line.

    LINE = ('pvsecretctl create association -k z16.crt --hdr se.hdr -o addSecretReqCCK '
            '-C DigiCertCA.crt -C ibm-sign.crt --cck cck "myConfidentialSecret"')

    def at_the_default_path(self, line):
        """Runs a line of shell where the daemon's socket is where it would be installed."""
        said = harness.run_program(harness.find_program("pvsecretctl"), "ping",
                                   cwd=self.work).stderr.decode()
        path = re.search(r"(/\S*/pvsecretd\.sock)", said)
        if not path:
            self.skipTest("there is a pvsecretd at the default path already")
        folder = top = os.path.dirname(path.group(1))
        while not os.path.isdir(top):
            top = os.path.dirname(top)
        return self.with_mounts("mount -t tmpfs none %s && mkdir -p %s && mount --bind %s %s"
                                % tuple(map(shlex.quote, (top, folder, self.daemon.top, folder))),
                                line)

    def with_mounts(self, mounts, line):
        """Runs a line of shell in a name space of its own, where @mounts was run before."""
        script = "%s || exit 99\ncd %s || exit 99\n%s\n" % (mounts, shlex.quote(self.work), line)
        how = ["unshare", "--mount"] + ([] if harness.ROOT else ["--map-root-user"])
        env = harness.clean_env()
        env["PATH"] = (os.path.dirname(harness.find_program("pvsecretctl")) + ":" + env["PATH"])
        done = harness.run_program(*how, "sh", "-c", script, env=env)
        if done.returncode == 99 or b"unshare" in done.stderr:
            self.skipTest("no mount name space here: " + done.stderr.decode().strip())
        return done

    def test_documented_line(self):
        done = self.at_the_default_path(self.LINE)
        self.assert_done(done)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(done.stderr.decode().splitlines(), [
            "Successfully generated the request",
            "Successfully wrote secret info to 'myConfidentialSecret.yaml'"])
        self.assertEqual(self.made(), ["addSecretReqCCK", "myConfidentialSecret.yaml"])
        request = self.read("addSecretReqCCK")
        self.assert_accepted(request)
        ident = material.parse_request(request).id.hex()
        self.assertEqual(self.read("myConfidentialSecret.yaml").decode(),
                         "!Association\nname: myConfidentialSecret\nid: 0x%s\n" % ident)
        stored = self.guest.secrets()[ident]
        self.assertEqual(stored["extension_secret"],
                         material.extension_secret(material.CANARY_CCK, HDR).hex())

    def test_in_a_guest(self):
        """Where the kernel says that this is a guest itself: at the very path where it says so."""
        if not os.path.isdir("/sys/firmware"):
            self.skipTest("there is no /sys/firmware to put something in its place")
        line = ("pvsecretctl --socket %s create association -k z16.crt --hdr se.hdr --cck cck "
                "-o request name"
                % shlex.quote(self.daemon.socket_path))
        mounts = ("mount -t tmpfs none /sys/firmware && mkdir /sys/firmware/uv &&"
                  " echo %d >/sys/firmware/uv/prot_virt_guest")
        done = self.with_mounts(mounts % 1, line)
        self.assert_failed(done, 1)
        self.assertIn("this is a Secure Execution guest", done.stderr.decode())
        self.assertEqual(self.made(), [])
        done = self.with_mounts(mounts % 1, line + " -f")
        self.assert_done(done)
        self.assertIn("warning: this is a Secure Execution guest", done.stderr.decode())
        self.assert_accepted(self.read("request"))
        done = self.with_mounts(mounts % 0, line)
        self.assert_done(done)
        self.assertNotIn("guest", done.stderr.decode())

    def test_order_of_options(self):
        target = ["-k", "z16.crt", "--hdr=se.hdr", "--cck", "cck"]
        for i, words in enumerate((["create", *target, "-o", "r0", "association", "n0"],
                                   ["create", "association", "n1", *target, "-or1"],
                                   [*target, "create", "-o=r2", "association", "n2"],
                                   ["create", "-o", "r3", "association", *target, "n3"])):
            self.assert_done(self.run_in_work(*words))
            self.assert_accepted(self.read("r%d" % i))
            self.assertIn("name: n%d\n" % i, self.read("n%d.yaml" % i).decode())

    # What it writes.

    def test_names_of_files(self):
        for name, file in (("a b\tc", None), ("a b  c", "a_b__c.yaml"), ("key.1", "key.1.yaml"),
                           ("key.2", "key.2.yaml"), ("\u00fc\u4e00", "\u00fc\u4e00.yaml")):
            before = set(os.listdir(self.work))
            done = self.create(name=name, change={"-o": "r"})
            if file is None:
                self.assert_failed(done, 2)
                self.assertEqual(set(os.listdir(self.work)), before)
            else:
                self.assert_done(done)
                self.assertEqual(set(os.listdir(self.work)) - before - {"r"}, {file})

    def test_names_that_are_no_file(self):
        for name in ("", "a/b", ".", "..", "a" * 252, "/etc/passwd", "a\nb"):
            self.assert_failed(self.create(name=name), 2)
            self.assertEqual(self.made(), [])
            done = self.create("--stdout", name=name, change={"-o": "request"})
            self.assert_done(done)
            self.assertTrue(done.stdout.startswith(b"!Association\nname: "))
            self.assertEqual(material.parse_request(self.read("request")).id,
                             hashlib.sha256(name.encode()).digest())
            os.unlink(self.path("request"))

    def test_yaml_can_be_read_again(self):
        if not yaml:
            self.skipTest("python3-yaml is not installed")
        yaml.SafeLoader.add_constructor("!Association",
                                        lambda loader, node: loader.construct_mapping(node))
        for name in ("plain", "yes", "1e3", "0x10", "- a", "a: b", "a #b", "\"q\" 'q' \\",
                     " a ", "\u00fc\u4e00\U0001f511", "\t\x01\x7f\u0085\u2028", "null", "~",
                     "2001-01-01", "1:30", "<<", "[a, b]", "!x", "%x", "@x", "`x`", "\ufeffx"):
            done = self.create("--stdout", name=name)
            self.assert_done(done)
            ident = material.parse_request(self.read("request")).id.hex()
            text = done.stdout.decode()
            self.assertEqual(text.rpartition("\n")[0].rpartition("\n")[2], "id: 0x" + ident)
            again = yaml.safe_load(text.rpartition("id: ")[0])
            self.assertEqual(again, {"name": name}, text)

    def test_request_to_standard_output(self):
        done = self.create(change={"-o": "-"})
        self.assert_done(done)
        self.assert_accepted(done.stdout)
        self.assertEqual(self.made(), ["name.yaml"])

    def test_no_binary_to_a_terminal(self):
        ours, theirs = pty.openpty()
        words = [harness.find_program("pvsecretctl"), "--socket", self.daemon.socket_path,
                 "create", "association", "-k", "z16.crt", "--hdr", "se.hdr", "-o", "-", "name"]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=theirs, check=False,
                              stderr=subprocess.PIPE, cwd=self.work, timeout=harness.DEADLINE)
        os.close(theirs)
        poller = select.poll()
        poller.register(ours, select.POLLIN)
        said = [event for _, event in poller.poll(0) if event & select.POLLIN]
        os.close(ours)
        self.assertEqual((done.returncode, said), (2, []), done.stderr)
        self.assertEqual(self.made(), [])

    def test_secret_from_a_file(self):
        secret = harness.write_file(os.path.join(harness.PRIVATE, "secret"),
                                    material.CANARY_SECRET, 0o600)
        self.assert_done(self.create("--input-secret", secret))
        request = self.read("request")
        self.assert_accepted(request)
        ident = material.parse_request(request).id.hex()
        self.assertEqual(self.guest.secrets()[ident]["secret"], material.CANARY_SECRET.hex())

    def test_secret_of_the_wrong_size(self):
        for size in (0, 31, 33):
            self.put("secret", bytes(size))
            self.assert_failed(self.create("--input-secret", "secret"), 1, "32")
        self.assertEqual(self.made(), ["secret"])

    def test_header_from_an_image(self):
        plain = bytearray(material.image(HDR, at=0x5000))
        plain[0xc000:0xc010] = bytes(16)
        for name, data in (("by pointer", material.image(HDR)), ("by page", bytes(plain)),
                           ("behind itself", HDR + bytes(100000))):
            self.put("se.img", data)
            self.assert_done(self.create(change={"--hdr": "se.img"}))
            self.assert_accepted(self.read("request"), name)

    def test_header_from_a_large_image(self):
        """3 GiB with the header at the end: only the header is read."""
        at = 3 << 30
        image = os.path.join(harness.PRIVATE, "se.img")
        self.addCleanup(os.unlink, image)
        with open(image, "wb") as file:
            file.seek(0xc000)
            file.write(b"SeImgLnx" + at.to_bytes(8, "big"))
            file.seek(at)
            file.write(HDR)
        self.assert_done(self.create(change={"--hdr": image}))
        self.assert_accepted(self.read("request"))

    def test_not_a_header(self):
        for data in (b"", b"x", HDR[:100], HDR[:-1], b"x" + HDR[1:], bytes(0x20000)):
            self.put("se.img", data)
            self.assert_failed(self.create(change={"--hdr": "se.img"}), 1, "--hdr se.img")
        self.assertEqual(self.made(), ["se.img"])

    def test_cuid_and_flags(self):
        cuid = "0123456789abcdef" * 2
        bound = guest.Guest(self.pki.hosts[0], HDR, material.CANARY_CCK, True, cuid)
        self.assert_done(self.create("--cuid-hex", "0x" + cuid, "--flags", "disable-dump"))
        public = material.parse_request(self.read("request"))
        self.assertEqual((public.cuid.hex(), public.flags), (cuid, 1 << 63))
        self.assertTrue(bound.add(self.read("request")).startswith("accepted "))
        self.assertTrue(self.guest.add(self.read("request")).startswith("refused cuid:"))

    def test_several_machines(self):
        for i, host in enumerate(self.pki.hosts[1:]):
            shutil.copy(host.crt, self.path("host%d.crt" % i))
        others = ",".join("host%d.crt" % i for i in range(len(self.pki.hosts) - 1))
        self.assert_done(self.create("-k", others))
        public = material.parse_request(self.read("request"))
        self.assertEqual(public.phkhs, [host.phkh for host in self.pki.hosts])

    # Both files or none.

    def test_refused_leaves_nothing(self):
        harness.write_file(self.path("revoked.crt"), self.pki.bad_document("revoked"))
        for change, pattern in (({"-k": "revoked.crt"}, "-k revoked.crt"),
                                ({"--cck": "nonesuch"}, "--cck nonesuch"),
                                ({"-k": "nonesuch"}, "-k nonesuch")):
            self.assert_failed(self.create(change=change), 1, pattern)
            self.assertEqual(self.made(), ["revoked.crt"])

    def test_old_files_stay_where_it_fails(self):
        self.put("request", b"old request")
        self.put("name.yaml", b"old yaml")
        self.assert_failed(self.create(change={"--cck": "nonesuch"}), 1)
        self.assertEqual((self.read("request"), self.read("name.yaml")),
                         (b"old request", b"old yaml"))
        self.assert_done(self.create())
        self.assert_accepted(self.read("request"))
        self.assertIn(b"!Association", self.read("name.yaml"))
        self.assertEqual(self.made(), ["name.yaml", "request"])

    def test_one_that_cannot_be_written_leaves_neither(self):
        os.mkdir(self.path("name.yaml"))
        self.assert_failed(self.create(), 1, "name.yaml")
        self.assertEqual(self.made(), ["name.yaml"])
        os.rmdir(self.path("name.yaml"))
        os.symlink("elsewhere", self.path("name.yaml"))
        self.assert_failed(self.create(), 1, "name.yaml")
        self.assertEqual(self.made(), ["name.yaml"])
        os.unlink(self.path("name.yaml"))
        os.mkdir(self.path("request"))
        self.assert_failed(self.create(), 1, "request")
        self.assertEqual(self.made(), ["request"])
        self.assert_failed(self.create(change={"-o": "nowhere/request"}), 1, "nowhere")
        self.assert_failed(self.create(name="request", change={"-o": "request.yaml"}), 2)

    def test_full_disk_leaves_neither(self):
        """A limit on the size of files stands in for a full disk: one of the two still fits."""
        words = [harness.find_program("pvsecretctl"), "--socket", self.daemon.socket_path,
                 "create", "association", "-k", "z16.crt", "--hdr", "se.hdr", "-o", "request",
                 "name"]
        done = harness.run_program("sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh",
                                   *words, cwd=self.work)
        self.assert_failed(done, 1, "request")
        self.assertEqual(self.made(), [])

    # Statuses and errors.

    def test_usage(self):
        for words in ((), ("frobnicate",), ("create",), ("create", "association"),
                      ("create", "association", "-k", "z16.crt", "-o", "r", "name"),
                      ("create", "association", "-k"), ("--nonesuch",), ("ping", "twice"),
                      ("ping", "--hdr", "se.hdr"), ("status", "--json=loud")):
            done = self.run_in_work(*words)
            self.assert_failed(done, 2)
        self.assert_failed(self.create(change={"--cck": "/etc/cck"}), 2, "CCKs live in the daemon")
        self.assert_failed(self.create("--cuid-hex", "42"), 2, "32 hex")
        self.assert_failed(self.create("--flags", "nonesuch"), 2, "disable-dump")
        self.assertEqual(self.made(), [])

    def test_help_and_version(self):
        for words in (("--help",), ("create", "--help"), ("create", "association", "--help"),
                      ("host-key", "verify", "-h"), ("help", "status")):
            done = self.run_in_work(*words)
            self.assert_done(done)
            self.assertTrue(done.stdout.startswith(b"Usage: pvsecretctl"), done.stdout)
        self.assertRegex(self.run_in_work("--version").stdout.decode(),
                         r"\Apvsecretctl \d+\.\d+\.\d+\n\Z")

    def test_unreachable(self):
        program = harness.find_program("pvsecretctl")
        nobody = os.path.join(self.work, "nobody.sock")
        done = harness.run_program(program, "--socket", nobody, "ping")
        self.assert_failed(done, 3, "no such socket")
        idle = harness.Daemon(self.pki, start=False)
        idle.listener.close()
        done = harness.run_program(program, "--socket", idle.socket_path, "ping")
        self.assert_failed(done, 3, "nobody listens")
        if harness.ROOT:
            os.chmod(idle.socket_path, 0o600)
            done = harness.run_program(program, "--socket", idle.socket_path, "ping", user=64999,
                                       group=64999, extra_groups=[])
            self.assert_failed(done, 3, "permission denied")

    def test_json(self):
        done = self.create("--json=short")
        self.assert_done(done)
        result = json.loads(done.stdout)
        self.assertEqual(done.stdout.count(b"\n"), 1)
        self.assertEqual(result["secret"]["name"], "name")
        self.assertEqual(result["tag"], self.read("request")[-16:].hex())
        done = self.create("--json=pretty", change={"--cck": "nonesuch"})
        self.assertEqual(done.returncode, 1)
        error = json.loads(done.stdout)
        self.assertGreater(done.stdout.count(b"\n"), 3)
        self.assertEqual((error["code"], error["data"]["reason"]), (-32003, "cck"))
        self.assertIn(b"pvsecretctl: error: ", done.stderr)

    def test_quiet_and_verbose(self):
        self.assertEqual(self.create("-q").stderr, b"")
        said = self.create("-v").stderr.decode()
        self.assertIn(material.check_value(material.CANARY_CCK), said)
        self.assertIn(self.pki.hosts[0].phkh, said)

    def test_ping(self):
        self.assert_done(self.run_in_work("ping"))

    def test_status(self):
        done = self.run_in_work("status")
        self.assert_done(done)
        for word in (r"\bcck\b", material.check_value(material.CANARY_CCK), "signing-key",
                     "vault"):
            self.assertRegex(done.stdout.decode(), word)
        status = json.loads(self.run_in_work("status", "--json").stdout)
        self.assertEqual(status["ccks"], [
            {"name": "cck", "check_value": material.check_value(material.CANARY_CCK)}])

    def test_host_key_verify(self):
        done = self.run_in_work("host-key", "verify", "z16.crt")
        self.assert_done(done)
        self.assertIn(self.pki.hosts[0].phkh, done.stdout.decode())
        for name, document, reason in self.pki.bad_documents():
            if not document:
                continue
            harness.write_file(self.path("bad.crt"), document)
            done = self.run_in_work("host-key", "verify", "bad.crt")
            self.assert_failed(done, 1, "bad.crt")
            done = self.run_in_work("host-key", "verify", "--json", "bad.crt")
            self.assertEqual(done.returncode, 1)
            self.assertIn(json.loads(done.stdout)["data"]["reason"], reason.split("|"), name)
