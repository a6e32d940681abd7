/* SPDX-License-Identifier: MIT */
/*
 * syscall-table.c - the table of system calls, read for tests by a few lines of their own
 */
#include "tests/unit/syscall-table.h"

#include <linux/seccomp.h>

const PvsRole pvs_table_roles[PVS_TABLE_ROLES] = {PVS_ROLE_MONITOR, PVS_ROLE_FRONT, PVS_ROLE_TRUST,
						  PVS_ROLE_VAULT};

static gboolean fits(const PvsSyscallRow *row, const guint64 *args)
{
	for (guint i = 0; i < PVS_SYSCALL_CHECKS && row->checks[i].mask; i++)
		if ((args[row->checks[i].argument] & row->checks[i].mask) !=
		    pvs_syscall_value(&row->checks[i], PVS_TABLE_PROGRAM))
			return FALSE;
	return TRUE;
}

guint32 pvs_table_verdict(PvsRole role, int number, const guint64 *args)
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
