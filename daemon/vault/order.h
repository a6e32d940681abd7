/* SPDX-License-Identifier: MIT */
/*
 * order.h - a request as a front ordered it, with the keys that it names
 *
 * Read in the main loop, where the keys are; built on a thread, from what the order has.
 */
#pragma once

#include "daemon/vault/holdings.h"
#include "daemon/vault/request.h"

typedef struct {
	PvsRequestInput input; /* but the host keys, and the secret if it is the order's own */
	const PvsKey *cck;     /* that the extension secret is derived from; NULL: none */
	PvsSecret *secret;     /* NULL: there is none, or it is still to be drawn, or a held key */
	gboolean draw_secret;
	GBytes *user_data; /* NULL: none */
} PvsOrder;

void pvs_order_clear(PvsOrder *order);

/* Reads what is asked for and finds what it names. It must have been allowed (guard.h). Errors:
 * -32003 for what there is not, -32602 for a value or user data that do not fit; with @error NULL:
 * no front that works asks so. */
gboolean pvs_order_read(const PvsHoldings *holdings, const PvsBuild *build, PvsOrder *order,
			GError **error);

/* The request for the host keys @points (n times PVS_POINT_SIZE bytes). On any thread. */
GBytes *pvs_order_fill(PvsOrder *order, GBytes *points, GError **error);
