/* SPDX-License-Identifier: MIT */
/*
 * test-fetcher.c - which points are fetched from, what is kept of what comes, what is said at the
 * end
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "fetcher/expiry.h"
#include "fetcher/judge.h"
#include "fetcher/points.h"
#include "fetcher/shelf.h"
#include "tests/unit/trust-world.h"

static EVP_PKEY *stranger; /* RSA-3072, nobody's */

/* ---- points ---- */

static void test_plain(void)
{
	static const struct {
		const char *url;
		gboolean good;
	} cases[] = {
		{"http://crl.example/a.crl", TRUE},
		{"https://crl.example:8443/a%20b?c=d", TRUE},
		{"http://[2001:db8::1]/a", TRUE},
		{"ldap://crl.example/cn=a", FALSE},
		{"ftp://crl.example/a", FALSE},
		{"file:///etc/passwd", FALSE},
		{"httpx://crl.example/a", FALSE},
		{"http:///a", FALSE},
		{"http:a", FALSE},
		{"/a.crl", FALSE},
		{"", FALSE},
		{"http://user@crl.example/a", FALSE},
		{"http://user:word@crl.example/a", FALSE},
		{"http://crl.example/a b", FALSE},
		{"http://crl.example/a\n", FALSE},
		{"http://crl.example/\x7f", FALSE},
		{"http://crl.example/\xc3\xa4", FALSE},
	};
	g_autofree char *longest = g_strdup_printf("http://a/%0*d", 2048 - 9, 0);
	g_autofree char *longer = g_strconcat(longest, "0", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].url);
		g_assert_cmpint(pvs_points_is_plain(cases[i].url), ==, cases[i].good);
	}
	g_assert_cmpuint(strlen(longest), ==, 2048);
	g_assert_true(pvs_points_is_plain(longest));
	g_assert_false(pvs_points_is_plain(longer));
}

/* The extension in DER, as pki.h takes it: @n points of @names URIs each, http://a/POINT/NAME. */
static char *points_of(guint n, guint names)
{
	CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
	guint8 *der = NULL;
	GString *text = g_string_new("2.5.29.31=DER:");
	int size;

	for (guint i = 0; i < n; i++) {
		DIST_POINT *point = DIST_POINT_new();

		point->distpoint = DIST_POINT_NAME_new();
		point->distpoint->type = 0; /* a full name */
		point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
		for (guint j = 0; j < names; j++) {
			g_autofree char *url = g_strdup_printf("http://a/%u/%u", i, j);
			GENERAL_NAME *name = GENERAL_NAME_new();
			ASN1_IA5STRING *value = ASN1_IA5STRING_new();

			g_assert_cmpint(ASN1_STRING_set(value, url, -1), ==, 1);
			GENERAL_NAME_set0_value(name, GEN_URI, value);
			sk_GENERAL_NAME_push(point->distpoint->name.fullname, name);
		}
		sk_DIST_POINT_push(points, point);
	}
	size = i2d_CRL_DIST_POINTS(points, &der);
	for (int i = 0; i < size; i++)
		g_string_append_printf(text, "%02x", der[i]);
	OPENSSL_free(der);
	CRL_DIST_POINTS_free(points);
	return g_string_free(text, FALSE);
}

static X509 *host_with(const char *extension, EVP_PKEY *signer)
{
	PvsPkiCert spec = world_host_spec();
	const char *const extensions[] = {extension, NULL};

	spec.extensions = extensions;
	if (signer)
		spec.issuer_key = signer;
	return pvs_pki_cert(&spec);
}

static void put_host(World *world, const char *name, const char *extension, EVP_PKEY *signer)
{
	g_autoptr(X509) host = host_with(extension, signer);

	world_put_cert(world, name, host);
}

/* In DER: http://a/ in full, and the place CN=a below the issuer's name. */
#define FULL	 "a00da00b8609687474703a2f2f612f"
#define RELATIVE "a00ca10a300806035504030c0161"

