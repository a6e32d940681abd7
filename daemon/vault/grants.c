/* SPDX-License-Identifier: MIT */
/*
 * grants.c - which host keys one front may encrypt for
 */
#include "daemon/vault/grants.h"

typedef struct {
	gint64 until;
	gboolean unverified;
	GBytes *points; /* NULL: the slot is empty. Never changed, so that a job may hold on to it
			 */
} Grant;

struct PvsGrants {
	Grant slots[PVS_GRANTS_MAX];
};

PvsGrants *pvs_grants_new(void)
{
	return g_new0(PvsGrants, 1);
}

void pvs_grants_free(PvsGrants *grants)
{
	if (!grants)
		return;
	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		pvs_grants_drop(grants, i);
	g_free(grants);
}

void pvs_grants_put(PvsGrants *grants, guint slot, gint64 until, gboolean unverified,
		    GBytes *points)
{
	gsize size = g_bytes_get_size(points);

	g_assert(slot < PVS_GRANTS_MAX);
	g_assert(size > 0 && size % PVS_POINT_SIZE == 0 &&
		 size / PVS_POINT_SIZE <= PVS_HOST_KEYS_MAX);
	pvs_grants_drop(grants, slot);
	grants->slots[slot] = (Grant){
		.until = until, .unverified = unverified != FALSE, .points = g_bytes_ref(points)};
}

gboolean pvs_grants_unverified(const PvsGrants *grants, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX);
	return grants->slots[slot].unverified;
}

void pvs_grants_drop(PvsGrants *grants, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX);
	g_clear_pointer(&grants->slots[slot].points, g_bytes_unref);
	grants->slots[slot].until = 0;
	grants->slots[slot].unverified = FALSE;
}

GBytes *pvs_grants_get(PvsGrants *grants, guint slot, gint64 now)
{
	Grant *grant;

	g_assert(slot < PVS_GRANTS_MAX);
	grant = &grants->slots[slot];
	if (!grant->points)
		return NULL;
	if (now >= grant->until) {
		pvs_grants_drop(grants, slot);
		return NULL;
	}
	return g_bytes_ref(grant->points);
}
