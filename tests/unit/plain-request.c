/* SPDX-License-Identifier: MIT */
/*
 * plain-request.c - requests in their outer form, made without the vault
 */
#include "tests/unit/plain-request.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

GByteArray *plain_request(const PlainRequest *what)
{
	gsize own = what->secret_type == PVS_SECRET_NULL ? PVS_SECRET_HEADER_NULL
							 : sizeof(PvsSecretHeader);
	gsize size = sizeof(PvsRequestHead) + what->keyslots * sizeof(PvsKeyslot) + own +
		     what->secret_length + 32 + PVS_TAG_SIZE;
	GByteArray *bytes = g_byte_array_new();
	PvsRequestHead head = {
		.magic = PVS_REQUEST_MAGIC,
		.user_data_type = GUINT16_TO_BE(what->user_data),
		.version = GUINT32_TO_BE(PVS_REQUEST_VERSION),
		.size = GUINT32_TO_BE((guint32)size),
		.keyslots = (guint8)what->keyslots,
		.encrypted_size = GUINT32_TO_BE(what->secret_length + 32),
		.flags = GUINT64_TO_BE(what->flags),
	};
	PvsSecretHeader header = {
		.type = GUINT16_TO_BE((guint16)what->secret_type),
		.length = GUINT32_TO_BE(what->secret_length),
	};

	memset(head.iv, 0x55, sizeof head.iv);
	memset(head.cuid, 0x42, sizeof head.cuid);
	memset(&head.tags, 0x77, sizeof head.tags);
	memset(head.customer_point, 0x33, sizeof head.customer_point);
	if (what->user_data != PVS_USER_DATA_NONE)
		memset(head.user_data, 'u', 100);
	memset(header.id, 0x1d, sizeof header.id);
	g_byte_array_append(bytes, (const guint8 *)&head, sizeof head);
	for (guint i = 0; i < what->keyslots; i++) {
		PvsKeyslot slot;

		memset(&slot, 0x99, sizeof slot);
		memset(slot.phkh, (int)i, sizeof slot.phkh);
		g_byte_array_append(bytes, (const guint8 *)&slot, sizeof slot);
	}
	g_byte_array_append(bytes, (const guint8 *)&header, (guint)own);
	while (bytes->len < size)
		g_byte_array_append(bytes, (const guint8 *)"\xe5", 1);
	return bytes;
}

void plain_request_sign(GByteArray *request, EVP_PKEY *key, int salt)
{
	gboolean rsa = EVP_PKEY_is_a(key, "RSA");
	gsize part = rsa && EVP_PKEY_get_bits(key) == 3072 ? 128 : 256, size = 384;
	guint8 *place = request->data + offsetof(PvsRequestHead, user_data) + part;
	guint8 signature[384] = {0};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *kctx;

	memset(place, 0, PVS_USER_DATA_SIZE - part);
	g_assert_cmpint(EVP_DigestSignInit(ctx, &kctx, EVP_sha512(), NULL, key), ==, 1);
	if (rsa) {
		EVP_PKEY_CTX_set_rsa_padding(kctx, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(kctx, salt);
	}
	g_assert_cmpint(
		EVP_DigestSign(ctx, signature, &size, request->data, request->len - PVS_TAG_SIZE),
		==, 1);
	EVP_MD_CTX_free(ctx);
	g_assert_cmpuint(size, <=, rsa ? PVS_USER_DATA_SIZE - part : 139);
	memcpy(place, signature, size);
	if (!rsa) {
		place[144] = (guint8)(size >> 8);
		place[145] = (guint8)size;
	}
}

EVP_PKEY *plain_key(const char *type, guint bits, const char *curve)
{
	EVP_PKEY *key = strcmp(type, "RSA") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)bits)
						 : EVP_PKEY_Q_keygen(NULL, NULL, type, curve);

	g_assert_nonnull(key);
	return key;
}

GBytes *plain_certificate(EVP_PKEY *key, gboolean pem)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	BIO *bio = BIO_new(BIO_s_mem());
	GBytes *bytes;
	char *data;
	long size;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -100000);
	X509_gmtime_adj(X509_getm_notAfter(cert), -1000); /* nobody asks for the time */
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)"user", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	g_assert_cmpint(X509_set_pubkey(cert, key), ==, 1);
	g_assert_cmpint(X509_sign(cert, key, EVP_sha512()), >, 0);
	g_assert_cmpint(pem ? PEM_write_bio_X509(bio, cert) : i2d_X509_bio(bio, cert), ==, 1);
	size = BIO_get_mem_data(bio, &data);
	bytes = g_bytes_new(data, (gsize)size);
	BIO_free(bio);
	X509_free(cert);
	return bytes;
}
