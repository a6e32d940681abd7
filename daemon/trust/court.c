/* SPDX-License-Identifier: MIT */
/*
 * court.c - verdicts, with all that they depend on besides the document
 */
#include "daemon/trust/court.h"

#include "daemon/trust/crls.h"

enum { SMALL_STEP = 60 }; /* seconds back: what a clock that is kept right may do */

/* What was said of an installed document, and when. */
typedef struct {
	PvsVerdict *verdict; /* NULL: refused */
	GError *refusal;
	gint64 at;
} Installed;

struct PvsCourt {
	const PvsStore *store;
	PvsClock clock;
	PvsMemo *memo;
	PvsChains *chains;
	GHashTable *installed; /* name -> Installed */
	PvsMarks *marks;
	gboolean keeps_marks;
	gint64 latest; /* that the clock said */
	gint64 ticked; /* what it said at the last tick */
	guint behind;  /* ticks in a row, each later than the one before, yet before the latest */
	guint64 reached;
};

gint64 pvs_clock_of_machine(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static void installed_free(gpointer data)
{
	Installed *installed = data;

	pvs_verdict_unref(installed->verdict);
	g_clear_error(&installed->refusal);
	g_free(installed);
}

static void remember_nothing(PvsCourt *court)
{
	court->memo = pvs_memo_new();
	court->chains = pvs_chains_new();
	court->installed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, installed_free);
}

static void drop_memory(PvsCourt *court)
{
	pvs_memo_free(court->memo);
	pvs_chains_free(court->chains);
	g_hash_table_unref(court->installed);
}

PvsCourt *pvs_court_new(const PvsStore *store, PvsClock clock)
{
	PvsCourt *court = g_new0(PvsCourt, 1);

	court->store = store;
	court->clock = clock;
	remember_nothing(court);
	court->marks = pvs_marks_new(-1, NULL);
	court->latest = court->ticked = clock();
	return court;
}

void pvs_court_free(PvsCourt *court)
{
	if (!court)
		return;
	drop_memory(court);
	pvs_marks_free(court->marks);
	g_free(court);
}

static void forget_all(PvsCourt *court)
{
	drop_memory(court);
	remember_nothing(court);
}

void pvs_court_set_marks(PvsCourt *court, PvsMarks *marks)
{
	pvs_marks_free(court->marks);
	court->marks = marks;
	court->keeps_marks = TRUE;
	forget_all(court);
}

/* A clock that was years ahead once and was set right is behind for years. So what it says steadily
 * is believed in the end; whether it is behind a CRL that was seen is another question. */
static void look_at_clock(PvsCourt *court, gint64 now)
{
	if (court->latest - now <= SMALL_STEP)
		court->behind = 0;
	else if (now < court->ticked)
		court->behind = 1; /* it has gone back just now */
	else
		court->behind++;
	if (court->behind >= PVS_COURT_TICKS_BEHIND) {
		court->behind = 0;
		court->latest = now;
	}
	court->ticked = now;
	court->latest = MAX(court->latest, now);
}

void pvs_court_tick(PvsCourt *court, GError **error)
{
	gint64 now = court->clock();

	/* What was reached with an older CRL is no verdict any more. */
	if (pvs_crls_see_all(court->store, court->marks, now, error))
		forget_all(court);
	look_at_clock(court, now);
}

static PvsGrounds grounds_of(const PvsCourt *court, gint64 now, PvsX509Stack *extra_certs,
			     PvsCrlStack *extra_crls)
{
	return (PvsGrounds){
		.store = court->store,
		.extra_certs = extra_certs,
		.crls = {court->store, extra_crls, court->marks, now},
		.chains = court->chains,
		.now = now,
	};
}

static PvsVerdict *reach(PvsCourt *court, const PvsGrounds *grounds, GBytes *document,
			 GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(document, &size);

	court->reached++;
	return pvs_verdict_reach_on(grounds, data, size, error);
}

PvsVerdict *pvs_court_judge(PvsCourt *court, GBytes *document, PvsX509Stack *extra_certs,
			    PvsCrlStack *extra_crls, const guint8 digest[32], GError **error)
{
	gint64 now = court->clock();
	const PvsGrounds grounds = grounds_of(court, now, extra_certs, extra_crls);
	PvsVerdict *verdict = pvs_memo_find(court->memo, document, digest, now);

	court->latest = MAX(court->latest, now);
	if (verdict)
		return verdict;
	verdict = reach(court, &grounds, document, error);
	if (verdict)
		pvs_memo_add(court->memo, document, digest, verdict);
	return verdict;
}

/* A verdict from its start to its end, as everywhere; a refusal as long as it may serve. */
static gboolean still_holds(const Installed *known, gint64 age, gint64 now)
{
	if (known->verdict)
		return known->verdict->from <= now && now < known->verdict->until;
	return known->at <= now && now - known->at < age;
}

PvsVerdict *pvs_court_judge_installed(PvsCourt *court, const char *name, gint64 age, GError **error)
{
	gint64 now = court->clock();
	const PvsGrounds grounds = grounds_of(court, now, NULL, NULL);
	GBytes *document = pvs_store_host_key(court->store, name);
	Installed *known = g_hash_table_lookup(court->installed, name);

	court->latest = MAX(court->latest, now);
	if (!document) {
		pvs_fail(error, PVS_ERROR_HOST_KEY_FORMAT, NULL, NULL);
		return NULL;
	}
	if (!known || !still_holds(known, age, now)) {
		known = g_new0(Installed, 1);
		known->at = now;
		known->verdict = reach(court, &grounds, document, &known->refusal);
		g_hash_table_replace(court->installed, g_strdup(name), known);
	}
	if (known->verdict)
		return pvs_verdict_ref(known->verdict);
	if (error)
		*error = g_error_copy(known->refusal);
	return NULL;
}

PvsChain *pvs_court_judge_signing_key(PvsCourt *court, X509 *signing_key)
{
	const PvsGrounds grounds = grounds_of(court, court->clock(), NULL, NULL);
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

guint64 pvs_court_chains_reached(const PvsCourt *court)
{
	return pvs_chains_reached(court->chains);
}
