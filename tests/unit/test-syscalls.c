/* SPDX-License-Identifier: MIT */
/*
 * test-syscalls.c - each role's filter against the table, in a simulation and for real
 *
 * The table is read here by a few lines of its own. The filter, as the kernel gets it, is run by a
 * small interpreter (struct sock_filter, as linux/filter.h has it) over random calls; and every
 * number is tried from inside a cage.
 */
#include "policy/syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/cage.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#else
#error "say what the architecture is called"
#endif

#define LAST	480 /* numbers of system calls are below it */
#define PROGRAM 17  /* what the daemon's own program would be open as */

static const PvsRole roles[] = {PVS_ROLE_MONITOR, PVS_ROLE_FRONT, PVS_ROLE_TRUST, PVS_ROLE_VAULT};

/* ---- what the table says ---- */

static gboolean fits(const PvsSyscallRow *row, const guint64 *args)
{
	for (guint i = 0; i < PVS_SYSCALL_CHECKS && row->checks[i].mask; i++)
		if ((args[row->checks[i].argument] & row->checks[i].mask) !=
		    pvs_syscall_value(&row->checks[i], PROGRAM))
			return FALSE;
	return TRUE;
}

static guint32 wanted(PvsRole role, int number, const guint64 *args)
{
	guint n;
	const PvsSyscallRow *rows = pvs_syscalls(&n);

	for (guint i = 0; i < n; i++)
		if (rows[i].number == number && (rows[i].roles & role) && fits(&rows[i], args))
			return rows[i].verdict == PVS_SYSCALL_ALLOW
				       ? SECCOMP_RET_ALLOW
				       : SECCOMP_RET_ERRNO | (guint32)rows[i].error;
#ifdef PVS_CAGE_LOG
	return SECCOMP_RET_LOG;
#else
	return SECCOMP_RET_KILL_PROCESS;
#endif
}

/* ---- the filter ---- */

typedef struct {
	struct sock_filter *code;
	gsize n;
} Filter;

static Filter filter_of(PvsRole role)
{
	g_autoptr(GError) error = NULL;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	Filter f;
	off_t size;

	g_assert_true(pvs_syscalls_export(role, PROGRAM, fd, &error));
	g_assert_no_error(error);
	size = lseek(fd, 0, SEEK_END);
	g_assert_cmpint(size, >, 0);
	f.n = (gsize)size / sizeof *f.code;
	f.code = g_malloc((gsize)size);
	g_assert_cmpint(pread(fd, f.code, (gsize)size, 0), ==, size);
	close(fd);
	return f;
}

static guint32 load(const struct seccomp_data *data, guint32 offset)
{
	guint32 value;

	g_assert_cmpuint(offset, <=, sizeof *data - sizeof value);
	memcpy(&value, (const guint8 *)data + offset, sizeof value);
	return value;
}

static guint32 run(const Filter *f, const struct seccomp_data *data)
{
	guint32 a = 0;

	for (gsize at = 0; at < f->n; at++) {
		const struct sock_filter *i = &f->code[at];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load(data, i->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			g_error("instruction %#x is not known", i->code);
		}
	}
	g_error("the filter does not end");
}

/* Values around what the table compares with, and any. */
static guint64 some_argument(GRand *dice)
{
	guint n;
	const PvsSyscallRow *rows = pvs_syscalls(&n);
	guint64 value = (guint64)g_rand_int(dice) << 32 | g_rand_int(dice);

	switch (g_rand_int_range(dice, 0, 6)) {
	case 0:
		return value;
	case 1:
		return value & 0xff;
	case 2:
		return value << 32;
	case 3:
		return 0;
	default: {
		const PvsSyscallCheck *check =
			&rows[g_rand_int_range(dice, 0, (gint32)n)]
				 .checks[g_rand_int_range(dice, 0, PVS_SYSCALL_CHECKS)];

		value = pvs_syscall_value(check, PROGRAM);
		if (g_rand_boolean(dice))
			value |= G_GUINT64_CONSTANT(1) << g_rand_int_range(dice, 0, 64);
		return value;
	}
	}
}

