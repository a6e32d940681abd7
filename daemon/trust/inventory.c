/* SPDX-License-Identifier: MIT */
/*
 * inventory.c - what is installed, written down for get_status
 */
#include "daemon/trust/inventory.h"

#include <string.h>

#include "daemon/trust/x509.h"
#include "protocol/bodies.h"

enum {
	STORE_ROOM = 900 * 1024, /* bytes of STORE_IS that entries may take */
	ENTRY_ROOM = 160,	 /* bytes of an entry besides its texts */
	ENTRIES_MAX = 8000,
	TEXT_MAX = 512, /* bytes of a file's name or a warning, as shown */
};

/* Entries of STORE_IS while they are gathered, and how much of the message they take. */
typedef struct {
	GArray *entries; /* of PvsStoreEntry */
	gsize room;
	gboolean full;
} Gathering;

static void gather(Gathering *g, const char *kind, const char *file, const X509_NAME *subject,
		   const ASN1_INTEGER *serial, const ASN1_TIME *from, const ASN1_TIME *until,
		   const guint8 fingerprint[32])
{
	PvsStoreEntry entry = {
		.kind = g_strdup(kind),
		.file = pvs_x509_text(file, strlen(file), TEXT_MAX),
		.subject = pvs_x509_name(subject),
		.serial = pvs_x509_serial(serial),
	};
	gsize size = ENTRY_ROOM + strlen(entry.file) + strlen(entry.subject) + strlen(entry.serial);

	if (fingerprint)
		memcpy(entry.fingerprint, fingerprint, sizeof entry.fingerprint);
	pvs_x509_time(from, &entry.from);
	pvs_x509_time(until, &entry.until);
	if (g->entries->len >= ENTRIES_MAX || size > g->room) {
		g->full = TRUE;
		g_free(entry.kind);
		g_free(entry.file);
		g_free(entry.subject);
		g_free(entry.serial);
		return;
	}
	g->room -= size;
	g_array_append_val(g->entries, entry);
}

static void gather_cert(Gathering *g, const char *kind, const char *file, X509 *cert)
{
	guint8 fingerprint[EVP_MAX_MD_SIZE];
	gboolean known = X509_digest(cert, EVP_sha256(), fingerprint, NULL) == 1;

	gather(g, kind, file, X509_get_subject_name(cert), X509_get0_serialNumber(cert),
	       X509_get0_notBefore(cert), X509_get0_notAfter(cert), known ? fingerprint : NULL);
}

static void gather_all(Gathering *g, const PvsStore *store)
{
	static const char *const kinds[] = {
		[PVS_CERT_ROOT] = "root",
		[PVS_CERT_INTERMEDIATE] = "intermediate",
		[PVS_CERT_SIGNING_KEY] = "signing-key",
	};
	g_autoptr(GPtrArray) names = pvs_store_host_key_names(store);

	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *entry = pvs_store_cert(store, i);

		/* The system's bundle has over a hundred that nobody here asked for. */
		if (entry->kind != PVS_CERT_ROOT || !pvs_store_has_bundle(store))
			gather_cert(g, kinds[entry->kind], entry->file, entry->cert);
	}
	for (guint i = 0; i < pvs_store_n_crls(store); i++) {
		const PvsStoreCrl *entry = pvs_store_crl(store, i);
		g_autoptr(ASN1_INTEGER) number =
			X509_CRL_get_ext_d2i(entry->crl, NID_crl_number, NULL, NULL);

		gather(g, "crl", entry->file, X509_CRL_get_issuer(entry->crl), number,
		       X509_CRL_get0_lastUpdate(entry->crl), X509_CRL_get0_nextUpdate(entry->crl),
		       NULL);
	}
	for (guint i = 0; i < names->len; i++) {
		GBytes *bytes = pvs_store_host_key(store, names->pdata[i]);
		gsize size;
		const guint8 *data = g_bytes_get_data(bytes, &size);
		g_autoptr(X509) cert = pvs_x509_read_document(data, size, NULL);

		if (cert)
			gather_cert(g, "host-key", names->pdata[i], cert);
	}
}

PvsWriter pvs_inventory_write(const PvsStore *store)
{
	static const char full[] = "not all that is installed is listed: there is too much";
	const GPtrArray *warnings = pvs_store_warnings(store);
	Gathering g = {g_array_new(FALSE, FALSE, sizeof(PvsStoreEntry)), STORE_ROOM, FALSE};
	g_auto(PvsStoreIs) body = {{NULL, 0}, {NULL, 0}};
	PvsWarning *texts;
	PvsWriter w = pvs_writer(); /* given away */

	gather_all(&g, store);
	body.entries.n = g.entries->len;
	body.entries.items = g_array_free(g.entries, FALSE);
	texts = pvs_list_init(&body.warnings, PvsWarning, warnings->len + (g.full ? 1 : 0));
	for (guint i = 0; i < warnings->len; i++)
		texts[i].text =
			pvs_x509_text(warnings->pdata[i], strlen(warnings->pdata[i]), TEXT_MAX);
	if (g.full)
		texts[warnings->len].text = g_strdup(full);
	pvs_body_put(&w, pvs_store_is_fields, &body);
	return w;
}
