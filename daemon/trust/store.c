/* SPDX-License-Identifier: MIT */
/*
 * store.c - the certificates and CRLs that the daemon's owner installed
 */
#include "daemon/trust/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/owners.h"
#include "daemon/trust/names.h"
#include "daemon/trust/x509.h"
#include "protocol/error.h"
#include "protocol/names.h"

enum {
	CERT_FILE_MAX = 1024 * 1024,	    /* bytes */
	BUNDLE_FILE_MAX = 16 * 1024 * 1024, /* bytes of the system's bundle */
	WARNINGS_MAX = 100,
};

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

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

/* What kind of file is read, and so what may be in it. */
typedef enum { ROOT_FILE, TRUST_FILE, CRL_FILE, HOST_KEY_FILE } Kind;

/* What is being loaded, and what was found wrong on the way. */
typedef struct {
	PvsStore *store;
	const PvsStorePaths *paths;
	Kind kind;	     /* of what is read now */
	GString *complaints; /* a line for each file */
	gsize crl_bytes;
	guint64 crl_entries;
} Loading;

static void G_GNUC_PRINTF(2, 3) warn(Loading *l, const char *format, ...)
{
	va_list args;

	if (l->store->warnings->len >= WARNINGS_MAX)
		return;
	va_start(args, format);
	g_ptr_array_add(l->store->warnings, g_strdup_vprintf(format, args));
	va_end(args);
}

/* The directory for CRLs is not the owner's but the fetcher's: whatever stands there must not keep
 * the daemon from starting. */
static void G_GNUC_PRINTF(2, 3) complain(Loading *l, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (l->kind == CRL_FILE)
		warn(l, "%s (ignored)", text);
	else
		g_string_append_printf(l->complaints, "%s%s", l->complaints->len > 0 ? "\n" : "",
				       text);
}

/* What read() gives, in a buffer with room for a byte more than was there; NULL if it is not as
 * much as was there. */
static guint8 *read_all(int fd, gsize expected)
{
	g_autofree guint8 *data = g_malloc(expected + 1);
	gsize size = 0;

	while (size <= expected) {
		ssize_t n = read(fd, data + size, expected + 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (gsize)n;
	}
	return size == expected ? g_steal_pointer(&data) : NULL;
}

static void complain_unreadable(Loading *l, int directory, const char *path, const char *name,
				int err)
{
	g_autofree char *line = pvs_owners_no_file(directory, name, path, err);

	if (l->kind == ROOT_FILE)
		complain(l,
			 "%s: cannot be read (%s); name a file in RootCA= that the daemon's user "
			 "can read",
			 path, g_strerror(err));
	else
		complain(l, "%s", line);
}

/* Whoever can write what is trusted is trusted: that shall be the owner alone. The system's bundle
 * is the system's, and what the CRL directory holds has to be signed. */
static gboolean judge_owner(Loading *l, const struct stat *st, const char *path)
{
	g_autofree char *wrong = NULL;

	if (l->kind == CRL_FILE || (l->kind == ROOT_FILE && l->store->bundle))
		return TRUE;
	wrong = pvs_owners_wrong(st, path);
	if (wrong)
		complain(l, "%s: %s", path, wrong);
	return !wrong;
}

/* The bytes of the file @name in @directory, at most @max; NULL where the complaint was made. */
static GBytes *read_file(Loading *l, int directory, const char *path, const char *name, gsize max)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	guint8 *data = NULL;

	if (fd < 0 || fstat(fd, &st) < 0) {
		complain_unreadable(l, directory, path, name, errno);
	} else if (!S_ISREG(st.st_mode)) {
		complain(l, "%s: not a regular file; %s", path,
			 l->kind == ROOT_FILE ? "name a file in RootCA=" : "remove it");
	} else if (!judge_owner(l, &st, path)) {
		/* The complaint was made. */
	} else if ((guint64)st.st_size > max) {
		complain(l, "%s: larger than %" G_GSIZE_FORMAT " bytes; %s", path, max,
			 l->kind == ROOT_FILE ? "name a file with the root CA in RootCA="
					      : "remove it, or, if it is a CRL, raise CrlSize=");
	} else {
		data = read_all(fd, (gsize)st.st_size);
		if (!data)
			complain(l,
				 "%s: changed while it was read; install it by renaming, and "
				 "reload",
				 path);
	}
	if (fd >= 0)
		close(fd);
	return data ? g_bytes_new_take(data, (gsize)st.st_size) : NULL;
}

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

