# SPDX-License-Identifier: MIT
"""booted - what the tests on a booted system have in common

The system is one that may be thrown away: pvsecretd is installed in it, and these are root on it.
"""
import base64
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import material  # noqa: E402 pylint: disable=wrong-import-position

SERVICE = "pvsecretd.service"
SOCKET = "pvsecretd.socket"
PATH = "/run/pvsecretd/pvsecretd.sock"
ETC = "/etc/pvsecretd"
DROP_INS = "/run/systemd/system/%s.d"
PKI = "/var/lib/booted/pki"
MEMBER, STRANGER = "alice", "mallory"
SECRETS = []  # bytes that nothing but the daemon may show


def run(*argv, user=None, text_in=None, cwd="/"):
    """The ended process; its output is text."""
    if user:
        argv = ("runuser", "-u", user, "--") + argv
    return subprocess.run(argv, input=text_in, stdin=None if text_in else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, timeout=120,
                          check=False, universal_newlines=True, errors="replace")


def must(*argv, **more):
    done = run(*argv, **more)
    if done.returncode != 0:
        raise AssertionError("%s: exit status %d\n%s%s"
                             % (" ".join(argv), done.returncode, done.stdout, done.stderr))
    return done.stdout


def show(unit, name):
    return must("systemctl", "show", "--property", name, "--value", unit).strip()


def write(path, data, mode=0o644, owner=None):
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
        os.fchmod(file.fileno(), mode)
    if owner:
        shutil.chown(path, owner, owner)
    return path


def wait_for(what, condition, seconds=60):
    """Until CONDITION() is true; what it returned. Nothing here tells that it will be."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %d s in vain: %s" % (seconds, what))
        time.sleep(0.05)


def processes():
    """The daemon's, by name: pvsecretd, pvsecretd-front, ...; lists of pids."""
    main = int(show(SERVICE, "MainPID"))
    found = {}
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and main in (int(name), int(status_of(int(name))["PPid"])):
                found.setdefault(status_of(int(name))["Name"], []).append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile
    return found if main else {}


def status_of(pid):
    """/proc/PID/status as a dict."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def new_key():
    key = os.urandom(32)
    SECRETS.append(key)
    return key


def traces(secret):
    """How SECRET might stand in a text."""
    return (secret, secret.hex().encode(), secret.hex().upper().encode(),
            base64.b64encode(secret)[:42])


def journal(since=0):
    """The lines of the service's log, but for the first SINCE."""
    must("journalctl", "--sync")
    lines = must("journalctl", "--no-pager", "--output=cat", "--unit", SERVICE).splitlines()
    return lines[since:]


def wait_journal(text, since):
    """Until a line after the first SINCE has TEXT; take SINCE from len(journal())."""
    wait_for("the journal's line '%s'" % text,
             lambda: any(text in line for line in journal(since)))


def ctl(*words, user=MEMBER, cwd="/"):
    return run("pvsecretctl", *words, user=user, cwd=cwd)


def set_up():
    """Once: accounts, a PKI, a configuration that names it."""
    if os.path.isdir(PKI):
        return
    must("useradd", "--create-home", "--groups", "pvsecret", MEMBER)
    must("useradd", "--create-home", STRANGER)
    os.makedirs(os.path.dirname(PKI))
    must(os.environ["PVS_MAKE_PKI"], PKI)
    must("chmod", "-R", "a+rX", os.path.dirname(PKI))
    for path in glob.glob(PKI + "/trust.d/*"):
        shutil.copy(path, ETC + "/trust.d/")
    shutil.copy(PKI + "/root.crt", ETC + "/root-ca.crt")
    write(PKI + "/se.hdr", material.header("booted"))
    write(ETC + "/pvsecretd.conf.d/10-booted.conf",
          "[daemon]\nRootCA=%s/root-ca.crt\n\n"
          "[access root]\nUsers=root\nMethods=*\nCcks=*\nNames=*\n" % ETC)


class Case(unittest.TestCase):
    """Each test begins with an idle socket and with the unit as it was installed."""

    def setUp(self):
        set_up()
        # Who gave up waiting in the test before may still stand in the socket's queue.
        wait_for("the service's end", self.is_stopped)
        for unit in (SERVICE, SOCKET):
            shutil.rmtree(DROP_INS % unit, ignore_errors=True)
        for path in glob.glob(ETC + "/cck.d/*"):
            os.unlink(path)
        must("systemctl", "daemon-reload")
        must("systemctl", "reset-failed")
        must("systemctl", "start", SOCKET)
        self.assertEqual(show(SERVICE, "ActiveState"), "inactive")

    @staticmethod
    def is_stopped():
        must("systemctl", "stop", SERVICE)
        return show(SERVICE, "ActiveState") in ("inactive", "failed")

    def tearDown(self):
        must("systemctl", "stop", SERVICE)

    def drop_in(self, text, unit=SERVICE):
        os.makedirs(DROP_INS % unit, exist_ok=True)
        write(DROP_INS % unit + "/booted.conf", text)
        must("systemctl", "daemon-reload")

    def install_cck(self, name):
        """A key as a file of the daemon's."""
        return write(ETC + "/cck.d/" + name, new_key(), 0o600, "pvsecretd")

    def ping(self, user=MEMBER):
        done = ctl("ping", user=user)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def create(self, cck, user=MEMBER):
        """A request with that CCK, made in a directory of the user's own."""
        with tempfile.TemporaryDirectory() as top:
            shutil.chown(top, user)
            done = ctl("create", "association", "-k", PKI + "/host.crt", "--hdr", PKI + "/se.hdr",
                       "--cck", cck, "-o", "request", "booted", user=user, cwd=top)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(top + "/request", "rb") as file:
                self.assertEqual(material.parse_request(file.read()).type, 2)