static void test_simulated(gconstpointer data)
{
	enum { N = 1000000 };
	PvsRole role = *(const PvsRole *)data;
	Filter f = filter_of(role);
	GRand *dice = g_rand_new_with_seed((guint32)g_test_rand_int());
	guint kinds[2] = {0};

	for (guint i = 0; i < N; i++) {
		struct seccomp_data call = {.arch = NATIVE};
		guint64 args[6];
		guint32 got;

		call.nr = g_rand_int_range(dice, 0, 20) ? g_rand_int_range(dice, 0, LAST)
							: (int)(g_rand_int(dice) & 0x3fffffff);
		for (guint a = 0; a < 6; a++)
			call.args[a] = args[a] = some_argument(dice);
		got = run(&f, &call);
		if (got != wanted(role, call.nr, args))
			g_error("%s, call %d (%" G_GINT64_MODIFIER "x, %" G_GINT64_MODIFIER
				"x, %" G_GINT64_MODIFIER "x, ...): %#x, the table says %#x",
				pvs_role_name(role), call.nr, args[0], args[1], args[2], got,
				wanted(role, call.nr, args));
		kinds[got == SECCOMP_RET_ALLOW]++;
	}
	g_assert_cmpuint(kinds[0], >, N / 10);
	g_assert_cmpuint(kinds[1], >, N / 100);
	g_rand_free(dice);
	g_free(f.code);
}

/* Other architectures' entries, whatever the number. */
static void test_architectures(gconstpointer data)
{
	static const guint32 others[] = {AUDIT_ARCH_I386,  AUDIT_ARCH_X86_64,  AUDIT_ARCH_S390,
					 AUDIT_ARCH_S390X, AUDIT_ARCH_AARCH64, 0};
	Filter f = filter_of(*(const PvsRole *)data);

	for (guint i = 0; i < G_N_ELEMENTS(others); i++)
		for (int nr = 0; nr < LAST && others[i] != NATIVE; nr++) {
			struct seccomp_data call = {.arch = others[i], .nr = nr};

			g_assert_cmphex(run(&f, &call), ==, SECCOMP_RET_KILL_PROCESS);
		}
#ifdef __x86_64__
	for (int nr = 0; nr < 0x400; nr++) {
		struct seccomp_data x32 = {.arch = NATIVE, .nr = 0x40000000 | nr};

		g_assert_cmphex(run(&f, &x32), ==, SECCOMP_RET_KILL_PROCESS);
	}
#endif
	g_free(f.code);
}

/* Small, and without an ordered comparison. */
static void test_form(gconstpointer data)
{
	Filter f = filter_of(*(const PvsRole *)data);

	g_test_message("%" G_GSIZE_FORMAT " instructions", f.n);
	g_assert_cmpuint(f.n, <, 1000);
	for (gsize i = 0; i < f.n; i++)
		g_assert_false(BPF_CLASS(f.code[i].code) == BPF_JMP &&
			       BPF_OP(f.code[i].code) != BPF_JEQ);
	g_free(f.code);
}

/* What no process of ours has any business with, whatever the table says; and, behind the zero,
 * what none but the monitor has. */
static const int never[] = {
	SYS_open_by_handle_at,
	SYS_openat2,
	SYS_creat,
	SYS_execve,
	SYS_uselib,
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_clone3,
	SYS_vfork,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_kcmp,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_bpf,
	SYS_userfaultfd,
	SYS_perf_event_open,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_mount,
	SYS_umount2,
	SYS_unshare,
	SYS_setns,
	SYS_pivot_root,
	SYS_chroot,
	SYS_chdir,
	SYS_personality,
	SYS_shmat,
	SYS_pkey_mprotect,
	SYS_remap_file_pages,
	SYS_memfd_create,
	SYS_setuid,
	SYS_setgid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_capset,
	SYS_rename,
	SYS_renameat2,
	SYS_link,
	SYS_linkat,
	SYS_symlink,
	SYS_symlinkat,
	SYS_mknod,
	SYS_mknodat,
	SYS_chmod,
	SYS_fchmodat,
	SYS_chown,
	SYS_fchownat,
	SYS_truncate,
	SYS_mkdir,
	SYS_mkdirat,
	SYS_rmdir,
	SYS_ioctl,
	SYS_splice,
	SYS_vmsplice,
	SYS_rt_sigqueueinfo,
	SYS_tkill,
	SYS_init_module,
	SYS_kexec_load,
	SYS_reboot,
	0,
	SYS_open,
	SYS_openat,
	SYS_stat,
	SYS_newfstatat,
	SYS_statx,
	SYS_execveat,
	SYS_clone,
	SYS_fork,
	SYS_socketpair,
	SYS_accept,
	SYS_accept4,
	SYS_kill,
	SYS_prctl,
	SYS_seccomp,
	SYS_prlimit64,
	SYS_unlink,
	SYS_unlinkat,
	SYS_ftruncate,
	SYS_getdents64,
	SYS_dup2,
	SYS_setsockopt,
	SYS_wait4,
	SYS_munlockall,
	SYS_munlock,
	SYS_memfd_secret,
};

