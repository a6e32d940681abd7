/* SPDX-License-Identifier: MIT */
/*
 * test-filter.c - each role's filter for system calls against the table, in a simulation
 *
 * The filter, as the kernel gets it, is run by a small interpreter (struct sock_filter, as
 * linux/filter.h has it) over random calls. It needs no kernel that has seccomp, so that it shows
 * the same of a machine that is emulated. PVS_FILTER_CALLS says how many, of each role.
 */
#include "tests/unit/syscall-table.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#else
#error "say what the architecture is called"
#endif

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

	g_assert_true(pvs_syscalls_export(role, PVS_TABLE_PROGRAM, fd, &error));
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

		value = pvs_syscall_value(check, PVS_TABLE_PROGRAM);
		if (g_rand_boolean(dice))
			value |= G_GUINT64_CONSTANT(1) << g_rand_int_range(dice, 0, 64);
		return value;
	}
	}
}

static void test_simulated(gconstpointer data)
{
	const char *calls = g_getenv("PVS_FILTER_CALLS");
	const guint n =
		calls ? (guint)CLAMP(g_ascii_strtoull(calls, NULL, 10), 1000, G_MAXINT32) : 1000000;
	PvsRole role = *(const PvsRole *)data;
	Filter f = filter_of(role);
	GRand *dice = g_rand_new_with_seed((guint32)g_test_rand_int());
	guint kinds[2] = {0};

	for (guint i = 0; i < n; i++) {
		struct seccomp_data call = {.arch = NATIVE};
		guint64 args[6];
		guint32 got;

		call.nr = g_rand_int_range(dice, 0, 20) ? g_rand_int_range(dice, 0, PVS_TABLE_LAST)
							: (int)(g_rand_int(dice) & 0x3fffffff);
		for (guint a = 0; a < 6; a++)
			call.args[a] = args[a] = some_argument(dice);
		got = run(&f, &call);
		if (got != pvs_table_verdict(role, call.nr, args))
			g_error("%s, call %d (%" G_GINT64_MODIFIER "x, %" G_GINT64_MODIFIER
				"x, %" G_GINT64_MODIFIER "x, ...): %#x, the table says %#x",
				pvs_role_name(role), call.nr, args[0], args[1], args[2], got,
				pvs_table_verdict(role, call.nr, args));
		kinds[got == SECCOMP_RET_ALLOW]++;
	}
	g_test_message("%u calls, of which %u pass", n, kinds[1]);
	g_assert_cmpuint(kinds[0], >, n / 10);
	g_assert_cmpuint(kinds[1], >, n / 100);
	g_rand_free(dice);
	g_free(f.code);
}

#ifdef PVS_CAGE_LOG
#define BEYOND SECCOMP_RET_LOG
#else
#define BEYOND SECCOMP_RET_KILL_PROCESS
#endif

/* Other architectures' entries, whatever the number. */
static void test_architectures(gconstpointer data)
{
	static const guint32 others[] = {AUDIT_ARCH_I386,  AUDIT_ARCH_X86_64,  AUDIT_ARCH_S390,
					 AUDIT_ARCH_S390X, AUDIT_ARCH_AARCH64, 0};
	Filter f = filter_of(*(const PvsRole *)data);

	for (guint i = 0; i < G_N_ELEMENTS(others); i++)
		for (int nr = 0; nr < PVS_TABLE_LAST && others[i] != NATIVE; nr++) {
			struct seccomp_data call = {.arch = others[i], .nr = nr};

			g_assert_cmphex(run(&f, &call), ==, SECCOMP_RET_KILL_PROCESS);
		}
#ifdef __x86_64__
	for (int nr = 0; nr < 0x400; nr++) {
		struct seccomp_data x32 = {.arch = NATIVE, .nr = 0x40000000 | nr};

		g_assert_cmphex(run(&f, &x32), ==, BEYOND);
	}
#endif
	g_free(f.code);
}

/* Small, and without an ordered comparison. */
static void test_form(gconstpointer data)
{
	Filter f = filter_of(*(const PvsRole *)data);
	guint n;
	const PvsSyscallRow *rows = pvs_syscalls(&n);

	/* A value that the mask covers in part would never fit. */
	for (guint i = 0; i < n; i++)
		for (guint c = 0; c < PVS_SYSCALL_CHECKS; c++)
			g_assert_cmphex(pvs_syscall_value(&rows[i].checks[c], PVS_TABLE_PROGRAM) &
						~rows[i].checks[c].mask,
					==, 0);
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
	SYS_accept4,
	SYS_kill,
	SYS_prctl,
	SYS_seccomp,
	SYS_prlimit64,
	SYS_unlink,
	SYS_unlinkat,
	SYS_getdents64,
	SYS_dup2,
	SYS_setsockopt,
	SYS_wait4,
	SYS_munlockall,
	SYS_munlock,

#ifdef SYS_accept
	SYS_accept,
#endif
#ifdef SYS_memfd_secret
	SYS_memfd_secret,
#endif
};

/* With the arguments that are most likely to fit some row. */
static void test_never(gconstpointer data)
{
	static const guint64 values[] = {0, 1, 2, PVS_TABLE_PROGRAM, 0x1000, G_MAXUINT64};
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

int main(int argc, char **argv)
{
	static const struct {
		const char *what;
		GTestDataFunc test;
	} cases[] = {
		{"form", test_form},
		{"simulated", test_simulated},
		{"architectures", test_architectures},
		{"never", test_never},
	};

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < PVS_TABLE_ROLES; i++)
		for (guint c = 0; c < G_N_ELEMENTS(cases); c++) {
			g_autofree char *path = g_strdup_printf(
				"/filter/%s/%s", pvs_role_name(pvs_table_roles[i]), cases[c].what);

			g_test_add_data_func(path, &pvs_table_roles[i], cases[c].test);
		}
	return g_test_run();
}