static void add_crl(Loading *l, X509_CRL *crl, const char *path, const char *file)
{
	PvsStoreCrl entry = {
		.crl = crl, .file = file, .bad_entry = pvs_x509_crl_has_critical_entry(crl)};
	guint64 n = (guint64)MAX(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 0);

	if (l->crl_entries + n > l->paths->crl_entries) {
		complain(l,
			 "%s: with it the CRLs have more than %u entries; remove CRLs that are "
			 "not needed or raise CrlEntries=",
			 path, l->paths->crl_entries);
		X509_CRL_free(crl);
		return;
	}
	l->crl_entries += n;
	g_array_append_val(l->store->crls, entry);
}

static void take_cert(Loading *l, X509 *cert, const char *path, const char *file)
{
	switch (l->kind) {
	case ROOT_FILE:
		/* Whatever it is: only what the owner put into the trust directory can be a signing
		 * key. A link that stands beside the root is a link, and trusted no more than one.
		 */
		add_cert(l, is_self_issued(cert) ? PVS_CERT_ROOT : PVS_CERT_INTERMEDIATE, cert,
			 file);
		break;
	case TRUST_FILE:
		if (pvs_store_is_signing_key(cert) && !pvs_x509_may_sign(cert))
			warn(l,
			     "%s: the signing key is weaker than RSA-3072 or P-384: no host key "
			     "that it signed is accepted",
			     path);
		add_cert(l,
			 pvs_store_is_signing_key(cert) ? PVS_CERT_SIGNING_KEY
							: PVS_CERT_INTERMEDIATE,
			 cert, file);
		break;
	default:
		warn(l, "%s: a certificate in the directory for CRLs (ignored)", path);
		X509_free(cert);
	}
}

static void load_trust_file(Loading *l, int directory, const char *path, const char *name)
{
	g_autoptr(PvsX509Stack) certs = sk_X509_new_null();
	g_autoptr(PvsCrlStack) crls = sk_X509_CRL_new_null();
	gsize max = l->kind == ROOT_FILE ? BUNDLE_FILE_MAX : MAX(CERT_FILE_MAX, l->paths->crl_size);
	g_autoptr(GBytes) bytes = read_file(l, directory, path, name, max);
	const char *file;
	const guint8 *data;
	gsize size;
	X509 *cert;
	X509_CRL *crl;

	if (!bytes)
		return;
	data = g_bytes_get_data(bytes, &size);
	if (!pvs_x509_read(data, size, certs, crls)) {
		complain(l, "%s: not certificates or CRLs in PEM or DER; %s", path,
			 l->kind == ROOT_FILE ? "name a file with the root CA in RootCA="
					      : "replace or remove it");
		return;
	}
	if (sk_X509_CRL_num(crls) > 0 && size > l->paths->crl_size - l->crl_bytes) {
		complain(l,
			 "%s: with it the CRLs have more than %" G_GSIZE_FORMAT
			 " bytes; remove CRLs that are not needed or raise CrlSize=",
			 path, l->paths->crl_size);
		return;
	}
	if (sk_X509_CRL_num(crls) > 0)
		l->crl_bytes += size;
	file = g_string_chunk_insert_const(l->store->names, name);
	while ((cert = sk_X509_shift(certs)))
		take_cert(l, cert, path, file);
	while ((crl = sk_X509_CRL_shift(crls)))
		add_crl(l, crl, path, file);
}

static void load_host_key(Loading *l, int directory, const char *path, const char *name)
{
	static const char *const endings[] = {".crt", ".pem", ".der"};
	g_autofree char *key = g_strdup(name);
	g_autoptr(GBytes) bytes = NULL;
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
			 path);
		return;
	}
	if (g_hash_table_contains(l->store->host_keys, key)) {
		complain(l, "%s: a second document of the name '%s'; remove one of the two", path,
			 key);
		return;
	}
	bytes = read_file(l, directory, path, name, CERT_FILE_MAX);
	if (!bytes)
		return;
	/* Whether it is genuine is asked at every call. That it is a document can be said now. */
	data = g_bytes_get_data(bytes, &size);
	document = pvs_x509_read_document(data, size, &error);
	if (document)
		g_hash_table_insert(l->store->host_keys, g_steal_pointer(&key),
				    g_steal_pointer(&bytes));
	else
		complain(l, "%s: %s; replace or remove it", path, error->message);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in @path in their order, so that what is reported does not depend on the file system.
 */
static GPtrArray *list_directory(Loading *l, const char *path, DIR *dir)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_name[0] == '.') {
			warn(l, "%s/%s: a hidden file is ignored", path, entry->d_name);
			continue;
		}
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode)) {
			warn(l, "%s/%s: a directory is ignored", path, entry->d_name);
			continue;
		}
		g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	g_ptr_array_sort(names, by_name);
	return names;
}

