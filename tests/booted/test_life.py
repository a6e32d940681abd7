# SPDX-License-Identifier: MIT
"""What the unit lives through: processes that die or hang, idleness"""
import os
import signal

import booted

ROUNDS = 30


class Life(booted.Case):
    """The unit goes on, and the socket stays."""

    def assert_unharmed(self, main):
        self.assertEqual(booted.show(booted.SERVICE, "NRestarts"), "0")
        self.assertEqual(booted.show(booted.SERVICE, "MainPID"), main)
        self.assertEqual(booted.show(booted.SERVICE, "ActiveState"), "active")
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")

    def kill(self, role):
        name = "pvsecretd-" + role
        pids = booted.wait_for("a " + name, lambda: booted.processes().get(name))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return pids

    def test_kill(self):
        self.install_cck("kill")
        self.create("kill")
        main = booted.show(booted.SERVICE, "MainPID")
        # Five dead fronts of one user would be followed by a pause.
        for role, rounds in (("trust", ROUNDS), ("vault", ROUNDS), ("front", 4)):
            with self.subTest(role):
                for _ in range(rounds):
                    killed = self.kill(role)
                    # The one that is kept warm among them would be his if the monitor heard of
                    # him before it heard of its death.
                    if role == "front":
                        booted.wait_for("the ends of the fronts", lambda killed=killed: not any(
                            os.path.exists("/proc/%d" % pid) for pid in killed))
                    self.create("kill")
                self.assert_unharmed(main)

    def test_kill_a_front_at_once(self):
        """Whoever comes in the same moment is served by the next, at most with a second try."""
        self.install_cck("kill")
        self.create("kill")
        main = booted.show(booted.SERVICE, "MainPID")
        for _ in range(2):
            self.kill("front")
            self.create("kill")
        self.assert_unharmed(main)

    def test_kill_the_monitor(self):
        """Its children end with it, systemd starts it again, the socket stays."""
        self.ping()
        main = booted.show(booted.SERVICE, "MainPID")
        os.kill(int(main), signal.SIGKILL)
        self.ping()
        self.assertNotEqual(booted.show(booted.SERVICE, "MainPID"), main)
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
        for name, pids in booted.processes().items():
            if name in ("pvsecretd-trust", "pvsecretd-vault"):
                self.assertEqual(len(pids), 1, name)

    def test_a_process_that_does_not_answer(self):
        """Stopped, each is replaced before systemd would give up the whole service."""
        self.install_cck("stop")
        self.drop_in("[Service]\nWatchdogSec=4s\n")
        self.create("stop")
        main = booted.show(booted.SERVICE, "MainPID")
        for role in ("vault", "trust", "front"):
            with self.subTest(role):
                stopped = booted.wait_for("a " + role, lambda role=role:
                                          booted.processes().get("pvsecretd-" + role))
                since = len(booted.journal())
                # Of the fronts one: whose connection closes is served by the next.
                os.kill(stopped[0], signal.SIGSTOP)
                self.create("stop")
                booted.wait_journal("the %s (pid %d) does not answer" % (role, stopped[0]), since)
                self.create("stop")
                now = booted.processes().get("pvsecretd-" + role, [])
                self.assertNotIn(stopped[0], now)
                self.assert_unharmed(main)

    def test_a_monitor_that_does_not_answer(self):
        self.drop_in("[Service]\nWatchdogSec=4s\n")
        self.ping()
        main = booted.show(booted.SERVICE, "MainPID")
        os.kill(int(main), signal.SIGSTOP)
        self.ping()
        self.assertNotEqual(booted.show(booted.SERVICE, "MainPID"), main)
        self.assertEqual(booted.show(booted.SERVICE, "NRestarts"), "1")
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")

    def test_a_stopped_process_does_not_hold_up_a_reload(self):
        self.install_cck("old")
        self.drop_in("[Service]\nWatchdogSec=4s\n")
        self.create("old")
        main = booted.show(booted.SERVICE, "MainPID")
        self.install_cck("brand-new")
        os.kill(booted.processes()["pvsecretd-vault"][0], signal.SIGSTOP)
        since = len(booted.journal())
        booted.must("systemctl", "reload", booted.SERVICE)
        booted.wait_for("the new key", lambda: "brand-new" in booted.ctl("status").stdout)
        self.create("brand-new")
        self.assert_unharmed(main)
        self.assertFalse([line for line in booted.journal(since) if "giving up" in line])

    def test_idle_exit(self):
        """Ends when nobody is connected, without the unit failing; the next connection starts it."""
        conf = booted.ETC + "/pvsecretd.conf.d/20-idle.conf"
        booted.write(conf, "[daemon]\nIdleExitSec=1\n")
        try:
            for _ in range(3):
                self.ping()
                booted.wait_for("the service's end", lambda: booted.show(
                    booted.SERVICE, "ActiveState") == "inactive")
                self.assertEqual(booted.show(booted.SERVICE, "Result"), "success")
                self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
            self.ping()
        finally:
            os.unlink(conf)

    def test_a_configuration_that_is_wrong(self):
        """Starts that fail do not turn the socket off: once it is mended, who waits is served."""
        conf = booted.ETC + "/pvsecretd.conf.d/20-wrong.conf"
        booted.write(conf, "[daemon]\nNoSuchThing=1\n")
        try:
            done = booted.run("timeout", "9", "pvsecretctl", "ping", user=booted.MEMBER)
            self.assertNotEqual(done.returncode, 0)
            self.assertGreaterEqual(int(booted.show(booted.SERVICE, "NRestarts")), 2)
            booted.wait_for("the exit status of a wrong configuration", lambda: booted.show(
                booted.SERVICE, "ExecMainStatus") == "78")
        finally:
            os.unlink(conf)
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
        self.ping()