static void test_points(void)
{
	static const struct {
		const char *what, *extension;
		guint points, notes;
	} cases[] = {
		{"one", "2.5.29.31=DER:3011300f" FULL, 1, 0},
		{"two", "crlDistributionPoints=URI:http://a/,URI:http://b/", 2, 0},
		{"the same twice", "crlDistributionPoints=URI:http://a/,URI:http://a/", 1, 0},
		{"of no use", "crlDistributionPoints=URI:ldap://a/,URI:http://b/", 1, 1},
		{"no URI", "crlDistributionPoints=DNS:a", 0, 0},
		{"relative", "2.5.29.31=DER:3010300e" RELATIVE, 0, 1},
		{"for some reasons", "2.5.29.31=DER:30153013" FULL "81020640", 0, 1},
		{"of another issuer", "2.5.29.31=DER:301e301c" FULL "a20b8609687474703a2f2f612f", 0,
		 1},
		{"of another issuer alone", "2.5.29.31=DER:300f300da20b8609687474703a2f2f612f", 0,
		 1},
		/* A NUL would hide what is behind it. */
		{"a NUL in it", "2.5.29.31=DER:3011300fa00da00b8609687474703a2f2f6100", 0, 1},
		{"one that is empty", "2.5.29.31=DER:30023000", 0, 1},
		{"none", NULL, 0, 0},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		g_autoptr(PvsStore) store = NULL;
		g_autoptr(PvsPoints) points = NULL;

		g_test_message("%s", cases[i].what);
		put_host(world, "hostkeys.d/a.crt", cases[i].extension, NULL);
		store = world_load(world);
		points = pvs_points_find(store);
		g_assert_cmpuint(pvs_points_n(points), ==, cases[i].points);
		g_assert_cmpuint(pvs_points_notes(points)->len, ==, cases[i].notes);
	}
}

static guint count_points(World *world)
{
	g_autoptr(PvsStore) store = world_load(world);
	g_autoptr(PvsPoints) points = pvs_points_find(store);

	return pvs_points_n(points);
}

/* What one certificate can make this program do is bounded. */
static void test_bounds(void)
{
	static const struct {
		guint points, names, taken;
	} cases[] = {{16, 1, 16}, {17, 1, 16}, {1, 16, 16}, {1, 17, 16}};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		g_autofree char *extension = points_of(cases[i].points, cases[i].names);

		put_host(world, "hostkeys.d/a.crt", extension, NULL);
		g_assert_cmpuint(count_points(world), ==, cases[i].taken);
	}
}

/* Who gets a document of his own into hostkeys.d does not decide what is fetched: another
 * certificate of the store has to have signed it, whatever its names and key ids say. */
static void test_strangers(void)
{
	static const char point[] = "crlDistributionPoints=URI:http://a/";
	g_autoptr(World) world = world_new();
	PvsPkiCert inter = world_inter_spec();
	const char *const extensions[] = {point, NULL};

	put_host(world, "hostkeys.d/a.crt", point, stranger);
	g_assert_cmpuint(count_points(world), ==, 0);
	put_host(world, "hostkeys.d/b.crt", point, NULL);
	g_assert_cmpuint(count_points(world), ==, 1);
	/* An authority's, of the same URL: one point, and two that name it. */
	inter.extensions = extensions;
	world_put_cert_of(world, "trust.d/inter.crt", &inter);
	{
		g_autoptr(PvsStore) store = world_load(world);
		g_autoptr(PvsPoints) points = pvs_points_find(store);
		const PvsPoint *one = pvs_points_get(points, 0);

		g_assert_cmpuint(pvs_points_n(points), ==, 1);
		g_assert_cmpuint(one->claims->len, ==, 2);
		g_assert_cmpuint(pvs_points_n_documents(points), ==, 2);
		g_assert_true(g_array_index(one->claims, PvsClaim, 0).issuer !=
			      g_array_index(one->claims, PvsClaim, 1).issuer);
	}
}

static PvsStore *load_as_bundle(World *world, gboolean bundle)
{
	g_autoptr(PvsStoreFiles) files = pvs_store_files_read(&world->paths);
	g_autoptr(GError) error = NULL;
	PvsStore *store;

	files->bundle = bundle;
	store = pvs_store_new(files, &error);
	g_assert_no_error(error);
	return store;
}

/* What the machine trusts besides has nothing to do with host keys: neither its points nor its end
 * are of interest here. */
