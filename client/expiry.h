/* SPDX-License-Identifier: MIT */
/*
 * expiry.h - what ends sooner than --warn-days allows
 */
#pragma once

#include "client/command.h"

typedef struct {
	gint64 limit;	 /* seconds since the epoch: what ends before is too soon; -1: not asked */
	gint64 now;	 /* seconds since the epoch */
	gint64 earliest; /* end that was seen */
	char *what;	 /* ends then; NULL: nothing was seen */
	char *when;
	guint soon; /* how many end before the limit */
} PvsExpiry;

/* Reads --warn-days: PVS_EXIT_USAGE where it is no number of days. */
gboolean pvs_expiry_start(const PvsArguments *arguments, PvsExpiry *expiry, GError **error);
void pvs_expiry_clear(PvsExpiry *expiry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsExpiry, pvs_expiry_clear)

/* @what ends at @until (RFC 3339). What cannot be read as a time is passed over. */
void pvs_expiry_see(PvsExpiry *expiry, const char *what, const char *until);

/* PVS_EXIT_SOON where something ends too soon, PVS_EXIT_FAILED where it has ended. */
gboolean pvs_expiry_judge(const PvsExpiry *expiry, GError **error);
