/* SPDX-License-Identifier: MIT */
/*
 * request.c - builds an add-secret request
 *
 * What is secret (the secret itself, the CCK and what is derived from it, the request protection
 * key, the ECDH shared secrets and the keys made from them) stands in PvsSecret and in OpenSSL's
 * contexts alone, both in the arena; the request's own buffer sees ciphertext only.
 */
#include "daemon/vault/request.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "daemon/vault/crypto.h"
#include "protocol/error.h"
#include "protocol/secret-type.h"

enum {
	COUNTER_SIZE = 4, /* bytes behind the shared secret in the key derivation */
	HMAC512 = 64,	  /* bytes of an HMAC-SHA-512 */
};

static const char extension_secret_info[] = "IBM Z Ultravisor Add-Secret";
static const char check_value_info[] = "pvsecretd check value";
static const char association_info[] = "pvsecretd association secret v1";

typedef struct {
	const guint8 *data;
	gsize size;
} Part;

static PvsSecret *new_secret(gsize size, GError **error)
{
	PvsSecret *secret = pvs_secret_new(size);

	if (!secret)
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
				    "the memory for keys is full");
	return secret;
}

/* AES-256-GCM of @n parts to @out, one behind the other, and the tag. */
static gboolean encrypt(const guint8 key[PVS_KEY_SIZE], const guint8 iv[PVS_IV_SIZE], Part aad,
			const Part *parts, guint n, guint8 *out, guint8 tag[PVS_TAG_SIZE],
			GError **error)
{
	g_autoptr(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
	int size;

	if (!context ||
	    EVP_EncryptInit_ex2(context, pvs_crypto()->aes_256_gcm, key, iv, NULL) != 1 ||
	    EVP_CIPHER_CTX_get_iv_length(context) != PVS_IV_SIZE)
		return pvs_crypto_failed(error, "AES-256-GCM");
	if (aad.size > 0 &&
	    (EVP_EncryptUpdate(context, NULL, &size, aad.data, (int)aad.size) != 1 ||
	     (gsize)size != aad.size))
		return pvs_crypto_failed(error, "AES-256-GCM");
	for (guint i = 0; i < n; i++) {
		if (EVP_EncryptUpdate(context, out, &size, parts[i].data, (int)parts[i].size) !=
			    1 ||
		    (gsize)size != parts[i].size)
			return pvs_crypto_failed(error, "AES-256-GCM");
		out += size;
	}
	if (EVP_EncryptFinal_ex(context, out, &size) != 1 || size != 0 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, PVS_TAG_SIZE, tag) != 1)
		return pvs_crypto_failed(error, "AES-256-GCM");
	return TRUE;
}

static gboolean sha256(const guint8 *data, gsize size, guint8 hash[32], GError **error)
{
	if (EVP_Digest(data, size, hash, NULL, pvs_crypto()->sha256, NULL) != 1)
		return pvs_crypto_failed(error, "SHA-256");
	return TRUE;
}

/* RFC 5869 with SHA-512, extract and expand. @salt.size 0: none. */
static gboolean derive(const PvsSecret *key, Part salt, const char *info, guint8 *out, gsize size,
		       GError **error)
{
	g_autoptr(EVP_KDF_CTX) context = EVP_KDF_CTX_new(pvs_crypto()->hkdf);
	char digest[] = "SHA2-512";
	OSSL_PARAM params[5], *p = params;

	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key->bytes, key->size);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, strlen(info));
	if (salt.size > 0)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.data,
							 salt.size);
	*p = OSSL_PARAM_construct_end();
	if (!context || EVP_KDF_derive(context, out, size, params) != 1)
		return pvs_crypto_failed(error, "HKDF");
	return TRUE;
}

static gboolean hkdf(const PvsSecret *key, Part salt, const char *info, guint8 *out, gsize size,
		     GError **error)
{
	gboolean good;

	ERR_clear_error();
	good = derive(key, salt, info, out, size, error);
	ERR_clear_error();
	pvs_crypto_wipe_stack();
	return good;
}

