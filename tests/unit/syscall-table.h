/* SPDX-License-Identifier: MIT */
/*
 * syscall-table.h - the table of system calls, read for tests by a few lines of their own
 */
#pragma once

#include "policy/syscalls.h"

#define PVS_TABLE_LAST	  512 /* numbers of system calls are below it */
#define PVS_TABLE_PROGRAM 17  /* what the daemon's own program would be open as */
#define PVS_TABLE_ROLES	  4

extern const PvsRole pvs_table_roles[PVS_TABLE_ROLES];

/* What a filter shall return for the call (SECCOMP_RET_...); @args are six. */
guint32 pvs_table_verdict(PvsRole role, int number, const guint64 *args);
