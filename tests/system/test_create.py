# SPDX-License-Identifier: MIT
"""pvsecretctl create, verify and describe with every type of secret, as the guest gets it"""
import itertools
import json
import os
import pty
import select
import shutil
import subprocess

import guest
import harness
import material
import pki

HDR = material.header("create")
LAB = material.header("lab")
EXTENSION = bytes(range(32))
MASTER = bytes(range(32, 64))
# OpenSSL's words for a key, the length of its scalar in the guest, the kind in the YAML.
CURVES = {
    "P-256": (("EC", "-pkeyopt", "ec_paramgen_curve:P-256"), 32, "17 (EC-SECP256R1-PRIVATE-KEY)"),
    "P-384": (("EC", "-pkeyopt", "ec_paramgen_curve:P-384"), 48, "18 (EC-SECP384R1-PRIVATE-KEY)"),
    "P-521": (("EC", "-pkeyopt", "ec_paramgen_curve:P-521"), 80, "19 (EC-SECP521R1-PRIVATE-KEY)"),
    "Ed25519": (("ED25519",), 32, "20 (EC-ED25519-PRIVATE-KEY)"),
    "Ed448": (("ED448",), 64, "21 (EC-ED448-PRIVATE-KEY)"),
}
KEYS = (("aes", 16, "4 (AES-128-KEY)"), ("aes", 24, "5 (AES-192-KEY)"), ("aes", 32, "6 (AES-256-KEY)"),
        ("aes-xts", 32, "7 (AES-XTS-128-KEY)"), ("aes-xts", 64, "8 (AES-XTS-256-KEY)"),
        ("hmac-sha", 64, "9 (HMAC-SHA-256-KEY)"), ("hmac-sha", 128, "10 (HMAC-SHA-512-KEY)"),
        ("plain", 0, "3 (PLAINTEXT)"), ("plain", 1, "3 (PLAINTEXT)"), ("plain", 8190, "3 (PLAINTEXT)"))
SIGNERS = {"ec": (("EC", "-pkeyopt", "ec_paramgen_curve:P-521"), 256),
           "rsa2048": (("RSA", "-pkeyopt", "rsa_keygen_bits:2048"), 256),
           "rsa3072": (("RSA", "-pkeyopt", "rsa_keygen_bits:3072"), 128)}


