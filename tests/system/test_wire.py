# SPDX-License-Identifier: MIT
"""The same call, however its bytes come, and from clients that others wrote"""
import asyncio
import base64
import json
import shutil
import socket
import unittest

import guest
import harness
import material
import pki

try:
    import aiorpcx
except ImportError:
    aiorpcx = None

HDR = material.header("wire")


class Wire(harness.Case):
    """Delimiting, pipelining, ids, batches."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.guest = guest.Guest(cls.pki.hosts[0], HDR, material.CANARY_CCK, enforce=True)
        return harness.Daemon(cls.pki)

    def text(self, ident=1, form=None, **more):
        """The call that all of them make; FORM(params) changes how its parameters are given."""
        params = dict(target(self.pki), name="wire %s" % ident, **more)
        return {"jsonrpc": "2.0", "id": ident, "method": "create_association",
                "params": form(params) if form else params}

    def check(self, answer, ident=1):
        """The answer is a request that the guest takes."""
        check_answer(self, answer, ident)

    def test_one_write(self):
        with self.client() as client:
            client.send(json.dumps(self.text()) + "\n")
            self.check(client.answer())
            client.finish()
            self.assertEqual(client.rest(), [])

    def test_no_line_feed(self):
        with self.client() as client:
            client.send(json.dumps(self.text()))
            self.check(client.answer())

    def test_a_byte_at_a_time(self):
        with self.client() as client:
            client.send_slowly(json.dumps(self.text()).encode())
            self.check(client.answer())
            client.finish()
            self.assertEqual(client.rest(), [])

    def test_three_in_one_write(self):
        with self.client() as client:
            client.send("".join(json.dumps(self.text(i)) for i in (1, 2, 3)))
            answers = {answer["id"]: answer for answer in (client.answer() for _ in range(3))}
            for i in (1, 2, 3):
                self.check(answers[i], i)
            client.finish()
            self.assertEqual(client.rest(), [])

    def test_two_and_a_half_then_the_rest(self):
        with self.client() as client:
            third = json.dumps(self.text(3))
            client.send(json.dumps(self.text(1)) + "\r\n\t " + json.dumps(self.text(2))
                        + third[:100])
            answers = {answer["id"]: answer for answer in (client.answer() for _ in range(2))}
            self.assertEqual(set(answers), {1, 2})
            client.send(third[100:])
            self.check(client.answer(), 3)

    def test_pretty_printed(self):
        with self.client() as client:
            client.send(json.dumps(self.text(), indent=8, sort_keys=True).replace("\n", "\r\n"))
            self.check(client.answer())

    def test_white_space_alone(self):
        with self.client() as client:
            client.send(" \t\r\n" * 1000)
            client.finish()
            self.assertEqual(client.rest(), [])

    def test_half_closed(self):
        with self.client() as client:
            client.send(json.dumps(self.text()))
            client.finish()
            answers = client.rest()
            self.assertEqual(len(answers), 1)
            self.check(answers[0])

    def test_half_a_text_runs_nothing(self):
        with self.client() as client:
            client.send(json.dumps(self.text(1)))
            client.send(json.dumps(self.text(2))[:-1])
            client.finish()
            answers = client.rest()
            self.assertEqual([answer["id"] for answer in answers], [1])
            self.check(answers[0])

    def test_params_in_a_list(self):
        with self.client() as client:
            client.send(json.dumps(self.text(form=lambda params: [params])))
            self.check(client.answer())

    def test_no_params(self):
        with self.client() as client:
            for params in ("", ',"params":null', ',"params":[]', ',"params":{}',
                           ',"params":[{}]'):
                client.send('{"jsonrpc":"2.0","id":"p","method":"ping"%s}' % params)
                self.assertEqual(client.answer(), {"jsonrpc": "2.0", "id": "p", "result": {}},
                                 params)

    def test_params_by_position(self):
        with self.client() as client:
            for params in ([1], ["a", {}], [{}, {}], [[]], [None]):
                client.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "create_association",
                                        "params": params}))
                answer = client.answer()
                self.assert_error(answer, -32602, "by-name")
                self.assertLessEqual({"name", "hdr", "host_keys", "cck", "secret"},
                                     set(answer["error"]["data"]["expected"]))

    def test_pipelined(self):
        with self.client() as client:
            client.send("".join(json.dumps(self.text(i)) for i in range(100)))
            answers = {}
            for _ in range(100):
                answer = client.answer()
                self.assertNotIn(answer["id"], answers)
                answers[answer["id"]] = answer
            self.assertEqual(set(answers), set(range(100)))
            client.finish()
            self.assertEqual(client.rest(), [])
        requests = [base64.b64decode(answer["result"]["request"]) for answer in answers.values()]
        self.assertTrue(all(line.startswith("accepted association ")
                            for line in self.guest.judge(requests)))
        # Everything that must be fresh is.
        public = [material.parse_request(request) for request in requests]
        self.assertEqual(len({r.iv for r in public}), 100)
        self.assertEqual(len({r.customer_key for r in public}), 100)

    def test_ids(self):
        with self.client() as client:
            for ident in (0, -1, 2 ** 63 - 1, -2 ** 63, "", "a" * 128, "\u00fc\U0001f511", "\"\\/\t",
                          "}{ }]{", None):
                client.post("ping", ident=ident) if ident is not None else client.send(
                    '{"jsonrpc":"2.0","id":null,"method":"ping"}')
                answer = client.answer()
                self.assertEqual(answer["id"], ident)
                self.assertEqual(answer["result"], {})

    def test_bad_ids(self):
        with self.client() as client:
            for ident in ('"%s"' % ("a" * 129), "1.5", "true", "[]", "{}", '["a"]'):
                client.send('{"jsonrpc":"2.0","id":%s,"method":"ping"}' % ident)
                answer = client.answer()
                self.assert_error(answer, -32600, "id")
                self.assertIsNone(answer["id"])

    def test_notifications_are_not_answered(self):
        with self.client() as client:
            client.send('{"jsonrpc":"2.0","method":"ping"}{"jsonrpc":"2.0","method":"nothing"}'
                        '{"jsonrpc":"2.0","method":"create_association"}'
                        '{"jsonrpc":"2.0","id":"then","method":"ping"}')
            client.finish()
            self.assertEqual([answer["id"] for answer in client.rest()], ["then"])

    def test_batch(self):
        with self.client() as client:
            client.send(json.dumps([self.text(1), {"jsonrpc": "2.0", "method": "ping"},
                                    {"jsonrpc": "2.0", "id": 2, "method": "nothing"}, 3,
                                    {"jsonrpc": "2.0", "id": 4, "method": "ping"}]))
            answers = client.answer()
            self.assertIsInstance(answers, list)
            by_id = {answer["id"]: answer for answer in answers}
            self.assertEqual(len(answers), 4)
            self.assertEqual(set(by_id), {1, 2, None, 4})
            self.check(by_id[1])
            self.assert_error(by_id[2], -32601, "method")
            self.assert_error(by_id[None], -32600, "request")
            self.assertEqual(by_id[4]["result"], {})

    def test_batch_of_notifications(self):
        with self.client() as client:
            client.send('[{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"ping"}]')
            client.send('{"jsonrpc":"2.0","id":"then","method":"ping"}')
            client.finish()
            self.assertEqual([answer["id"] for answer in client.rest()], ["then"])

    def test_batch_of_the_most_calls(self):
        calls = [{"jsonrpc": "2.0", "id": i, "method": "ping"} for i in range(65)]
        with self.client() as client:
            client.send(json.dumps(calls[:64]))
            answers = client.answer()
            self.assertEqual({answer["id"] for answer in answers}, set(range(64)))
            client.send(json.dumps(calls))
            self.assert_error(client.answer(), -32004, "batch-size")
            self.assertEqual(client.call("ping"), {})

    def test_given_secret(self):
        """The one way for a secret into the daemon, in one write and byte by byte."""
        given = base64.b64encode(material.CANARY_SECRET).decode()
        with self.client() as client:
            text = json.dumps(self.text(1, secret={"value": given}))
            client.send(text)
            self.check(client.answer())
            client.send_slowly(text.replace('"id": 1', '"id": 2').encode())
            answer = client.answer()
            self.assertEqual(answer["id"], 2)
            answer["id"] = 1  # the secret's name is that of the first
            self.check(answer)
        self.guest.add(base64.b64decode(answer["result"]["request"]))
        stored = self.guest.secrets()[answer["result"]["secret"]["id"]]
        self.assertEqual(stored["secret"], material.CANARY_SECRET.hex())


class Clients(harness.Case):
    """Programs and libraries that others wrote, as they are."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        cls.guest = guest.Guest(cls.pki.hosts[0], HDR, material.CANARY_CCK, enforce=True)
        return harness.Daemon(cls.pki)

    def text(self, **more):
        return json.dumps(dict({"jsonrpc": "2.0", "id": 1, "method": "create_association",
                                "params": dict(target(self.pki), name="wire 1")}, **more))

    def through(self, *argv, data):
        """What a program that copies its input to the socket gets back."""
        if not shutil.which(argv[0]):
            self.skipTest("%s is not installed" % argv[0])
        done = harness.run_program(*argv, data=data.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(len(lines), 1, done.stdout[:500])
        return json.loads(lines[0])

    def test_socat(self):
        for text in (self.text(), self.text() + "\n"):
            answer = self.through("socat", "-t30", "-", "UNIX-CONNECT:" + self.daemon.socket_path,
                                  data=text)
            check_answer(self, answer, 1)

    def test_nc(self):
        for text in (self.text(), self.text() + "\n"):
            answer = self.through("nc", "-N", "-U", self.daemon.socket_path, data=text)
            check_answer(self, answer, 1)

    def test_python_json_and_socket(self):
        """As a page of a tutorial has it: a file object, json.load() of one line."""
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(harness.DEADLINE)
            plain.connect(self.daemon.socket_path)
            stream = plain.makefile("rw", encoding="utf-8")
            json.dump(json.loads(self.text()), stream)
            stream.flush()
            check_answer(self, json.loads(stream.readline()), 1)

    @unittest.skipUnless(aiorpcx, "python3-aiorpcx is not installed")
    def test_library(self):
        """aiorpcX: calls, an error, a notification, a batch."""
        class ToUnix:
            """How the library is told of another way to connect (as it does for proxies)."""

            def __init__(self, path):
                self.path = path

            async def create_connection(self, factory, _host, _port, **_more):
                def protocol():
                    made = factory()
                    made._proxy = self  # pylint: disable=protected-access
                    return made
                loop = asyncio.get_running_loop()
                return await loop.create_unix_connection(protocol, self.path)

        async def talk():
            async with aiorpcx.connect_rs("unix", 1, ToUnix(self.daemon.socket_path)) as session:
                self.assertEqual(await session.send_request("ping"), {})
                await session.send_notification("ping")
                result = await session.send_request("create_association",
                                                    dict(target(self.pki), name="wire 1"))
                try:
                    await session.send_request("nothing", {})
                except aiorpcx.RPCError as error:
                    code = error.code
                async with session.send_batch() as batch:
                    batch.add_request("ping")
                    batch.add_request("list_ccks", {})
                many = await asyncio.gather(*(session.send_request("ping") for _ in range(50)))
                return result, code, batch.results, many

        async def in_time():
            return await asyncio.wait_for(talk(), harness.DEADLINE)

        result, code, batch, many = asyncio.run(in_time())
        check_answer(self, {"id": 1, "result": result}, 1)
        self.assertEqual(code, -32601)
        self.assertEqual(batch[0], {})
        self.assertEqual(batch[1]["ccks"][0]["name"], "cck")
        self.assertEqual(many, [{}] * 50)


def target(where):
    """The parameters that say where a secret shall go."""
    return {"hdr": base64.b64encode(HDR).decode(), "cck": "cck",
            "host_keys": [{"document": where.hosts[0].pem}]}


def check_answer(case, answer, ident):
    """The result in full, and the request in it is one that the guest takes."""
    case.assertEqual(answer["id"], ident)
    case.assertIn("result", answer, answer)
    result = answer["result"]
    request = base64.b64decode(result["request"], validate=True)
    public = material.parse_request(request)
    host = case.pki.hosts[0]
    case.assertEqual(result["tag"], public.tag.hex())
    case.assertEqual(result["secret"], {"type": "association", "name": "wire %s" % ident,
                                        "id": public.id.hex()})
    case.assertEqual(result["cck"], {"name": "cck",
                                     "check_value": material.check_value(material.CANARY_CCK)})
    case.assertEqual([entry["phkh"] for entry in result["host_keys"]], public.phkhs)
    case.assertEqual(public.phkhs, [host.phkh])
    case.assertRegex(result["host_keys"][0]["valid_until"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    case.assertTrue(result["host_keys"][0]["subject"])
    case.assertEqual(public.identity, material.header_identity(HDR))
    case.assertEqual(case.guest.add(request), "accepted association " + public.id.hex())
