# SPDX-License-Identifier: MIT
"""The audit log where the installation puts it, and over a rotation"""
import json
import os
import pwd
import shutil
import stat

import booted

DIRECTORY = "/var/log/pvsecretd"
LOG = DIRECTORY + "/audit.log"


def records(path=LOG):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Audit(booted.Case):
    """Whose call it was, in the file and in the journal; what logrotate does to it."""

    def setUp(self):
        super().setUp()
        # Each test has a log of its own, in the directory as it was installed.
        for name in os.listdir(DIRECTORY):
            os.unlink(os.path.join(DIRECTORY, name))

    def verify(self, *files):
        return booted.must("pvsecretctl", "audit", "verify", *files)

    def test_several_users(self):
        self.install_cck("audited")
        self.create("audited")
        self.create("audited", user="root")
        made = [record for record in records() if record["event"] == "create_association"]
        self.assertEqual([record["uid"] for record in made],
                         [pwd.getpwnam(booted.MEMBER).pw_uid, 0])
        self.assertEqual({record["cck"] for record in made}, {"audited"})
        self.verify(LOG)
        st = os.stat(LOG)
        self.assertEqual((pwd.getpwuid(st.st_uid).pw_name, stat.S_IMODE(st.st_mode)),
                         ("pvsecretd", 0o640))
        self.assertNotEqual(booted.run("cat", LOG, user=booted.MEMBER).returncode, 0)

    def test_whose_line_it_is(self):
        """Journald says of the vault's lines that they are the vault's, and of no others."""
        self.install_cck("journal")
        since = len(booted.journal())
        self.create("journal")
        booted.wait_journal("audit: line", since)

        def lines(comm):
            return booted.run("journalctl", "--no-pager", "--output=cat", "--unit", booted.SERVICE,
                              "_COMM=" + comm, "--grep", "^vault: audit: line").stdout.splitlines()

        self.assertIn([line for line in booted.journal() if "audit: line" in line][-1],
                      lines("pvsecretd-vault"))
        for comm in ("pvsecretd", "pvsecretd-front", "pvsecretd-trust"):
            self.assertFalse([line for line in lines(comm) if "audit: line" in line], comm)

    def test_rotation(self):
        """By the configuration that was installed: one chain, and no record lost."""
        self.install_cck("rotated")
        main = None
        for i in range(3):
            self.create("rotated")
            main = main or booted.show(booted.SERVICE, "MainPID")
            if i < 2:
                since = len(booted.journal())
                booted.must("logrotate", "--force", "/etc/logrotate.d/pvsecretd")
                booted.wait_journal("reloaded", since)
        self.assertEqual(booted.show(booted.SERVICE, "MainPID"), main)
        booted.must("gunzip", LOG + ".2.gz")
        files = (LOG + ".2", LOG + ".1", LOG)
        for path in files:
            self.assertEqual([record["event"] for record in records(path)].count(
                "create_association"), 1, path)
        self.verify(*files)
        # The refusal: without the file in between.
        self.assertEqual(booted.run("pvsecretctl", "audit", "verify", files[0],
                                    files[2]).returncode, 1)

    def test_a_log_that_cannot_be_opened(self):
        """No start without it, and the reason in the journal."""
        self.install_cck("nowhere")
        os.mkdir(LOG)
        since = len(booted.journal())
        self.drop_in("[Service]\nRestart=no\n")
        try:
            self.assertNotEqual(booted.run("systemctl", "start", booted.SERVICE).returncode, 0)
            booted.wait_journal(LOG, since)
        finally:
            shutil.rmtree(LOG)
        self.create("nowhere")
