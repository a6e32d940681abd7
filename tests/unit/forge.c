/* SPDX-License-Identifier: MIT */
/*
 * forge.c - add-secret requests put together by hand, good and bad
 */
#include "tests/unit/forge.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

static void put_be(GByteArray *out, guint64 value, guint size)
{
	while (size-- > 0) {
		guint8 byte = (guint8)(value >> (8 * size));

		g_byte_array_append(out, &byte, 1);
	}
}

static void put(GByteArray *out, const guint8 *data, gsize size)
{
	g_byte_array_append(out, data, (guint)size);
}

static void put_zeros(GByteArray *out, guint size)
{
	const guint8 zero = 0;

	while (size-- > 0)
		put(out, &zero, 1);
}

/* 0x04, X, Y in 133 bytes becomes X, Y in 160. */
static void point_of(EVP_PKEY *key, guint8 *point)
{
	guint8 octets[133];
	gsize n = 0;

	g_assert_true(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, octets,
						      sizeof octets, &n));
	if (n != sizeof octets || octets[0] != 4)
		g_error("a key that is not an uncompressed point on P-521");
	memset(point, 0, 160);
	memcpy(point + 14, octets + 1, 66);
	memcpy(point + 80 + 14, octets + 67, 66);
}

static void digest(const guint8 *data, gsize size, guint8 *out)
{
	g_assert_true(EVP_Digest(data, size, out, NULL, EVP_sha256(), NULL));
}

static void seal(const guint8 *key, const guint8 *iv, const guint8 *aad, gsize aad_size,
		 const guint8 *plain, gsize size, guint8 *encrypted, guint8 *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	g_assert_true(EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, iv, NULL));
	if (aad_size > 0)
		g_assert_true(EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_size));
	g_assert_true(EVP_EncryptUpdate(ctx, encrypted, &n, plain, (int)size));
	g_assert_true(EVP_EncryptFinal_ex(ctx, encrypted + n, &n));
	g_assert_true(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag));
	EVP_CIPHER_CTX_free(ctx);
}

PvsForge pvs_forge(EVP_PKEY *customer, EVP_PKEY *host)
{
	static const guint8 secret[32] = {[0 ... 31] = 0x11};
	PvsForge f = {.type = 2, .secret = secret, .size = sizeof secret};

	f.customer = customer;
	f.hosts[0] = host;
	f.n_hosts = 1;
	g_assert_true(RAND_bytes(f.id, sizeof f.id) && RAND_bytes(f.identity, sizeof f.identity) &&
		      RAND_bytes(f.key, sizeof f.key) && RAND_bytes(f.iv, sizeof f.iv));
	return f;
}

void pvs_forge_keyslot(const PvsForge *forge, EVP_PKEY *host, guint8 *slot)
{
	static const guint8 zero_iv[12];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(forge->customer, NULL);
	guint8 point[160], wrapping[32], input[66 + 4] = {0};
	gsize n = 66;

	point_of(host, point);
	digest(point, sizeof point, slot);
	g_assert_true(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, host) == 1 &&
		      EVP_PKEY_derive(ctx, input, &n) == 1);
	g_assert_cmpuint(n, ==, 66);
	input[69] = 1;
	digest(input, sizeof input, wrapping);
	seal(wrapping, zero_iv, NULL, 0, forge->key, 32, slot + 32, slot + 64);
	EVP_PKEY_CTX_free(ctx);
}

GByteArray *pvs_forge_request(const PvsForge *forge)
{
	GByteArray *out = g_byte_array_new();
	g_autofree guint8 *plain = g_malloc(forge->size + 32), *sealed = g_malloc(forge->size + 32);
	guint8 point[160], slot[80], tag[16];
	gsize header = forge->type == 1 ? 16 : 48;

	put(out, (const guint8 *)"asrcbM", 6);
	put_be(out, forge->user_data_type, 2);
	put_be(out, 0x100, 4);
	put_be(out, 0x4b8 + 80 * forge->n_hosts + header + forge->size + 32 + 16, 4);
	put(out, forge->iv, 12);
	put_zeros(out, 11);
	put_be(out, forge->n_hosts, 1);
	put_zeros(out, 4);
	put_be(out, forge->size + 32, 4);
	put_be(out, forge->flags, 8);
	put(out, forge->identity, 208);
	put(out, forge->cuid, 16);
	put_zeros(out, 256);
	put(out, forge->user_data, 512);
	point_of(forge->customer, point);
	put(out, point, 160);
	g_assert_cmpuint(out->len, ==, 0x4b8);
	for (guint i = 0; i < forge->n_hosts; i++) {
		pvs_forge_keyslot(forge, forge->hosts[i], slot);
		put(out, slot, 80);
	}
	put_zeros(out, 2);
	put_be(out, forge->type, 2);
	put_be(out, forge->size, 4);
	put_zeros(out, 8);
	if (forge->type != 1)
		put(out, forge->id, 32);

	g_assert_cmpuint(forge->patch_at + forge->patch_size, <=, out->len);
	if (forge->patch)
		memcpy(out->data + forge->patch_at, forge->patch, forge->patch_size);
	if (forge->size > 0)
		memcpy(plain, forge->secret, forge->size);
	memcpy(plain + forge->size, forge->extension, 32);
	seal(forge->key, forge->iv, out->data, out->len, plain, forge->size + 32, sealed, tag);
	put(out, sealed, forge->size + 32);
	put(out, tag, 16);
	return out;
}

GByteArray *pvs_forge_header(const guint8 *identity)
{
	GByteArray *out = g_byte_array_new();

	put(out, (const guint8 *)"IBMSecEx", 8);
	put_be(out, 0x100, 4);
	put_be(out, 0x1a0 + 16, 4);
	put_zeros(out, 16 + 8 + 8 + 8 + 8 + 160);
	put(out, identity, 192);
	put(out, identity + 192, 16);
	g_assert_cmpuint(out->len, ==, 0x1a0 + 16);
	return out;
}

EVP_PKEY *pvs_forge_pair(const guint8 *scalar, const guint8 *point)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	BIGNUM *number = BN_bin2bn(scalar, 80, NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	guint8 octets[133] = {4};

	memcpy(octets + 1, point + 14, 66);
	memcpy(octets + 67, point + 80 + 14, 66);
	g_assert_true(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
						      SN_secp521r1, 0) &&
		      OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, octets,
						       sizeof octets) &&
		      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number));
	params = OSSL_PARAM_BLD_to_param(build);
	g_assert_true(EVP_PKEY_fromdata_init(ctx) == 1 &&
		      EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(number);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

char *pvs_forge_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem;
	long n;

	g_assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	n = BIO_get_mem_data(bio, &data);
	pem = g_strndup(data, (gsize)n);
	BIO_free(bio);
	return pem;
}

void pvs_forge_extension(const guint8 *cck, const guint8 *header_tag, guint8 *out)
{
	static const char info[] = "IBM Z Ultravisor Add-Secret";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA512", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)cck, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)header_tag, 16),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info,
						  sizeof info - 1),
		OSSL_PARAM_construct_end(),
	};

	g_assert_true(EVP_KDF_derive(ctx, out, 32, params) == 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}
