/* SPDX-License-Identifier: MIT */
/*
 * grants.c - for which host keys the vault has a grant of ours, and in which slot
 */
#include "daemon/front/grants.h"

#include <string.h>

typedef struct {
	PvsSlotState state;
	guint8 key[32];
	PvsVerified verified;
	guint users;
	guint64 used; /* a count that grows: when it was last acquired */
} Slot;

struct PvsGrants {
	Slot slots[PVS_GRANTS_MAX];
	guint64 clock;
};

PvsGrants *pvs_grants_new(void)
{
	return g_new0(PvsGrants, 1);
}

static void empty(Slot *slot)
{
	pvs_verified_clear(&slot->verified);
	slot->state = PVS_SLOT_EMPTY;
}

void pvs_grants_free(PvsGrants *grants)
{
	if (!grants)
		return;
	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		empty(&grants->slots[i]);
	g_free(grants);
}

/* With its length and kind before it, so that no two sets of inputs look alike. */
static void add(GChecksum *sum, char kind, const void *data, gsize size)
{
	guint64 length = GUINT64_TO_BE((guint64)size);

	g_checksum_update(sum, (const guchar *)&kind, 1);
	g_checksum_update(sum, (const guchar *)&length, sizeof length);
	g_checksum_update(sum, data, (gssize)size);
}

static void add_blobs(GChecksum *sum, char kind, const PvsList *blobs)
{
	for (guint i = 0; i < blobs->n; i++) {
		gsize size;
		const void *data = g_bytes_get_data(pvs_list_nth(*blobs, PvsBlob, i)->bytes, &size);

		add(sum, kind, data, size);
	}
}

void pvs_grants_key(const PvsList *host_keys, const PvsList *certs, const PvsList *crls,
		    guint8 key[32])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize size = 32;

	for (guint i = 0; i < host_keys->n; i++) {
		const PvsHostKey *host_key = pvs_list_nth(*host_keys, PvsHostKey, i);

		if (host_key->name) {
			add(sum, 'n', host_key->name, strlen(host_key->name));
		} else {
			gsize length;
			const void *data = g_bytes_get_data(host_key->document, &length);

			add(sum, 'd', data, length);
		}
	}
	add_blobs(sum, 'c', certs);
	add_blobs(sum, 'r', crls);
	g_checksum_get_digest(sum, key, &size);
}

int pvs_grants_acquire(PvsGrants *grants, const guint8 key[32], gint64 now, gboolean *fresh)
{
	Slot *best = NULL;

	*fresh = FALSE;
	for (guint i = 0; i < PVS_GRANTS_MAX; i++) {
		Slot *slot = &grants->slots[i];

		if (slot->state == PVS_SLOT_HELD && slot->verified.until <= now && slot->users == 0)
			empty(slot);
		if (slot->state != PVS_SLOT_EMPTY && memcmp(slot->key, key, 32) == 0 &&
		    (slot->state == PVS_SLOT_ASKING || slot->verified.until > now)) {
			slot->users++;
			slot->used = ++grants->clock;
			return (int)i;
		}
		if (slot->users > 0)
			continue;
		if (!best || (slot->state == PVS_SLOT_EMPTY && best->state != PVS_SLOT_EMPTY) ||
		    (slot->state == best->state && slot->used < best->used))
			best = slot;
	}
	if (!best)
		return -1;
	empty(best);
	best->state = PVS_SLOT_ASKING;
	memcpy(best->key, key, 32);
	best->users = 1;
	best->used = ++grants->clock;
	*fresh = TRUE;
	return (int)(best - grants->slots);
}

void pvs_grants_release(PvsGrants *grants, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX && grants->slots[slot].users > 0);
	grants->slots[slot].users--;
}

PvsSlotState pvs_grants_state(const PvsGrants *grants, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX);
	return grants->slots[slot].state;
}

void pvs_grants_hold(PvsGrants *grants, guint slot, PvsVerified *verified)
{
	g_assert(pvs_grants_state(grants, slot) == PVS_SLOT_ASKING);
	grants->slots[slot].state = PVS_SLOT_HELD;
	grants->slots[slot].verified = *verified;
	*verified = (PvsVerified){0};
}

void pvs_grants_void(PvsGrants *grants, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX);
	/* What was verified stays until the slot serves another grant: a request that the vault has
	 * built meanwhile still needs it. */
	grants->slots[slot].state = PVS_SLOT_EMPTY;
}

void pvs_grants_reset(PvsGrants *grants)
{
	for (guint i = 0; i < PVS_GRANTS_MAX; i++) {
		empty(&grants->slots[i]);
		grants->slots[i].users = 0;
	}
}

const PvsVerified *pvs_grants_verified(const PvsGrants *grants, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX && grants->slots[slot].users > 0);
	return &grants->slots[slot].verified;
}
