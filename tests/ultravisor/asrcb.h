/* SPDX-License-Identifier: MIT */
/*
 * asrcb.h - an add-secret request, as the simulated ultravisor reads it
 *
 * This judges what the daemon makes, so it must not err where the daemon errs: it was written from
 * the description of the format, includes nothing of the daemon, the client or their protocol code,
 * and does the arithmetic another way where there is one (points of the curve instead of EVP keys,
 * HMAC instead of a ready HKDF). It is stricter than the firmware is known to be: whatever the
 * format calls reserved, padding or derived is checked.
 *
 * Nothing here is fit for production: secrets stand in ordinary memory.
 */
#pragma once

#include <glib.h>

/* Why a request is refused; the words are what scripts and tests look at and do not change. */
/* clang-format off */
#define PVS_UV_REASONS(X) \
	X(NONE,             "accepted") \
	X(LOCKED,           "locked") \
	X(MAGIC,            "magic") \
	X(VERSION,          "version") \
	X(SIZE,             "size") \
	X(RESERVED,         "reserved") \
	X(TYPE,             "type") \
	X(USER_DATA,        "user-data") \
	X(HEADER,           "header") \
	X(CUID,             "cuid") \
	X(HOST_KEY,         "host-key") \
	X(CUSTOMER_KEY,     "customer-key") \
	X(KEYSLOT,          "keyslot") \
	X(TAG,              "tag") \
	X(EXTENSION_SECRET, "extension-secret") \
	X(SECRET,           "secret") \
	X(FULL,             "full")
/* clang-format on */

#define PVS_UV_REASON_ENUM(name, word) PVS_UV_##name,
typedef enum { PVS_UV_REASONS(PVS_UV_REASON_ENUM) } PvsUvReason;
#undef PVS_UV_REASON_ENUM

/* What came of a request or of a part of it. PVS_UV_NONE is the good one; @text is static, says
 * what is wrong and never quotes the request. */
typedef struct {
	PvsUvReason reason;
	const char *text;
} PvsUvVerdict;

/* The stable word for @reason. */
const char *pvs_uv_reason_word(PvsUvReason reason);

enum {
	PVS_UV_POINT_SIZE = 160,    /* X, then Y, 80 bytes each */
	PVS_UV_SCALAR_SIZE = 80,    /* left-padded */
	PVS_UV_KEYSLOT_SIZE = 80,   /* hash 32, wrapped key 32, tag 16 */
	PVS_UV_IDENTITY_SIZE = 208, /* PLD, ALD, TLD, SE header tag, as in the request */
	PVS_UV_IDENTITY_TAG = 192,  /* where in it the SE header's tag stands */
	PVS_UV_CUID_SIZE = 16,
	PVS_UV_USER_DATA_SIZE = 512,
	PVS_UV_ID_SIZE = 32,
	PVS_UV_HASH_SIZE = 32,
	PVS_UV_EXTENSION_SIZE = 32,
	PVS_UV_CCK_SIZE = 32,
	PVS_UV_KEY_SIZE = 32, /* AES-256: the key that wraps, and the request protection key */
	PVS_UV_IV_SIZE = 12,
	PVS_UV_TAG_SIZE = 16,
	PVS_UV_META = 0x01,
	PVS_UV_PLAINTEXT = 0x03,
	PVS_UV_UPDATE_CCK = 0x16,
};

#define PVS_UV_FLAG_DISABLE_DUMP (G_GUINT64_CONSTANT(1) << 63)

/* The public part of a request. The pointers point into it; none is NULL except @id. */
typedef struct {
	guint16 user_data_type;
	guint64 flags;
	guint n_keyslots;
	guint16 type;
	gsize secret_size;   /* of the encrypted secret, without the extension secret */
	gsize authenticated; /* how many bytes from the start are associated data */
	const guint8 *data;
	const guint8 *iv;
	const guint8 *identity;
	const guint8 *cuid;
	const guint8 *user_data;
	const guint8 *customer_key;
	const guint8 *keyslots;
	const guint8 *id; /* NULL for a meta secret, which has none */
	const guint8 *encrypted;
	const guint8 *tag;
} PvsUvRequest;

/* Reads @size bytes at @data, which must outlive @request, and checks everything that needs no key:
 * magic, version, sizes, reserved fields, secret type and length, user data. @request is untouched
 * unless the verdict is PVS_UV_NONE. */
PvsUvVerdict pvs_uv_request_parse(const guint8 *data, gsize size, PvsUvRequest *request);

/* The word for a type of secret, such as "association" or "aes-256-key"; NULL for an unknown one.
 */
const char *pvs_uv_type_word(guint16 type);

/* Checks a decrypted secret of a known type and a good length: padding, the length inside a
 * plaintext secret, the range of an EC scalar. */
PvsUvVerdict pvs_uv_secret_check(guint16 type, const guint8 *secret, gsize size);

/* AES-256-GCM decryption; FALSE where the tag does not verify, with @plain wiped. @plain has @size
 * bytes; @aad may be NULL if @aad_size is 0. */
gboolean pvs_uv_gcm_open(const guint8 *key, const guint8 *iv, const guint8 *aad, gsize aad_size,
			 const guint8 *encrypted, gsize size, const guint8 *tag, guint8 *plain);

/* The extension secret of a CCK: RFC 5869 HKDF with SHA-512; @out has PVS_UV_EXTENSION_SIZE bytes.
 */
void pvs_uv_derive_extension(const guint8 *cck, const guint8 *header_tag, guint8 *out);

gboolean pvs_uv_is_zero(const guint8 *data, gsize size);
guint64 pvs_uv_be(const guint8 *data, gsize size); /* @size at most 8 */
