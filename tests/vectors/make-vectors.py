#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make-vectors.py - add-secret requests made by other means than the daemon's

Shares nothing with the daemon but the published formats: P-521 from SP 800-186, AES from FIPS 197,
GCM from SP 800-38D and HKDF from RFC 5869 are written out here in plain Python, over hashlib and
hmac. Slow, not constant in time, and with keys that everybody knows: for test data only.

    make-vectors.py [DIRECTORY]          writes the vectors (default: beside this file)
    make-vectors.py --check ASSETS       makes the requests that s390-tools published once more,
                                         from the files below ASSETS, and compares
"""

import hashlib
import hmac
import os
import subprocess
import sys

# --- P-521 -----------------------------------------------------------------------------------

P = 2**521 - 1
A = P - 3
B = int(
    "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3b"
    "b1bf073573df883d2c34f1ef451fd46b503f00", 16)
G = (int(
    "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2"
    "ffa8de3348b3c1856a429bf97e7e31c2e5bd66", 16),
     int(
         "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b901"
         "3fad0761353c7086a272c24088be94769fd16650", 16))
N = int(
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f"
    "966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16)


def on_curve(point):
    x, y = point
    return (y * y - (x * x * x + A * x + B)) % P == 0


def add(p, q):
    """Affine addition; None is the point at infinity."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def encode(point):
    return point[0].to_bytes(80, "big") + point[1].to_bytes(80, "big")


# --- AES and GCM -----------------------------------------------------------------------------


def gf_multiply(a, b):
    result = 0
    while b:
        if b & 1:
            result ^= a
        a = (a << 1) ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return result


def make_sbox():
    box = []
    for value in range(256):
        inverse = next((i for i in range(256) if gf_multiply(value, i) == 1), 0)
        rotated = inverse
        for shift in range(1, 5):
            rotated ^= (inverse << shift | inverse >> (8 - shift)) & 0xff
        box.append(rotated ^ 0x63)
    return bytes(box)


SBOX = make_sbox()


def expand(key):
    words = [key[i:i + 4] for i in range(0, len(key), 4)]
    n = len(words)
    constant = 1
    for i in range(n, 4 * (n + 7)):
        word = words[-1]
        if i % n == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = gf_multiply(constant, 2)
        elif n > 6 and i % n == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(bytes(x ^ y for x, y in zip(words[i - n], word)))
    return [b"".join(words[i:i + 4]) for i in range(0, len(words), 4)]


def aes(rounds, block):
    state = bytes(x ^ y for x, y in zip(block, rounds[0]))
    for number, key in enumerate(rounds[1:], 1):
        state = bytes(SBOX[b] for b in state)
        state = bytes(state[(i + 4 * (i % 4)) % 16] for i in range(16))
        if number < len(rounds) - 1:
            mixed = []
            for c in range(0, 16, 4):
                column = state[c:c + 4]
                for r in range(4):
                    mixed.append(
                        gf_multiply(column[r], 2) ^ gf_multiply(column[(r + 1) % 4], 3)
                        ^ column[(r + 2) % 4] ^ column[(r + 3) % 4])
            state = bytes(mixed)
        state = bytes(x ^ y for x, y in zip(state, key))
    return state


def ghash_multiply(x, y):
    result = 0
    for i in range(127, -1, -1):
        if x >> i & 1:
            result ^= y
        y = y >> 1 ^ (0xe1 << 120 if y & 1 else 0)
    return result


