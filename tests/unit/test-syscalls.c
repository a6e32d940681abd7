/* SPDX-License-Identifier: MIT */
/*
 * test-syscalls.c - what becomes of a process in each role's cage, call by call, for real
 *
 * Every number is tried from inside, by every entry that the processor has, and the verdict is the
 * table's: killed, or the error that stands there, or let through. And the other way round: what is
 * done behind the cage, or put off until then, works.
 */
#include "tests/unit/syscall-table.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/cage.h"

#ifndef PVS_CAGE_LOG
static void enter(PvsRole role)
{
	g_autoptr(GError) error = NULL;
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !role_enter(role, NULL, 0, &error))
		_exit(99);
}

/* What becomes of a process in the cage that makes the call with all arguments -1, which no call
 * does anything with. */
static int try_number(PvsRole role, long number)
{
	pid_t pid = fork();
	int status;

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		long result;

		enter(role);
		result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
		/* Below 99 all that the table has. */
		syscall(SYS_exit_group, result == -1 && errno < 99 ? errno : 0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 99);
	return status;
}

/* These do what they are for, or wait, where they are let through. */
static gboolean is_obeyed(int number)
{
	static const int obeyed[] = {
		SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall, SYS_clone,
#ifdef SYS_fork
		SYS_fork, SYS_vfork,
#endif
	};

	for (guint i = 0; i < G_N_ELEMENTS(obeyed); i++)
		if (obeyed[i] == number)
			return TRUE;
	return FALSE;
}

/* uretprobe and uprobe: the kernel asks no filter, and SIGILL is the answer to whoever calls them
 * from elsewhere than a probe. */
static gboolean is_the_kernels(int number G_GNUC_UNUSED)
{
#ifdef __x86_64__
	return number == 335 || number == 336;
#else
	return FALSE;
#endif
}

static void test_every_number(gconstpointer data)
{
	PvsRole role = *(const PvsRole *)data;
	static const guint64 args[] = {G_MAXUINT64, G_MAXUINT64, G_MAXUINT64,
				       G_MAXUINT64, G_MAXUINT64, G_MAXUINT64};
	guint killed = 0, failed = 0, passed = 0, left_out = 0;

	for (int number = 0; number < PVS_TABLE_LAST; number++) {
		int status;
		guint32 verdict = pvs_table_verdict(role, number, args);
		gboolean dies = verdict == SECCOMP_RET_KILL_PROCESS;

		if (is_the_kernels(number) || (!dies && is_obeyed(number))) {
			left_out++;
			continue;
		}
		status = try_number(role, number);
		if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) != dies)
			g_error("%s, call %d: wait status %#x, the table says it %s",
				pvs_role_name(role), number, (guint)status,
				dies ? "dies" : "does not");
		killed += dies;
		passed += verdict == SECCOMP_RET_ALLOW;
		if (dies || verdict == SECCOMP_RET_ALLOW)
			continue;
		failed++;
		if (!WIFEXITED(status) ||
		    (guint32)WEXITSTATUS(status) != (verdict & SECCOMP_RET_DATA))
			g_error("%s, call %d: wait status %#x, the table says error %u",
				pvs_role_name(role), number, (guint)status,
				verdict & SECCOMP_RET_DATA);
	}
	g_test_message("of %d numbers %u end the %s, %u fail, %u are let through, %u not tried",
		       PVS_TABLE_LAST, killed, pvs_role_name(role), failed, passed, left_out);
	g_assert_cmpuint(failed, >, 0);
	g_assert_cmpuint(left_out, <=, 9);
	g_assert_cmpuint(killed, >, PVS_TABLE_LAST / 2);
}

#ifdef __x86_64__
static void by_x32(long number)
{
	syscall(0x40000000L | number, -1L, -1L, -1L, -1L, -1L, -1L);
}

static void by_i386(long number)
{
	long result = number;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
}

/* Even what is harmless by the native entry. */
static void test_other_entries(gconstpointer data)
{
	void (*const entries[])(long) = {by_x32, by_i386};

	for (guint i = 0; i < G_N_ELEMENTS(entries) * PVS_TABLE_LAST; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			enter(*(const PvsRole *)data);
			entries[i / PVS_TABLE_LAST](i % PVS_TABLE_LAST);
			syscall(SYS_exit_group, 0);
		}
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			g_error("%s, call %u by %s: wait status %#x",
				pvs_role_name(*(const PvsRole *)data), i % PVS_TABLE_LAST,
				i < PVS_TABLE_LAST ? "x32" : "i386", (guint)status);
	}
}
#endif

/* ---- what is done with memory, and what libraries put off ---- */

static int after_entering(PvsRole role, void (*act)(void))
{
	pid_t pid = fork();
	int status;

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		enter(role);
		act();
		syscall(SYS_exit_group, 0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return status;
}

static void map_all(void)
{
	void *got = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_exit_group, got == MAP_FAILED);
}

#ifndef __s390x__
static void map_code(void)
{
	void *got = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_exit_group, got == MAP_FAILED);
}
#endif

