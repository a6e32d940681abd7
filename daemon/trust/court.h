/* SPDX-License-Identifier: MIT */
/*
 * court.h - verdicts, with all that they depend on besides the document
 *
 * The store of this process, the verdicts it remembers, the marks of CRLs that were seen, and the
 * clock, which is looked at for every verdict.
 */
#pragma once

#include "daemon/trust/marks.h"
#include "daemon/trust/memo.h"
#include "daemon/trust/store.h"
#include "daemon/trust/verdict.h"

/* Ticks for which a clock that went back and goes on from there is said to be behind: a day. */
#define PVS_COURT_TICKS_BEHIND 144

typedef struct PvsCourt PvsCourt;

/* Seconds since the epoch. */
typedef gint64 (*PvsClock)(void);
gint64 pvs_clock_of_machine(void);

/* @store is not owned. Without marks nothing was seen before, and nothing is kept. */
PvsCourt *pvs_court_new(const PvsStore *store, PvsClock clock);
void pvs_court_free(PvsCourt *court);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsCourt, pvs_court_free)

/* Takes @marks, which are kept in a file. */
void pvs_court_set_marks(PvsCourt *court, PvsMarks *marks);

/* Looks at the clock: the store's CRLs that may be used by now are marked as seen. To be called
 * when there are marks, and every ten minutes; @error is set where a mark could not be written
 * down. */
void pvs_court_tick(PvsCourt *court, GError **error);

/* As pvs_verdict_reach(), or remembered; @digest is one of all that the client brought (32 bytes).
 */
PvsVerdict *pvs_court_judge(PvsCourt *court, GBytes *document, PvsX509Stack *extra_certs,
			    PvsCrlStack *extra_crls, const guint8 digest[32], GError **error);

/* The verdict on the installed document @name, remembered apart from what clients bring: neither
 * makes the other forgotten, however many they are. A refusal serves again for less than @age
 * seconds, where it is only to be shown; 0: for a call. HOST_KEY_FORMAT where there is none. */
PvsVerdict *pvs_court_judge_installed(PvsCourt *court, const char *name, gint64 age,
				      GError **error);

/* Whether documents of @signing_key, which is of the store, can be good by now: its chain and its
 * own CRL. Never NULL. */
PvsChain *pvs_court_judge_signing_key(PvsCourt *court, X509 *signing_key);

/* Whether an installed CRL may be used by now (PVS_ERROR_LAST_), or what is wrong with it. */
PvsError pvs_court_judge_crl(PvsCourt *court, const PvsStoreCrl *crl);

const PvsStore *pvs_court_store(const PvsCourt *court);
gint64 pvs_court_now(const PvsCourt *court);
gboolean pvs_court_keeps_marks(const PvsCourt *court);

/* Seconds that the clock is behind the latest that was seen, by a CRL or, in the last
 * PVS_COURT_TICKS_BEHIND, in this process; 0: it is not. */
gint64 pvs_court_clock_behind(const PvsCourt *court);

/* How many verdicts were reached, not remembered; and how many chains of signing keys. */
guint64 pvs_court_reached(const PvsCourt *court);
guint64 pvs_court_chains_reached(const PvsCourt *court);
