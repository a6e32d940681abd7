/* SPDX-License-Identifier: MIT */
/*
 * inventory.c - what is installed, for people: dates, states, and what will need a hand soon
 */
#include "daemon/trust/inventory.h"

#include <string.h>

#include "daemon/trust/due.h"
#include "daemon/trust/names.h"
#include "daemon/trust/x509.h"
#include "protocol/error.h"

enum {
	ENTRY_ROOM = 128, /* bytes of an entry besides its texts */
	ENTRIES_MAX = 8000,
	TEXT_MAX = 512, /* bytes of a file's name or a warning, as shown */
	WARNINGS_MAX = 100,
	/* Seconds that a refusal is shown for before it is asked anew; to be looked at again it is
	 * after half of them, so that nothing is left to ask while somebody waits. */
	SHOWN_AGE = 1200,
	DAY = 24 * 60 * 60, /* seconds */
};

static const char *const kinds[] = {
	[PVS_CERT_ROOT] = "root",
	[PVS_CERT_INTERMEDIATE] = "intermediate",
	[PVS_CERT_SIGNING_KEY] = "signing-key",
};

gboolean pvs_inventory_is_soon(gint64 from, gint64 until, gint64 now)
{
	return pvs_due_is_soon(from, until, now, 30 * DAY);
}

/* A root of the system's bundle: there are over a hundred that nobody here asked for. */
static gboolean is_of_bundle(const PvsStore *store, const PvsStoreCert *entry)
{
	return entry->kind == PVS_CERT_ROOT && pvs_store_has_bundle(store);
}

/* The verdict on an installed document; a refusal may be some minutes old. */
static PvsVerdict *judge_installed(PvsCourt *court, const char *name, PvsError *reason)
{
	g_autoptr(GError) error = NULL;
	PvsVerdict *verdict = pvs_court_judge_installed(court, name, SHOWN_AGE, &error);

	*reason = verdict ? PVS_ERROR_LAST_ : (PvsError)error->code;
	return verdict;
}

void pvs_inventory_look_at(PvsCourt *court, const char *name)
{
	pvs_verdict_unref(pvs_court_judge_installed(court, name, SHOWN_AGE / 2, NULL));
}

/* ---- STORE_IS ---- */

/* Entries while they are gathered, and how much of the message they take. */
typedef struct {
	GArray *entries; /* of PvsStoreEntry */
	gsize room;
	gboolean full;
} Gathering;

/* Takes @entry. */
static void add(Gathering *g, PvsStoreEntry *entry)
{
	gsize size =
		ENTRY_ROOM + strlen(entry->file) + strlen(entry->subject) + strlen(entry->serial);

	if (g->entries->len >= ENTRIES_MAX || size > g->room) {
		g->full = TRUE;
		g_free(entry->kind);
		g_free(entry->file);
		g_free(entry->subject);
		g_free(entry->serial);
		return;
	}
	g->room -= size;
	g_array_append_val(g->entries, *entry);
}

static PvsStoreEntry entry_of(const char *kind, const char *file, const X509_NAME *subject,
			      const ASN1_INTEGER *serial, const ASN1_TIME *from,
			      const ASN1_TIME *until)
{
	PvsStoreEntry entry = {
		.kind = g_strdup(kind),
		.file = pvs_x509_text(file, strlen(file), TEXT_MAX),
		.subject = pvs_x509_name(subject),
		.serial = pvs_x509_serial(serial),
		.error = PVS_ERROR_LAST_,
	};

	pvs_x509_time(from, &entry.from);
	pvs_x509_time(until, &entry.until);
	return entry;
}

static PvsStoreEntry entry_of_cert(const char *kind, const char *file, X509 *cert)
{
	PvsStoreEntry entry =
		entry_of(kind, file, X509_get_subject_name(cert), X509_get0_serialNumber(cert),
			 X509_get0_notBefore(cert), X509_get0_notAfter(cert));
	guint8 fingerprint[EVP_MAX_MD_SIZE];

	if (X509_digest(cert, EVP_sha256(), fingerprint, NULL) == 1)
		memcpy(entry.fingerprint, fingerprint, sizeof entry.fingerprint);
	return entry;
}

static void gather_crl(Gathering *g, PvsCourt *court, const PvsStoreCrl *crl)
{
	const PvsStore *store = pvs_court_store(court);
	const PvsStoreCrl *last = pvs_due_last_of_issuer(store, crl);
	g_autoptr(ASN1_INTEGER) number = X509_CRL_get_ext_d2i(crl->crl, NID_crl_number, NULL, NULL);
	PvsStoreEntry entry =
		entry_of("crl", crl->file, X509_CRL_get_issuer(crl->crl), number,
			 X509_CRL_get0_lastUpdate(crl->crl), X509_CRL_get0_nextUpdate(crl->crl));

	entry.superseded = last && last != crl;
	entry.error = (guint16)pvs_court_judge_crl(court, crl);
	add(g, &entry);
}

