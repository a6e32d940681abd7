/* SPDX-License-Identifier: MIT */
/*
 * fuzz-store.c - any bytes as a file of the directory that the fetched CRLs stand in
 *
 * That directory is not the owner's. Whatever stands in it, the daemon starts, a good document
 * stays good, nobody's CRL leaves a mark or vouches for a document, and what is installed can be
 * listed.
 *
 * The first byte says how: even: the rest is the file. Odd: the file is one that is genuine, with
 * changes (three bytes each: where, and what is added); it is of the signing key's CRL, of that in
 * PEM beside the intermediate's, of one that will be valid later, or of a certificate. With its
 * highest bit the signing key has no CRL but what is in that file.
 */
#include <string.h>

#include <openssl/err.h>

#include "daemon/trust/crls.h"
#include "daemon/trust/inventory.h"
#include "daemon/trust/x509.h"
#include "tests/unit/trust-world.h"

enum { GENUINE = 4, CRL_SIZE = 1024 * 1024, CRL_ENTRIES = 1000 };

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static GBytes *root, *trust[4]; /* the last is the signing key's CRL */
static GBytes *document;
static GBytes *genuine[GENUINE];
static X509_CRL *later;

static gint64 clock_of_test(void)
{
	return WORLD_NOW;
}

/* Takes both. */
static GBytes *joined(GBytes *one, GBytes *other)
{
	GByteArray *both = g_byte_array_new();

	g_byte_array_append(both, g_bytes_get_data(one, NULL), (guint)g_bytes_get_size(one));
	g_byte_array_append(both, g_bytes_get_data(other, NULL), (guint)g_bytes_get_size(other));
	g_bytes_unref(one);
	g_bytes_unref(other);
	return g_byte_array_free_to_bytes(both);
}

static void start(void)
{
	g_autoptr(X509) host = NULL;
	PvsPkiCrl spec;

	world_start();
	spec = world_signing_crl_spec();
	spec.from = WORLD_DAY;
	spec.until = WORLD_YEAR;
	later = pvs_pki_crl(&spec);
	root = pvs_pki_pem(world_pki->root);
	trust[0] = pvs_pki_pem(world_pki->signing);
	trust[1] = joined(pvs_pki_pem(world_pki->inter), pvs_pki_crl_pem(world_pki->inter_crl));
	trust[2] = pvs_pki_crl_der(world_pki->root_crl);
	trust[3] = pvs_pki_crl_der(world_pki->signing_crl);
	host = pvs_pki_host(world_pki, world_host_key);
	document = pvs_pki_der(host);
	genuine[0] = pvs_pki_crl_der(world_pki->signing_crl);
	genuine[1] = joined(pvs_pki_crl_pem(world_pki->inter_crl),
			    pvs_pki_crl_pem(world_pki->signing_crl));
	genuine[2] = pvs_pki_crl_der(later);
	genuine[3] = pvs_pki_der(world_pki->signing);
}

/* Takes no bytes: they are used again. */
static void add(PvsStoreFiles *files, PvsFileKind kind, const char *name, GBytes *bytes)
{
	PvsStoreFile *file = g_new0(PvsStoreFile, 1);

	file->kind = kind;
	file->path = g_strdup(name);
	file->name = g_strdup(name);
	file->bytes = g_bytes_ref(bytes);
	g_ptr_array_add(files->files, file);
}

static PvsStore *load(GBytes *fetched, gboolean whole)
{
	g_autoptr(PvsStoreFiles) files = pvs_store_files_none();
	g_autoptr(GError) error = NULL;
	PvsStore *store;

	files->crl_size = CRL_SIZE;
	files->crl_entries = CRL_ENTRIES;
	files->root_file = g_strdup("root");
	add(files, PVS_FILE_ROOT, "root", root);
	for (gsize i = 0; i < G_N_ELEMENTS(trust) - (whole ? 0 : 1); i++)
		add(files, PVS_FILE_TRUST, "trust", trust[i]);
	add(files, PVS_FILE_CRL, "fetched", fetched);
	add(files, PVS_FILE_HOST_KEY, "host", document);
	store = pvs_store_new(files, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	/* No certificate comes from there. */
	g_assert_cmpuint(pvs_store_n_certs(store), ==, 3);
	return store;
}

/* The signed part is that of @good. What stands around it (RFC 5280 has the algorithm there once
 * more) is nobody's word. */
static gboolean says_the_same(X509_CRL *crl, X509_CRL *good)
{
	guint8 *tbs = NULL, *other = NULL;
	int size = i2d_re_X509_CRL_tbs(crl, &tbs), other_size = i2d_re_X509_CRL_tbs(good, &other);
	gboolean same = size > 0 && size == other_size && memcmp(tbs, other, (gsize)size) == 0;

	OPENSSL_free(tbs);
	OPENSSL_free(other);
	ERR_clear_error();
	return same;
}

static gboolean has(const PvsStore *store, X509_CRL *good)
{
	for (guint i = 0; i < pvs_store_n_crls(store); i++)
		if (says_the_same(pvs_store_crl(store, i)->crl, good))
			return TRUE;
	return FALSE;
}

static gboolean holds(PvsCourt *court)
{
	static const guint8 nothing[32];
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) verdict =
		pvs_court_judge(court, document, NULL, NULL, nothing, &error);

	if (error)
		g_assert_true(error->domain == PVS_ERROR &&
			      pvs_error_code((PvsError)error->code) == -32002);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	return verdict != NULL;
}

static void install(GBytes *fetched, gboolean whole)
{
	g_autoptr(PvsStore) store = load(fetched, whole);
	g_autoptr(PvsCourt) court = pvs_court_new(store, clock_of_test);
	PvsMarks *marks = pvs_marks_new(-1, NULL); /* the court's */
	g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};
	gboolean there = has(store, world_pki->signing_crl);
	gint64 marked;

	pvs_court_set_marks(court, marks);
	pvs_court_tick(court, NULL);
	marked = pvs_marks_latest(marks);
	/* The signing key's CRL may be there with something wrong around it, or beside others. */
	if (whole || marked != G_MININT64)
		g_assert_cmpint(marked, ==, WORLD_NOW - WORLD_DAY);
	g_assert_true(there || marked == G_MININT64);
	g_assert_true(holds(court) ? there : !whole);
	pvs_inventory_take(court, &is);
	g_assert_cmpuint(is.entries.n, >=, 3);
}

static void try(const guint8 *data, gsize size, gboolean whole)
{
	g_autoptr(GBytes) fetched = g_bytes_new(data, size);

	install(fetched, whole);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	const guint8 *good;
	g_autofree guint8 *copy = NULL;
	gboolean whole;
	gsize n;

	if (!root)
		start();
	if (size == 0)
		return 0;
	whole = (data[0] & 0x80) == 0;
	if (data[0] % 2 == 0) {
		try(data + 1, size - 1, whole);
		return 0;
	}
	good = g_bytes_get_data(genuine[data[0] / 2 % GENUINE], &n);
	copy = g_memdup2(good, n);
	for (gsize i = 1; i + 3 <= size; i += 3)
		copy[(data[i] << 8 | data[i + 1]) % n] += data[i + 2];
	try(copy, n, whole);
	return 0;
}
