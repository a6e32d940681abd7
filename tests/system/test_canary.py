# SPDX-License-Identifier: MIT
"""No key byte outside of the vault, whatever a client sends; and that this would be noticed"""
import base64
import json
import os
import subprocess
import sys
import unittest

import canary
import guest
import harness
import material
import pki
from test_secrets import signing_key

HDR = material.header("canary")
VALUE = base64.b64encode(material.CANARY_SECRET).decode()
HELPER = """
import base64, sys
secret = bytes.fromhex(sys.stdin.readline()[::-1].strip())
kept = {"raw": bytearray(secret), "hex": bytearray(secret.hex().encode()),
        "HEX": bytearray(secret.hex().upper().encode()),
        "base64": bytearray(base64.b64encode(b"..x" [:int(sys.argv[2])] + secret))}[sys.argv[1]]
del secret
print("ready", flush=True)
sys.stdin.readline()
"""

# Starts a program for which there is no memfd_secret(2), as on kernels that have none: Debian 12's.
WITHOUT = """
import ctypes, os, struct, sys
code = struct.pack("=" + "HBBI" * 4, 0x20, 0, 0, 0,  # the number of the system call
                   0x15, 0, 1, 447,             # memfd_secret
                   0x06, 0, 0, 0x50000 | 38,    # ENOSYS
                   0x06, 0, 0, 0x7fff0000)      # any other: go on
filter = ctypes.create_string_buffer(code, len(code))
program = ctypes.create_string_buffer(struct.pack("@HP", 4, ctypes.addressof(filter)))
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() != 0:
    libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, program, 0, 0) != 0:
    sys.exit("no seccomp filters here")
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Control(unittest.TestCase):
    """The search finds what is there."""

    NEEDLE = [canary.Needle("the bait", bytes(range(0x61, 0x81)))]

    def test_in_bytes(self):
        bait = bytes(range(0x61, 0x81))
        for data, form in ((b"x" + bait + b"y", "raw"), (bait[16:], "raw"), (bait[:16], "raw"),
                           (bait.hex().encode(), "hex"), (bait.hex().upper().encode(), "HEX")):
            self.assertIn(form, self.NEEDLE[0].found_in(data))
        for before in range(4):
            for after in range(3):
                text = base64.b64encode(bytes(before) + bait + bytes(after))
                for part in (text, text[:len(text) // 2 + 4], text[len(text) // 2 - 4:]):
                    self.assertEqual(self.NEEDLE[0].found_in(part), ["base64"], (before, after))
        self.assertEqual(self.NEEDLE[0].found_in(bytes(range(256))[::-1] * 4), [])

    def test_in_files(self):
        top = os.path.join(harness.WORK, "bait")
        harness.write_file(os.path.join(top, "a", "file"), b"x" * 10 + bytes(range(0x61, 0x81)))
        harness.write_file(os.path.join(top, "b", "file"), b"nothing")
        lines, n = canary.scan_files(top, self.NEEDLE)
        self.assertEqual((len(lines), n), (1, 2))
        self.assertIn("a/file: raw of the bait", lines[0])

    def test_in_what_was_said(self):
        recorder = harness.Recorder()
        recorder.add("replies", b"....")
        self.assertEqual(recorder.look(), [])
        recorder.add("replies", VALUE.encode()[:20])
        recorder.add("replies", VALUE.encode()[20:])
        self.assertEqual(recorder.look(), ["replies: base64 of a given secret"])

    def test_in_another_process(self):
        """A process that has it in one form: found, and in that form."""
        for form, before in (("raw", 0), ("hex", 0), ("HEX", 0), ("base64", 0), ("base64", 1),
                             ("base64", 2)):
            with subprocess.Popen([sys.executable, "-c", HELPER, form, str(before)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                # Backwards: what the pipe's buffers keep is not it.
                process.stdin.write(material.CANARY_SECRET.hex().encode()[::-1] + b"\n")
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), b"ready\n")
                try:
                    seen = canary.scan_process(process.pid, harness.NEEDLES)
                except canary.Unreadable as error:
                    process.kill()
                    self.skipTest(str(error))
                process.stdin.close()
            self.assertTrue([line for line in seen.ordinary
                             if line.endswith(": %s of a given secret" % form)], form)
            self.assertEqual(seen.arena, [])


class Canary(harness.Case):
    """Everything that a client can send with a secret in it, good and bad."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.guest = guest.Guest(cls.pki.hosts[0], HDR, material.CANARY_CCK, enforce=True)
        return harness.Daemon(
            cls.pki, through=cls.through, images={"web": HDR},
            ccks={"cck": material.CANARY_CCK, "other": material.OTHER_CCK},
            credentials={"ext_held": material.HELD_SECRET, "assoc_master": material.MASTER,
                         "sign_ec": signing_key("ec")[0], "sign_rsa": signing_key("rsa3072")[0]},
            access={"all": {"Users": "*", "Methods": "*", "Ccks": "*", "ExtensionSecrets": "*",
                            "SignKeys": "*", "Names": "*", "Images": "*"}})

    through = ()

    def params(self, **more):
        return dict({"hdr": base64.b64encode(HDR).decode(), "name": "canary", "cck": "cck",
                     "host_keys": [{"document": self.pki.hosts[0].pem}],
                     "secret": {"value": VALUE}}, **more)

    def check(self):
        """Now, with the connection still open."""
        harness.check_everything_said()
        try:
            return self.daemon.check_memory()
        except canary.Unreadable as error:
            return self.skipTest(str(error))

    def texts(self):
        """Texts with the secret where it belongs, all else being wrong or odd."""
        call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "create_association",
                           "params": self.params()})
        ping = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"secret":{"value":"%s"}}}' % VALUE
        escaped = "".join("\\u%04x" % ord(c) for c in VALUE)
        return {
            "good": call,
            "pretty-printed": json.dumps(json.loads(call), indent=4),
            "params in a list": call.replace('"params": {', '"params": [{')[:-1] + "]}",
            "in a batch": "[%s,%s]" % (call, call.replace('"id": 1', '"id": 2')),
            "a notification": call.replace('"id": 1, ', ""),
            "escaped characters": call.replace(VALUE, escaped),
            "escaped member names": call.replace('"secret"', '"s\\u0065cret"')
                                        .replace('"value"', '"valu\\u0065"'),
            "another method": ping,
            "no such method": ping.replace("ping", "nothing"),
            "no version": call.replace('"jsonrpc": "2.0", ', ""),
            "a bad id": call.replace('"id": 1', '"id": [1]'),
            "no such CCK": call.replace('"cck": "cck"', '"cck": "nonesuch"'),
            "an unknown parameter": call.replace('"name":', '"nonesuch": 1, "name":'),
            "an unknown member behind it": call.replace('{"value": "%s"' % VALUE,
                                                        '{"value": "%s", "x": 1' % VALUE),
            "both random and value": call.replace('{"value":', '{"random": true, "value":'),
            "33 bytes": call.replace(VALUE, base64.b64encode(
                material.CANARY_SECRET + b"!").decode()),
            "34 bytes": call.replace(VALUE, base64.b64encode(
                b"!!" + material.CANARY_SECRET).decode()),
            "no padding": call.replace(VALUE, VALUE.rstrip("=")),
            "no base64": call.replace(VALUE, VALUE + "~"),
            "in hex": call.replace(VALUE, material.CANARY_SECRET.hex()),
            "two secrets": call.replace('"secret":', '"secret": {"value": "%s"}, "secret":'
                                        % VALUE),
            "two values": call.replace('"value":', '"value": "%s", "value":' % VALUE),
            "a header too long": call.replace('"hdr": "', '"hdr": "AAAA'),
            "syntax behind it": call[:-1] + ",}\n",
            "invalid UTF-8 behind it": (call[:-1] + ',"x":"').encode() + b'\xff"}\n',
            "too deep behind it": call[:-1] + ',"x":' + "[" * 20 + "]" * 20 + "}\n",
            "depth of the secret": '{"a":' * 12 + call + "}" * 12,
            "a bad answer": '{"jsonrpc":"2.0","id":1,"result":{"secret":{"value":"%s"}}}' % VALUE,
        }

    def test_texts(self):
        for name, text in self.texts().items():
            with self.subTest(name), self.client() as client:
                client.send(text if isinstance(text, bytes) else text.encode())
                # Its answer, if there is one, comes before or after this one's.
                client.send('\n{"jsonrpc":"2.0","id":"after","method":"ping"}')
                answers = [client.answer()]
                while not any(isinstance(answer, dict) and answer["id"] == "after"
                              for answer in answers):
                    answers.append(client.answer())
                client.finish()
                answers += client.rest()
                self.assertLessEqual(len(answers), 2)
        self.check()

    def test_other_secrets(self):
        """Retrievable, derived, with held keys of every kind; and refused late."""
        with self.client() as client:
            for method, more in (
                    ("create_retrievable", {"type": "aes"}),
                    ("create_retrievable", {"type": "ec", "curve": "ed25519"}),
                    ("create_retrievable", {"type": "plain", "user_sign_key": "ec"}),
                    ("create_association", {"secret": {"derive": True}}),
                    ("create_association", {"secret": {"derive": True}, "user_sign_key": "rsa",
                                            "cck": None, "extension_secret": "held"}),
                    ("create_meta", {"name": None, "secret": None, "user_sign_key": "rsa"}),
                    ("create_update_cck", {"name": None, "secret": None, "new_cck": "other"})):
                params = {name: value for name, value in self.params(**more).items()
                          if value is not None}
                for _ in range(5):
                    client.call(method, params)
            # A value that fits nothing, a key that is not there, user data that are too long.
            for more in ({"type": "ec", "curve": "secp256r1", "secret": {"value": base64.b64encode(
                    b"\xff" * 32 + material.CANARY_SECRET).decode()}},
                         {"type": "aes", "user_sign_key": "none"},
                         {"type": "aes", "user_sign_key": "rsa",
                          "user_data": base64.b64encode(bytes(129)).decode()}):
                with self.assertRaises(harness.Refused):
                    client.call("create_retrievable", self.params(**more))
            self.check()
        self.check()

    def test_with_the_connection_open(self):
        with self.client() as client:
            client.call("create_association", self.params())
            self.check()
            client.send_slowly(json.dumps({"jsonrpc": "2.0", "id": "s", "params": self.params(),
                                           "method": "create_association"}).encode())
            client.answer()
            self.check()

    def test_half_a_text_then_the_end(self):
        for text in (json.dumps({"params": self.params()}),):
            end = text.index(VALUE) + len(VALUE)
            for cut in (end - 8, end, end + 1, len(text) - 1):
                with self.client() as client:
                    client.send(text[:cut])
                    client.finish()
                    self.assertEqual(client.rest(), [])
        self.check()

    def test_client_that_goes_away(self):
        with self.client() as client:
            for _ in range(10):
                client.post("create_association", self.params())
        with self.client() as client:
            client.call("ping")
            client.call("create_association", self.params())
        self.check()

    def test_text_over_the_limit(self):
        with self.client() as client:
            client.send_what_it_takes(json.dumps(
                {"params": self.params(), "more": "x" * (1 << 20)}).encode())
            self.assertEqual(client.answer()["error"]["data"]["reason"], "message-size")
            self.assertEqual(client.rest(), [])
        self.check()

    def test_pipelined(self):
        with self.client() as client:
            idents = [client.post("create_association", self.params()) for _ in range(50)]
            results = [client.wait(ident) for ident in idents]
            self.check()
        self.assertTrue(all("result" in answer for answer in results))
        # It did arrive.
        request = base64.b64decode(results[0]["result"]["request"])
        self.guest.add(request)
        self.assertEqual(list(self.guest.secrets().values())[0]["secret"],
                         material.CANARY_SECRET.hex())

    def test_after_a_reload_and_a_crash(self):
        with self.client() as client:
            client.call("create_association", self.params())
            self.daemon.reload()
            client.call("create_association", self.params())
            worker = self.daemon.worker("vault")
            worker.kill()
            worker.wait()
            client.call("create_association", self.params())
            self.check()

    def test_vault_keeps_it_where_it_should(self):
        """The arena is where the CCK is, or nobody can read the arena at all."""
        with self.client() as client:
            client.call("list_ccks")
            kind = client.call("get_status")["locked_memory"]["kind"]
        seen = self.check()
        vault = [memory for role, memory in seen.items() if role.startswith("vault")]
        self.assertEqual(len(vault), 1)
        self.assertGreaterEqual(vault[0].arenas, 1)
        if kind == "memfd_secret":
            self.assertGreater(vault[0].secret, 0)
            self.assertEqual(vault[0].arena, [])
        else:
            self.assertTrue([line for line in vault[0].arena if "raw of the CCK" in line])
        for role, memory in seen.items():
            self.assertGreater(memory.bytes, 100000, role)
            if not role.startswith("vault"):
                self.assertEqual(memory.arena, [], role)


class WithoutMemfdSecret(Canary):
    """The same where the arena is memory that root can look into: so what was in it and is not
    needed any more is seen to be gone, from the vault and from the front."""

    through = (sys.executable, "-c", WITHOUT)

    def test_it_is_another_kind(self):
        with self.client() as client:
            self.assertEqual(client.call("get_status")["locked_memory"]["kind"], "mlock")
        for memory in self.check().values():
            self.assertEqual(memory.secret, 0)
