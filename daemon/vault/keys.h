/* SPDX-License-Identifier: MIT */
/*
 * keys.h - the keys of 32 bytes that the vault holds, by name
 *
 * Loaded once, before the cage, into the arena; key-files.h says from where, and what a file has to
 * be like.
 */
#pragma once

#include "daemon/locked.h"

typedef struct PvsKeys PvsKeys;

enum { PVS_KEYS_MAX = 1024 }; /* more is a mistake of the owner's; they would not fit the arena */

typedef struct {
	const char *name;
	const PvsSecret *secret;
	guint8 check_value[8]; /* of a CCK; else zeros */
} PvsKey;

/* CCKs: of a directory, and the credentials cck_NAME. After pvs_crypto_init(). */
PvsKeys *pvs_keys_load(const char *directory, const char *credentials, GError **error);

/* Extension secrets, likewise: ext_NAME. They are shown to nobody, not even by a check value. */
PvsKeys *pvs_keys_load_extension_secrets(const char *directory, const char *credentials,
					 GError **error);

/* The master that association secrets are derived from: the file @path, or the credential
 * assoc_master. *@secret stays NULL where there is none. Both are an error, as is a @path that
 * leads to nothing. */
gboolean pvs_keys_load_master(const char *path, const char *credentials, PvsSecret **secret,
			      GError **error);

void pvs_keys_free(PvsKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsKeys, pvs_keys_free)

const PvsKey *pvs_keys_find(const PvsKeys *keys, const char *name); /* NULL: none of this name */
guint pvs_keys_size(const PvsKeys *keys);
const PvsKey *pvs_keys_nth(const PvsKeys *keys, guint i); /* sorted by name */
