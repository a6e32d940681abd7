/* SPDX-License-Identifier: MIT */
/*
 * penalties.c - users whose fronts keep dying are not served for a while
 */
#include "daemon/monitor/penalties.h"

/* After so long without a death. */
#define FORGET_DEATHS (60 * G_USEC_PER_SEC)
#define FORGET_PAUSES ((gint64)10 * PVS_PENALTY_MAX_SEC * G_USEC_PER_SEC)

typedef struct {
	guint32 uid;
	guint deaths; /* since the last pause */
	guint pauses; /* in a row */
	gint64 last;  /* the last death */
	gint64 until; /* end of the last pause; 0: there was none */
} Debt;

static Debt debts[PVS_PENALTY_USERS_MAX];
static guint n_debts;

static Debt *find(guint32 uid)
{
	for (guint i = 0; i < n_debts; i++)
		if (debts[i].uid == uid)
			return &debts[i];
	return NULL;
}

/* Room for one more: at the cost of whose pause ends, or whose last death was, first. */
static Debt *add(guint32 uid)
{
	Debt *debt = &debts[0];

	if (n_debts < PVS_PENALTY_USERS_MAX)
		debt = &debts[n_debts++];
	else
		for (guint i = 1; i < n_debts; i++)
			if (MAX(debts[i].until, debts[i].last) < MAX(debt->until, debt->last))
				debt = &debts[i];
	*debt = (Debt){.uid = uid};
	return debt;
}

guint pvs_penalties_death(guint32 uid, gint64 now)
{
	Debt *debt = find(uid);
	guint seconds;

	if (!debt)
		debt = add(uid);
	if (now - debt->last > FORGET_DEATHS)
		debt->deaths = 0;
	if (now - debt->last > FORGET_PAUSES)
		debt->pauses = 0;
	debt->last = now;
	if (++debt->deaths < PVS_PENALTY_DEATHS)
		return 0;
	debt->deaths = 0;
	seconds = MIN((guint)PVS_PENALTY_SEC << MIN(debt->pauses, 8), PVS_PENALTY_MAX_SEC);
	debt->pauses++;
	debt->until = now + (gint64)seconds * G_USEC_PER_SEC;
	return seconds;
}

gboolean pvs_penalties_paused(guint32 uid, gint64 now)
{
	const Debt *debt = find(uid);

	return debt && now < debt->until;
}

guint pvs_penalties_size(gint64 now)
{
	guint n = 0;

	for (guint i = 0; i < n_debts; i++)
		n += now < debts[i].until;
	return n;
}
