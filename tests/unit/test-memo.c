/* SPDX-License-Identifier: MIT */
/*
 * test-memo.c - verdicts that serve again: for the same bytes, for as long as they hold, so many
 */
#include "daemon/trust/memo.h"

#include <string.h>

static PvsVerdict *verdict_new(gint64 from, gint64 until)
{
	PvsVerdict *verdict = g_new0(PvsVerdict, 1);

	verdict->refs = 1;
	verdict->links = g_ptr_array_new();
	verdict->from = from;
	verdict->until = until;
	return verdict;
}

static GBytes *document_new(guint i)
{
	g_autofree char *text = g_strdup_printf("document %u", i);

	return g_bytes_new(text, strlen(text));
}

static const guint8 nothing[32];

static void add(PvsMemo *memo, guint i, gint64 from, gint64 until)
{
	g_autoptr(GBytes) document = document_new(i);
	g_autoptr(PvsVerdict) verdict = verdict_new(from, until);

	pvs_memo_add(memo, document, nothing, verdict);
}

static gboolean has(PvsMemo *memo, guint i, gint64 now)
{
	g_autoptr(GBytes) document = document_new(i);
	g_autoptr(PvsVerdict) verdict = pvs_memo_find(memo, document, nothing, now);

	return verdict != NULL;
}

static void test_found(void)
{
	g_autoptr(PvsMemo) memo = pvs_memo_new();
	g_autoptr(GBytes) document = document_new(1), same = document_new(1);
	g_autoptr(PvsVerdict) verdict = verdict_new(0, 100);
	g_autoptr(PvsVerdict) found = NULL;

	pvs_memo_add(memo, document, nothing, verdict);
	g_assert_cmpint(verdict->refs, ==, 2);
	found = pvs_memo_find(memo, same, nothing, 50);
	g_assert_true(found == verdict);
	g_assert_cmpint(verdict->refs, ==, 3);
	g_assert_false(has(memo, 2, 50));
}

/* What the client brought with the document is part of the question. */
static void test_extra(void)
{
	g_autoptr(PvsMemo) memo = pvs_memo_new();
	g_autoptr(GBytes) document = document_new(1);
	guint8 extra[32];

	add(memo, 1, 0, 100);
	for (gsize i = 0; i < sizeof extra; i++) {
		memset(extra, 0, sizeof extra);
		extra[i] = 1;
		g_assert_null(pvs_memo_find(memo, document, extra, 50));
	}
	g_assert_true(has(memo, 1, 50));
}

static void test_dates(void)
{
	g_autoptr(PvsMemo) memo = pvs_memo_new();

	add(memo, 1, 10, 100);
	/* The clock went back; it may come again. */
	g_assert_false(has(memo, 1, 9));
	g_assert_true(has(memo, 1, 10));
	g_assert_true(has(memo, 1, 99));
	/* At its end it is over, and what is over does not come back. */
	g_assert_false(has(memo, 1, 100));
	g_assert_cmpuint(pvs_memo_size(memo), ==, 0);
	g_assert_false(has(memo, 1, 99));
}

static void test_replaced(void)
{
	g_autoptr(PvsMemo) memo = pvs_memo_new();

	add(memo, 1, 0, 100);
	add(memo, 1, 0, 200);
	g_assert_cmpuint(pvs_memo_size(memo), ==, 1);
	g_assert_true(has(memo, 1, 150));
	/* The later word counts, whichever lasts longer. */
	add(memo, 1, 0, 100);
	g_assert_false(has(memo, 1, 150));
}

/* The one that was unused for longest makes room. */
static void test_bound(void)
{
	g_autoptr(PvsMemo) memo = pvs_memo_new();

	for (guint i = 0; i < PVS_MEMO_MAX; i++)
		add(memo, i, 0, 100);
	g_assert_cmpuint(pvs_memo_size(memo), ==, PVS_MEMO_MAX);
	g_assert_true(has(memo, 0, 50));
	add(memo, PVS_MEMO_MAX, 0, 100);
	g_assert_cmpuint(pvs_memo_size(memo), ==, PVS_MEMO_MAX);
	g_assert_true(has(memo, 0, 50));
	g_assert_false(has(memo, 1, 50));
	for (guint i = 2; i <= PVS_MEMO_MAX; i++)
		g_assert_true(has(memo, i, 50));
	for (guint i = 0; i < 10 * PVS_MEMO_MAX; i++)
		add(memo, 100000 + i, 0, 100);
	g_assert_cmpuint(pvs_memo_size(memo), ==, PVS_MEMO_MAX);
	g_assert_false(has(memo, 0, 50));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/memo/found", test_found);
	g_test_add_func("/memo/extra", test_extra);
	g_test_add_func("/memo/dates", test_dates);
	g_test_add_func("/memo/replaced", test_replaced);
	g_test_add_func("/memo/bound", test_bound);
	return g_test_run();
}
