/* SPDX-License-Identifier: MIT */
/*
 * court.c - verdicts, with all that they depend on besides the document
 */
#include "daemon/trust/court.h"

#include "daemon/trust/crls.h"

enum { SMALL_STEP = 60 }; /* seconds back: what a clock that is kept right may do */

struct PvsCourt {
	const PvsStore *store;
	PvsClock clock;
	PvsMemo *memo;
	PvsMarks *marks;
	gboolean keeps_marks;
	gint64 latest; /* that the clock said */
	guint64 reached;
};

gint64 pvs_clock_of_machine(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

PvsCourt *pvs_court_new(const PvsStore *store, PvsClock clock)
{
	PvsCourt *court = g_new0(PvsCourt, 1);

	court->store = store;
	court->clock = clock;
	court->memo = pvs_memo_new();
	court->marks = pvs_marks_new(-1, NULL);
	court->latest = clock();
	return court;
}

void pvs_court_free(PvsCourt *court)
{
	if (!court)
		return;
	pvs_memo_free(court->memo);
	pvs_marks_free(court->marks);
	g_free(court);
}

static void forget_all(PvsCourt *court)
{
	pvs_memo_free(court->memo);
	court->memo = pvs_memo_new();
}

void pvs_court_set_marks(PvsCourt *court, PvsMarks *marks)
{
	pvs_marks_free(court->marks);
	court->marks = marks;
	court->keeps_marks = TRUE;
	forget_all(court);
}

void pvs_court_tick(PvsCourt *court, GError **error)
{
	gint64 now = court->clock();

	/* What was reached with an older CRL is no verdict any more. */
	if (pvs_crls_see_all(court->store, court->marks, now, error))
		forget_all(court);
	court->latest = MAX(court->latest, now);
}

PvsVerdict *pvs_court_judge(PvsCourt *court, GBytes *document, PvsX509Stack *extra_certs,
			    PvsCrlStack *extra_crls, const guint8 digest[32], GError **error)
{
	gint64 now = court->clock();
	PvsVerdict *verdict = pvs_memo_find(court->memo, document, digest, now);
	const guint8 *data;
	gsize size;

	court->latest = MAX(court->latest, now);
	if (verdict)
		return verdict;
	court->reached++;
	data = g_bytes_get_data(document, &size);
	verdict = pvs_verdict_reach(court->store, court->marks, data, size, extra_certs, extra_crls,
				    now, error);
	if (verdict)
		pvs_memo_add(court->memo, document, digest, verdict);
	return verdict;
}

PvsChain *pvs_court_judge_signing_key(PvsCourt *court, X509 *signing_key)
{
	gint64 now = court->clock();
	const PvsGrounds grounds = {
		.store = court->store,
		.crls = {.store = court->store, .marks = court->marks, .now = now},
		.now = now,
	};
	g_autoptr(PvsChain) chain = pvs_chain_reach(&grounds, signing_key);

	return pvs_chain_with_crl(&grounds, chain, signing_key);
}

PvsError pvs_court_judge_crl(PvsCourt *court, const PvsStoreCrl *crl)
{
	const PvsCrls crls = {.store = court->store, .marks = court->marks, .now = court->clock()};

	return pvs_crls_judge(&crls, crl);
}

const PvsStore *pvs_court_store(const PvsCourt *court)
{
	return court->store;
}

gint64 pvs_court_now(const PvsCourt *court)
{
	return court->clock();
}

gboolean pvs_court_keeps_marks(const PvsCourt *court)
{
	return court->keeps_marks;
}

gint64 pvs_court_clock_behind(const PvsCourt *court)
{
	gint64 now = court->clock(), mark = pvs_marks_latest(court->marks);

	/* A CRL's time is another machine's: no small step is allowed for, none is needed. */
	if (mark > now)
		return mark - now;
	return court->latest - now > SMALL_STEP ? court->latest - now : 0;
}

guint64 pvs_court_reached(const PvsCourt *court)
{
	return court->reached;
}
