/* SPDX-License-Identifier: MIT */
/*
 * request-case.c - requests for the tests: made from cases, and opened again
 */
#include "tests/unit/request-case.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

void test_arena_init(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(pvs_locked_init(PVS_LOCKED_MAX, &error) && pvs_locked_openssl(&error) &&
		      pvs_crypto_init(&error));
	g_assert_no_error(error);
}

/* ---- keys ---- */

/* The key pair with this scalar and this point. */
EVP_PKEY *test_key_pair(const guint8 *scalar, gsize size, const guint8 point[PVS_POINT_SIZE])
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *d = BN_bin2bn(scalar, (int)size, BN_secure_new());
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	guint8 encoded[133] = {4};
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	memcpy(encoded + 1, point + 14, 66);
	memcpy(encoded + 67, point + 94, 66);
	OSSL_PARAM_BLD_push_utf8_string(builder, "group", "secp521r1", 0);
	OSSL_PARAM_BLD_push_octet_string(builder, "pub", encoded, sizeof encoded);
	OSSL_PARAM_BLD_push_BN(builder, "priv", d);
	params = OSSL_PARAM_BLD_to_param(builder);
	g_assert_cmpint(EVP_PKEY_fromdata_init(context), ==, 1);
	g_assert_cmpint(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params), ==, 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_clear_free(d);
	EVP_PKEY_CTX_free(context);
	return key;
}

EVP_PKEY *test_new_key(guint8 point[PVS_POINT_SIZE])
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");

	g_assert_true(pvs_request_point(key, point, NULL));
	return key;
}

PvsSecret *test_secret_of(const guint8 *bytes, gsize size)
{
	PvsSecret *secret = pvs_secret_new(size);

	memcpy(secret->bytes, bytes, size);
	return secret;
}

PvsSecret *test_filled(guint8 fill)
{
	PvsSecret *secret = pvs_secret_new(32);

	memset(secret->bytes, fill, 32);
	return secret;
}

/* ---- an independent decoder: offsets as the format's description has them ---- */

static guint32 be32(const guint8 *at)
{
	return (guint32)at[0] << 24 | (guint32)at[1] << 16 | (guint32)at[2] << 8 | at[3];
}

void test_sha256(const guint8 *data, gsize size, guint8 hash[32])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize length = 32;

	g_checksum_update(sum, data, (gssize)size);
	g_checksum_get_digest(sum, hash, &length);
}

static void hmac512(const guint8 *key, gsize key_size, const guint8 *a, gsize a_size,
		    const guint8 *b, gsize b_size, guint8 out[64])
{
	g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA512, key, key_size);
	gsize length = 64;

	if (a_size)
		g_hmac_update(hmac, a, (gssize)a_size);
	if (b_size)
		g_hmac_update(hmac, b, (gssize)b_size);
	g_hmac_get_digest(hmac, out, &length);
}

/* RFC 5869 sections 2.2 and 2.3, as far as one block goes: at most 64 bytes. */
void test_hkdf512(const guint8 key[32], const guint8 *salt, gsize salt_size, const char *info,
		  guint8 *out, gsize size)
{
	static const guint8 one[1] = {1}, zeros[64];
	guint8 extracted[64], block[64];

	hmac512(salt_size ? salt : zeros, salt_size ? salt_size : 64, key, 32, NULL, 0, extracted);
	hmac512(extracted, 64, (const guint8 *)info, strlen(info), one, 1, block);
	memcpy(out, block, size);
}

static gboolean gcm_decrypt(const guint8 key[32], const guint8 iv[12], const guint8 *aad,
			    gsize aad_size, const guint8 *in, gsize size, const guint8 tag[16],
			    guint8 *out)
{
	g_autoptr(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
	int n;

	g_assert_cmpint(EVP_DecryptInit(context, EVP_aes_256_gcm(), key, iv), ==, 1);
	if (aad_size)
		g_assert_cmpint(EVP_DecryptUpdate(context, NULL, &n, aad, (int)aad_size), ==, 1);
	g_assert_cmpint(EVP_DecryptUpdate(context, out, &n, in, (int)size), ==, 1);
	EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)tag);
	return EVP_DecryptFinal(context, out + n, &n) == 1;
}

/* Finds the slot of @host and unwraps; FALSE where a tag fails. */
static gboolean unwrap(const guint8 *r, EVP_PKEY *host, guint8 key[32])
{
	guint8 point[PVS_POINT_SIZE], phkh[32], z[70] = {0}, wrap[32];
	static const guint8 iv[12];
	gsize size = 66;

	g_assert_true(pvs_request_point(host, point, NULL));
	test_sha256(point, sizeof point, phkh);
	for (guint i = 0; i < r[0x27]; i++) {
		const guint8 *slot = r + 0x4b8 + 80 * i;
		g_autoptr(EVP_PKEY) customer = NULL;
		g_autoptr(EVP_PKEY_CTX) context = NULL;

		if (memcmp(slot, phkh, 32) != 0)
			continue;
		customer = pvs_crypto_host_key(r + 0x418, NULL);
		context = EVP_PKEY_CTX_new(host, NULL);
		g_assert_cmpint(EVP_PKEY_derive_init(context), ==, 1);
		g_assert_cmpint(EVP_PKEY_derive_set_peer(context, customer), ==, 1);
		g_assert_cmpint(EVP_PKEY_derive(context, z, &size), ==, 1);
		z[69] = 1;
		test_sha256(z, 70, wrap);
		return gcm_decrypt(wrap, iv, NULL, 0, slot + 32, 32, slot + 64, key);
	}
	return FALSE;
}

