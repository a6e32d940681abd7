# SPDX-License-Identifier: MIT
"""Secrets: limits from both sides, derived secrets, unverified host keys, records, bad key files"""
import base64
import json
import os
import shutil
import unittest

import guest
import harness
import material
import pki
from test_secrets import HDR, KEYS, ORDERS, SIGNERS, b64, signing_key

EX_CONFIG = 78
EVERYTHING = {"Users": "*", "Methods": "*", "Ccks": "*", "ExtensionSecrets": "*", "SignKeys": "*",
              "Names": "*"}
OTHER_HDR = material.header("another image")


class Calls:
    """Calls, and what comes of them."""

    @classmethod
    def credentials(cls):
        return {"ext_held": material.HELD_SECRET, "assoc_master": material.MASTER,
                **{"sign_" + name: signing_key(name)[0] for name in SIGNERS}}

    def setUp(self):
        self.one = self.client()

    def params(self, method="create_association", **more):
        params = {"hdr": b64(HDR), "host_keys": [{"document": pki.get().hosts[0].der64}]}
        if method in ("create_association", "create_retrievable"):
            params["name"] = "canary"
        params.update(more)
        return {key: value for key, value in params.items() if value is not None}

    def ask(self, method, params):
        return self.one.wait(self.one.post(method, params))

    def good(self, method="create_association", **more):
        answer = self.ask(method, self.params(method, **more))
        self.assertIn("result", answer, answer)
        return base64.b64decode(answer["result"]["request"])

    def bad(self, code, reason, param, method="create_association", **more):
        self.assert_error(self.ask(method, self.params(method, **more)), code, reason, param)

    def last_record(self):
        with open(self.daemon.audit_log, "rb") as file:
            return json.loads(file.read().splitlines()[-1])

    def secret_in(self, request, hdr=HDR, extension=None):
        """What the guest of that image gets."""
        one = guest.Guest(pki.get().hosts[0], hdr, extension, extension is not None)
        line = one.add(request)
        self.assertTrue(line.startswith("accepted"), line)
        return list(one.secrets().values())[0]["secret"]


