/* SPDX-License-Identifier: MIT */
/*
 * slots.h - for which host keys the vault has a grant of ours, and in which slot
 *
 * A grant serves again for the same host keys until its end, so that the second request for a
 * machine costs no X.509. There are PVS_GRANTS_MAX slots; the one unused for longest makes room.
 */
#pragma once

#include "protocol/bodies.h"

typedef struct PvsSlots PvsSlots;

typedef enum {
	PVS_SLOT_EMPTY,
	PVS_SLOT_ASKING, /* trust was asked; others who want the same wait */
	PVS_SLOT_HELD,
} PvsSlotState;

PvsSlots *pvs_slots_new(void);
void pvs_slots_free(PvsSlots *slots);

/* What the grant is for: SHA-256 over all documents, names, certificates and CRLs, and whether they
 * are to be verified. */
void pvs_slots_key(const PvsList *host_keys, const PvsList *certs, const PvsList *crls,
		   gboolean no_verify, guint8 key[32]);

/* The slot for @key: one that is held (and has not ended at @now) or being asked for, else an empty
 * one that is set aside for it (state ASKING, *@fresh TRUE: the caller asks trust). The slot is in
 * use until pvs_slots_release(). -1 if all slots are in use. */
int pvs_slots_acquire(PvsSlots *slots, const guint8 key[32], gint64 now, gboolean *fresh);
void pvs_slots_release(PvsSlots *slots, guint slot);

PvsSlotState pvs_slots_state(const PvsSlots *slots, guint slot);

/* Trust's answer: takes what *@verified holds. */
void pvs_slots_hold(PvsSlots *slots, guint slot, PvsVerified *verified);
/* The grant is void (trust refused, the vault says it has ended): whoever acquires it next asks. */
void pvs_slots_void(PvsSlots *slots, guint slot);
/* All are void and none is in use: trust and the vault were replaced. */
void pvs_slots_reset(PvsSlots *slots);

/* What trust said when it gave the grant in a slot that the caller has acquired. */
const PvsVerified *pvs_slots_verified(const PvsSlots *slots, guint slot);
