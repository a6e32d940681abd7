/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - which system calls each process may make once its cage is on
 */
#include "policy/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/error.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#else
#error "the system calls of this architecture were not looked at"
#endif

#define M   PVS_ROLE_MONITOR
#define F   PVS_ROLE_FRONT
#define T   PVS_ROLE_TRUST
#define V   PVS_ROLE_VAULT
#define W   (F | T | V)
#define ALL (M | W)

#define WHOLE G_MAXUINT64
/* The arguments of most calls are ints, of which the kernel looks at the lower half alone. */
#define INT G_MAXUINT32

#define ALLOW(name, roles)                               \
	{                                                \
		SYS_##name, roles, PVS_SYSCALL_ALLOW, 0, \
		{                                        \
			{                                \
				0, 0, 0                  \
			}                                \
		}                                        \
	}
#define IF(name, roles, ...)                             \
	{                                                \
		SYS_##name, roles, PVS_SYSCALL_ALLOW, 0, \
		{                                        \
			__VA_ARGS__                      \
		}                                        \
	}
#define FAIL(name, roles, error)                            \
	{                                                   \
		SYS_##name, roles, PVS_SYSCALL_FAIL, error, \
		{                                           \
			{                                   \
				0, 0, 0                     \
			}                                   \
		}                                           \
	}

