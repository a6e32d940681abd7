/* SPDX-License-Identifier: MIT */
/*
 * test-cage.c - what role_begin() takes away, looked at from inside
 */
#include "policy/cage.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_limit(int resource, rlim_t most)
{
	struct rlimit now;

	g_assert_cmpint(getrlimit(resource, &now), ==, 0);
	g_assert_cmpuint(now.rlim_max, <=, most);
	g_assert_cmpuint(now.rlim_cur, ==, now.rlim_max);
}

static void look_from_inside(PvsRole role)
{
	g_autoptr(GError) error = NULL;
	int parent_death = 0;

	g_assert_true(role_begin(role, &error));
	g_assert_no_error(error);
	g_assert_cmpint(prctl(PR_GET_DUMPABLE), ==, 0);
	g_assert_cmpint(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), ==, 1);
	assert_limit(RLIMIT_CORE, 1);
	assert_limit(RLIMIT_NOFILE, 4096);
	g_assert_cmpint(prctl(PR_GET_PDEATHSIG, &parent_death), ==, 0);
	g_assert_cmpint(parent_death != 0, ==, role != PVS_ROLE_MONITOR);
#ifndef PVS_CAGE_LOG /* a sanitizer looks for leaks by a process of its own */
	if (role == PVS_ROLE_FRONT || role == PVS_ROLE_TRUST)
		assert_limit(RLIMIT_NPROC, 0);
#endif
}

static void test_role(gconstpointer data)
{
	PvsRole role = (PvsRole)GPOINTER_TO_INT(data);

	if (g_test_subprocess()) {
		/* As after an execve(); GLib may have switched it off, and the test would say
		 * nothing. */
		g_assert_cmpint(prctl(PR_SET_DUMPABLE, 1), ==, 0);
		look_from_inside(role);
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
	return g_test_run();
}
