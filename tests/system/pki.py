# SPDX-License-Identifier: MIT
"""pki - the certificates of a run: one PKI by make-pki, made when the first test wants it"""
import base64
import functools
import hashlib
import os
import types

import harness

# The start of an uncompressed key on secp521r1 in a certificate, up to its point.
KEY = bytes.fromhex("30819b301006072a8648ce3d020106052b810400230381860004")


def der_of(pem):
    return base64.b64decode("".join(pem.split("-----")[2].split()))


def phkh_of(der):
    """The public host key hash: SHA-256 of X and Y, each left-padded to 80 bytes."""
    at = der.index(KEY) + len(KEY)
    return hashlib.sha256(bytes(14) + der[at:at + 66] + bytes(14) + der[at + 66:at + 132]
                          ).hexdigest()


def as_parameter(document):
    """A document's bytes as the API takes them: PEM as text, all else in base64."""
    if b"-----BEGIN " in document:
        return document.decode()
    return base64.b64encode(document).decode()


class Pki:
    """What make-pki wrote."""

    def __init__(self):
        self.top = os.path.join(harness.RUN, "pki")
        done = harness.run_program(harness.find_program("make-pki"), self.top)
        assert done.returncode == 0, done.stderr.decode()
        self.root = self.path("root.crt")
        self.trust = [self.path("trust.d", name) for name in os.listdir(self.path("trust.d"))]
        self.signing = self.path("signing.crt")
        self.intermediate = self.path("inter.crt")
        self.hosts = [self._host("host%d" % i) for i in range(1, 21)]

    def path(self, *names):
        return os.path.join(self.top, *names)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def crl(self, since, until, number, entries=0):
        """One more CRL of the signing key, in PEM; times in seconds from now; with so many entries
        besides."""
        done = harness.run_program(harness.find_program("make-pki"), "crl", self.top, str(since),
                                   str(until), str(number), str(entries))
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def _host(self, name):
        pem = self.read(name + ".crt").decode()
        der = der_of(pem)
        return types.SimpleNamespace(crt=self.path(name + ".crt"), key=self.path(name + ".key"),
                                     pem=pem, der=der, der64=base64.b64encode(der).decode(),
                                     phkh=phkh_of(der))

    def bad_document(self, name):
        return dict((row[0], row[1]) for row in self.bad_documents())[name]

    def bad_documents(self):
        """Host-key documents to be refused: what is wrong, bytes, reasons that are right."""
        good = self.hosts[0]
        lines = good.pem.splitlines(keepends=True)
        signed = bytearray(good.der)
        signed[-1] ^= 1
        # The point moved off the curve: the signature is wrong by then, too.
        point = bytearray(good.der)
        point[point.index(KEY) + len(KEY) + 131] ^= 1
        return [
            ("text", b"no certificate at all\n", "not-a-certificate"),
            ("random bytes", hashlib.shake_256(b"document").digest(1500), "not-a-certificate"),
            ("a cut certificate", good.der[:-1], "not-a-certificate"),
            ("PEM of nothing", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
             "not-a-certificate"),
            ("PEM that is cut", "".join(lines[:-3]).encode(), "not-a-certificate"),
            ("a private key", self.read("host1.key"), "not-a-certificate"),
            ("a CRL", self.read("signing.crl"), "not-a-certificate"),
            ("two documents", self.read("two.crt"), "several-documents"),
            ("bytes behind it", self.read("trailing.der"), "trailing-data"),
            ("RSA", self.read("rsa.crt"), "key-type"),
            ("P-256", self.read("p256.crt"), "key-type"),
            ("the signing key itself", self.read("signing.crt"), "key-type"),
            ("expired", self.read("expired.crt"), "expired"),
            ("not yet valid", self.read("not-yet.crt"), "not-yet-valid"),
            ("revoked", self.read("revoked.crt"), "revoked"),
            ("signed by a stranger", self.read("stranger.crt"), "signature"),
            ("a signature with a bit flipped", bytes(signed), "signature"),
            ("a point that is not on the curve", bytes(point), "key-invalid"),
            ("a weak signature", self.read("sha1.crt"), "weak-signature"),
            ("a CA", self.read("ca.crt"), "is-ca"),
            ("an unknown critical extension", self.read("critical.crt"), "critical-extension"),
            ("an issuer of another name", self.read("other-name.crt"), "issuer"),
        ]


@functools.lru_cache(maxsize=None)
def get():
    """The PKI of this run."""
    return Pki()