static void gather_host_key(Gathering *g, PvsCourt *court, const char *name)
{
	GBytes *bytes = pvs_store_host_key(pvs_court_store(court), name);
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	g_autoptr(X509) cert = pvs_x509_read_document(data, size, NULL);
	g_autoptr(PvsVerdict) verdict = NULL;
	PvsStoreEntry entry;
	PvsError reason;

	if (!cert)
		return;
	entry = entry_of_cert("host-key", name, cert);
	verdict = judge_installed(court, name, &reason);
	entry.error = (guint16)reason;
	entry.good_until = verdict ? verdict->until : 0;
	add(g, &entry);
}

static void set_state_of_signing_key(PvsStoreEntry *entry, PvsCourt *court, X509 *cert)
{
	g_autoptr(PvsChain) chain = pvs_court_judge_signing_key(court, cert);

	if (chain->refusal)
		entry->error = (guint16)chain->refusal->code;
	else
		entry->good_until = chain->until;
}

static void gather_all(Gathering *g, PvsCourt *court)
{
	const PvsStore *store = pvs_court_store(court);
	g_autoptr(GPtrArray) names = pvs_store_host_key_names(store);

	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *cert = pvs_store_cert(store, i);
		PvsStoreEntry entry;

		if (is_of_bundle(store, cert))
			continue;
		entry = entry_of_cert(kinds[cert->kind], cert->file, cert->cert);
		entry.superseded =
			pvs_due_has_successor(store, cert, entry.until, pvs_court_now(court));
		if (cert->kind == PVS_CERT_SIGNING_KEY)
			set_state_of_signing_key(&entry, court, cert->cert);
		add(g, &entry);
	}
	for (guint i = 0; i < names->len; i++)
		gather_host_key(g, court, names->pdata[i]);
	/* Last: they are many at times, and not all are the owner's. */
	for (guint i = 0; i < pvs_store_n_crls(store); i++)
		gather_crl(g, court, pvs_store_crl(store, i));
}

void pvs_inventory_take(PvsCourt *court, PvsStoreIs *body)
{
	static const char full[] = "not all that is installed is listed: there is too much";
	const GPtrArray *found = pvs_store_warnings(pvs_court_store(court));
	g_autoptr(GPtrArray) due = pvs_inventory_warnings(court);
	Gathering g = {g_array_new(FALSE, FALSE, sizeof(PvsStoreEntry)), PVS_INVENTORY_MAX, FALSE};
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	PvsWarning *texts;

	for (guint i = 0; i < due->len; i++)
		g_ptr_array_add(all, due->pdata[i]);
	for (guint i = 0; i < found->len; i++)
		g_ptr_array_add(all, found->pdata[i]);
	for (guint i = 0; i < all->len; i++)
		g.room -= MIN(strlen(all->pdata[i]), TEXT_MAX) + ENTRY_ROOM;
	gather_all(&g, court);
	if (g.full)
		g_ptr_array_add(all, (gpointer)(gintptr)full);
	body->entries.n = g.entries->len;
	body->entries.items = g_array_free(g.entries, FALSE);
	texts = pvs_list_init(&body->warnings, PvsWarning, all->len);
	for (guint i = 0; i < all->len; i++)
		texts[i].text = pvs_x509_text(all->pdata[i], strlen(all->pdata[i]), TEXT_MAX);
}

/* ---- warnings ---- */

static void G_GNUC_PRINTF(2, 3) warn(GPtrArray *warnings, const char *format, ...)
{
	va_list args;

	if (warnings->len >= WARNINGS_MAX)
		return;
	va_start(args, format);
	g_ptr_array_add(warnings, g_strdup_vprintf(format, args));
	va_end(args);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static gboolean is_about_crl(PvsError code)
{
	return code == PVS_ERROR_CRL_MISSING || code == PVS_ERROR_CRL_NOT_YET ||
	       code == PVS_ERROR_CRL_EXPIRED || code == PVS_ERROR_CRL_SIGNATURE ||
	       code == PVS_ERROR_CRL_ROLLED_BACK;
}

static char *date_of(gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	return time ? g_date_time_format_iso8601(time) : g_strdup("a time that cannot be said");
}

/* @what of @file ends at @until: says so where that is soon, or past. */
static void warn_of_end(GPtrArray *warnings, const char *file, const char *what, const char *remedy,
			gint64 from, gint64 until, gint64 now)
{
	g_autofree char *date = NULL;

	if (!pvs_inventory_is_soon(from, until, now))
		return;
	date = date_of(until);
	warn(warnings, "%s: the %s %s %s; %s", file, what, until <= now ? "expired" : "expires",
	     date, remedy);
}

static void warn_of_certs(GPtrArray *warnings, const PvsStore *store, gint64 now)
{
	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *cert = pvs_store_cert(store, i);
		gint64 from, until;

		if (!is_of_bundle(store, cert) &&
		    pvs_x509_time(X509_get0_notBefore(cert->cert), &from) &&
		    pvs_x509_time(X509_get0_notAfter(cert->cert), &until) &&
		    pvs_inventory_is_soon(from, until, now) &&
		    !pvs_due_has_successor(store, cert, until, now))
			warn_of_end(warnings, cert->file, kinds[cert->kind],
				    "install its successor beside it and reload the daemon", from,
				    until, now);
	}
}