/* The key that wraps the request protection key for one host: SHA-256(Z || 00 00 00 01), where Z is
 * the X coordinate of the ECDH product. @exchange is ready to derive with the customer key. */
static PvsSecret *wrapping_key(EVP_PKEY_CTX *exchange, EVP_PKEY *host, GError **error)
{
	g_autoptr(PvsSecret) z = new_secret(PVS_COORDINATE_SIZE + COUNTER_SIZE, error);
	g_autoptr(PvsSecret) key = z ? new_secret(PVS_KEY_SIZE, error) : NULL;
	gsize size = PVS_COORDINATE_SIZE;

	if (!key)
		return NULL;
	/* Not validated once more: pvs_crypto_set_point() saw that the point is on the curve,
	 * and OpenSSL's own check costs as much as the product itself. */
	if (EVP_PKEY_derive_set_peer_ex(exchange, host, 0) != 1 ||
	    EVP_PKEY_derive(exchange, z->bytes, &size) != 1 || size != PVS_COORDINATE_SIZE) {
		pvs_crypto_failed(error, "ECDH");
		return NULL;
	}
	z->bytes[PVS_COORDINATE_SIZE + COUNTER_SIZE - 1] = 1;
	if (!sha256(z->bytes, z->size, key->bytes, error))
		return NULL;
	return g_steal_pointer(&key);
}

/* The slot of @host, whose point is @point. */
static gboolean build_keyslot(EVP_PKEY_CTX *exchange, EVP_PKEY *host,
			      const guint8 point[PVS_POINT_SIZE], const PvsSecret *protection_key,
			      PvsKeyslot *slot, GError **error)
{
	/* The wrapping key is fresh, for the customer key is: so the IV may be constant. */
	static const guint8 iv[PVS_IV_SIZE];
	Part plain = {protection_key->bytes, protection_key->size};
	g_autoptr(PvsSecret) key = wrapping_key(exchange, host, error);

	return key && sha256(point, PVS_POINT_SIZE, slot->phkh, error) &&
	       encrypt(key->bytes, iv, (Part){NULL, 0}, &plain, 1, slot->wrapped, slot->tag, error);
}

static gboolean build_keyslots(const PvsRequestInput *input, const PvsRequestRandomness *randomness,
			       PvsKeyslot *slots, GError **error)
{
	g_autoptr(EVP_PKEY) host = pvs_crypto_empty_key(randomness->customer_key);
	g_autoptr(EVP_PKEY_CTX) exchange =
		EVP_PKEY_CTX_new_from_pkey(NULL, randomness->customer_key, "provider=default");

	if (!host || !exchange || EVP_PKEY_derive_init(exchange) != 1)
		return pvs_crypto_failed(error, "ECDH");
	for (guint i = 0; i < input->n_host_points; i++) {
		const guint8 *point = input->host_points[i];

		if (!pvs_crypto_set_point(host, point, error) ||
		    !build_keyslot(exchange, host, point, randomness->protection_key, &slots[i],
				   error))
			return FALSE;
	}
	return TRUE;
}

static PvsUserDataType user_data_type(const PvsRequestInput *input)
{
	if (input->signer)
		return input->signer->type;
	return input->user_data ? PVS_USER_DATA_UNSIGNED : PVS_USER_DATA_NONE;
}