static void load_directory(Loading *l, const char *path, Kind kind)
{
	g_autoptr(GPtrArray) names = NULL;
	DIR *dir = path ? opendir(path) : NULL;

	l->kind = kind;
	if (!path)
		return;
	if (!dir) {
		if (errno != ENOENT) {
			g_autofree char *line = pvs_owners_no_directory(path, errno);

			complain(l, "%s", line);
		}
		return;
	}
	names = list_directory(l, path, dir);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);

		if (kind == HOST_KEY_FILE)
			load_host_key(l, dirfd(dir), file, names->pdata[i]);
		else
			load_trust_file(l, dirfd(dir), file, names->pdata[i]);
	}
	closedir(dir);
}

static guint count(const PvsStore *store, PvsCertKind kind)
{
	guint n = 0;

	for (guint i = 0; i < store->certs->len; i++)
		if (pvs_store_cert(store, i)->kind == kind)
			n++;
	return n;
}

static void load_roots(Loading *l)
{
	const char *path = l->paths->root_ca ? l->paths->root_ca : SYSTEM_BUNDLE;

	l->kind = ROOT_FILE;
	l->store->root_file = g_strdup(path);
	l->store->bundle = !l->paths->root_ca;
	/* A machine without a bundle may hold keys and have no use for it yet. */
	if (l->store->bundle && access(path, F_OK) < 0) {
		warn(l,
		     "%s: there is no bundle of root CAs; install ca-certificates or set RootCA=",
		     path);
		return;
	}
	load_trust_file(l, AT_FDCWD, path, path);
	if (count(l->store, PVS_CERT_ROOT) == 0 && l->complaints->len == 0)
		complain(l,
			 "%s: there is no self-signed certificate in it; name a file with the root "
			 "CA in RootCA=",
			 path);
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

static void look_over(Loading *l)
{
	for (guint i = 0; i < l->store->certs->len; i++) {
		const PvsStoreCert *entry = pvs_store_cert(l->store, i);

		if (entry->kind == PVS_CERT_INTERMEDIATE && is_self_issued(entry->cert) &&
		    !is_root(l->store, entry->cert))
			warn(l,
			     "%s: a self-signed certificate in the trust directory is not a root "
			     "CA by that; name it with RootCA= if it shall be one",
			     entry->file);
	}
	if (count(l->store, PVS_CERT_SIGNING_KEY) == 0)
		warn(l,
		     "%s: no IBM Z host-key signing key is installed: no host key will be "
		     "accepted",
		     l->paths->trust_directory ? l->paths->trust_directory : "TrustDirectory=");
}

/* Who signed what: asked once, and not at every verification. */
static void find_issuers(PvsStore *store)
{
	for (guint i = 0; i < store->certs->len; i++) {
		X509 *cert = pvs_store_cert(store, i)->cert;
		GArray *list = g_array_new(FALSE, FALSE, sizeof(PvsIssuedCrl));

		for (guint j = 0; j < store->crls->len; j++) {
			const PvsStoreCrl *entry = pvs_store_crl(store, j);
			PvsIssuedCrl issued = {.crl = entry};

			if (!pvs_x509_crl_names(entry->crl, cert))
				continue;
			issued.is_signed = pvs_x509_crl_is_signed(entry->crl, cert);
			g_array_append_val(list, issued);
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

PvsStore *pvs_store_load(const PvsStorePaths *paths, GError **error)
{
	g_autoptr(PvsStore) store = g_new0(PvsStore, 1);
	g_autoptr(GString) complaints = g_string_new(NULL);
	Loading l = {.store = store, .paths = paths, .complaints = complaints};

	store->certs = g_array_new(FALSE, FALSE, sizeof(PvsStoreCert));
	store->crls = g_array_new(FALSE, FALSE, sizeof(PvsStoreCrl));
	store->issued = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
	store->host_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						 (GDestroyNotify)g_bytes_unref);
	store->warnings = g_ptr_array_new_with_free_func(g_free);
	store->names = g_string_chunk_new(1024);
	store->issuer_by_key_id = paths->issuer_by_key_id;

	load_roots(&l);
	load_directory(&l, paths->trust_directory, TRUST_FILE);
	load_directory(&l, paths->crl_directory, CRL_FILE);
	load_directory(&l, paths->host_key_directory, HOST_KEY_FILE);
	if (complaints->len > 0) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, complaints->str);
		return NULL;
	}
	find_issuers(store);
	look_over(&l);
	return g_steal_pointer(&store);
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