/* Where the CRL of a signing key can be had only documents say. */
static char *point_of(const PvsStore *store, X509 *signing_key)
{
	g_autoptr(GPtrArray) names = pvs_store_host_key_names(store);
	char *point = NULL;

	for (guint i = 0; i < names->len && !point; i++) {
		gsize size;
		const guint8 *data =
			g_bytes_get_data(pvs_store_host_key(store, names->pdata[i]), &size);
		g_autoptr(X509) document = pvs_x509_read_document(data, size, NULL);

		if (document && pvs_name_means(X509_get_issuer_name(document),
					       X509_get_subject_name(signing_key),
					       PVS_NAME_PLACE | PVS_NAME_ORDER))
			point = pvs_x509_crl_point(document);
	}
	return point;
}

/* A signing key by which no document is good, whether one is installed or not: this is known before
 * somebody calls. */
static void warn_of_signing_key(GPtrArray *warnings, PvsCourt *court, const PvsStoreCert *cert)
{
	g_autoptr(PvsChain) chain = pvs_court_judge_signing_key(court, cert->cert);
	g_autofree char *point = NULL;
	PvsError code;

	if (!chain->refusal)
		return;
	code = (PvsError)chain->refusal->code;
	if (chain->point)
		point = g_strdup(chain->point);
	else if (is_about_crl(code))
		point = point_of(pvs_court_store(court), cert->cert);
	warn(warnings,
	     "%s: no host key that this signing key signed is accepted: %s (%s%s%s%s%s); %s",
	     cert->file, pvs_error_sentence(code), or_empty(pvs_error_name(chain->refusal)),
	     chain->subject ? ": " : "", or_empty(chain->subject), point ? ", " : "",
	     or_empty(point), pvs_error_hint(code));
}

static void warn_of_signing_keys(GPtrArray *warnings, PvsCourt *court, gint64 now)
{
	const PvsStore *store = pvs_court_store(court);

	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *cert = pvs_store_cert(store, i);
		gint64 until;

		if (cert->kind == PVS_CERT_SIGNING_KEY &&
		    pvs_x509_time(X509_get0_notAfter(cert->cert), &until) &&
		    !pvs_due_has_successor(store, cert, until, now))
			warn_of_signing_key(warnings, court, cert);
	}
}

/* Of each issuer the one that lasts longest. */
static void warn_of_crls(GPtrArray *warnings, const PvsStore *store, gint64 now)
{
	for (guint i = 0; i < pvs_store_n_crls(store); i++) {
		const PvsStoreCrl *crl = pvs_store_crl(store, i);
		gint64 from, until;

		if (pvs_x509_time(X509_CRL_get0_lastUpdate(crl->crl), &from) &&
		    pvs_x509_time(X509_CRL_get0_nextUpdate(crl->crl), &until) &&
		    pvs_inventory_is_soon(from, until, now) &&
		    pvs_due_last_of_issuer(store, crl) == crl)
			warn_of_end(warnings, crl->file, "CRL",
				    "install a current one and reload the daemon", from, until,
				    now);
	}
}

static void warn_of_host_keys(GPtrArray *warnings, PvsCourt *court, gint64 now)
{
	const PvsStore *store = pvs_court_store(court);
	g_autoptr(GPtrArray) names = pvs_store_host_key_names(store);

	for (guint i = 0; i < names->len; i++) {
		PvsError reason;
		g_autoptr(PvsVerdict) verdict = judge_installed(court, names->pdata[i], &reason);

		if (!verdict)
			warn(warnings, "host key %s is not good: %s; %s",
			     (const char *)names->pdata[i], pvs_error_sentence(reason),
			     pvs_error_hint(reason));
		else
			warn_of_end(warnings, names->pdata[i], "host-key document",
				    "get its successor from IBM", verdict->not_after - 90 * DAY,
				    verdict->not_after, now);
	}
}

GPtrArray *pvs_inventory_warnings(PvsCourt *court)
{
	GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
	gint64 now = pvs_court_now(court);

	if (pvs_court_clock_behind(court) > 0)
		warn(warnings, "the clock has gone back, or is behind a CRL that was seen before; "
			       "set this machine's clock");
	if (!pvs_court_keeps_marks(court))
		warn(warnings,
		     "which CRLs were seen is not kept: an older one put in the place of a newer "
		     "one is not noticed; make the directory of CrlMarks= and restart the daemon");
	warn_of_signing_keys(warnings, court, now);
	warn_of_certs(warnings, pvs_court_store(court), now);
	warn_of_crls(warnings, pvs_court_store(court), now);
	warn_of_host_keys(warnings, court, now);
	return warnings;
}
