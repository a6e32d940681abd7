/* SPDX-License-Identifier: MIT */
/*
 * asrcb.c - an add-secret request, as the simulated ultravisor reads it
 */
#include "tests/ultravisor/asrcb.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum {
	AT_MAGIC = 0x000,
	AT_USER_DATA_TYPE = 0x006,
	AT_VERSION = 0x008,
	AT_SIZE = 0x00c,
	AT_IV = 0x010,
	AT_RESERVED_1 = 0x01c,
	AT_N_KEYSLOTS = 0x027,
	AT_RESERVED_2 = 0x028,
	AT_ENCRYPTED_SIZE = 0x02c,
	AT_FLAGS = 0x030,
	AT_IDENTITY = 0x038,
	AT_CUID = 0x108,
	AT_RESERVED_3 = 0x118,
	AT_USER_DATA = 0x218,
	AT_CUSTOMER_KEY = 0x418,
	AT_KEYSLOTS = 0x4b8,

	META_HEADER_SIZE = 16,
	SECRET_HEADER_SIZE = META_HEADER_SIZE + PVS_UV_ID_SIZE,
	SMALLEST = AT_KEYSLOTS + PVS_UV_KEYSLOT_SIZE + META_HEADER_SIZE + PVS_UV_EXTENSION_SIZE +
		   PVS_UV_TAG_SIZE,
	VERSION = 0x100,
};

static const char magic[6] = {'a', 's', 'r', 'c', 'b', 'M'};

static const struct {
	guint16 type;
	const char *word;
	gsize min, max; /* length of the secret; between the two, multiples of 16 */
	gsize padding;	/* so many leading bytes are zero */
	int curve;	/* what follows them is a private scalar of this curve */
} types[] = {
	{PVS_UV_META, "meta", 0, 0, 0, NID_undef},
	{0x02, "association", 32, 32, 0, NID_undef},
	{PVS_UV_PLAINTEXT, "plaintext", 16, 8192, 0, NID_undef},
	{0x04, "aes-128-key", 16, 16, 0, NID_undef},
	{0x05, "aes-192-key", 24, 24, 0, NID_undef},
	{0x06, "aes-256-key", 32, 32, 0, NID_undef},
	{0x07, "aes-xts-128-key", 32, 32, 0, NID_undef},
	{0x08, "aes-xts-256-key", 64, 64, 0, NID_undef},
	{0x09, "hmac-sha-256-key", 64, 64, 0, NID_undef},
	{0x0a, "hmac-sha-512-key", 128, 128, 0, NID_undef},
	{0x11, "ec-secp256r1-private-key", 32, 32, 0, NID_X9_62_prime256v1},
	{0x12, "ec-secp384r1-private-key", 48, 48, 0, NID_secp384r1},
	{0x13, "ec-secp521r1-private-key", 80, 80, 14, NID_secp521r1},
	{0x14, "ec-ed25519-private-key", 32, 32, 0, NID_undef},
	{0x15, "ec-ed448-private-key", 64, 64, 7, NID_undef},
	{PVS_UV_UPDATE_CCK, "update-cck", 32, 32, 0, NID_undef},
};

/* The signature's place in signed user data: behind the user's part, to the end. */
enum { UNSIGNED_TYPES = 2, EC_SIGNATURE_MAX = 139 };
static const struct {
	gsize users;
	gboolean ec;
} user_data_types[] = {{512, FALSE}, {512, FALSE}, {256, TRUE}, {256, FALSE}, {128, FALSE}};

static const PvsUvVerdict good = {PVS_UV_NONE, ""};

static PvsUvVerdict refuse(PvsUvReason reason, const char *text)
{
	return (PvsUvVerdict){reason, text};
}

const char *pvs_uv_reason_word(PvsUvReason reason)
{
#define WORD(name, word) [PVS_UV_##name] = word,
	static const char *const words[] = {PVS_UV_REASONS(WORD)};
#undef WORD
	return words[reason];
}

gboolean pvs_uv_is_zero(const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++) {
		if (data[i] != 0)
			return FALSE;
	}
	return TRUE;
}

guint64 pvs_uv_be(const guint8 *data, gsize size)
{
	guint64 value = 0;

	for (gsize i = 0; i < size; i++)
		value = value << 8 | data[i];
	return value;
}

static gsize find_type(guint16 type)
{
	gsize i;

	for (i = 0; i < G_N_ELEMENTS(types) && types[i].type != type; i++)
		;
	return i;
}

const char *pvs_uv_type_word(guint16 type)
{
	gsize i = find_type(type);

	return i < G_N_ELEMENTS(types) ? types[i].word : NULL;
}

/* The firmware has no key to verify a signature with; it only carries the user data to whoever
 * has. So what can be said here is whether a signature is where it must be. */
