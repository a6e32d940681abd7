/* SPDX-License-Identifier: MIT */
/*
 * seheader.c - the SE header of a Secure Execution image
 */
#include "protocol/seheader.h"

#include <stddef.h>
#include <string.h>

#include "protocol/error.h"

#define MAGIC	       "IBMSecEx"
#define IMAGE_MAGIC    "SeImgLnx"
#define VERSION	       0x100
#define IMAGE_MAGIC_AT 0xc000
#define PAGE	       4096
#define PAGES	       0x15
#define KEYSLOT	       80
#define TAG	       16

typedef struct {
	char magic[8];
	guint32 version;
	guint32 size; /* of the whole header */
	guint8 iv[12];
	guint32 reserved;
	guint64 keyslots;
	guint64 encrypted;
	guint64 pages;
	guint64 control_flags;
	guint8 customer_point[160];
	guint8 pld[64];
	guint8 ald[64];
	guint8 tld[64];
} __attribute__((packed)) Fixed;
G_STATIC_ASSERT(sizeof(Fixed) == PVS_HEADER_FIXED);
G_STATIC_ASSERT(offsetof(Fixed, keyslots) == 0x20);
G_STATIC_ASSERT(offsetof(Fixed, pld) == 0xe0);

gboolean pvs_header_size(const guint8 *data, gsize n, gsize *size, GError **error)
{
	Fixed head;
	guint32 stated;

	if (n < offsetof(Fixed, iv))
		return pvs_fail(error, PVS_ERROR_HEADER_SHORT, NULL, NULL);
	memcpy(&head, data, offsetof(Fixed, iv));
	if (memcmp(head.magic, MAGIC, sizeof head.magic) != 0)
		return pvs_fail(error, PVS_ERROR_HEADER_MAGIC, NULL, NULL);
	if (GUINT32_FROM_BE(head.version) != VERSION)
		return pvs_fail(error, PVS_ERROR_HEADER_VERSION, NULL, NULL);
	stated = GUINT32_FROM_BE(head.size);
	if (stated < PVS_HEADER_FIXED + TAG || stated > PVS_HEADER_MAX)
		return pvs_fail(error, PVS_ERROR_HEADER_SIZES, NULL, NULL);
	*size = stated;
	return TRUE;
}

gboolean pvs_header_parse(const guint8 *data, gsize size, PvsHeaderTags *tags, GError **error)
{
	Fixed head;
	guint64 keyslots, encrypted;
	gsize stated;

	/* A wrong magic says more than "too short", so it is looked for in what there is. */
	if (size >= 8 && memcmp(data, MAGIC, 8) != 0)
		return pvs_fail(error, PVS_ERROR_HEADER_MAGIC, NULL, NULL);
	if (size < sizeof head + TAG)
		return pvs_fail(error, PVS_ERROR_HEADER_SHORT, NULL, NULL);
	if (!pvs_header_size(data, size, &stated, error))
		return FALSE;
	memcpy(&head, data, sizeof head);
	keyslots = GUINT64_FROM_BE(head.keyslots);
	encrypted = GUINT64_FROM_BE(head.encrypted);
	/* Each bounded first, so that the sum cannot wrap. */
	if (keyslots > PVS_HEADER_MAX / KEYSLOT || encrypted > PVS_HEADER_MAX ||
	    sizeof head + keyslots * KEYSLOT + encrypted + TAG != stated)
		return pvs_fail(error, PVS_ERROR_HEADER_SIZES, NULL, NULL);
	if (size < stated)
		return pvs_fail(error, PVS_ERROR_HEADER_SHORT, NULL, NULL);
	if (size > stated)
		return pvs_fail(error, PVS_ERROR_HEADER_TRAILING, NULL, NULL);
	memcpy(tags->pld, head.pld, sizeof tags->pld);
	memcpy(tags->ald, head.ald, sizeof tags->ald);
	memcpy(tags->tld, head.tld, sizeof tags->tld);
	memcpy(tags->tag, data + size - TAG, TAG);
	return TRUE;
}

static gboolean magic_at(const guint8 *data, gsize n, gsize offset, const char *magic)
{
	return n >= 8 && offset <= n - 8 && memcmp(data + offset, magic, 8) == 0;
}

gboolean pvs_header_find(const guint8 *data, gsize n, guint64 *offset, gsize *size, GError **error)
{
	guint64 at = 0;

	if (!magic_at(data, n, 0, MAGIC)) {
		gboolean found = FALSE;

		if (magic_at(data, n, IMAGE_MAGIC_AT, IMAGE_MAGIC) && n >= IMAGE_MAGIC_AT + 16) {
			memcpy(&at, data + IMAGE_MAGIC_AT + 8, sizeof at);
			at = GUINT64_FROM_BE(at);
			found = TRUE;
			if (at > n - 16) {
				*offset = at;
				*size = 0;
				return pvs_fail(error, PVS_ERROR_HEADER_SHORT, NULL, NULL);
			}
		}
		for (gsize i = 1; !found && i < PAGES; i++) {
			at = i * PAGE;
			found = magic_at(data, n, at, MAGIC);
		}
		if (!found)
			return pvs_fail(error, PVS_ERROR_HEADER_MAGIC, NULL, NULL);
	}
	if (!pvs_header_size(data + at, n - at, size, error))
		return FALSE;
	*offset = at;
	return TRUE;
}