class Limits(Calls, harness.Case):
    """Each limit from both sides."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), ccks=KEYS, credentials=cls.credentials(),
                              access={"all": EVERYTHING})

    def value(self, size, byte=b"\1"):
        return {"value": b64(byte * size)}

    def test_sizes_of_values(self):
        rows = {("plain", None): (0, 1, 2, 8189, 8190), ("aes", None): (16, 24, 32),
                ("aes-xts", None): (32, 64), ("hmac-sha", None): (64, 128),
                ("ec", "secp256r1"): (32,), ("ec", "secp384r1"): (48,), ("ec", "secp521r1"): (66,),
                ("ec", "ed25519"): (32,), ("ec", "ed448"): (57,)}
        tried = {0, 1, 2, 8189, 8190, 8191, 8192} | {
            size + off for size in (16, 24, 32, 48, 57, 64, 66, 80, 128) for off in (-1, 0, 1)}
        for (kind, curve), sizes in rows.items():
            for size in sorted(tried):
                if size > 2000 and kind != "plain":
                    continue
                more = {"type": kind, "curve": curve, "secret": self.value(size)}
                if size in sizes or (kind == "plain" and size <= 8190):
                    self.good("create_retrievable", **more)
                else:
                    self.bad(-32602, "secret-size", "/secret/value", "create_retrievable", **more)

    def test_scalars(self):
        for curve, order in ORDERS.items():
            size = (order.bit_length() + 7) // 8
            for number, good in ((0, False), (1, True), (order - 1, True), (order, False),
                                 (order + 1, False), (256 ** size - 1, False), (255, True),
                                 (256 ** (size - 3), True)):
                more = {"type": "ec", "curve": curve,
                        "secret": {"value": b64(number.to_bytes(size, "big"))}}
                if not good:
                    self.bad(-32602, "scalar", "/secret/value", "create_retrievable", **more)
                    continue
                request = self.good("create_retrievable", **more)
                self.assertEqual(int(self.secret_in(request), 16), number)

    def test_kinds_and_curves(self):
        value = self.value(32)
        for more, reason, param in (
                ({"type": "aes", "curve": "secp256r1"}, "curve", "/curve"),
                ({"type": "ec"}, "curve", "/curve"),
                ({"type": "ec", "curve": "secp256k1"}, "curve", "/curve"),
                ({"type": "ec", "curve": "P-256"}, "curve", "/curve"),
                ({"type": "association"}, "retrievable-type", "/type"),
                ({"type": "AES"}, "retrievable-type", "/type"),
                ({"type": 4}, "type", "/type"),
                ({}, "missing", "/type")):
            self.bad(-32602, reason, param, "create_retrievable", secret=value, **more)
        for secret in ({"random": True}, {"derive": True}):
            self.bad(-32602, "secret-value", "/secret", "create_retrievable", type="aes",
                     secret=secret)
        self.bad(-32602, "missing", "/secret", "create_retrievable", type="aes")
        for method in ("create_meta", "create_update_cck"):
            self.bad(-32602, "unknown-parameter", None, method, secret={"random": True},
                     new_cck="other" if "update" in method else None)
        self.bad(-32602, "unknown-parameter", None, "create_meta", name="n")
        self.bad(-32602, "missing", "/new_cck", "create_update_cck")

    def test_user_data(self):
        for key, room in ((None, 512), ("ec", 256), ("rsa2048", 256), ("rsa3072", 128)):
            for size in (0, 1, room - 1, room):
                self.good(user_data=b64(b"u" * size), user_sign_key=key)
            for size in (room + 1, 513):
                self.bad(-32602, "user-data", "/user_data", user_data=b64(b"u" * size),
                         user_sign_key=key)
        self.bad(-32602, "base64", "/user_data", user_data="~")

    def test_names(self):
        for name in ("n" * 31, "\u00fc" * 15 + "n"):
            ident = name.encode().ljust(32, b"\0").hex()
            answer = self.ask("create_association", self.params(name=name, use_name=True))
            self.assertEqual(answer["result"]["secret"]["id"], ident)
        for name in ("n" * 32, "\u00fc" * 16):
            self.bad(-32602, "use-name", "/name", name=name, use_name=True)
            self.good(name=name, use_name=False)
        self.bad(-32602, "type", "/use_name", use_name=1)

    def test_flags(self):
        for pcf, flags in (("0", 0), ("8000000000000000", 1 << 63), ("aB", 0xab),
                           ("f" * 16, (1 << 64) - 1)):
            self.assertEqual(material.parse_request(self.good(pcf=pcf)).flags, flags)
        for pcf in ("", "0x1", "f" * 17, "g", " 1", "-1"):
            self.bad(-32602, "pcf", "/pcf", pcf=pcf)
        self.bad(-32602, "flags-or-pcf", "/pcf", pcf="0", flags=[])

    def test_keys_that_are_not_there(self):
        self.bad(-32003, "extension-secret", "/extension_secret", extension_secret="none")
        self.bad(-32003, "user-sign-key", "/user_sign_key", user_sign_key="none")
        self.bad(-32003, "cck", "/new_cck", "create_update_cck", new_cck="none")
        self.bad(-32003, "cck", "/cck", "create_update_cck", new_cck="other", cck="none")
        self.bad(-32602, "cck-or-extension-secret", "/extension_secret", cck="cck",
                 extension_secret="held")
        # A CCK is no extension secret, and the other way about.
        self.bad(-32003, "extension-secret", "/extension_secret", extension_secret="cck")
        self.bad(-32003, "cck", "/cck", cck="held")

    def test_largest_secrets_at_once(self):
        """Many of them, on several connections: they wait for each other."""
        params = self.params("create_retrievable", type="plain", secret=self.value(8190))
        clients = [self.client() for _ in range(12)]
        idents = [[client.post("create_retrievable", params) for _ in range(4)]
                  for client in clients]
        for client, numbers in zip(clients, idents):
            for ident in numbers:
                self.assertIn("result", client.wait(ident))

    def test_records(self):
        """Every key and everything that is not as usual."""
        self.good(extension_secret="held", user_sign_key="ec", use_name=True)
        record = self.last_record()
        self.assertEqual({name: record.get(name) for name in (
            "event", "secret", "extension_secret", "user_sign_key", "use_name", "derive",
            "no_verify")},
            {"event": "create_association", "secret": "association", "extension_secret": "held",
             "user_sign_key": "ec", "use_name": True, "derive": None, "no_verify": None})
        self.good("create_update_cck", new_cck="other", cck="cck")
        record = self.last_record()
        self.assertEqual((record["event"], record["secret"], record["cck"], record["new_cck"]),
                         ("create_update_cck", "update-cck", "cck", "other"))
        self.bad(-32003, "user-sign-key", "/user_sign_key", "create_meta", user_sign_key="none")
        record = self.last_record()
        self.assertEqual((record["event"], record["user_sign_key"], record["outcome"]),
                         ("create_meta", "none", "user-sign-key"))
        self.good("create_retrievable", type="hmac-sha", secret=self.value(64))
        record = self.last_record()
        self.assertEqual((record["event"], record["secret"]),
                         ("create_retrievable", "hmac-sha-256-key"))


class Rules(Calls, harness.Case):
    """What the access rules say of keys, one by one."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), ccks=KEYS, credentials=cls.credentials(), access={
            "one": dict(EVERYTHING, Methods="create_association create_update_cck", Ccks="cck",
                        ExtensionSecrets="he*", SignKeys="rsa*"),
            "two": dict(EVERYTHING, Methods="create_meta", Ccks="other", ExtensionSecrets=None,
                        SignKeys="ec")})

    def test_rules(self):
        for method, more, reason, param in (
                ("create_association", {}, None, None),
                ("create_association", {"extension_secret": "held"}, None, None),
                ("create_association", {"extension_secret": "other"}, "extension-secret",
                 "/extension_secret"),
                ("create_meta", {"extension_secret": "held"}, "extension-secret",
                 "/extension_secret"),
                ("create_association", {"user_sign_key": "rsa2048"}, None, None),
                ("create_association", {"user_sign_key": "ec"}, "user-sign-key", "/user_sign_key"),
                ("create_meta", {"user_sign_key": "ec"}, None, None),
                ("create_meta", {"user_sign_key": "none"}, "user-sign-key", "/user_sign_key"),
                ("create_update_cck", {"new_cck": "cck"}, None, None),
                # The rules apply to both names.
                ("create_update_cck", {"new_cck": "other"}, "cck", "/new_cck"),
                ("create_update_cck", {"new_cck": "other", "cck": "cck"}, "cck", "/new_cck"),
                ("create_update_cck", {"new_cck": "cck", "cck": "other"}, "cck", "/cck"),
                ("create_update_cck", {"new_cck": "none"}, "cck", "/new_cck"),
                ("create_retrievable", {"type": "aes", "secret": {"value": b64(bytes(16))}},
                 "method", None),
                # None of them names images, or has unverified host keys.
                ("create_association", {"secret": {"derive": True}}, "derive", "/secret/derive"),
                ("create_association", {"no_verify": True}, "no-verify", "/no_verify"),
                ("create_association", {"no_verify": False}, None, None)):
            with self.subTest(method=method, more=more):
                if reason:
                    self.bad(-32001, reason, param, method, **more)
                else:
                    self.good(method, **more)

    def test_shown(self):
        sections = {section["name"]: section
                    for section in self.one.call("get_access")["sections"]}
        self.assertEqual(sections["one"]["extension_secrets"], ["he*"])
        self.assertEqual(sections["one"]["user_sign_keys"], ["rsa*"])
        self.assertEqual(sections["two"]["extension_secrets"], [])
        self.assertEqual(sections["two"]["user_sign_keys"], ["ec"])