/* With the arguments that are most likely to fit some row. */
static void test_never(gconstpointer data)
{
	static const guint64 values[] = {0, 1, 2, PROGRAM, 0x1000, G_MAXUINT64};
	PvsRole role = *(const PvsRole *)data;
	Filter f = filter_of(role);
	gboolean workers = FALSE;

	for (guint i = 0; i < G_N_ELEMENTS(never); i++) {
		workers |= i > 0 && never[i] == 0;
		if (never[i] == 0 || (workers && role == PVS_ROLE_MONITOR))
			continue;
		for (guint v = 0; v < G_N_ELEMENTS(values); v++) {
			struct seccomp_data call = {.arch = NATIVE, .nr = never[i]};

			for (guint a = 0; a < 6; a++)
				call.args[a] = values[v];
			if (run(&f, &call) == SECCOMP_RET_ALLOW)
				g_error("%s may make call %d", pvs_role_name(role), never[i]);
		}
	}
	g_assert_true(workers);
	g_free(f.code);
}

/* ---- for real ---- */

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
		enter(role);
		syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
		syscall(SYS_exit_group, 0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 99);
	return status;
}

static void test_every_number(gconstpointer data)
{
	PvsRole role = *(const PvsRole *)data;
	static const guint64 args[] = {G_MAXUINT64, G_MAXUINT64, G_MAXUINT64,
				       G_MAXUINT64, G_MAXUINT64, G_MAXUINT64};
	guint killed = 0;

	for (int number = 0; number < LAST; number++) {
		int status;
		gboolean dies = wanted(role, number, args) == SECCOMP_RET_KILL_PROCESS;

		/* These do what they are for, or wait. */
		if (number == SYS_exit || number == SYS_rt_sigreturn ||
		    number == SYS_restart_syscall || number == SYS_clone ||
#ifdef SYS_fork
		    number == SYS_fork || number == SYS_vfork ||
#endif
#ifdef __x86_64__
		    /* uretprobe and uprobe: the kernel asks no filter, and SIGILL is the answer to
		     * whoever calls them from elsewhere than a probe. */
		    number == 335 || number == 336 ||
#endif
		    FALSE)
			continue;
		status = try_number(role, number);
		if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) != dies)
			g_error("%s, call %d: wait status %#x, the table says it %s",
				pvs_role_name(role), number, (guint)status,
				dies ? "dies" : "does not");
		killed += dies;
	}
	g_test_message("%u of %d end the %s", killed, LAST, pvs_role_name(role));
	g_assert_cmpuint(killed, >, LAST / 2);
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

	for (guint i = 0; i < G_N_ELEMENTS(entries) * LAST; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			enter(*(const PvsRole *)data);
			entries[i / LAST](i % LAST);
			syscall(SYS_exit_group, 0);
		}
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			g_error("%s, call %u by %s: wait status %#x",
				pvs_role_name(*(const PvsRole *)data), i % LAST,
				i < LAST ? "x32" : "i386", (guint)status);
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

static void map_code(void)
{
	void *got = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_exit_group, got == MAP_FAILED);
}

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
#endif

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
		const struct {
			const char *what;
			GTestDataFunc test;
		} cases[] = {
			{"form", test_form},
			{"simulated", test_simulated},
			{"architectures", test_architectures},
			{"never", test_never},
#ifndef PVS_CAGE_LOG
			{"every-number", test_every_number},
#ifdef __x86_64__
			{"other-entries", test_other_entries},
#endif
			{"memory", test_memory},
			{"lazy", test_lazy},
			{"abort", test_abort},
			{"kill", test_kill},
#endif
		};

		for (guint c = 0; c < G_N_ELEMENTS(cases); c++) {
			g_autofree char *path = g_strdup_printf(
				"/syscalls/%s/%s", pvs_role_name(roles[i]), cases[c].what);

			g_test_add_data_func(path, &roles[i], cases[c].test);
		}
	}
#ifndef PVS_CAGE_LOG
	g_test_add_func("/syscalls/memory-setting", test_memory_setting);
#endif
	return g_test_run();
}
