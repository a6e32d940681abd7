/* SPDX-License-Identifier: MIT */
/*
 * points.c - where the certificates that the owner installed say that their CRLs are
 */
#include "fetcher/points.h"

#include <string.h>

#include <openssl/err.h>

#include "daemon/trust/x509.h"

enum {
	URL_SIZE_MAX = 2048, /* bytes */
	POINTS_MAX = 16,     /* of one certificate: more are nobody's, but somebody's attack */
	SHOWN_MAX = 256,     /* bytes of a URL in a note */
};

typedef struct {
	char *file;
	X509 *cert;
} Document;

struct PvsPoints {
	GPtrArray *points;    /* of PvsPoint */
	GHashTable *by_url;   /* url -> PvsPoint, neither owned */
	GPtrArray *documents; /* of Document */
	GPtrArray *notes;
};

static void G_GNUC_PRINTF(2, 3) note(PvsPoints *points, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(points->notes, g_strdup_vprintf(format, args));
	va_end(args);
}

static void clear_claim(gpointer claim)
{
	g_free(((PvsClaim *)claim)->file);
}

static void free_point(gpointer data)
{
	PvsPoint *point = data;

	g_free(point->url);
	g_array_unref(point->claims);
	g_free(point);
}

static void free_document(gpointer data)
{
	Document *document = data;

	g_free(document->file);
	X509_free(document->cert);
	g_free(document);
}

gboolean pvs_points_is_plain(const char *url)
{
	g_autoptr(GUri) uri = NULL;

	if (strlen(url) > URL_SIZE_MAX)
		return FALSE;
	for (const char *c = url; *c; c++)
		if (!g_ascii_isgraph(*c))
			return FALSE;
	uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
	return uri &&
	       (strcmp(g_uri_get_scheme(uri), "http") == 0 ||
		strcmp(g_uri_get_scheme(uri), "https") == 0) &&
	       g_uri_get_host(uri) && *g_uri_get_host(uri) && !g_uri_get_userinfo(uri);
}

static void add_claim(PvsPoints *points, const char *url, const PvsClaim *claim)
{
	PvsPoint *point = g_hash_table_lookup(points->by_url, url);
	PvsClaim copy = *claim;

	if (!point) {
		point = g_new0(PvsPoint, 1);
		point->url = g_strdup(url);
		point->claims = g_array_new(FALSE, FALSE, sizeof(PvsClaim));
		g_array_set_clear_func(point->claims, clear_claim);
		g_ptr_array_add(points->points, point);
		g_hash_table_insert(points->by_url, point->url, point);
	}
	copy.file = g_strdup(claim->file);
	g_array_append_val(point->claims, copy);
}

/* The certificates of the store whose key signed @cert. By the signature, not the name: that is
 * what counts, and a signing key's issuer may be written in more than one way. */
static GPtrArray *issuers_of(const PvsStore *store, X509 *cert)
{
	GPtrArray *issuers = g_ptr_array_new();
	g_autoptr(AUTHORITY_KEYID) akid =
		X509_get_ext_d2i(cert, NID_authority_key_identifier, NULL, NULL);

	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		X509 *issuer = pvs_store_cert(store, i)->cert;
		EVP_PKEY *key = X509_get0_pubkey(issuer);

		if (key && (!akid || X509_check_akid(issuer, akid) == X509_V_OK) &&
		    X509_verify(cert, key) == 1)
			g_ptr_array_add(issuers, issuer);
	}
	ERR_clear_error();
	return issuers;
}

static void add_name(PvsPoints *points, const GENERAL_NAME *name, GPtrArray *issuers, X509 *cert,
		     const char *file)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	g_autofree char *shown = NULL;
	g_autofree char *url = NULL;
	gsize size;

	if (type != GEN_URI)
		return;
	size = (gsize)ASN1_STRING_length(value);
	url = g_strndup((const char *)ASN1_STRING_get0_data(value), size);
	shown = pvs_x509_text((const char *)ASN1_STRING_get0_data(value), size, SHOWN_MAX);
	if (strlen(url) != size || !pvs_points_is_plain(url)) {
		note(points,
		     "%s: the distribution point %s is not fetched: not a plain http or https URL",
		     file, shown);
		return;
	}
	for (guint i = 0; i < issuers->len; i++) {
		const PvsClaim claim = {cert, issuers->pdata[i], (char *)file};

		add_claim(points, url, &claim);
	}
}

