/* SPDX-License-Identifier: MIT */
/*
 * test-court.c - verdicts over time, with a clock of the test's own; and what is said of the store
 */
#include "daemon/trust/court.h"

#include <string.h>

#include "daemon/trust/inventory.h"
#include "tests/unit/trust-world.h"

static gint64 the_time;
static X509 *host;
static GBytes *document;
static const guint8 nothing[32] = {1};

static gint64 clock_of_test(void)
{
	return the_time;
}

/* A store and who judges by it, as trust has them from one reload to the next. */
typedef struct {
	PvsStore *store;
	PvsCourt *court;
} Session;

static void session_clear(Session *session)
{
	g_clear_pointer(&session->court, pvs_court_free);
	g_clear_pointer(&session->store, pvs_store_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

static void load(Session *session, World *world)
{
	session_clear(session);
	session->store = world_load(world);
	session->court = pvs_court_new(session->store, clock_of_test);
	pvs_court_set_marks(session->court, pvs_marks_new(-1, NULL));
	pvs_court_tick(session->court, NULL);
}

/* The reason, NULL for good. */
static const char *judge(Session *session)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) verdict =
		pvs_court_judge(session->court, document, NULL, NULL, nothing, &error);

	g_assert_true((verdict == NULL) == (error != NULL));
	return verdict ? NULL : pvs_error_reason((PvsError)error->code);
}

static gboolean is_said(Session *session, const char *text)
{
	g_autoptr(GPtrArray) warnings = pvs_inventory_warnings(session->court);

	for (guint i = 0; i < warnings->len; i++)
		if (strstr(warnings->pdata[i], text))
			return TRUE;
	return FALSE;
}

/* A CRL of the signing key from so many days ago to so many days on, of the day WORLD_NOW. */
static void put_crl(World *world, const char *name, int from, int until)
{
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.from = from * WORLD_DAY;
	spec.until = until * WORLD_DAY;
	world_put_crl_of(world, name, &spec);
}

/* ---- expiry while running ---- */

static void test_crl_expires(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};

	the_time = WORLD_NOW;
	put_crl(world, "trust.d/signing.crl", -1, 5);
	load(&session, world);
	for (guint i = 0; i < 1000; i++)
		g_assert_cmpstr(judge(&session), ==, NULL);
	/* All but the first cost nothing. */
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	the_time = WORLD_NOW + 5 * WORLD_DAY - 1;
	g_assert_cmpstr(judge(&session), ==, NULL);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	/* The first call at nextUpdate. */
	the_time++;
	g_assert_cmpstr(judge(&session), ==, "crl-expired");
	g_assert_cmpstr(judge(&session), ==, "crl-expired");
	/* A fresh one and a reload. */
	put_crl(world, "trust.d/signing.crl", 4, 11);
	load(&session, world);
	g_assert_cmpstr(judge(&session), ==, NULL);
	/* And back: the verdict was none yet then. */
	the_time = WORLD_NOW + 4 * WORLD_DAY - 1;
	g_assert_cmpstr(judge(&session), ==, "crl-not-yet-valid");
}

static void test_certificate_expires(void)
{
	static const struct {
		const char *file;
		const char *reason;
	} cases[] = {
		{"trust.d/signing.crt", "signing-key-expired"},
		{"trust.d/inter.crt", "signing-key-expired"},
		{"root.crt", "signing-key-expired"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};
		PvsPkiCert specs[] = {world_signing_spec(), world_inter_spec(), world_root_spec()};

		the_time = WORLD_NOW;
		specs[i].from = -WORLD_DAY;
		specs[i].until = 3 * WORLD_DAY;
		world_put_cert_of(world, cases[i].file, &specs[i]);
		load(&session, world);
		g_assert_cmpstr(judge(&session), ==, NULL);
		the_time = WORLD_NOW + 3 * WORLD_DAY - 1;
		g_assert_cmpstr(judge(&session), ==, NULL);
		the_time++;
		g_assert_cmpstr(judge(&session), ==, cases[i].reason);
	}
}

/* ---- marks ---- */

/* A CRL that was not valid yet when the store was loaded: when it is, the older one is over, for
 * verdicts that were reached with it, too. */
