# SPDX-License-Identifier: MIT
"""Access rules: who may do what, over the real daemon and as several users"""
import base64
import itertools
import json
import os
import pwd
import re
import shutil
import unittest

import harness
import material
import pki

EX_CONFIG = 78
DENIED, NO_SUCH = -32001, -32003
WEB, DB, FOREIGN = (material.header(seed) for seed in ("access web", "access db", "access else"))
IMAGES = {"web": WEB, "db": DB, "web-again": WEB}
CUID = "00112233445566778899aabbccddeeff"

# Who connects: uid, gid, supplementary groups.
IDENTITIES = {
    "root": (0, 0, ()),
    "owner": (64951, 64950, ()),
    "by group": (64952, 64960, (64950,)),
    "by another group": (64953, 64950, (64949, 64960)),
    "verifier": (64954, 64950, ()),
    "looker": (64955, 64950, ()),
    "nobody": (64956, 64950, (64951,)),
    "uid is a gid": (64960, 64951, ()),
}

ACCESS = {
    "owner": {"Users": "64951", "Methods": "create_association verify_*", "Ccks": "prod",
              "Images": "web missing", "Names": "db/*", "RequireCuid": "yes"},
    "group": {"Groups": "64960", "Methods": "create_*", "Ccks": "t*", "Names": "*"},
    "shared": {"Users": "64951", "Groups": "64960", "Methods": "create_association",
               "Ccks": "test", "Images": "d?", "Names": "web"},
    "verifier": {"Users": "64954 64960", "Methods": "verify_host_key", "Ccks": "*", "Names": "*"},
    "looker": {"Users": "64955", "Ccks": "*", "Names": "*"},
}

# The same, written out: for each section whose it is and which values it allows.
GROUP = {"by group", "by another group"}
ANY_IMAGE = {"hdr web", "hdr db", "hdr else", "image web", "image db", "image missing"}
CREATES = {"create_association", "create_meta", "create_retrievable", "create_update_cck"}
ORACLE = [
    {"whose": {"owner"}, "methods": {"create_association", "verify_host_key", "verify_request"},
     # An image is the same by whatever name it is installed.
     "cck": {"prod"}, "image": {"hdr web", "image web", "image missing"}, "name": {"db/1"},
     "cuid": {"one"}},
    {"whose": GROUP, "methods": CREATES, "cck": {"test", "tost"}, "image": ANY_IMAGE,
     "name": {"db/1", "web"}, "cuid": {"none", "zero", "one"}},
    {"whose": GROUP | {"owner"}, "methods": {"create_association"}, "cck": {"test"},
     "image": {"hdr db", "image db"}, "name": {"web"}, "cuid": {"none", "zero", "one"}},
    {"whose": {"verifier", "uid is a gid"}, "methods": {"verify_host_key"}, "cck": set(),
     "image": set(), "name": set(), "cuid": set()},
    {"whose": {"looker"}, "methods": set(), "cck": set(), "image": set(), "name": set(),
     "cuid": set()},
]
TELLING = ("ping", "get_status", "get_access", "list_ccks")
# What everybody may be allowed, whatever the section's other keys say: by method, without secrets.
SHORT = {"hdr": base64.b64encode(WEB).decode(), "cuid": CUID}
CALLS = {
    "create_association": dict(SHORT, name="db/1"),
    "create_meta": SHORT,
    "create_retrievable": dict(SHORT, name="db/1", type="plain", secret={"value": "YQ=="}),
    "create_update_cck": dict(SHORT, new_cck="test"),
    "verify_host_key": {}, "verify_request": {}, "describe_request": {},
    "ping": {}, "get_status": {}, "get_access": {}, "list_ccks": {},
}


