# SPDX-License-Identifier: MIT
"""Every type of secret, with every kind of extension secret and user data: accepted, and the same"""
import base64
import functools
import hashlib
import itertools
import os
import random
import re
import struct
import types

import canary
import guest
import harness
import material
import pki

HDR = material.header("canary")
KEYS = {"cck": material.CANARY_CCK, "other": material.OTHER_CCK}
# The room beside a signature, its type in the request, how openssl makes the key.
SIGNERS = {
    "ec": (256, 2, ("EC", "-pkeyopt", "ec_paramgen_curve:P-521")),
    "rsa2048": (256, 3, ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
    "rsa3072": (128, 4, ("RSA", "-pkeyopt", "rsa_keygen_bits:3072")),
}
# Type and curve of the API, bytes of a value, type in the request, word in results and verdicts.
RETRIEVABLE = (
    ("plain", None, 0, 0x03, "plaintext"),
    ("plain", None, 1, 0x03, "plaintext"),
    ("plain", None, 14, 0x03, "plaintext"),
    ("plain", None, 15, 0x03, "plaintext"),
    ("plain", None, 8190, 0x03, "plaintext"),
    ("aes", None, 16, 0x04, "aes-128-key"),
    ("aes", None, 24, 0x05, "aes-192-key"),
    ("aes", None, 32, 0x06, "aes-256-key"),
    ("aes-xts", None, 32, 0x07, "aes-xts-128-key"),
    ("aes-xts", None, 64, 0x08, "aes-xts-256-key"),
    ("hmac-sha", None, 64, 0x09, "hmac-sha-256-key"),
    ("hmac-sha", None, 128, 0x0a, "hmac-sha-512-key"),
    ("ec", "secp256r1", 32, 0x11, "ec-secp256r1-private-key"),
    ("ec", "secp384r1", 48, 0x12, "ec-secp384r1-private-key"),
    ("ec", "secp521r1", 66, 0x13, "ec-secp521r1-private-key"),
    ("ec", "ed25519", 32, 0x14, "ec-ed25519-private-key"),
    ("ec", "ed448", 57, 0x15, "ec-ed448-private-key"),
)
ORDERS = {
    "secp256r1": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
    "secp384r1": int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
                     "581a0db248b0a77aecec196accc52973", 16),
    "secp521r1": int("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
                     "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16),
}
USER_DATA = (None, ("unsigned", 0), ("unsigned", 512), ("ec", 256), ("ec", None), ("rsa2048", 256),
             ("rsa3072", 128))


def b64(data):
    return base64.b64encode(data).decode()


@functools.lru_cache(maxsize=None)
def signing_key(name):
    """A private key, and the file with its public half. Two are as old programs write them."""
    path = os.path.join(harness.PRIVATE, "sign-" + name)
    done = harness.run_program("openssl", "genpkey", "-algorithm", *SIGNERS[name][2], "-out", path,
                               recorded=False)
    assert done.returncode == 0, done.stderr
    done = harness.run_program("openssl", "pkey", "-in", path, "-pubout", "-out", path + ".pub")
    assert done.returncode == 0, done.stderr
    done = harness.run_program("openssl", "pkey", "-in", path, "-noout", "-text", recorded=False)
    # The private scalar, or exponent; as a number in memory it may stand backwards.
    number = re.search(rb"(?:priv|privateExponent):((?:\s+[0-9a-f:]+)+)", done.stdout).group(1)
    number = bytes.fromhex(re.sub(rb"[\s:]", b"", number).decode()).lstrip(b"\0")
    harness.NEEDLES.extend(canary.Needle("a user signing key", part)
                           for part in (number, number[::-1]))
    if name != "rsa2048":
        done = harness.run_program("openssl", "pkey", "-traditional", "-in", path, "-out",
                                   path + ".old", recorded=False)
        assert done.returncode == 0, done.stderr
        path += ".old"
    with open(path, "rb") as file:
        return file.read(), path.removesuffix(".old") + ".pub"


def stored(curve, value):
    """What the guest's store has; it shows a plaintext without its length and padding."""
    return value.rjust({"secp521r1": 80, "ed448": 64}.get(curve, len(value)), b"\0")


def random_value(rng, curve, size):
    """Some begin with zeros: they are numbers, and their length says nothing."""
    zeros = rng.choice((0, 0, 1, 5))
    zeros = min(zeros, max(size - 1, 0))
    value = bytes(zeros) + rng.randbytes(size - zeros)
    if curve in ORDERS:
        number = int.from_bytes(value, "big") % (ORDERS[curve] - 1) + 1
        value = number.to_bytes(size, "big")
    return value


class Everything(harness.Case):
    """Each type and size, each extension secret, each kind of user data, 1, 2 and 20 host keys."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.rng = random.Random("everything")
        cls.calls = []
        credentials = {"sign_" + name: signing_key(name)[0] for name in SIGNERS}
        credentials.update({"ext_held": material.HELD_SECRET, "assoc_master": material.MASTER})
        return harness.Daemon(
            cls.pki, ccks=KEYS, credentials=credentials, images={"web": HDR},
            access={"all": {"Users": "*", "Methods": "*", "Ccks": "*", "ExtensionSecrets": "*",
                            "SignKeys": "*", "Names": "*", "Images": "*"}})

    def secrets(self):
        """Method, its parameters, what is stored, the word for it; anew for each request."""
        for kind, curve, size, _, word in RETRIEVABLE:
            value = random_value(self.rng, curve, size)
            params = {"type": kind, "secret": {"value": b64(value)}}
            if curve:
                params["curve"] = curve
            yield "create_retrievable", params, stored(curve, value), word
        given = self.rng.randbytes(32)
        yield "create_association", {"secret": {"value": b64(given)}}, given, "association"
        yield "create_association", {}, None, "association"
        yield "create_association", {"secret": {"derive": True}}, "derived", "association"
        yield "create_meta", {}, None, "meta"
        yield "create_update_cck", {"new_cck": "other"}, material.OTHER_CCK, "update-cck"

    def make(self):
        if self.calls:
            return self.calls
        n = itertools.count()
        for extension, user_data, hosts in itertools.product((None, "held", "cck"), USER_DATA,
                                                             (1, 2, 20)):
            for method, params, expected, word in self.secrets():
                call = types.SimpleNamespace(
                    method=method, expected=expected, word=word, extension=extension,
                    user_data=user_data, hosts=self.pki.hosts[:hosts], name=None,
                    params=dict(params, hdr=b64(HDR),
                                host_keys=[{"document": host.der64}
                                           for host in self.pki.hosts[:hosts]]))
                if method in ("create_association", "create_retrievable"):
                    call.name = call.params["name"] = "secret %d" % next(n)
                    if self.rng.random() < 0.3:
                        call.params["use_name"] = True
                if extension == "cck":
                    call.params["cck"] = "cck"
                elif extension:
                    call.params["extension_secret"] = extension
                call.bytes = None
                if user_data:
                    if user_data[1] is not None:
                        call.bytes = self.rng.randbytes(user_data[1])
                        call.params["user_data"] = b64(call.bytes)
                    if user_data[0] != "unsigned":
                        call.params["user_sign_key"] = user_data[0]
                self.calls.append(call)
        with self.client() as client:
            for at in range(0, len(self.calls), 12):
                idents = [client.post(call.method, call.params) for call in self.calls[at:at + 12]]
                for call, ident in zip(self.calls[at:], idents):
                    answer = client.wait(ident)
                    self.assertIn("result", answer, (call.method, answer))
                    call.result = answer["result"]
                    call.request = base64.b64decode(call.result["request"])
        return self.calls

    def ident(self, call):
        if call.params.get("use_name"):
            return call.name.encode().ljust(32, b"\0").hex()
        return hashlib.sha256(call.name.encode()).hexdigest()

    def test_accepted_with_the_very_secret(self):
        extensions = {None: bytes(32), "held": material.HELD_SECRET,
                      "cck": material.extension_secret(material.CANARY_CCK, HDR)}
        for extension, machine in itertools.product(extensions, (0, 1, 19)):
            calls = [call for call in self.make() if call.extension == extension
                     and len(call.hosts) > machine]
            one = guest.Guest(self.pki.hosts[machine], HDR, material.CANARY_CCK,
                              extension == "cck", slots=len(calls))
            # A CCK that is updated is the guest's from then on: only judged.
            updates = [call for call in calls if call.word == "update-cck"]
            kept = [call for call in calls if call.word != "update-cck"]
            for line in one.judge([call.request for call in updates]):
                self.assertEqual(line, "accepted update-cck " + "00" * 32)
            lines = one.judge([call.request for call in kept], dry_run=False)
            have = one.secrets()
            for call, line in zip(kept, lines):
                if call.word == "meta":
                    self.assertEqual(line, "accepted meta -")
                    self.assertEqual(call.result["secret"], {"type": "meta"})
                    continue
                ident = self.ident(call)
                self.assertEqual(line, "accepted %s %s" % (call.word, ident))
                self.assertEqual(call.result["secret"],
                                 {"type": call.word, "name": call.name, "id": ident})
                self.assertEqual(have[ident]["extension_secret"], extensions[extension].hex())
                expected = call.expected
                if expected == "derived":
                    expected = material.association(material.MASTER, call.name)
                if expected is not None:
                    self.assertEqual(have[ident]["secret"], expected.hex(), call.params["name"])
            self.assertGreater(len(kept), 100)

    def test_public_part(self):
        for call in self.make():
            public = material.parse_request(call.request)
            kind = call.user_data[0] if call.user_data else None
            expected = {None: 0, "unsigned": 1}
            expected.update({name: row[1] for name, row in SIGNERS.items()})
            self.assertEqual(public.user_data_type, expected[kind])
            room = 512 if kind in (None, "unsigned") else SIGNERS[kind][0]
            self.assertEqual(call.request[0x218:0x218 + room],
                             (call.bytes or b"").ljust(room, b"\0"))
            self.assertEqual(public.phkhs, [host.phkh for host in call.hosts])
            self.assertEqual(call.result["tag"], public.tag.hex())
            self.assertEqual("cck" in call.result, call.extension == "cck")

    def test_update_brings_the_new_cck(self):
        """The guest derives the extension secret from it from then on."""
        one = guest.Guest(self.pki.hosts[0], HDR, material.CANARY_CCK, True)
        calls = [call for call in self.make() if call.word == "update-cck"
                 and call.extension == "cck"]
        before = next(call for call in self.make() if call.extension == "cck" and call.name)
        self.assertTrue(one.add(before.request).startswith("accepted"))
        self.assertTrue(one.add(calls[0].request).startswith("accepted update-cck"))
        self.assertTrue(one.add(before.request).startswith("refused extension-secret"))
        with self.client() as client:
            after = client.call("create_association", dict(before_params(before), cck="other"))
        self.assertTrue(one.add(base64.b64decode(after["request"])).startswith("accepted"))

    def signature_of(self, call):
        """What is signed, and by what."""
        room = SIGNERS[call.user_data[0]][0]
        at = 0x218 + room
        place = call.request[at:0x418]
        signed = call.request[:at] + bytes(512 - room) + call.request[0x418:-16]
        if call.user_data[0] == "ec":
            size = struct.unpack_from(">H", place, 139 + 5)[0]
            self.assertEqual(place[size:144] + place[146:], bytes(256 - size - 2))
            return signed, place[:size]
        return signed, place

    def verifies(self, name, signed, signature, key=None):
        path = os.path.join(harness.WORK, "signature")
        harness.write_file(path, signature)
        harness.write_file(path + ".data", signed)
        options = [] if name == "ec" else ["-sigopt", "rsa_padding_mode:pss", "-sigopt",
                                           "rsa_mgf1_md:sha512"]
        done = harness.run_program("openssl", "dgst", "-sha512", *options, "-verify",
                                   signing_key(key or name)[1], "-signature", path, path + ".data")
        return done.returncode == 0

    def test_signatures(self):
        for name in SIGNERS:
            calls = [call for call in self.make()
                     if call.user_data and call.user_data[0] == name]
            for call in self.rng.sample(calls, 6):
                signed, signature = self.signature_of(call)
                self.assertTrue(self.verifies(name, signed, signature), call.method)
            # Any other byte, and it does not.
            for at in self.rng.sample(range(len(signed)), 5):
                self.assertFalse(self.verifies(name, material.flip(signed, at * 8), signature))
            other = {"rsa2048": "rsa3072", "rsa3072": "rsa2048", "ec": "rsa2048"}[name]
            self.assertFalse(self.verifies(name, signed, signature, other))

    def test_salt_is_the_longest(self):
        """As pvsecret's: 190 bytes, and 318."""
        for name, salt in (("rsa2048", 190), ("rsa3072", 318)):
            call = next(call for call in self.make()
                        if call.user_data and call.user_data[0] == name)
            signed, signature = self.signature_of(call)
            path = os.path.join(harness.WORK, "salt")
            harness.write_file(path, signature)
            harness.write_file(path + ".data", signed)
            for length, good in ((salt, True), (salt - 1, False)):
                done = harness.run_program(
                    "openssl", "dgst", "-sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt",
                    "rsa_mgf1_md:sha512", "-sigopt", "rsa_pss_saltlen:%d" % length, "-verify",
                    signing_key(name)[1], "-signature", path, path + ".data")
                self.assertEqual(done.returncode == 0, good, (name, length))

    def test_status(self):
        with self.client() as client:
            status = client.call("get_status")
        self.assertEqual({name: status[name] for name in (
            "cck_count", "extension_secret_count", "user_sign_key_count", "image_count",
            "has_association_master")},
            {"cck_count": 2, "extension_secret_count": 1, "user_sign_key_count": 3,
             "image_count": 1, "has_association_master": True})


def before_params(call):
    params = {key: value for key, value in call.params.items()
              if key in ("hdr", "host_keys")}
    params["name"] = "after"
    return params
