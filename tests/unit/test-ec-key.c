/* SPDX-License-Identifier: MIT */
/*
 * test-ec-key.c - the scalar out of the file that someone keeps an EC key in
 */
#include "client/ec-key.h"

#include <string.h>

#include <glib/gstdio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "client/failure.h"

static const struct {
	const char *type;
	const char *group;
	const char *curve;
	gsize size;
} curves[] = {
	{"EC", "P-256", "secp256r1", 32}, {"EC", "P-384", "secp384r1", 48},
	{"EC", "P-521", "secp521r1", 66}, {"ED25519", NULL, "ed25519", 32},
	{"ED448", NULL, "ed448", 57},
};

static PvsClientSecret *decode(const void *data, gsize size, const char **curve, GError **error)
{
	guint8 *place;
	PvsClientSecret *file = pvs_client_secret_new(size, &place), *value;

	memcpy(place, data, size);
	value = pvs_ec_key_decode(file, "--secret f", curve, error);
	pvs_client_secret_free(file);
	return value;
}

static void assert_decodes(const void *data, gsize size, const char *curve, const guint8 *scalar,
			   gsize scalar_size)
{
	const char *got = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsClientSecret) value = decode(data, size, &got, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(got, ==, curve);
	g_assert_cmpmem(pvs_client_secret_data(value), pvs_client_secret_size(value), scalar,
			scalar_size);
}

static void assert_refused(const void *data, gsize size, const char *pattern)
{
	const char *curve = "untouched";
	g_autoptr(GError) error = NULL;

	g_assert_null(decode(data, size, &curve, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	if (!g_pattern_match_simple(pattern, error->message))
		g_error("%s", error->message);
	g_assert_nonnull(pvs_failure_hint(error));
	g_assert_cmpstr(curve, ==, "untouched");
}

/* What OpenSSL itself says the scalar is. */
static void scalar_of(EVP_PKEY *key, guint8 *scalar, gsize size)
{
	BIGNUM *number = NULL;
	gsize got = size;

	if (!EVP_PKEY_is_a(key, "EC")) {
		g_assert_cmpint(EVP_PKEY_get_raw_private_key(key, scalar, &got), ==, 1);
		g_assert_cmpuint(got, ==, size);
		return;
	}
	g_assert_cmpint(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number), ==, 1);
	g_assert_cmpint(BN_bn2binpad(number, scalar, (int)size), ==, (int)size);
	BN_clear_free(number);
}

static gsize text_of(BIO *bio, char **text)
{
	return (gsize)BIO_get_mem_data(bio, text);
}

static void check_forms(EVP_PKEY *key, const char *curve, const guint8 *scalar, gsize size)
{
	BIO *pem = BIO_new(BIO_s_mem()), *both = BIO_new(BIO_s_mem());
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	guint8 *der = NULL, *traditional = NULL;
	char *text;
	gsize length;
	int n;

	PEM_write_bio_PKCS8_PRIV_KEY_INFO(pem, info);
	length = text_of(pem, &text);
	assert_decodes(text, length, curve, scalar, size);
	n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	assert_decodes(der, (gsize)n, curve, scalar, size);
	if (EVP_PKEY_is_a(key, "EC")) {
		n = i2d_PrivateKey(key, &traditional);
		assert_decodes(traditional, (gsize)n, curve, scalar, size);
		/* As openssl ecparam -genkey writes it: what is no key comes first. */
		BIO_puts(both, "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIw==\n"
			       "-----END EC PARAMETERS-----\n");
		PEM_write_bio_PrivateKey_traditional(both, key, NULL, NULL, 0, NULL, NULL);
		length = text_of(both, &text);
		assert_decodes(text, length, curve, scalar, size);
	}
	OPENSSL_free(der);
	OPENSSL_free(traditional);
	PKCS8_PRIV_KEY_INFO_free(info);
	BIO_free(pem);
	BIO_free(both);
}

static void test_forms(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(curves); i++) {
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, curves[i].type, curves[i].group);
		guint8 scalar[66];

		g_assert_nonnull(key);
		scalar_of(key, scalar, curves[i].size);
		check_forms(key, curves[i].curve, scalar, curves[i].size);
		EVP_PKEY_free(key);
	}
}

/* SEC 1: version 1, an octet string of @size bytes with the scalar at its end, the named curve. */
static GByteArray *sec1(gsize size, guint8 scalar)
{
	static const guint8 curve[] = {0xa0, 7, 6, 5, 0x2b, 0x81, 4, 0, 0x23};
	static const guint8 zeros[80];
	GByteArray *der = g_byte_array_new();
	const guint8 head[] = {0x30, (guint8)(5 + size + sizeof curve), 2, 1, 1, 4, (guint8)size};

	g_byte_array_append(der, head, sizeof head);
	g_byte_array_append(der, zeros, (guint)size - 1);
	g_byte_array_append(der, &scalar, 1);
	g_byte_array_append(der, curve, sizeof curve);
	return der;
}

static void test_leading_zeros(void)
{
	static const gsize sizes[] = {66, 65, 33, 1};
	guint8 expected[66] = {0};

	expected[65] = 5;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(GByteArray) der = sec1(sizes[i], 5);

		assert_decodes(der->data, der->len, "secp521r1", expected, sizeof expected);
	}
}

static void test_zero(void)
{
	g_autoptr(GByteArray) der = sec1(66, 0);

	assert_refused(der->data, der->len, "--secret f: *");
}

static void test_other_keys(void)
{
	static const struct {
		const char *type, *group;
	} rows[] = {
		{"EC", "secp256k1"}, {"EC", "P-224"}, {"EC", "brainpoolP384r1"}, {"X448", NULL}};
	static const char nothing[] =
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type, rows[i].group);
		guint8 *der = NULL;
		int n = i2d_PrivateKey(key, &der);

		assert_refused(der, (gsize)n, "*is not an EC key on a curve*");
		OPENSSL_free(der);
		EVP_PKEY_free(key);
	}
	assert_refused(nothing, strlen(nothing), "*is not a private key in PEM or DER*");
	assert_refused("", 1, "*is not a private key in PEM or DER*");
}

static void test_password(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	gsize length;

	PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
	length = text_of(bio, &text);
	assert_refused(text, length, "*protected by a password");
	BIO_free(bio);
	EVP_PKEY_free(key);
}

/* A public key is none. */
static void test_public(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	gsize length;

	PEM_write_bio_PUBKEY(bio, key);
	length = text_of(bio, &text);
	assert_refused(text, length, "*is not a private key*");
	BIO_free(bio);
	EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ec-key/forms", test_forms);
	g_test_add_func("/ec-key/leading-zeros", test_leading_zeros);
	g_test_add_func("/ec-key/zero", test_zero);
	g_test_add_func("/ec-key/other-keys", test_other_keys);
	g_test_add_func("/ec-key/password", test_password);
	g_test_add_func("/ec-key/public", test_public);
	return g_test_run();
}