static void test_mark_comes(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};

	the_time = WORLD_NOW;
	put_crl(world, "trust.d/signing.crl", -1, 100);
	put_crl(world, "trust.d/next.crl", 2, 100);
	load(&session, world);
	g_assert_cmpstr(judge(&session), ==, NULL);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	the_time = WORLD_NOW + 2 * WORLD_DAY;
	pvs_court_tick(session.court, NULL);
	g_assert_cmpstr(judge(&session), ==, NULL);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 2);
}

/* A CRL that begins later and revokes is heard from its first second on, whoever issued it; and
 * what was granted until then ends then. */
static void test_revoked_later(void)
{
	static const char *const files[] = {"trust.d/next.crl", "trust.d/next.crl",
					    "crl.d/next.crl"};
	const X509 *revoked[] = {host, world_pki->signing, world_pki->inter};
	static const char *const reasons[] = {"revoked", "signing-key-revoked",
					      "signing-key-revoked"};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};
		PvsPkiCrl specs[] = {world_signing_crl_spec(), world_inter_crl_spec(),
				     world_root_crl_spec()};
		const X509 *list[] = {revoked[i], NULL};
		g_autoptr(PvsVerdict) verdict = NULL;

		the_time = WORLD_NOW;
		specs[i].from = 300;
		specs[i].until = WORLD_YEAR;
		specs[i].revoked = list;
		world_put_crl_of(world, files[i], &specs[i]);
		load(&session, world);
		verdict = pvs_court_judge(session.court, document, NULL, NULL, nothing, NULL);
		g_assert_nonnull(verdict);
		g_assert_cmpint(verdict->until, ==, WORLD_NOW + 300);
		the_time = WORLD_NOW + 299;
		g_assert_cmpstr(judge(&session), ==, NULL);
		the_time++;
		g_assert_cmpstr(judge(&session), ==, reasons[i]);
		/* One that nobody signed shortens nothing. */
		the_time = WORLD_NOW;
		specs[i].issuer_key = world_host_key;
		specs[i].digest = EVP_sha512();
		world_put_crl_of(world, files[i], &specs[i]);
		load(&session, world);
		g_clear_pointer(&verdict, pvs_verdict_unref);
		verdict = pvs_court_judge(session.court, document, NULL, NULL, nothing, NULL);
		g_assert_nonnull(verdict);
		g_assert_cmpint(verdict->until, >, WORLD_NOW + WORLD_DAY);
	}
}

/* ---- the clock ---- */

static void test_clock(void)
{
	static const gint64 steps[] = {-WORLD_DAY, WORLD_DAY, 10 * (gint64)WORLD_YEAR,
				       -WORLD_NOW, -30,	      0};

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};

		the_time = WORLD_NOW;
		put_crl(world, "trust.d/signing.crl", -2, 20);
		load(&session, world);
		g_assert_cmpstr(judge(&session), ==, NULL);
		g_assert_false(is_said(&session, "the clock"));
		the_time = WORLD_NOW + steps[i];
		/* A warning, no refusal: but for what is not valid at that time. */
		g_assert_cmpint(is_said(&session, "the clock"), ==, steps[i] < -60);
		if (steps[i] >= -WORLD_DAY && steps[i] <= WORLD_DAY)
			g_assert_cmpstr(judge(&session), ==, NULL);
		else
			g_assert_cmpstr(judge(&session), !=, NULL);
		the_time = WORLD_NOW;
		g_assert_cmpstr(judge(&session), ==, NULL);
	}
}

/* Also across a restart: a CRL that was seen says how late it is at least. */
static void test_clock_behind_mark(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCrl spec = world_signing_crl_spec();
	g_autoptr(X509_CRL) late = NULL;
	PvsMarks *marks = pvs_marks_new(-1, NULL);

	spec.from = 3600;
	spec.until = WORLD_YEAR;
	late = pvs_pki_crl(&spec);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, late, NULL));
	the_time = WORLD_NOW;
	session.store = world_load(world);
	session.court = pvs_court_new(session.store, clock_of_test);
	g_assert_cmpint(pvs_court_clock_behind(session.court), ==, 0);
	pvs_court_set_marks(session.court, marks);
	g_assert_cmpint(pvs_court_clock_behind(session.court), ==, 3600);
	g_assert_true(is_said(&session, "the clock has gone back"));
	the_time = WORLD_NOW + 3600;
	g_assert_cmpint(pvs_court_clock_behind(session.court), ==, 0);
}