static gboolean write_head(const PvsRequestInput *input, const PvsRequestRandomness *randomness,
			   gsize size, gsize encrypted_size, PvsRequestHead *head, GError **error)
{
	memcpy(head->magic, PVS_REQUEST_MAGIC, sizeof head->magic);
	head->version = GUINT32_TO_BE(PVS_REQUEST_VERSION);
	head->size = GUINT32_TO_BE((guint32)size);
	memcpy(head->iv, randomness->iv, sizeof head->iv);
	head->keyslots = (guint8)input->n_host_points;
	head->encrypted_size = GUINT32_TO_BE((guint32)encrypted_size);
	head->flags = GUINT64_TO_BE(input->flags);
	head->tags = input->tags;
	memcpy(head->cuid, input->cuid, sizeof head->cuid);
	head->user_data_type = GUINT16_TO_BE((guint16)user_data_type(input));
	if (input->user_data_size > 0)
		memcpy(head->user_data, input->user_data, input->user_data_size);
	return pvs_request_point(randomness->customer_key, head->customer_point, error);
}

static void write_secret_header(const PvsRequestInput *input, gsize secret_size, gsize header_size,
				guint8 *out)
{
	PvsSecretHeader header = {
		.type = GUINT16_TO_BE((guint16)input->type),
		.length = GUINT32_TO_BE((guint32)secret_size),
	};

	memcpy(header.id, input->id, sizeof header.id);
	memcpy(out, &header, header_size);
}

/* Encrypts the secret, if there is one, and the extension secret. */
static gboolean encrypt_secret(const PvsRequestRandomness *randomness, Part aad,
			       const Part plain[2], guint8 *out, guint8 tag[PVS_TAG_SIZE],
			       GError **error)
{
	guint skip = plain[0].size == 0;

	return encrypt(randomness->protection_key->bytes, randomness->iv, aad, plain + skip,
		       2 - skip, out, tag, error);
}

/* What is signed is the finished request but for its tag, with nothing yet in the signature's
 * place. So it is encrypted before, and once more with the signature: the ciphertext is the same,
 * since the key stream does not depend on the associated data, and the tag is not. Two tags under
 * one key and IV would give away the authentication key (NIST SP 800-38D, appendix A): this first
 * one is never kept, and goes nowhere. */
static gboolean sign(const PvsRequestInput *input, const PvsRequestRandomness *randomness, Part aad,
		     const Part plain[2], gsize encrypted_size, guint8 *request, GError **error)
{
	g_autoptr(PvsSecret) tag = new_secret(PVS_TAG_SIZE, error);

	return tag &&
	       encrypt_secret(randomness, aad, plain, request + aad.size, tag->bytes, error) &&
	       pvs_signer_sign(input->signer, request, aad.size + encrypted_size,
			       ((PvsRequestHead *)request)->user_data, error);
}

static GBytes *build(const PvsRequestInput *input, const PvsRequestRandomness *randomness,
		     GError **error)
{
	static const guint8 no_extension_secret[PVS_KEY_SIZE];
	gsize secret_size = input->secret ? input->secret->size : 0;
	gsize header_size =
		input->type == PVS_SECRET_NULL ? PVS_SECRET_HEADER_NULL : sizeof(PvsSecretHeader);
	gsize slots_size = input->n_host_points * sizeof(PvsKeyslot);
	gsize aad_size = sizeof(PvsRequestHead) + slots_size + header_size;
	gsize encrypted_size = secret_size + PVS_KEY_SIZE;
	gsize size = aad_size + encrypted_size + PVS_TAG_SIZE;
	g_autofree guint8 *request = g_malloc0(size);
	g_autoptr(PvsSecret) derived = NULL;
	Part aad = {request, aad_size};
	Part plain[] = {{input->secret ? input->secret->bytes : NULL, secret_size},
			{no_extension_secret, PVS_KEY_SIZE}};

	if (input->cck) {
		derived = pvs_request_derive_extension_secret(input->cck, input->tags.tag, error);
		if (!derived)
			return NULL;
		plain[1].data = derived->bytes;
	} else if (input->extension_secret) {
		plain[1].data = input->extension_secret->bytes;
	}
	if (!write_head(input, randomness, size, encrypted_size, (PvsRequestHead *)request,
			error) ||
	    !build_keyslots(input, randomness, (PvsKeyslot *)(request + sizeof(PvsRequestHead)),
			    error))
		return NULL;
	write_secret_header(input, secret_size, header_size, request + aad_size - header_size);
	if (input->signer && !sign(input, randomness, aad, plain, encrypted_size, request, error))
		return NULL;
	if (!encrypt_secret(randomness, aad, plain, request + aad_size,
			    request + aad_size + encrypted_size, error))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&request), size);
}

