/* SPDX-License-Identifier: MIT */
/*
 * memo.c - verdicts that were reached, by document
 */
#include "daemon/trust/memo.h"

#include <string.h>

typedef struct {
	guint8 key[32];
	PvsVerdict *verdict;
	GList link; /* in the queue, the last used first */
} Entry;

struct PvsMemo {
	GHashTable *entries; /* key -> Entry */
	GQueue used;
};

static guint hash(gconstpointer key)
{
	guint value;

	memcpy(&value, key, sizeof value); /* a digest: as good as random */
	return value;
}

static gboolean equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, 32) == 0;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;

	pvs_verdict_unref(entry->verdict);
	g_free(entry);
}

PvsMemo *pvs_memo_new(void)
{
	PvsMemo *memo = g_new0(PvsMemo, 1);

	memo->entries = g_hash_table_new_full(hash, equal, NULL, entry_free);
	g_queue_init(&memo->used);
	return memo;
}

void pvs_memo_free(PvsMemo *memo)
{
	if (!memo)
		return;
	g_hash_table_unref(memo->entries);
	g_free(memo);
}

static void key_of(GBytes *document, const guint8 extra[32], guint8 key[32])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize size;
	const guint8 *data = g_bytes_get_data(document, &size);

	/* The digest has a fixed length, so where the document starts is clear. */
	g_checksum_update(sum, extra, 32);
	g_checksum_update(sum, data, (gssize)size);
	size = 32;
	g_checksum_get_digest(sum, key, &size);
}

static void drop(PvsMemo *memo, Entry *entry)
{
	g_queue_unlink(&memo->used, &entry->link);
	g_hash_table_remove(memo->entries, entry->key);
}

PvsVerdict *pvs_memo_find(PvsMemo *memo, GBytes *document, const guint8 extra[32], gint64 now)
{
	guint8 key[32];
	Entry *entry;

	key_of(document, extra, key);
	entry = g_hash_table_lookup(memo->entries, key);
	if (!entry)
		return NULL;
	if (entry->verdict->until <= now) {
		drop(memo, entry);
		return NULL;
	}
	/* The clock went back: it was not valid yet then. */
	if (entry->verdict->from > now)
		return NULL;
	g_queue_unlink(&memo->used, &entry->link);
	g_queue_push_head_link(&memo->used, &entry->link);
	return pvs_verdict_ref(entry->verdict);
}

void pvs_memo_add(PvsMemo *memo, GBytes *document, const guint8 extra[32], PvsVerdict *verdict)
{
	Entry *entry = g_new0(Entry, 1);
	Entry *old;

	key_of(document, extra, entry->key);
	entry->verdict = pvs_verdict_ref(verdict);
	entry->link.data = entry;
	old = g_hash_table_lookup(memo->entries, entry->key);
	if (old)
		drop(memo, old);
	if (memo->used.length >= PVS_MEMO_MAX)
		drop(memo, memo->used.tail->data);
	g_hash_table_insert(memo->entries, entry->key, entry);
	g_queue_push_head_link(&memo->used, &entry->link);
}

guint pvs_memo_size(const PvsMemo *memo)
{
	return memo->used.length;
}