/* ---- what is said in good time ---- */

static void test_soon(void)
{
	/* In the last 30 days, or the last third. */
	g_assert_false(pvs_inventory_is_soon(0, 365 * WORLD_DAY, 335 * WORLD_DAY - 1));
	g_assert_true(pvs_inventory_is_soon(0, 365 * WORLD_DAY, 335 * WORLD_DAY));
	g_assert_false(pvs_inventory_is_soon(0, 6 * WORLD_DAY, 4 * WORLD_DAY - 1));
	g_assert_true(pvs_inventory_is_soon(0, 6 * WORLD_DAY, 4 * WORLD_DAY));
	g_assert_true(pvs_inventory_is_soon(0, 6 * WORLD_DAY, 7 * WORLD_DAY));
}

static void test_crl_said(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};

	the_time = WORLD_NOW;
	put_crl(world, "trust.d/signing.crl", -1, 300);
	load(&session, world);
	g_assert_false(is_said(&session, "signing.crl"));
	put_crl(world, "trust.d/signing.crl", -300, 29);
	load(&session, world);
	g_assert_true(is_said(&session, "signing.crl: the CRL expires"));
	/* Not where another lasts, forged ones aside. */
	put_crl(world, "trust.d/next.crl", -1, 300);
	load(&session, world);
	g_assert_false(is_said(&session, "signing.crl"));
	{
		PvsPkiCrl forged = world_signing_crl_spec();

		forged.issuer_key = world_pki->inter_key;
		world_put_crl_of(world, "trust.d/next.crl", &forged);
	}
	load(&session, world);
	g_assert_true(is_said(&session, "signing.crl: the CRL expires"));
	the_time = WORLD_NOW + 29 * WORLD_DAY;
	g_assert_true(is_said(&session, "signing.crl: the CRL expired"));
	g_assert_false(is_said(&session, "next.crl"));
}

static void test_certificate_said(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCert old = world_signing_spec(), other = world_signing_spec();
	EVP_PKEY *key = pvs_pki_rsa(3072);

	the_time = WORLD_NOW;
	load(&session, world);
	g_assert_false(is_said(&session, "signing.crt"));
	old.from = -WORLD_YEAR;
	old.until = 20 * WORLD_DAY;
	world_put_cert_of(world, "trust.d/signing.crt", &old);
	load(&session, world);
	g_assert_true(is_said(&session, "signing.crt: the signing-key expires"));
	/* A successor with a key of its own helps once the documents are those of it, too. */
	other.key = key;
	other.until = WORLD_YEAR;
	other.from = -WORLD_DAY;
	world_put_cert_of(world, "trust.d/next.crt", &other);
	load(&session, world);
	g_assert_true(is_said(&session, "signing.crt: the signing-key expires"));
	the_time = WORLD_NOW + 20 * WORLD_DAY;
	g_assert_false(is_said(&session, "signing.crt"));
	/* The same key, certified anew: at once. */
	the_time = WORLD_NOW;
	other.key = world_pki->signing_key;
	world_put_cert_of(world, "trust.d/next.crt", &other);
	load(&session, world);
	g_assert_false(is_said(&session, "signing.crt"));
	EVP_PKEY_free(key);
}

/* ---- what is listed ---- */

static const PvsStoreEntry *find(const PvsStoreIs *is, const char *file)
{
	for (guint i = 0; i < is->entries.n; i++) {
		const PvsStoreEntry *entry = pvs_list_nth(is->entries, PvsStoreEntry, i);

		if (strcmp(entry->file, file) == 0)
			return entry;
	}
	return NULL;
}

