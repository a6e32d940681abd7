/* SPDX-License-Identifier: MIT */
/*
 * test-slots.c - which slot holds a grant for which host keys
 */
#include "daemon/front/slots.h"

#include <string.h>

enum { NOW = 1000 };

static void key_of(guint n, guint8 key[32])
{
	memset(key, 0, 32);
	memcpy(key + 28, &n, sizeof n);
}

static int acquire(PvsSlots *slots, guint n, gboolean *fresh)
{
	guint8 key[32];

	key_of(n, key);
	return pvs_slots_acquire(slots, key, NOW, fresh);
}

static void hold(PvsSlots *slots, guint slot, gint64 until)
{
	PvsVerified verified = {.until = until};

	pvs_slots_hold(slots, slot, &verified);
	g_assert_cmpint(verified.until, ==, 0);
}

/* Acquires, has it granted and releases. */
static guint grant(PvsSlots *slots, guint n, gint64 until)
{
	gboolean fresh;
	int slot = acquire(slots, n, &fresh);

	g_assert_cmpint(slot, >=, 0);
	g_assert_true(fresh);
	hold(slots, (guint)slot, until);
	pvs_slots_release(slots, (guint)slot);
	return (guint)slot;
}

static void test_asked_once(void)
{
	PvsSlots *slots = pvs_slots_new();
	gboolean fresh;
	int first = acquire(slots, 1, &fresh), second, other;

	g_assert_true(fresh);
	second = acquire(slots, 1, &fresh);
	g_assert_false(fresh);
	g_assert_cmpint(second, ==, first);
	g_assert_cmpint(pvs_slots_state(slots, (guint)first), ==, PVS_SLOT_ASKING);
	other = acquire(slots, 2, &fresh);
	g_assert_true(fresh);
	g_assert_cmpint(other, !=, first);
	hold(slots, (guint)first, NOW + 1);
	g_assert_cmpint(acquire(slots, 1, &fresh), ==, first);
	g_assert_false(fresh);
	g_assert_cmpint(pvs_slots_state(slots, (guint)first), ==, PVS_SLOT_HELD);
	g_assert_cmpint(pvs_slots_verified(slots, (guint)first)->until, ==, NOW + 1);
	pvs_slots_free(slots);
}

static void test_until(void)
{
	PvsSlots *slots = pvs_slots_new();
	gboolean fresh;

	grant(slots, 1, NOW + 1);
	g_assert_cmpint(acquire(slots, 1, &fresh), >=, 0);
	g_assert_false(fresh);
	/* At its end it has ended. */
	grant(slots, 2, NOW);
	acquire(slots, 2, &fresh);
	g_assert_true(fresh);
	pvs_slots_free(slots);
}

/* Void for those who come, but whoever has a request being built still needs what trust said. */
static void test_void(void)
{
	PvsSlots *slots = pvs_slots_new();
	gboolean fresh;
	int first, again;

	grant(slots, 1, NOW + 1);
	first = acquire(slots, 1, &fresh);
	acquire(slots, 1, &fresh);
	pvs_slots_void(slots, (guint)first);
	pvs_slots_release(slots, (guint)first);
	again = acquire(slots, 1, &fresh);
	g_assert_true(fresh);
	g_assert_cmpint(again, !=, first);
	g_assert_cmpint(pvs_slots_verified(slots, (guint)first)->until, ==, NOW + 1);
	pvs_slots_free(slots);
}

/* Who asked goes without an answer: the next one asks, and does not wait for nobody. */
static void test_asker_goes(void)
{
	PvsSlots *slots = pvs_slots_new();
	gboolean fresh;
	int first = acquire(slots, 1, &fresh);

	acquire(slots, 1, &fresh);
	pvs_slots_release(slots, (guint)first);
	g_assert_cmpint(pvs_slots_state(slots, (guint)first), ==, PVS_SLOT_ASKING);
	pvs_slots_release(slots, (guint)first);
	g_assert_cmpint(pvs_slots_state(slots, (guint)first), ==, PVS_SLOT_EMPTY);
	acquire(slots, 1, &fresh);
	g_assert_true(fresh);
	pvs_slots_free(slots);
}