static PvsUvVerdict check_user_data(guint16 type, const guint8 *data)
{
	const guint8 *signature;
	gsize used;

	if (type >= G_N_ELEMENTS(user_data_types))
		return refuse(PVS_UV_USER_DATA, "unknown type of user data");
	if (type < UNSIGNED_TYPES) {
		if (type == 0 && !pvs_uv_is_zero(data, PVS_UV_USER_DATA_SIZE))
			return refuse(PVS_UV_USER_DATA,
				      "user data, but its type says there is none");
		return good;
	}

	signature = data + user_data_types[type].users;
	if (!user_data_types[type].ec) {
		if (pvs_uv_is_zero(signature, PVS_UV_USER_DATA_SIZE - user_data_types[type].users))
			return refuse(PVS_UV_USER_DATA, "no RSA signature in signed user data");
		return good;
	}

	/* DER: SEQUENCE, its length in the short or the one-byte long form, nothing behind it. Two
	 * integers of 66 bytes with their headers need 139 bytes at most. */
	used = pvs_uv_be(signature + EC_SIGNATURE_MAX + 5, 2);
	if (used < 8 || used > EC_SIGNATURE_MAX)
		return refuse(PVS_UV_USER_DATA, "length of the EC signature is out of range");
	if (signature[0] != 0x30 ||
	    !((signature[1] < 0x80 && signature[1] + 2U == used) ||
	      (signature[1] == 0x81 && signature[2] >= 0x80 && signature[2] + 3U == used)))
		return refuse(PVS_UV_USER_DATA, "EC signature is not a DER sequence of its length");
	if (!pvs_uv_is_zero(signature + used, EC_SIGNATURE_MAX + 5 - used) ||
	    !pvs_uv_is_zero(signature + EC_SIGNATURE_MAX + 7, 110))
		return refuse(PVS_UV_USER_DATA, "bytes behind the EC signature are not zero");
	return good;
}

PvsUvVerdict pvs_uv_request_parse(const guint8 *data, gsize size, PvsUvRequest *request)
{
	PvsUvRequest r = {.data = data};
	PvsUvVerdict verdict;
	gsize header, header_size, i;

	if (size < AT_USER_DATA_TYPE)
		return refuse(PVS_UV_SIZE, "shorter than the magic");
	if (memcmp(data + AT_MAGIC, magic, sizeof magic) != 0)
		return refuse(PVS_UV_MAGIC, "does not start with the magic of a request");
	if (size < AT_SIZE)
		return refuse(PVS_UV_SIZE, "shorter than the version");
	if (pvs_uv_be(data + AT_VERSION, 4) != VERSION)
		return refuse(PVS_UV_VERSION, "unknown version");
	if (size < SMALLEST)
		return refuse(PVS_UV_SIZE, "shorter than the smallest request");
	if (pvs_uv_be(data + AT_SIZE, 4) != size)
		return refuse(PVS_UV_SIZE, "the size stated is not the size of the request");
	if (!pvs_uv_is_zero(data + AT_RESERVED_1, AT_N_KEYSLOTS - AT_RESERVED_1) ||
	    !pvs_uv_is_zero(data + AT_RESERVED_2, AT_ENCRYPTED_SIZE - AT_RESERVED_2) ||
	    !pvs_uv_is_zero(data + AT_RESERVED_3, AT_USER_DATA - AT_RESERVED_3))
		return refuse(PVS_UV_RESERVED, "a reserved field is not zero");

	r.n_keyslots = data[AT_N_KEYSLOTS];
	header = AT_KEYSLOTS + (gsize)PVS_UV_KEYSLOT_SIZE * r.n_keyslots;
	if (r.n_keyslots == 0)
		return refuse(PVS_UV_SIZE, "no keyslot");
	if (header + META_HEADER_SIZE > size)
		return refuse(PVS_UV_SIZE, "keyslots reach beyond the end");

	r.type = (guint16)pvs_uv_be(data + header + 2, 2);
	r.secret_size = pvs_uv_be(data + header + 4, 4);
	i = find_type(r.type);
	if (i == G_N_ELEMENTS(types))
		return refuse(PVS_UV_TYPE, "unknown type of secret");
	if (r.secret_size < types[i].min || r.secret_size > types[i].max ||
	    (types[i].min != types[i].max && r.secret_size % 16 != 0))
		return refuse(PVS_UV_TYPE, "wrong length for the type of the secret");
	if (!pvs_uv_is_zero(data + header, 2) || !pvs_uv_is_zero(data + header + 8, 8))
		return refuse(PVS_UV_RESERVED,
			      "a reserved field of the secret's header is not zero");

	/* All lengths are small by now (at most 255 keyslots and 8192 bytes): no sum overflows. */
	header_size = r.type == PVS_UV_META ? META_HEADER_SIZE : SECRET_HEADER_SIZE;
	r.authenticated = header + header_size;
	if (pvs_uv_be(data + AT_ENCRYPTED_SIZE, 4) != r.secret_size + PVS_UV_EXTENSION_SIZE)
		return refuse(PVS_UV_SIZE, "the encrypted area is not secret and extension secret");
	if (r.authenticated + r.secret_size + PVS_UV_EXTENSION_SIZE + PVS_UV_TAG_SIZE != size)
		return refuse(PVS_UV_SIZE, "the parts do not add up to the size of the request");

	r.user_data_type = (guint16)pvs_uv_be(data + AT_USER_DATA_TYPE, 2);
	r.flags = pvs_uv_be(data + AT_FLAGS, 8);
	r.iv = data + AT_IV;
	r.identity = data + AT_IDENTITY;
	r.cuid = data + AT_CUID;
	r.user_data = data + AT_USER_DATA;
	r.customer_key = data + AT_CUSTOMER_KEY;
	r.keyslots = data + AT_KEYSLOTS;
	r.id = r.type == PVS_UV_META ? NULL : data + header + META_HEADER_SIZE;
	r.encrypted = data + r.authenticated;
	r.tag = data + size - PVS_UV_TAG_SIZE;

	if (r.type == PVS_UV_UPDATE_CCK && !pvs_uv_is_zero(r.id, PVS_UV_ID_SIZE))
		return refuse(PVS_UV_RESERVED, "the id of an updated CCK is not zero");
	verdict = check_user_data(r.user_data_type, r.user_data);
	if (verdict.reason != PVS_UV_NONE)
		return verdict;

	*request = r;
	return good;
}

