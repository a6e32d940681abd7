/* SPDX-License-Identifier: MIT */
/*
 * crypto.h - OpenSSL as the vault uses it
 *
 * The algorithms are fetched once, from the default provider, without a configuration file: after
 * the cage is on nothing is looked for any more. They hold no keys. What does hold keys, every
 * EVP_*_CTX, is made and freed within the call that needs it.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <glib.h>

#include "protocol/request-layout.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_KDF_CTX, EVP_KDF_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MAC_CTX, EVP_MAC_CTX_free)

enum {
	PVS_COORDINATE_SIZE = 66,			      /* bytes of a coordinate on P-521 */
	PVS_ENCODED_POINT_SIZE = 1 + 2 * PVS_COORDINATE_SIZE, /* SEC 1, uncompressed: 04 X Y */
};

typedef struct {
	EVP_MD *sha256;
	EVP_CIPHER *aes_256_gcm;
	EVP_KDF *hkdf;
	EVP_MAC *hmac;
} PvsCrypto;

/* Once for each process, before the functions below and those of keys.h, look.h and request.h; a
 * second call does nothing. Where pvs_locked_openssl() is called, that comes first. */
gboolean pvs_crypto_init(GError **error);

const PvsCrypto *pvs_crypto(void);

/* The public key with this 160-byte point. HOST_KEY_INVALID where the padding is not zero or the
 * point is not on the curve; infinity has no such encoding. P-521's cofactor is 1, so a point on
 * the curve is in the right group, and a longer check would find nothing (SEC 1 section 3.2.2.1).
 */
EVP_PKEY *pvs_crypto_host_key(const guint8 point[PVS_POINT_SIZE], GError **error);

/* The same for one host after the other, at a third of the cost, which is that of the curve: a key
 * on the curve of @like (NULL if OpenSSL fails), then its point, with the same checks. After a
 * failure the key is of no more use. */
EVP_PKEY *pvs_crypto_empty_key(EVP_PKEY *like);
gboolean pvs_crypto_set_point(EVP_PKEY *key, const guint8 point[PVS_POINT_SIZE], GError **error);

/* From SEC 1's uncompressed encoding to the 160 bytes of a request; FALSE if @encoded does not
 * start with 04. */
gboolean pvs_crypto_point(const guint8 encoded[PVS_ENCODED_POINT_SIZE],
			  guint8 point[PVS_POINT_SIZE]);

/* Sets @error to PVS_ERROR_SYSTEM, saying that @what failed, and empties OpenSSL's error queue,
 * whose texts nobody shall see. Returns FALSE. */
gboolean pvs_crypto_failed(GError **error, const char *what);

/* Wipes the part of the stack that calls before this one have used: it is not locked memory, and
 * OpenSSL promises nothing of what its functions leave there. (3.0 on x86-64 was seen to leave no
 * key; it has other code for other processors.) Called by whoever used a key, from no deeper than
 * it did. */
void pvs_crypto_wipe_stack(void) G_GNUC_NO_INLINE;
