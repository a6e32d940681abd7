/* SPDX-License-Identifier: MIT */
/*
 * encoding.h - base64 and hex, strict
 */
#pragma once

#include <glib.h>

/* RFC 4648 base64: padded, no white space, no bits set behind the last byte. @text need not end in
 * NUL. Decodes to @out, which has room for @capacity bytes; *@size is how many were written. FALSE,
 * with what was written wiped, if the text is not base64 or does not fit. The table look-ups do not
 * depend on secret values (RFC 4648 section 12 names the risk; here by arithmetic instead). */
gboolean pvs_base64_decode_to(const char *text, gsize length, guint8 *out, gsize capacity,
			      gsize *size);

/* As above, newly allocated; NULL if @text is not base64 or decodes to more than @max bytes. */
GBytes *pvs_base64_decode(const char *text, gsize max);

/* As pvs_base64_decode_to() for the inside of a JSON string, where a client may have written "/" as
 * "\/" and any character as \u00XX. */
gboolean pvs_base64_decode_json(const char *text, gsize length, guint8 *out, gsize capacity,
				gsize *size);

/* Lower-case hex, newly allocated. */
char *pvs_hex(const guint8 *data, gsize size);

/* Exactly 2 * @size digits of either case, no prefix. */
gboolean pvs_hex_decode(const char *text, guint8 *out, gsize size);
