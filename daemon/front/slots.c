/* SPDX-License-Identifier: MIT */
/*
 * slots.c - for which host keys the vault has a grant of ours, and in which slot
 */
#include "daemon/front/slots.h"

#include <string.h>

typedef struct {
	PvsSlotState state;
	guint8 key[32];
	PvsVerified verified;
	guint users;
	guint64 used; /* a count that grows: when it was last acquired */
} Slot;

struct PvsSlots {
	Slot all[PVS_GRANTS_MAX];
	guint64 clock;
};

PvsSlots *pvs_slots_new(void)
{
	return g_new0(PvsSlots, 1);
}

static void empty(Slot *slot)
{
	pvs_verified_clear(&slot->verified);
	slot->state = PVS_SLOT_EMPTY;
}

void pvs_slots_free(PvsSlots *slots)
{
	if (!slots)
		return;
	for (guint i = 0; i < PVS_GRANTS_MAX; i++)
		empty(&slots->all[i]);
	g_free(slots);
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

void pvs_slots_key(const PvsList *host_keys, const PvsList *certs, const PvsList *crls,
		   gboolean no_verify, guint8 key[32])
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
	/* An unverified grant is never taken for a verified one. */
	if (no_verify)
		add(sum, 'u', "", 0);
	g_checksum_get_digest(sum, key, &size);
}

int pvs_slots_acquire(PvsSlots *slots, const guint8 key[32], gint64 now, gboolean *fresh)
{
	Slot *best = NULL;

	*fresh = FALSE;
	for (guint i = 0; i < PVS_GRANTS_MAX; i++) {
		Slot *slot = &slots->all[i];

		if (slot->state == PVS_SLOT_HELD && slot->verified.until <= now && slot->users == 0)
			empty(slot);
		if (slot->state != PVS_SLOT_EMPTY && memcmp(slot->key, key, 32) == 0 &&
		    (slot->state == PVS_SLOT_ASKING || slot->verified.until > now)) {
			slot->users++;
			slot->used = ++slots->clock;
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
	best->used = ++slots->clock;
	*fresh = TRUE;
	return (int)(best - slots->all);
}

void pvs_slots_release(PvsSlots *slots, guint slot)
{
	Slot *released;

	g_assert(slot < PVS_GRANTS_MAX && slots->all[slot].users > 0);
	released = &slots->all[slot];
	/* Who asked trust is the last to go without an answer: nobody is left to wait for. */
	if (--released->users == 0 && released->state == PVS_SLOT_ASKING)
		empty(released);
}

PvsSlotState pvs_slots_state(const PvsSlots *slots, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX);
	return slots->all[slot].state;
}

void pvs_slots_hold(PvsSlots *slots, guint slot, PvsVerified *verified)
{
	g_assert(pvs_slots_state(slots, slot) == PVS_SLOT_ASKING);
	slots->all[slot].state = PVS_SLOT_HELD;
	slots->all[slot].verified = *verified;
	*verified = (PvsVerified){0};
}

void pvs_slots_void(PvsSlots *slots, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX);
	/* What was verified stays until the slot serves another grant: a request that the vault has
	 * built meanwhile still needs it. */
	slots->all[slot].state = PVS_SLOT_EMPTY;
}

void pvs_slots_reset(PvsSlots *slots)
{
	for (guint i = 0; i < PVS_GRANTS_MAX; i++) {
		empty(&slots->all[i]);
		slots->all[i].users = 0;
	}
}

const PvsVerified *pvs_slots_verified(const PvsSlots *slots, guint slot)
{
	g_assert(slot < PVS_GRANTS_MAX && slots->all[slot].users > 0);
	return &slots->all[slot].verified;
}