/* Flags of fork() and of pthread_create() in the C library, and which argument they are. */
#define FORK (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD)
#define THREAD                                                                              \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#ifdef __s390x__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/* clang-format off */
static const PvsSyscallRow rows[] = {
	/* Memory, never to be executed; but the monitor's children load their libraries in its
	 * cage: from files, and not to be written. */
	ALLOW(brk, ALL),
#ifdef __s390x__
	/* Its arguments are in memory, where no filter sees them (mmap(2), as for i386): there it is
	 * PR_SET_MDWE alone that stands against executable memory. */
	ALLOW(mmap, ALL),
#else
	IF(mmap, ALL, {2, PROT_EXEC, 0}),
	IF(mmap, M, {2, WHOLE, PROT_READ | PROT_EXEC}, {3, MAP_ANONYMOUS, 0}),
#endif
	IF(mprotect, ALL, {2, PROT_EXEC, 0}),
	ALLOW(munmap, ALL),
	ALLOW(mremap, ALL),
	IF(madvise, W, {2, INT, MADV_DONTNEED}),
	IF(madvise, W, {2, INT, MADV_FREE}),
	ALLOW(madvise, M),

	/* The loop: what is open already. */
	ALLOW(read, ALL),
	ALLOW(write, ALL),
	ALLOW(close, ALL),
	ALLOW(poll, ALL),
	ALLOW(ppoll, ALL),
	ALLOW(restart_syscall, ALL),
	ALLOW(recvmsg, ALL),
	ALLOW(sendmsg, ALL),
	ALLOW(recvfrom, F | M),
	/* Not to an address: what is sent goes where the socket is connected to. */
	IF(sendto, F | M, {4, WHOLE, 0}),
	ALLOW(shutdown, F | M),
	IF(fcntl, W, {1, INT, F_DUPFD_CLOEXEC}),
	IF(fcntl, W, {1, INT, F_GETFL}),
	IF(fcntl, W, {1, INT, F_SETFL}),
	ALLOW(fcntl, M),

	/* Threads that are there wake each other. */
	IF(futex, ALL, {1, FUTEX_CMD_MASK, FUTEX_WAIT}),
	IF(futex, ALL, {1, FUTEX_CMD_MASK, FUTEX_WAKE}),
	IF(futex, ALL, {1, FUTEX_CMD_MASK, FUTEX_WAIT_BITSET}),
	IF(futex, ALL, {1, FUTEX_CMD_MASK, FUTEX_WAKE_BITSET}),
	ALLOW(sched_yield, ALL),

	/* The audit log and the marks of CRLs, which the monitor opened. */
	ALLOW(lseek, V),
	ALLOW(pread64, V | T),
	ALLOW(ftruncate, V),
	ALLOW(fdatasync, V | T),
	ALLOW(flock, V),

	/* Time and chance. */
	ALLOW(clock_gettime, ALL),
	ALLOW(gettimeofday, ALL),
#ifdef __x86_64__
	ALLOW(time, ALL),
#endif
	ALLOW(getrandom, ALL),
	ALLOW(getpid, ALL),
	ALLOW(getppid, ALL),
	ALLOW(gettid, ALL),

	/* Ending, by abort() as well. */
	ALLOW(exit, ALL),
	ALLOW(exit_group, ALL),
	ALLOW(rt_sigreturn, ALL),
	ALLOW(rt_sigprocmask, ALL),
	IF(rt_sigaction, W, {0, INT, SIGABRT}),
	ALLOW(rt_sigaction, M),
	IF(tgkill, W, {0, INT, PVS_SYSCALL_OWN_PID}),
	ALLOW(tgkill, M),

	/* Tried by libraries, which can do without, and what their next version may try: nobody
	 * gains by a call that fails, and nothing is lost. qsort() asks for the size of the memory,
	 * what writes to a stream whether it is a terminal. */
	FAIL(clone3, ALL, ENOSYS),
	FAIL(openat, W, EACCES),
	FAIL(newfstatat, W, EACCES),
	FAIL(fstat, W, EACCES),
	FAIL(statx, W, ENOSYS),
	FAIL(access, W, EACCES),
	FAIL(faccessat2, W, EACCES),
	FAIL(readlink, W, EACCES),
	FAIL(readlinkat, W, EACCES),
	FAIL(ioctl, ALL, ENOTTY),
	FAIL(sysinfo, W, ENOSYS),
	FAIL(sched_getaffinity, W, ENOSYS),
	FAIL(rseq, W, ENOSYS),
	FAIL(membarrier, ALL, ENOSYS),
	FAIL(prctl, W, EPERM), /* malloc() names its memory where the kernel is able to */
	FAIL(set_robust_list, W, ENOSYS),

	/* The monitor: connections, whose they are, its children. */
	IF(accept4, M, {3, INT, SOCK_CLOEXEC | SOCK_NONBLOCK}),
	IF(getsockopt, M, {1, INT, SOL_SOCKET}),
	IF(socketpair, M, {0, INT, AF_UNIX}),
	ALLOW(wait4, M),
	IF(kill, M, {1, INT, SIGKILL}),
	IF(clone, M, {CLONE_FLAGS, INT, FORK}),
	IF(clone, M, {CLONE_FLAGS, INT, THREAD}), /* the vault's */
	IF(execveat, M, {0, INT, PVS_SYSCALL_PROGRAM}, {4, INT, AT_EMPTY_PATH}),
	/* For the names of users, systemd's service is asked where there is one: there is none. */
	FAIL(socket, M, EAFNOSUPPORT),
	FAIL(connect, M, EACCES),

	/* The monitor's, and its children's between their start and their own cage: files (Landlock
	 * says which), what the loader and the libraries do, the cage itself. */
	ALLOW(openat, M),
	ALLOW(fstat, M),
	ALLOW(newfstatat, M),
	ALLOW(statx, M),
	ALLOW(statfs, M),
	ALLOW(access, M),
	ALLOW(faccessat, M),
	ALLOW(faccessat2, M),
	ALLOW(readlink, M),
	ALLOW(readlinkat, M),
	ALLOW(getdents64, M),
	ALLOW(lseek, M),
	ALLOW(pread64, M),
	ALLOW(unlink, M),
	ALLOW(fdatasync, M),
	ALLOW(ftruncate, M),
	ALLOW(flock, M),
	ALLOW(writev, M),
	ALLOW(dup2, M),
	ALLOW(close_range, M),
	ALLOW(eventfd2, M),
	ALLOW(getuid, M),
	ALLOW(geteuid, M),
	ALLOW(getgid, M),
	ALLOW(getegid, M),
	ALLOW(getgroups, M),
	ALLOW(uname, M),
	ALLOW(sysinfo, M),
	ALLOW(getcwd, M),
	ALLOW(prctl, M),
#ifdef __x86_64__
	ALLOW(arch_prctl, M),
#endif
	ALLOW(set_tid_address, M),
	ALLOW(set_robust_list, M),
	ALLOW(rseq, M),
	ALLOW(getrlimit, M),
	ALLOW(setrlimit, M),
	ALLOW(prlimit64, M),
	ALLOW(sched_getaffinity, M),
	ALLOW(mlock, M),
	ALLOW(mlock2, M),
	ALLOW(mlockall, M),
#ifdef SYS_memfd_secret /* no row, where the kernel's headers do not have it: nobody calls it */
	ALLOW(memfd_secret, M),
#endif
	ALLOW(seccomp, M),
	ALLOW(landlock_create_ruleset, M),
	ALLOW(landlock_add_rule, M),
	ALLOW(landlock_restrict_self, M),
	FAIL(capget, M, EPERM),
};
/* clang-format on */

const PvsSyscallRow *pvs_syscalls(guint *n)
{
	*n = G_N_ELEMENTS(rows);
	return rows;
}

#ifdef PVS_CAGE_LOG
#define BEYOND SECCOMP_RET_LOG
#else
#define BEYOND SECCOMP_RET_KILL_PROCESS
#endif

