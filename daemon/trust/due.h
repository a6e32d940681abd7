/* SPDX-License-Identifier: MIT */
/*
 * due.h - what is installed and should be replaced by now
 *
 * Asked by the daemon and by who fetches CRLs, so that both say the same.
 */
#pragma once

#include "daemon/trust/store.h"

/* TRUE where what holds from @from until @until should be replaced at @now: in the last @most
 * seconds, or the last third of what lives shorter than three times that. Some CRLs live for a
 * week, and are as they should be for most of it. */
gboolean pvs_due_is_soon(gint64 from, gint64 until, gint64 now, gint64 most);

/* TRUE where another certificate of @store that does the same lasts longer than @cert, whose end is
 * @until: one of the same key, or, once @cert is over, one of the same name. */
gboolean pvs_due_has_successor(const PvsStore *store, const PvsStoreCert *cert, gint64 until,
			       gint64 now);

/* The one that lasts longest of the signed CRLs of whoever issued @crl, whichever way its name is
 * written, about the same certificates; NULL where nobody of the store signed @crl. */
const PvsStoreCrl *pvs_due_last_of_issuer(const PvsStore *store, const PvsStoreCrl *crl);