class Derived(Calls, harness.Case):
    """The same name, the same secret; for images that the owner installed."""

    RULES = {"web": dict(EVERYTHING, Images="web", Names="disk* canary", AllowNoVerify="yes"),
             "db": dict(EVERYTHING, Images="db missing", Names="db")}

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), credentials=cls.credentials(),
                              images={"web": HDR, "db": OTHER_HDR}, access=cls.RULES)

    def derived(self, name="disk", hdr=HDR, **more):
        request = self.good(name=name, hdr=b64(hdr), secret={"derive": True}, **more)
        self.assertIs(self.last_record()["derive"], True)
        return self.secret_in(request, hdr)

    def openssl(self, master, name):
        """What the command makes of it."""
        info = b"pvsecretd association secret v1\0" + name.encode()
        done = harness.run_program(
            "openssl", "kdf", "-binary", "-keylen", "32", "-kdfopt", "digest:SHA2-512", "-kdfopt",
            "hexkey:" + master.hex(), "-kdfopt", "hexinfo:" + info.hex(), "HKDF", recorded=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.hex()

    def test_same_as_openssl(self):
        for name in ("disk", "disk \u00fc", "disk" + "n" * 1000):
            self.assertEqual(self.derived(name), self.openssl(material.MASTER, name))

    def test_same_as_the_manual(self):
        """The recipe in pvsecretd(8), as it stands there."""
        source = os.environ.get("PVS_SRC_DIR")
        if not source:
            self.skipTest("PVS_SRC_DIR is not set")
        with open(os.path.join(source, "man", "pvsecretd.8.in"), encoding="utf-8") as file:
            recipe = file.read().partition("python3 -c '")[2].partition("' MASTER NAME\n")[0]
        master = harness.write_file(os.path.join(harness.PRIVATE, "recipe"), material.MASTER)
        for name in ("disk", "disk \u00fc"):
            done = harness.run_program("python3", "-c", recipe.replace("\\e", "\\"), master, name,
                                       recorded=False)
            self.assertEqual((done.stderr, done.stdout.hex()), (b"", self.derived(name)))

    def test_longest_name(self):
        name = "disk" + "n" * 4092
        self.assertEqual(self.derived(name), material.association(material.MASTER, name).hex())

    def test_same_everywhere(self):
        first = self.derived()
        self.assertEqual(self.derived(), first)
        self.assertEqual(self.derived(use_name=True), first)
        self.assertNotEqual(self.derived("disk2"), first)
        by_name = self.good(name="disk", hdr=None, image="web", secret={"derive": True})
        self.assertEqual(self.secret_in(by_name), first)
        worker = self.daemon.worker("vault")
        worker.kill()
        worker.wait()
        self.assertEqual(self.derived(), first)
        # Another daemon, another image; and another master.
        for master, same in ((material.MASTER, True), (material.OTHER_CCK, False)):
            other = harness.Daemon(pki.get(), credentials={"assoc_master": master},
                                   images={"next": OTHER_HDR},
                                   access={"all": dict(EVERYTHING, Images="*")})
            self.addCleanup(other.stop)
            with other.client() as client:
                answer = client.call("create_association", self.params(
                    name="disk", hdr=b64(OTHER_HDR), secret={"derive": True}))
            got = self.secret_in(base64.b64decode(answer["request"]), OTHER_HDR)
            self.assertEqual(got == first, same)

    def test_refused(self):
        derive = {"derive": True}
        foreign = material.header("not installed")
        for more, reason, param in (
                ({"hdr": b64(foreign)}, "image", "/hdr"),
                ({"hdr": b64(material.flip(HDR, 0xe0 * 8))}, "image", "/hdr"),
                ({"hdr": b64(HDR[:-1] + bytes([HDR[-1] ^ 1]))}, "image", "/hdr"),
                ({"name": "other"}, "name", "/name"),
                # What two sections allow in part is not allowed.
                ({"name": "db"}, "name", "/name"),
                ({"hdr": b64(OTHER_HDR), "name": "disk"}, "name", "/name"),
                ({"hdr": None, "image": "other"}, "image", "/image")):
            self.bad(-32001, reason, param, **dict({"secret": derive, "name": "disk"}, **more))
        self.bad(-32003, "image", "/image", hdr=None, image="missing", name="db", secret=derive)
        # A host key of one's own would do as well as an image of one's own.
        self.good(name="disk", no_verify=True)
        self.bad(-32001, "derive", "/no_verify", name="disk", secret=derive,
                 no_verify=True)

    def test_no_master(self):
        other = harness.Daemon(pki.get(), images={"web": HDR}, access=self.RULES)
        self.addCleanup(other.stop)
        with other.client() as client:
            answer = client.wait(client.post("create_association", self.params(
                name="disk", secret={"derive": True})))
            self.assert_error(answer, -32003, "master", "/secret/derive")
            self.assertIs(client.call("get_status")["has_association_master"], False)

    def test_from_a_file(self):
        path = harness.write_file(os.path.join(self.daemon.keys, "master"), material.MASTER, 0o600,
                                  harness.DAEMON_UID)
        other = harness.Daemon(pki.get(), images={"web": HDR}, access=self.RULES,
                               daemon={"AssociationMaster": path})
        self.addCleanup(other.stop)
        with other.client() as client:
            answer = client.call("create_association", self.params(
                name="disk", secret={"derive": True}))
        self.assertEqual(self.secret_in(base64.b64decode(answer["request"])),
                         material.association(material.MASTER, "disk").hex())


class Unverified(Calls, harness.Case):
    """Host keys that nobody vouches for: where the rules allow it, and never taken for others."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), ccks=KEYS, credentials=cls.credentials(), access={
            "free": dict(EVERYTHING, Methods="create_meta create_association", Names="canary",
                         AllowNoVerify="yes"),
            "strict": dict(EVERYTHING, Methods="create_*", Names="*")})

    def document(self, name="stranger"):
        with open(pki.get().path(name + ".crt"), encoding="ascii") as file:
            return [{"document": file.read()}]

    def test_only_where_allowed(self):
        for name in ("stranger", "expired", "revoked", "not-yet", "ca", "critical", "sha1"):
            keys = self.document(name)
            request = self.good(host_keys=keys, no_verify=True)
            record = self.last_record()
            self.assertIs(record["no_verify"], True)
            self.assertEqual(record["host_keys"],
                             [pki.phkh_of(pki.der_of(keys[0]["document"]))])
            self.assertEqual(material.parse_request(request).phkhs, record["host_keys"])
            # The same document, the same connection: verified or not is not forgotten.
            answer = self.ask("create_association", self.params(host_keys=keys))
            self.assertEqual(answer["error"]["code"], -32002, name)
            # What only the other section allows is for verified keys.
            self.bad(-32001, "no-verify", "/no_verify", name="other", host_keys=keys,
                     no_verify=True)
            self.bad(-32001, "no-verify", "/no_verify", "create_update_cck", new_cck="cck",
                     host_keys=keys, no_verify=True)

    def test_good_ones_as_well(self):
        self.good(no_verify=True)
        self.assertIs(self.last_record()["no_verify"], True)
        self.good()
        self.assertNotIn("no_verify", self.last_record())
        self.good(host_keys=[{"document": host.pem} for host in pki.get().hosts[:20]],
                  no_verify=True)

    def test_still_a_host_key(self):
        for name, document, reasons in pki.get().bad_documents():
            if reasons not in ("not-a-certificate", "several-documents", "trailing-data",
                               "key-type", "key-invalid"):
                continue
            answer = self.ask("create_association", self.params(
                host_keys=[{"document": pki.as_parameter(document)}], no_verify=True))
            self.assertEqual(answer["error"]["code"], -32002, name)
            self.assertIn(answer["error"]["data"]["reason"], reasons)

    def test_guest_gets_it(self):
        request = self.good(no_verify=True, secret={"value": b64(material.CANARY_SECRET)})
        self.assertEqual(self.secret_in(request), material.CANARY_SECRET.hex())

    def test_type(self):
        self.bad(-32602, "type", "/no_verify", no_verify="yes")


class Files(unittest.TestCase):
    """Files with keys that are not good: the daemon does not start, and says which and why."""

    def make(self, **more):
        daemon = harness.Daemon(pki.get(), start=False, **more)
        self.addCleanup(daemon.listener.close)
        return daemon

    def pem(self, *words):
        path = os.path.join(harness.PRIVATE, "bad-key")
        done = harness.run_program("openssl", "genpkey", *words, "-out", path, recorded=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as file:
            return file.read()

    def assert_bad(self, pattern, **more):
        daemon = self.make(**more)
        with self.assertRaises(AssertionError):
            daemon.start()
        self.assertEqual(daemon.reap(), EX_CONFIG)
        self.assertRegex(daemon.log.decode(), pattern)

    def test_signing_keys(self):
        good = signing_key("ec")[0]
        for name, key, pattern in (
                ("rsa4096", self.pem("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"),
                 "kind that user data"),
                ("p384", self.pem("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
                 "kind that user data"),
                ("k1", self.pem("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
                 "kind that user data"),
                ("ed", self.pem("-algorithm", "ED25519"), "kind that user data"),
                ("locked", self.pem("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521",
                                    "-aes256", "-pass", "pass:word"), "without a passphrase"),
                ("cut", good[:-40], "without a passphrase"),
                ("text", b"a key", "without a passphrase"),
                ("empty", b"", "has 0 bytes")):
            with self.subTest(name):
                self.assert_bad("sign_%s: .*%s.*; " % (name, pattern),
                                credentials={"sign_" + name: key})

    def test_extension_secrets_and_master(self):
        self.assert_bad("ext_short: has 31 bytes, an extension secret has exactly 32",
                        credentials={"ext_short": bytes(31)})
        self.assert_bad("assoc_master: has 33 bytes, a master has exactly 32",
                        credentials={"assoc_master": bytes(33)})
        self.assert_bad("AssociationMaster= names /nonexistent/master, and there is no such file",
                        daemon={"AssociationMaster": "/nonexistent/master"})

    def test_directories(self):
        """From ext.d and sign.d; and modes are judged there."""
        top = os.path.join(harness.PRIVATE, "directories")
        settings = {"ExtensionSecretDirectory": os.path.join(top, "ext.d"),
                    "SignKeyDirectory": os.path.join(top, "sign.d")}
        self.addCleanup(shutil.rmtree, top)
        harness.write_file(os.path.join(top, "ext.d", "e"), material.HELD_SECRET, 0o600,
                           harness.DAEMON_UID)
        path = harness.write_file(os.path.join(top, "sign.d", "s"), signing_key("rsa2048")[0],
                                  0o600, harness.DAEMON_UID)
        daemon = self.make(daemon=settings)
        daemon.start()
        with daemon.client() as client:
            status = client.call("get_status")
        self.assertEqual((status["extension_secret_count"], status["user_sign_key_count"]), (1, 1))
        daemon.stop()
        os.chmod(path, 0o640)
        self.assert_bad("sign.d/s: its mode 0640", daemon=settings)
        os.chmod(path, 0o600)
        self.assert_bad("ext_e: there is an extension secret of this name in .* as well",
                        daemon=settings, credentials={"ext_e": material.HELD_SECRET})
