# SPDX-License-Identifier: MIT
"""What the daemon's own user, taken over, can put where the audit log and the marks should be

The directories of both are its own, so that it can make there whatever it likes, before a start or before
a reload. Nothing outside is touched for that, nothing waits, and the owner is told which path it is.
"""
import base64
import contextlib
import os
import re
import socket
import stat
import time
import unittest

import harness
import material
import pki

HDR = material.header("planted")
CONTENT = b"what somebody else keeps here\n"


def symlink(path, victim):
    os.symlink(victim, path)


def dangling(path, victim):
    os.symlink(victim + ".new", path)


def to_a_directory(path, victim):
    os.symlink(os.path.dirname(victim), path)


def chain(path, victim):
    os.symlink(victim, path + ".hop")
    os.symlink(os.path.basename(path) + ".hop", path)


def loop(path, _):
    os.symlink(os.path.basename(path), path)


def to_the_terminal(path, _):
    os.symlink("/dev/tty", path)


def to_its_own_memory(path, _):
    os.symlink("/proc/self/mem", path)


def hard_link(path, victim):
    os.link(victim, path)


def fifo(path, _):
    os.mkfifo(path)


def directory(path, _):
    os.mkdir(path)


def unix_socket(path, _):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)


# Which path of a daemon, and what is said of one that is bad.
STATE = (("audit_log", "the audit log cannot be written: .*AuditLog="),
         ("crl_marks", "the marks of CRLs cannot be written: .*CrlMarks="))
PLANTS = (symlink, dangling, to_a_directory, chain, loop, to_the_terminal, to_its_own_memory,
          hard_link, fifo, directory, unix_socket)


def seen(path):
    """All that would tell that a file was touched, but for its being linked to."""
    one = os.lstat(path)
    with open(path, "rb") as file:
        return (one.st_ino, one.st_mode, one.st_uid, one.st_gid, one.st_size, one.st_mtime_ns,
                file.read())


