/* SPDX-License-Identifier: MIT */
/*
 * test-landlock.c - which files a confined process gets at; and that no cage is no start
 *
 * Each case runs in a child, by every version of Landlock from 1 to the kernel's.
 */
#include "policy/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/monitor/reach.h"
#include "policy/cage.h"

typedef struct {
	char *dir, *inside, *outside, *file, *secret, *program;
	int abi;
} Fixture;

static char *path(const Fixture *f, const char *name)
{
	return g_build_filename(f->dir, name, NULL);
}

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->dir = g_dir_make_tmp("pvs-landlock-XXXXXX", NULL);
	f->inside = path(f, "inside");
	f->outside = path(f, "outside");
	f->file = path(f, "inside/file");
	f->secret = path(f, "outside/secret");
	f->program = path(f, "inside/program");
	g_assert_cmpint(g_mkdir(f->inside, 0755) | g_mkdir(f->outside, 0755), ==, 0);
	g_assert_true(g_file_set_contents(f->file, "text", -1, NULL));
	g_assert_true(g_file_set_contents(f->secret, "text", -1, NULL));
	g_assert_true(g_file_set_contents(f->program, "#!/bin/true\n", -1, NULL));
	g_assert_cmpint(g_chmod(f->program, 0755), ==, 0);
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_remove(f->file);
	g_remove(f->secret);
	g_remove(f->program);
	g_rmdir(f->inside);
	g_rmdir(f->outside);
	g_assert_cmpint(g_rmdir(f->dir), ==, 0);
	g_free(f->dir);
	g_free(f->inside);
	g_free(f->outside);
	g_free(f->file);
	g_free(f->secret);
	g_free(f->program);
}

