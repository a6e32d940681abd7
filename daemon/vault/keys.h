/* SPDX-License-Identifier: MIT */
/*
 * keys.h - the keys that the vault holds, by name
 *
 * Loaded once, before the cage, into the arena. From a configured directory (the file's name is the
 * key's: regular file, not a link, exactly 32 bytes, owned by root or the daemon's user, no mode
 * for group and others) and from systemd's credentials directory (cck_NAME; the mode is not judged
 * there). A name in both places, a name outside the rule, a file that breaks a rule: an error that
 * names the file and the remedy. All errors are reported together.
 */
#pragma once

#include "daemon/locked.h"

typedef struct PvsKeys PvsKeys;

enum { PVS_KEYS_MAX = 1024 }; /* more is a mistake of the owner's; they would not fit the arena */

typedef struct {
	const char *name;
	const PvsSecret *secret;
	guint8 check_value[8];
} PvsKey;

/* @directory or @credentials (the value of $CREDENTIALS_DIRECTORY) may be NULL; a directory that
 * does not exist holds no keys. Files are opened with openat() relative to their directory,
 * O_NOFOLLOW, and read straight into the arena. PVS_ERROR_CONFIG with a line for each thing that is
 * wrong, "FILE: what is wrong; what to do". After pvs_crypto_init(). */
PvsKeys *pvs_keys_load(const char *directory, const char *credentials, GError **error);
void pvs_keys_free(PvsKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsKeys, pvs_keys_free)

const PvsKey *pvs_keys_find(const PvsKeys *keys, const char *name); /* NULL: none of this name */
guint pvs_keys_size(const PvsKeys *keys);
const PvsKey *pvs_keys_nth(const PvsKeys *keys, guint i); /* sorted by name */
