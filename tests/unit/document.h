/* SPDX-License-Identifier: MIT */
/*
 * document.h - certificates for the tests of the vault
 *
 * The vault asks little of a document: a signature, and a key in its place. tests/pki makes whole
 * chains.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <glib.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)

typedef struct {
	const char *key;
	const char *value;
} TestEntry;

enum { TEST_IBM = 6 };

/* The subject of an IBM Z host-key signing key. */
extern const TestEntry test_ibm[TEST_IBM];

/* A certificate of @key with this subject and issuer, signed by @signer. */
X509 *test_certificate(const TestEntry *entries, gsize n, EVP_PKEY *key, EVP_PKEY *signer,
		       const EVP_MD *digest);

GBytes *test_pem_of(X509 *cert);
GBytes *test_der_of(X509 *cert);
GBytes *test_tbs_of(X509 *cert); /* the signed bytes */

/* A signature over any bytes: PKCS#1 v1.5 or ECDSA. */
GBytes *test_sign(EVP_PKEY *key, const EVP_MD *digest, GBytes *tbs);