static gboolean is_scalar_of(int curve, const guint8 *data, gsize size)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(curve);
	BIGNUM *scalar = BN_bin2bn(data, (int)size, NULL);
	gboolean ok;

	g_assert_true(group && scalar);
	ok = !BN_is_zero(scalar) && BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0;
	BN_clear_free(scalar);
	EC_GROUP_free(group);
	return ok;
}

PvsUvVerdict pvs_uv_secret_check(guint16 type, const guint8 *secret, gsize size)
{
	gsize i = find_type(type), used;

	g_assert_cmpuint(i, <, G_N_ELEMENTS(types));
	g_assert_cmpuint(size, >=, types[i].min);

	if (!pvs_uv_is_zero(secret, types[i].padding))
		return refuse(PVS_UV_SECRET, "the key is not padded with zeros on the left");
	if (types[i].curve != NID_undef &&
	    !is_scalar_of(types[i].curve, secret + types[i].padding, size - types[i].padding))
		return refuse(PVS_UV_SECRET, "not a private key of the curve");
	if (type == PVS_UV_PLAINTEXT) {
		used = 2 + pvs_uv_be(secret, 2);
		if ((used + 15) / 16 * 16 != size)
			return refuse(PVS_UV_SECRET, "the length of the plaintext does not fit");
		if (!pvs_uv_is_zero(secret + used, size - used))
			return refuse(PVS_UV_SECRET, "the plaintext is not padded with zeros");
	}
	return good;
}

gboolean pvs_uv_gcm_open(const guint8 *key, const guint8 *iv, const guint8 *aad, gsize aad_size,
			 const guint8 *encrypted, gsize size, const guint8 *tag, guint8 *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	guint8 expected[PVS_UV_TAG_SIZE];
	guint8 rest[PVS_UV_TAG_SIZE];
	int n = 0;
	gboolean ok;

	/* OpenSSL failing for another reason than the tag says nothing about the request: a judge
	 * that cannot judge must not speak. */
	memcpy(expected, tag, sizeof expected);
	g_assert_true(ctx);
	g_assert_true(EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, iv, NULL));
	g_assert_true(aad_size == 0 || EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_size));
	g_assert_true(EVP_DecryptUpdate(ctx, plain, &n, encrypted, (int)size));
	g_assert_cmpint(n, ==, (int)size);
	g_assert_true(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, PVS_UV_TAG_SIZE, expected));
	ok = EVP_DecryptFinal_ex(ctx, rest, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		OPENSSL_cleanse(plain, size);
	return ok;
}

void pvs_uv_derive_extension(const guint8 *cck, const guint8 *header_tag, guint8 *out)
{
	/* RFC 5869, sections 2.2 and 2.3; one block of SHA-512 is more than is needed, so the
	 * expand step is HMAC over the info and the block's number. */
	static const char info[] = "IBM Z Ultravisor Add-Secret\x01";
	guint8 prk[64], block[64];
	unsigned int n = 0;

	g_assert_true(
		HMAC(EVP_sha512(), header_tag, PVS_UV_TAG_SIZE, cck, PVS_UV_CCK_SIZE, prk, &n));
	g_assert_true(
		HMAC(EVP_sha512(), prk, (int)n, (const guint8 *)info, sizeof info - 1, block, &n));
	memcpy(out, block, PVS_UV_EXTENSION_SIZE);
	OPENSSL_cleanse(prk, sizeof prk);
	OPENSSL_cleanse(block, sizeof block);
}
