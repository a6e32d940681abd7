/* SPDX-License-Identifier: MIT */
/*
 * request.h - builds an add-secret request
 *
 * A pure function of its inputs and its randomness, so that requests that others published can be
 * made again byte for byte. Runs in the vault alone.
 */
#pragma once

#include <openssl/evp.h>

#include "daemon/vault/signers.h"
#include "protocol/request-layout.h"

/* Everything that goes into a request. Nothing here is owned. */
typedef struct {
	const guint8 (
		*host_points)[PVS_POINT_SIZE]; /* verified keys, in the order of the keyslots */
	guint n_host_points;		       /* 1 to PVS_HOST_KEYS_MAX */
	PvsHeaderTags tags;
	guint8 cuid[PVS_CUID_SIZE];
	guint64 flags;
	PvsSecretType type;
	guint8 id[PVS_ID_SIZE];	 /* not for PVS_SECRET_NULL */
	const PvsSecret *secret; /* as it stands in the request; NULL for PVS_SECRET_NULL */
	const PvsSecret *cck;	 /* 32 bytes: the extension secret is derived from it */
	const PvsSecret *extension_secret; /* 32 bytes: given. At most one of the two; NULL: none */
	const guint8 *user_data;	   /* NULL: none; signed user data may be none as well */
	gsize user_data_size;		   /* at most PVS_USER_DATA_SIZE, or the signer's room */
	const PvsSigner *signer;	   /* NULL: they are not signed */
} PvsRequestInput;

/* What must be fresh for every request. */
typedef struct {
	EVP_PKEY *customer_key; /* P-521 key pair */
	guint8 iv[PVS_IV_SIZE];
	PvsSecret *protection_key; /* 32 bytes */
} PvsRequestRandomness;

/* Draws all of it. PVS_ERROR_SYSTEM if the generator or the arena fails. */
gboolean pvs_request_draw(PvsRequestRandomness *randomness, GError **error);
void pvs_request_randomness_clear(PvsRequestRandomness *randomness);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsRequestRandomness, pvs_request_randomness_clear)

/* The request's bytes, newly allocated: ciphertext and public fields only. PVS_ERROR_SYSTEM where
 * OpenSSL or the arena fails, PVS_ERROR_HOST_KEY_INVALID for a point that is not on the curve.
 * Every OpenSSL object is freed before the return: contexts hold keys. */
GBytes *pvs_request_build(const PvsRequestInput *input, const PvsRequestRandomness *randomness,
			  GError **error);

/* The id of a secret: SHA-256 of its name's bytes; or, with @use_name, these bytes themselves (at
 * most PVS_USE_NAME_MAX). */
void pvs_request_id(const char *name, gboolean use_name, guint8 id[PVS_ID_SIZE]);

/* HKDF-SHA-512 (RFC 5869) of a CCK, salt = the SE header's tag, info "IBM Z Ultravisor Add-Secret";
 * 32 bytes, in the arena. */
PvsSecret *pvs_request_derive_extension_secret(const PvsSecret *cck, const guint8 tag[16],
					       GError **error);

/* The association secret of this name: HKDF-SHA-512 of the master, no salt, info "pvsecretd
 * association secret v1", a zero byte, the name's bytes; 32 bytes, in the arena. */
PvsSecret *pvs_request_derive_association(const PvsSecret *master, const char *name,
					  GError **error);

/* A key's check value: the first 8 bytes of HKDF-SHA-512(CCK, no salt, "pvsecretd check value"). */
gboolean pvs_request_check_value(const PvsSecret *cck, guint8 value[8], GError **error);

/* The 160-byte encoding of the point of @key (P-521). */
gboolean pvs_request_point(EVP_PKEY *key, guint8 point[PVS_POINT_SIZE], GError **error);