static void test_host_keys(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	const PvsStoreEntry *entry;

	the_time = WORLD_NOW;
	put_crl(world, "trust.d/signing.crl", -1, 100);
	world_put_cert(world, "hostkeys.d/z16-prod.crt", host);
	world_put_cert(world, "hostkeys.d/signing.pem", world_pki->signing);
	load(&session, world);
	for (guint expired = 0; expired < 2; expired++) {
		g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};

		the_time = WORLD_NOW + (expired ? 100 * WORLD_DAY : 0);
		pvs_inventory_take(session.court, &is);
		entry = find(&is, "z16-prod");
		g_assert_nonnull(entry);
		g_assert_cmpstr(entry->kind, ==, "host-key");
		g_assert_cmpuint(entry->error, ==,
				 expired ? PVS_ERROR_CRL_EXPIRED : PVS_ERROR_LAST_);
		g_assert_cmpint(entry->good_until, ==, expired ? 0 : WORLD_NOW + 100 * WORLD_DAY);
		g_assert_cmpint(is_said(&session, "host key z16-prod is not good"), ==, expired);
		entry = find(&is, "signing");
		g_assert_nonnull(entry);
		g_assert_cmpuint(entry->error, ==, PVS_ERROR_HOST_KEY_TYPE);
		g_assert_true(is_said(&session, "host key signing is not good"));
	}
}

/* What keeps all documents of a signing key from being good is said before one is there. */
static void test_signing_keys(void)
{
	static const struct {
		const char *file; /* that is missing */
		PvsError error;
		const char *level; /* of what is to be installed */
	} cases[] = {
		{NULL, PVS_ERROR_LAST_, NULL},
		{"trust.d/signing.crl", PVS_ERROR_CRL_MISSING, "(signing-key: OU=IBM Z"},
		{"trust.d/inter.crl", PVS_ERROR_CRL_MISSING,
		 "(intermediate: CN=Intermediate CA of the tests,O=Tests,C=US)"},
		{"trust.d/root.crl", PVS_ERROR_CRL_MISSING,
		 "(root: CN=Root CA of the tests,O=Tests,C=US)"},
		{"trust.d/inter.crt", PVS_ERROR_SIGNING_KEY_UNTRUSTED,
		 "(intermediate: CN=Intermediate CA of the tests,O=Tests,C=US)"},
	};

	the_time = WORLD_NOW;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};
		g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};
		const PvsStoreEntry *entry;

		g_test_message("%s", cases[i].file ? cases[i].file : "nothing");
		if (cases[i].file)
			world_remove(world, cases[i].file);
		load(&session, world);
		pvs_inventory_take(session.court, &is);
		entry = find(&is, "signing.crt");
		g_assert_nonnull(entry);
		g_assert_cmpuint(entry->error, ==, cases[i].error);
		g_assert_cmpint(entry->good_until > WORLD_NOW, ==, !cases[i].file);
		g_assert_cmpint(is_said(&session, "signing.crt: no host key that"), ==,
				cases[i].file != NULL);
		if (cases[i].file)
			g_assert_true(is_said(&session, cases[i].level));
	}
}

/* The same of CRLs that are there and may not be used, and of a signing key that was revoked. */
static void test_signing_keys_by_crl(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCrl inter = world_inter_crl_spec(), signing = world_signing_crl_spec();
	const X509 *list[] = {world_pki->signing, NULL};
	const char *const others[] = {"2.5.29.28=critical,DER:30038201ff", NULL};
	PvsMarks *marks;

	the_time = WORLD_NOW;
	put_crl(world, "trust.d/signing.crl", 1, 100);
	load(&session, world);
	g_assert_true(is_said(&session, pvs_error_sentence(PVS_ERROR_CRL_NOT_YET)));
	put_crl(world, "trust.d/signing.crl", -9, -1);
	load(&session, world);
	g_assert_true(is_said(&session, pvs_error_sentence(PVS_ERROR_CRL_EXPIRED)));
	/* It speaks of authorities, of which a document is none. */
	signing.extensions = others;
	world_put_crl_of(world, "trust.d/signing.crl", &signing);
	load(&session, world);
	g_assert_true(is_said(&session, pvs_error_sentence(PVS_ERROR_CRL_MISSING)));
	/* An older one in the place of one that was seen. */
	put_crl(world, "trust.d/signing.crl", -9, 100);
	load(&session, world);
	g_assert_false(is_said(&session, "no host key that"));
	marks = pvs_marks_new(-1, NULL);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, world_pki->signing_crl, NULL));
	pvs_court_set_marks(session.court, marks);
	g_assert_true(is_said(&session, pvs_error_sentence(PVS_ERROR_CRL_ROLLED_BACK)));
	put_crl(world, "trust.d/signing.crl", 0, 100);
	inter.revoked = list;
	world_put_crl_of(world, "trust.d/inter.crl", &inter);
	load(&session, world);
	g_assert_true(is_said(&session, pvs_error_sentence(PVS_ERROR_SIGNING_KEY_REVOKED)));
}

