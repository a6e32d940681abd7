/* SPDX-License-Identifier: MIT */
/*
 * test-shares.c - calls on their way in the vault: in all, and of one user
 */
#include "daemon/shares.h"

#include <string.h>

typedef struct {
	char name;
	gboolean paused;
	PvsSharer *sharer;
} Front;

static GString *resumed; /* names, in order */

static void pause_front(gpointer data, gboolean paused)
{
	Front *front = data;

	g_assert_cmpint(front->paused, !=, paused);
	front->paused = paused;
	if (!paused && resumed)
		g_string_append_c(resumed, front->name);
}

static void begin(Front *front, guint n)
{
	while (n-- > 0) {
		g_assert_false(front->paused);
		pvs_sharer_begin(front->sharer);
	}
}

static void end(Front *front, guint n)
{
	while (n-- > 0)
		pvs_sharer_end(front->sharer);
}

static void drop(Front *front)
{
	end(front, pvs_sharer_calls(front->sharer));
	pvs_sharer_free(front->sharer);
}

/* Two sets of groups are one user. */
static void test_user(void)
{
	PvsShares *shares = pvs_shares_new(100, 4, pause_front);
	Front a = {.name = 'a'}, b = {.name = 'b'}, other = {.name = 'o'};

	a.sharer = pvs_sharer_new(shares, 1, &a);
	b.sharer = pvs_sharer_new(shares, 1, &b);
	other.sharer = pvs_sharer_new(shares, 2, &other);
	begin(&a, 3);
	g_assert_false(a.paused || b.paused);
	begin(&b, 1);
	g_assert_true(a.paused && b.paused);
	g_assert_false(other.paused);
	begin(&other, 1);
	end(&a, 1);
	g_assert_false(a.paused || b.paused);
	drop(&a);
	drop(&b);
	drop(&other);
	pvs_shares_free(shares);
}

/* In all; and nobody has it all. */
static void test_all(void)
{
	PvsShares *shares = pvs_shares_new(8, 100, pause_front);
	Front a = {.name = 'a'}, b = {.name = 'b'};

	a.sharer = pvs_sharer_new(shares, 1, &a);
	b.sharer = pvs_sharer_new(shares, 2, &b);
	begin(&a, 6);
	g_assert_true(a.paused);
	g_assert_false(b.paused);
	begin(&b, 2);
	g_assert_true(b.paused);
	end(&b, 1);
	g_assert_false(b.paused);
	g_assert_true(a.paused);
	drop(&a);
	drop(&b);
	pvs_shares_free(shares);
}

/* Who waited longest is read first. */
static void test_turns(void)
{
	PvsShares *shares = pvs_shares_new(4, 3, pause_front);
	Front fronts[4];

	for (guint i = 0; i < 4; i++) {
		fronts[i] = (Front){.name = (char)('a' + i)};
		fronts[i].sharer = pvs_sharer_new(shares, i, &fronts[i]);
	}
	/* Served: a, b, c, b. */
	begin(&fronts[0], 1);
	begin(&fronts[1], 1);
	begin(&fronts[2], 1);
	begin(&fronts[1], 1);
	for (guint i = 0; i < 4; i++)
		g_assert_true(fronts[i].paused);
	resumed = g_string_new(NULL);
	end(&fronts[1], 1);
	g_assert_cmpstr(resumed->str, ==, "dacb");
	g_string_free(resumed, TRUE);
	resumed = NULL;
	for (guint i = 0; i < 4; i++)
		drop(&fronts[i]);
	pvs_shares_free(shares);
}

/* What is on its way counts until it ends, though nobody waits for it. */
static void test_left(void)
{
	PvsShares *shares = pvs_shares_new(100, 2, pause_front);
	Front a = {.name = 'a'}, b = {.name = 'b'};

	a.sharer = pvs_sharer_new(shares, 1, &a);
	begin(&a, 2);
	pvs_sharer_leave(a.sharer);
	b.sharer = pvs_sharer_new(shares, 1, &b);
	g_assert_true(b.paused);
	end(&a, 1);
	g_assert_false(b.paused);
	g_assert_true(a.paused);
	drop(&a);
	drop(&b);
	/* The user has gone; the next time he begins anew. */
	a = (Front){.name = 'a'};
	a.sharer = pvs_sharer_new(shares, 1, &a);
	begin(&a, 2);
	g_assert_true(a.paused);
	drop(&a);
	pvs_shares_free(shares);
}

/* What calls hold of the arena: of a user, in all, and given back. */
static void test_bytes(void)
{
	PvsShares *shares = pvs_shares_new(100, 100, pause_front);
	Front a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};

	pvs_shares_limit_bytes(shares, 4000);
	a.sharer = pvs_sharer_new(shares, 1, &a);
	b.sharer = pvs_sharer_new(shares, 1, &b);
	c.sharer = pvs_sharer_new(shares, 2, &c);
	begin(&a, 1);
	pvs_sharer_hold(a.sharer, 2999);
	g_assert_false(a.paused || b.paused || c.paused);
	pvs_sharer_hold(b.sharer, 1);
	g_assert_true(a.paused && b.paused);
	g_assert_false(c.paused);
	pvs_sharer_hold(c.sharer, 1000);
	g_assert_true(c.paused);
	pvs_sharer_release(a.sharer, 1);
	g_assert_false(a.paused || b.paused || c.paused);
	pvs_sharer_release(a.sharer, 2998);
	pvs_sharer_release(b.sharer, 1);
	pvs_sharer_release(c.sharer, 1000);
	drop(&a);
	drop(&b);
	drop(&c);
	pvs_shares_free(shares);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/shares/of-a-user", test_user);
	g_test_add_func("/shares/in-all", test_all);
	g_test_add_func("/shares/bytes", test_bytes);
	g_test_add_func("/shares/turns", test_turns);
	g_test_add_func("/shares/left", test_left);
	return g_test_run();
}
