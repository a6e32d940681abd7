/* SPDX-License-Identifier: MIT */
/*
 * ec-key.c - the private scalar of an EC key, out of the file that someone keeps it in
 */
#include "client/ec-key.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "client/failure.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_clear_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

enum { ARENA = 256 * 1024, LEAST = 32 };

static const struct {
	const char *type;  /* OpenSSL's */
	const char *group; /* OpenSSL's; NULL: it has none */
	const char *curve; /* the API's */
	gsize size;
} curves[] = {
	{"EC", "prime256v1", "secp256r1", 32}, {"EC", "secp384r1", "secp384r1", 48},
	{"EC", "secp521r1", "secp521r1", 66},  {"ED25519", NULL, "ed25519", 32},
	{"ED448", NULL, "ed448", 57},
};

/* There is nobody to ask: a key under a password is refused. */
static int no_password(char *buffer G_GNUC_UNUSED, int size G_GNUC_UNUSED,
		       int writing G_GNUC_UNUSED, void *user)
{
	*(gboolean *)user = TRUE;
	return -1;
}

static EVP_PKEY *read_key(const PvsClientSecret *file, gboolean *locked)
{
	const guint8 *data = pvs_client_secret_data(file);
	gsize size = pvs_client_secret_size(file);
	g_autoptr(EVP_PKEY) key = d2i_AutoPrivateKey(NULL, &data, (long)size);
	g_autoptr(BIO) bio = NULL;

	*locked = FALSE;
	if (key)
		return g_steal_pointer(&key);
	/* Reads from where the bytes are. */
	bio = BIO_new_mem_buf(pvs_client_secret_data(file), (int)size);
	return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, locked) : NULL;
}

/* Which row; -1: none. */
static int curve_of(EVP_PKEY *key)
{
	char group[64] = "";

	(void)EVP_PKEY_get_group_name(key, group, sizeof group, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(curves); i++)
		if (EVP_PKEY_is_a(key, curves[i].type) &&
		    (!curves[i].group || strcmp(curves[i].group, group) == 0))
			return (int)i;
	return -1;
}

static gboolean take(EVP_PKEY *key, gboolean is_scalar, guint8 *out, gsize size)
{
	gsize got = size;

	if (is_scalar) {
		g_autoptr(BIGNUM) scalar = BN_secure_new();
		g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(key, NULL);

		/* With all its leading zeros: the place that it goes to has a fixed size. */
		return scalar && ctx && EVP_PKEY_private_check(ctx) == 1 &&
		       EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1 &&
		       BN_bn2binpad(scalar, out, (int)size) == (int)size;
	}
	return EVP_PKEY_get_raw_private_key(key, out, &got) == 1 && got == size;
}

static PvsClientSecret *decode(const PvsClientSecret *file, const char *label, const char **curve,
			       GError **error)
{
	gboolean locked;
	g_autoptr(EVP_PKEY) key = read_key(file, &locked);
	g_autoptr(PvsClientSecret) value = NULL;
	guint8 *out;
	int row;

	if (!key) {
		pvs_failure(error, PVS_EXIT_FAILED,
			    locked ? "take the password off in a safe place: openssl pkey -in FILE "
				     "-out NEWFILE"
				   : "give the private key as openssl genpkey writes it",
			    "%s: %s", label,
			    locked ? "is protected by a password"
				   : "is not a private key in PEM or DER (PKCS#8 or SEC 1)");
		return NULL;
	}
	row = curve_of(key);
	if (row < 0) {
		pvs_failure(error, PVS_EXIT_FAILED,
			    "the curves are secp256r1, secp384r1, secp521r1, Ed25519 and Ed448",
			    "%s: is not an EC key on a curve that the ultravisor knows", label);
		return NULL;
	}
	value = pvs_client_secret_new(curves[row].size, &out);
	if (!take(key, curves[row].group != NULL, out, curves[row].size)) {
		pvs_failure(error, PVS_EXIT_FAILED, "make a new key: openssl genpkey -algorithm EC",
			    "%s: has no valid private key of its curve %s", label,
			    curves[row].curve);
		return NULL;
	}
	*curve = curves[row].curve;
	return g_steal_pointer(&value);
}

PvsClientSecret *pvs_ec_key_decode(const PvsClientSecret *file, const char *label,
				   const char **curve, GError **error)
{
	PvsClientSecret *value;

	/* What OpenSSL decodes of a private key it keeps in memory that is locked, and wiped. Where
	 * that cannot be had it is wiped all the same. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (!CRYPTO_secure_malloc_initialized())
		(void)CRYPTO_secure_malloc_init(ARENA, LEAST);
	ERR_clear_error();
	value = decode(file, label, curve, error);
	ERR_clear_error();
	return value;
}
