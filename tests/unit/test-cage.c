/* SPDX-License-Identifier: MIT */
/*
 * test-cage.c - what role_begin() takes away, looked at from inside
 */
#include "policy/cage.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((rlim_t)1024 * 1024)
#ifdef PVS_CAGE_LOG /* see policy/cage.c */
#define LIMIT(value) RLIM_INFINITY
#else
#define LIMIT(value) ((rlim_t)(value))
#endif

/* What each may have at the most; RLIM_INFINITY: what it had. */
static const struct {
	PvsRole role;
	rlim_t descriptors;
	rlim_t address_space;
	rlim_t processes;
} expected[] = {
	{PVS_ROLE_MONITOR, 4096, RLIM_INFINITY, RLIM_INFINITY},
	{PVS_ROLE_FRONT, 2048, LIMIT(256 * MIB), LIMIT(0)},
	{PVS_ROLE_TRUST, 1024, LIMIT(512 * MIB), LIMIT(0)},
	{PVS_ROLE_VAULT, 1024, RLIM_INFINITY, RLIM_INFINITY},
};

enum { CORE, DESCRIPTORS, ADDRESSES, PROCESSES, N_LIMITS };
static const int resources[N_LIMITS] = {RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_NPROC};

static void read_limits(struct rlimit *limits)
{
	for (guint i = 0; i < N_LIMITS; i++)
		g_assert_cmpint(getrlimit(resources[i], &limits[i]), ==, 0);
}

/* Neither can be raised again; and what was lower before is not raised now. */
static void assert_limits(PvsRole role, const struct rlimit *before)
{
	struct rlimit now[N_LIMITS];
	guint row = 0;

	while (expected[row].role != role)
		row++;
	read_limits(now);
	for (guint i = 0; i < N_LIMITS; i++) {
		const rlim_t most[N_LIMITS] = {1, expected[row].descriptors,
					       expected[row].address_space,
					       expected[row].processes};

		g_assert_cmpuint(now[i].rlim_max, ==, MIN(before[i].rlim_max, most[i]));
		g_assert_cmpuint(now[i].rlim_cur, ==, now[i].rlim_max);
	}
}

/* @lower: where the limits are lower than what it would set. */
static void look_from_inside(PvsRole role, gboolean lower)
{
	g_autoptr(GError) error = NULL;
	struct rlimit before[N_LIMITS];
	int parent_death = 0;

	if (lower) {
		const struct rlimit few = {32, 64}, none = {0, 0};

		g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
		g_assert_cmpint(setrlimit(RLIMIT_CORE, &none), ==, 0);
	}
	read_limits(before);
	g_assert_true(role_begin(role, &error));
	g_assert_no_error(error);
	g_assert_cmpint(prctl(PR_GET_DUMPABLE), ==, 0);
	g_assert_cmpint(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), ==, 1);
	assert_limits(role, before);
	g_assert_cmpint(prctl(PR_GET_PDEATHSIG, &parent_death), ==, 0);
	g_assert_cmpint(parent_death != 0, ==, role != PVS_ROLE_MONITOR);
}

enum { LOWER = 0x100 };

static void test_role(gconstpointer data)
{
	const int what = GPOINTER_TO_INT(data);
	const PvsRole role = (PvsRole)(what & ~LOWER);

	if (g_test_subprocess()) {
		/* As after an execve(); GLib may have switched it off, and the test would say
		 * nothing. */
		g_assert_cmpint(prctl(PR_SET_DUMPABLE, 1), ==, 0);
		look_from_inside(role, (what & LOWER) != 0);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
}

/* Up to its limits a front has what it asks for, and nothing beyond. */
static void test_they_hold(void)
{
	if (g_test_subprocess()) {
		struct rlimit descriptors;
		void *memory;
		int last;

		g_assert_true(role_begin(PVS_ROLE_FRONT, NULL));
		memory = mmap(NULL, 128 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		g_assert_true(memory != MAP_FAILED);
		g_assert_cmpint(munmap(memory, 128 * MIB), ==, 0);
		g_assert_true(mmap(NULL, 257 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				   0) == MAP_FAILED ||
			      LIMIT(1) == RLIM_INFINITY);
		g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &descriptors), ==, 0);
		last = (int)descriptors.rlim_cur - 1;
		g_assert_cmpint(dup2(STDERR_FILENO, last), ==, last);
		g_assert_cmpint(dup2(STDERR_FILENO, last + 1), ==, -1);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/cage/monitor", GINT_TO_POINTER(PVS_ROLE_MONITOR), test_role);
	g_test_add_data_func("/cage/front", GINT_TO_POINTER(PVS_ROLE_FRONT), test_role);
	g_test_add_data_func("/cage/trust", GINT_TO_POINTER(PVS_ROLE_TRUST), test_role);
	g_test_add_data_func("/cage/vault", GINT_TO_POINTER(PVS_ROLE_VAULT), test_role);
	g_test_add_data_func("/cage/lower", GINT_TO_POINTER(PVS_ROLE_FRONT | LOWER), test_role);
	g_test_add_func("/cage/they-hold", test_they_hold);
	return g_test_run();
}