static void add_points(PvsPoints *points, const PvsStore *store, X509 *cert, const char *file)
{
	g_autoptr(CRL_DIST_POINTS) named =
		X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	g_autoptr(GPtrArray) issuers = NULL;

	ERR_clear_error();
	if (sk_DIST_POINT_num(named) <= 0)
		return;
	issuers = issuers_of(store, cert);
	if (issuers->len == 0) {
		note(points,
		     "%s: no certificate of the store signed it, so its CRLs are not fetched; "
		     "install its issuer",
		     file);
		return;
	}
	for (int i = 0; i < sk_DIST_POINT_num(named) && i < POINTS_MAX; i++) {
		const DIST_POINT *point = sk_DIST_POINT_value(named, i);

		/* A name relative to the issuer's, a CRL of somebody else or one for some reasons
		 * only is of no use to the daemon. */
		if (!point->distpoint || point->distpoint->type != 0 || point->CRLissuer ||
		    point->reasons) {
			note(points,
			     "%s: a distribution point is not fetched: relative, or not for all "
			     "reasons, or of another issuer",
			     file);
			continue;
		}
		for (int j = 0;
		     j < sk_GENERAL_NAME_num(point->distpoint->name.fullname) && j < POINTS_MAX;
		     j++)
			add_name(points, sk_GENERAL_NAME_value(point->distpoint->name.fullname, j),
				 issuers, cert, file);
	}
}

PvsPoints *pvs_points_find(const PvsStore *store)
{
	PvsPoints *points = g_new0(PvsPoints, 1);
	g_autoptr(GPtrArray) names = pvs_store_host_key_names(store);

	points->points = g_ptr_array_new_with_free_func(free_point);
	points->by_url = g_hash_table_new(g_str_hash, g_str_equal);
	points->documents = g_ptr_array_new_with_free_func(free_document);
	points->notes = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *entry = pvs_store_cert(store, i);

		/* What the machine trusts besides has nothing to do with host keys. */
		if (!pvs_store_has_bundle(store) ||
		    strcmp(entry->file, pvs_store_root_file(store)) != 0)
			add_points(points, store, entry->cert, entry->file);
	}
	for (guint i = 0; i < names->len; i++) {
		GBytes *bytes = pvs_store_host_key(store, names->pdata[i]);
		gsize size;
		const guint8 *data = g_bytes_get_data(bytes, &size);
		X509 *cert = pvs_x509_read_document(data, size, NULL);
		Document *document;

		if (!cert)
			continue; /* the store has none that cannot be read */
		document = g_new0(Document, 1);
		document->file = g_strdup(names->pdata[i]);
		document->cert = cert;
		g_ptr_array_add(points->documents, document);
		add_points(points, store, cert, document->file);
	}
	return points;
}

void pvs_points_free(PvsPoints *points)
{
	if (!points)
		return;
	g_hash_table_unref(points->by_url);
	g_ptr_array_unref(points->points);
	g_ptr_array_unref(points->documents);
	g_ptr_array_unref(points->notes);
	g_free(points);
}

guint pvs_points_n(const PvsPoints *points)
{
	return points->points->len;
}

const PvsPoint *pvs_points_get(const PvsPoints *points, guint i)
{
	return points->points->pdata[i];
}

guint pvs_points_n_documents(const PvsPoints *points)
{
	return points->documents->len;
}

X509 *pvs_points_document(const PvsPoints *points, guint i, const char **file)
{
	const Document *document = points->documents->pdata[i];

	*file = document->file;
	return document->cert;
}

const GPtrArray *pvs_points_notes(const PvsPoints *points)
{
	return points->notes;
}
