# SPDX-License-Identifier: MIT
"""pvsecretd-fetch-crl against a server that is good, and against servers that are not"""
import functools
import hashlib
import http.server
import os
import shutil
import socket
import ssl
import stat
import subprocess
import threading
import time
import unittest

import harness
import pki

SECONDS = 3  # --timeout= where time runs out
LIMIT = 1 << 20  # CrlSize=
LOG = "<[3456]>"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers a path with what the test put there: bytes, or a function of this handler."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path.partition("?")[0])
        try:
            if callable(answer):
                answer(self)
            elif answer is None:
                self.reply(b"<html>no such page</html>", 404, "text/html")
            else:
                self.reply(answer)
        except OSError:
            pass  # the client went away, as it should
        self.close_connection = True

    def reply(self, body, status=200, kind="application/pkix-crl", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """One on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = {}, []
        self.stop = threading.Event()
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = "%s://127.0.0.1:%d" % ("https" if context else "http", self.server_address[1])
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # a handshake that was broken off

    def close(self):
        self.stop.set()
        self.shutdown()
        self.server_close()


def to(*places):
    """A redirection: to the place, or each time to the next."""
    left = list(places)

    def answer(handler):
        handler.reply(b"elsewhere", 302, Location=left.pop(0) if len(left) > 1 else left[0])
    return answer


def endless(handler):
    """No length, no end, as fast as it goes."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while not handler.server.stop.is_set():
        handler.wfile.write(bytes(65536))


def long_headers(body):
    """More than a CRL needs, less than libcurl by itself takes."""
    def answer(handler):
        handler.reply(body, **{"X-%d" % n: "m" * 1000 for n in range(100)})
    return answer


def endless_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.stop.is_set():
        handler.wfile.write(b"X-More: " + b"m" * 1000 + b"\r\n")


def slow(handler):
    """A byte now and then: some comes, the whole never."""
    handler.send_response(200)
    handler.send_header("Content-Length", "700")
    handler.end_headers()
    while not handler.server.stop.wait(0.2):
        handler.wfile.write(b"\x30")
        handler.wfile.flush()


def silent(handler):
    handler.server.stop.wait(60)


class Fetcher(unittest.TestCase):
    """A PKI whose certificates name a server of the test's."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.top = os.path.join(harness.RUN, "fetcher")
        done = harness.run_program(harness.find_program("make-crls"), cls.top, cls.server.url)
        assert done.returncode == 0, done.stderr.decode()
        cls.made = {name: harness_read(os.path.join(cls.top, "served", name))
                    for name in os.listdir(os.path.join(cls.top, "served"))}

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.server.answers = {"/" + name: self.made[name]
                               for name in ("root.crl", "inter.crl", "signing.crl")}
        self.server.asked.clear()
        self.here = os.path.join(self.top, self.id().rpartition(".")[2])
        self.crls = os.path.join(self.here, "crls")
        os.makedirs(self.crls)
        shutil.copytree(os.path.join(self.top, "hostkeys.d"), os.path.join(self.here, "hostkeys.d"))
        shutil.copytree(os.path.join(self.top, "trust.d"), os.path.join(self.here, "trust.d"))
        self.conf = self.configure()
        self.addCleanup(shutil.rmtree, self.here)

    def configure(self, **more):
        settings = {"RootCA": os.path.join(self.top, "root.crt"), "CrlDirectory": self.crls,
                    "TrustDirectory": os.path.join(self.here, "trust.d"),
                    "HostKeyDirectory": os.path.join(self.here, "hostkeys.d")}
        return harness.write_file(
            os.path.join(self.here, "conf"),
            "[daemon]\n" + "".join("%s=%s\n" % item for item in settings.items())
            + "[limits]\nCrlSize=%d\nCrlEntries=%s\n" % (LIMIT, more.get("entries", 500)))

    def run_it(self, *words, through=(), env=None):
        done = harness.run_program(*through, harness.find_program("pvsecretd-fetch-crl"),
                                   "--config", self.conf, "--timeout=%d" % SECONDS, *words,
                                   env=env or harness.clean_env())
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def fetch(self, *words, status=0, **more):
        """What was said, each line in the journal's form."""
        code, out, log = self.run_it(*words, **more)
        self.assertEqual(code, status, log)
        self.assertEqual(out, "")
        for line in log.splitlines():
            self.assertRegex(line, "^" + LOG)
        return log

    def kept(self):
        """Name -> bytes and modification time of all that is in the directory, hidden or not."""
        return {name: (harness_read(os.path.join(self.crls, name)),
                       os.stat(os.path.join(self.crls, name)).st_mtime_ns)
                for name in os.listdir(self.crls)}

    def bodies(self):
        return sorted(body for body, _ in self.kept().values())

    def name_of(self, body):
        return next(name for name, (other, _) in self.kept().items() if other == body)

    def assert_refused(self, answer, pattern, status=1):
        """With the good CRLs there, ANSWER in the place of one changes nothing, and is said."""
        self.server.answers["/signing.crl"] = answer
        before = self.kept()
        log = self.fetch(status=status)
        self.assertRegex(log, r"<4>%s/signing\.crl: .*(%s).* \(nothing was changed\)\n"
                         % (self.server.url, pattern))
        self.assertRegex(log, "2 of 3 CRLs fetched, 0 of them new")
        self.assertEqual(self.kept(), before)
        return log


def harness_read(path):
    with open(path, "rb") as file:
        return file.read()


def pem_of(der):
    return ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", "X509 CRL").encode()


class Good(Fetcher):
    """What lands, and how."""

    def test_all_land(self):
        log = self.fetch()
        self.assertEqual(self.bodies(), sorted(self.made[name] for name in
                                               ("root.crl", "inter.crl", "signing.crl")))
        self.assertIn("3 of 3 CRLs fetched, 3 of them new", log)
        for name in os.listdir(self.crls):
            self.assertRegex(name, r"^[0-9a-f]{64}\.crl$")
            st = os.stat(os.path.join(self.crls, name))
            self.assertEqual(stat.S_IMODE(st.st_mode), 0o644)
        before = self.kept()
        self.assertIn("3 of 3 CRLs fetched, 0 of them new", self.fetch())
        self.assertEqual(self.kept(), before)  # not even written anew

    def test_a_newer_one_takes_its_place(self):
        self.fetch()
        name = self.name_of(self.made["signing.crl"])
        self.server.answers["/signing.crl"] = self.made["newer.crl"]
        self.assertIn("1 of them new", self.fetch())
        self.assertEqual(self.kept()[name][0], self.made["newer.crl"])
        self.assertEqual(len(self.kept()), 3)

    def test_the_issuers_other_name(self):
        """Armonk for Poughkeepsie, and the entries in another order: it is the same issuer."""
        self.fetch()
        self.server.answers["/signing.crl"] = self.made["armonk.crl"]
        self.fetch()
        self.assertIn(self.made["armonk.crl"], self.bodies())
        self.assertEqual(len(self.kept()), 3)

    def test_mode_whatever_the_umask(self):
        self.fetch(through=("sh", "-c", 'umask 077; exec "$@"', "sh"))
        for name in os.listdir(self.crls):
            st = os.stat(os.path.join(self.crls, name))
            self.assertEqual(stat.S_IMODE(st.st_mode), 0o644)

    def test_pem_is_kept_as_der(self):
        """And nothing that stood around it; the type that a server says is nobody's word."""
        self.server.answers["/signing.crl"] = functools.partial(
            Handler.reply, body=b"some text\n" + pem_of(self.made["signing.crl"]), kind="image/png")
        self.fetch()
        self.assertIn(self.made["signing.crl"], self.bodies())

    def test_redirected(self):
        self.server.answers["/signing.crl"] = to("/a")
        self.server.answers["/a"] = to(self.server.url + "/b")
        self.server.answers["/b"] = to("c")
        self.server.answers["/c"] = self.made["signing.crl"]
        self.fetch()
        self.assertIn(self.made["signing.crl"], self.bodies())

    def test_dry_run(self):
        log = self.fetch("--dry-run")
        self.assertIn("3 of 3 CRLs fetched, 3 of them new", log)
        self.assertIn("--dry-run", log)
        self.assertEqual(os.listdir(self.crls), [])

    def test_list(self):
        """Says what is fetched from where, into which file, and asks no server."""
        code, out, log = self.run_it("--list")
        self.assertEqual((code, log), (0, ""))
        for name in ("root", "inter", "signing"):
            self.assertIn("%s/%s.crl\n" % (self.server.url, name), out)
        self.assertEqual(self.server.asked, [])
        self.assertEqual(os.listdir(self.crls), [])
        self.fetch()
        for name in os.listdir(self.crls):
            self.assertIn("  kept in   %s\n" % name, out)

    def test_by_a_proxy(self):
        """The one that the environment names is asked, for the whole URL."""
        proxy = Server()
        self.addCleanup(proxy.close)
        for name in ("root", "inter", "signing"):
            proxy.answers["%s/%s.crl" % (self.server.url, name)] = self.made[name + ".crl"]
        self.fetch(env=harness.clean_env(http_proxy=proxy.url))
        self.assertEqual(len(proxy.asked), 3)
        self.assertEqual(self.server.asked, [])
        self.assertEqual(len(os.listdir(self.crls)), 3)

    def test_the_daemon_takes_them(self):
        """From no CRL at all, without a restart: fetched, reloaded, accepted; then revoked."""
        daemon = harness.Daemon(start=False, daemon={
            "RootCA": os.path.join(self.top, "root.crt"), "CrlDirectory": self.crls})
        for name in os.listdir(os.path.join(self.top, "trust.d")):
            shutil.copy(os.path.join(self.top, "trust.d", name), daemon.trust_dir)
        daemon.start()
        self.addCleanup(daemon.stop)
        document = {"host_key_document": pki.as_parameter(
            harness_read(os.path.join(self.top, "hostkeys.d", "host.crt")))}
        with daemon.client() as client:
            with self.assertRaises(harness.Refused) as caught:
                client.call("verify_host_key", document)
            self.assertEqual(caught.exception.reason, "no-crl")
            self.fetch()
            self.assertIn("reloaded", daemon.reload())
            self.assertIn("phkh", str(client.call("verify_host_key", document)))
            self.server.answers["/signing.crl"] = self.made["revoking.crl"]
            self.fetch()
            daemon.reload()
            with self.assertRaises(harness.Refused) as caught:
                client.call("verify_host_key", document)
            self.assertEqual(caught.exception.reason, "revoked")

    def test_what_it_is_linked_with(self):
        """No role of the daemon's is in it."""
        names = subprocess.run(["nm", os.path.join(harness.BUILD_DIR, "pvsecretd-fetch-crl")],
                               stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertIn("pvs_points_find", names)
        for name in ("pvs_monitor_main", "pvs_role_main", "pvs_role_front", "pvs_role_trust",
                     "pvs_role_vault", "pvs_keys_load", "pvs_verdict_reach"):
            self.assertNotIn(" %s\n" % name, names)


class Bad(Fetcher):
    """What does not land, after the good ones did."""

    def setUp(self):
        super().setUp()
        self.fetch()

    def test_not_good_for_the_daemon(self):
        kind = "not signed by its issuer|kind that the daemon does not use"
        for name, pattern in (
                ("older.crl", "older than the one"), ("same-second.crl", "older than the one"),
                ("forged.crl", kind), ("expired.crl", "has expired"),
                ("not-yet.crl", "not valid yet"), ("inter.crl", "not a CRL of the issuer"),
                ("root.crl", "not a CRL of the issuer"), ("no-until.crl", kind),
                ("critical.crl", kind), ("delta.crl", kind), ("indirect.crl", kind),
                ("sha1.crl", kind), ("long.crl", "more than 500 entries")):
            with self.subTest(name):
                self.assert_refused(self.made[name], pattern)
        # The same one, where the limit lets it through.
        self.conf = self.configure(entries=1000)
        self.fetch()
        self.assertIn(self.made["long.crl"], self.bodies())

    def test_not_one_crl(self):
        good, newer = self.made["signing.crl"], self.made["newer.crl"]
        cert = harness_read(os.path.join(self.top, "trust.d", "signing.crt"))
        pattern = "not one CRL"
        for name, body in (
                ("nothing", b""), ("a page", b"<html><body>Please log in</body></html>"),
                ("zeros", bytes(1000)), ("cut", newer[:-1]), ("half", newer[:len(newer) // 2]),
                ("a byte behind", newer + b"\0"), ("two in DER", newer + good),
                ("two in PEM", pem_of(newer) + pem_of(good)),
                ("the same one twice", pem_of(newer) * 2),
                ("a certificate", cert), ("a CRL and a certificate", pem_of(newer) + cert),
                ("PEM, cut", pem_of(newer)[:-30]),
                ("a certificate's name", pem_of(newer).replace(b"X509 CRL", b"CERTIFICATE"))):
            with self.subTest(name):
                self.assert_refused(body, pattern)

    def test_every_byte_that_is_changed(self):
        """What has a flipped bit in it never takes the good one's place."""
        newer = self.made["newer.crl"]
        before = self.kept()
        bodies = []
        for at in range(0, len(newer), max(1, len(newer) // 20)):
            body = bytearray(newer)
            body[at] ^= 0x10
            bodies.append(bytes(body))
        # All in one run: each at a point of its own would be another file's name.
        for body in bodies:
            self.server.answers["/signing.crl"] = body
            self.fetch(status=1)
            self.assertEqual(self.kept(), before)

    def test_status(self):
        for status in (204, 400, 403, 404, 410, 500, 503):
            with self.subTest(status):
                self.assert_refused(lambda handler, status=status: handler.reply(
                    self.made["newer.crl"] if status != 204 else b"", status),
                                    "cannot be fetched: ")

    def test_redirections(self):
        secret = harness.write_file(os.path.join(self.here, "newer.crl"), self.made["newer.crl"])
        self.server.answers["/newer.crl"] = self.made["newer.crl"]
        for n in range(3):
            self.server.answers["/r%d" % n] = to("/r%d" % (n + 1))
        self.server.answers["/r3"] = to("/newer.crl")
        port = self.server.server_address[1]
        for name, place, pattern in (
                ("a file", "file://" + secret, "cannot be fetched.*(rotocol|file)"),
                ("ftp", "ftp://127.0.0.1:%d/newer.crl" % port, "cannot be fetched.*(rotocol|ftp)"),
                ("gopher", "gopher://127.0.0.1:%d/newer.crl" % port, "cannot be fetched"),
                ("dict", "dict://127.0.0.1:%d/newer.crl" % port, "cannot be fetched"),
                ("itself", "/signing.crl", "Maximum .3. redirects"),
                ("four in a row", "/r1", "Maximum .3. redirects")):
            with self.subTest(name):
                self.assert_refused(to(place), pattern)
        # The fourth redirection alone made the difference.
        self.server.answers["/signing.crl"] = to("/r2")
        self.fetch()
        self.assertIn(self.made["newer.crl"], self.bodies())

    def test_https_that_nobody_vouches_for(self):
        key, cert = (os.path.join(self.here, name) for name in ("tls.key", "tls.crt"))
        harness.run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                            "subjectAltName=IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        other = Server(context)
        self.addCleanup(other.close)
        other.answers["/newer.crl"] = self.made["newer.crl"]
        self.assert_refused(to(other.url + "/newer.crl"), "certificate")
        self.assertEqual(other.asked, [])
        # Nor does the environment vouch for it.
        self.fetch(env=harness.clean_env(SSL_CERT_FILE=cert, CURL_CA_BUNDLE=cert), status=1)
        self.assertEqual(other.asked, [])

    def test_size(self):
        """Announced or not, what is too large is not read to its end."""
        big = self.made["newer.crl"] + bytes(LIMIT)
        self.assert_refused(big, "more than %d bytes" % LIMIT)
        self.assert_refused(long_headers(self.made["newer.crl"]), "bytes of headers")
        for answer in (endless, endless_headers):
            begin = time.monotonic()
            self.assert_refused(answer, "more than %d bytes|oo large|cannot be fetched" % LIMIT)
            self.assertLess(time.monotonic() - begin, SECONDS)

    def test_a_length_that_is_not_true(self):
        newer = self.made["newer.crl"]
        self.assert_refused(lambda handler: handler.reply(newer, length=len(newer) + 10),
                            "cannot be fetched")
        self.assert_refused(lambda handler: handler.reply(newer, length=len(newer) - 10),
                            "not one CRL")

    def test_time(self):
        for answer in (slow, silent):
            begin = time.monotonic()
            self.assert_refused(answer, "cannot be fetched.*([Tt]imed out|too slow)")
            took = time.monotonic() - begin
            self.assertGreater(took, SECONDS - 0.5)
            self.assertLess(took, SECONDS + 5)

    def test_nobody_there(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.assert_refused(to("http://127.0.0.1:%d/" % one.getsockname()[1]),
                                "cannot be fetched")

    def test_not_http(self):
        for said in (b"", b"\0" * 100, b"220 mail ESMTP\r\n", self.made["newer.crl"]):
            self.assert_refused(lambda handler, said=said: handler.wfile.write(said),
                                "cannot be fetched")


class Points(Fetcher):
    """Which distribution points count."""

    def test_urls_that_are_not_fetched(self):
        shutil.copy(os.path.join(self.top, "odd.crt"), os.path.join(self.here, "hostkeys.d"))
        log = self.fetch()
        for url in ("ldap://127.0.0.1/cn=crl", "file:///etc/passwd",
                    "http://user:word@127.0.0.1/x.crl", "ftp://127.0.0.1/x.crl", "/x.crl"):
            self.assertIn("<5>odd: the distribution point %s is not fetched" % url, log)
        self.assertIn("3 of 3 CRLs fetched", log)

    def test_a_document_that_nobody_signed(self):
        """Whoever gets it into hostkeys.d does not decide what is fetched."""
        shutil.copy(os.path.join(self.top, "stranger.crt"), os.path.join(self.here, "hostkeys.d"))
        self.server.answers["/stranger.crl"] = self.made["newer.crl"]
        log = self.fetch()
        self.assertIn("<5>stranger: no certificate of the store signed it", log)
        self.assertEqual(sorted(self.server.asked), ["/inter.crl", "/root.crl", "/signing.crl"])

    def test_points_that_are_no_longer_named(self):
        self.fetch()
        name = self.name_of(self.made["signing.crl"])
        before = self.kept()
        os.unlink(os.path.join(self.here, "hostkeys.d", "host.crt"))
        log = self.fetch()
        self.assertIn("<5>%s/%s: no installed certificate names" % (self.crls, name), log)
        self.assertEqual(self.kept(), before)

    def test_nothing_to_fetch(self):
        """Where signing keys are installed, 0 of 0 is not as it should be."""
        said = "<4>signing keys are installed, and no certificate or host-key document names"
        self.assertNotIn(said, self.fetch())
        shutil.rmtree(os.path.join(self.here, "hostkeys.d"))
        for name in os.listdir(os.path.join(self.here, "trust.d")):
            os.unlink(os.path.join(self.here, "trust.d", name))
        self.assertNotIn(said, self.fetch())
        # One that names none.
        shutil.copy(pki.get().signing, os.path.join(self.here, "trust.d"))
        log = self.fetch()
        self.assertIn(said, log)
        self.assertIn("0 of 0 CRLs fetched", log)
        code, _, log = self.run_it("--list")
        self.assertEqual(code, 0)
        self.assertIn(said, log)

    def test_a_file_that_cannot_be_read(self):
        """As the daemon: it is named, and nothing is done."""
        harness.write_file(os.path.join(self.here, "trust.d", "junk.crt"), "junk")
        self.assertRegex(self.fetch(status=1), r"<3>.*/junk\.crt: ")
        self.assertEqual(os.listdir(self.crls), [])


class Owners(Fetcher):
    """Whose the files are that the fetcher reads: it runs as a user of its own."""

    USER = 64803

    def as_user(self):
        return ("setpriv", "--reuid", str(self.USER), "--regid", str(self.USER), "--clear-groups")

    @unittest.skipUnless(harness.ROOT, "needs root")
    def test_the_daemons(self):
        """What the daemon's user owns is as good for it as for the daemon."""
        os.chown(self.crls, self.USER, self.USER)
        for path in (self.conf, os.path.join(self.here, "trust.d", "signing.crt"),
                     os.path.join(self.here, "hostkeys.d", "host.crt")):
            os.chown(path, harness.DAEMON_UID, harness.DAEMON_GID)
        log = self.fetch(through=self.as_user())
        self.assertIn("3 of 3 CRLs fetched, 3 of them new", log)

    def test_others_may_write(self):
        path = os.path.join(self.here, "trust.d", "signing.crt")
        os.chmod(path, 0o666)
        self.assertRegex(self.fetch(status=1), r"<3>%s: its mode 0666 lets " % path)
        self.assertEqual(os.listdir(self.crls), [])


class Files(Fetcher):
    """The directory, and what somebody planted there."""

    def test_others_files_stay(self):
        outside = harness.write_file(os.path.join(self.here, "outside"), "outside")
        harness.write_file(os.path.join(self.crls, "mine.crl"), "mine")
        os.symlink(outside, os.path.join(self.crls, "link.crl"))
        os.mkfifo(os.path.join(self.crls, "pipe.crl"))
        os.mkdir(os.path.join(self.crls, "folder.crl"))
        before = {name: os.lstat(os.path.join(self.crls, name)) for name in os.listdir(self.crls)}
        self.fetch()
        for name, st in before.items():
            now = os.lstat(os.path.join(self.crls, name))
            self.assertEqual((now.st_ino, now.st_mode, now.st_mtime_ns, now.st_size),
                             (st.st_ino, st.st_mode, st.st_mtime_ns, st.st_size), name)
        self.assertEqual(harness_read(outside), b"outside")
        self.assertEqual(len(os.listdir(self.crls)), 4 + 3)

    def test_planted_at_its_own_names(self):
        """At the file's name and at the temporary one: left alone, said, and nothing followed."""
        self.fetch()
        name = self.name_of(self.made["signing.crl"])
        path = os.path.join(self.crls, name)
        outside = harness.write_file(os.path.join(self.here, "outside"), "outside")
        self.server.answers["/signing.crl"] = self.made["newer.crl"]
        for place in (path, os.path.join(self.crls, ".%s.new" % name)):
            for kind, plant in (("link", lambda where: os.symlink(outside, where)),
                                ("dangling link", lambda where: os.symlink(outside + "2", where)),
                                ("pipe", os.mkfifo), ("folder", os.mkdir)):
                with self.subTest(kind + " at " + os.path.basename(place)[:8]):
                    if os.path.exists(path):
                        os.unlink(path)
                    plant(place)
                    ino = os.lstat(place).st_ino
                    log = self.fetch(status=1)
                    self.assertRegex(log, r"<4>.*signing\.crl: .*%s" % name)
                    self.assertEqual(os.lstat(place).st_ino, ino)
                    self.assertEqual(harness_read(outside), b"outside")
                    self.assertFalse(os.path.exists(outside + "2"))
                    (os.rmdir if kind == "folder" else os.unlink)(place)
        self.fetch()
        self.assertEqual(harness_read(path), self.made["newer.crl"])

    def test_a_hard_link_is_not_written_through(self):
        self.fetch()
        path = os.path.join(self.crls, self.name_of(self.made["signing.crl"]))
        other = os.path.join(self.here, "other")
        os.link(path, other)
        # And the temporary name, as of a run that was killed.
        left = os.path.join(self.crls, ".%s.new" % os.path.basename(path))
        os.link(path, left)
        self.server.answers["/signing.crl"] = self.made["newer.crl"]
        self.fetch()
        self.assertEqual(harness_read(path), self.made["newer.crl"])
        self.assertEqual(harness_read(other), self.made["signing.crl"])
        self.assertFalse(os.path.lexists(left))

    def test_junk_in_its_place_gives_way(self):
        """Else a byte that was written there would keep all later CRLs out."""
        self.fetch()
        path = os.path.join(self.crls, self.name_of(self.made["signing.crl"]))
        for junk in (b"", b"junk", self.made["inter.crl"], self.made["forged.crl"]):
            harness.write_file(path, junk)
            self.fetch()
            self.assertEqual(harness_read(path), self.made["signing.crl"])

    def test_killed_in_the_middle(self):
        """At every call that writes: the old one or the new one is there, whole, and the next run
        goes on."""
        strace = shutil.which("strace")
        if not strace or self.run_it("--version", through=(strace, "-o", "/dev/null"))[0] != 0:
            self.skipTest("strace cannot trace here")
        old, new = self.made["signing.crl"], self.made["newer.crl"]
        self.fetch()
        path = os.path.join(self.crls, self.name_of(old))
        n = 0
        for call, when, there in (("write", 1, old), ("fsync", 1, old), ("renameat", 1, None),
                                  ("fsync", 2, new)):
            with self.subTest("%s %d" % (call, when)):
                harness.write_file(path, old)
                self.server.answers["/signing.crl"] = new
                # Of all that is written (the log is as well): what goes into the new file.
                more = ["-P", os.path.join(self.crls, ".%s.new" % os.path.basename(path))
                        ] if call == "write" else []
                inject = "inject=%s:signal=KILL:when=%d" % (call, when)
                code, _, log = self.run_it(through=(strace, "-f", "-o", "/dev/null", *more, "-e",
                                                    inject))
                self.assertNotIn(code, (0, 1), "%s: %s" % (inject, log))
                self.assertIn(harness_read(path), (there,) if there else (old, new))
                visible = [name for name in os.listdir(self.crls) if not name.startswith(".")]
                self.assertEqual(len(visible), 3)
                self.fetch()
                self.assertEqual(harness_read(path), new)
                self.assertEqual(len(os.listdir(self.crls)), 3)  # nothing is left over
                n += 1
        harness.tap.note("killed at %d calls" % n)

    def test_no_room(self):
        """What cannot be written changes nothing."""
        strace = shutil.which("strace")
        if not strace or self.run_it("--version", through=(strace, "-o", "/dev/null"))[0] != 0:
            self.skipTest("strace cannot trace here")
        self.fetch()
        before = self.kept()
        self.server.answers["/signing.crl"] = self.made["newer.crl"]
        for call, error in (("fsync", "EIO"), ("renameat", "EROFS"), ("fsync", "ENOSPC")):
            log = self.fetch(status=1, through=(strace, "-f", "-o", "/dev/null", "-e", "inject=%s:"
                                                "error=%s:when=1" % (call, error)))
            self.assertRegex(log, r"<4>.*signing\.crl: .*(error|Read-only|No space)")
            self.assertEqual(self.kept(), before)
        # It is there: only its name may be lost.
        log = self.fetch(through=(strace, "-f", "-o", "/dev/null", "-e",
                                  "inject=fsync:error=EIO:when=2"))
        self.assertRegex(log, r"<4>%s: Input/output error \(the new CRL is in its place" % self.crls)
        self.assertNotIn("nothing was changed", log)
        self.assertIn("3 of 3 CRLs fetched, 1 of them new", log)
        self.assertIn(self.made["newer.crl"], self.bodies())

    def test_a_disk_that_fails(self):
        """What cannot be read did not change."""
        strace = shutil.which("strace")
        if not strace or self.run_it("--version", through=(strace, "-o", "/dev/null"))[0] != 0:
            self.skipTest("strace cannot trace here")
        path = os.path.join(self.here, "trust.d", "signing.crt")
        log = self.fetch(status=1, through=(strace, "-f", "-o", "/dev/null", "-P", path, "-e",
                                            "inject=read:error=EIO"))
        self.assertIn("<3>%s: cannot be read (Input/output error)" % path, log)

    def test_two_at_a_time(self):
        """The second says so, and does nothing."""
        gate, arrived = threading.Event(), threading.Event()

        def wait(handler):
            arrived.set()
            gate.wait(harness.DEADLINE)
            handler.reply(self.made["signing.crl"])

        self.server.answers["/signing.crl"] = wait
        done = []
        first = threading.Thread(target=lambda: done.append(self.run_it("--timeout=60")))
        first.start()
        try:
            self.assertTrue(arrived.wait(harness.DEADLINE))
            self.assertIn("another pvsecretd-fetch-crl is at work", self.fetch(status=1))
        finally:
            gate.set()
            first.join()
        self.assertEqual(done[0][0], 0)

    def test_directory(self):
        os.rmdir(self.crls)
        self.assertIn("<3>%s: No such file" % self.crls, self.fetch(status=1))
        harness.write_file(self.crls, "a file")
        self.assertIn("<3>%s: Not a directory" % self.crls, self.fetch(status=1))


class Expiry(Fetcher):
    """What is going to expire is said in good time."""

    def test_a_crl(self):
        self.server.answers["/signing.crl"] = self.made["soon.crl"]
        self.assertRegex(self.fetch(), r"<4>[0-9a-f]{64}\.crl: the CRL expires 20.* UTC; ")
        self.assertNotIn("expires", self.fetch("--warn-days=2"))
        self.assertIn("expires", self.fetch("--warn-days=4"))

    def test_one_that_lives_a_week(self):
        """Fresh, it is as it should be, however early it is to be warned."""
        self.server.answers["/signing.crl"] = self.made["week.crl"]
        for words in ((), ("--warn-days=30",)):
            self.assertNotIn("the CRL", self.fetch(*words))

    def test_a_forged_one_beside(self):
        """Who forges one that lasts longer silences nothing."""
        harness.write_file(os.path.join(self.here, "trust.d", "forged.crl"),
                           self.made["forged.crl"])
        self.server.answers["/signing.crl"] = self.made["soon.crl"]
        self.assertRegex(self.fetch(), r"<4>[0-9a-f]{64}\.crl: the CRL expires 20.* UTC; ")

    def test_one_of_the_issuers_other_name(self):
        """It is the successor of the one that was made before the issuer moved."""
        harness.write_file(os.path.join(self.here, "trust.d", "old.crl"), self.made["soon.crl"])
        self.server.answers["/signing.crl"] = self.made["armonk.crl"]
        self.assertNotIn("the CRL", self.fetch())

    def test_one_that_has_a_successor(self):
        """The old one beside the new one is nothing to be warned of; alone it is."""
        harness.write_file(os.path.join(self.here, "trust.d", "old.crl"), self.made["expired.crl"])
        self.assertNotIn("expired", self.fetch())
        del self.server.answers["/signing.crl"]
        for name in os.listdir(self.crls):
            os.unlink(os.path.join(self.crls, name))
        self.assertRegex(self.fetch(status=1), r"<4>old\.crl: the CRL expired 20")

    def test_certificates_and_documents(self):
        """All of this PKI's end in ten years."""
        log = self.fetch("--warn-days=3649")
        self.assertNotRegex(log, "certificate (is|ex)|document")
        log = self.fetch("--warn-days=3650")
        for file, what in (("inter.crt", "certificate"), ("signing.crt", "certificate"),
                           ("root.crt", "certificate"), ("host", "host-key document")):
            self.assertRegex(log, r"<4>\S*%s: the %s expires" % (file.replace(".", r"\."), what))


class CommandLine(Fetcher):
    """Usage."""

    def test_usage(self):
        for words in (("--no-such",), ("word",), ("--timeout=0",), ("--timeout=3601",),
                      ("--timeout=x",), ("--warn-days=-1",), ("--warn-days=",), ("--list", "x")):
            with self.subTest(words):
                code, out, log = self.run_it(*words)
                self.assertEqual((code, out), (2, ""))
                self.assertIn("Try 'pvsecretd-fetch-crl --help'.", log)
        self.assertEqual(self.server.asked, [])

    def test_help(self):
        for word in ("--help", "-h", "--version"):
            code, out, log = self.run_it(word)
            self.assertEqual((code, log), (0, ""))
            self.assertIn("pvsecretd-fetch-crl", out)

    def test_configuration(self):
        self.conf = os.path.join(self.here, "nowhere")
        self.assertIn("<3>", self.fetch(status=1))
        self.conf = harness.write_file(os.path.join(self.here, "wrong"), "[daemon]\nNoKey=1\n")
        self.assertRegex(self.fetch(status=1), r"<3>.*/wrong:2: ")
