/* SPDX-License-Identifier: MIT */
/*
 * signers.c - the keys that sign user data, by name
 */
#include "daemon/vault/signers.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "daemon/vault/crypto.h"
#include "daemon/vault/key-files.h"
#include "protocol/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)

/* Where a signature stands in the user data. An EC signature has no fixed length, so its length
 * stands behind its place. */
enum {
	EC_PLACE = 139,		/* bytes: the longest ECDSA signature on P-521, in DER */
	EC_LENGTH_AT = 139 + 5, /* from the signature's place on; two bytes, big endian */
	SIGNATURE_MAX = 384,	/* bytes: RSA-3072 */
};

static const PvsKeyKind kind = {
	"user signing key", "a user signing key", "sign_", "SignKeyDirectory=", 0, PVS_SIGNERS_MAX};

/* The keys that a request has a type for; the first row that fits is the key's. */
static const struct {
	const char *algorithm;
	const char *group; /* NULL: it is the size that counts */
	int bits;
	PvsUserDataType type;
	gsize room;
} types[] = {
	{"EC", "secp521r1", 521, PVS_USER_DATA_EC_SECP521R1, 256},
	{"RSA", NULL, 2048, PVS_USER_DATA_RSA_2048, 256},
	{"RSA", NULL, 3072, PVS_USER_DATA_RSA_3072, 128},
};

typedef struct {
	PvsSigner signer; /* first: what the others see of it */
	char *name;
} Entry;

struct PvsSigners {
	GPtrArray *entries; /* of Entry, sorted by name once all are loaded */
};

static void entry_free(gpointer data)
{
	Entry *entry = data;

	EVP_PKEY_free(entry->signer.key);
	g_free(entry->name);
	g_free(entry);
}

/* ---- loading: the owner's files ---- */

/* What a private key is called in PEM, and what OpenSSL reads it as: PKCS#8, SEC 1, PKCS#1. */
static const struct {
	const char *name;
	int type;
} forms[] = {
	{PEM_STRING_PKCS8INF, EVP_PKEY_NONE},
	{PEM_STRING_ECPRIVATEKEY, EVP_PKEY_EC},
	{PEM_STRING_RSA, EVP_PKEY_RSA},
};

/* The whole of @data, or NULL. Whatever OpenSSL makes of it is in its own memory: the arena. */
static EVP_PKEY *decode(int type, const guint8 *data, gsize size)
{
	const unsigned char *at = data;
	g_autoptr(PKCS8_PRIV_KEY_INFO) info = NULL;
	g_autoptr(EVP_PKEY) key = NULL;

	if (type == EVP_PKEY_NONE) {
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)size);
		key = info ? EVP_PKCS82PKEY_ex(info, NULL, "provider=default") : NULL;
	} else {
		key = d2i_PrivateKey_ex(type, NULL, &at, (long)size, NULL, "provider=default");
	}
	return key && at == data + size ? g_steal_pointer(&key) : NULL;
}

/* The first thing in @pem that is more than the name of a curve, which openssl ecparam -genkey
 * writes before the key. Under a passphrase it is none. */
static EVP_PKEY *decode_pem(BIO *pem, gboolean *is_pem)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	EVP_PKEY *key = NULL;
	gboolean next = TRUE;
	long size = 0;

	*is_pem = FALSE;
	while (next && PEM_read_bio(pem, &name, &header, &data, &size) == 1) {
		*is_pem = TRUE;
		next = strcmp(name, PEM_STRING_ECPARAMETERS) == 0;
		for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
			if (strcmp(name, forms[i].name) == 0 && !*header)
				key = decode(forms[i].type, data, (gsize)size);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)size);
	}
	return key;
}

/* A private key from PEM or DER, as pvsecret takes it; NULL if it is none, or not in the clear. */
static EVP_PKEY *read_key(const PvsSecret *content)
{
	g_autoptr(BIO) bio = BIO_new_mem_buf(content->bytes, (int)content->size);
	gboolean is_pem = FALSE;
	EVP_PKEY *key = bio ? decode_pem(bio, &is_pem) : NULL;

	for (gsize i = 0; !key && !is_pem && i < G_N_ELEMENTS(forms); i++)
		key = decode(forms[i].type, content->bytes, content->size);
	return key;
}

static gboolean is_group(const EVP_PKEY *key, const char *wanted)
{
	char group[32];

	return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
	       strcmp(group, wanted) == 0;
}

/* -1: a request has no type for it. */
static int find_type(const EVP_PKEY *key)
{
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (EVP_PKEY_is_a(key, types[i].algorithm) &&
		    EVP_PKEY_get_bits(key) == types[i].bits &&
		    (!types[i].group || is_group(key, types[i].group)))
			return (int)i;
	return -1;
}

/* The key of the file: one that has just signed, so that it is good and nothing in it is lazy any
 * more. (RSA's CRT form, damaged, would sign wrongly and give its factors away by it: the signature
 * is looked at.) */
