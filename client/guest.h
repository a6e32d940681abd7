/* SPDX-License-Identifier: MIT */
/*
 * guest.h - whether this is a Secure Execution guest itself
 */
#pragma once

#include <glib.h>

/* Where the kernel says so. A variable, for tests. */
extern const char *pvs_guest_file;

/* TRUE if the kernel says that this is one. */
gboolean pvs_guest_is(void);
