/* SPDX-License-Identifier: MIT */
/*
 * grants.h - which host keys one front may encrypt for
 *
 * A front has numbered slots. Trust fills them, on its own channel, after the vault has looked at
 * each key itself; the front names a slot when it asks for a request.
 */
#pragma once

#include "protocol/bodies.h"

typedef struct PvsGrants PvsGrants;

PvsGrants *pvs_grants_new(void);
void pvs_grants_free(PvsGrants *grants);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsGrants, pvs_grants_free)

/* Puts a grant into @slot (less than PVS_GRANTS_MAX), in place of what is there. @points is 1 to
 * PVS_HOST_KEYS_MAX points of PVS_POINT_SIZE bytes, one behind the other; a reference is taken. It
 * holds until @until, in seconds since the epoch. @unverified: nobody vouches for the keys. */
void pvs_grants_put(PvsGrants *grants, guint slot, gint64 until, gboolean unverified,
		    GBytes *points);

/* Does @slot hold keys that nobody vouches for? */
gboolean pvs_grants_unverified(const PvsGrants *grants, guint slot);

/* Empties @slot. */
void pvs_grants_drop(PvsGrants *grants, guint slot);

/* The points of the grant in @slot, a new reference; NULL if there is none, or if it has ended: at
 * @until itself it has. @now is seconds since the epoch. What has ended is dropped, so it does not
 * come back with a clock that is set back. */
GBytes *pvs_grants_get(PvsGrants *grants, guint slot, gint64 now);
