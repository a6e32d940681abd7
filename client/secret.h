/* SPDX-License-Identifier: MIT */
/*
 * secret.h - bytes that must not stay behind
 *
 * In pages of their own that are locked where the system allows it, left out of core dumps, and
 * wiped when freed. There is no printf form, and nothing of GLib or json-glib ever gets a copy.
 */
#pragma once

#include <glib.h>

typedef struct PvsClientSecret PvsClientSecret;

/* Reads all of the file @path, which must have exactly @size bytes. @label names it in an error. */
PvsClientSecret *pvs_client_secret_read(const char *path, gsize size, const char *label,
					GError **error);

/* Likewise, of at most @most bytes, maybe none; @hint says what to do about a file of another
 * size. */
PvsClientSecret *pvs_client_secret_load(const char *path, gsize most, const char *label,
					const char *hint, GError **error);

/* One of @size zero bytes, to be filled in at *@data. */
PvsClientSecret *pvs_client_secret_new(gsize size, guint8 **data);

/* The same bytes in base64 (RFC 4648, padded). */
PvsClientSecret *pvs_client_secret_base64(const PvsClientSecret *secret);

const guint8 *pvs_client_secret_data(const PvsClientSecret *secret);
gsize pvs_client_secret_size(const PvsClientSecret *secret);

void pvs_client_secret_free(PvsClientSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsClientSecret, pvs_client_secret_free)
