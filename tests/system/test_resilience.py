# SPDX-License-Identifier: MIT
"""What happens when a process dies, when the daemon reloads, and when it is started anew"""
import base64
import json
import os
import signal
import time
import unittest

import harness
import material
import pki

HDR = material.header("resilience")
CALLS = 60


class Restarts(harness.Case):
    """kill -9, SIGHUP and SIGTERM, idle and during calls."""

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki, limits={"CallsPerUser": 8})

    def params(self, i=0, **more):
        """Calls for different machines and numbers of them, so that grants come and go."""
        hosts = self.pki.hosts
        chosen = [hosts[(i + j) % len(hosts)] for j in range(1 + i % 5)]
        return dict({"hdr": base64.b64encode(HDR).decode(), "name": "resilience %d" % i,
                     "cck": "cck", "host_keys": [{"document": host.pem} for host in chosen]},
                    **more)

    def ctl_create(self):
        """The next call, with nothing between: whatever has to be waited for is the client's."""
        document = self.pki.hosts[0].crt
        hdr = harness.write_file(os.path.join(harness.WORK, "resilience.hdr"), HDR)
        done = self.daemon.ctl("create", "association", "-k", document, "--hdr", hdr, "--cck",
                               "cck", "-o", "-", "--json=off", "resilience")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(material.parse_request(done.stdout).type, 2)

    def kill(self, role):
        """Kills and waits until the process is gone; not until the daemon has seen it."""
        with self.daemon.client() as client:  # so that there is a front
            client.call("ping")
            since = len(self.daemon.log)
            for pid in self.daemon.workers(role):
                one = harness.Pid(pid)
                one.kill()
                one.wait()
                one.close()
        return since

    # Idle.

    def test_kill_idle_then_pvsecretctl(self):
        # Five dead fronts of one user would be followed by a pause, and there are other tests.
        for role, rounds in (("front", 1), ("trust", 3), ("vault", 3)):
            for _ in range(rounds):
                with self.subTest(role):
                    self.kill(role)
                    self.ctl_create()

    def test_kill_idle_then_a_kept_connection(self):
        with self.client() as client:
            before = client.call("create_association", self.params())
            for role in ("trust", "vault"):
                with self.subTest(role):
                    self.kill(role)
                    after = client.call("create_association", self.params())
                    self.assertEqual(after["secret"], before["secret"])
                    self.assertEqual(client.call("list_ccks")["ccks"][0]["name"], "cck")

    def test_kill_the_front(self):
        """Its connections close; a new one finds another front."""
        with self.client() as client:
            client.call("ping")
            since = self.kill("front")
            self.assertEqual(client.rest(), [])
        self.daemon.wait_log(r"the front of uid \d+ died", since)
        with self.client() as client:
            client.call("create_association", self.params())

    def test_status_counts_them(self):
        with self.client() as client:
            before = client.call("get_status")
            since = self.kill("vault")
            self.daemon.wait_log("trust and the vault are back", since)
            after = client.call("get_status")
            self.assertEqual(after["restarts"], before["restarts"] + 1)

    # During calls.

    def post_all(self, client):
        return [client.post("create_association", self.params(i)) for i in range(CALLS)]

    def collect(self, client, idents, first):
        """Every call has exactly one answer, and it is a result."""
        answers = dict(first)
        while len(answers) < len(idents):
            answer = client.answer()
            self.assertNotIn(answer["id"], answers, "answered twice")
            answers[answer["id"]] = answer
        client.finish()
        self.assertEqual(client.rest(), [])
        self.assertEqual(set(answers), set(idents))
        errors = [answer["error"] for answer in answers.values() if "error" in answer]
        self.assertEqual(errors, [])
        names = {answers[ident]["result"]["secret"]["name"] for ident in idents}
        self.assertEqual(len(names), len(idents))

    def test_kill_during_calls(self):
        for role in ("trust", "vault", "vault", "trust"):
            with self.subTest(role), self.client() as client:
                idents = self.post_all(client)
                first = client.answer()
                worker = self.daemon.worker(role)
                worker.kill()
                self.collect(client, idents, {first["id"]: first})
                worker.wait()
                worker.close()

    def test_kill_both_during_calls(self):
        with self.client() as client:
            idents = self.post_all(client)
            first = client.answer()
            workers = [self.daemon.worker(role) for role in ("trust", "vault")]
            for worker in workers:
                worker.kill()
            self.collect(client, idents, {first["id"]: first})

    def test_kill_the_front_during_calls(self):
        """What was answered is whole; then the end, and the next connection works."""
        with self.client() as client:
            self.post_all(client)
            client.answer()
            for pid in self.daemon.workers("front"):
                os.kill(pid, signal.SIGKILL)
            client.rest_or_half()
        self.ctl_create()

    # Reload.

    def names(self, client):
        return [entry["name"] for entry in client.call("list_ccks")["ccks"]]

    def test_reload_brings_a_new_cck(self):
        path = self.daemon.write_cck("second", material.OTHER_CCK)
        self.addCleanup(self.daemon.reload)
        self.addCleanup(os.unlink, path)
        with self.client() as client:
            self.assertEqual(self.names(client), ["cck"])
            self.assertIn("reloaded", self.daemon.reload())
            self.assertEqual(self.names(client), ["cck", "second"])
            result = client.call("create_association", self.params(cck="second"))
            self.assertEqual(result["cck"]["check_value"],
                             material.check_value(material.OTHER_CCK))

    def test_reload_takes_a_cck_away(self):
        path = self.daemon.write_cck("second", material.OTHER_CCK)
        self.daemon.reload()
        with self.client() as client:
            client.call("create_association", self.params(cck="second"))
            os.unlink(path)
            self.daemon.reload()
            with self.assertRaises(harness.Refused) as caught:
                client.call("create_association", self.params(cck="second"))
            self.assertEqual((caught.exception.code, caught.exception.reason), (-32003, "cck"))

    @staticmethod
    def pair(status):
        return sorted((worker["role"], worker["pid"]) for worker in status["workers"]
                      if worker["role"] in ("trust", "vault"))

    def status_of_both(self, client):
        """Once trust and the vault are there, whatever came of those of the case before."""
        end = time.monotonic() + harness.DEADLINE
        while True:
            status = client.call("get_status")
            if [role for role, _ in self.pair(status)] == ["trust", "vault"]:
                return status
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_reload_with_a_bad_file_keeps_the_old(self):
        with self.client() as client:
            before = self.status_of_both(client)
            bad = self.daemon.write_cck("bad", b"short")
            new = self.daemon.write_cck("new", material.OTHER_CCK)
            said = self.daemon.reload()
            self.assertIn("reload failed", said)
            self.assertIn(bad, said)
            self.assertEqual(self.names(client), ["cck"])
            client.call("create_association", self.params())
            status = client.call("get_status")
            self.assertIn(bad, json.dumps(status, ensure_ascii=False))
            self.assertEqual(status["generation"], before["generation"])
            # The same two, once the pair that was refused has ended.
            end = time.monotonic() + harness.DEADLINE
            while self.pair(client.call("get_status")) != self.pair(before):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            os.unlink(bad)
            self.assertIn("reloaded", self.daemon.reload())
            self.assertEqual(self.names(client), ["cck", "new"])
            self.assertNotIn(bad, json.dumps(client.call("get_status"), ensure_ascii=False))
            os.unlink(new)
            self.daemon.reload()

    def test_reload_with_a_bad_configuration_keeps_the_old(self):
        with open(self.daemon.conf, encoding="utf-8") as file:
            good = file.read()
        self.addCleanup(self.daemon.reload)
        self.addCleanup(harness.write_file, self.daemon.conf, good)
        harness.write_file(self.daemon.conf, good + "Nonesuch=1\n")
        with self.client() as client:
            self.assertRegex(self.daemon.reload(), r"pvsecretd\.conf:\d+: ")
            client.call("create_association", self.params())

    def test_reload_with_much_to_say(self):
        """Of a file whose name is no text, more than get_status takes."""
        folder = os.fsencode(self.daemon.conf) + b".d"
        bad = os.path.join(folder, b"zus\xe4tze-\xfc.conf")
        os.mkdir(folder)
        self.addCleanup(self.daemon.reload)
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(os.unlink, bad)
        main = self.daemon.process.pid
        with self.client() as client:
            for size in range(8):  # so that the cut is within a character, too
                harness.write_file(bad, "[daemon]\n" + "".join(
                    "N%s=1\n" % ("x" * size) for _ in range(60)))
                self.assertEqual(self.refused_reload(), main)
                error = client.call("get_status")["reload_error"]
                self.assertIn("zus\ufffdtze-\ufffd.conf", error)
                self.assertLessEqual(len(error.encode()), 4096)

    def refused_reload(self):
        """The log has bytes that are no text; the monitor's pid."""
        since = len(self.daemon.log)
        self.daemon.process.kill(signal.SIGHUP)
        self.daemon.wait_log("reload failed", since)
        return self.daemon.process.pid

    def test_reload_during_calls(self):
        with self.client() as client:
            idents = self.post_all(client)
            first = client.answer()
            for _ in range(3):
                self.assertIn("reloaded", self.daemon.reload())
            self.collect(client, idents, {first["id"]: first})

    def test_reload_at_once_again(self):
        """Signals that come while a pair loads."""
        with self.client() as client:
            idents = self.post_all(client)
            first = client.answer()
            for _ in range(20):
                self.daemon.process.kill(signal.SIGHUP)
            self.collect(client, idents, {first["id"]: first})
        self.assertIn("reloaded", self.daemon.reload())
        # The last signal may have come while a pair was loading: then one more follows, which the
        # tests after this one must not take for their own.
        self.daemon.wait_log(r"(?s)\A.*: reloading\n((?!once more).)*: reloaded\n"
                             r"(<5>vault: audit: line [^\n]*\n)*\Z")
        self.ctl_create()


