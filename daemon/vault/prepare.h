/* SPDX-License-Identifier: MIT */
/*
 * prepare.h - what the vault does once, before its cage is on
 */
#pragma once

#include "daemon/vault/look.h"

/* Bytes of secrets that clients gave, waiting or being built, that the arena has room for. */
#define PVS_PREPARE_WAITING (96 * 1024)

/* A first request, for what is lazy: in the process, and in every thread that builds. */
gboolean pvs_prepare_building(GError **error);

/* The same for looking at host keys, with each algorithm; nothing is signed by it. */
void pvs_prepare_looking(const PvsLook *look);

/* How many requests may be built at a time: as many as there are processors, if the arena has room
 * beside @n_ccks keys. PVS_ERROR_CONFIG if it has room for none. */
gboolean pvs_prepare_threads(guint n_ccks, guint *threads, GError **error);

/* Keys are in the arena; this keeps what is around them (stacks, the heap) from the swap as well,
 * where the limit allows it. The kernel compares all that is mapped with the limit. Under a limit
 * that is lower for the moment, it refuses now what would leave no room for the heap to grow: with
 * MCL_FUTURE, mmap() would fail in the middle of a call. (How much is mapped is not read in /proc,
 * which is out of reach.) */
void pvs_prepare_memory(void);
