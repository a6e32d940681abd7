/* SPDX-License-Identifier: MIT */
/*
 * memo.h - verdicts that were reached, by document
 *
 * A verdict rests on the document, on what the client brought with it, and on the store, which
 * never changes in the life of the process. So it serves again for the same bytes, until its end;
 * the clock is looked at every time. At most PVS_MEMO_MAX are kept; the one unused for longest
 * makes room.
 */
#pragma once

#include "daemon/trust/verdict.h"

#define PVS_MEMO_MAX 1024

typedef struct PvsMemo PvsMemo;

PvsMemo *pvs_memo_new(void);
void pvs_memo_free(PvsMemo *memo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsMemo, pvs_memo_free)

/* The verdict on these bytes, if it was reached and holds at @now; a new reference. @extra
 * is a digest of what the client brought with the document (32 bytes). */
PvsVerdict *pvs_memo_find(PvsMemo *memo, GBytes *document, const guint8 extra[32], gint64 now);

void pvs_memo_add(PvsMemo *memo, GBytes *document, const guint8 extra[32], PvsVerdict *verdict);

guint pvs_memo_size(const PvsMemo *memo);
