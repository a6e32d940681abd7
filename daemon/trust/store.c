/* SPDX-License-Identifier: MIT */
/*
 * store.c - the certificates and CRLs that the daemon's owner installed
 */
#include "daemon/trust/store.h"

#include <string.h>

#include "daemon/trust/crls.h"
#include "daemon/trust/names.h"
#include "daemon/trust/x509.h"
#include "protocol/error.h"
#include "protocol/names.h"

struct PvsStore {
	GArray *certs;	       /* of PvsStoreCert */
	GArray *crls;	       /* of PvsStoreCrl */
	GHashTable *issued;    /* X509 -> GArray of PvsIssuedCrl */
	GHashTable *host_keys; /* name -> GBytes */
	GPtrArray *warnings;
	GStringChunk *names;
	char *root_file;
	gboolean bundle;
	gboolean issuer_by_key_id;
};

/* What is being loaded, and what was found wrong on the way. */
typedef struct {
	PvsStore *store;
	PvsStoreFiles *files;
	const PvsStoreFile *file; /* that is looked at now */
	gsize crl_bytes;
	guint64 crl_entries;
	guint fetched;	   /* CRLs of the CRL directory */
	GHashTable *taken; /* SHA-256 of each CRL that was, in hex */
} Loading;

#define complain(l, ...) pvs_store_files_complain((l)->files, (l)->file->kind, __VA_ARGS__)

gboolean pvs_store_is_signing_key(const X509 *cert)
{
	return pvs_name_is_signing_key(X509_get_subject_name(cert));
}

static gboolean is_self_issued(const X509 *cert)
{
	return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
}

static void add_cert(Loading *l, PvsCertKind kind, X509 *cert, const char *file)
{
	PvsStoreCert entry = {.kind = kind, .cert = cert, .file = file};

	g_array_append_val(l->store->certs, entry);
}

/* NULL where it cannot be had. */
static char *digest_of(const X509_CRL *crl)
{
	guint8 digest[EVP_MAX_MD_SIZE];
	guint size = 0;
	GString *hex = NULL;

	if (X509_CRL_digest(crl, EVP_sha256(), digest, &size) != 1)
		return NULL;
	hex = g_string_sized_new(2 * size);
	for (guint i = 0; i < size; i++)
		g_string_append_printf(hex, "%02x", digest[i]);
	return g_string_free(hex, FALSE);
}

/* Leaves those that no file before had. A certificate that names two places of one CRL makes two
 * files of it, and the limits are for what has to be kept and looked through. */
static void drop_taken(Loading *l, PvsCrlStack *crls)
{
	for (int i = sk_X509_CRL_num(crls) - 1; i >= 0; i--) {
		g_autofree char *digest = digest_of(sk_X509_CRL_value(crls, i));

		if (digest && g_hash_table_contains(l->taken, digest))
			X509_CRL_free(sk_X509_CRL_delete(crls, i));
	}
}

static void add_crl(Loading *l, X509_CRL *crl, const char *file)
{
	PvsStoreCrl entry = {.crl = crl,
			     .file = file,
			     .kind = l->file->kind,
			     .bad_entry = pvs_x509_crl_has_critical_entry(crl)};
	guint64 n = (guint64)MAX(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 0);
	g_autofree char *digest = digest_of(crl);

	if (!digest || g_hash_table_contains(l->taken, digest)) {
		X509_CRL_free(crl);
		return;
	}
	/* One without entries takes next to nothing of the other limits; but each is looked at
	 * again and again. */
	if (l->file->kind == PVS_FILE_CRL && l->fetched++ >= PVS_FETCHED_MAX) {
		if (l->fetched == PVS_FETCHED_MAX + 1)
			pvs_store_files_warn(l->files,
					     "%s: with it there are more than %d CRLs in the "
					     "directory for CRLs; what comes behind (ignored)",
					     l->file->path, PVS_FETCHED_MAX);
		X509_CRL_free(crl);
		return;
	}
	if (l->crl_entries + n > l->files->crl_entries) {
		complain(l,
			 "%s: with it the CRLs have more than %u entries; remove CRLs that are "
			 "not needed or raise CrlEntries=",
			 l->file->path, l->files->crl_entries);
		X509_CRL_free(crl);
		return;
	}
	l->crl_entries += n;
	g_array_append_val(l->store->crls, entry);
	g_hash_table_add(l->taken, g_steal_pointer(&digest));
}

