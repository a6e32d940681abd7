# SPDX-License-Identifier: MIT
"""What `make install` put in place, and what systemd made of it"""
import grp
import os
import pwd
import stat

import booted


class Installed(booted.Case):
    """Accounts, directories, units."""

    def test_accounts(self):
        user = pwd.getpwnam("pvsecretd")
        self.assertEqual(grp.getgrgid(user.pw_gid).gr_name, "pvsecretd")
        self.assertTrue(user.pw_shell.endswith("nologin"), user.pw_shell)
        self.assertNotIn("pvsecretd", grp.getgrnam("pvsecret").gr_mem)

    def test_the_program(self):
        """Its own user may not read it, so nobody but root can look into what is just starting."""
        st = os.stat(booted.must("sh", "-c", "command -v pvsecretd").strip())
        self.assertEqual((st.st_uid, stat.S_IMODE(st.st_mode)), (0, 0o711))

    def test_directories(self):
        for name, mode, group in (("", 0o755, "root"), ("trust.d", 0o755, "root"),
                                  ("hostkeys.d", 0o755, "root"), ("images.d", 0o755, "root"),
                                  ("pvsecretd.conf.d", 0o755, "root"),
                                  ("cck.d", 0o750, "pvsecretd"), ("ext.d", 0o750, "pvsecretd"),
                                  ("sign.d", 0o750, "pvsecretd")):
            with self.subTest(name):
                st = os.stat(os.path.join(booted.ETC, name))
                self.assertEqual(st.st_uid, 0)
                self.assertEqual(grp.getgrgid(st.st_gid).gr_name, group)
                self.assertEqual(stat.S_IMODE(st.st_mode), mode)

    def test_socket(self):
        self.assertEqual(booted.show(booted.SOCKET, "UnitFileState"), "enabled")
        st = os.stat(booted.PATH)
        self.assertTrue(stat.S_ISSOCK(st.st_mode))
        self.assertEqual(stat.S_IMODE(st.st_mode), 0o660)
        self.assertEqual((st.st_uid, grp.getgrgid(st.st_gid).gr_name), (0, "pvsecret"))

    def test_the_units_have_no_mistake(self):
        for unit in (booted.SOCKET, booted.SERVICE):
            done = booted.run("systemd-analyze", "verify", "--man=no", unit)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_exposure(self):
        """0.4 of 10 at most: systemd's own count of what a unit could do."""
        def judge(unit):
            return booted.run("systemd-analyze", "security", "--offline=yes", "--threshold=4",
                              "--no-pager", unit)

        path = booted.show(booted.SERVICE, "FragmentPath")
        done = judge(path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # The refusal: without one of its lines the same file is over the threshold.
        with open(path, encoding="utf-8") as file:
            weaker = file.read().replace("PrivateNetwork=yes\n", "")
        done = judge(booted.write("/run/booted-weaker.service", weaker))
        self.assertNotEqual(done.returncode, 0)

    def test_the_configuration_is_in_order(self):
        booted.must("pvsecretd", "--check-config", user="pvsecretd")


class Started(booted.Case):
    """The first connection starts the service, and as what."""

    def test_first_connection(self):
        self.assertEqual(booted.show(booted.SOCKET, "ActiveState"), "active")
        since = len(booted.journal())
        self.ping()
        self.assertEqual(booted.show(booted.SERVICE, "ActiveState"), "active")
        booted.wait_journal("ready", since)
        self.assertEqual(set(booted.processes()), {"pvsecretd", "pvsecretd-front",
                                                   "pvsecretd-trust", "pvsecretd-vault"})

    def test_privileges(self):
        """Of every process: the daemon's user, no capability, nothing to be gained by exec."""
        self.ping()
        user = pwd.getpwnam("pvsecretd")
        n = 0
        for name, pids in booted.processes().items():
            for pid in pids:
                status = booted.status_of(pid)
                with self.subTest(name):
                    self.assertEqual(status["Uid"].split(), [str(user.pw_uid)] * 4)
                    self.assertEqual(status["Gid"].split(), [str(user.pw_gid)] * 4)
                    self.assertIn(status["Groups"].split(), ([], [str(user.pw_gid)]))
                    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                        self.assertEqual(int(status[kind], 16), 0, kind)
                    self.assertEqual(status["NoNewPrivs"], "1")
                    self.assertEqual(status["Seccomp"], "2")
                n += 1
        self.assertGreaterEqual(n, 4)

    def test_no_device_no_network_nothing_to_write(self):
        """In the service's own view, as root sees it through /proc/PID/root."""
        self.ping()
        pid = booted.processes()["pvsecretd"][0]
        options = {}
        with open("/proc/%d/mountinfo" % pid, encoding="utf-8") as file:
            for line in file:
                words = line.split()
                options[words[4]] = words[5].split(",")
        for place in ("/", "/usr", "/etc", "/var"):
            if place in options:
                self.assertIn("ro", options[place], place)
        self.assertIn("/", options)
        self.assertIn("/dev", options)
        devices = [name for name in os.listdir("/proc/%d/root/dev" % pid)
                   if stat.S_ISBLK(os.lstat("/proc/%d/root/dev/%s" % (pid, name)).st_mode)]
        self.assertEqual(devices, [])
        self.assertEqual(booted.show(booted.SERVICE, "PrivateNetwork"), "yes")
        self.assertEqual(booted.show(booted.SERVICE, "RestrictAddressFamilies"), "AF_UNIX")
        # A container's network may not be cut off; where it is, there is no interface but lo.
        own = os.readlink("/proc/self/ns/net")
        if os.readlink("/proc/%d/ns/net" % pid) != own:
            with open("/proc/%d/net/dev" % pid, encoding="ascii") as file:
                self.assertEqual([line.split(":")[0].strip() for line in list(file)[2:]], ["lo"])

    def test_watchdog(self):
        self.ping()
        self.assertEqual(booted.show(booted.SERVICE, "WatchdogUSec"), "30s")
        self.assertEqual(booted.show(booted.SERVICE, "WatchdogSignal"), "9")


class Clients(booted.Case):
    """Who may connect."""

    def test_member(self):
        self.ping()

    def test_root(self):
        self.ping(user=None)

    def test_stranger(self):
        done = booted.ctl("ping", user=booted.STRANGER)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("permission denied", done.stderr)
        self.assertIn("usermod -aG pvsecret " + booted.STRANGER, done.stderr)
        # It did not even wake the service.
        self.assertEqual(booted.show(booted.SERVICE, "ActiveState"), "inactive")

    def test_rules_hold_for_root(self):
        self.drop_in("[Service]\nExecStart=\nExecStart=/usr/sbin/pvsecretd --config "
                     "/run/booted-members.conf\n")
        booted.write("/run/booted-members.conf",
                     "[access members]\nGroups=pvsecret\nMethods=*\n")
        self.ping()
        self.assertEqual(booted.ctl("ping", user=None).returncode, 1)
