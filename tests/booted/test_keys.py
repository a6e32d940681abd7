# SPDX-License-Identifier: MIT
"""CCKs by each of the ways that lead into the daemon; reload and restart"""
import os

import booted


class Keys(booted.Case):
    """Each way is shown by a request that is made with the key."""

    def encrypt(self, name, key):
        path = "/run/booted-%s.cred" % name
        booted.write("/run/booted.plain", key, 0o600)
        booted.must("systemd-creds", "encrypt", "--with-key=host", "--name=" + name,
                    "/run/booted.plain", path)
        os.unlink("/run/booted.plain")
        return path

    def test_directory(self):
        self.install_cck("by-directory")
        self.create("by-directory")

    def test_credential(self):
        path = booted.write("/run/booted.key", booted.new_key(), 0o600)
        self.drop_in("[Service]\nLoadCredential=cck_by-credential:%s\n" % path)
        self.create("by-credential")

    def test_credential_directory(self):
        """LoadCredential= of a directory, which the daemon then does not read itself."""
        self.install_cck("one")
        os.makedirs("/run/booted-none", exist_ok=True)
        booted.write("/run/booted-keys.conf", "[daemon]\nRootCA=%s/root-ca.crt\n"
                     "CckDirectory=/run/booted-none\n[access members]\nGroups=pvsecret\n"
                     "Methods=*\nCcks=*\nNames=*\n" % booted.ETC)
        self.drop_in("[Service]\nLoadCredential=cck:%s/cck.d\nExecStart=\n"
                     "ExecStart=/usr/sbin/pvsecretd --config /run/booted-keys.conf\n" % booted.ETC)
        self.create("one")

    def test_encrypted_credential(self):
        path = self.encrypt("cck_by-encrypted", booted.new_key())
        self.drop_in("[Service]\nLoadCredentialEncrypted=cck_by-encrypted:%s\n" % path)
        self.create("by-encrypted")

    def test_encrypted_for_another_name(self):
        """A credential that was exchanged for another is not taken: nothing starts."""
        path = self.encrypt("cck_other", booted.new_key())
        self.drop_in("[Service]\nRestart=no\nLoadCredentialEncrypted=cck_prod:%s\n" % path)
        self.assertNotEqual(booted.run("systemctl", "start", booted.SERVICE).returncode, 0)

    def test_two_of_one_name(self):
        self.install_cck("twice")
        path = booted.write("/run/booted.key", booted.new_key(), 0o600)
        self.drop_in("[Service]\nRestart=no\nLoadCredential=cck_twice:%s\n" % path)
        since = len(booted.journal())
        self.assertNotEqual(booted.run("systemctl", "start", booted.SERVICE).returncode, 0)
        booted.wait_journal("twice", since)
        self.assertEqual(booted.show(booted.SERVICE, "ExecMainStatus"), "78")

    def test_reload(self):
        """Takes a new key from the directory, in the same monitor."""
        self.install_cck("old")
        self.create("old")
        main = booted.show(booted.SERVICE, "MainPID")
        done = booted.ctl("create", "association", "-k", booted.PKI + "/host.crt", "--hdr",
                          booted.PKI + "/se.hdr", "--cck", "new", "-o", "-", "x")
        self.assertEqual(done.returncode, 1, "there is no such key yet")
        self.install_cck("new")
        since = len(booted.journal())
        booted.must("systemctl", "reload", booted.SERVICE)
        booted.wait_journal("reloaded", since)
        self.create("new")
        self.create("old")
        self.assertEqual(booted.show(booted.SERVICE, "MainPID"), main)

    def test_bad_reload(self):
        """What was loaded stays in use, and the unit active."""
        self.install_cck("old")
        self.create("old")
        booted.write(booted.ETC + "/cck.d/short", b"x" * 31, 0o600, "pvsecretd")
        since = len(booted.journal())
        booted.must("systemctl", "reload", booted.SERVICE)
        booted.wait_journal("reload failed", since)
        self.create("old")
        self.assertEqual(booted.show(booted.SERVICE, "ActiveState"), "active")

    def test_restart(self):
        """Takes a new credential; who connects meanwhile waits and is served."""
        path = booted.write("/run/booted.key", booted.new_key(), 0o600)
        self.drop_in("[Service]\nLoadCredential=cck_first:%s\n" % path)
        self.create("first")
        main = booted.show(booted.SERVICE, "MainPID")
        self.drop_in("[Service]\nLoadCredential=cck_second:%s\n" % path)
        booted.must("systemctl", "restart", "--no-block", booted.SERVICE)
        self.ping()
        booted.wait_for("another monitor",
                        lambda: booted.show(booted.SERVICE, "MainPID") not in (main, "0"))
        self.create("second")
        out = booted.must("pvsecretctl", "status", user=booted.MEMBER)
        self.assertIn("second", out)
        self.assertNotIn("first", out)
