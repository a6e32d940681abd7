/* SPDX-License-Identifier: MIT */
/*
 * document.c - certificates for the tests of the vault
 */
#include "tests/unit/document.h"

#include <openssl/pem.h>

const TestEntry test_ibm[TEST_IBM] = {
	{"C", "US"},
	{"ST", "New York"},
	{"L", "Poughkeepsie"},
	{"O", "International Business Machines Corporation"},
	{"OU", "IBM Z Host Key Signing Service"},
	{"CN", "International Business Machines Corporation"},
};

static X509_NAME *name_of(const TestEntry *entries, gsize n)
{
	X509_NAME *name = X509_NAME_new();

	for (gsize i = 0; i < n; i++)
		g_assert_cmpint(X509_NAME_add_entry_by_txt(name, entries[i].key, MBSTRING_UTF8,
							   (const guint8 *)entries[i].value, -1, -1,
							   0),
				==, 1);
	return name;
}

X509 *test_certificate(const TestEntry *entries, gsize n, EVP_PKEY *key, EVP_PKEY *signer,
		       const EVP_MD *digest)
{
	X509 *cert = X509_new();
	X509_NAME *name = name_of(entries, n);

	g_assert_true(X509_set_version(cert, X509_VERSION_3) &&
		      ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x1234567) &&
		      X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		      X509_gmtime_adj(X509_getm_notAfter(cert), 3600) &&
		      X509_set_subject_name(cert, name) && X509_set_issuer_name(cert, name) &&
		      X509_set_pubkey(cert, key) && X509_sign(cert, signer, digest) > 0);
	X509_NAME_free(name);
	return cert;
}

GBytes *test_pem_of(X509 *cert)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	char *data;
	long size;

	g_assert_cmpint(PEM_write_bio_X509(bio, cert), ==, 1);
	size = BIO_get_mem_data(bio, &data);
	return g_bytes_new(data, (gsize)size);
}

GBytes *test_der_of(X509 *cert)
{
	guint8 *data = NULL;
	int size = i2d_X509(cert, &data);
	GBytes *der;

	g_assert_cmpint(size, >, 0);
	der = g_bytes_new(data, (gsize)size);
	OPENSSL_free(data);
	return der;
}

GBytes *test_tbs_of(X509 *cert)
{
	guint8 *data = NULL;
	int size = i2d_re_X509_tbs(cert, &data);
	GBytes *tbs;

	g_assert_cmpint(size, >, 0);
	tbs = g_bytes_new(data, (gsize)size);
	OPENSSL_free(data);
	return tbs;
}

GBytes *test_sign(EVP_PKEY *key, const EVP_MD *digest, GBytes *tbs)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	guint8 signature[1024];
	gsize size = sizeof signature;

	g_assert_cmpint(EVP_DigestSignInit(context, NULL, digest, NULL, key), ==, 1);
	g_assert_cmpint(EVP_DigestSign(context, signature, &size, g_bytes_get_data(tbs, NULL),
				       g_bytes_get_size(tbs)),
			==, 1);
	EVP_MD_CTX_free(context);
	return g_bytes_new(signature, size);
}