/* Neither a signing key nor an authority: it can be no link of any chain. */
static void warn_of_stray(Loading *l, X509 *cert)
{
	if (pvs_name_is_signing_key(X509_get_issuer_name(cert)))
		pvs_store_files_warn(l->files,
				     "%s: a host-key document, which is of no use here; it belongs "
				     "into the directory of HostKeyDirectory= (hostkeys.d)",
				     l->file->path);
	else
		pvs_store_files_warn(l->files,
				     "%s: neither a host-key signing key nor a certificate "
				     "authority: of no use here; remove it",
				     l->file->path);
}

static void take_cert(Loading *l, X509 *cert, const char *file)
{
	switch (l->file->kind) {
	case PVS_FILE_ROOT:
		/* Whatever it is: only what the owner put into the trust directory can be a signing
		 * key. A link that stands beside the root is a link, and trusted no more than one.
		 */
		add_cert(l, is_self_issued(cert) ? PVS_CERT_ROOT : PVS_CERT_INTERMEDIATE, cert,
			 file);
		break;
	case PVS_FILE_TRUST:
		if (pvs_store_is_signing_key(cert) && !pvs_x509_may_sign(cert))
			pvs_store_files_warn(l->files,
					     "%s: the signing key is weaker than RSA-3072 or "
					     "P-384: no host key that it signed is accepted",
					     l->file->path);
		if (!pvs_store_is_signing_key(cert) && X509_check_ca(cert) == 0)
			warn_of_stray(l, cert);
		add_cert(l,
			 pvs_store_is_signing_key(cert) ? PVS_CERT_SIGNING_KEY
							: PVS_CERT_INTERMEDIATE,
			 cert, file);
		break;
	default:
		complain(l, "%s: a certificate in the directory for CRLs", l->file->path);
		X509_free(cert);
	}
}

static void look_at_trust_file(Loading *l)
{
	g_autoptr(PvsX509Stack) certs = sk_X509_new_null();
	g_autoptr(PvsCrlStack) crls = sk_X509_CRL_new_null();
	const char *file;
	const guint8 *data;
	gsize size;
	X509 *cert;
	X509_CRL *crl;

	data = g_bytes_get_data(l->file->bytes, &size);
	if (!pvs_x509_read(data, size, certs, crls)) {
		complain(l, "%s: not certificates or CRLs in PEM or DER; %s", l->file->path,
			 l->file->kind == PVS_FILE_ROOT ? "name a file with the root CA in RootCA="
							: "replace or remove it");
		return;
	}
	drop_taken(l, crls);
	if (sk_X509_CRL_num(crls) > 0 && size > l->files->crl_size - l->crl_bytes) {
		complain(l,
			 "%s: with it the CRLs have more than %" G_GSIZE_FORMAT
			 " bytes; remove CRLs that are not needed or raise CrlSize=",
			 l->file->path, l->files->crl_size);
		return;
	}
	if (sk_X509_CRL_num(crls) > 0)
		l->crl_bytes += size;
	file = g_string_chunk_insert_const(l->store->names, l->file->name);
	while ((cert = sk_X509_shift(certs)))
		take_cert(l, cert, file);
	while ((crl = sk_X509_CRL_shift(crls)))
		add_crl(l, crl, file);
}

static void look_at_host_key(Loading *l)
{
	static const char *const endings[] = {".crt", ".pem", ".der"};
	g_autofree char *key = g_strdup(l->file->name);
	g_autoptr(X509) document = NULL;
	g_autoptr(GError) error = NULL;
	const guint8 *data;
	gsize size;

	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		if (g_str_has_suffix(key, endings[i])) {
			key[strlen(key) - strlen(endings[i])] = '\0';
			break;
		}
	}
	if (!pvs_key_name_valid(key)) {
		complain(l,
			 "%s: not a name for a host-key document (letters, digits and _ . - only, "
			 "at most 64, not starting with a sign); rename the file",
			 l->file->path);
		return;
	}
	if (g_hash_table_contains(l->store->host_keys, key)) {
		complain(l, "%s: a second document of the name '%s'; remove one of the two",
			 l->file->path, key);
		return;
	}
	/* Whether it is genuine is asked at every call. That it is a document can be said now. */
	data = g_bytes_get_data(l->file->bytes, &size);
	document = pvs_x509_read_document(data, size, &error);
	if (document)
		g_hash_table_insert(l->store->host_keys, g_steal_pointer(&key),
				    g_bytes_ref(l->file->bytes));
	else
		complain(l, "%s: %s; replace or remove it", l->file->path, error->message);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static guint count(const PvsStore *store, PvsCertKind kind)
{
	guint n = 0;

	for (guint i = 0; i < store->certs->len; i++)
		if (pvs_store_cert(store, i)->kind == kind)
			n++;
	return n;
}