static void test_bundle(void)
{
	const char *const extensions[] = {"crlDistributionPoints=URI:http://a/", NULL};
	g_autoptr(World) world = world_new();
	PvsPkiCert root = world_root_spec();

	root.extensions = extensions;
	world_put_cert_of(world, "root.crt", &root);
	for (guint bundle = 0; bundle < 2; bundle++) {
		g_autoptr(PvsStore) store = load_as_bundle(world, bundle);
		g_autoptr(PvsPoints) points = pvs_points_find(store);
		g_autoptr(GPtrArray) lines = pvs_expiry_look(store, points, WORLD_NOW, 3650);
		gboolean said = FALSE;

		g_assert_cmpuint(pvs_points_n(points), ==, bundle ? 0 : 1);
		for (guint i = 0; i < lines->len; i++)
			said |= strstr(lines->pdata[i], "root.crt") != NULL;
		g_assert_cmpint(said, ==, !bundle);
	}
}

/* ---- what came ---- */

static void set_entries(PvsPkiCrl *spec)
{
	spec->more = 11;
}

static void set_most_entries(PvsPkiCrl *spec)
{
	spec->more = 10;
}

static void set_forged(PvsPkiCrl *spec)
{
	spec->issuer_key = stranger;
}

static void set_not_yet(PvsPkiCrl *spec)
{
	spec->from = 1;
	spec->until = WORLD_YEAR;
}

static void set_over(PvsPkiCrl *spec)
{
	spec->from = -WORLD_YEAR;
	spec->until = 0;
}

static void set_another(PvsPkiCrl *spec)
{
	spec->issuer_name = "C=US/O=Tests/CN=Somebody else";
}

/* Of authorities alone; the document is none. */
static void set_scope(PvsPkiCrl *spec)
{
	static const char *const extensions[] = {"2.5.29.28=critical,DER:30038201ff", NULL};

	spec->extensions = extensions;
}

static void set_nothing(PvsPkiCrl *spec G_GNUC_UNUSED)
{
}

typedef struct {
	World *world;
	PvsStore *store;
	PvsPoints *points; /* of one document of the signing key's */
	PvsJudge *judge;
} Bench;

static void set_up(Bench *b, gconstpointer data G_GNUC_UNUSED)
{
	b->world = world_new();
	put_host(b->world, "hostkeys.d/a.crt", "crlDistributionPoints=URI:http://a/", NULL);
	b->store = world_load(b->world);
	b->points = pvs_points_find(b->store);
	b->judge = pvs_judge_new(10, WORLD_NOW, NULL);
	g_assert_nonnull(b->judge);
}

static void tear_down(Bench *b, gconstpointer data G_GNUC_UNUSED)
{
	pvs_judge_free(b->judge);
	pvs_points_free(b->points);
	pvs_store_free(b->store);
	world_free(b->world);
}

/* GOOD: kept. Takes @body. */
#define GOOD PVS_ERROR_LAST_
static void expect_judged(Bench *b, GBytes *body, PvsError wanted)
{
	g_autoptr(GError) error = NULL;
	X509 *issuer = NULL;
	g_autoptr(X509_CRL) crl =
		pvs_judge_body(b->judge, pvs_points_get(b->points, 0), body, &issuer, &error);

	g_bytes_unref(body);
	if (wanted == GOOD) {
		g_assert_no_error(error);
		g_assert_nonnull(crl);
		g_assert_cmpint(X509_cmp(issuer, world_pki->signing), ==, 0);
	} else {
		g_assert_null(crl);
		world_assert_reason(error, wanted);
	}
}

static GBytes *joined(GBytes *one, GBytes *other)
{
	GByteArray *both = g_byte_array_new();

	g_byte_array_append(both, g_bytes_get_data(one, NULL), (guint)g_bytes_get_size(one));
	g_byte_array_append(both, g_bytes_get_data(other, NULL), (guint)g_bytes_get_size(other));
	g_bytes_unref(one);
	g_bytes_unref(other);
	return g_byte_array_free_to_bytes(both);
}