/* 0, or the errno. */
static int can_open(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int can_execute(const char *program)
{
	char *argv[] = {(char *)program, NULL}, *envp[] = {NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execve(program, argv, envp);
		_exit(errno);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs @inside in a child that is confined by @rules; its exit status is the number of the line
 * that failed. */
static void confined(const Fixture *f, const PvsPathRule *rules, guint n,
		     int (*inside)(const Fixture *f))
{
	for (int abi = 1; abi <= pvs_landlock_abi(); abi++) {
		pid_t pid = fork();
		int status;

		g_assert_cmpint(pid, >=, 0);
		if (pid == 0) {
			Fixture mine = *f;

			mine.abi = abi;
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			    !pvs_landlock_confine(rules, n, abi, NULL))
				_exit(1);
			_exit(inside(&mine));
		}
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_test_message("version %d", abi);
		g_assert_true(WIFEXITED(status));
		g_assert_cmpint(WEXITSTATUS(status), ==, 0);
	}
}

static int nothing(const Fixture *f)
{
	if (can_open(f->file, O_RDONLY) != EACCES)
		return 2;
	if (can_open(f->inside, O_RDONLY | O_DIRECTORY) != EACCES)
		return 3;
	if (can_open("/dev/null", O_WRONLY) != EACCES)
		return 4;
	if (can_execute("/bin/true") != EACCES)
		return 5;
	return unlink(f->file) == 0 || errno != EACCES ? 6 : 0;
}

static void test_nothing(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpint(can_open(f->file, O_RDONLY), ==, 0);
	g_assert_cmpint(can_execute("/bin/true"), ==, 0);
	confined(f, NULL, 0, nothing);
}

static int reading(const Fixture *f)
{
	g_autofree char *more = path(f, "inside/more");

	if (can_open(f->file, O_RDONLY) != 0 || can_open(f->inside, O_RDONLY | O_DIRECTORY) != 0)
		return 2;
	if (can_open(f->file, O_WRONLY) != EACCES || can_open(more, O_RDWR | O_CREAT) != EACCES)
		return 3;
	if (can_open(f->secret, O_RDONLY) != EACCES)
		return 4;
	if (can_execute(f->program) != EACCES)
		return 5;
	if (f->abi >= 3 && (truncate(f->file, 0) == 0 || errno != EACCES))
		return 6;
	return can_open("/etc/passwd", O_RDONLY) == EACCES ? 0 : 7;
}

static void test_read(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	const PvsPathRule rules[] = {{f->inside, PVS_PATH_READ},
				     {"/nowhere/at/all", PVS_PATH_READ}};

	confined(f, rules, G_N_ELEMENTS(rules), reading);
	g_assert_cmpint(can_execute(f->program), ==, 0);
}

static int writing(const Fixture *f)
{
	g_autofree char *more = path(f, "inside/more"), *folder = path(f, "inside/folder");

	if (can_open(more, O_RDWR | O_CREAT) != 0 || unlink(more) != 0)
		return 2;
	if (mkdir(folder, 0700) == 0 || errno != EACCES)
		return 3;
	if (can_open(f->secret, O_WRONLY) != EACCES)
		return 4;
	return can_execute(f->program) == EACCES ? 0 : 5;
}

static void test_write(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	const PvsPathRule rules[] = {{f->inside, PVS_PATH_WRITE}};

	confined(f, rules, G_N_ELEMENTS(rules), writing);
}

/* ---- the monitor's ---- */

static int reaching(const Fixture *f)
{
	g_autofree char *conf = path(f, "inside/pvsecretd.conf");

	if (can_open(f->file, O_RDONLY) != 0 || can_open("/etc/passwd", O_RDONLY) != 0 ||
	    can_open("/dev/null", O_RDWR) != 0)
		return 2;
	if (can_open(f->secret, O_RDONLY) != EACCES || can_open("/etc/shadow", O_RDONLY) == 0 ||
	    can_open("/etc/hostname", O_RDONLY) == 0 || can_open("/", O_RDONLY) == 0 ||
	    can_open("/proc/self/maps", O_RDONLY) == 0)
		return 3;
	if (can_open(conf, O_RDWR | O_CREAT) != EACCES)
		return 4;
	/* The program itself can be started again, others cannot. */
	if (can_execute("/usr/bin/env") != EACCES || can_execute(f->program) != EACCES)
		return 5;
	return 0;
}

static void test_reach(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config = pvs_config_new();
	g_autofree char *conf = path(f, "inside/pvsecretd.conf");
	g_autoptr(GArray) rules = pvs_reach(config, conf, NULL);

	confined(f, &g_array_index(rules, PvsPathRule, 0), rules->len, reaching);
}

static void test_reach_differs(void)
{
	g_autoptr(PvsConfig) one = pvs_config_new(), other = pvs_config_new();

	g_assert_null(pvs_reach_differs(one, other));
	g_free(other->trust_directory);
	other->trust_directory = g_strdup("/another");
	g_assert_cmpstr(pvs_reach_differs(one, other), ==, "TrustDirectory=");
	g_free(one->trust_directory);
	one->trust_directory = g_strdup("/another");
	g_assert_null(pvs_reach_differs(one, other));
	other->root_ca = g_strdup("/a");
	g_assert_cmpstr(pvs_reach_differs(one, other), ==, "RootCA=");
}

/* ---- a cage that cannot be put on ---- */

#ifndef PVS_CAGE_LOG
/* In a child in which the call fails, as in a container that forbids it. */
static int enters_without(int number)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

		if (!ctx || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), number, 0) != 0 ||
		    seccomp_load(ctx) != 0)
			_exit(99);
		_exit(role_enter(PVS_ROLE_FRONT, NULL, 0, NULL));
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_fails_closed(void)
{
	g_assert_cmpint(enters_without(SCMP_SYS(mount)), ==, TRUE);
	g_assert_cmpint(enters_without(SCMP_SYS(seccomp)), ==, FALSE);
	g_assert_cmpint(enters_without(SCMP_SYS(landlock_restrict_self)), ==, FALSE);
}
#endif

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	if (pvs_landlock_abi() == 0) {
		g_test_message("the kernel has no Landlock");
		return g_test_run();
	}
	g_test_message("the kernel has version %d", pvs_landlock_abi());
	g_test_add("/landlock/nothing", Fixture, NULL, set_up, test_nothing, tear_down);
	g_test_add("/landlock/read", Fixture, NULL, set_up, test_read, tear_down);
	g_test_add("/landlock/write", Fixture, NULL, set_up, test_write, tear_down);
	g_test_add("/landlock/reach", Fixture, NULL, set_up, test_reach, tear_down);
	g_test_add_func("/landlock/reach/differs", test_reach_differs);
#ifndef PVS_CAGE_LOG
	g_test_add_func("/landlock/fails-closed", test_fails_closed);
#endif
	return g_test_run();
}
