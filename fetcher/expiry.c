/* SPDX-License-Identifier: MIT */
/*
 * expiry.c - what is installed and will not be good for much longer
 */
#include "fetcher/expiry.h"

#include <string.h>

#include "daemon/trust/x509.h"

enum { DAY = 24 * 60 * 60 }; /* seconds */

typedef struct {
	GPtrArray *lines;
	gint64 now;
	gint64 until; /* what expires later is not worth a line yet */
} Look;

static void say(Look *l, const char *file, const char *what, gint64 when, const char *remedy)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when);
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : NULL;

	g_ptr_array_add(l->lines, g_strdup_printf("%s: %s %s %s; %s", file, what,
						  when <= l->now ? "expired" : "expires",
						  text ? text : "", remedy));
}

static gboolean same_extension(const X509_CRL *a, const X509_CRL *b, int nid)
{
	int i = X509_CRL_get_ext_by_NID(a, nid, -1), j = X509_CRL_get_ext_by_NID(b, nid, -1);

	if (i < 0 || j < 0)
		return i < 0 && j < 0;
	return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_CRL_get_ext(a, i)),
				     X509_EXTENSION_get_data(X509_CRL_get_ext(b, j))) == 0;
}

/* Of the same issuer and key, about the same certificates. */
static gboolean same_purpose(const X509_CRL *a, const X509_CRL *b)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(a), X509_CRL_get_issuer(b)) == 0 &&
	       same_extension(a, b, NID_authority_key_identifier) &&
	       same_extension(a, b, NID_issuing_distribution_point);
}

static void look_at_crls(Look *l, const PvsStore *store)
{
	for (guint i = 0; i < pvs_store_n_crls(store); i++) {
		const PvsStoreCrl *entry = pvs_store_crl(store, i);
		gboolean succeeded = FALSE;
		gint64 when;

		if (!pvs_x509_time(X509_CRL_get0_nextUpdate(entry->crl), &when) || when > l->until)
			continue;
		for (guint j = 0; j < pvs_store_n_crls(store) && !succeeded; j++) {
			X509_CRL *other = pvs_store_crl(store, j)->crl;
			gint64 other_when;

			succeeded = j != i && same_purpose(entry->crl, other) &&
				    pvs_x509_time(X509_CRL_get0_nextUpdate(other), &other_when) &&
				    (other_when > when || (other_when == when && j < i));
		}
		if (!succeeded)
			say(l, entry->file, "the CRL", when, "fetch or install a newer one");
	}
}

static gboolean has_successor(const PvsStore *store, X509 *cert, gint64 now)
{
	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		X509 *other = pvs_store_cert(store, i)->cert;
		gint64 until;

		if (X509_NAME_cmp(X509_get_subject_name(other), X509_get_subject_name(cert)) == 0 &&
		    pvs_x509_time(X509_get0_notAfter(other), &until) && until > now)
			return TRUE;
	}
	return FALSE;
}

static void look_at_certs(Look *l, const PvsStore *store)
{
	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *entry = pvs_store_cert(store, i);
		gint64 when;

		if (pvs_store_has_bundle(store) &&
		    strcmp(entry->file, pvs_store_root_file(store)) == 0)
			continue;
		if (!pvs_x509_time(X509_get0_notAfter(entry->cert), &when) || when > l->until ||
		    (when <= l->now && has_successor(store, entry->cert, l->now)))
			continue;
		say(l, entry->file, "the certificate", when, "install its successor");
	}
}

GPtrArray *pvs_expiry_look(const PvsStore *store, const PvsPoints *points, gint64 now, guint days)
{
	Look l = {.lines = g_ptr_array_new_with_free_func(g_free),
		  .now = now,
		  .until = now + (gint64)days * DAY};

	look_at_certs(&l, store);
	look_at_crls(&l, store);
	for (guint i = 0; i < pvs_points_n_documents(points); i++) {
		const char *file;
		X509 *cert = pvs_points_document(points, i, &file);
		gint64 when;

		if (pvs_x509_time(X509_get0_notAfter(cert), &when) && when <= l.until)
			say(&l, file, "the host-key document", when,
			    "install a current one, or remove it");
	}
	return l.lines;
}