class Lives(unittest.TestCase):
    """Ends of the whole daemon, each with one of its own."""

    def make(self, **more):
        daemon = harness.Daemon(pki.get(), **more)
        self.addCleanup(daemon.stop)
        return daemon

    def test_started_again_by_the_socket(self):
        """Who connects while there is no daemon waits, and is answered by the next."""
        daemon = self.make()
        daemon.stop()
        with daemon.client() as client:
            ident = client.post("list_ccks")
            daemon.start()
            self.assertIn("result", client.wait(ident))

    def test_end_with_calls_on_their_way(self):
        daemon = self.make()
        one = pki.get().hosts[0]
        with daemon.client() as client:
            for _ in range(16):
                client.post("create_association",
                            {"hdr": base64.b64encode(HDR).decode(), "name": "end", "cck": "cck",
                             "host_keys": [{"document": one.pem}] * 20})
            answers = [client.answer()]
            daemon.stop()
            self.assertEqual(daemon.status, 0)
            answers += client.rest()
        for answer in answers:
            if "error" in answer:
                self.assertEqual(answer["error"]["code"], -32005, answer)
        idents = [answer["id"] for answer in answers]
        self.assertEqual(len(idents), len(set(idents)))

    def test_nothing_lives_on_without_the_monitor(self):
        daemon = self.make()
        with daemon.client() as client:
            client.call("ping")
            daemon.process.kill(signal.SIGKILL)
            # reap() waits for the end of every process that had the log.
            self.assertEqual(daemon.reap(), -signal.SIGKILL)
            self.assertEqual(client.rest(), [])

    def kill_vault(self, daemon):
        one = daemon.worker("vault")
        one.kill()
        one.wait()
        one.close()

    def test_given_up(self):
        """A vault that dies as often as it is started, and has answered nobody between."""
        daemon = self.make()
        for i in range(5):
            since = len(daemon.log)
            self.kill_vault(daemon)
            if i < 4:
                daemon.wait_log("trust and the vault are back", since)
        self.assertEqual(daemon.reap(), 70)
        self.assertRegex(daemon.log.decode(), r"(?m)^<3>monitor: .* died 5 times .*; giving up$")

    def test_not_given_up(self):
        """One call in five lives is enough."""
        daemon = self.make()
        for i in range(12):
            if i % 4 == 0:
                with daemon.client() as client:
                    client.call("list_ccks")
            since = len(daemon.log)
            self.kill_vault(daemon)
            daemon.wait_log("trust and the vault are back", since)
        with daemon.client() as client:
            client.call("list_ccks")
        self.assertNotIn(b"giving up", daemon.log)

    def test_given_up_without_a_load(self):
        """One died, and what is needed for another is bad by now."""
        daemon = self.make()
        bad = daemon.write_cck("bad", b"short")
        self.kill_vault(daemon)
        self.assertEqual(daemon.reap(), 78)
        said = daemon.log.decode()
        self.assertEqual(said.count(bad + ": "), 5, said)
        self.assertRegex(said, r"(?m)^<3>monitor: .* 5 times in a row; giving up$")

    def test_reload_fails_while_the_old_die(self):
        """It did fail, whatever became of what should have stayed."""
        daemon = self.make()
        harness.write_file(os.path.join(daemon.trust_dir, "many.crl"),
                           pki.get().crl(-3600, 86400, 7, entries=5))
        self.assertIn("reloaded", daemon.reload())
        daemon.sections["limits"]["CrlEntries"] = 3
        daemon.set_access(harness.EVERYTHING)
        vault, since = daemon.worker("vault"), len(daemon.log)
        # Both signals wait for the monitor, and the one to reload comes first.
        daemon.process.kill(signal.SIGSTOP)
        daemon.process.kill(signal.SIGHUP)
        vault.kill()
        vault.wait()
        vault.close()
        daemon.process.kill(signal.SIGCONT)
        daemon.wait_log("trust and the vault are back", since)
        self.assertNotIn(b"reload failed", daemon.log[since:])
        with daemon.client() as client:
            self.assertIn("raise CrlEntries=", client.call("get_status")["reload_error"])
            client.call("list_ccks")

    def test_idle_exit(self):
        daemon = self.make(daemon={"IdleExitSec": 1})
        with daemon.client() as client:
            client.call("ping")
        self.assertEqual(daemon.reap(), 0)
        with daemon.client() as client:
            ident = client.post("ping")
            daemon.start()
            self.assertIn("result", client.wait(ident))

    def test_credentials(self):
        """As LoadCredential= passes them: the mode is not judged, other names are not read."""
        daemon = self.make(ccks={}, credentials={"cck_prod": material.CANARY_CCK,
                                                 "cck_test.2": material.OTHER_CCK,
                                                 "something": b"else"})
        with daemon.client() as client:
            self.assertEqual(client.call("list_ccks")["ccks"], [
                {"name": "prod", "check_value": material.check_value(material.CANARY_CCK)},
                {"name": "test.2", "check_value": material.check_value(material.OTHER_CCK)}])

    def test_by_hand(self):
        """--socket PATH: made with the mode 0660, removed at the end."""
        daemon = self.make(start=False)
        path = os.path.join(daemon.top, "TrustDirectory", "..", "own.sock")
        os.chmod(daemon.top, 0o777)
        daemon.args = ("--socket", path)
        daemon.process = daemon.spawn((), listen=False)
        harness.Daemon.alive.append(daemon)
        daemon.wait_log(r"ready\n")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
        with harness.Client(path) as client:
            self.assertEqual(client.call("ping"), {})
        daemon.stop()
        self.assertFalse(os.path.exists(path))