gboolean test_open_request(GBytes *request, EVP_PKEY *host, Opened *opened)
{
	gsize size, header, aad, secret;
	const guint8 *r = g_bytes_get_data(request, &size);
	guint8 key[32], plain[8192 + 32];

	g_assert_cmpmem(r, 6, "asrcbM", 6);
	g_assert_cmpuint(be32(r + 0x8), ==, 0x100);
	g_assert_cmpuint(be32(r + 0xc), ==, size);
	header = 0x4b8 + 80u * r[0x27];
	opened->type = (guint16)(r[header + 2] << 8 | r[header + 3]);
	secret = be32(r + header + 4);
	g_assert_cmpuint(be32(r + 0x2c), ==, secret + 32);
	aad = header + (opened->type == 1 ? 16 : 48);
	g_assert_cmpuint(aad + secret + 32 + 16, ==, size);
	opened->flags = (guint64)be32(r + 0x30) << 32 | be32(r + 0x34);
	memset(opened->id, 0, 32);
	if (opened->type != 1)
		memcpy(opened->id, r + header + 16, 32);
	if (!unwrap(r, host, key) ||
	    !gcm_decrypt(key, r + 0x10, r, aad, r + aad, secret + 32, r + size - 16, plain))
		return FALSE;
	opened->secret_size = secret;
	memcpy(opened->secret, plain, secret);
	memcpy(opened->extension, plain + secret, 32);
	return TRUE;
}

void test_case_clear(Case *c)
{
	g_free(c->points);
	pvs_secret_free(c->secret);
	pvs_secret_free(c->cck);
	pvs_secret_free(c->extension_secret);
	g_clear_pointer(&c->user_data, g_bytes_unref);
	pvs_request_randomness_clear(&c->randomness);
}
GBytes *test_build(Case *c)
{
	g_autoptr(GError) error = NULL;
	GBytes *request;

	c->input.host_points = (const guint8(*)[PVS_POINT_SIZE])c->points;
	c->input.secret = c->secret;
	c->input.cck = c->cck;
	c->input.extension_secret = c->extension_secret;
	c->input.user_data = NULL;
	c->input.user_data_size = 0;
	if (c->user_data) {
		c->input.user_data = g_bytes_get_data(c->user_data, &c->input.user_data_size);
		/* What is empty is there all the same. */
		if (!c->input.user_data)
			c->input.user_data = (const guint8 *)"";
	}
	request = pvs_request_build(&c->input, &c->randomness, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	return request;
}

void test_random_bytes(guint8 *out, gsize size)
{
	for (gsize i = 0; i < size; i++)
		out[i] = (guint8)g_random_int_range(0, 256);
}

static char *random_name(void)
{
	static const gunichar samples[] = {'a', '/', '\n', ' ', 0xe4, 0x3a9, 0x79d8, 0x1f511};
	g_autoptr(GString) name = g_string_new(NULL);
	gint length = g_random_int_range(1, 60);

	for (gint i = 0; i < length; i++)
		g_string_append_unichar(
			name, samples[g_random_int_range(0, (gint)G_N_ELEMENTS(samples))]);
	return g_strdup(name->str);
}

void test_random_case(Case *c, EVP_PKEY **hosts, guint n)
{
	c->points = g_malloc_n(n, PVS_POINT_SIZE);
	for (guint i = 0; i < n; i++)
		g_assert_true(pvs_request_point(hosts[i], c->points[i], NULL));
	c->input.n_host_points = n;
	test_random_bytes((guint8 *)&c->input.tags, sizeof c->input.tags);
	if (g_random_boolean())
		test_random_bytes(c->input.cuid, sizeof c->input.cuid);
	c->input.flags = g_random_boolean() ? PVS_FLAG_DISABLE_DUMP : 0;
	c->input.type = PVS_SECRET_NULL;
	if (g_random_int_range(0, 5)) {
		g_autofree char *name = random_name();

		c->input.type = PVS_SECRET_ASSOCIATION;
		pvs_request_id(name, FALSE, c->input.id);
		c->secret = pvs_secret_new(32);
		test_random_bytes(c->secret->bytes, 32);
	}
	switch (g_random_int_range(0, 3)) {
	case 0:
		c->cck = pvs_secret_new(32);
		test_random_bytes(c->cck->bytes, 32);
		break;
	case 1:
		c->extension_secret = pvs_secret_new(32);
		test_random_bytes(c->extension_secret->bytes, 32);
		break;
	default:
		break;
	}
	g_assert_true(pvs_request_draw(&c->randomness, NULL));
}
