/* SPDX-License-Identifier: MIT */
/*
 * test-penalties.c - users whose fronts keep dying
 */
#include "daemon/monitor/penalties.h"

#define SEC G_USEC_PER_SEC

/* The table lives as long as the process: each case has users of its own, and goes on in time. */
static gint64 now = 1000 * SEC;
static guint32 next_uid = 1000;

/* What the last of @n deaths costs. */
static guint die(guint32 uid, guint n)
{
	guint seconds = 0;

	while (n-- > 0)
		seconds = pvs_penalties_death(uid, now += SEC / 100);
	return seconds;
}

static void test_fifth(void)
{
	guint32 uid = next_uid++;

	g_assert_cmpuint(die(uid, PVS_PENALTY_DEATHS - 1), ==, 0);
	g_assert_false(pvs_penalties_paused(uid, now));
	g_assert_cmpuint(die(uid, 1), ==, PVS_PENALTY_SEC);
	g_assert_true(pvs_penalties_paused(uid, now));
	g_assert_true(pvs_penalties_paused(uid, now + PVS_PENALTY_SEC * SEC - 1));
	g_assert_false(pvs_penalties_paused(uid, now + PVS_PENALTY_SEC * SEC));
	g_assert_false(pvs_penalties_paused(next_uid++, now));
}

static void test_longer(void)
{
	guint32 uid = next_uid++;
	guint last = 0;

	for (guint want = PVS_PENALTY_SEC; last < PVS_PENALTY_MAX_SEC; want *= 2) {
		last = die(uid, PVS_PENALTY_DEATHS);
		g_assert_cmpuint(last, ==, MIN(want, PVS_PENALTY_MAX_SEC));
		now += last * SEC;
	}
	for (guint i = 0; i < 40; i++)
		g_assert_cmpuint(die(uid, PVS_PENALTY_DEATHS), ==, PVS_PENALTY_MAX_SEC);
}

static void test_forgotten(void)
{
	guint32 uid = next_uid++;

	/* Now and then one may die. */
	for (guint i = 0; i < 20; i++) {
		g_assert_cmpuint(die(uid, 1), ==, 0);
		now += 61 * SEC;
	}
	g_assert_cmpuint(die(uid, PVS_PENALTY_DEATHS), ==, PVS_PENALTY_SEC);
	now += 59 * SEC;
	g_assert_cmpuint(die(uid, PVS_PENALTY_DEATHS), ==, 2 * PVS_PENALTY_SEC);
	now += (gint64)10 * PVS_PENALTY_MAX_SEC * SEC + SEC;
	g_assert_cmpuint(die(uid, PVS_PENALTY_DEATHS), ==, PVS_PENALTY_SEC);
}

/* However many users there are: the table does not grow, and who is in debt most stays. */
static void test_many(void)
{
	guint32 worst = next_uid++;

	for (guint i = 0; i < 6; i++)
		die(worst, PVS_PENALTY_DEATHS);
	for (guint i = 0; i < 10 * PVS_PENALTY_USERS_MAX; i++)
		die(next_uid++, PVS_PENALTY_DEATHS);
	g_assert_cmpuint(pvs_penalties_size(now), <=, PVS_PENALTY_USERS_MAX);
	g_assert_cmpuint(pvs_penalties_size(now), >, PVS_PENALTY_USERS_MAX / 2);
	g_assert_true(pvs_penalties_paused(worst, now));
	g_assert_true(pvs_penalties_paused(next_uid - 1, now));
	g_assert_cmpuint(pvs_penalties_size(now + PVS_PENALTY_MAX_SEC * SEC), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/penalties/fifth-death", test_fifth);
	g_test_add_func("/penalties/longer", test_longer);
	g_test_add_func("/penalties/forgotten", test_forgotten);
	g_test_add_func("/penalties/many-users", test_many);
	return g_test_run();
}
