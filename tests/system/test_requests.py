# SPDX-License-Identifier: MIT
"""1,000 random requests: each is accepted by the guest that it is for, and by no other"""
import base64
import hashlib
import random
import types

import guest
import harness
import material
import pki

COUNT = 1000
AT_ONCE = 20


def random_name(rng, i):
    """Text in UTF-8 of every kind that is text, different for every I."""
    ranges = ((0x20, 0x7e), (0xa0, 0x24f), (0x370, 0x3ff), (0x4e00, 0x9fff), (0x1f300, 0x1f5ff),
              (0x1, 0x1f), (0xe000, 0xe0ff), (0x10fff0, 0x10fffd))
    text = "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(0, 40)))
    return "%s%d" % (text, i)


class Thousand(harness.Case):
    """Guests that differ in header, machine, CCK and CUID, and requests for them."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.rng = random.Random("thousand")
        cls.guests = [cls.make_guest(*row) for row in (
            # header, machine, CCK, enforced, CUID
            ("a", 0, "cck", True, None),
            ("a", 1, "cck", True, "0123456789abcdef" * 2),
            ("b", 1, "other", True, None),
            ("b", 2, "other", True, "fedcba9876543210" * 2),
            ("c", 2, None, False, None),
            ("c", 0, None, False, "42" * 16),
        )]
        cls.calls = []
        return harness.Daemon(cls.pki, ccks=cls.KEYS)

    KEYS = {"cck": material.CANARY_CCK, "other": material.OTHER_CCK}

    @classmethod
    def make_guest(cls, seed, machine, cck, enforced, cuid):
        one = types.SimpleNamespace(host=cls.pki.hosts[machine], hdr=material.header(seed),
                                    cck=cck, enforced=enforced, cuid=cuid)
        one.ultravisor = cls.ultravisor(one)
        return one

    @classmethod
    def ultravisor(cls, one, **change):
        """The guest, or one that differs in one thing."""
        have = dict(vars(one), **change)
        return guest.Guest(have["host"], have["hdr"], cls.KEYS.get(have["cck"]), have["enforced"],
                           have["cuid"], 2 * COUNT)

    def make(self):
        """Asks for all requests, once; each call gets its parameters, guest, request."""
        if self.calls:
            return self.calls
        calls = [self.random_call(i) for i in range(COUNT)]
        with self.client() as client:
            for at in range(0, COUNT, AT_ONCE):
                idents = [client.post("create_association", call.params)
                          for call in calls[at:at + AT_ONCE]]
                for call, ident in zip(calls[at:], idents):
                    answer = client.wait(ident)
                    self.assertIn("result", answer, answer)
                    call.result = answer["result"]
                    call.request = base64.b64decode(call.result["request"])
        self.calls.extend(calls)
        return calls

    def random_call(self, i):
        rng = self.rng
        call = types.SimpleNamespace(guest=rng.choice(self.guests))
        hosts = [rng.choice(self.pki.hosts) for _ in range(rng.randint(0, 19))]
        hosts.insert(rng.randint(0, len(hosts)), call.guest.host)
        call.hosts = hosts
        call.params = {"name": random_name(rng, i),
                       "hdr": base64.b64encode(call.guest.hdr).decode(),
                       "host_keys": [{"document": host.pem if rng.random() < 0.5 else host.der64}
                                     for host in hosts]}
        if call.guest.cck:
            call.params["cck"] = call.guest.cck
        if call.guest.cuid and rng.random() < 0.7:
            call.params["cuid"] = rng.choice((call.guest.cuid, call.guest.cuid.upper()))
        if rng.random() < 0.4:
            call.params["flags"] = rng.choice(([], ["disable-dump"]))
        call.given = None
        if rng.random() < 0.5:
            call.given = rng.choice((rng.randbytes(32), material.CANARY_SECRET))
            call.params["secret"] = {"value": base64.b64encode(call.given).decode()}
        elif rng.random() < 0.5:
            call.params["secret"] = {"random": True}
        return call

    def of(self, one, **having):
        """The calls for one guest whose parameters are there or not as HAVING says."""
        return [call for call in self.make() if call.guest is one
                and all((name in call.params) == there for name, there in having.items())]

    def assert_refused(self, lines, reason):
        odd = {line for line in lines if not line.startswith("refused %s:" % reason)}
        self.assertFalse(odd, "among %d verdicts" % len(lines))

    def test_accepted(self):
        drawn = set()
        for one in self.guests:
            calls = self.of(one)
            lines = one.ultravisor.judge([call.request for call in calls], dry_run=False)
            stored = one.ultravisor.secrets()
            for call, line in zip(calls, lines):
                ident = hashlib.sha256(call.params["name"].encode()).hexdigest()
                self.assertEqual(line, "accepted association " + ident, call.params["name"])
                self.assertEqual(call.result["secret"],
                                 {"type": "association", "name": call.params["name"], "id": ident})
                entry = stored[ident]
                flags = 1 << 63 if call.params.get("flags") else 0
                self.assertEqual(int(entry["flags"], 16), flags)
                self.assertEqual(entry["extension_secret"], (
                    material.extension_secret(self.KEYS[one.cck], one.hdr)
                    if one.cck else bytes(32)).hex())
                if call.given:
                    self.assertEqual(entry["secret"], call.given.hex())
                else:
                    self.assertNotIn(entry["secret"], drawn)
                    drawn.add(entry["secret"])
        self.assertNotIn("00" * 32, drawn)
        self.assertGreater(len(drawn), COUNT // 4)

    def test_public_part(self):
        for call in self.make():
            public = material.parse_request(call.request)
            self.assertEqual(public.version, 0x100)
            self.assertEqual(public.user_data_type, 0)
            self.assertEqual(public.type, 2)
            self.assertEqual(public.phkhs, [host.phkh for host in call.hosts])
            self.assertEqual(public.identity, material.header_identity(call.guest.hdr))
            self.assertEqual(public.cuid.hex(), call.params.get("cuid", "00" * 16).lower())
            self.assertEqual(call.result["tag"], public.tag.hex())
            self.assertEqual([entry["phkh"] for entry in call.result["host_keys"]], public.phkhs)
        for field in ("iv", "customer_key", "tag"):
            self.assertEqual(len({getattr(material.parse_request(call.request), field)
                                  for call in self.make()}), COUNT)

    def test_refused_with_another_cck(self):
        for one in self.guests:
            if one.cck:
                other = self.ultravisor(one, cck="other" if one.cck == "cck" else "cck")
            else:
                other = self.ultravisor(one, cck="cck", enforced=True)
            lines = other.judge([call.request for call in self.of(one)])
            self.assert_refused(lines, "extension-secret")

    def test_refused_with_another_header(self):
        for one in self.guests:
            for hdr in (material.header("d"), one.hdr[:-1] + bytes([one.hdr[-1] ^ 1]),
                        material.flip(one.hdr, 0xe0 * 8)):
                lines = self.ultravisor(one, hdr=hdr).judge(
                    [call.request for call in self.of(one)])
                self.assert_refused(lines, "header")

    def test_refused_with_another_cuid(self):
        n = 0
        for one in self.guests:
            calls = self.of(one, cuid=True)
            n += len(calls)
            if calls:
                for cuid in ("00" * 15 + "01", None):
                    lines = self.ultravisor(one, cuid=cuid).judge(
                        [call.request for call in calls])
                    self.assert_refused(lines, "cuid")
            # Without one the request is good for every run of the image.
            free = self.of(one, cuid=False)
            lines = self.ultravisor(one, cuid="77" * 16).judge([call.request for call in free])
            self.assertTrue(all(line.startswith("accepted ") for line in lines))
        self.assertGreater(n, COUNT // 10)

    def test_refused_on_another_machine(self):
        for one in self.guests:
            calls = self.of(one)
            for host in self.pki.hosts[:4]:
                strangers = [call.request for call in calls if host not in call.hosts]
                if strangers:
                    self.assert_refused(self.ultravisor(one, host=host).judge(strangers),
                                        "host-key")

    def test_accepted_on_every_machine(self):
        one = self.guests[0]
        for host in self.pki.hosts[:5]:
            calls = [call.request for call in self.of(one) if host in call.hosts]
            lines = self.ultravisor(one, host=host).judge(calls)
            self.assertTrue(calls and all(line.startswith("accepted ") for line in lines))

    def test_refused_with_a_random_bit_flipped(self):
        for one in self.guests:
            flipped = [material.flip(call.request, self.rng.randrange(8 * len(call.request)))
                       for call in self.of(one)]
            lines = one.ultravisor.judge(flipped)
            self.assertFalse([line for line in lines if not line.startswith("refused ")])

    def test_refused_with_any_bit_flipped(self):
        """Every bit of one request with CCK and CUID, and of one without."""
        for one, cuid in ((self.guests[1], True), (self.guests[4], False)):
            request = min((call.request for call in self.of(one, cuid=cuid)), key=len)
            lines = one.ultravisor.judge(
                [material.flip(request, bit) for bit in range(8 * len(request))])
            good = [bit for bit, line in enumerate(lines) if not line.startswith("refused ")]
            self.assertFalse(good, "bits that may be flipped")
            self.assertTrue(one.ultravisor.add(request, dry_run=True).startswith("accepted "))
