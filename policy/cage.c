/* SPDX-License-Identifier: MIT */
/*
 * cage.c - what a process gives up before it reads a byte from anybody
 */
#include "policy/cage.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "policy/syscalls.h"
#include "protocol/error.h"

/* The address sanitizer maps terabytes of shadow memory, valgrind some hundred megabytes; and leaks
 * are looked for by a process of the sanitizer's own, at the end. */
#ifdef PVS_CAGE_LOG
#define LIMIT(value) RLIM_INFINITY
#else
#define LIMIT(value) ((rlim_t)(value))
#endif

typedef struct {
	PvsRole role;
	const char *name;   /* as ps(1) shows it, at most 15 bytes */
	rlim_t descriptors; /* a front: its identity's connections; the others: a channel a front */
	rlim_t address_space; /* bytes */
	rlim_t processes;     /* what it may still start; the vault starts its threads */
} Limits;

static const Limits limits[] = {
	{PVS_ROLE_MONITOR, "pvsecretd", 4096, RLIM_INFINITY, RLIM_INFINITY},
	{PVS_ROLE_FRONT, "pvsecretd-front", 2048, LIMIT(256 * 1024 * 1024), LIMIT(0)},
	{PVS_ROLE_TRUST, "pvsecretd-trust", 1024, LIMIT(512 * 1024 * 1024), LIMIT(0)},
	{PVS_ROLE_VAULT, "pvsecretd-vault", 1024, RLIM_INFINITY, RLIM_INFINITY},
};

static gboolean failed(GError **error, const char *what)
{
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: %s", what, g_strerror(errno));
	return FALSE;
}

/* Lowers a limit; one that is lower already stays. */
static gboolean limit(int resource, rlim_t value, const char *what, GError **error)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return failed(error, what);
	if (value != RLIM_INFINITY && (now.rlim_max == RLIM_INFINITY || now.rlim_max > value))
		now.rlim_max = value;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(resource, &now) < 0)
		return failed(error, what);
	return TRUE;
}

gboolean role_begin(PvsRole role, GError **error)
{
	const Limits *row = limits;

	while (row->role != role)
		row++;

	/* First of all: until this is off, another process of the same user may read our memory. It
	 * is on again after every execve() of a program that this user may read; the daemon is
	 * installed so that he may not, and what the loader does before this is out of reach too.
	 */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_GET_DUMPABLE) != 0)
		return failed(error, "cannot forbid core dumps and tracing (PR_SET_DUMPABLE)");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(error, "cannot give up new privileges (PR_SET_NO_NEW_PRIVS)");
	/* A worker never outlives the monitor, even one that is killed. */
	if (role != PVS_ROLE_MONITOR && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return failed(error, "cannot be tied to the monitor (PR_SET_PDEATHSIG)");
	(void)prctl(PR_SET_NAME, row->name); /* for ps(1) alone */

	/* One byte, which is none: to no limit but 1 does the kernel listen where core_pattern is a
	 * pipe (core(5) does not say it; do_coredump() does). Children have it from before their
	 * execve(), when they can be dumped again. */
	return limit(RLIMIT_CORE, 1, "cannot set RLIMIT_CORE", error) &&
	       limit(RLIMIT_NOFILE, row->descriptors, "cannot set RLIMIT_NOFILE", error) &&
	       limit(RLIMIT_AS, row->address_space, "cannot set RLIMIT_AS", error) &&
	       limit(RLIMIT_NPROC, row->processes, "cannot set RLIMIT_NPROC", error);
}

#ifdef PVS_CAGE_LOG
#define MODE "log"
#else
#define MODE "kill"
#endif

const char *role_cage_mode(void)
{
	return MODE;
}

#ifndef PVS_CAGE_LOG
/* No memory becomes executable that was not, whichever call it is asked of: besides the filter, and
 * instead of it where that does not see the arguments of mmap(). Since Linux 6.3. */
static gboolean refuse_executable(GError **error)
{
	enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 };

	return prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) == 0 || errno == EINVAL ||
	       failed(error, "cannot forbid executable memory (PR_SET_MDWE)");
}
#endif

gboolean role_enter_thread(GError **error)
{
#ifdef PVS_CAGE_LOG
	(void)error;
	return TRUE;
#else
	return pvs_landlock_confine(NULL, 0, INT_MAX, error);
#endif
}

gboolean role_enter(PvsRole role, const PvsPathRule *rules, guint n, GError **error)
{
	int program = -1;

	for (guint i = 0; i < n; i++)
		if (!rules[i].path)
			program = rules[i].fd;
#ifndef PVS_CAGE_LOG
	/* Not where calls are only logged: a sanitizer opens files when it has something to say,
	 * and valgrind makes the code that it runs. */
	if (!refuse_executable(error) || !pvs_landlock_confine(rules, n, INT_MAX, error))
		return FALSE;
#endif
#if defined(__SANITIZE_ADDRESS__)
	/* What it does at the end a filter would have fail; and it has all of them be heard. */
	(void)role;
	(void)program;
	return TRUE;
#else
	return pvs_syscalls_confine(role, program, error);
#endif
}