def gcm(key, iv, plain, aad):
    rounds = expand(key)
    h = int.from_bytes(aes(rounds, bytes(16)), "big")
    cipher = b""
    for i in range(0, len(plain), 16):
        stream = aes(rounds, iv + (i // 16 + 2).to_bytes(4, "big"))
        cipher += bytes(x ^ y for x, y in zip(plain[i:i + 16], stream))
    value = 0
    for data in (aad, cipher):
        for i in range(0, len(data), 16):
            value ^= int.from_bytes(data[i:i + 16].ljust(16, b"\0"), "big")
            value = ghash_multiply(value, h)
    value ^= len(aad) * 8 << 64 | len(cipher) * 8
    value = ghash_multiply(value, h)
    mask = int.from_bytes(aes(rounds, iv + b"\0\0\0\1"), "big")
    return cipher, (value ^ mask).to_bytes(16, "big")


# --- HKDF ------------------------------------------------------------------------------------


def hkdf(key, salt, info, size):
    pseudo_random = hmac.new(salt or bytes(64), key, hashlib.sha512).digest()
    out = block = b""
    counter = 1
    while len(out) < size:
        block = hmac.new(pseudo_random, block + info + bytes([counter]), hashlib.sha512).digest()
        out += block
        counter += 1
    return out[:size]


# --- the request -----------------------------------------------------------------------------


def keyslot(scalar, host, protection_key):
    z = multiply(scalar, host)[0].to_bytes(66, "big")
    wrapped, tag = gcm(hashlib.sha256(z + b"\0\0\0\1").digest(), bytes(12), protection_key, b"")
    return hashlib.sha256(encode(host)).digest() + wrapped + tag


def request(v):
    secret = v.get("secret", b"")
    extension = v.get("extension_secret", bytes(32))
    if "cck" in v:
        extension = hkdf(v["cck"], v["tag"], b"IBM Z Ultravisor Add-Secret", 32)
    header = (bytes(2) + v["type"].to_bytes(2, "big") + len(secret).to_bytes(4, "big") + bytes(8) +
              v.get("id", b""))
    size = 0x4b8 + 80 * len(v["hosts"]) + len(header) + len(secret) + 32 + 16
    user_data = v.get("user_data")
    aad = (b"asrcbM" + (0 if user_data is None else 1).to_bytes(2, "big") + 0x100.to_bytes(4, "big") + size.to_bytes(4, "big") + v["iv"] +
           bytes(11) + bytes([len(v["hosts"])]) + bytes(4) + (len(secret) + 32).to_bytes(4, "big") +
           v["flags"].to_bytes(8, "big") + v["pld"] + v["ald"] + v["tld"] + v["tag"] + v["cuid"] +
           bytes(256) + (user_data or b"").ljust(512, b"\0") + encode(multiply(v["scalar"], G)) +
           b"".join(keyslot(v["scalar"], host, v["protection_key"]) for host in v["hosts"]) + header)
    cipher, tag = gcm(v["protection_key"], v["iv"], secret + extension, aad)
    assert len(aad + cipher + tag) == size
    return aad + cipher + tag


def stream(seed, size):
    """Bytes that follow from a word."""
    return hashlib.shake_256(seed.encode()).digest(size)


def scalar_of(seed):
    return int.from_bytes(stream(seed, 80), "big") % (N - 1) + 1


def association(name, seed, **more):
    v = {
        "type": 2,
        "name": name,
        "id": hashlib.sha256(name.encode()).digest(),
        "secret": stream(seed + " secret", 32),
    }
    v.update(common(seed, **more))
    return v


def retrievable(number, name, value, seed, before=b"", size=0, **more):
    """VALUE behind BEFORE or at the right of SIZE bytes."""
    return {"type": number, "name": name, "id": hashlib.sha256(name.encode()).digest(),
            "value": value, "secret": (before + value).rjust(size, b"\0"), **common(seed, **more)}


def plaintext(name, value, seed, **more):
    padded = value + bytes(-(2 + len(value)) % 16)
    v = retrievable(3, name, padded, seed, len(value).to_bytes(2, "big"), **more)
    v["value"] = value
    return v


def derived(name, seed, **more):
    """RFC 5869; what `openssl kdf ... HKDF` prints as well."""
    master = stream(seed + " master", 32)
    v = association(name, seed, master=master, **more)
    v["secret"] = hkdf(master, b"", b"pvsecretd association secret v1\0" + name.encode(), 32)
    return v


def common(seed, hosts=1, **more):
    v = {
        "scalar": scalar_of(seed + " customer"),
        "hosts": [multiply(scalar_of(f"{seed} host {i}"), G) for i in range(hosts)],
        "iv": stream(seed + " iv", 12),
        "protection_key": stream(seed + " protection key", 32),
        "pld": stream(seed + " pld", 64),
        "ald": stream(seed + " ald", 64),
        "tld": stream(seed + " tld", 64),
        "tag": stream(seed + " tag", 16),
        "cuid": bytes(16),
        "flags": 0,
    }
    v.update(more)
    return v


def short_scalars():
    """A customer key and a host whose points and shared secret all start with two zero bytes:
    what forgets to pad shows here."""
    customers = (scalar_of(f"short customer {i}") for i in range(1 << 20))
    customer = next(k for k in customers if multiply(k, G)[0] >> 512 == 0)
    # The host's point is free to choose: its private key is not needed to make a request.
    for x in range(1 << 20):
        square = (x * x * x + A * x + B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square and multiply(customer, (x, y))[0] >> 512 == 0:
            return customer, (x, y)
    raise AssertionError


def vectors():
    yield "association-cck-three-hosts", association(
        "disk key of guest 7", "three", hosts=3, cck=stream("three cck", 32),
        cuid=stream("three cuid", 16), flags=1 << 63)
    yield "association-utf8-given", association(
        "Schlüssel/秘密 \U0001f511", "utf8", extension_secret=stream("utf8 extension", 32))
    yield "association-none-two-hosts", association("n", "none", hosts=2,
                                                    cuid=stream("none cuid", 16))
    yield "meta-cck", {"type": 1, **common("meta", cck=stream("meta cck", 32))}
    yield "meta-none", {"type": 1, **common("plain", flags=0x0123456789abcdef)}
    customer, host = short_scalars()
    short = association("leading zeros", "short", cck=bytes(32))
    short["scalar"], short["hosts"] = customer, [host]
    yield "association-leading-zeros", short
    yield "association-derived", derived("disk of every image", "derived",
                                         cck=stream("derived cck", 32))
    yield "association-derived-longest", derived("\u79d8" * 1365 + "!", "longest")
    yield "plaintext-unsigned", plaintext("certificate", stream("plaintext", 45), "plaintext",
                                          user_data=stream("plaintext user", 512))
    yield "plaintext-longest", plaintext("much", stream("much", 8190), "much", user_data=b"")
    yield "aes-192-unsigned", retrievable(5, "k", stream("aes", 24), "aes",
                                          user_data=b"a policy", extension_secret=bytes(31) + b"x")
    yield "ec-secp521r1", retrievable(0x13, "key", bytes(3) + stream("p521", 63), "p521", size=80)
    yield "ec-ed448", retrievable(0x15, "seed", stream("ed448", 57), "ed448", size=64, hosts=2)
    yield "update-cck", {"type": 0x16, "id": bytes(32), "secret": stream("next cck", 32),
                         **common("update", cck=stream("this cck", 32))}


def write(path, v):
    fields = {
        "type": str(v["type"]),
        "flags": f"{v['flags']:016x}",
        "scalar": v["scalar"].to_bytes(66, "big").hex(),
        "hosts": "".join(encode(host).hex() + ";" for host in v["hosts"]),
    }
    for name in ("iv", "protection_key", "pld", "ald", "tld", "tag", "cuid", "id", "secret", "cck",
                 "extension_secret", "user_data", "value", "master"):
        if name in v:
            fields[name] = v[name].hex()
    if "cck" in v:
        fields["check_value"] = hkdf(v["cck"], b"", b"pvsecretd check value", 8).hex()
    if "name" in v:
        fields["name"] = v["name"]
    fields["request"] = request(v).hex()
    with open(path, "w", encoding="utf-8") as file:
        file.write("# Made by make-vectors.py\n[vector]\n")
        for name, value in fields.items():
            file.write(f"{name}={value}\n")


# --- does this file itself do what it should? --------------------------------------------------


def self_check():
    assert on_curve(G) and multiply(N, G) is None
    # FIPS 197, C.3
    block = aes(expand(bytes(range(32))), bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert block.hex() == "8ea2b7ca516745bfeafc49904b496089"
    # The GCM specification's test cases 13 and 14
    assert gcm(bytes(32), bytes(12), b"", b"")[1].hex() == "530f8afbc74536b9a963b4f1c4cb738b"
    cipher, tag = gcm(bytes(32), bytes(12), bytes(16), b"")
    assert cipher.hex() == "cea7403d4d606b6e074ec5d3baf39d18"
    assert tag.hex() == "d0d1c8a799996bf0265b98b5d48ab919"


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def check(assets):
    spki = subprocess.run(
        ["openssl", "x509", "-in", os.path.join(assets, "keys", "host.pem.crt"), "-noout",
         "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=spki, check=True,
                         capture_output=True).stdout
    host = (int.from_bytes(der[-132:-66], "big"), int.from_bytes(der[-66:], "big"))
    assert on_curve(host)
    scalar = int.from_bytes(read(assets, "keys", "private_cust.bin"), "big")
    assert encode(multiply(scalar, G)) == read(assets, "keys", "public_cust.bin")
    assert keyslot(scalar, host, b"\x17" * 32) == read(assets, "exp", "keyslot.bin")
    directory = os.path.join(assets, "exp", "asrcb")
    checked = 0
    for file in sorted(os.listdir(directory)):
        kind, extension, flags, cuid, count = file.split("_")
        if kind not in ("assoc", "null"):
            continue
        v = {
            "scalar": scalar, "hosts": [host] * {"one": 1, "seven": 7}[count],
            "iv": b"\x55" * 12, "protection_key": b"\x17" * 32,
            "pld": b"\1" * 64, "ald": b"\2" * 64, "tld": b"\3" * 64, "tag": b"\4" * 16,
            "cuid": (b"\x42" if cuid == "cuid" else b"\0") * 16,
            "flags": 1 << 63 if flags == "dump" else 0, "type": 1,
        }
        if kind == "assoc":
            v.update(type=2, id=hashlib.sha256(b"add_secret_request").digest(),
                     secret=b"\x11" * 32)
        if extension == "simple":
            v["extension_secret"] = b"\x17" * 32
        if extension == "derived":
            v["cck"] = bytes(32)
        assert request(v) == read(directory, file), file
        checked += 1
    print(f"{checked} published requests and the keyslot made again")


def main():
    self_check()
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
        return
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, v in vectors():
        write(os.path.join(directory, name + ".vector"), v)


if __name__ == "__main__":
    main()
