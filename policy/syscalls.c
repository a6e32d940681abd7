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
#include <signal.h>
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
	ALLOW(arch_prctl, M),
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

static int add(scmp_filter_ctx ctx, const PvsSyscallRow *row, int program)
{
	guint32 action = row->verdict == PVS_SYSCALL_ALLOW ? SCMP_ACT_ALLOW
							   : SCMP_ACT_ERRNO((guint16)row->error);
	struct scmp_arg_cmp checks[PVS_SYSCALL_CHECKS];
	guint n = 0;

	for (; n < PVS_SYSCALL_CHECKS && row->checks[n].mask; n++)
		checks[n] = (struct scmp_arg_cmp){row->checks[n].argument, SCMP_CMP_MASKED_EQ,
						  row->checks[n].mask,
						  pvs_syscall_value(&row->checks[n], program)};
	return seccomp_rule_add_array(ctx, action, row->number, n, checks);
}

static scmp_filter_ctx filter_of(PvsRole role, int program, int *status)
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
			*status = add(ctx, &rows[i], program);
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

gboolean pvs_syscalls_confine(PvsRole role, int program, GError **error)
{
	int status;
	scmp_filter_ctx ctx = filter_of(role, program, &status);

	if (!ctx)
		return failed(error, "cannot make the filter for system calls", status);
	status = seccomp_load(ctx);
	seccomp_release(ctx);
	return status == 0 ||
	       failed(error, "cannot put on the filter for system calls (seccomp)", status);
}

gboolean pvs_syscalls_export(PvsRole role, int program, int fd, GError **error)
{
	int status;
	scmp_filter_ctx ctx = filter_of(role, program, &status);

	if (!ctx)
		return failed(error, "cannot make the filter for system calls", status);
	status = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	return status == 0 || failed(error, "cannot export the filter for system calls", status);
}