static gboolean try_out(const PvsSigner *signer)
{
	static const guint8 data[] = {0x70, 0x76};
	guint8 user_data[PVS_USER_DATA_SIZE] = {0};
	g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
	const guint8 *signature = user_data + signer->room;
	EVP_PKEY_CTX *options;
	gsize size = (gsize)EVP_PKEY_get_size(signer->key);

	if (!context || !pvs_signer_sign(signer, data, sizeof data, user_data, NULL))
		return FALSE;
	if (signer->type == PVS_USER_DATA_EC_SECP521R1)
		size = (gsize)signature[EC_LENGTH_AT] << 8 | signature[EC_LENGTH_AT + 1];
	if (EVP_DigestVerifyInit_ex(context, &options, "SHA2-512", NULL, "provider=default",
				    signer->key, NULL) != 1)
		return FALSE;
	if (signer->type != PVS_USER_DATA_EC_SECP521R1 &&
	    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1)
		return FALSE;
	return EVP_DigestVerify(context, signature, size, data, sizeof data) == 1;
}

static gboolean add(gpointer user, PvsKeyFile *file, GPtrArray *lines, GError **error G_GNUC_UNUSED)
{
	PvsSigners *signers = user;
	g_autoptr(EVP_PKEY) key = NULL;
	Entry *entry;
	int type;

	ERR_clear_error();
	key = read_key(file->content);
	type = key ? find_type(key) : -1;
	ERR_clear_error();
	if (!key) {
		pvs_key_files_complain(lines, file->shown,
				       "is not a private key in PEM or DER without a passphrase; "
				       "openssl pkcs8 -topk8 -nocrypt -in %s -out NEW",
				       file->shown);
		return TRUE;
	}
	if (type < 0) {
		pvs_key_files_complain(
			lines, file->shown,
			"is of a kind that user data cannot be signed with; make an EC "
			"key on secp521r1, or an RSA key of 2048 or 3072 bits");
		return TRUE;
	}
	entry = g_new0(Entry, 1);
	entry->name = g_strdup(file->name);
	entry->signer = (PvsSigner){
		.name = entry->name,
		.type = types[type].type,
		.room = types[type].room,
		.key = g_steal_pointer(&key),
	};
	g_ptr_array_add(signers->entries, entry);
	if (!try_out(&entry->signer))
		pvs_key_files_complain(
			lines, file->shown,
			"does not sign as it should: its parts do not belong together; "
			"store it again, or make a new one");
	ERR_clear_error();
	return TRUE;
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
	const Entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

PvsSigners *pvs_signers_load(const char *directory, const char *credentials, GError **error)
{
	g_autoptr(PvsSigners) signers = g_new0(PvsSigners, 1);

	signers->entries = g_ptr_array_new_with_free_func(entry_free);
	if (!pvs_key_files_read(&kind, directory, credentials, add, signers, error))
		return NULL;
	g_ptr_array_sort(signers->entries, compare_entries);
	return g_steal_pointer(&signers);
}

void pvs_signers_free(PvsSigners *signers)
{
	if (!signers)
		return;
	g_ptr_array_unref(signers->entries);
	g_free(signers);
}

const PvsSigner *pvs_signers_find(const PvsSigners *signers, const char *name)
{
	for (guint i = 0; i < signers->entries->len; i++) {
		const Entry *entry = g_ptr_array_index(signers->entries, i);

		if (strcmp(entry->name, name) == 0)
			return &entry->signer;
	}
	return NULL;
}

guint pvs_signers_size(const PvsSigners *signers)
{
	return signers->entries->len;
}

const PvsSigner *pvs_signers_nth(const PvsSigners *signers, guint i)
{
	g_assert(i < signers->entries->len);
	return &((const Entry *)g_ptr_array_index(signers->entries, i))->signer;
}

/* ---- signing ---- */

/* RFC 8017 section 8.1, with SHA-512 for both and the longest salt that fits. */
static gboolean set_pss(EVP_PKEY_CTX *options)
{
	return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md_name(options, "SHA2-512", "provider=default") == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_MAX) == 1;
}

static gboolean sign(const PvsSigner *signer, const guint8 *data, gsize size,
		     guint8 signature[SIGNATURE_MAX], gsize *length)
{
	g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options; /* the context's */

	*length = SIGNATURE_MAX;
	return context &&
	       EVP_DigestSignInit_ex(context, &options, "SHA2-512", NULL, "provider=default",
				     signer->key, NULL) == 1 &&
	       (signer->type == PVS_USER_DATA_EC_SECP521R1 || set_pss(options)) &&
	       EVP_DigestSign(context, signature, length, data, size) == 1;
}

gboolean pvs_signer_sign(const PvsSigner *signer, const guint8 *data, gsize size,
			 guint8 user_data[PVS_USER_DATA_SIZE], GError **error)
{
	gsize place = PVS_USER_DATA_SIZE - signer->room, length;
	guint8 signature[SIGNATURE_MAX], *to = user_data + signer->room;
	gboolean good;

	if (signer->type == PVS_USER_DATA_EC_SECP521R1)
		place = EC_PLACE;
	ERR_clear_error();
	good = sign(signer, data, size, signature, &length) && length <= place;
	ERR_clear_error();
	pvs_crypto_wipe_stack();
	if (!good)
		return pvs_crypto_failed(error, "signing user data");
	memcpy(to, signature, length);
	if (signer->type == PVS_USER_DATA_EC_SECP521R1) {
		to[EC_LENGTH_AT] = (guint8)(length >> 8);
		to[EC_LENGTH_AT + 1] = (guint8)length;
	}
	return TRUE;
}