static void test_judge(Bench *b, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *what;
		void (*change)(PvsPkiCrl *spec);
		PvsError error;
	} cases[] = {
		{"as it is", set_nothing, GOOD},
		{"as many entries as there may be", set_most_entries, GOOD},
		{"more entries", set_entries, PVS_ERROR_CRL_SIGNATURE},
		{"forged", set_forged, PVS_ERROR_CRL_SIGNATURE},
		{"not yet valid", set_not_yet, PVS_ERROR_CRL_NOT_YET},
		{"over", set_over, PVS_ERROR_CRL_EXPIRED},
		{"another's", set_another, PVS_ERROR_CRL_MISSING},
		{"about others", set_scope, PVS_ERROR_CRL_MISSING},
	};
	X509_CRL *good = world_pki->signing_crl;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsPkiCrl spec = world_signing_crl_spec();
		g_autoptr(X509_CRL) crl = NULL;

		g_test_message("%s", cases[i].what);
		cases[i].change(&spec);
		crl = pvs_pki_crl(&spec);
		expect_judged(b, pvs_pki_crl_der(crl), cases[i].error);
		expect_judged(b, pvs_pki_crl_pem(crl), cases[i].error);
	}
	expect_judged(b, g_bytes_new(NULL, 0), PVS_ERROR_CRL_SIGNATURE);
	expect_judged(b, pvs_pki_der(world_pki->signing), PVS_ERROR_CRL_SIGNATURE);
	expect_judged(b, joined(pvs_pki_crl_pem(good), pvs_pki_crl_pem(good)),
		      PVS_ERROR_CRL_SIGNATURE);
	expect_judged(b, joined(pvs_pki_crl_pem(good), pvs_pki_pem(world_pki->signing)),
		      PVS_ERROR_CRL_SIGNATURE);
	expect_judged(b, joined(pvs_pki_crl_der(good), g_bytes_new("", 1)),
		      PVS_ERROR_CRL_SIGNATURE);
}

/* ---- where it is kept ---- */

static X509_CRL *crl_of(int days, guint64 number, EVP_PKEY *signer)
{
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.from = -days * WORLD_DAY;
	spec.until = WORLD_YEAR;
	spec.number = number;
	if (signer)
		spec.issuer_key = signer;
	return pvs_pki_crl(&spec);
}

/* What comes of @crl where @there is kept. */
static void expect_compared(Bench *b, X509_CRL *there, X509_CRL *crl, PvsError wanted,
			    PvsShelfChange change)
{
	g_autoptr(PvsShelf) shelf = pvs_shelf_open(b->world->crl, TRUE, NULL);
	g_autoptr(GError) error = NULL;
	PvsShelfChange got = PVS_SHELF_SAME;

	g_assert_true(pvs_shelf_put(shelf, "a", there, NULL));
	if (wanted == GOOD) {
		g_assert_true(pvs_shelf_compare(shelf, "a", crl, world_pki->signing, &got, &error));
		g_assert_cmpint(got, ==, change);
	} else {
		g_assert_false(
			pvs_shelf_compare(shelf, "a", crl, world_pki->signing, &got, &error));
		world_assert_reason(error, wanted);
	}
}

static void test_compare(Bench *b, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(X509_CRL) old = crl_of(3, 7, NULL), same_second = crl_of(3, 6, NULL),
			    bare = crl_of(3, 0, NULL), new = crl_of(1, 1, NULL),
			    forged = crl_of(0, 9, stranger);

	expect_compared(b, old, old, GOOD, PVS_SHELF_SAME);
	expect_compared(b, old, new, GOOD, PVS_SHELF_NEW);
	expect_compared(b, new, old, PVS_ERROR_CRL_ROLLED_BACK, PVS_SHELF_SAME);
	expect_compared(b, old, same_second, PVS_ERROR_CRL_ROLLED_BACK, PVS_SHELF_SAME);
	expect_compared(b, same_second, old, GOOD, PVS_SHELF_NEW);
	expect_compared(b, old, bare, GOOD, PVS_SHELF_NEW);
	/* One that somebody left there keeps no later one out. */
	expect_compared(b, forged, old, GOOD, PVS_SHELF_NEW);
	expect_compared(b, world_pki->inter_crl, old, GOOD, PVS_SHELF_NEW);
}

