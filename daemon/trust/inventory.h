/* SPDX-License-Identifier: MIT */
/*
 * inventory.h - what is installed, for people: dates, states, and what will need a hand soon
 */
#pragma once

#include "daemon/trust/court.h"
#include "protocol/bodies.h"

/* STORE_IS as of now, at most PVS_INVENTORY_MAX bytes of message. pvs_store_is_clear() it. */
#define PVS_INVENTORY_MAX (900 * 1024)
void pvs_inventory_take(PvsCourt *court, PvsStoreIs *body);

/* What is about to expire, has expired with nothing in its place, or is otherwise not as it should
 * be, of char *: each says which file and what to do. The same thing is the same text for as long
 * as it is so. What the store itself found when it was loaded is not among it. */
GPtrArray *pvs_inventory_warnings(PvsCourt *court);

/* Judges an installed document, so that neither of these has to for the next ten minutes. */
void pvs_inventory_look_at(PvsCourt *court, const char *name);

/* TRUE where what holds from @from until @until should be replaced by now: in the last 30 days, or
 * the last third of what lives shorter. */
gboolean pvs_inventory_is_soon(gint64 from, gint64 until, gint64 now);
