# SPDX-License-Identifier: MIT
"""What each process asks of the kernel once the daemon is ready, while it works"""
import base64
import collections
import json
import os
import re
import signal
import subprocess
import time
import unittest

import harness
import material
import pki

HDR = material.header("cage")

# No worker has any business with these; nor has the monitor but for the ones it starts.
NEVER = re.compile(r"^(open|openat|openat2|creat|stat|lstat|newfstatat|statx|access|faccessat2?|"
                   r"readlink|readlinkat|socket|socketpair|connect|bind|listen|accept4?|execve|"
                   r"execveat|fork|vfork|clone|clone3|ptrace|io_uring_.*|mount|unlink|rename|"
                   r"process_vm_.*|pidfd_.*|bpf|keyctl|prctl|setrlimit|prlimit64|seccomp|"
                   r"landlock_.*|mlock.*|memfd_.*)$")


class Cage(harness.Case):
    """strace of every process over calls of all kinds."""

    CALLS = 2000

    @classmethod
    def make_daemon(cls):
        cls.pki = pki.get()
        return harness.Daemon(cls.pki)

    def calls(self):
        document = self.pki.hosts[0].pem
        target = {"hdr": base64.b64encode(HDR).decode(), "name": "n", "cck": "cck",
                  "host_keys": [{"document": document}]}
        secret = base64.b64encode(bytes(32)).decode()
        return [
            ("ping", {}), ("get_status", {}), ("list_ccks", {}), ("nothing", {}),
            ("create_association", target),
            ("create_association", dict(target, secret={"value": secret})),
            ("create_association", dict(target, cck="none")),
            ("create_association", dict(target, hdr="AAAA")),
            ("create_association", dict(target, host_keys=[{"document": "none"}])),
            ("create_association", dict(target, host_keys=[{"document": host.pem}
                                                           for host in self.pki.hosts[:4]])),
            ("verify_host_key", {"host_key_document": document}),
            ("verify_host_key", {"host_key_document": "x"}),
        ]

    def work(self, one):
        calls = self.calls()
        for i in range(self.CALLS):
            method, params = calls[i % len(calls)]
            one.send(json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": params}))
            if i % 16 == 15:
                for _ in range(16):
                    one.answer()
        for _ in range(self.CALLS % 16):
            one.answer()
        for text in ("nonsense\n", "{]", "[]", "{" * 20 + "\n"):
            one.send(text)
            one.answer()

    @unittest.skipUnless(harness.ROOT, "only root can trace what is not dumpable")
    def test_while_they_work(self):
        one = self.client()
        one.call("get_status")
        pids = {str(self.daemon.process.pid): "monitor"}
        for role in ("front", "trust", "vault"):
            pids.update({str(pid): role for pid in self.daemon.workers(role)})
        # Threads are told apart from nothing: -f follows them, and each file is a process's.
        prefix = os.path.join(harness.RUN, "private", "strace")
        words = ["strace", "-f", "-ff", "-qq", "-o", prefix]
        for pid in pids:
            words += ["-p", pid]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as tracer:
            end = time.monotonic() + harness.DEADLINE
            while not all(os.path.exists("%s.%s" % (prefix, pid)) for pid in pids):
                self.assertLess(time.monotonic(), end, "strace does not come to them")
                time.sleep(0.05)
            self.work(one)
            tracer.send_signal(signal.SIGINT)
            tracer.wait(harness.DEADLINE)
        seen = collections.defaultdict(collections.Counter)
        for name in os.listdir(os.path.dirname(prefix)):
            if not name.startswith("strace."):
                continue
            path = os.path.join(os.path.dirname(prefix), name)
            with open(path, encoding="utf-8", errors="replace") as file:
                role = pids.get(name.partition(".")[2]) or self.role_of_thread(name, pids)
                for line in file:
                    call = re.match(r"(\w+)\(", line)
                    if call:
                        seen[role][call.group(1)] += 1
            os.unlink(path)
        self.assertEqual(set(seen), {"monitor", "front", "trust", "vault"})
        for role, counts in sorted(seen.items()):
            bad = {call: n for call, n in counts.items() if NEVER.match(call)}
            self.assertEqual(bad, {}, role)
            # It was looked at while it worked.
            if role != "monitor":
                self.assertGreater(counts["sendmsg"] + counts["sendto"], self.CALLS / 20, role)

    def role_of_thread(self, name, pids):
        """The process that a thread is of."""
        thread = name.partition(".")[2]
        for pid, role in pids.items():
            if os.path.isdir("/proc/%s/task/%s" % (pid, thread)):
                return role
        return "vault"
