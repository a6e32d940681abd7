/* SPDX-License-Identifier: MIT */
/*
 * expiry.c - what is installed and will not be good for much longer
 */
#include "fetcher/expiry.h"

#include <string.h>

#include "daemon/trust/due.h"
#include "daemon/trust/x509.h"

enum { DAY = 24 * 60 * 60 }; /* seconds */

typedef struct {
	GPtrArray *lines;
	gint64 now;
	gint64 most; /* seconds: what expires later is not worth a line yet */
} Look;

static void say(Look *l, const char *file, const char *what, gint64 when, const char *remedy)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when);
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : NULL;

	g_ptr_array_add(l->lines, g_strdup_printf("%s: %s %s %s; %s", file, what,
						  when <= l->now ? "expired" : "expires",
						  text ? text : "", remedy));
}

static void look_at_crls(Look *l, const PvsStore *store)
{
	for (guint i = 0; i < pvs_store_n_crls(store); i++) {
		const PvsStoreCrl *entry = pvs_store_crl(store, i);
		gint64 from, when;

		if (pvs_x509_time(X509_CRL_get0_lastUpdate(entry->crl), &from) &&
		    pvs_x509_time(X509_CRL_get0_nextUpdate(entry->crl), &when) &&
		    pvs_due_is_soon(from, when, l->now, l->most) &&
		    pvs_due_last_of_issuer(store, entry) == entry)
			say(l, entry->file, "the CRL", when, "fetch or install a newer one");
	}
}

static void look_at_certs(Look *l, const PvsStore *store)
{
	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *entry = pvs_store_cert(store, i);
		gint64 when;

		if (pvs_store_has_bundle(store) &&
		    strcmp(entry->file, pvs_store_root_file(store)) == 0)
			continue;
		if (!pvs_x509_time(X509_get0_notAfter(entry->cert), &when) ||
		    when > l->now + l->most || pvs_due_has_successor(store, entry, when, l->now))
			continue;
		say(l, entry->file, "the certificate", when, "install its successor");
	}
}

GPtrArray *pvs_expiry_look(const PvsStore *store, const PvsPoints *points, gint64 now, guint days)
{
	Look l = {.lines = g_ptr_array_new_with_free_func(g_free),
		  .now = now,
		  .most = (gint64)days * DAY};

	look_at_certs(&l, store);
	look_at_crls(&l, store);
	for (guint i = 0; i < pvs_points_n_documents(points); i++) {
		const char *file;
		X509 *cert = pvs_points_document(points, i, &file);
		gint64 when;

		if (pvs_x509_time(X509_get0_notAfter(cert), &when) && when <= l.now + l.most)
			say(&l, file, "the host-key document", when,
			    "install a current one, or remove it");
	}
	return l.lines;
}