class Planted(harness.Case):
    """In a daemon of its own for each start; the class's is for the reloads."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get())

    def setUp(self):
        self.folder = os.path.join(harness.WORK, "victim-" + self.id().rpartition(".")[2])
        os.mkdir(self.folder, 0o777)
        # The daemon's own: the kernel's permissions do not stand against the attack.
        self.victim = harness.write_file(os.path.join(self.folder, "file"), CONTENT, 0o600,
                                         harness.DAEMON_UID)
        if harness.ROOT:
            os.chown(self.folder, harness.DAEMON_UID, harness.DAEMON_GID)
        self.before = seen(self.victim)

    def plant(self, kind, path):
        kind(path, self.victim)
        if harness.ROOT and kind is not hard_link:
            os.chown(path, harness.DAEMON_UID, harness.DAEMON_GID, follow_symlinks=False)

    def unplant(self, path):
        for one in (path, path + ".hop"):
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISDIR(os.lstat(one).st_mode):
                    os.rmdir(one)
                else:
                    os.unlink(one)

    def assert_untouched(self, what):
        self.assertEqual(seen(self.victim), self.before, what)
        self.assertEqual(os.listdir(self.folder), ["file"], what)

    def assert_said(self, said, path, what, why=STATE[0][1]):
        self.assertRegex(said, r"<3>.*%s: %s" % (re.escape(path), why), what)

    def assert_no_start(self, kind, where, why):
        daemon = harness.Daemon(pki.get(), start=False)
        path = getattr(daemon, where)
        self.plant(kind, path)
        status, said = daemon.check()
        self.assertEqual(status, 78, said)
        self.assert_said(said, path, kind.__name__, why)
        began = time.monotonic()
        with self.assertRaisesRegex(AssertionError, "not ready"):
            daemon.start()
        self.assertEqual(daemon.reap(), 78)
        self.assertLess(time.monotonic() - began, 5)
        self.assert_said(daemon.log.decode(), path, kind.__name__, why)
        daemon.listener.close()
        self.assert_untouched(kind.__name__)

    def test_before_the_start(self):
        """No start, and --check-config says the same."""
        for where, why in STATE:
            for kind in PLANTS:
                with self.subTest(kind.__name__, where=where):
                    self.assert_no_start(kind, where, why)

    def test_marks_before_a_reload(self):
        """They are open since the start: what is at their path by then is of no concern."""
        marks = self.daemon.crl_marks
        for kind in PLANTS:
            with self.subTest(kind.__name__):
                os.rename(marks, marks + ".aside")
                self.plant(kind, marks)
                planted = os.lstat(marks)
                try:
                    self.assertIn("reloaded\n", self.daemon.reload())
                    with self.client() as one:
                        one.call("create_association", self.params(kind.__name__))
                    self.assert_untouched(kind.__name__)
                    after = os.lstat(marks)
                    self.assertEqual((after.st_ino, after.st_mode, after.st_size, after.st_mtime_ns),
                                     (planted.st_ino, planted.st_mode, planted.st_size,
                                      planted.st_mtime_ns))
                finally:
                    self.unplant(marks)
                    os.rename(marks + ".aside", marks)

    def test_before_a_reload(self):
        """The reload fails, and what was loaded goes on writing where it did."""
        log = self.daemon.audit_log
        for kind in PLANTS:
            with self.subTest(kind.__name__):
                os.rename(log, log + ".aside")
                self.plant(kind, log)
                try:
                    said = self.daemon.reload()
                    self.assertIn("reload failed", said)
                    self.assert_said(said, log, kind.__name__)
                    with self.client() as one:
                        one.call("create_association", self.params(kind.__name__))
                    with open(log + ".aside", "rb") as file:
                        self.assertIn(b'"name":"%s"' % kind.__name__.encode(), file.read())
                    self.assert_untouched(kind.__name__)
                finally:
                    self.unplant(log)
                    os.rename(log + ".aside", log)
        self.assertIn("reloaded\n", self.daemon.reload())

    def params(self, name):
        return {"hdr": base64.b64encode(HDR).decode(), "name": name, "cck": "cck",
                "host_keys": [{"document": pki.get().hosts[0].pem}]}

    def test_rotated_file(self):
        """The file whose chain an empty log goes on from: read at most, and not waited for."""
        for kind in PLANTS:
            with self.subTest(kind.__name__):
                daemon = harness.Daemon(pki.get(), start=False)
                self.plant(kind, daemon.audit_log + ".1")
                daemon.start()
                with daemon.client() as one:
                    one.call("create_association", self.params("first"))
                daemon.stop()
                daemon.listener.close()
                with open(daemon.audit_log, "rb") as file:
                    self.assertNotIn(CONTENT.strip(), file.read())
                self.assert_untouched(kind.__name__)

    def test_mode_from_the_start(self):
        """Not made first and narrowed then; nothing is ever removed, renamed or handed over."""
        if not harness.ROOT:
            self.skipTest("only root can trace what is not dumpable")
        path = os.path.join(harness.PRIVATE, "planted.trace")
        daemon = harness.Daemon(pki.get(), start=False, through=(
            "strace", "-D", "-f", "-qq", "-o", path, "-e", "trace=%file,fchmod,fchown,ftruncate"))
        daemon.start()
        with daemon.client() as one:
            one.call("create_association", self.params("first"))
        daemon.reload()
        daemon.stop()
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        made = [line for line in lines if "O_CREAT" in line and " = -1 " not in line]
        self.assertTrue(made)
        for line in made:
            self.assertIn(os.path.dirname(daemon.audit_log), line)
            self.assertRegex(line, r"O_NOFOLLOW.*, 0640\b")
        for name in (daemon.audit_log, "/crl-marks"):
            self.assertTrue(any(name in line for line in made), name)
        for line in lines:
            self.assertNotRegex(line, r"\b(chmod|fchmod|fchmodat|chown|fchown|fchownat|lchown|"
                                      r"rename|renameat2?|unlink|unlinkat|mkdir|mkdirat|"
                                      r"truncate|link|linkat|symlink|symlinkat|mknod|mknodat)\(")
        self.assertEqual(os.stat(daemon.audit_log).st_mode & 0o7777, 0o640)


class Units(unittest.TestCase):
    """Nothing is done as root in directories that are the daemon's."""

    def test_no_helper_as_root(self):
        source = os.environ.get("PVS_SRC_DIR")
        if not source:
            self.skipTest("PVS_SRC_DIR is not set")
        units = [name for name in os.listdir(os.path.join(source, "systemd"))
                 if re.search(r"\.(service|socket|timer)(\.in)?$", name)]
        self.assertGreaterEqual(len(units), 2)
        for name in units:
            with open(os.path.join(source, "systemd", name), encoding="utf-8") as file:
                text = file.read()
            if name == "pvsecretd-crl-reload.service":
                # Root's, for systemctl alone, which reads no file that somebody else may write to.
                self.assertEqual(re.findall(r"(?m)^Exec\w*=.*", text), [
                    "ExecStart=systemctl try-reload-or-restart pvsecretd.service"])
                self.assertRegex(text, r"(?m)^CapabilityBoundingSet=$")
                continue
            for line in re.findall(r"(?m)^Exec\w*=.*", text):
                self.assertRegex(line, r"^Exec(Start=@\w+dir@/|Reload=/bin/sh -c 'kill -HUP \$\$MAINPID'$)", name)
            for key in ("PermissionsStartOnly", "SetLoginEnvironment"):
                self.assertNotIn(key, text)
            if ".service" in name:
                self.assertRegex(text, r"(?m)^(User=pvsecretd[\w-]*|DynamicUser=yes)$")

    def test_tmpfiles(self):
        """Directories and nothing that follows what somebody left there: no z, Z, R, L, C, w."""
        source = os.environ.get("PVS_SRC_DIR")
        if not source:
            self.skipTest("PVS_SRC_DIR is not set")
        with open(os.path.join(source, "systemd", "pvsecretd.tmpfiles.in"),
                  encoding="utf-8") as file:
            lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
        self.assertTrue(lines)
        for words in lines:
            self.assertEqual(words[0], "d", words)