static void test_shelf(Bench *b, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsShelf) shelf = pvs_shelf_open(b->world->crl, TRUE, NULL);
	g_autoptr(PvsShelf) reader = pvs_shelf_open(b->world->crl, FALSE, NULL);
	g_autoptr(X509_CRL) crl = crl_of(1, 1, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *one = pvs_shelf_name(world_pki->signing, "http://a/");
	g_autofree char *other_key = pvs_shelf_name(world_pki->inter, "http://a/");
	g_autofree char *other_url = pvs_shelf_name(world_pki->signing, "http://b/");
	g_autofree char *path = g_build_filename(b->world->crl, one, NULL);
	g_autofree char *left = g_strdup_printf("%s/.%s.new", b->world->crl, one);
	g_autofree char *outside = g_build_filename(b->world->dir, "outside", NULL);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) others = NULL;
	PvsShelfChange change;
	struct stat st;

	g_assert_nonnull(reader);
	g_assert_null(pvs_shelf_open(b->world->crl, TRUE, &error));
	g_assert_nonnull(strstr(error->message, "another pvsecretd-fetch-crl"));
	g_clear_error(&error);
	g_assert_cmpstr(one, !=, other_key);
	g_assert_cmpstr(one, !=, other_url);

	/* What is left of a run that was killed gives way, what is no file does not. */
	g_assert_true(g_file_set_contents(left, "left", -1, NULL));
	g_assert_true(pvs_shelf_put(shelf, one, crl, NULL));
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777 & ~0644u, ==, 0);
	g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
	g_assert_cmpint(symlink(outside, left), ==, 0);
	g_assert_false(pvs_shelf_put(shelf, one, crl, NULL));
	g_assert_false(g_file_test(outside, G_FILE_TEST_EXISTS));
	g_assert_cmpint(unlink(left), ==, 0);
	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(symlink(outside, path), ==, 0);
	g_assert_false(pvs_shelf_compare(shelf, one, crl, world_pki->signing, &change, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_SYSTEM);
	g_assert_cmpint(unlink(path), ==, 0);
	/* Nor is anything waited for. */
	g_clear_error(&error);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	g_assert_false(pvs_shelf_compare(shelf, one, crl, world_pki->signing, &change, &error));
	g_assert_cmpint(unlink(path), ==, 0);

	g_assert_true(pvs_shelf_put(shelf, one, crl, NULL));
	g_assert_true(pvs_shelf_put(shelf, other_url, crl, NULL));
	g_assert_true(pvs_shelf_put(shelf, "abc.crl", crl, NULL));
	g_hash_table_add(names, one);
	others = pvs_shelf_others(shelf, names);
	g_assert_cmpuint(others->len, ==, 1);
	g_assert_cmpstr(others->pdata[0], ==, other_url);
}

/* ---- what is said at the end ---- */

static gboolean is_said(World *world, guint days, const char *text)
{
	g_autoptr(PvsStore) store = world_load(world);
	g_autoptr(PvsPoints) points = pvs_points_find(store);
	g_autoptr(GPtrArray) lines = pvs_expiry_look(store, points, world->now, days);

	for (guint i = 0; i < lines->len; i++)
		if (strstr(lines->pdata[i], text))
			return TRUE;
	return FALSE;
}

static void put_crl(World *world, const char *name, int from, int until, const char *issuer,
		    EVP_PKEY *signer, const char *scope)
{
	PvsPkiCrl spec = world_signing_crl_spec();
	const char *const extensions[] = {scope, NULL};

	spec.from = from * WORLD_DAY;
	spec.until = until * WORLD_DAY;
	spec.issuer_name = issuer;
	spec.extensions = extensions;
	if (signer)
		spec.issuer_key = signer;
	world_put_crl_of(world, name, &spec);
}