static gboolean is_root(const PvsStore *store, X509 *cert)
{
	for (guint i = 0; i < store->certs->len; i++) {
		const PvsStoreCert *entry = pvs_store_cert(store, i);

		if (entry->kind == PVS_CERT_ROOT && X509_cmp(entry->cert, cert) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Whose it is, for a line of the log. */
static gboolean is_named(const PvsStore *store, const PvsStoreCrl *entry)
{
	for (guint i = 0; i < store->certs->len; i++)
		if (pvs_x509_crl_names(entry->crl, pvs_store_cert(store, i)->cert))
			return TRUE;
	return FALSE;
}

/* A CRL that is of no use stands in nobody's way, so it is passed over; but its owner took it for a
 * good one, or somebody else put it there. Both want to be known. */
static void look_over_crl(Loading *l, const PvsStoreCrl *entry)
{
	g_autofree char *issuer = pvs_x509_name(X509_CRL_get_issuer(entry->crl));
	int algorithm = X509_CRL_get_signature_nid(entry->crl);
	g_autofree char *weak = NULL;
	const char *flaw = "no certificate of the trust store signed it";

	if (entry->signer) {
		flaw = pvs_crls_flaw(entry->crl, entry->bad_entry, entry->signer);
	} else if (!pvs_x509_strong(algorithm)) {
		/* Whoever signed it: an authority that still does so has to be asked for another.
		 */
		weak = g_strdup_printf("it is signed with %s, and SHA-256 is the least that is "
				       "accepted",
				       OBJ_nid2ln(algorithm));
		flaw = weak;
	} else if (!is_named(l->store, entry)) {
		flaw = "its issuer is not installed";
	}
	if (flaw)
		pvs_store_files_warn_of(
			l->files, entry->kind,
			"%s: the CRL of %s is not used: %s; get it again from where its "
			"issuer publishes it, or remove it",
			entry->file, issuer, flaw);
}

static void look_over(Loading *l)
{
	for (guint i = 0; i < l->store->crls->len; i++)
		look_over_crl(l, pvs_store_crl(l->store, i));
	for (guint i = 0; i < l->store->certs->len; i++) {
		const PvsStoreCert *entry = pvs_store_cert(l->store, i);

		if (entry->kind == PVS_CERT_INTERMEDIATE && is_self_issued(entry->cert) &&
		    !is_root(l->store, entry->cert))
			pvs_store_files_warn(l->files,
					     "%s: a self-signed certificate in the trust directory "
					     "is not a root CA by that; name it with RootCA= if it "
					     "shall be one",
					     entry->file);
	}
	if (count(l->store, PVS_CERT_SIGNING_KEY) == 0)
		pvs_store_files_warn(l->files,
				     "%s: no IBM Z host-key signing key is installed: no host key "
				     "will be accepted",
				     l->files->trust_directory ? l->files->trust_directory
							       : "TrustDirectory=");
}

/* Who signed what: asked once, and not at every verification. */
static void find_issuers(PvsStore *store)
{
	for (guint i = 0; i < store->certs->len; i++) {
		X509 *cert = pvs_store_cert(store, i)->cert;
		GArray *list = g_array_new(FALSE, FALSE, sizeof(PvsIssuedCrl));

		for (guint j = 0; j < store->crls->len; j++) {
			PvsStoreCrl *entry = &g_array_index(store->crls, PvsStoreCrl, j);
			PvsIssuedCrl issued = {.crl = entry};

			if (!pvs_x509_crl_names(entry->crl, cert))
				continue;
			issued.is_signed = pvs_x509_crl_is_signed(entry->crl, cert);
			g_array_append_val(list, issued);
			/* Of several certificates of one key the one that it says it belongs to. */
			if (issued.is_signed &&
			    (!entry->signer ||
			     pvs_crls_flaw(entry->crl, entry->bad_entry, entry->signer)))
				entry->signer = cert;
		}
		g_hash_table_insert(store->issued, cert, list);
	}
	/* OpenSSL sorts the entries when it is first asked for one. */
	for (guint j = 0; j < store->crls->len; j++) {
		g_autoptr(ASN1_INTEGER) any = ASN1_INTEGER_new();
		X509_REVOKED *entry;

		if (any)
			(void)X509_CRL_get0_by_serial(pvs_store_crl(store, j)->crl, &entry, any);
	}
}

static void look_at_files(Loading *l)
{
	gboolean roots = FALSE;

	l->taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < l->files->files->len; i++) {
		l->file = l->files->files->pdata[i];
		if (l->file->kind == PVS_FILE_HOST_KEY)
			look_at_host_key(l);
		else
			look_at_trust_file(l);
		roots = roots || l->file->kind == PVS_FILE_ROOT;
	}
	g_hash_table_unref(l->taken);
	/* Where it could not be read or is something else, that was said. */
	if (roots && count(l->store, PVS_CERT_ROOT) == 0 && l->files->complaints->len == 0)
		pvs_store_files_complain(l->files, PVS_FILE_ROOT,
					 "%s: there is no self-signed certificate in it; name a "
					 "file with the root CA in RootCA=",
					 l->files->root_file);
}

PvsStore *pvs_store_new(PvsStoreFiles *files, GError **error)
{
	g_autoptr(PvsStore) store = g_new0(PvsStore, 1);
	Loading l = {.store = store, .files = files};

	store->certs = g_array_new(FALSE, FALSE, sizeof(PvsStoreCert));
	store->crls = g_array_new(FALSE, FALSE, sizeof(PvsStoreCrl));
	store->issued = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
	store->host_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						 (GDestroyNotify)g_bytes_unref);
	store->warnings = g_ptr_array_ref(files->warnings);
	store->names = g_string_chunk_new(1024);
	store->root_file = g_strdup(files->root_file);
	store->bundle = files->bundle;
	store->issuer_by_key_id = files->issuer_by_key_id;

	look_at_files(&l);
	if (files->complaints->len > 0) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, files->complaints->str);
		return NULL;
	}
	find_issuers(store);
	look_over(&l);
	return g_steal_pointer(&store);
}