def methods_of_api():
    """The table of the API itself."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(top, "protocol", "api.c"), encoding="utf-8") as file:
        return re.findall(r'(?m)^\t\[PVS_METHOD_\w+\] = \{ "(\w+)", ', file.read())


def sections_of(who):
    return [section for section in ORACLE if who in section["whose"]]


def expected_method(who, method):
    """None: allowed."""
    left = sections_of(who)
    if not left:
        return DENIED, "method"
    if method not in TELLING:
        left = [section for section in left if method in section["methods"]]
    return None if left else (DENIED, "method")


def expected_create(who, values):
    """None: made; else code and reason."""
    if expected := expected_method(who, "create_association"):
        return expected
    left = [section for section in sections_of(who) if "create_association" in section["methods"]]
    for aspect, reason in (("cck", "cck"), ("image", "image"), ("name", "name"),
                           ("cuid", "cuid-required")):
        if aspect == "cck" and values[aspect] is None:
            continue
        left = [section for section in left if values[aspect] in section[aspect]]
        if not left:
            return DENIED, reason
    if values["image"] == "image missing":
        return NO_SUCH, "image"
    if values["cck"] not in (None, "prod", "test"):
        return NO_SUCH, "cck"
    return None


def all_creates():
    for cck, image, name, cuid in itertools.product(
            (None, "prod", "test", "tost"), sorted(ANY_IMAGE), ("db/1", "web"),
            ("none", "zero", "one")):
        yield {"cck": cck, "image": image, "name": name, "cuid": cuid}


def params_of(values):
    params = {"name": values["name"], "host_keys": [{"document": pki.get().hosts[0].pem}]}
    kind, what = values["image"].split()
    if kind == "hdr":
        params["hdr"] = base64.b64encode({"web": WEB, "db": DB, "else": FOREIGN}[what]).decode()
    else:
        params["image"] = what
    if values["cck"]:
        params["cck"] = values["cck"]
    if values["cuid"] != "none":
        params["cuid"] = CUID if values["cuid"] == "one" else "0" * 32
    return params


def outcome(answer):
    if "error" in answer:
        return answer["error"]["code"], answer["error"]["data"]["reason"]
    return None


def made_of(answer):
    """What a request is bound to."""
    return material.parse_request(base64.b64decode(answer["result"]["request"])).identity


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class Matrix(harness.Case):
    """Methods x identities x CCKs x images x names x CUIDs, complete."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), images=IMAGES, access=ACCESS, ccks={
            "prod": material.CANARY_CCK, "test": material.OTHER_CCK})

    def connect(self, who):
        with harness.acting_as(*IDENTITIES[who]):
            return self.client(who)

    def params_of_method(self, method):
        """Such that nothing but the method decides."""
        if method in CREATES:
            return dict(CALLS[method], host_keys=[{"document": pki.get().hosts[0].pem}])
        if method == "verify_host_key":
            return {"host_key_document": pki.get().hosts[0].pem}
        if method in ("verify_request", "describe_request"):
            meta = self.connect("by group").call("create_meta", self.params_of_method("create_meta"))
            return {"request": meta["request"]}
        return None

    def test_methods(self):
        """All that there are, by everybody; a new one has to be told here."""
        methods = methods_of_api()
        self.assertGreater(len(methods), 10)
        self.assertEqual(set(methods), set(CALLS))
        allowed = 0
        for method in methods:
            params = self.params_of_method(method)
            for who in IDENTITIES:
                with self.subTest(who=who, method=method):
                    client = self.connect(who)
                    answer = client.wait(client.post(method, params))
                    expected = expected_method(who, method)
                    self.assertEqual(outcome(answer), expected, answer)
                    allowed += expected is None
        # Four and a verifier who may: each says something of the rules.
        self.assertGreater(allowed, 4 * len(TELLING) + len(CREATES))

    def test_creates(self):
        """Each by itself; what is made is bound to the image that was told."""
        count = {"made": 0, "refused": 0}
        for who in IDENTITIES:
            client = self.connect(who)
            for values in all_creates():
                answer = client.wait(client.post("create_association", params_of(values)))
                expected = expected_create(who, values)
                self.assertEqual(outcome(answer), expected, (who, values, answer))
                count["refused" if expected else "made"] += 1
                if not expected:
                    hdr = DB if values["image"].endswith("db") else (
                        FOREIGN if values["image"].endswith("else") else WEB)
                    self.assertEqual(made_of(answer), material.header_identity(hdr))
        self.assertEqual(sum(count.values()), 8 * 144)
        self.assertGreater(count["made"], 50)

    def built(self):
        return self.connect("by group").call("get_status")["counters"]["built"]

    def test_batches(self):
        """The same in batches, where each call is judged by itself."""
        built = self.built()
        made = 0
        for who in IDENTITIES:
            client = self.connect(who)
            calls = [(values, expected_create(who, values)) for values in all_creates()]
            for at in range(0, len(calls), 16):
                some = calls[at:at + 16]
                client.send(json.dumps([
                    {"jsonrpc": "2.0", "id": i, "method": "create_association",
                     "params": params_of(values)} for i, (values, _) in enumerate(some)]))
                answers = {answer["id"]: outcome(answer)
                           for answer in json.loads(client.raw_line())}
                self.assertEqual([answers[i] for i in range(len(some))],
                                 [expected for _, expected in some], who)
                made += sum(expected is None for _, expected in some)
        self.assertEqual(self.built() - built, made)

    def test_notifications(self):
        """What nobody hears of is made where it may be, and is not where it may not."""
        for who in IDENTITIES:
            built = self.built()
            calls = list(all_creates())
            made = sum(expected_create(who, values) is None for values in calls)
            client = self.connect(who)
            client.send("".join(json.dumps(
                {"jsonrpc": "2.0", "method": "create_association", "params": params_of(values)})
                                for values in calls))
            client.finish()
            # Closed when all have come to their end, which nothing tells but this.
            self.assertEqual(client.rest(), [], who)
            self.assertEqual(self.built() - built, made, who)

    def test_asked_again(self):
        """Calls that trust's or the vault's death meets are judged like all others."""
        for role in ("vault", "trust"):
            for who in ("owner", "by group", "by another group", "nobody"):
                client = self.connect(who)
                some = list(all_creates())[::5]
                idents = [client.post("create_association", params_of(values))
                          for values in some[:12]]
                # Once the pair that was lost before is back.
                self.connect("by group").call("get_status")
                self.daemon.worker(role).kill()
                idents += [client.post("create_association", params_of(values))
                           for values in some[12:]]
                for ident, values in zip(idents, some):
                    self.assertEqual(outcome(client.wait(ident)), expected_create(who, values),
                                     (role, who, values))

    def test_list_ccks(self):
        expected = {"owner": ["prod", "test"], "by group": ["test"], "by another group": ["test"],
                    "verifier": [], "looker": [], "uid is a gid": []}
        for who, names in expected.items():
            with self.subTest(who):
                ccks = self.connect(who).call("list_ccks")["ccks"]
                self.assertEqual([cck["name"] for cck in ccks], names)

    def test_get_access(self):
        for who, (uid, gid, groups) in IDENTITIES.items():
            names = [name for name, section in zip(ACCESS, ORACLE) if who in section["whose"]]
            if not names:
                continue
            with self.subTest(who):
                result = self.connect(who).call("get_access")
                self.assertEqual((result["uid"], result["gid"], result["groups"]),
                                 (uid, gid, sorted(groups)))
                self.assertEqual([section["name"] for section in result["sections"]], names)
        owner = self.connect("owner").call("get_access")["sections"][0]
        self.assertEqual(owner, {
            "name": "owner", "methods": ["create_association", "verify_*"], "ccks": ["prod"],
            "extension_secrets": [], "user_sign_keys": [], "images": ["web", "missing"],
            "names": ["db/*"], "require_cuid": True, "allow_no_verify": False})
        self.assertNotIn("images", self.connect("by group").call("get_access")["sections"][0])

    def test_nobody_learns_nothing(self):
        """Who has no section gets the same answer to everything that is JSON-RPC."""
        for who in ("nobody", "root"):
            client = self.connect(who)
            answers = [client.wait(client.post(method, params)) for method, params in (
                ("ping", None), ("no_such_method", None), ("create_association", {"x": 1}),
                ("create_association", None), ("verify_host_key", {"host_key_document": 7}))]
            for answer in answers:
                self.assert_error(answer, DENIED, "method")
                self.assertEqual(answer["error"], answers[0]["error"])

    def test_unmapped(self):
        """65534 is the kernel's word for users it cannot name: not even heard."""
        for uid, gid in ((65534, 64960), (64951, 65534), (65534, 65534)):
            with harness.acting_as(uid, gid, (64960,)):
                client = self.client("unmapped")
            client.send_what_it_takes(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
            self.assertEqual(client.rest(), [])

    def ctl_as(self, who, *words):
        uid, gid, groups = IDENTITIES[who]
        return self.daemon.ctl(*words, user=uid, group=gid, extra_groups=groups)

    def test_command(self):
        done = self.ctl_as("owner", "access")
        self.assertEqual(done.returncode, 0, done)
        said = done.stdout.decode()
        self.assertIn("uid 64951, gid 64950, groups none\n", said)
        self.assertRegex(said, r"\[access owner\]\n  Methods +create_association verify_\*\n"
                               r"  CCKs +prod\n")
        self.assertRegex(said, r"Images +web missing\n")
        self.assertIn("[access shared]", said)
        self.assertNotIn("[access group]", said)
        done = self.ctl_as("by group", "access", "--json=short")
        self.assertEqual(json.loads(done.stdout), self.connect("by group").call("get_access"))
        done = self.ctl_as("nobody", "access")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertRegex(done.stderr.decode(), r"^pvsecretctl: error: \w+: no "
                                               r"\[access\] section .*\npvsecretctl: hint: \w")

    def test_command_names_an_image(self):
        words = ("create", "association", "-k", pki.get().hosts[0].crt, "--stdout", "-o",
                 os.path.join(self.folder(), "request"), "--cuid-hex", CUID, "db/1", "--cck",
                 "prod", "--hdr")
        done = self.ctl_as("owner", *words, "web")
        self.assertEqual(done.returncode, 0, done)
        done = self.ctl_as("owner", *words, "missing")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("--hdr missing (no file, so a name): no SE header of this name is installed",
                      done.stderr.decode())
        done = self.ctl_as("owner", *words, "other")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("--hdr other (no file, so a name): your access rules do not allow this SE "
                      "header", done.stderr.decode())

    def folder(self):
        path = os.path.join(harness.WORK, "of-owner")
        os.makedirs(path, exist_ok=True)
        os.chown(path, *IDENTITIES["owner"][:2])
        return path


@unittest.skipUnless(harness.ROOT, "only root can be several users")
class Reload(harness.Case):
    """Rules that change while clients are connected."""

    @classmethod
    def make_daemon(cls):
        return harness.Daemon(pki.get(), images=IMAGES, access={})

    def connect(self, uid):
        with harness.acting_as(uid, uid):
            return self.client("uid %d" % uid)

    def reload(self, access):
        self.daemon.set_access(access)
        said = self.daemon.reload()
        self.assertIn("reloaded\n", said)
        return said

    def test_deny_by_default(self):
        """Without any section nobody may do anything, root included; the log says so."""
        said = self.reload({})
        self.assertRegex(said, r"<4>.*pvsecretd\.conf: there is no \[access\] section")
        for uid in (0, 64951):
            answer = self.connect(uid)
            self.assert_error(answer.wait(answer.post("ping")), DENIED, "method")

    def test_rules_follow(self):
        """On one and the same connection."""
        self.reload({})
        client, other = self.connect(64951), self.connect(64952)
        everything = {"Methods": "*", "Ccks": "*", "Names": "*"}
        values = {"cck": "cck", "image": "hdr web", "name": "db/1", "cuid": "none"}

        def outcomes():
            return [outcome(one.wait(one.post("create_association", params_of(values))))
                    for one in (client, other)]

        denied = (DENIED, "method")
        self.assertEqual(outcomes(), [denied, denied])
        self.reload({"a": {"Users": "64951", **everything}})
        self.assertEqual(outcomes(), [None, denied])
        self.reload({"a": {"Users": "64952", **everything}})
        self.assertEqual(outcomes(), [denied, None])
        self.reload({"a": {"Users": "64951 64952", **everything, "Images": "db"}})
        self.assertEqual(outcomes(), [(DENIED, "image")] * 2)
        # A grant that is held does not outlive the rule.
        self.reload({"a": {"Users": "64951 64952", **everything, "Ccks": "other"}})
        self.assertEqual(outcomes(), [(DENIED, "cck")] * 2)
        # A configuration that is wrong changes nothing.
        self.daemon.set_access({"a": {"Users": "*", "Nonesuch": "1"}})
        self.assertRegex(self.daemon.reload(), r"<3>.*:\d+: unknown key 'Nonesuch'")
        self.assertEqual(outcomes(), [(DENIED, "cck")] * 2)

    def test_names_of_accounts(self):
        """As numbers that the clients have; also at a reload, where the name service is out of
        reach."""
        account = next(entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 1000)
        said = self.reload({"a": {"Users": account.pw_name + " no-such-user-here",
                                  "Groups": "no-such-group-here"}})
        self.assertRegex(said, r"<4>.*:\d+: Users= names no-such-user-here, and there is no such "
                               r"user; ")
        self.assertRegex(said, r"<4>.*:\d+: Groups= names no-such-group-here, ")
        self.assertEqual(self.connect(account.pw_uid).call("ping"), {})
        client = self.connect(64951)
        self.assert_error(client.wait(client.post("ping")), DENIED, "method")


class Startup(unittest.TestCase):
    """What --check-config says of rules and images."""

    def make(self, **more):
        daemon = harness.Daemon(pki.get(), start=False, **more)
        self.addCleanup(daemon.listener.close)
        return daemon

    def test_all_that_is_wrong(self):
        daemon = self.make(images={"good": WEB, "cut": WEB[:-1], "no name": WEB}, config=None)
        harness.write_file(os.path.join(daemon.image_dir, "readme.txt"), "x")
        harness.write_file(os.path.join(daemon.image_dir, "open.hdr"), WEB, 0o666)
        os.symlink("good.hdr", os.path.join(daemon.image_dir, "link.hdr"))
        status, said = daemon.check()
        self.assertEqual(status, EX_CONFIG, said)
        for name in ("cut.hdr", "no name.hdr", "readme.txt", "open.hdr", "link.hdr"):
            self.assertRegex(said, r"(?m)^<3>.*ImageDirectory/%s: .*; \w" % name)
        self.assertNotIn("good.hdr: ", said)
        self.assertEqual(len(said.splitlines()), 5, said)

    def test_every_bad_rule(self):
        text = ("[access one]\nUsers=*\nNonesuch=1\nCcks=a/b\n"
                "[access one]\nUsers=1\n"
                "[access two]\nMethods=*\n"
                "[access]\n")
        drop_in = "[access three]\nUsers=al*\nUsers=bob\n"
        daemon = self.make(config=text)
        harness.write_file(os.path.join(daemon.conf + ".d", "10-more.conf"), drop_in)
        status, said = daemon.check()
        self.assertEqual(status, EX_CONFIG, said)
        for pattern in (r"pvsecretd\.conf:3: unknown key 'Nonesuch'", r"pvsecretd\.conf:4: Ccks=",
                        r"pvsecretd\.conf:5: .*twice", r"pvsecretd\.conf:7: .*nobody's",
                        r"pvsecretd\.conf:9: .*name", r"10-more\.conf:2: Users=",
                        r"10-more\.conf:3: Users= stands twice"):
            self.assertRegex(said, r"(?m)^<3>.*" + pattern)
        self.assertEqual(len(said.splitlines()), 7, said)

    @unittest.skipUnless(harness.ROOT, "only root can put another /etc/group in place")
    def test_large_groups(self):
        """A group of thousands, whose line is longer than any first guess, and one behind it."""
        members = ",".join("member%d" % i for i in range(5000))
        group = harness.write_file(os.path.join(harness.WORK, "group"),
                                   "root:x:0:\nlarge:x:64971:%s\nbehind:x:64972:\n" % members)
        put = 'mount --bind "$1" /etc/group && shift && exec "$@"'
        daemon = self.make(access={"a": {"Groups": "large behind nowhere"}},
                           through=("unshare", "--mount", "sh", "-c", put, "sh", group))
        status, said = daemon.check()
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count("there is no such group"), 1, said)
        self.assertIn("Groups= names nowhere, ", said)
        # And when it reloads: then from the file alone.
        daemon.set_access({"a": {"Groups": "64973"}})
        daemon.start()
        self.addCleanup(daemon.stop)
        daemon.set_access({"a": {"Groups": "large behind nowhere"}})
        said = daemon.reload()
        self.assertEqual(said.count("there is no such group"), 1, said)
        for gid, answered in ((64971, True), (64972, True), (64973, False)):
            with harness.acting_as(64970, gid), daemon.client() as client:
                self.assertEqual("result" in client.wait(client.post("ping")), answered, gid)

    def with_own_etc(self, group):
        """A daemon that sees another /etc, and the directory that this is."""
        etc = os.path.join(harness.WORK, "etc")
        for name in ("passwd", "nsswitch.conf", "ld.so.cache"):
            if os.path.exists("/etc/" + name):
                harness.write_file(os.path.join(etc, name), harness.read_file("/etc/" + name))
        harness.write_file(os.path.join(etc, "group"), group)
        self.addCleanup(shutil.rmtree, etc)
        put = 'mount --bind "$1" /etc && shift && exec "$@"'
        daemon = self.make(access={"a": {"Groups": "named"}},
                           through=("unshare", "--mount", "sh", "-c", put, "sh", etc))
        daemon.start()
        self.addCleanup(daemon.stop)
        return daemon, os.path.join(etc, "group")

    def is_served(self, daemon, gid):
        with harness.acting_as(64970, gid), daemon.client() as client:
            return "result" in client.wait(client.post("ping"))

    @unittest.skipUnless(harness.ROOT, "only root can put another /etc in place")
    def test_groups_are_added(self):
        """Which makes another file of /etc/group, as groupadd(8) does: who had a name has it still,
        and who was added is known."""
        daemon, group = self.with_own_etc("root:x:0:\nnamed:x:64971:\n")
        harness.write_file(group + "+", "root:x:0:\nnamed:x:64971:\nadded:x:64972:\n")
        os.rename(group + "+", group)
        daemon.set_access({"a": {"Groups": "named added"}})
        said = daemon.reload()
        self.assertIn("reloaded", said)
        self.assertNotIn("no such group", said)
        for gid in (64971, 64972):
            self.assertTrue(self.is_served(daemon, gid), gid)

    @unittest.skipUnless(harness.ROOT, "only root can put another /etc in place")
    def test_groups_that_cannot_be_read(self):
        """Nobody loses anything by that: what was loaded before stays."""
        daemon, group = self.with_own_etc("root:x:0:\nnamed:x:64971:\n")
        os.chmod(group, 0o600)
        said = daemon.reload()
        self.assertRegex(said, r"<3>.*conf:\d+: Groups= names named, and /etc/group cannot be read: "
                               r"Permission denied; ")
        self.assertIn("reload failed", said)
        self.assertTrue(self.is_served(daemon, 64971))

    def test_patterns_that_fit_nothing(self):
        daemon = self.make(images={"web": WEB}, access={"a": {
            "Users": "*", "Methods": "creat_association", "Ccks": "prdo *", "Images": "wbe w*"}})
        status, said = daemon.check()
        self.assertEqual(status, 0, said)
        for pattern in (r"pvsecretd\.conf:\d+: Methods= has creat_association, which no method",
                        r"pvsecretd\.conf:\d+: \[access a\] has Ccks=prdo, which no CCK fits",
                        r"pvsecretd\.conf:\d+: \[access a\] has Images=wbe, which no installed"):
            self.assertRegex(said, r"(?m)^<4>.*" + pattern)
        self.assertEqual(said.count("<4>"), 3, said)