static void make_code(void)
{
	void *got = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_exit_group, got == MAP_FAILED || mprotect(got, 4096, PROT_EXEC) != 0);
}

static void map_data(void)
{
	void *got = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_exit_group, got == MAP_FAILED || munmap(got, 4096) != 0);
}

static void test_memory(gconstpointer data)
{
	PvsRole role = *(const PvsRole *)data;

	g_assert_cmpint(after_entering(role, map_data), ==, 0);
	/* Killed, or refused where a filter cannot see it. */
	g_assert_cmpint(after_entering(role, map_all), !=, 0);
#ifndef __s390x__
	g_assert_cmpint(WTERMSIG(after_entering(role, map_all)), ==, SIGSYS);
	g_assert_cmpint(WTERMSIG(after_entering(role, map_code)), ==, SIGSYS);
#endif
	g_assert_cmpint(WTERMSIG(after_entering(role, make_code)), ==, SIGSYS);
}

/* Besides the filter: refused by the process's own setting, where the kernel has it. */
static void test_memory_setting(void)
{
	enum { GET_MDWE = 66 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		/* The monitor may ask. */
		enter(PVS_ROLE_MONITOR);
		syscall(SYS_exit_group, prctl(GET_MDWE, 0, 0, 0, 0) & 0xff);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	if (prctl(GET_MDWE, 0, 0, 0, 0) < 0)
		g_test_skip("the kernel has no PR_SET_MDWE (Linux 6.3)");
	else
		g_assert_cmpint(WEXITSTATUS(status), ==, 1);
}

static int ascending(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Enough for the C library to ask how much memory there is. */
static void sort_much(void)
{
	int *numbers = g_new(int, 100000);

	for (int i = 0; i < 100000; i++)
		numbers[i] = -i;
	qsort(numbers, 100000, sizeof *numbers, ascending);
	syscall(SYS_exit_group, numbers[0] != -99999);
}

static void ask_for_errors(void)
{
	for (int i = 0; i < 140; i++)
		g_assert_nonnull(g_strerror(i));
}

static void ask_for_the_time(void)
{
	g_autoptr(GDateTime) here = g_date_time_new_now_local();

	syscall(SYS_exit_group, here == NULL);
}

static void draw(void)
{
	g_random_int();
}

static void count_processors(void)
{
	syscall(SYS_exit_group, g_get_num_processors() < 1);
}

static void use_much_memory(void)
{
	void *pieces[64];

	for (guint round = 0; round < 3; round++) {
		for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
			pieces[i] = g_malloc((gsize)1 << (10 + i % 12));
			pieces[i] = g_realloc(pieces[i], (gsize)2 << (10 + i % 12));
		}
		for (guint i = 0; i < G_N_ELEMENTS(pieces); i++)
			g_free(pieces[i]);
	}
}

static void print(void)
{
	FILE *stream = fdopen(1, "w");

	fprintf(stream, "#\n");
	fflush(stream);
}

/* What nobody uses before the cage is on, and somebody may behind it: it does what it can. */
static void test_lazy(gconstpointer data)
{
	static const struct {
		const char *what;
		void (*act)(void);
	} cases[] = {
		{"qsort()", sort_much},
		{"g_strerror()", ask_for_errors},
		{"the local time", ask_for_the_time},
		{"g_random_int()", draw},
		{"the number of processors", count_processors},
		{"malloc()", use_much_memory},
		{"a stream", print},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].what);
		g_assert_cmphex((guint)after_entering(*(const PvsRole *)data, cases[i].act), ==, 0);
	}
}

/* A broken invariant ends as what it is, not as an attack. */
static void test_abort(gconstpointer data)
{
	g_assert_cmpint(WTERMSIG(after_entering(*(const PvsRole *)data, abort)), ==, SIGABRT);
}

static void kill_the_parent(void)
{
	syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void test_kill(gconstpointer data)
{
	PvsRole role = *(const PvsRole *)data;
	int status = after_entering(role, kill_the_parent);

	if (role == PVS_ROLE_MONITOR)
		g_assert_cmpint(status, ==, 0);
	else
		g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *what;
		GTestDataFunc test;
	} cases[] = {
		{"every-number", test_every_number},
#ifdef __x86_64__
		{"other-entries", test_other_entries},
#endif
		{"memory", test_memory},
		{"lazy", test_lazy},
		{"abort", test_abort},
		{"kill", test_kill},
	};

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < PVS_TABLE_ROLES; i++)
		for (guint c = 0; c < G_N_ELEMENTS(cases); c++) {
			g_autofree char *path =
				g_strdup_printf("/syscalls/%s/%s",
						pvs_role_name(pvs_table_roles[i]), cases[c].what);

			g_test_add_data_func(path, &pvs_table_roles[i], cases[c].test);
		}
	g_test_add_func("/syscalls/memory-setting", test_memory_setting);
	return g_test_run();
}
#else
static void test_skipped(void)
{
	g_test_skip("configured with --enable-cage=log: nothing is killed");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/syscalls", test_skipped);
	return g_test_run();
}
#endif
