/* SPDX-License-Identifier: MIT */
/*
 * syscalls.h - which system calls each process may make once its cage is on
 *
 * One table. What is in no row of a role's ends the process (SIGSYS), as does every call by another
 * architecture's entry (x32, i386 on x86-64). Arguments are compared for equality, whole or under a
 * mask, and in no other way. The filter is made here, a row after the other: libseccomp 2.5 has on
 * s390x every call of a socket allowed by socketcall(2) as well, where no argument can be looked
 * at.
 */
#pragma once

#include <sys/types.h>

#include "protocol/message.h"

typedef enum {
	PVS_SYSCALL_ALLOW,
	PVS_SYSCALL_FAIL, /* it fails with the row's errno: for what libraries merely try */
} PvsSyscallVerdict;

#define PVS_SYSCALL_CHECKS 2

/* Values that are known only when the cage is put on. */
#define PVS_SYSCALL_OWN_PID (G_MAXUINT64 - 1)
#define PVS_SYSCALL_PROGRAM (G_MAXUINT64 - 2) /* the descriptor of the daemon's own program */

typedef struct {
	guint8 argument; /* 0 to 5 */
	guint64 mask;	 /* (argument & mask) == value; a mask of 0: no check, and none behind it */
	guint64 value;
} PvsSyscallCheck;

typedef struct {
	int number;
	guint roles;
	PvsSyscallVerdict verdict;
	int error;
	PvsSyscallCheck checks[PVS_SYSCALL_CHECKS];
} PvsSyscallRow;

/* The table, for the tests. */
const PvsSyscallRow *pvs_syscalls(guint *n);

/* What the argument is compared with in a process whose program is open as @program (-1: is not).
 */
guint64 pvs_syscall_value(const PvsSyscallCheck *check, int program);

/* Puts the role's filter on every thread of this process, for good; @program as above.
 * PVS_ERROR_SYSTEM if that does not work. */
gboolean pvs_syscalls_confine(PvsRole role, int program, GError **error);

/* Writes the same filter to @fd as the kernel gets it (struct sock_filter). */
gboolean pvs_syscalls_export(PvsRole role, int program, int fd, GError **error);
