# SPDX-License-Identifier: MIT
"""mixed - calls of every method and of every kind, for a daemon that has all there is to name

What is good, refused and malformed is apart, so that a test can first see that each is answered as
it should be.
"""
import base64
import json
import os
import shutil

import harness
import material
import pki
from test_secrets import RETRIEVABLE, SIGNERS, signing_key

HDR = material.header("mixed")
STRANGER = 64894  # who has no access rule
EVERYTHING = {key: "*" for key in ("Methods", "Ccks", "ExtensionSecrets", "SignKeys", "Names",
                                   "Images")}


def b64(data):
    return base64.b64encode(data).decode()


def make_daemon(*users):
    """USERS may do everything, and nobody else anything."""
    credentials = {"sign_" + name: signing_key(name)[0] for name in SIGNERS}
    credentials.update({"ext_held": material.HELD_SECRET, "assoc_master": material.MASTER})
    daemon = harness.Daemon(
        pki.get(), ccks={"cck": material.CANARY_CCK, "other": material.OTHER_CCK},
        credentials=credentials, images={"web": HDR}, start=False,
        access={"all": dict(EVERYTHING, Users=" ".join(map(str, users)), AllowNoVerify="yes")})
    for host in pki.get().hosts[:3]:
        shutil.copy(host.crt, daemon.host_key_dir)
    daemon.start()
    return daemon


def target(*hosts, **more):
    keys = [{"document": host.pem} for host in hosts or pki.get().hosts[:1]]
    return {"hdr": b64(HDR), "host_keys": keys, **more}


def named(**more):
    return target(name="mixed", **more)


def user_certificate(name):
    """A certificate of the key that signs user data."""
    path = os.path.join(harness.WORK, "certificate-" + name)
    done = harness.run_program("openssl", "req", "-new", "-x509", "-days", "30", "-subj",
                               "/CN=mixed", "-key", os.path.join(harness.PRIVATE, "sign-" + name),
                               "-out", path)
    assert done.returncode == 0, done.stderr
    return harness.read_file(path).decode()


def creates():
    """Each type of secret, and each thing that a request can have."""
    hosts = pki.get().hosts
    given = {"secret": {"value": b64(material.CANARY_SECRET)}}
    for kind, curve, size, _, _ in RETRIEVABLE:
        more = {"curve": curve} if curve else {}
        yield "create_retrievable", named(type=kind, secret={"value": b64(bytes([1] * size))},
                                          **more)
    yield "create_meta", target()
    yield "create_meta", target(flags=["disable-dump"], cuid="42" * 16)
    yield "create_update_cck", target(new_cck="other", cck="cck")
    yield "create_association", named()
    yield "create_association", named(**given)
    yield "create_association", named(use_name=True, pcf="1", cck="cck")
    yield "create_association", named(cck="other", **given)
    yield "create_association", named(extension_secret="held", **given)
    yield "create_association", named(secret={"derive": True})
    yield "create_association", dict(
        {key: value for key, value in named(secret={"derive": True}).items() if key != "hdr"},
        image="web")
    yield "create_association", target(*hosts[:20], name="mixed", cck="cck")
    yield "create_association", dict(named(), host_keys=[{"name": "host%d" % i}
                                                         for i in (1, 2, 3)])
    yield "create_association", dict(named(no_verify=True), host_keys=[
        {"document": pki.get().bad_document("signed by a stranger").decode()}])
    yield "create_association", named(
        certificates=[pki.get().read("inter.crt").decode()],
        crls=[pki.get().read("signing.crl").decode()])
    yield "create_meta", target(user_data=b64(b"unsigned"))
    for name in SIGNERS:
        yield "create_meta", target(user_data=b64(b"signed"), user_sign_key=name, cck="cck")


def good(one):
    """What has a result. ONE: a connection, for requests that are looked at afterwards."""
    document = pki.get().hosts[0].pem
    yield from ((method, {}) for method in ("ping", "get_status", "list_ccks", "get_access"))
    yield "verify_host_key", {"host_key_document": document}
    yield "verify_host_key", {"host_key_document": pki.get().hosts[1].der64,
                              "crls": [pki.get().read("signing.crl").decode()]}
    yield from creates()
    for name in (None, *SIGNERS):
        signed = {"user_data": b64(b"to be verified")}
        if name:
            signed["user_sign_key"] = name
        request = one.call("create_meta", target(**signed))["request"]
        yield "describe_request", {"request": request}
        yield "verify_request", dict({"request": request},
                                     **({"user_certificate": user_certificate(name)} if name
                                        else {}))


def refused(one):
    """What makes sense and has an error for an answer."""
    bad = pki.get().bad_document
    request = one.call("create_meta", target(user_data=b64(b"data"), user_sign_key="ec"))["request"]
    changed = b64(material.flip(base64.b64decode(request), 8 * 0x120))
    for name in ("text", "revoked", "expired", "signed by a stranger", "RSA",
                 "a point that is not on the curve", "a weak signature"):
        document = pki.as_parameter(bad(name))
        yield "verify_host_key", {"host_key_document": document}
        yield "create_association", dict(named(), host_keys=[{"document": document}])
    yield "create_association", named(cck="none")
    yield "create_association", named(extension_secret="none")
    yield "create_meta", target(user_data=b64(b"x"), user_sign_key="none")
    yield "create_meta", target(user_data=b64(bytes(257)), user_sign_key="ec")
    yield "create_update_cck", target(new_cck="none")
    yield "create_association", dict(named(), host_keys=[{"name": "none"}])
    yield "create_association", dict(named(), hdr=b64(material.header("nobody's")),
                                     secret={"derive": True})
    yield "create_association", named(no_verify=True, secret={"derive": True})
    yield "create_association", named(secret={"value": b64(bytes(31))})
    yield "create_retrievable", named(type="aes", secret={"value": b64(bytes(17))})
    yield "create_retrievable", named(type="ec", curve="secp256r1",
                                      secret={"value": b64(bytes(32))})
    yield "verify_request", {"request": request, "user_certificate": user_certificate("rsa2048")}
    yield "verify_request", {"request": changed, "user_certificate": user_certificate("ec")}


def malformed():
    """What is no call of any method, or not as the method has it."""
    return (
        ("nothing", {}), ("ping", [1]), ("ping", {"x": 1}),
        ("create_association", named(x=1)), ("create_association", dict(named(), hdr="AAAA")),
        ("create_association", dict(named(), host_keys=[])),
        ("create_association", named(secret={"value": "!"})),
        ("create_association", named(cck="cck", extension_secret="held")),
        ("create_association", named(image="../web")), ("create_association", named(cuid="42")),
        ("create_retrievable", named(type="des", secret={"value": "AAAA"})),
        ("create_retrievable", named(type="ec", secret={"value": "AAAA"})),
        ("create_meta", named()), ("verify_host_key", {"host_key_document": ""}),
        ("verify_request", {"request": "AAAA"}),
        ("describe_request", {"request": b64(bytes(2000))}),
    )


# What is no JSON-RPC, or several; each is answered, by one line.
TEXTS = ("nonsense\n", "{]\n", "[]", "[" * 20 + "]" * 20, '{"a":1,"a":2}', '["\\u0000"]', "[1e999]",
         '["\\q"]\n', '{"jsonrpc":"2.0","id":{},"method":"ping"}', '{"id":7,"method":"ping"}',
         '[1,{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"ping"}]',
         '{"jsonrpc":"2.0","method":"get_status"}{"jsonrpc":"2.0","id":9,"method":"ping"}')


def text_of(method, params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