guint64 pvs_syscall_value(const PvsSyscallCheck *check, int program)
{
	switch (check->value) {
	case PVS_SYSCALL_OWN_PID:
		return (guint64)getpid();
	case PVS_SYSCALL_PROGRAM:
		return (guint32)program;
	default:
		return check->value;
	}
}

/* ---- the filter: struct sock_filter, as in the kernel's networking/filter ---- */

static void emit(GArray *code, guint16 operation, guint32 k)
{
	struct sock_filter instruction = {.code = operation, .k = k};

	g_array_append_val(code, instruction);
}

static void load(GArray *code, gsize offset)
{
	emit(code, BPF_LD | BPF_W | BPF_ABS, (guint32)offset);
}

/* Goes on where what was loaded is @k; else to where land() will say. */
static void go_on_if(GArray *code, guint32 k)
{
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, k);
}

/* Every go_on_if() from @from on leads here otherwise. */
static void land(GArray *code, guint from)
{
	for (guint at = from; at < code->len; at++) {
		struct sock_filter *i = &g_array_index(code, struct sock_filter, at);

		if (i->code == (BPF_JMP | BPF_JEQ | BPF_K) && i->jf == 0)
			i->jf = (guint8)(code->len - at - 1);
	}
}

/* One half of an argument; a filter has registers of 32 bits. */
static void compare_half(GArray *code, gsize offset, guint32 mask, guint32 value)
{
	if (mask == 0)
		return;
	load(code, offset);
	if (mask != G_MAXUINT32)
		emit(code, BPF_ALU | BPF_AND | BPF_K, mask);
	go_on_if(code, value);
}

static void compare(GArray *code, const PvsSyscallCheck *check, guint64 value)
{
	const gsize argument =
		offsetof(struct seccomp_data, args) + check->argument * sizeof(guint64);
	const gsize low = argument + (G_BYTE_ORDER == G_BIG_ENDIAN ? sizeof(guint32) : 0);
	const gsize high = argument + (G_BYTE_ORDER == G_BIG_ENDIAN ? 0 : sizeof(guint32));

	compare_half(code, low, (guint32)check->mask, (guint32)value);
	compare_half(code, high, (guint32)(check->mask >> 32), (guint32)(value >> 32));
}

/* The number is loaded before and behind each row. */
static void add(GArray *code, const PvsSyscallRow *row, int program)
{
	const guint32 verdict = row->verdict == PVS_SYSCALL_ALLOW
					? SECCOMP_RET_ALLOW
					: SECCOMP_RET_ERRNO | (guint32)row->error;
	guint from = code->len;
	guint compared;

	go_on_if(code, (guint32)row->number);
	compared = code->len;
	for (guint i = 0; i < PVS_SYSCALL_CHECKS && row->checks[i].mask; i++)
		compare(code, &row->checks[i], pvs_syscall_value(&row->checks[i], program));
	emit(code, BPF_RET | BPF_K, verdict);
	if (code->len > compared + 1) {
		land(code, compared);
		load(code, offsetof(struct seccomp_data, nr));
	}
	land(code, from);
}

/* By equality alone: a number of x32's is equal to none of ours, and so beyond them all. */
static GArray *filter_of(PvsRole role, int program)
{
	GArray *code = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));

	load(code, offsetof(struct seccomp_data, arch));
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, NATIVE);
	g_array_index(code, struct sock_filter, 1).jt = 1; /* over the end of all others */
	emit(code, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	load(code, offsetof(struct seccomp_data, nr));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].roles & role)
			add(code, &rows[i], program);
	emit(code, BPF_RET | BPF_K, BEYOND);
	return code;
}

static gboolean failed(GError **error, const char *what)
{
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: %s", what, g_strerror(errno));
	return FALSE;
}

gboolean pvs_syscalls_confine(PvsRole role, int program, GError **error)
{
	g_autoptr(GArray) code = filter_of(role, program);
	struct sock_fprog filter = {
		.len = (unsigned short)code->len,
		.filter = &g_array_index(code, struct sock_filter, 0),
	};
	long result =
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);

	if (result > 0)
		errno = EBUSY; /* a thread that has a filter of its own; it is that one's number */
#ifdef PVS_CAGE_LOG
	if (result < 0 && errno == ENOSYS)
		return TRUE; /* valgrind does not know the call */
#endif
	return result == 0 || failed(error, "cannot put on the filter for system calls (seccomp)");
}

gboolean pvs_syscalls_export(PvsRole role, int program, int fd, GError **error)
{
	g_autoptr(GArray) code = filter_of(role, program);
	gsize size = code->len * sizeof(struct sock_filter);

	return write(fd, code->data, size) == (gssize)size ||
	       failed(error, "cannot export the filter for system calls");
}