static void test_least_recently_used(void)
{
	PvsSlots *slots = pvs_slots_new();
	gboolean seen[PVS_GRANTS_MAX] = {FALSE};
	gboolean fresh;
	guint8 key[32];
	int slot;

	/* All of them are used before one is used again. */
	for (guint i = 0; i < PVS_GRANTS_MAX; i++) {
		guint taken = grant(slots, i, NOW + 1000);

		g_assert_false(seen[taken]);
		seen[taken] = TRUE;
	}
	slot = acquire(slots, 0, &fresh);
	g_assert_false(fresh);
	pvs_slots_release(slots, (guint)slot);
	grant(slots, 1000, NOW + 1000);
	slot = acquire(slots, 0, &fresh);
	g_assert_false(fresh);
	pvs_slots_release(slots, (guint)slot);
	acquire(slots, 1, &fresh);
	g_assert_true(fresh);
	/* One that has ended makes room before any that has not. */
	pvs_slots_reset(slots);
	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		grant(slots, i, i == 40 ? NOW + 1 : NOW + 1000);
	key_of(2000, key);
	pvs_slots_acquire(slots, key, NOW + 1, &fresh);
	g_assert_true(fresh);
	for (guint i = 0; i < PVS_GRANTS_MAX; i++) {
		key_of(i, key);
		if (i == 40)
			continue;
		slot = pvs_slots_acquire(slots, key, NOW + 1, &fresh);
		g_assert_false(fresh);
		pvs_slots_release(slots, (guint)slot);
	}
	pvs_slots_free(slots);
}

static void test_all_in_use(void)
{
	PvsSlots *slots = pvs_slots_new();
	gboolean fresh;

	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		g_assert_cmpint(acquire(slots, i, &fresh), >=, 0);
	g_assert_cmpint(acquire(slots, 1000, &fresh), ==, -1);
	g_assert_false(fresh);
	/* The same host keys share one. */
	g_assert_cmpint(acquire(slots, 5, &fresh), >=, 0);
	pvs_slots_reset(slots);
	g_assert_cmpint(acquire(slots, 1000, &fresh), >=, 0);
	g_assert_true(fresh);
	pvs_slots_free(slots);
}

typedef struct {
	const char *keys; /* "d:TEXT" or "n:TEXT", separated by commas */
	const char *certs;
	const char *crls;
} Inputs;

static void blobs_of(const char *text, PvsList *list)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	PvsBlob *blobs = pvs_list_init(list, PvsBlob, g_strv_length(words));

	for (guint i = 0; words[i]; i++)
		blobs[i].bytes = g_bytes_new(words[i], strlen(words[i]));
}

static void clear_blobs(PvsList *list)
{
	for (guint i = 0; i < list->n; i++)
		g_bytes_unref(pvs_list_nth(*list, PvsBlob, i)->bytes);
	g_free(list->items);
}

static void key_for(const Inputs *inputs, gboolean no_verify, guint8 key[32])
{
	g_auto(GStrv) words = g_strsplit(inputs->keys, ",", -1);
	PvsList list = {NULL, 0}, certs = {NULL, 0}, crls = {NULL, 0};
	PvsHostKey *keys = pvs_list_init(&list, PvsHostKey, g_strv_length(words));

	for (guint i = 0; words[i]; i++) {
		if (words[i][0] == 'n')
			keys[i].name = g_strdup(words[i] + 2);
		else
			keys[i].document = g_bytes_new(words[i] + 2, strlen(words[i] + 2));
	}
	blobs_of(inputs->certs, &certs);
	blobs_of(inputs->crls, &crls);
	pvs_slots_key(&list, &certs, &crls, no_verify, key);
	for (guint i = 0; i < list.n; i++) {
		g_free(keys[i].name);
		g_clear_pointer(&keys[i].document, g_bytes_unref);
	}
	g_free(keys);
	clear_blobs(&certs);
	clear_blobs(&crls);
}

/* No two of these are the same question to trust, however their bytes might be strung together. */
static void test_key(void)
{
	static const Inputs rows[] = {
		{"d:ab", "", ""},      {"n:ab", "", ""},    {"d:a,d:b", "", ""},
		{"d:b,d:a", "", ""},   {"d:a", "b", ""},    {"d:a", "", "b"},
		{"d:ab,d:ab", "", ""}, {"d:a,n:b", "", ""}, {"n:a,d:b", "", ""},
		{"d:ab", "c,d", ""},   {"d:ab", "cd", ""},  {"d:ab", "c", "d"},
		{"d:ab", "", "c,d"},
	};
	guint8 keys[2 * G_N_ELEMENTS(rows)][32], again[32];

	/* Each of them once more, where they are not to be verified. */
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		gboolean no_verify = i >= G_N_ELEMENTS(rows);

		key_for(&rows[i % G_N_ELEMENTS(rows)], no_verify, keys[i]);
		key_for(&rows[i % G_N_ELEMENTS(rows)], no_verify, again);
		g_assert_cmpmem(keys[i], 32, again, 32);
		for (gsize j = 0; j < i; j++)
			g_assert_cmpint(memcmp(keys[i], keys[j], 32), !=, 0);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/slots/asked-once", test_asked_once);
	g_test_add_func("/slots/until", test_until);
	g_test_add_func("/slots/void", test_void);
	g_test_add_func("/slots/asker-goes", test_asker_goes);
	g_test_add_func("/slots/least-recently-used", test_least_recently_used);
	g_test_add_func("/slots/all-in-use", test_all_in_use);
	g_test_add_func("/slots/key", test_key);
	return g_test_run();
}