PvsStore *pvs_store_load(const PvsStorePaths *paths, GError **error)
{
	g_autoptr(PvsStoreFiles) files = pvs_store_files_read(paths);

	return pvs_store_new(files, error);
}

void pvs_store_free(PvsStore *store)
{
	if (!store)
		return;
	for (guint i = 0; i < store->certs->len; i++)
		X509_free(pvs_store_cert(store, i)->cert);
	for (guint i = 0; i < store->crls->len; i++)
		X509_CRL_free(pvs_store_crl(store, i)->crl);
	g_array_unref(store->certs);
	g_array_unref(store->crls);
	g_hash_table_unref(store->issued);
	g_hash_table_unref(store->host_keys);
	g_ptr_array_unref(store->warnings);
	g_string_chunk_free(store->names);
	g_free(store->root_file);
	g_free(store);
}

guint pvs_store_n_certs(const PvsStore *store)
{
	return store->certs->len;
}

const PvsStoreCert *pvs_store_cert(const PvsStore *store, guint i)
{
	return &g_array_index(store->certs, PvsStoreCert, i);
}

guint pvs_store_n_crls(const PvsStore *store)
{
	return store->crls->len;
}

const PvsStoreCrl *pvs_store_crl(const PvsStore *store, guint i)
{
	return &g_array_index(store->crls, PvsStoreCrl, i);
}

const GArray *pvs_store_issued_by(const PvsStore *store, const X509 *issuer)
{
	return g_hash_table_lookup(store->issued, issuer);
}

const GPtrArray *pvs_store_warnings(const PvsStore *store)
{
	return store->warnings;
}

const char *pvs_store_root_file(const PvsStore *store)
{
	return store->root_file;
}

gboolean pvs_store_has_bundle(const PvsStore *store)
{
	return store->bundle;
}

gboolean pvs_store_issuer_by_key_id(const PvsStore *store)
{
	return store->issuer_by_key_id;
}

GBytes *pvs_store_host_key(const PvsStore *store, const char *name)
{
	return g_hash_table_lookup(store->host_keys, name);
}

GPtrArray *pvs_store_host_key_names(const PvsStore *store)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, store->host_keys);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, by_name);
	return names;
}
