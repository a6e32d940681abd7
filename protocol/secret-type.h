/* SPDX-License-Identifier: MIT */
/*
 * secret-type.h - the types of secrets that a request can carry, in one table
 *
 * What the API calls a type, which sizes its value may have, and what becomes of it in the request.
 */
#pragma once

#include "protocol/request-layout.h"

enum {
	PVS_PLAINTEXT_MAX =
		8190,	       /* bytes of a plaintext secret; in the request behind 2 of length */
	PVS_USE_NAME_MAX = 31, /* bytes of a name that is itself the secret's id */
};

/* The word for a type in a result (`secret.type`): "association", "aes-256-key"; static. NULL:
 * there is no such type. */
const char *pvs_secret_type_word(guint type);

/* Is @kind one of the retrievable types of the API (plain, aes, aes-xts, hmac-sha, ec)? And @curve
 * one of its curves? The table's own string, static; NULL if not. */
const char *pvs_secret_type_kind(const char *kind);
const char *pvs_secret_type_curve(const char *curve);

/* Do @kind (of the API) and @curve (NULL: none) go together? A curve is for ec, and for it alone.
 */
gboolean pvs_secret_type_fits(const char *kind, const char *curve);

/* The type of a retrievable secret of @kind and @curve whose value has @size bytes; FALSE if there
 * is none of this size. An EC key's value is its scalar as long as the curve's order (66 bytes for
 * secp521r1), or the seed. */
gboolean pvs_secret_type_find(const char *kind, const char *curve, gsize size, guint16 *type);

/* May a value of @type have @size bytes? Always FALSE for the null secret, which has no value. */
gboolean pvs_secret_type_takes(guint type, gsize size);

/* How many bytes a value of @size (one that the type takes) has in the request, and how many of
 * them stand before it. */
gsize pvs_secret_type_stored(guint type, gsize size);
gsize pvs_secret_type_before(guint type);
