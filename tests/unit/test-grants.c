/* SPDX-License-Identifier: MIT */
/*
 * test-grants.c - which host keys one front may encrypt for
 */
#include "daemon/vault/grants.h"

#include <string.h>

static GBytes *points(guint8 fill, guint n)
{
	guint8 *bytes = g_malloc0_n(n + 1, PVS_POINT_SIZE); /* n may be 0 */

	memset(bytes, fill, (gsize)n * PVS_POINT_SIZE);
	return g_bytes_new_take(bytes, (gsize)n * PVS_POINT_SIZE);
}

static void put(PvsGrants *grants, guint slot, gint64 until, guint8 fill, guint n)
{
	g_autoptr(GBytes) bytes = points(fill, n);

	pvs_grants_put(grants, slot, until, FALSE, bytes);
}

static void has(PvsGrants *grants, guint slot, gint64 now, guint8 fill, guint n)
{
	g_autoptr(GBytes) got = pvs_grants_get(grants, slot, now);
	g_autoptr(GBytes) expected = points(fill, n);

	g_assert_nonnull(got);
	g_assert_true(g_bytes_equal(got, expected));
}

static void test_empty(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		g_assert_null(pvs_grants_get(grants, i, 0));
	pvs_grants_drop(grants, 0);
	pvs_grants_free(NULL);
}

static void test_slots(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		put(grants, i, 1000, (guint8)i, 1 + i % 3);
	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		has(grants, i, 999, (guint8)i, 1 + i % 3);
	put(grants, 7, 2000, 0xaa, PVS_HOST_KEYS_MAX);
	has(grants, 7, 1500, 0xaa, PVS_HOST_KEYS_MAX);
	pvs_grants_drop(grants, 8);
	g_assert_null(pvs_grants_get(grants, 8, 0));
	g_assert_null(pvs_grants_get(grants, 8, G_MININT64));
	has(grants, 9, 999, 9, 1);
}

static void test_ends(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	put(grants, 0, 1000, 1, 1);
	has(grants, 0, 999, 1, 1);
	/* At that second it has ended, as with certificates. */
	g_assert_null(pvs_grants_get(grants, 0, 1000));
	/* And it stays so, whatever the clock does. */
	g_assert_null(pvs_grants_get(grants, 0, 999));
	put(grants, 0, 1000, 1, 1);
	g_assert_null(pvs_grants_get(grants, 0, G_MAXINT64));
	put(grants, 0, G_MININT64, 1, 1);
	g_assert_null(pvs_grants_get(grants, 0, 0));
	put(grants, 0, 3000, 2, 1);
	has(grants, 0, 2999, 2, 1);
}

/* Whether somebody verified the keys goes with them, and not with the slot. */
static void test_unverified(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();
	g_autoptr(GBytes) bytes = points(1, 1);

	g_assert_false(pvs_grants_unverified(grants, 3));
	pvs_grants_put(grants, 3, 1000, TRUE, bytes);
	g_assert_true(pvs_grants_unverified(grants, 3));
	g_assert_false(pvs_grants_unverified(grants, 2));
	put(grants, 3, 1000, 2, 1);
	g_assert_false(pvs_grants_unverified(grants, 3));
	pvs_grants_put(grants, 3, 1000, TRUE, bytes);
	pvs_grants_drop(grants, 3);
	g_assert_false(pvs_grants_unverified(grants, 3));
	pvs_grants_put(grants, 3, 1000, TRUE, bytes);
	g_assert_null(pvs_grants_get(grants, 3, 1000));
	g_assert_false(pvs_grants_unverified(grants, 3));
}

/* A job that has a grant's points keeps them when the slot gets others. */
static void test_outlives_the_slot(void)
{
	PvsGrants *grants = pvs_grants_new();
	g_autoptr(GBytes) got = NULL;
	g_autoptr(GBytes) expected = points(1, 2);

	put(grants, 0, 1000, 1, 2);
	got = pvs_grants_get(grants, 0, 1);
	put(grants, 0, 1000, 2, 3);
	pvs_grants_free(grants);
	g_assert_true(g_bytes_equal(got, expected));
}

static void bad_slot(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	put(grants, PVS_GRANTS_MAX, 1000, 1, 1);
}

static void bad_slot_get(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	pvs_grants_get(grants, PVS_GRANTS_MAX, 1000);
}

static void bad_slot_drop(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	pvs_grants_drop(grants, PVS_GRANTS_MAX);
}

static void bad_slot_unverified(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	(void)pvs_grants_unverified(grants, PVS_GRANTS_MAX);
}

static void bad_half_a_point(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();
	g_autoptr(GBytes) whole = points(1, 2);
	g_autoptr(GBytes) half = g_bytes_new_from_bytes(whole, 0, 3 * PVS_POINT_SIZE / 2);

	pvs_grants_put(grants, 0, 1000, FALSE, half);
}

static void bad_no_points(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	put(grants, 0, 1000, 1, 0);
}

static void bad_too_many(void)
{
	g_autoptr(PvsGrants) grants = pvs_grants_new();

	put(grants, 0, 1000, 1, PVS_HOST_KEYS_MAX + 1);
}

static void test_dies(gconstpointer data)
{
	if (g_getenv("PVS_EMULATOR")) {
		g_test_skip("an emulated program cannot start itself");
		return;
	}
	if (g_test_subprocess()) {
		((void (*)(void))data)();
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*assertion failed*");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/grants/empty", test_empty);
	g_test_add_func("/grants/slots", test_slots);
	g_test_add_func("/grants/ends", test_ends);
	g_test_add_func("/grants/unverified", test_unverified);
	g_test_add_func("/grants/outlives-the-slot", test_outlives_the_slot);
	g_test_add_data_func("/grants/bad/slot", bad_slot, test_dies);
	g_test_add_data_func("/grants/bad/slot-get", bad_slot_get, test_dies);
	g_test_add_data_func("/grants/bad/slot-drop", bad_slot_drop, test_dies);
	g_test_add_data_func("/grants/bad/slot-unverified", bad_slot_unverified, test_dies);
	g_test_add_data_func("/grants/bad/half-a-point", bad_half_a_point, test_dies);
	g_test_add_data_func("/grants/bad/no-points", bad_no_points, test_dies);
	g_test_add_data_func("/grants/bad/too-many", bad_too_many, test_dies);
	return g_test_run();
}
