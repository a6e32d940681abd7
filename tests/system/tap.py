# SPDX-License-Identifier: MIT
"""tap - runs unittest's cases and says in TAP what came of each

One line for each case, at once when it ended, so that a run that hangs shows where; a skip carries
its reason. A failure is followed by its traceback and the last lines of the daemons' logs.
"""
import fnmatch
import importlib
import os
import sys
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))

# Functions that return lines for the diagnosis of a failure.
diagnosers = []
notes = []


def note(line):
    """A figure of the case that runs, printed behind its line."""
    notes.append(line)


class Result(unittest.TestResult):
    """Counts and prints."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.number = self.n_passed = self.n_failed = self.n_skipped = 0
        self.reason = None
        self.problems = []
        self.running = False

    def startTest(self, test):
        super().startTest(test)
        self.running = True
        self.reason = None
        self.problems = []
        self.began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        self.running = False
        self._say(self._name(test), time.monotonic() - self.began)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.reason = reason
        if not self.running:  # a whole class or module
            self._say(self._name(test), 0)
            self.reason = None

    def addError(self, test, err):
        self._problem(test, err)

    def addFailure(self, test, err):
        self._problem(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._problem(subtest, err)

    def addUnexpectedSuccess(self, test):
        self.problems.append("passed, and was expected to fail")

    def wasSuccessful(self):
        return self.n_failed == 0

    def _problem(self, test, err):
        text = "%s\n%s" % (test, "".join(traceback.format_exception(*err)))
        for diagnose in diagnosers:
            text += "\n" + "\n".join(diagnose())
        if self.running:
            self.problems.append(text)
        else:  # setUpClass, tearDownClass and their kind
            self.problems = [text]
            self._say(self._name(test), 0)
            self.problems = []

    def _say(self, name, seconds):
        self.number += 1
        if self.problems:
            self.n_failed += 1
            line = "not ok %d - %s" % (self.number, name)
        elif self.reason is not None:
            self.n_skipped += 1
            line = "ok %d - %s # SKIP %s" % (self.number, name, self.reason)
        else:
            self.n_passed += 1
            line = "ok %d - %s" % (self.number, name)
        print(line, file=self.out)
        if seconds > 2:
            print("# %s took %.1f s" % (name, seconds), file=self.out)
        for line in notes:
            print("# " + line, file=self.out)
        notes.clear()
        for problem in self.problems:
            for part in problem.splitlines():
                print("#   " + part, file=self.out)
        self.out.flush()

    @staticmethod
    def _name(test):
        name = test.id() if hasattr(test, "id") else str(test)
        # '#' would begin a directive.
        return name.replace("#", "").replace("\n", " ")


def modules(pattern):
    names = sorted(name[:-3] for name in os.listdir(HERE)
                   if name.startswith("test_") and name.endswith(".py"))
    if pattern is None:
        return names, None
    chosen = [name for name in names if fnmatch.fnmatch(name, pattern)]
    if chosen:
        return chosen, None
    # MODULE.Class or MODULE.Class.test, with wildcards
    return [name for name in names if fnmatch.fnmatch(name, pattern.split(".")[0])], pattern


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def run(pattern, out=sys.stdout, summary=True):
    """Runs the cases that PATTERN names: a file (test_wire), a class or a case, * and ? allowed.
    Returns the exit status: 0 all passed or were skipped, 1 not, 2 there are none."""
    names, narrower = modules(pattern)
    loader = unittest.TestLoader()
    result = Result(out)
    print("TAP version 13", file=out, flush=True)
    for name in names:
        suite = loader.loadTestsFromModule(importlib.import_module(name))
        if narrower:
            suite = unittest.TestSuite(
                case for case in cases(suite)
                if fnmatch.fnmatch(case.id(), narrower)
                or fnmatch.fnmatch(case.id(), narrower + ".*"))
        suite.run(result)
    print("1..%d" % result.number, file=out)
    if summary:
        print("# %d passed, %d failed, %d skipped"
              % (result.n_passed, result.n_failed, result.n_skipped), file=out)
    out.flush()
    if result.number == 0:
        print("no test fits '%s'" % pattern, file=sys.stderr)
        return 2
    return 0 if result.wasSuccessful() else 1
