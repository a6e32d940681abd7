/* SPDX-License-Identifier: MIT */
/*
 * test-landlock.c - which files a confined process gets at; and that no cage is no start
 *
 * Each case runs in a child, by every version of Landlock from 1 to the kernel's.
 */
#include "policy/landlock.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
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
	int self;
	int links_only;
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
	f->self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	g_assert_cmpint(f->self, >=, 0);
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	close(f->self);
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
		close(1);
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
	const PvsPathRule rules[] = {{f->inside, PVS_PATH_READ, -1},
				     {"/nowhere/at/all", PVS_PATH_READ, -1}};

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
	const PvsPathRule rules[] = {{f->inside, PVS_PATH_WRITE, -1}};

	confined(f, rules, G_N_ELEMENTS(rules), writing);
}

/* ---- the monitor's ---- */

/* The C library, which is a program as well. */
static const char *library(void)
{
	Dl_info info;

	return dladdr((void *)(gsize)getpid, &info) ? info.dli_fname : NULL;
}

#ifndef PVS_CAGE_LOG
/* By its descriptor, as the monitor starts its children. */
static int can_execute_itself(int program)
{
	char name[] = "test", list[] = "-l";
	char *argv[] = {name, list, NULL}, *envp[] = {NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
		_exit(errno);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#endif

static int reaching(const Fixture *f)
{
	g_autofree char *conf = path(f, "inside/pvsecretd.conf");

	if (can_open(f->file, O_RDONLY) != 0 || can_open("/etc/passwd", O_RDONLY) != 0 ||
	    can_open("/dev/null", O_RDWR) != 0)
		return 2;
	if (can_open(f->secret, O_RDONLY) != EACCES || can_open("/usr/bin/env", O_RDONLY) == 0 ||
	    can_open("/etc/passwd", O_WRONLY) == 0 || can_open("/", O_RDONLY) == 0 ||
	    can_open("/proc/self/maps", O_RDONLY) == 0)
		return 3;
	if (can_open(conf, O_RDWR | O_CREAT) != EACCES)
		return 4;
		/* The program itself can be started again, others cannot. */
#ifndef PVS_CAGE_LOG /* a sanitizer looks into /proc at the end */
	if (can_execute_itself(f->self) != 0)
		return 5;
#endif
	if (can_execute("/usr/bin/env") != EACCES || can_execute(f->program) != EACCES)
		return 6;
	return can_open(library(), O_RDONLY) == 0 && can_execute(library()) == EACCES ? 0 : 7;
}

static void test_reach(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config = pvs_config_new();
	g_autofree char *conf = path(f, "inside/pvsecretd.conf");
	g_autoptr(GArray) rules = NULL;

	g_assert_cmpint(can_execute(library()), ==, 0);
	rules = pvs_reach(config, conf, NULL, f->self);
	confined(f, &g_array_index(rules, PvsPathRule, 0), rules->len, reaching);
}

static int following(const Fixture *f)
{
	g_autofree char *link = path(f, "inside/link"), *root = path(f, "inside/root");
	g_autofree char *other = path(f, "outside/other");

	if (can_open(link, O_RDONLY) != 0 || can_open(f->secret, O_RDONLY) != 0)
		return 2;
	if (can_open(link, O_WRONLY) != EACCES)
		return 3;
	if (f->links_only)
		return can_open(other, O_RDONLY) == EACCES ? 0 : 4;
	return can_open(root, O_RDONLY) == 0 ? 0 : 5;
}

/* What is installed by a link is read; of a link to the root CA the whole directory, in which it is
 * replaced. */
static void test_reach_links(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config = pvs_config_new();
	g_autofree char *link = path(f, "inside/link"), *root = path(f, "inside/root");
	g_autofree char *other = path(f, "outside/other"), *conf = path(f, "conf");

	g_assert_true(g_file_set_contents(other, "text", -1, NULL));
	g_assert_cmpint(symlink("../outside/secret", link), ==, 0);
	g_free(config->trust_directory);
	config->trust_directory = g_strdup(f->inside);
	for (f->links_only = 1; f->links_only >= 0; f->links_only--) {
		g_autoptr(GArray) rules = NULL;

		if (!f->links_only) {
			g_assert_cmpint(symlink("../outside/other", root), ==, 0);
			config->root_ca = g_strdup(root);
		}
		rules = pvs_reach(config, conf, NULL, f->self);
		/* The configuration's directory is readable, and would be all there is. */
		for (guint i = rules->len; i-- > 0;)
			if (g_strcmp0(g_array_index(rules, PvsPathRule, i).path, f->dir) == 0)
				g_array_remove_index(rules, i);
		confined(f, &g_array_index(rules, PvsPathRule, 0), rules->len, following);
	}
	g_remove(link);
	g_remove(root);
	g_remove(other);
}

static int not_following(const Fixture *f)
{
	g_autofree char *link = path(f, "inside/link");

	return can_open(f->file, O_RDONLY) == 0 && can_open(link, O_RDONLY) == EACCES ? 0 : 2;
}

/* Where somebody else than the owner may make links, a link opens nothing. */
static void test_reach_others_links(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config = pvs_config_new();
	g_autofree char *link = path(f, "inside/link");
	g_autoptr(GArray) rules = NULL;

	g_assert_cmpint(symlink("../outside/secret", link), ==, 0);
	g_free(config->crl_directory);
	config->crl_directory = g_strdup(f->inside);
	rules = pvs_reach(config, "/etc/pvsecretd.conf", NULL, f->self);
	confined(f, &g_array_index(rules, PvsPathRule, 0), rules->len, not_following);
	g_remove(link);
}

static int being_blocked(const Fixture *f)
{
	g_autoptr(PvsConfig) config = pvs_config_new();

	g_free(config->crl_directory);
	config->crl_directory = g_strdup(f->inside);
	if (pvs_reach_blocked(config))
		return 2;
	g_free(config->crl_directory);
	config->crl_directory = g_strdup(f->outside);
	return g_strcmp0(pvs_reach_blocked(config), f->outside) == 0 ? 0 : 3;
}

static void test_reach_blocked(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	const PvsPathRule rules[] = {{f->inside, PVS_PATH_READ, -1}, {"/etc", PVS_PATH_READ, -1}};

	confined(f, rules, G_N_ELEMENTS(rules), being_blocked);
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
static int enters_without(int number, int error)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (guint32)number, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (guint32)error),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog filter = {.len = G_N_ELEMENTS(code), .filter = code};

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
			_exit(99);
		_exit(role_enter(PVS_ROLE_FRONT, NULL, 0, NULL));
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_fails_closed(void)
{
	g_assert_cmpint(enters_without(SYS_mount, EPERM), ==, TRUE);
	g_assert_cmpint(enters_without(SYS_seccomp, EPERM), ==, FALSE);
	g_assert_cmpint(enters_without(SYS_seccomp, ENOSYS), ==, FALSE);
	g_assert_cmpint(enters_without(SYS_prctl, EPERM), ==, FALSE);
	g_assert_cmpint(enters_without(SYS_landlock_restrict_self, EPERM), ==, FALSE);
	g_assert_cmpint(enters_without(SYS_landlock_create_ruleset, EPERM), ==, FALSE);
	/* That the kernel has none is another matter. */
	g_assert_cmpint(enters_without(SYS_landlock_create_ruleset, ENOSYS), ==, TRUE);
	g_assert_cmpint(enters_without(SYS_landlock_create_ruleset, EOPNOTSUPP), ==, TRUE);
}

/* What becomes of one in the monitor's cage that executes the program by a descriptor. */
static int status_of(int program, int by)
{
	g_autoptr(PvsConfig) config = pvs_config_new();
	g_autoptr(GArray) rules = pvs_reach(config, "/etc/pvsecretd.conf", NULL, program);
	char name[] = "test", list[] = "-l";
	char *argv[] = {name, list, NULL}, *envp[] = {NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		close(1);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    !role_enter(PVS_ROLE_MONITOR, &g_array_index(rules, PvsPathRule, 0), rules->len,
				NULL))
			_exit(99);
		syscall(SYS_execveat, by, "", argv, envp, AT_EMPTY_PATH);
		_exit(98);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return status;
}

/* By that one descriptor alone: another, even of the same file, is one that somebody else opened.
 */
static void test_program(void)
{
	int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	int other = fcntl(program, F_DUPFD_CLOEXEC, 20);

	g_assert_cmpint(status_of(program, program), ==, 0);
	g_assert_cmpint(WTERMSIG(status_of(program, other)), ==, SIGSYS);
	close(program);
	close(other);
}

static gpointer in_a_thread(gpointer name)
{
	if (can_open(name, O_RDONLY) != 0 || !role_enter_thread(NULL))
		return GINT_TO_POINTER(1);
	return can_open(name, O_RDONLY) == EACCES ? NULL : GINT_TO_POINTER(2);
}

/* Landlock is a thread's own: one that was started before goes in by itself. */
static void test_thread(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pthread_t thread;
		void *result;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    pthread_create(&thread, NULL, in_a_thread, f->file) != 0 ||
		    pthread_join(thread, &result) != 0)
			_exit(99);
		_exit(result ? GPOINTER_TO_INT(result) : can_open(f->file, O_RDONLY));
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
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
	g_test_add("/landlock/reach/links", Fixture, NULL, set_up, test_reach_links, tear_down);
	g_test_add("/landlock/reach/others-links", Fixture, NULL, set_up, test_reach_others_links,
		   tear_down);
	g_test_add("/landlock/reach/blocked", Fixture, NULL, set_up, test_reach_blocked, tear_down);
	g_test_add_func("/landlock/reach/differs", test_reach_differs);
#ifndef PVS_CAGE_LOG
	g_test_add_func("/landlock/program", test_program);
	g_test_add("/landlock/thread", Fixture, NULL, set_up, test_thread, tear_down);
	g_test_add_func("/landlock/fails-closed", test_fails_closed);
#endif
	return g_test_run();
}