/* A CRL has its state, too: what the verdict would say if it were the only one. */
static void test_crls(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};
	PvsPkiCrl forged = world_signing_crl_spec(), delta = world_inter_crl_spec();
	const char *const extensions[] = {"2.5.29.27=critical,DER:020101", NULL};
	PvsMarks *marks;

	the_time = WORLD_NOW;
	forged.issuer_key = world_pki->inter_key;
	world_put_crl_of(world, "trust.d/forged.crl", &forged);
	delta.extensions = extensions;
	world_put_crl_of(world, "trust.d/delta.crl", &delta);
	put_crl(world, "trust.d/over.crl", -10, -9);
	put_crl(world, "trust.d/next.crl", 1, 9);
	put_crl(world, "trust.d/older.crl", -9, 9);
	load(&session, world);
	marks = pvs_marks_new(-1, NULL);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, world_pki->signing_crl, NULL));
	pvs_court_set_marks(session.court, marks);
	pvs_inventory_take(session.court, &is);
	g_assert_cmpuint(find(&is, "signing.crl")->error, ==, PVS_ERROR_LAST_);
	g_assert_cmpuint(find(&is, "inter.crl")->error, ==, PVS_ERROR_LAST_);
	g_assert_cmpuint(find(&is, "root.crl")->error, ==, PVS_ERROR_LAST_);
	g_assert_cmpuint(find(&is, "forged.crl")->error, ==, PVS_ERROR_CRL_SIGNATURE);
	g_assert_cmpuint(find(&is, "delta.crl")->error, ==, PVS_ERROR_CRL_SIGNATURE);
	g_assert_cmpuint(find(&is, "over.crl")->error, ==, PVS_ERROR_CRL_EXPIRED);
	g_assert_cmpuint(find(&is, "next.crl")->error, ==, PVS_ERROR_CRL_NOT_YET);
	g_assert_cmpuint(find(&is, "older.crl")->error, ==, PVS_ERROR_CRL_ROLLED_BACK);
	/* None of which harms the signing key. */
	g_assert_cmpuint(find(&is, "signing.crt")->error, ==, PVS_ERROR_LAST_);
}

/* An old one that is over, its successor beside it, is nothing to be warned of. */
static void test_signing_key_is_over(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCert old = world_signing_spec();

	the_time = WORLD_NOW;
	old.from = -WORLD_YEAR;
	old.until = -WORLD_DAY;
	world_put_cert_of(world, "trust.d/old.crt", &old);
	load(&session, world);
	g_assert_false(is_said(&session, "no host key that"));
	world_remove(world, "trust.d/signing.crt");
	load(&session, world);
	g_assert_true(is_said(&session, "old.crt: no host key that"));
}

/* Where the missing CRL can be had, where a certificate says so. */
static void test_points_said(void)
{
	static const char *const point_a[] = {"crlDistributionPoints=URI:http://a/inter.crl", NULL};
	static const char *const point_b[] = {
		"crlDistributionPoints=URI:ldap://b/,URI:http://b/signing.crl", NULL};
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCert signing = world_signing_spec(), document_spec = world_host_spec();

	the_time = WORLD_NOW;
	signing.extensions = point_a;
	world_put_cert_of(world, "trust.d/signing.crt", &signing);
	document_spec.extensions = point_b;
	world_put_cert_of(world, "hostkeys.d/one.crt", &document_spec);
	load(&session, world);
	g_assert_false(is_said(&session, "http://"));
	world_remove(world, "trust.d/signing.crl");
	load(&session, world);
	g_assert_true(is_said(&session, "C=US, http://b/signing.crl); have CRLs fetched"));
	world_remove(world, "trust.d/inter.crl");
	load(&session, world);
	g_assert_true(is_said(&session, "C=US, http://a/inter.crl); have CRLs fetched"));
}

