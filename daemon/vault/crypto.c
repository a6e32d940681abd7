/* SPDX-License-Identifier: MIT */
/*
 * crypto.c - OpenSSL as the vault uses it
 */
#include "daemon/vault/crypto.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "protocol/error.h"

enum {
	PADDED = PVS_POINT_SIZE / 2, /* bytes of a coordinate in a request */
	PADDING = PADDED - PVS_COORDINATE_SIZE,
	STACK = 32 * 1024, /* bytes; six times what OpenSSL 3.0 was seen to use */
};

static PvsCrypto algorithms;
static gboolean ready;

gboolean pvs_crypto_failed(GError **error, const char *what)
{
	ERR_clear_error();
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "OpenSSL: %s failed", what);
	return FALSE;
}

gboolean pvs_crypto_init(GError **error)
{
	if (ready)
		return TRUE;
	/* No configuration: whatever openssl.cnf or the environment names would be code in the
	 * process that holds the keys. No clean-up at exit: it would pull the algorithms from under
	 * a thread that is still building; the kernel takes the memory back. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		return pvs_crypto_failed(error, "its initialization");
	if (!OSSL_PROVIDER_load(NULL, "default"))
		return pvs_crypto_failed(error, "loading the default provider");
	algorithms.sha256 = EVP_MD_fetch(NULL, "SHA2-256", "provider=default");
	algorithms.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", "provider=default");
	algorithms.hkdf = EVP_KDF_fetch(NULL, "HKDF", "provider=default");
	algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", "provider=default");
	if (!algorithms.sha256 || !algorithms.aes_256_gcm || !algorithms.hkdf || !algorithms.hmac)
		return pvs_crypto_failed(error, "fetching its algorithms");
	ready = TRUE;
	return TRUE;
}

void pvs_crypto_wipe_stack(void)
{
	guint8 below[STACK];

	explicit_bzero(below, sizeof below);
}

const PvsCrypto *pvs_crypto(void)
{
	g_assert(ready);
	return &algorithms;
}

gboolean pvs_crypto_point(const guint8 encoded[PVS_ENCODED_POINT_SIZE],
			  guint8 point[PVS_POINT_SIZE])
{
	if (encoded[0] != POINT_CONVERSION_UNCOMPRESSED)
		return FALSE;
	memset(point, 0, PVS_POINT_SIZE);
	memcpy(point + PADDING, encoded + 1, PVS_COORDINATE_SIZE);
	memcpy(point + PADDED + PADDING, encoded + 1 + PVS_COORDINATE_SIZE, PVS_COORDINATE_SIZE);
	return TRUE;
}

/* To SEC 1's uncompressed encoding; FALSE if the padding is not zero. */
static gboolean encode(const guint8 point[PVS_POINT_SIZE], guint8 encoded[PVS_ENCODED_POINT_SIZE])
{
	static const guint8 zeros[PADDING];

	encoded[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(encoded + 1, point + PADDING, PVS_COORDINATE_SIZE);
	memcpy(encoded + 1 + PVS_COORDINATE_SIZE, point + PADDED + PADDING, PVS_COORDINATE_SIZE);
	return memcmp(point, zeros, PADDING) == 0 && memcmp(point + PADDED, zeros, PADDING) == 0;
}

EVP_PKEY *pvs_crypto_host_key(const guint8 point[PVS_POINT_SIZE], GError **error)
{
	guint8 encoded[PVS_ENCODED_POINT_SIZE];
	char group[] = "secp521r1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof encoded),
		OSSL_PARAM_construct_end(),
	};
	g_autoptr(EVP_PKEY_CTX) context =
		EVP_PKEY_CTX_new_from_name(NULL, "EC", "provider=default");
	EVP_PKEY *key = NULL;

	if (!context || EVP_PKEY_fromdata_init(context) != 1) {
		pvs_crypto_failed(error, "EVP_PKEY_fromdata_init");
		return NULL;
	}
	if (!encode(point, encoded) ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		ERR_clear_error();
		pvs_fail(error, PVS_ERROR_HOST_KEY_INVALID, NULL, NULL);
		return NULL;
	}
	return key;
}

EVP_PKEY *pvs_crypto_empty_key(EVP_PKEY *like)
{
	g_autoptr(EVP_PKEY) key = EVP_PKEY_new();

	if (!key || EVP_PKEY_copy_parameters(key, like) != 1)
		return NULL;
	return g_steal_pointer(&key);
}

gboolean pvs_crypto_set_point(EVP_PKEY *key, const guint8 point[PVS_POINT_SIZE], GError **error)
{
	guint8 encoded[PVS_ENCODED_POINT_SIZE];

	if (!encode(point, encoded) ||
	    EVP_PKEY_set1_encoded_public_key(key, encoded, sizeof encoded) != 1) {
		ERR_clear_error();
		return pvs_fail(error, PVS_ERROR_HOST_KEY_INVALID, NULL, NULL);
	}
	return TRUE;
}
