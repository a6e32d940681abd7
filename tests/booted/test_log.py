# SPDX-License-Identifier: MIT
"""What stands in the journal, after the tests of keys and of processes that die"""
import os
import subprocess

import booted


class Log(booted.Case):
    """Readiness, and no secret."""

    def test_readiness(self):
        since = len(booted.journal())
        self.ping()
        booted.wait_journal("ready", since)

    def test_no_secret(self):
        self.install_cck("journal")
        self.create("journal")
        self.assertEqual(booted.ctl("create", "association", "--cck", "journal").returncode, 2)
        # The control: the same search finds a key that somebody did print.
        shown = os.urandom(32)
        booted.must("systemd-cat", "echo", shown.hex())
        booted.must("journalctl", "--sync")
        text = subprocess.run(["journalctl", "--no-pager", "--output=export", "--all"],
                              stdout=subprocess.PIPE, check=True).stdout
        self.assertTrue(any(trace in text for trace in booted.traces(shown)))
        self.assertTrue(booted.SECRETS)
        for secret in booted.SECRETS:
            for trace in booted.traces(secret):
                self.assertNotIn(trace, text)