static void test_expiry_crl(void)
{
	static const struct {
		int from, until;
		guint days;
		gboolean said;
	} cases[] = {
		/* Of a week: in its last third, however early it is to be warned. */
		{0, 7, 14, FALSE},
		{-4, 3, 14, FALSE},
		{-5, 2, 14, TRUE},
		{-5, 2, 1, FALSE},
		/* Of a year. */
		{-351, 15, 14, FALSE},
		{-351, 14, 14, TRUE},
		{-365, 0, 14, TRUE},
		{-365, 0, 0, TRUE},
	};
	static const char armonk[] =
		"C=US/" PVS_PKI_IBM "/OU=IBM Z Host Key Signing Service/L=Armonk/ST=New York";
	static const char users[] = "2.5.29.28=critical,DER:30038101ff";

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();

		put_crl(world, "trust.d/signing.crl", cases[i].from, cases[i].until, NULL, NULL,
			NULL);
		g_test_message("%d to %d, %u days", cases[i].from, cases[i].until, cases[i].days);
		g_assert_cmpint(is_said(world, cases[i].days, "signing.crl: the CRL expire"), ==,
				cases[i].said);
	}
	{
		g_autoptr(World) world = world_new();

		put_crl(world, "trust.d/signing.crl", -300, 2, NULL, NULL, NULL);
		g_assert_true(is_said(world, 14, "signing.crl"));
		/* Neither a forged one nor one about others succeeds it; */
		put_crl(world, "trust.d/next.crl", -1, 300, NULL, stranger, NULL);
		g_assert_true(is_said(world, 14, "signing.crl"));
		put_crl(world, "trust.d/next.crl", -1, 300, NULL, NULL, users);
		g_assert_true(is_said(world, 14, "signing.crl"));
		/* one does that the issuer signed, by whichever of its names. */
		put_crl(world, "trust.d/next.crl", -1, 300, armonk, NULL, NULL);
		g_assert_false(is_said(world, 14, "signing.crl"));
	}
}

static void test_expiry_cert(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert old = world_signing_spec(), next = world_signing_spec(),
		   host = world_host_spec(), root = world_root_spec(), inter = world_inter_spec();

	old.from = -WORLD_YEAR;
	old.until = 10 * WORLD_DAY;
	world_put_cert_of(world, "trust.d/signing.crt", &old);
	g_assert_false(is_said(world, 9, "signing.crt"));
	g_assert_true(is_said(world, 10, "signing.crt: the certificate expires"));
	/* A renewed one of the same key does the same at once, one of another when it is over. */
	next.key = stranger;
	world_put_cert_of(world, "trust.d/next.crt", &next);
	g_assert_true(is_said(world, 10, "signing.crt"));
	world->now = WORLD_NOW + 10 * WORLD_DAY;
	g_assert_false(is_said(world, 10, "signing.crt"));
	world->now = WORLD_NOW;
	next.key = world_pki->signing_key;
	world_put_cert_of(world, "trust.d/next.crt", &next);
	g_assert_false(is_said(world, 10, "signing.crt"));

	/* One of another kind is none, nor is one of another name. */
	root.from = -WORLD_YEAR;
	root.until = 10 * WORLD_DAY;
	world_put_cert(world, "trust.d/root.crt", world_pki->root);
	world_put_cert_of(world, "root.crt", &root);
	inter.from = -WORLD_YEAR;
	inter.until = 0;
	world_put_cert_of(world, "trust.d/inter.crt", &inter);
	inter.subject = "C=US/O=Tests/CN=Another CA of the tests";
	inter.until = WORLD_YEAR;
	world_put_cert_of(world, "trust.d/another.crt", &inter);
	g_assert_true(is_said(world, 10, "/root.crt: the certificate expires"));
	g_assert_true(is_said(world, 10, "inter.crt: the certificate expired"));

	host.from = -WORLD_YEAR;
	host.until = 10 * WORLD_DAY;
	world_put_cert_of(world, "hostkeys.d/z16.crt", &host);
	g_assert_false(is_said(world, 9, "z16"));
	g_assert_true(is_said(world, 10, "z16: the host-key document expires"));
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	umask(022);
	world_start();
	stranger = pvs_pki_rsa(3072);
	g_test_add_func("/fetcher/points/plain", test_plain);
	g_test_add_func("/fetcher/points/kinds", test_points);
	g_test_add_func("/fetcher/points/bounds", test_bounds);
	g_test_add_func("/fetcher/points/strangers", test_strangers);
	g_test_add_func("/fetcher/points/bundle", test_bundle);
	g_test_add("/fetcher/judge", Bench, NULL, set_up, test_judge, tear_down);
	g_test_add("/fetcher/shelf/compare", Bench, NULL, set_up, test_compare, tear_down);
	g_test_add("/fetcher/shelf/files", Bench, NULL, set_up, test_shelf, tear_down);
	g_test_add_func("/fetcher/expiry/crl", test_expiry_crl);
	g_test_add_func("/fetcher/expiry/certificate", test_expiry_cert);
	status = g_test_run();
	EVP_PKEY_free(stranger);
	world_end();
	return status;
}