static gboolean is_stored_size(PvsSecretType type, gsize size)
{
	if (type == PVS_SECRET_PLAINTEXT)
		return size > 0 && size <= pvs_secret_type_stored(type, PVS_PLAINTEXT_MAX) &&
		       size % 16 == 0;
	return size == pvs_secret_type_stored(type, 0);
}

GBytes *pvs_request_build(const PvsRequestInput *input, const PvsRequestRandomness *randomness,
			  GError **error)
{
	GBytes *request;

	/* A caller's mistake here would put a wrong secret into a guest: better no process. */
	g_assert(input->n_host_points >= 1 && input->n_host_points <= PVS_HOST_KEYS_MAX);
	g_assert((input->type == PVS_SECRET_NULL) == (input->secret == NULL));
	g_assert(!input->secret || is_stored_size(input->type, input->secret->size));
	g_assert(input->user_data_size <=
		 (input->signer ? input->signer->room : PVS_USER_DATA_SIZE));
	g_assert(input->user_data || input->user_data_size == 0);
	g_assert(!input->cck || input->cck->size == PVS_KEY_SIZE);
	g_assert(!input->extension_secret || input->extension_secret->size == PVS_KEY_SIZE);
	g_assert(!input->cck || !input->extension_secret);
	g_assert(randomness->protection_key->size == PVS_KEY_SIZE);

	ERR_clear_error();
	request = build(input, randomness, error);
	ERR_clear_error();
	pvs_crypto_wipe_stack();
	return request;
}

static gboolean draw(PvsRequestRandomness *drawn, GError **error)
{
	drawn->protection_key = new_secret(PVS_KEY_SIZE, error);
	if (!drawn->protection_key)
		return FALSE;
	drawn->customer_key = EVP_PKEY_Q_keygen(NULL, "provider=default", "EC", "P-521");
	if (!drawn->customer_key)
		return pvs_crypto_failed(error, "drawing a key pair");
	if (RAND_priv_bytes(drawn->protection_key->bytes, PVS_KEY_SIZE) != 1 ||
	    RAND_bytes(drawn->iv, sizeof drawn->iv) != 1)
		return pvs_crypto_failed(error, "its random number generator");
	return TRUE;
}

gboolean pvs_request_draw(PvsRequestRandomness *randomness, GError **error)
{
	g_auto(PvsRequestRandomness) drawn = {.customer_key = NULL};
	gboolean good;

	ERR_clear_error();
	good = draw(&drawn, error);
	ERR_clear_error();
	pvs_crypto_wipe_stack();
	if (!good)
		return FALSE;
	*randomness = drawn;
	drawn = (PvsRequestRandomness){.customer_key = NULL};
	return TRUE;
}

void pvs_request_randomness_clear(PvsRequestRandomness *randomness)
{
	g_clear_pointer(&randomness->customer_key, EVP_PKEY_free);
	g_clear_pointer(&randomness->protection_key, pvs_secret_free);
	memset(randomness->iv, 0, sizeof randomness->iv);
}

void pvs_request_id(const char *name, gboolean use_name, guint8 id[PVS_ID_SIZE])
{
	g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
	gsize size = PVS_ID_SIZE;

	if (use_name) {
		g_assert(strlen(name) <= PVS_USE_NAME_MAX);
		memset(id, 0, PVS_ID_SIZE);
		memcpy(id, name, strlen(name));
		return;
	}
	g_checksum_update(hash, (const guchar *)name, (gssize)strlen(name));
	g_checksum_get_digest(hash, id, &size);
}