def openssl(*words, cwd=None):
    done = harness.run_program("openssl", *words, cwd=cwd or harness.PRIVATE, recorded=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Create(harness.Case):
    """One guest; each test has a folder of its own."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        credentials = {"ext_ext": EXTENSION, "assoc_master": MASTER}
        for name, (words, _) in SIGNERS.items():
            key = os.path.join(harness.PRIVATE, "sign_" + name)
            openssl("genpkey", "-algorithm", *words, "-out", key)
            openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=" + name, "-days", "1",
                    "-out", os.path.join(harness.RUN, name + ".crt"))
            # As programs have it from long ago, and pvsecret takes it: SEC 1 and PKCS#1.
            if name != "rsa3072":
                openssl("pkey", "-traditional", "-in", key, "-out", key + ".old")
                os.replace(key + ".old", key)
            with open(key, "rb") as file:
                credentials["sign_" + name] = file.read()
        access = {"all": {"Users": "*", "Methods": "*", "Ccks": "*", "ExtensionSecrets": "*",
                          "SignKeys": "*", "Names": "*"},
                  "prod": {"Users": "*", "Methods": "*", "Images": "prod", "Names": "*"},
                  "lab": {"Users": "*", "Methods": "create_*", "Images": "lab", "Names": "*",
                          "AllowNoVerify": "yes"}}
        return harness.Daemon(cls.pki, ccks={"cck": material.CANARY_CCK,
                                             "new": material.OTHER_CCK},
                              credentials=credentials, images={"prod": HDR, "lab": LAB}, access=access)

    def setUp(self):
        self.work = os.path.join(harness.WORK, "create%d" % next(harness.serial))
        os.mkdir(self.work)
        self.put("se.hdr", HDR)
        shutil.copy(self.pki.hosts[0].crt, self.path("z16.crt"))
        self.given = set(os.listdir(self.work))
        self.guest = guest.Guest(self.pki.hosts[0], HDR)

    def path(self, name):
        return os.path.join(self.work, name)

    def put(self, name, data):
        return harness.write_file(self.path(name), data)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def ctl(self, *words, **more):
        return self.daemon.ctl(*words, cwd=self.work, **more)

    def create(self, *words, hdr="se.hdr", status=0):
        done = self.ctl("create", "-k", "z16.crt", "--hdr", hdr, "-o", "request", *words)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return self.read("request") if status == 0 else done.stderr.decode()

    def accept(self, request):
        """The one secret that the guest has by then."""
        verdict = self.guest.add(request)
        self.assertRegex(verdict, "^accepted ")
        return verdict.split()[1:]

    def secret_of(self, request):
        _, ident = self.accept(request)
        return bytes.fromhex(self.guest.secrets()[ident]["secret"])

    def yaml_kind(self, name):
        lines = self.read(name + ".yaml").decode().splitlines()
        self.assertEqual(lines[0], "!Retrievable")
        self.assertRegex(lines[3], "^id: 0x[0-9a-f]{64}$")
        self.assertEqual(lines[2], "name: " + name)
        return lines[1].partition(": ")[2]

    def test_keys_and_plain(self):
        for i, (kind, size, yaml_kind) in enumerate(KEYS):
            value = material.hkdf(material.CANARY_SECRET, b"", b"%d" % i, min(size, 256))
            value = (value * 32)[:size]
            self.put("value", value)
            name = "key%d" % i
            request = self.create("retrievable", "--type", kind, "--secret", "value", name)
            self.assertEqual(self.secret_of(request), value, kind)
            self.assertEqual(self.yaml_kind(name), yaml_kind)

    def test_wrong_sizes(self):
        for kind, size in (("aes", 15), ("aes", 33), ("aes-xts", 16), ("hmac-sha", 32),
                           ("aes", 0), ("plain", 8191)):
            self.put("value", bytes(size))
            said = self.create("retr", "--type", kind, "--secret", "value", "n", status=1)
            self.assertIn("--secret value: ", said)
            self.assertEqual(set(os.listdir(self.work)) - self.given, {"value"})

    def test_ec_keys(self):
        for curve, (words, size, kind) in CURVES.items():
            openssl("genpkey", "-algorithm", *words, "-out", "a.pem", cwd=self.work)
            openssl("pkcs8", "-topk8", "-nocrypt", "-in", "a.pem", "-outform", "DER", "-out",
                    "a.der", cwd=self.work)
            files = ["a.pem", "a.der"]
            if words[0] == "EC":
                openssl("ec", "-in", "a.pem", "-out", "sec1.pem", cwd=self.work)
                openssl("ec", "-in", "a.pem", "-outform", "DER", "-out", "sec1.der",
                        cwd=self.work)
                files += ["sec1.pem", "sec1.der"]
            text = openssl("pkey", "-in", "a.pem", "-noout", "-text", cwd=self.work).decode()
            scalar = bytes.fromhex("".join(text.split("priv:")[1].split("pub:")[0].split())
                                   .replace(":", "")).lstrip(b"\0").rjust(size, b"\0")
            for file in files:
                request = self.create("retr", "--type", "ec", "--secret", file, "ec" + curve)
                self.assertEqual(self.secret_of(request), scalar, file)
                self.assertEqual(self.yaml_kind("ec" + curve), kind)

    def test_leading_zeros(self):
        """A scalar of one byte: 80 bytes all the same."""
        oid = bytes.fromhex("a00706052b81040023")
        body = bytes.fromhex("020101" "0442" + "00" * 65 + "05") + oid
        self.put("small.der", b"\x30" + bytes([len(body)]) + body)
        request = self.create("retr", "--type", "ec", "--secret", "small.der", "small")
        self.assertEqual(self.secret_of(request), bytes(79) + b"\5")
        # And as short as an encoder may have made it.
        body = bytes.fromhex("020101" "040105") + oid
        self.put("short.der", b"\x30" + bytes([len(body)]) + body)
        request = self.create("retr", "--type", "ec", "--secret", "short.der", "short")
        self.assertEqual(self.secret_of(request), bytes(79) + b"\5")

    def test_unsupported_keys(self):
        for words in (("EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
                      ("EC", "-pkeyopt", "ec_paramgen_curve:P-224"), ("X25519",),
                      ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")):
            openssl("genpkey", "-algorithm", *words, "-out", "bad.pem", cwd=self.work)
            said = self.create("retr", "--type", "ec", "--secret", "bad.pem", "n", status=1)
            self.assertIn("curve that the ultravisor knows", said)
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-aes-128-cbc", "-pass", "pass:x", "-out", "locked.pem", cwd=self.work)
        said = self.create("retr", "--type", "ec", "--secret", "locked.pem", "n", status=1)
        self.assertIn("protected by a password", said)

    def test_meta_and_flags(self):
        for words, flags in ((("--flags", "disable-dump"), 1 << 63), (("--pcf", "0x1234"), 0x1234)):
            request = self.create("meta", *words, "--use-name")
            self.assertEqual(self.accept(request), ["meta", "-"])
            self.assertEqual(int.from_bytes(request[0x30:0x38], "big"), flags)
        self.assertEqual(set(os.listdir(self.work)) - self.given, {"request"})

    def test_update_cck(self):
        self.guest = guest.Guest(self.pki.hosts[0], HDR, material.CANARY_CCK, enforce=True)
        self.accept(self.create("update-cck", "--secret", "new", "--cck", "cck"))
        self.accept(self.create("cck", "--secret", "cck", "--cck", "new"))

    def test_extension_secret(self):
        request = self.create("association", "--extension-secret", "ext", "name")
        _, ident = self.accept(request)
        self.assertEqual(self.guest.secrets()[ident]["extension_secret"], EXTENSION.hex())

    def test_cuid_file(self):
        cuid = "00112233445566778899aabbccddeeff"
        files = {"bin": bytes.fromhex(cuid), "plain": b"0x" + cuid.encode() + b"\n",
                 "bare": b"cuid: %s\n" % cuid.encode(),
                 "yaml": b"add:\n  other: 1\n  deep: {cuid: '0x%s'}\n" % cuid.encode()}
        self.guest = guest.Guest(self.pki.hosts[0], HDR, cuid=cuid)
        for name, data in files.items():
            self.put(name, data)
            self.accept(self.create("meta", "--cuid", name))
        for data in (bytes(15), bytes(17), b"cuid: 0x00\n", b"a: b\n", b"cuid: [1]\n",
                     b"&a [*a, {\n"):
            self.put("bad", data)
            self.assertIn("--cuid bad: ", self.create("meta", "--cuid", "bad", status=1))

    def test_derived(self):
        secret = material.hkdf(MASTER, b"", b"pvsecretd association secret v1\0" + b"disk", 32)
        for hdr in ("se.hdr", "prod"):
            request = self.create("association", "--derive", "disk", hdr=hdr)
            self.assertEqual(self.secret_of(request), secret)

    def test_use_name(self):
        request = self.create("association", "--use-name", "x" * 31)
        self.assertEqual(self.accept(request), ["association", b"x".hex() * 31 + "00"])

    def test_user_data(self):
        self.put("data", b"what the guest is told")
        self.put("big", bytes(513))
        self.put("empty", b"")
        self.assertIn("513 bytes", self.create("meta", "--user-data", "big", status=1))
        rows = [(None, 512)] + [(name, size) for name, (_, size) in SIGNERS.items()]
        for (key, size), data in itertools.product(rows, ("data", "empty", None)):
            if key is None and data is None:
                continue
            words = ["--user-data", data] if data else []
            words += ["--user-sign-key", key] if key else []
            self.accept(self.create("meta", *words))
            cert = ["--user-cert", os.path.join(harness.RUN, key + ".crt")] if key else []
            done = self.ctl("verify", "request", *cert)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(done.stdout, (self.read(data) if data else b"").ljust(size, b"\0"))
            done = self.ctl("verify", "-i", "request", "-o", "out", *cert)
            self.assertEqual((done.returncode, done.stdout), (0, b""))
            self.assertEqual(self.read("out"), self.ctl("verify", "-", *cert,
                                                        data=self.read("request")).stdout)
            os.unlink(self.path("out"))

    def test_too_much_signed(self):
        for key, (_, size) in SIGNERS.items():
            self.put("data", bytes(size))
            self.create("meta", "--user-data", "data", "--user-sign-key", key)
            self.put("data", bytes(size + 1))
            said = self.create("meta", "--user-data", "data", "--user-sign-key", key, status=1)
            self.assertIn("--user-data data: ", said)

    def test_verify_refuses(self):
        request = self.create("meta", "--user-sign-key", "ec")
        certs = {name: os.path.join(harness.RUN, name + ".crt") for name in SIGNERS}
        for name, data, words, text in (
                ("cut", request[:-1], ["--user-cert", certs["ec"]], "request"),
                ("longer", request + b"\n", ["--user-cert", certs["ec"]], "request"),
                ("empty", b"", ["--user-cert", certs["ec"]], "request"),
                ("flipped", material.flip(request, 0x4b8 * 8), ["--user-cert", certs["ec"]],
                 "signature"),
                ("same", request, [], "no certificate"),
                ("same", request, ["--user-cert", certs["rsa2048"]], "not of the kind"),
                ("same", request, ["--user-cert", "se.hdr"], "not an X.509 certificate")):
            self.put(name, data)
            done = self.ctl("verify", name, "-o", "out", *words)
            self.assertEqual((done.returncode, done.stdout), (1, b""), name)
            self.assertRegex(done.stderr.decode(), r"\Apvsecretctl: error: .*%s" % text)
            self.assertFalse(os.path.exists(self.path("out")))

    def test_no_user_data(self):
        self.create("meta")
        done = self.ctl("verify", "request", "out")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertFalse(os.path.exists(self.path("out")))

    def test_policy(self):
        policy = os.path.join("dir", "policy.txt")
        os.mkdir(self.path("dir"))
        self.put(policy, b"a policy\n")
        self.create("meta", "--policy", policy, "--toc-policy", "toc")
        tags = [self.read("request")[-16:].hex()]
        self.create("meta", "--toc-policy", "toc")
        tags.append(self.read("request")[-16:].hex())
        self.assertEqual(self.read("toc").decode(), "".join(tag + "\n" for tag in tags))
        self.create("meta", "--policy", policy)
        out = self.ctl("verify", "request").stdout
        digest = openssl("dgst", "-sha256", "-binary", policy, cwd=self.work)
        self.assertEqual(out, (digest + policy.encode()).ljust(512, b"\0"))
        # Where nothing is made, nothing is listed.
        self.create("association", "--toc-policy", "toc", "--cck", "nope", "n", status=1)
        self.assertEqual(len(self.read("toc").splitlines()), 2)

    def test_verify_on_a_terminal(self):
        """Good is good; the bytes, which may be anything, stay away from the terminal."""
        self.put("data", b"\x1b]0;title\x07")
        self.create("meta", "--user-data", "data")
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [harness.find_program("pvsecretctl"), "--socket", self.daemon.socket_path, "verify",
             "request"], stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE,
            check=False, cwd=self.work, timeout=harness.DEADLINE)
        os.close(theirs)
        poller = select.poll()
        poller.register(ours, select.POLLIN)
        said = [event for _, event in poller.poll(0) if event & select.POLLIN]
        os.close(ours)
        self.assertEqual((done.returncode, said), (0, []), done.stderr)
        lines = done.stderr.decode().splitlines()
        self.assertRegex(lines[0], "^pvsecretctl: warning: the user data .*-o FILE$")
        self.assertEqual(lines[1:], ["Successfully verified the request."])

    def test_describe(self):
        request = self.create("association", "--flags", "disable-dump", "name")
        shown = json.loads(self.ctl("describe", "request", "-j").stdout)
        self.assertEqual(shown["host_keys"], [{"phkh": self.pki.hosts[0].phkh}])
        self.assertEqual(shown["secret"]["id"], material.parse_request(request).id.hex())
        self.assertEqual((shown["flags"], shown["tag"], shown["header_tag"]),
                         (["disable-dump"], request[-16:].hex(), HDR[-16:].hex()))
        self.assertEqual((shown["iv"], shown["pld"], shown["customer_key"]),
                         (request[0x10:0x1c].hex(), request[0x38:0x78].hex(),
                          request[0x418:0x4b8].hex()))
        text = self.ctl("describe", "request").stdout.decode()
        for value in (self.pki.hosts[0].phkh, "association", "disable-dump", request[-16:].hex()):
            self.assertIn(value, text)
        self.assertEqual(self.ctl("describe", "se.hdr").returncode, 1)

    def test_root_ca(self):
        self.create("meta", "--root-ca", self.pki.root)
        said = self.create("meta", "--root-ca", self.pki.intermediate, status=1)
        self.assertIn("RootCA=", said)

    def test_no_verify(self):
        """A document that nobody can verify, where the rules allow it for one image."""
        shutil.copy(self.pki.path("stranger.crt"), self.path("z16.crt"))
        said = self.create("meta", "--no-verify", status=1)
        self.assertIn("do not allow unverified host keys", said)
        self.assertIn("error: ", self.create("meta", hdr="lab", status=1))
        done = self.ctl("create", "-k", "z16.crt", "--hdr", "lab", "-o", "request", "--no-verify",
                        "association", "n")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(done.stderr.decode().splitlines(), [
            "Successfully generated the request",
            "Successfully wrote secret info to 'n.yaml'",
            "pvsecretctl: warning: --no-verify: nobody verified the host keys; whoever made the "
            "documents may be able to read the secret"])
        phkh = pki.phkh_of(pki.der_of(self.read("z16.crt").decode()))
        self.assertEqual(material.parse_request(self.read("request")).phkhs, [phkh])
        # What nobody verified is not remembered as good.
        self.create("meta", hdr="lab", status=1)

    def test_whole_or_nothing(self):
        """The YAML cannot be written: no request, and no line in the list."""
        os.mkdir(self.path("n.yaml"))
        said = self.create("retr", "--type", "plain", "--secret", "se.hdr", "--toc-policy", "toc",
                           "n", status=1)
        self.assertIn("n.yaml", said)
        self.assertEqual(set(os.listdir(self.work)) - self.given, {"n.yaml"})

    def test_warnings(self):
        for words, warned in ((["plain"], False), ([" outer"], True), (["outer\u3000"], True),
                              (["--use-name", "plain"], True), (["in ner"], False)):
            done = self.ctl("create", "-k", "z16.crt", "--hdr", "se.hdr", "-o", "request",
                            "association", *words)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(b"pvapconfig" in done.stderr, warned, words)
