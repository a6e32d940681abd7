/* SPDX-License-Identifier: MIT */
/*
 * signers.h - the keys that sign user data, by name
 *
 * Loaded once, before the cage: OpenSSL keeps them in the arena, as all that it has here. PKCS#8 in
 * PEM or DER, without a passphrase: EC on secp521r1, RSA of 2048 or 3072 bits.
 */
#pragma once

#include <openssl/evp.h>

#include "daemon/locked.h"
#include "protocol/request-layout.h"

typedef struct PvsSigners PvsSigners;

enum { PVS_SIGNERS_MAX = 64 }; /* each takes some KiB of the arena */

typedef struct {
	const char *name;
	PvsUserDataType type;
	gsize room; /* bytes of user data beside a signature of this key; it stands behind them */
	EVP_PKEY *key;
} PvsSigner;

/* Files as key-files.h has them; credentials sign_NAME. PVS_ERROR_CONFIG with a line for each thing
 * that is wrong. After pvs_crypto_init(). Each key has signed once when this returns, so that what
 * is lazy in it is not any more. */
PvsSigners *pvs_signers_load(const char *directory, const char *credentials, GError **error);
void pvs_signers_free(PvsSigners *signers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsSigners, pvs_signers_free)

const PvsSigner *pvs_signers_find(const PvsSigners *signers, const char *name); /* NULL: none */
guint pvs_signers_size(const PvsSigners *signers);
const PvsSigner *pvs_signers_nth(const PvsSigners *signers, guint i); /* sorted by name */

/* Signs @size bytes at @data with SHA-512 (RSASSA-PSS with the longest salt, or ECDSA) and puts the
 * signature into its place of the 512 bytes @user_data, whose place must be zero, and which may be
 * a part of @data. On any thread. PVS_ERROR_SYSTEM. */
gboolean pvs_signer_sign(const PvsSigner *signer, const guint8 *data, gsize size,
			 guint8 user_data[PVS_USER_DATA_SIZE], GError **error);
