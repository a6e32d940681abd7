# SPDX-License-Identifier: MIT
"""Bad input: each kind with its code, its reason and a text that says what to do

After each the same connection still works, where it can go on, and another client that was there
all along sees its own answers and nothing else. No answer has a byte of what was sent.
"""
import base64
import json
import random
import struct

import harness
import material
import pki

HDR = material.header("input")
MARK = "Xyzzy17quux"  # stands in bad input, and may stand in no answer


def b64(data):
    return base64.b64encode(data).decode()


def put(data, at, form, *values):
    """DATA with other integers at AT."""
    out = bytearray(data)
    struct.pack_into(form, out, at, *values)
    return bytes(out)


def raw_texts():
    """What is wrong before it is a call: name, bytes, code, reason, does the connection go on."""
    ping = '{"jsonrpc":"2.0","id":1,"method":"ping"%s}'
    deep = 100000
    long = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping",
                       "params": {"a": "x" * (1 << 20)}})
    many = ping % (',"params":{"a":[%s]}' % ",".join(["0"] * 5000))
    return [
        ("a word between texts", MARK + "\n", -32700, "garbage", True),
        ("a number between texts", "17\n", -32700, "garbage", True),
        ("a string between texts", '"%s"\n' % MARK, -32700, "garbage", True),
        ("a comma between texts", ",\n", -32700, "garbage", True),
        ("a bracket that closes nothing", "}\n", -32700, "garbage", True),
        ("a byte order mark", b"\xef\xbb\xbf{}\n", -32700, "garbage", True),
        ("syntax", '{"%s" 1}\n' % MARK, -32700, "syntax", True),
        ("a comment", '{/* %s */}\n' % MARK, -32700, "syntax", True),
        ("single quotes", "{'%s':1}\n" % MARK, -32700, "syntax", True),
        ("a comma too many", "[1,]\n", -32700, "syntax", True),
        ("the wrong bracket", '{"a":[}}\n', -32700, "syntax", True),
        ("a hexadecimal number", '{"a":0x10}\n', -32700, "syntax", True),
        ("a leading zero", '{"a":010}\n', -32700, "syntax", True),
        ("NaN", '{"a":NaN}\n', -32700, "syntax", True),
        ("a raw line feed in a string", '{"a":"b\n', -32700, "syntax", True),
        ("an unknown escape", '{"a":"\\q"}\n', -32700, "syntax", True),
        ("half a pair of surrogates", '{"a":"\\ud800"}\n', -32700, "syntax|utf-8", True),
        ("a number over 64 bits", '{"a":18446744073709551615}\n', -32700, "number", True),
        ("a number that is infinite", '{"a":1e999}\n', -32700, "number", True),
        ("U+0000", '{"a":"b\\u0000c"}\n', -32700, "nul", True),
        ("invalid UTF-8", b'{"a":"\xff"}\n', -32700, "utf-8", True),
        ("overlong UTF-8", b'{"a":"\xc0\xaf"}\n', -32700, "utf-8", True),
        ("a surrogate in UTF-8", b'{"a":"\xed\xa0\x80"}\n', -32700, "utf-8", True),
        ("a duplicate member", ping % ',"id":2' + "\n", -32700, "duplicate-member", True),
        ("a duplicate member, escaped", '{"%s":1,"\\u0058%s":2}\n' % (MARK, MARK[1:]),
         -32700, "duplicate-member", True),
        ("a duplicate parameter", ping % ',"params":{"a":{"b":1,"b":1}}' + "\n",
         -32700, "duplicate-member", True),
        ("100,000 levels of lists", "[" * deep + "]" * deep + "\n", -32004, "depth", True),
        ("100,000 levels of objects", '{"a":' * deep + "1" + "}" * deep + "\n",
         -32004, "depth", True),
        ("17 levels", "[" * 17 + "]" * 17 + "\n", -32004, "depth", True),
        ("too many values", many + "\n", -32004, "tokens", True),
        ("a text over the limit", long, -32004, "message-size", False),
        ("white space over the limit", "[" + " " * (1 << 20) + "1]", -32004, "message-size", False),
        ("HTTP GET", "GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % MARK, -32600, "http", False),
        ("HTTP POST", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", -32600, "http", False),
        ("HTTP PUT", "PUT /%s HTTP/1.1\r\n\r\n" % MARK, -32600, "http", False),
        ("an empty batch", "[]", -32600, "empty-batch", True),
        ("no request", "{}", -32600, "jsonrpc|request", True),
        ("an answer", '{"jsonrpc":"2.0","id":1,"result":{}}', -32600, "request", True),
        ("no version", '{"id":1,"method":"ping"}', -32600, "jsonrpc", True),
        ("another version", '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600, "jsonrpc", True),
        ("a number as version", '{"jsonrpc":2.0,"id":1,"method":"ping"}', -32600, "jsonrpc", True),
        ("no method", '{"jsonrpc":"2.0","id":1}', -32600, "request", True),
        ("a number as method", '{"jsonrpc":"2.0","id":1,"method":1}', -32600, "request", True),
        ("no such method", '{"jsonrpc":"2.0","id":1,"method":"%s"}' % MARK,
         -32601, "method", True),
        ("a string as params", ping % (',"params":"%s"' % MARK), -32602, "params", True),
        ("a parameter that ping has not", ping % (',"params":{"%s":1}' % MARK),
         -32602, "unknown-parameter", True),
    ]


def headers():
    """SE headers that are none: name, bytes, reason."""
    rng = random.Random("headers")
    size = len(HDR)
    return [
        ("nothing", b"", "header-short"),
        ("a few bytes", HDR[:15], "header-short"),
        ("the fixed part cut", HDR[:material.HEADER_FIXED - 1], "header-short"),
        ("the last byte missing", HDR[:-1], "header-short"),
        ("a byte too many", HDR + b"\0", "header-trailing"),
        ("bad magic", b"IBMSecEX" + HDR[8:], "header-magic"),
        ("another version", put(HDR, 8, ">I", 0x200), "header-version"),
        ("its size too large", put(HDR, 12, ">I", size + 1), "header-short|header-sizes"),
        ("its size too small", put(HDR, 12, ">I", size - 16), "header-sizes|header-trailing"),
        ("its size 0", put(HDR, 12, ">I", 0), "header-short|header-sizes"),
        ("its size 2^32 - 1", put(HDR, 12, ">I", 2 ** 32 - 1), "header-short|header-sizes"),
        ("too many keyslots", put(HDR, 0x20, ">Q", 3), "header-sizes"),
        ("2^64 - 1 keyslots", put(HDR, 0x20, ">Q", 2 ** 64 - 1), "header-sizes"),
        ("keyslots that overflow to the right sum", put(HDR, 0x20, ">Q", 2 + 2 ** 60),
         "header-sizes"),
        ("no keyslots", put(HDR, 0x20, ">Q", 0), "header-sizes"),
        ("the encrypted area too large", put(HDR, 0x28, ">Q", 2 ** 63), "header-sizes"),
        ("sizes that overflow to the right sum", put(HDR, 0x28, ">Q", 96 - 80 + 2 ** 64 - 80),
         "header-sizes"),
        ("random bytes", rng.randbytes(640), "header-magic"),
        ("a whole image", material.image(HDR)[:0x20000], "header-magic"),
    ]


class Input(harness.Case):
    """Each row of the tables against one daemon."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.good = cls.pki.hosts[0].pem
        return harness.Daemon(cls.pki)

    def setUp(self):
        self.observer = self.client("the observer")
        self.n = 0

    def tearDown(self):
        if self.daemon.process:
            self.observe()
            self.observer.finish()
            self.assertEqual(self.observer.rest(), [])

    def observe(self):
        """The other client gets the answer to its own call, and has got nothing else."""
        self.n += 1
        ident = "observer %d" % self.n
        self.observer.post("ping", ident=ident)
        self.assertEqual(self.observer.answer()["id"], ident)

    def params(self, **more):
        params = {"hdr": b64(HDR), "cck": "cck", "host_keys": [{"document": self.good}],
                  "name": "input"}
        params.update(more)
        return {name: value for name, value in params.items() if value is not None}

    def refused(self, client, method, params, code, reason, param=None):
        """The call is refused so, and the connection goes on."""
        answer = client.wait(client.post(method, params))
        self.assert_error(answer, code, answer.get("error", {}).get("data", {}).get("reason"),
                          param)
        self.assertIn(answer["error"]["data"]["reason"], reason.split("|"), answer)
        self.assertNotIn(MARK, json.dumps(answer))
        self.assertEqual(client.call("ping"), {})
        self.observe()
        return answer["error"]

    def test_texts(self):
        for name, text, code, reason, goes_on in raw_texts():
            with self.subTest(name), self.client(name) as client:
                self.assertEqual(client.call("ping"), {})
                client.send_what_it_takes(text if isinstance(text, bytes) else text.encode())
                answer = client.answer()
                self.assert_error(answer, code, answer["error"]["data"]["reason"])
                self.assertIn(answer["error"]["data"]["reason"], reason.split("|"), answer)
                self.assertNotIn(MARK, json.dumps(answer))
                if code in (-32700, -32004):
                    self.assertIsNone(answer["id"])
                if goes_on:
                    client.post("ping", ident="after")
                    self.assertEqual(client.answer(),
                                     {"jsonrpc": "2.0", "id": "after", "result": {}})
                    client.finish()
                self.assertEqual(client.rest(), [])
                self.observe()

    def test_half_a_text_and_the_end(self):
        with self.client() as client:
            client.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})[:-1])
            client.finish()
            self.assertEqual(client.rest(), [])

    def test_garbage_and_the_end(self):
        with self.client() as client:
            client.send(MARK)
            client.finish()
            answers = client.rest()
            self.assertEqual(len(answers), 1)
            self.assert_error(answers[0], -32700, "garbage")

    def test_calls_before_the_mistake_are_answered(self):
        with self.client() as client:
            client.send('{"jsonrpc":"2.0","id":1,"method":"ping"} %s more\n'
                        '{"jsonrpc":"2.0","id":2,"method":"ping"}' % MARK)
            client.finish()
            answers = client.rest()
            self.assertEqual(sorted(str(answer["id"]) for answer in answers), ["1", "2", "None"])

    def test_headers(self):
        with self.client() as client:
            for name, hdr, reason in headers():
                with self.subTest(name):
                    self.refused(client, "create_association", self.params(hdr=b64(hdr)), -32602,
                                 reason, "/hdr")

    def test_parameters(self):
        document = {"document": self.good}
        rows = [
            ("no name", {"name": None}, "missing", "/name"),
            ("a long name", {"name": "\u00fc" * 2048 + "a"}, "name", "/name"),
            ("a number as name", {"name": 1}, "type", "/name"),
            ("a list as name", {"name": []}, "type", "/name"),
            ("no header", {"hdr": None}, "missing", "/hdr"),
            ("a number as header", {"hdr": 1}, "type", "/hdr"),
            ("a header in hex", {"hdr": HDR.hex() + "~"}, "base64", "/hdr"),
            ("a header with line feeds", {"hdr": base64.encodebytes(HDR).decode()}, "base64",
             "/hdr"),
            ("a header without padding", {"hdr": b64(HDR + b"1")[:-1]}, "base64", "/hdr"),
            ("no host keys", {"host_keys": None}, "missing", "/host_keys"),
            ("an empty list of host keys", {"host_keys": []}, "host-keys", "/host_keys"),
            ("21 host keys", {"host_keys": [document] * 21}, "host-keys", "/host_keys"),
            ("a string as host keys", {"host_keys": self.good}, "type", "/host_keys"),
            ("a string as a host key", {"host_keys": [document, self.good]}, "type",
             "/host_keys/1"),
            ("an empty host key", {"host_keys": [{}]}, "host-key", "/host_keys/0"),
            ("a host key twice told", {"host_keys": [dict(document, name="host")]}, "host-key",
             "/host_keys/0"),
            ("an unknown member of a host key", {"host_keys": [dict(document, **{MARK: 1})]},
             "unknown-parameter", None),
            ("a number as document", {"host_keys": [{"document": 1}]}, "type",
             "/host_keys/0/document"),
            ("a path as a host key's name", {"host_keys": [{"name": "../" + MARK}]}, "key-name",
             "/host_keys/0/name"),
            ("a path as CCK", {"cck": "/etc/" + MARK}, "key-name", "/cck"),
            ("an empty CCK", {"cck": ""}, "key-name", "/cck"),
            ("a long CCK", {"cck": "a" * 65}, "key-name", "/cck"),
            ("an object as CCK", {"cck": {"value": MARK}}, "type", "/cck"),
            ("a short CUID", {"cuid": "4" * 31}, "cuid", "/cuid"),
            ("a CUID of 15 bytes", {"cuid": "42" * 15}, "cuid", "/cuid"),
            ("a long CUID", {"cuid": "42" * 17}, "cuid", "/cuid"),
            ("a CUID with 0x", {"cuid": "0x" + "42" * 16}, "cuid", "/cuid"),
            ("a CUID with another letter", {"cuid": "4g" * 16}, "cuid", "/cuid"),
            ("a number as CUID", {"cuid": 42}, "type", "/cuid"),
            ("an unknown flag", {"flags": ["disable-dump", MARK]}, "flag", "/flags/1"),
            ("a string as flags", {"flags": "disable-dump"}, "type", "/flags"),
            ("a number as a flag", {"flags": [1]}, "type", "/flags/0"),
            ("an unknown parameter", {MARK + "\n": 1}, "unknown-parameter", None),
            ("another unknown parameter", {MARK: 1}, "unknown-parameter", None),
            ("no_verify as a number", {"no_verify": 1}, "type", "/no_verify"),
            ("use_name as text", {"use_name": "yes"}, "type", "/use_name"),
            ("use_name with a long name", {"name": "n" * 32, "use_name": True}, "use-name", "/name"),
            ("a path as extension secret", {"cck": None, "extension_secret": "../" + MARK},
             "key-name", "/extension_secret"),
            ("a CCK and an extension secret", {"cck": "cck", "extension_secret": "e"},
             "cck-or-extension-secret", "/extension_secret"),
            ("a path as user signing key", {"user_sign_key": "/" + MARK}, "key-name",
             "/user_sign_key"),
            ("user data in hex", {"user_data": "~~"}, "base64", "/user_data"),
            ("513 bytes of user data", {"user_data": b64(bytes(513))}, "user-data", "/user_data"),
            ("pcf with 0x", {"pcf": "0x1"}, "pcf", "/pcf"),
            ("pcf and flags", {"pcf": "1", "flags": []}, "flags-or-pcf", "/pcf"),
            ("a type of an association secret", {"type": "aes"}, "unknown-parameter", None),
            ("a parameter of another case", {"CCK": "cck"}, "unknown-parameter", None),
            ("a string as secret", {"secret": MARK}, "type", "/secret"),
            ("an empty secret", {"secret": {}}, "secret", "/secret"),
            ("a secret of two kinds", {"secret": {"random": True, "value": b64(bytes(32))}},
             "secret", "/secret"),
            ("a random secret that is none", {"secret": {"random": False}}, "secret", None),
            ("a secret of 31 bytes", {"secret": {"value": b64(bytes(31))}}, "secret-size",
             None),
            ("a secret of 33 bytes", {"secret": {"value": b64(bytes(33))}}, "secret-size",
             None),
            ("a secret in hex", {"secret": {"value": "~" * 64}}, "base64", None),
            ("a number as a secret's value", {"secret": {"value": 17}}, "type", None),
            ("a string as certificates", {"certificates": self.good}, "type", "/certificates"),
            ("a number as a certificate", {"certificates": [1]}, "type", "/certificates/0"),
        ]
        with self.client() as client:
            for name, change, reason, param in rows:
                with self.subTest(name):
                    self.refused(client, "create_association", self.params(**change), -32602,
                                 reason, param)
            # The same daemon, the same connection, nothing wrong.
            self.assertIn("request", client.call("create_association", self.params()))

    def test_no_such_thing(self):
        with self.client() as client:
            error = self.refused(client, "create_association", self.params(cck="nonesuch"), -32003,
                                 "cck", "/cck")
            self.assertEqual(error["data"].get("name"), "nonesuch")
            self.assertIn("cck.d", error["data"]["hint"])
            error = self.refused(client, "create_association",
                                 self.params(host_keys=[{"name": "nonesuch"}]), -32003,
                                 "host-key", "/host_keys/0/name")
            self.assertEqual(error["data"].get("name"), "nonesuch")

    def test_host_keys(self):
        """By both methods, as the second of two, so that the pointer must be right."""
        rows = self.pki.bad_documents()
        self.assertGreaterEqual(len(rows), 12)
        with self.client() as client:
            for name, raw, reason in rows:
                with self.subTest(name):
                    document = pki.as_parameter(raw)
                    self.refused(client, "verify_host_key", {"host_key_document": document},
                                 -32002, reason, "/host_key_document")
                    self.refused(client, "create_association",
                                 self.params(host_keys=[{"document": self.good},
                                                        {"document": document}]),
                                 -32002, reason, "/host_keys/1/document")
            result = client.call("verify_host_key", {"host_key_document": self.good})
            self.assertEqual(result["phkh"], self.pki.hosts[0].phkh)
