# SPDX-License-Identifier: MIT
"""CRLs that are fetched: the timer, the fetcher's unit in its own confinement, the reload"""
import functools
import glob
import http.server
import os
import pwd
import shutil
import stat
import threading

import booted

FETCH, TIMER, RELOAD = ("pvsecretd-crl.service", "pvsecretd-crl.timer",
                        "pvsecretd-crl-reload.service")
RETRY = "pvsecretd-crl-retry.timer"
# Where keys stand, or may.
SECRETS = ("/etc/pvsecretd/cck.d", "/etc/pvsecretd/ext.d", "/etc/pvsecretd/sign.d",
           "/etc/credstore", "/etc/credstore.encrypted", "/run/credstore",
           "/run/credstore.encrypted")
CRLS = "/var/lib/pvsecretd-crl"
TOP = "/var/lib/booted/crls"
DROP_INS = "/run/systemd/system/pvsecretd-crl.service.d"


class Handler(http.server.SimpleHTTPRequestHandler):
    """The files of TOP/served."""

    def log_message(self, *args):
        pass


class Crls(booted.Case):
    """One server, one PKI that says where it is."""

    @classmethod
    def setUpClass(cls):
        booted.set_up()
        cls.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=TOP + "/served"))
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        make = os.path.join(os.path.dirname(os.environ["PVS_MAKE_PKI"]), "make-crls")
        booted.must(make, TOP, "http://127.0.0.1:%d" % cls.server.server_address[1])
        booted.must("chmod", "-R", "a+rX", os.path.dirname(TOP))
        booted.write(TOP + "/conf", "[daemon]\nRootCA=%s/root.crt\nTrustDirectory=%s/trust.d\n"
                     "HostKeyDirectory=%s/hostkeys.d\n" % (TOP, TOP, TOP))

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        shutil.rmtree(DROP_INS, ignore_errors=True)

    def setUp(self):
        super().setUp()
        shutil.rmtree(DROP_INS, ignore_errors=True)
        for path in glob.glob(CRLS + "/*"):
            os.unlink(path)
        booted.must("systemctl", "stop", RETRY)

    def fetch_there(self, more=""):
        program = booted.must("systemctl", "cat", FETCH).partition("ExecStart=")[2].split()[0]
        os.makedirs(DROP_INS, exist_ok=True)
        booted.write(DROP_INS + "/booted.conf", "[Service]\nExecStart=\nExecStart=%s --config=%s\n"
                     "%s" % (program, TOP + "/conf", more))
        booted.must("systemctl", "daemon-reload")

    def wait_reload(self, before):
        booted.wait_for("the reload's end", lambda: self.reloads() > before and booted.show(
            RELOAD, "ActiveState") in ("inactive", "failed"))
        self.assertEqual(booted.show(RELOAD, "Result"), "success",
                         booted.must("journalctl", "--no-pager", "-u", RELOAD))

    @staticmethod
    def reloads():
        booted.must("journalctl", "--sync")
        return booted.must("journalctl", "--no-pager", "--output=cat", "-u", RELOAD
                           ).count("Finished")

    def test_fetched_by_the_unit(self):
        self.fetch_there()
        before = self.reloads()
        done = booted.run("systemctl", "start", FETCH)
        self.assertEqual(done.returncode, 0,
                         booted.must("journalctl", "--no-pager", "-u", FETCH))
        names = os.listdir(CRLS)
        self.assertEqual(len(names), 3)
        user = pwd.getpwnam("pvsecretd-crl")
        for name in names:
            st = os.stat(os.path.join(CRLS, name))
            self.assertEqual((st.st_uid, st.st_gid), (user.pw_uid, user.pw_gid))
            self.assertEqual(stat.S_IMODE(st.st_mode), 0o644)
            self.assertNotEqual(booted.must("cat", os.path.join(CRLS, name), user="pvsecretd"), "")
        self.wait_reload(before)

    def test_a_running_daemon_reloads(self):
        self.ping()
        main = booted.show(booted.SERVICE, "MainPID")
        since, before = len(booted.journal()), self.reloads()
        booted.must("systemctl", "start", FETCH)
        booted.wait_journal("reloaded", since)
        self.wait_reload(before)
        self.assertEqual(booted.show(booted.SERVICE, "MainPID"), main)

    def test_a_stopped_daemon_stays_so(self):
        before = self.reloads()
        booted.must("systemctl", "start", FETCH)
        self.wait_reload(before)
        self.assertEqual(booted.show(booted.SERVICE, "ActiveState"), "inactive")
        self.assertEqual(booted.show(RETRY, "ActiveState"), "inactive")

    def test_what_could_be_fetched_is_taken(self):
        """Also where one could not: the unit has failed, and the daemon reloads."""
        self.fetch_there()
        os.rename(TOP + "/served/inter.crl", TOP + "/served/away")
        try:
            before = self.reloads()
            done = booted.run("systemctl", "start", FETCH)
        finally:
            os.rename(TOP + "/served/away", TOP + "/served/inter.crl")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(os.listdir(CRLS)), 2)
        self.wait_reload(before)
        # And the next try is today's.
        self.assertEqual(booted.show(RETRY, "ActiveState"), "active")

    def test_the_unit_reaches_nothing_of_the_daemons(self):
        """In its confinement, as its user: neither keys nor the audit log nor the socket."""
        os.makedirs(DROP_INS, exist_ok=True)
        for path in SECRETS:
            # Whatever its mode: what hides it is the unit.
            if not os.path.isdir(path):
                os.makedirs(path)
                self.addCleanup(os.rmdir, path)
                os.chmod(path, 0o755)
        for look in (*("ls " + path for path in SECRETS), "ls /var/log/pvsecretd",
                     "stat " + booted.PATH, "touch /etc/pvsecretd/trust.d/x", "touch /var/lib/x"):
            with self.subTest(look):
                booted.write(DROP_INS + "/booted.conf", "[Service]\nExecStart=\n"
                             "ExecStart=/bin/sh -c '! %s'\n" % look)
                booted.must("systemctl", "daemon-reload")
                booted.must("systemctl", "start", FETCH)

    def test_timer(self):
        booted.must("systemctl", "enable", "--now", TIMER)
        self.addCleanup(booted.must, "systemctl", "disable", "--now", TIMER)
        self.assertEqual(booted.show(TIMER, "ActiveState"), "active")
        self.assertEqual(booted.show(TIMER, "Persistent"), "yes")
        for unit in (FETCH, TIMER, RELOAD, RETRY):
            done = booted.run("systemd-analyze", "verify", "--man=no", unit)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(booted.show(TIMER, "Unit"), FETCH)