static void test_superseded(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};
	PvsPkiCert old = world_signing_spec();

	the_time = WORLD_NOW;
	old.from = -WORLD_YEAR;
	old.until = -WORLD_DAY;
	world_put_cert_of(world, "trust.d/old.crt", &old);
	put_crl(world, "trust.d/old.crl", -10, 1);
	load(&session, world);
	pvs_inventory_take(session.court, &is);
	g_assert_cmpuint(find(&is, "old.crt")->superseded, ==, 1);
	g_assert_cmpuint(find(&is, "signing.crt")->superseded, ==, 0);
	g_assert_cmpuint(find(&is, "old.crl")->superseded, ==, 1);
	g_assert_cmpuint(find(&is, "signing.crl")->superseded, ==, 0);
	g_assert_cmpuint(find(&is, "inter.crl")->superseded, ==, 0);
}

static void test_marks_not_kept(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};

	the_time = WORLD_NOW;
	session.store = world_load(world);
	session.court = pvs_court_new(session.store, clock_of_test);
	g_assert_true(is_said(&session, "CrlMarks="));
	pvs_court_set_marks(session.court, pvs_marks_new(-1, NULL));
	g_assert_false(is_said(&session, "CrlMarks="));
}

/* ---- large stores ---- */

/* A CRL of 200,000 entries and 1,000 files, of which no call sees anything. */
static void test_large(void)
{
	enum { FILES = 1000, ENTRIES = 199000, DOCUMENTS = 50 };
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCrl spec = world_signing_crl_spec();
	g_autoptr(GBytes) cert = pvs_pki_pem(world_pki->inter);
	gint64 started = g_get_monotonic_time(), loaded, judged;

	the_time = WORLD_NOW;
	spec.more = ENTRIES;
	world->paths.crl_size = 64 * 1024 * 1024;
	world_put_crl_of(world, "trust.d/signing.crl", &spec);
	for (guint i = 0; i < FILES; i++) {
		g_autofree char *name = g_strdup_printf("trust.d/%04u.crt", i);

		world_put(world, name, g_bytes_ref(cert));
	}
	g_test_message("made in %.3f s", (double)(g_get_monotonic_time() - started) / 1e6);
	started = g_get_monotonic_time();
	load(&session, world);
	loaded = g_get_monotonic_time();
	g_assert_cmpuint(pvs_store_n_certs(session.store), ==, FILES + 3);
	for (guint i = 0; i < DOCUMENTS; i++) {
		g_autoptr(X509) one = pvs_pki_host(world_pki, world_host_key);
		g_autoptr(GBytes) der = pvs_pki_der(one);
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsVerdict) verdict =
			pvs_court_judge(session.court, der, NULL, NULL, nothing, &error);

		g_assert_no_error(error);
		g_assert_nonnull(verdict);
		pvs_verdict_unref(pvs_court_judge(session.court, der, NULL, NULL, nothing, &error));
	}
	judged = g_get_monotonic_time();
	g_assert_cmpuint(pvs_court_reached(session.court), ==, DOCUMENTS);
	g_test_message("loaded in %.3f s; %d documents made and judged in %.3f s",
		       (double)(loaded - started) / 1e6, DOCUMENTS,
		       (double)(judged - loaded) / 1e6);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	host = pvs_pki_host(world_pki, world_host_key);
	document = pvs_pki_pem(host);
	g_test_add_func("/court/crl-expires", test_crl_expires);
	g_test_add_func("/court/certificate-expires", test_certificate_expires);
	g_test_add_func("/court/mark-comes", test_mark_comes);
	g_test_add_func("/court/revoked-later", test_revoked_later);
	g_test_add_func("/court/clock", test_clock);
	g_test_add_func("/court/clock/mark", test_clock_behind_mark);
	g_test_add_func("/inventory/soon", test_soon);
	g_test_add_func("/inventory/crl", test_crl_said);
	g_test_add_func("/inventory/certificate", test_certificate_said);
	g_test_add_func("/inventory/host-keys", test_host_keys);
	g_test_add_func("/inventory/signing-keys", test_signing_keys);
	g_test_add_func("/inventory/signing-keys/crls", test_signing_keys_by_crl);
	g_test_add_func("/inventory/crls", test_crls);
	g_test_add_func("/inventory/signing-keys/over", test_signing_key_is_over);
	g_test_add_func("/inventory/signing-keys/points", test_points_said);
	g_test_add_func("/inventory/superseded", test_superseded);
	g_test_add_func("/inventory/marks-not-kept", test_marks_not_kept);
	g_test_add_func("/court/large", test_large);
	status = g_test_run();
	g_bytes_unref(document);
	X509_free(host);
	world_end();
	return status;
}
