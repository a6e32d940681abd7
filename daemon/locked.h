/* SPDX-License-Identifier: MIT */
/*
 * locked.h - the memory that key bytes may stand in
 *
 * One arena for each process, mapped and locked before anything is loaded: memfd_secret(2) where
 * the kernel has it, else anonymous memory under mlock(2); left out of core dumps and of forks. It
 * never grows: what does not fit fails, it never spills into ordinary memory. Thread-safe.
 */
#pragma once

#include <glib.h>

#define PVS_LOCKED_MAX (1024 * 1024) /* bytes; the largest arena */

/* Maps and locks an arena of @size bytes (at most PVS_LOCKED_MAX). Once for each process, before
 * the first allocation. Fails where the memory cannot be locked: the daemon does not start then. */
gboolean pvs_locked_init(gsize size, GError **error);

/* "memfd_secret" or "mlock"; NULL before pvs_locked_init(). */
const char *pvs_locked_kind(void);

/* Bytes of the arena: what pvs_locked_init() was given, in whole pages. */
gsize pvs_locked_size(void);

/* @size zeroed bytes, aligned to 16; NULL if the arena has no room. */
void *pvs_locked_alloc(gsize size);

/* Wipes and frees; NULL is allowed. Aborts for a pointer that the arena did not hand out. */
void pvs_locked_free(void *memory);

/* TRUE if @memory points into the arena. */
gboolean pvs_locked_owns(const void *memory);

/* Bytes in use now, heads of chunks included, and the most there ever were. */
gsize pvs_locked_used(void);
gsize pvs_locked_peak(void);

/* Has OpenSSL take all its memory from the arena. Before the first call of OpenSSL in the process.
 */
gboolean pvs_locked_openssl(GError **error);

/* A key or a secret: a fixed number of bytes in the arena. There is no way to print one. */
typedef struct {
	gsize size;
	guint8 bytes[];
} PvsSecret;

/* NULL if the arena has no room. */
PvsSecret *pvs_secret_new(gsize size);
void pvs_secret_free(PvsSecret *secret); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsSecret, pvs_secret_free)
