/* SPDX-License-Identifier: MIT */
/*
 * memory-scan.h - does a secret stand anywhere outside of the arena?
 */
#pragma once

#include "daemon/locked.h"

/* FALSE under a sanitizer, whose shadow memory has terabytes. */
gboolean pvs_memory_can_scan(void);

/* How often the bytes of @needle stand in the writable memory of this process: heap, stacks of all
 * threads, data; not the arena itself. */
guint pvs_memory_scan(const PvsSecret *needle);
