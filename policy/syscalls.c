/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - which system calls each process may make once its cage is on
 */
#include "policy/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/error.h"

#define M   PVS_ROLE_MONITOR
#define F   PVS_ROLE_FRONT
#define T   PVS_ROLE_TRUST
#define V   PVS_ROLE_VAULT
#define W   (F | T | V)
#define ALL (M | W)

#define WHOLE G_MAXUINT64
/* The arguments of most calls are ints, of which the kernel looks at the lower half alone. */
#define INT G_MAXUINT32

#define ALLOW(name, roles)                                   \
	{                                                    \
		SCMP_SYS(name), roles, PVS_SYSCALL_ALLOW, 0, \
		{                                            \
			{                                    \
				0, 0, 0                      \
			}                                    \
		}                                            \
	}
#define IF(name, roles, ...)                                 \
	{                                                    \
		SCMP_SYS(name), roles, PVS_SYSCALL_ALLOW, 0, \
		{                                            \
			__VA_ARGS__                          \
		}                                            \
	}
#define FAIL(name, roles, error)                                \
	{                                                       \
		SCMP_SYS(name), roles, PVS_SYSCALL_FAIL, error, \
		{                                               \
			{                                       \
				0, 0, 0                         \
			}                                       \
		}                                               \
	}

/* clang-format off */
static const PvsSyscallRow rows[] = {
	/* Memory, never to be executed. The monitor's children load their libraries in its cage. */
	ALLOW(brk, ALL),
	IF(mmap, W, {2, PROT_EXEC, 0}),
	IF(mprotect, W, {2, PROT_EXEC, 0}),
	ALLOW(mmap, M),
	ALLOW(mprotect, M),
	ALLOW(munmap, ALL),
	ALLOW(mremap, ALL),
	ALLOW(madvise, ALL),

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
	IF(futex, ALL, {1, FUTEX_CMD_MASK, FUTEX_REQUEUE}),
	IF(futex, ALL, {1, FUTEX_CMD_MASK, FUTEX_CMP_REQUEUE}),
	ALLOW(sched_yield, ALL),

	/* The audit log, which the monitor opened. */
	ALLOW(lseek, V),
	ALLOW(pread64, V),
	ALLOW(ftruncate, V),
	ALLOW(fdatasync, V),
	ALLOW(flock, V),

	/* Time and chance. */
	ALLOW(clock_gettime, ALL),
	ALLOW(gettimeofday, ALL),
	ALLOW(time, ALL),
	ALLOW(getrandom, ALL),
	ALLOW(getpid, ALL),
	ALLOW(gettid, ALL),

	/* Ending, by abort() as well. */
	ALLOW(exit, ALL),
	ALLOW(exit_group, ALL),
	ALLOW(rt_sigreturn, ALL),
	ALLOW(rt_sigprocmask, ALL),
	ALLOW(rt_sigaction, ALL),
	ALLOW(tgkill, ALL),

	/* Tried by the C library, which can do without. */
	FAIL(clone3, ALL, ENOSYS),
	FAIL(statx, W, ENOSYS),
	FAIL(openat, W, EACCES),
	FAIL(rseq, W, ENOSYS),
	FAIL(membarrier, ALL, ENOSYS),
	FAIL(prctl, W, EPERM), /* malloc() names its memory where the kernel is able to */
	FAIL(set_robust_list, W, ENOSYS),

	/* The monitor: connections, whose they are, its children. */
	IF(accept4, M, {3, INT, SOCK_CLOEXEC | SOCK_NONBLOCK}),
	IF(getsockopt, M, {1, INT, SOL_SOCKET}),
	IF(socketpair, M, {0, INT, AF_UNIX}),
	ALLOW(wait4, M),
	ALLOW(kill, M),
	ALLOW(clone, M),
	ALLOW(fork, M),
	ALLOW(vfork, M),
	IF(execveat, M, {4, INT, AT_EMPTY_PATH}),
	/* For the names of users, systemd's service is asked where there is one: there is none. */
	FAIL(socket, M, EAFNOSUPPORT),
	FAIL(connect, M, EACCES),

	/* The monitor's, and its children's between their start and their own cage: files (Landlock
	 * says which), what the loader and the libraries do, the cage itself. */
	ALLOW(open, M),
	ALLOW(openat, M),
	ALLOW(fstat, M),
	ALLOW(stat, M),
	ALLOW(lstat, M),
	ALLOW(newfstatat, M),
	ALLOW(statx, M),
	ALLOW(fstatfs, M),
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
	ALLOW(unlinkat, M),
	ALLOW(fsync, M),
	ALLOW(fdatasync, M),
	ALLOW(ftruncate, M),
	ALLOW(fallocate, M),
	ALLOW(flock, M),
	ALLOW(fchmod, M),
	ALLOW(ioctl, M),
	ALLOW(writev, M),
	ALLOW(dup, M),
	ALLOW(dup2, M),
	ALLOW(dup3, M),
	ALLOW(close_range, M),
	ALLOW(pipe2, M),
	ALLOW(eventfd2, M),
	ALLOW(signalfd4, M),
	ALLOW(getsockname, M),
	ALLOW(getpeername, M),
	ALLOW(setsockopt, M),
	ALLOW(getuid, M),
	ALLOW(geteuid, M),
	ALLOW(getgid, M),
	ALLOW(getegid, M),
	ALLOW(getgroups, M),
	ALLOW(getppid, M),
	ALLOW(uname, M),
	ALLOW(sysinfo, M),
	ALLOW(umask, M),
	ALLOW(getcwd, M),
	ALLOW(prctl, M),
	ALLOW(arch_prctl, M),
	ALLOW(set_tid_address, M),
	ALLOW(set_robust_list, M),
	ALLOW(rseq, M),
	ALLOW(sigaltstack, M),
	ALLOW(rt_sigtimedwait, M),
	ALLOW(getrlimit, M),
	ALLOW(setrlimit, M),
	ALLOW(prlimit64, M),
	ALLOW(sched_getaffinity, M),
	ALLOW(clock_getres, M),
	ALLOW(nanosleep, M),
	ALLOW(clock_nanosleep, M),
	ALLOW(mlock, M),
	ALLOW(mlock2, M),
	ALLOW(munlock, M),
	ALLOW(mlockall, M),
	ALLOW(munlockall, M),
	ALLOW(memfd_secret, M),
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
#define BEYOND SCMP_ACT_LOG
#else
#define BEYOND SCMP_ACT_KILL_PROCESS
#endif

static int add(scmp_filter_ctx ctx, const PvsSyscallRow *row)
{
	guint32 action = row->verdict == PVS_SYSCALL_ALLOW ? SCMP_ACT_ALLOW
							   : SCMP_ACT_ERRNO((guint16)row->error);
	struct scmp_arg_cmp checks[PVS_SYSCALL_CHECKS];
	guint n = 0;

	for (; n < PVS_SYSCALL_CHECKS && row->checks[n].mask; n++)
		checks[n] = (struct scmp_arg_cmp){row->checks[n].argument, SCMP_CMP_MASKED_EQ,
						  row->checks[n].mask, row->checks[n].value};
	return seccomp_rule_add_array(ctx, action, row->number, n, checks);
}

static scmp_filter_ctx filter_of(PvsRole role, int *status)
{
	scmp_filter_ctx ctx = seccomp_init(BEYOND);

	*status = -ENOMEM;
	if (!ctx)
		return NULL;
	*status = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (*status == 0)
		*status = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	for (guint i = 0; *status == 0 && i < G_N_ELEMENTS(rows); i++)
		if ((rows[i].roles & role) && rows[i].number >= 0)
			*status = add(ctx, &rows[i]);
	if (*status == 0)
		return ctx;
	seccomp_release(ctx);
	return NULL;
}

static gboolean failed(GError **error, const char *what, int status)
{
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: %s", what, g_strerror(-status));
	return FALSE;
}

gboolean pvs_syscalls_confine(PvsRole role, GError **error)
{
	int status;
	scmp_filter_ctx ctx = filter_of(role, &status);

	if (!ctx)
		return failed(error, "cannot make the filter for system calls", status);
	status = seccomp_load(ctx);
	seccomp_release(ctx);
	return status == 0 ||
	       failed(error, "cannot put on the filter for system calls (seccomp)", status);
}

gboolean pvs_syscalls_export(PvsRole role, int fd, GError **error)
{
	int status;
	scmp_filter_ctx ctx = filter_of(role, &status);

	if (!ctx)
		return failed(error, "cannot make the filter for system calls", status);
	status = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	return status == 0 || failed(error, "cannot export the filter for system calls", status);
}
