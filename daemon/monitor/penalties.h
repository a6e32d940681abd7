/* SPDX-License-Identifier: MIT */
/*
 * penalties.h - users whose fronts keep dying are not served for a while
 *
 * A front dies of what its own clients sent, so its death is its user's doing, whatever set of
 * groups it was for. Starting another costs the monitor more than dying costs the client: five in a
 * row are PVS_PENALTY_SEC seconds without service for that uid, the next five twice as long, up to
 * PVS_PENALTY_MAX_SEC. Nobody else's service, and never the unit, pays.
 *
 * Times are g_get_monotonic_time()'s, in microseconds, and the caller's to give.
 */
#pragma once

#include <glib.h>

enum {
	PVS_PENALTY_DEATHS = 5,	     /* until a pause; a minute without one forgets them */
	PVS_PENALTY_SEC = 10,	     /* of the first pause */
	PVS_PENALTY_MAX_SEC = 300,   /* of any */
	PVS_PENALTY_USERS_MAX = 256, /* that are remembered; who is least in debt is forgotten */
};

/* A front of @uid died at @now. Returns the seconds of the pause that begins; 0: none does. */
guint pvs_penalties_death(guint32 uid, gint64 now);

/* TRUE if @uid is not served at @now. */
gboolean pvs_penalties_paused(guint32 uid, gint64 now);

/* Users that are not served at @now: for get_status and the tests. */
guint pvs_penalties_size(gint64 now);
