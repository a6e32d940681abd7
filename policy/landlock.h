/* SPDX-License-Identifier: MIT */
/*
 * landlock.h - which files a process may still open by name
 */
#pragma once

#include "protocol/message.h"

typedef enum {
	PVS_PATH_READ,	  /* a file, or all below a directory */
	PVS_PATH_EXECUTE, /* and to execute what is there */
	PVS_PATH_WRITE,	  /* and to make, change and remove files */
} PvsPathAccess;

typedef struct {
	const char *path; /* what does not exist is left out; NULL: what @fd is open on */
	PvsPathAccess access;
	int fd;
} PvsPathRule;

/* What the kernel can do: 0 where it has no Landlock, -1 with errno where it may not be asked. */
int pvs_landlock_abi(void);

/* From now on this thread, and those that it starts, may open nothing by name but by one of the @n
 * rules; what is open stays open. Nothing happens where the kernel has no Landlock.
 * PVS_ERROR_SYSTEM if it does not work, or is forbidden. @abi: the
 * rights of this version at most, for tests; INT_MAX: what the kernel has. */
gboolean pvs_landlock_confine(const PvsPathRule *rules, guint n, int abi, GError **error);
