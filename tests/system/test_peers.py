# SPDX-License-Identifier: MIT
"""Clients of whom the kernel says nothing, or only that they are somebody else's: not served"""
import ctypes
import os
import sys
import unittest

import harness
import pki

KNOWN, UNKNOWN, GROUP = 64971, 64972, 64973
RULES = {"everybody": {"Users": "*", "Methods": "*", "Ccks": "*", "Names": "*"}}

# Starts the rest of the command line in a user namespace in which its argument's ids are, and no
# others. What is outside of it, a process with the right to do so must say.
IN_NAMESPACE = r"""
import ctypes, os, sys
ids = [int(word) for word in sys.argv[1].split(",")]
ask, answer = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    os.read(ask[0], 1)
    for name in ("uid_map", "gid_map"):
        with open("/proc/%d/%s" % (os.getppid(), name), "w") as file:
            file.write("".join("%d %d 1\n" % (id, id) for id in ids))
    os.write(answer[1], b".")
    os._exit(0)
CLONE_NEWUSER = 0x10000000
if ctypes.CDLL(None).unshare(CLONE_NEWUSER) != 0:
    sys.exit("unshare")
os.write(ask[1], b".")
os.waitpid(pid, 0)
os.set_inheritable(0, True)
os.closerange(4, 100)
os.execvp(sys.argv[2], sys.argv[2:])
"""

# Starts it where getsockopt() fails for the option that its argument has the number of.
WITHOUT_OPTION = r"""
import ctypes, os, struct, sys
option = int(sys.argv[1])
getsockopt = {"x86_64": 55, "s390x": 365}[os.uname().machine]
word = 16 + 2 * 8 + (4 if sys.byteorder == "big" else 0)  # args[2] of struct seccomp_data
LOAD, EQUAL, RETURN, ALLOW, ERRNO, EPERM = 0x20, 0x15, 0x06, 0x7fff0000, 0x00050000, 1
rows = [(LOAD, 0, 0, 0), (EQUAL, 0, 3, getsockopt), (LOAD, 0, 0, word), (EQUAL, 0, 1, option),
        (RETURN, 0, 0, ERRNO | EPERM), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rows), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.addressof(program), 0, 0):
    sys.exit("prctl: %d" % ctypes.get_errno())
os.execvp(sys.argv[2], sys.argv[2:])
"""
SO_PEERCRED, SO_PEERGROUPS = 17, 59


class Case(unittest.TestCase):
    """A daemon that is started by a program of ours."""

    def make(self, script, argument, **more):
        daemon = harness.Daemon(pki.get(), through=(sys.executable, "-I", "-S", "-c", script,
                                                    argument), **more)
        self.addCleanup(daemon.stop)
        return daemon

    def connect(self, daemon, uid, gid, groups=()):
        with harness.acting_as(uid, gid, groups):
            client = daemon.client("uid %d" % uid)
        self.addCleanup(client.close)
        return client


@unittest.skipUnless(harness.ROOT, "only root can map others' ids and be several users")
class Unmapped(Case):
    """The daemon in a user namespace, and clients outside of it."""

    @classmethod
    def setUpClass(cls):
        pid = os.fork()
        if pid == 0:
            os._exit(ctypes.CDLL(None).unshare(0x10000000) != 0)
        if os.waitpid(pid, 0)[1] != 0:
            raise unittest.SkipTest("no user namespace can be made here, as in any chroot")

    def make_inside(self, **more):
        ids = sorted({0, harness.DAEMON_UID, harness.DAEMON_GID, KNOWN})
        return self.make(IN_NAMESPACE, ",".join(str(one) for one in ids), **more)

    def test_user(self):
        daemon = self.make_inside()
        self.assertEqual(self.connect(daemon, KNOWN, KNOWN).call("ping"), {})
        self.assertEqual(self.connect(daemon, UNKNOWN, KNOWN).rest(), [])
        self.assertEqual(self.connect(daemon, KNOWN, UNKNOWN).rest(), [])
        self.assertEqual(self.connect(daemon, UNKNOWN, UNKNOWN).rest(), [])
        self.assertEqual(self.connect(daemon, KNOWN, KNOWN).call("ping"), {})

    def test_group(self):
        """A group that is nobody's here gives no right; one that is mapped does."""
        daemon = self.make_inside(access={"some": {"Groups": str(harness.DAEMON_GID),
                                                   "Methods": "ping"}})
        with self.assertRaises(harness.Refused) as caught:
            self.connect(daemon, KNOWN, KNOWN, [GROUP]).call("ping")
        self.assertEqual(caught.exception.reason, "no-section")
        self.assertEqual(self.connect(daemon, KNOWN, KNOWN, [GROUP, harness.DAEMON_GID])
                         .call("ping"), {})


class NotSaid(Case):
    """The kernel does not answer."""

    def refused(self, option):
        daemon = self.make(WITHOUT_OPTION, str(option))
        for _ in range(3):
            with daemon.client() as client:
                self.assertEqual(client.rest(), [])

    def test_who_it_is(self):
        self.refused(SO_PEERCRED)

    def test_which_groups(self):
        """Without them a rule could be missed that is about a group."""
        self.refused(SO_PEERGROUPS)

    def test_another_option(self):
        """The same with an option that nobody asks for: it is not the filter that is in the way."""
        daemon = self.make(WITHOUT_OPTION, "1000")
        with daemon.client() as client:
            self.assertEqual(client.call("ping"), {})