PvsSecret *pvs_request_derive_extension_secret(const PvsSecret *cck, const guint8 tag[16],
					       GError **error)
{
	g_autoptr(PvsSecret) secret = new_secret(PVS_KEY_SIZE, error);

	if (!secret || !hkdf(cck, (Part){tag, PVS_TAG_SIZE}, extension_secret_info, secret->bytes,
			     secret->size, error))
		return NULL;
	return g_steal_pointer(&secret);
}

/* HMAC-SHA-512 (RFC 2104) of @n parts, one behind the other. */
static gboolean hmac(Part key, const Part *parts, guint n, guint8 out[64], GError **error)
{
	g_autoptr(EVP_MAC_CTX) context = EVP_MAC_CTX_new(pvs_crypto()->hmac);
	char digest[] = "SHA2-512";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	gsize size;

	if (!context || EVP_MAC_init(context, key.data, key.size, params) != 1)
		return pvs_crypto_failed(error, "HMAC");
	for (guint i = 0; i < n; i++)
		if (EVP_MAC_update(context, parts[i].data, parts[i].size) != 1)
			return pvs_crypto_failed(error, "HMAC");
	if (EVP_MAC_final(context, out, &size, HMAC512) != 1 || size != HMAC512)
		return pvs_crypto_failed(error, "HMAC");
	return TRUE;
}

/* RFC 5869, sections 2.2 and 2.3: one block is more than is needed, so expanding is one HMAC over
 * the info and the block's number. Not by OpenSSL's HKDF, which takes no info of more than 2048
 * bytes (in 3.0), where a name may have 4096: what a name stands for must not depend on who asks.
 */
static PvsSecret *derive_association(const PvsSecret *master, const char *name, GError **error)
{
	static const guint8 no_salt[HMAC512], last[] = {1};
	g_autoptr(PvsSecret) extracted = new_secret(HMAC512, error);
	g_autoptr(PvsSecret) block = extracted ? new_secret(HMAC512, error) : NULL;
	g_autoptr(PvsSecret) secret = block ? new_secret(PVS_ASSOCIATION_SIZE, error) : NULL;
	const Part key = {master->bytes, master->size};
	const Part info[] = {
		{(const guint8 *)association_info, sizeof association_info}, /* with its zero */
		{(const guint8 *)name, strlen(name)},
		{last, sizeof last},
	};

	if (!secret || !hmac((Part){no_salt, sizeof no_salt}, &key, 1, extracted->bytes, error) ||
	    !hmac((Part){extracted->bytes, extracted->size}, info, G_N_ELEMENTS(info), block->bytes,
		  error))
		return NULL;
	memcpy(secret->bytes, block->bytes, secret->size);
	return g_steal_pointer(&secret);
}

PvsSecret *pvs_request_derive_association(const PvsSecret *master, const char *name, GError **error)
{
	PvsSecret *secret;

	ERR_clear_error();
	secret = derive_association(master, name, error);
	ERR_clear_error();
	pvs_crypto_wipe_stack();
	return secret;
}

gboolean pvs_request_check_value(const PvsSecret *cck, guint8 value[8], GError **error)
{
	guint8 derived[8];

	if (!hkdf(cck, (Part){NULL, 0}, check_value_info, derived, sizeof derived, error))
		return FALSE;
	memcpy(value, derived, sizeof derived);
	return TRUE;
}

gboolean pvs_request_point(EVP_PKEY *key, guint8 point[PVS_POINT_SIZE], GError **error)
{
	guint8 encoded[PVS_ENCODED_POINT_SIZE];
	gsize size;

	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof encoded,
					    &size) != 1 ||
	    size != sizeof encoded || !pvs_crypto_point(encoded, point))
		return pvs_crypto_failed(error, "reading a public key");
	return TRUE;
}
