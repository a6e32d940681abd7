/* SPDX-License-Identifier: MIT */
/*
 * seheader.h - the SE header of a Secure Execution image
 *
 * Only what an add-secret request takes from it is kept. The layout: magic IBMSecEx (8 bytes),
 * version (4) = 0x100, size of the whole header (4), IV (12), reserved (4), number of keyslots (8),
 * size of the encrypted area (8), number of encrypted pages (8), plaintext control flags (8),
 * customer public key (160), PLD (64), ALD (64), TLD (64), keyslots (80 each), encrypted area, tag
 * (16). Big endian.
 */
#pragma once

#include <glib.h>

#define PVS_HEADER_FIXED 0x1a0 /* bytes before the keyslots */
#define PVS_HEADER_MAX	 (1024 * 1024)

/* What binds a request to one image: page, address and tweak list digests and the header's tag.
 * Also the layout in the request (208 bytes in this order). */
typedef struct {
	guint8 pld[64];
	guint8 ald[64];
	guint8 tld[64];
	guint8 tag[16];
} PvsHeaderTags;
G_STATIC_ASSERT(sizeof(PvsHeaderTags) == 208);

/* Reads a whole header: exactly @size bytes at @data. The sizes that it states are added up and
 * must be @size before anything is read at them. Errors: HEADER_SHORT, _MAGIC, _VERSION, _SIZES,
 * _TRAILING. */
gboolean pvs_header_parse(const guint8 *data, gsize size, PvsHeaderTags *tags, GError **error);

/* Finds the header in the first bytes of a file (an image or a header by itself). On success
 * *@offset is where it starts and *@size how long it says to be, at most PVS_HEADER_MAX. Looks at
 * offset 0, then, where the 8 bytes at 0xc000 are "SeImgLnx", at the big-endian 64-bit offset at
 * 0xc008 (which may lie behind @n: FALSE with HEADER_SHORT and *@offset set, *@size 0; the caller
 * reads there and uses pvs_header_size()), else at the first 0x15 page starts of 4096 bytes.
 * HEADER_MAGIC where there is none. */
gboolean pvs_header_find(const guint8 *data, gsize n, guint64 *offset, gsize *size, GError **error);

/* The size that a header states, from its first 16 bytes; errors as pvs_header_parse(). */
gboolean pvs_header_size(const guint8 *data, gsize n, gsize *size, GError **error);
