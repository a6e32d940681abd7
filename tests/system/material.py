# SPDX-License-Identifier: MIT
"""material - what the tests feed to the daemon and hold its answers against

SE headers, images and what is public in a request, written from the description of the formats.
"""
import hashlib
import hmac
import random
import struct
import types

HEADER_FIXED = 0x1a0
REQUEST_FIXED = 0x4b8
CANARY_CCK = hashlib.sha256(b"pvsecretd system tests: the CCK that nobody may see").digest()
CANARY_SECRET = hashlib.sha256(b"pvsecretd system tests: a given secret").digest()
HELD_SECRET = hashlib.sha256(b"pvsecretd system tests: a held extension secret").digest()
MASTER = hashlib.sha256(b"pvsecretd system tests: the master").digest()
OTHER_CCK = hashlib.sha256(b"pvsecretd system tests: another CCK").digest()


def header(seed=0, keyslots=2, encrypted=96):
    """A whole SE header: digests and tag are random, sizes add up."""
    rng = random.Random("header %s" % seed)
    size = HEADER_FIXED + 80 * keyslots + encrypted + 16
    fixed = struct.pack(">8sII12sIQQQQ", b"IBMSecEx", 0x100, size, rng.randbytes(12), 0, keyslots,
                        encrypted, 0x1000, 0)
    return fixed + rng.randbytes(size - len(fixed))


def header_identity(hdr):
    """What binds a request to the header: PLD, ALD, TLD, tag."""
    return hdr[0xe0:HEADER_FIXED] + hdr[-16:]


def image(hdr, at=0x14000, size=0x40000):
    """An image with its header at AT, found by the pointer at 0xc008."""
    rng = random.Random("image")
    data = bytearray(rng.randbytes(size))
    data[0xc000:0xc010] = b"SeImgLnx" + struct.pack(">Q", at)
    data[at:at + len(hdr)] = hdr
    return bytes(data)


def hkdf(key, salt, info, size):
    """RFC 5869 with SHA-512."""
    prk = hmac.new(salt or bytes(64), key, hashlib.sha512).digest()
    out = block = b""
    n = 0
    while len(out) < size:
        n += 1
        block = hmac.new(prk, block + info + bytes([n]), hashlib.sha512).digest()
        out += block
    return out[:size]


def extension_secret(cck, hdr):
    return hkdf(cck, hdr[-16:], b"IBM Z Ultravisor Add-Secret", 32)


def association(master, name):
    """What an image of the owner's gets under that name."""
    return hkdf(master, b"", b"pvsecretd association secret v1\0" + name.encode(), 32)


def check_value(cck):
    return hkdf(cck, b"", b"pvsecretd check value", 8).hex()


def parse_request(data):
    """The public part of an add-secret request for an association secret."""
    r = types.SimpleNamespace()
    (magic, r.user_data_type, r.version, r.size) = struct.unpack_from(">6sHII", data, 0)
    r.iv = data[0x10:0x1c]
    r.keyslots = data[0x27]
    (r.encrypted, r.flags) = struct.unpack_from(">IQ", data, 0x2c)
    r.identity = data[0x38:0x108]
    r.cuid = data[0x108:0x118]
    r.customer_key = data[0x418:0x4b8]
    r.phkhs = [data[at:at + 32].hex()
               for at in range(REQUEST_FIXED, REQUEST_FIXED + 80 * r.keyslots, 80)]
    at = REQUEST_FIXED + 80 * r.keyslots
    (_, r.type, r.secret_size, _) = struct.unpack_from(">HHIQ", data, at)
    r.id = data[at + 16:at + 48]
    r.tag = data[-16:]
    if magic != b"asrcbM" or r.size != len(data):
        raise ValueError("not a request")
    return r


def flip(data, bit):
    """DATA with one bit changed; bit 0 is the most significant of the first byte."""
    out = bytearray(data)
    out[bit // 8] ^= 0x80 >> bit % 8
    return bytes(out)
