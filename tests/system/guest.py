# SPDX-License-Identifier: MIT
"""guest - a simulated guest and its machine, by the ultravisor program"""
import json
import os

import harness


class Guest:
    """A guest made from an SE header, on the machine with that host key."""

    def __init__(self, host, hdr, cck=None, enforce=False, cuid=None, slots=None):
        self.top = os.path.join(harness.PRIVATE, "guest%d" % next(harness.serial))
        self.n = 0
        os.mkdir(self.top)
        words = ["--host-key", host.key,
                 "--hdr", harness.write_file(os.path.join(self.top, "se.hdr"), hdr)]
        if cck is not None:
            words += ["--cck", harness.write_file(os.path.join(self.top, "cck"), cck)]
        if enforce:
            words.append("--enforce-cck")
        if cuid is not None:
            words += ["--cuid", cuid]
        if slots is not None:
            words += ["--slots", slots]
        done = self._run("define", *words)
        assert done.returncode == 0, done.stderr.decode()

    def _run(self, command, *words, data=b""):
        # Not recorded: the list has the secrets, and it is the guest's to show them.
        return harness.run_program(harness.find_program("ultravisor"), "--state",
                                   os.path.join(self.top, "state"), command, *words, data=data,
                                   recorded=False)

    def judge(self, requests, dry_run=True):
        """What the ultravisor says of each request (bytes): "accepted ..." or "refused WHY: ..."."""
        folder = os.path.join(self.top, "requests")
        os.makedirs(folder, exist_ok=True)
        paths = []
        for i, request in enumerate(requests):
            paths.append(os.path.join(folder, "%d" % i))
            with open(paths[-1], "wb") as file:
                file.write(request)
        done = self._run("add-many", *(["--dry-run"] if dry_run else []),
                         data="".join(path + "\n" for path in paths).encode())
        lines = done.stdout.decode().splitlines()
        assert len(lines) == len(paths), (done.returncode, len(lines), done.stderr.decode())
        return lines

    def add(self, request, dry_run=False):
        return self.judge([request], dry_run)[0]

    def secrets(self):
        """What is in the store: id -> {"type", "id", "flags", "secret", "extension_secret"}."""
        done = self._run("list", "--json", "--secrets")
        assert done.returncode == 0, done.stderr.decode()
        return {entry["id"]: entry for entry in json.loads(done.stdout)["secrets"]}
