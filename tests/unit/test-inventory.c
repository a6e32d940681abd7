/* SPDX-License-Identifier: MIT */
/*
 * test-inventory.c - what is said of the store, in good time
 */
#include "daemon/trust/inventory.h"

#include <string.h>

#include "tests/unit/session.h"

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

	session_time = WORLD_NOW;
	session_put_crl(world, "trust.d/signing.crl", -1, 300);
	session_load(&session, world);
	g_assert_false(session_says(&session, "signing.crl"));
	session_put_crl(world, "trust.d/signing.crl", -300, 29);
	session_load(&session, world);
	g_assert_true(session_says(&session, "signing.crl: the CRL expires"));
	/* Not where another lasts, forged ones aside. */
	session_put_crl(world, "trust.d/next.crl", -1, 300);
	session_load(&session, world);
	g_assert_false(session_says(&session, "signing.crl"));
	{
		PvsPkiCrl forged = world_signing_crl_spec();

		forged.issuer_key = world_pki->inter_key;
		world_put_crl_of(world, "trust.d/next.crl", &forged);
	}
	session_load(&session, world);
	g_assert_true(session_says(&session, "signing.crl: the CRL expires"));
	session_time = WORLD_NOW + 29 * WORLD_DAY;
	g_assert_true(session_says(&session, "signing.crl: the CRL expired"));
	g_assert_false(session_says(&session, "next.crl"));
}

static void test_certificate_said(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCert old = world_signing_spec(), other = world_signing_spec();
	EVP_PKEY *key = pvs_pki_rsa(3072);

	session_time = WORLD_NOW;
	session_load(&session, world);
	g_assert_false(session_says(&session, "signing.crt"));
	old.from = -WORLD_YEAR;
	old.until = 20 * WORLD_DAY;
	world_put_cert_of(world, "trust.d/signing.crt", &old);
	session_load(&session, world);
	g_assert_true(session_says(&session, "signing.crt: the signing-key expires"));
	/* A successor with a key of its own helps once the documents are those of it, too. */
	other.key = key;
	other.until = WORLD_YEAR;
	other.from = -WORLD_DAY;
	world_put_cert_of(world, "trust.d/next.crt", &other);
	session_load(&session, world);
	g_assert_true(session_says(&session, "signing.crt: the signing-key expires"));
	session_time = WORLD_NOW + 20 * WORLD_DAY;
	g_assert_false(session_says(&session, "signing.crt"));
	/* The same key, certified anew: at once. */
	session_time = WORLD_NOW;
	other.key = world_pki->signing_key;
	world_put_cert_of(world, "trust.d/next.crt", &other);
	session_load(&session, world);
	g_assert_false(session_says(&session, "signing.crt"));
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

	session_time = WORLD_NOW;
	session_put_crl(world, "trust.d/signing.crl", -1, 100);
	world_put_cert(world, "hostkeys.d/z16-prod.crt", session_host);
	world_put_cert(world, "hostkeys.d/signing.pem", world_pki->signing);
	session_load(&session, world);
	for (guint expired = 0; expired < 2; expired++) {
		g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};

		session_time = WORLD_NOW + (expired ? 100 * WORLD_DAY : 0);
		pvs_inventory_take(session.court, &is);
		entry = find(&is, "z16-prod");
		g_assert_nonnull(entry);
		g_assert_cmpstr(entry->kind, ==, "host-key");
		g_assert_cmpuint(entry->error, ==,
				 expired ? PVS_ERROR_CRL_EXPIRED : PVS_ERROR_LAST_);
		g_assert_cmpint(entry->good_until, ==, expired ? 0 : WORLD_NOW + 100 * WORLD_DAY);
		g_assert_cmpint(session_says(&session, "host key z16-prod is not good"), ==,
				expired);
		entry = find(&is, "signing");
		g_assert_nonnull(entry);
		g_assert_cmpuint(entry->error, ==, PVS_ERROR_HOST_KEY_TYPE);
		g_assert_true(session_says(&session, "host key signing is not good"));
		/* What there may be too many of comes last, and pushes nothing out. */
		entry = is.entries.items;
		g_assert_cmpstr(entry[is.entries.n - 1].kind, ==, "crl");
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

	session_time = WORLD_NOW;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};
		g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};
		const PvsStoreEntry *entry;

		g_test_message("%s", cases[i].file ? cases[i].file : "nothing");
		if (cases[i].file)
			world_remove(world, cases[i].file);
		session_load(&session, world);
		pvs_inventory_take(session.court, &is);
		entry = find(&is, "signing.crt");
		g_assert_nonnull(entry);
		g_assert_cmpuint(entry->error, ==, cases[i].error);
		g_assert_cmpint(entry->good_until > WORLD_NOW, ==, !cases[i].file);
		g_assert_cmpint(session_says(&session, "signing.crt: no host key that"), ==,
				cases[i].file != NULL);
		if (cases[i].file)
			g_assert_true(session_says(&session, cases[i].level));
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

	session_time = WORLD_NOW;
	session_put_crl(world, "trust.d/signing.crl", 1, 100);
	session_load(&session, world);
	g_assert_true(session_says(&session, pvs_error_sentence(PVS_ERROR_CRL_NOT_YET)));
	session_put_crl(world, "trust.d/signing.crl", -9, -1);
	session_load(&session, world);
	g_assert_true(session_says(&session, pvs_error_sentence(PVS_ERROR_CRL_EXPIRED)));
	/* It speaks of authorities, of which a document is none. */
	signing.extensions = others;
	world_put_crl_of(world, "trust.d/signing.crl", &signing);
	session_load(&session, world);
	g_assert_true(session_says(&session, pvs_error_sentence(PVS_ERROR_CRL_MISSING)));
	/* An older one in the place of one that was seen. */
	session_put_crl(world, "trust.d/signing.crl", -9, 100);
	session_load(&session, world);
	g_assert_false(session_says(&session, "no host key that"));
	marks = pvs_marks_new(-1, NULL);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, world_pki->signing_crl, NULL));
	pvs_court_set_marks(session.court, marks);
	g_assert_true(session_says(&session, pvs_error_sentence(PVS_ERROR_CRL_ROLLED_BACK)));
	session_put_crl(world, "trust.d/signing.crl", 0, 100);
	inter.revoked = list;
	world_put_crl_of(world, "trust.d/inter.crl", &inter);
	session_load(&session, world);
	g_assert_true(session_says(&session, pvs_error_sentence(PVS_ERROR_SIGNING_KEY_REVOKED)));
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

	session_time = WORLD_NOW;
	forged.issuer_key = world_pki->inter_key;
	world_put_crl_of(world, "trust.d/forged.crl", &forged);
	delta.extensions = extensions;
	world_put_crl_of(world, "trust.d/delta.crl", &delta);
	session_put_crl(world, "trust.d/over.crl", -10, -9);
	session_put_crl(world, "trust.d/next.crl", 1, 9);
	session_put_crl(world, "trust.d/older.crl", -9, 9);
	session_load(&session, world);
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

	session_time = WORLD_NOW;
	old.from = -WORLD_YEAR;
	old.until = -WORLD_DAY;
	world_put_cert_of(world, "trust.d/old.crt", &old);
	session_load(&session, world);
	g_assert_false(session_says(&session, "no host key that"));
	world_remove(world, "trust.d/signing.crt");
	session_load(&session, world);
	g_assert_true(session_says(&session, "old.crt: no host key that"));
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

	session_time = WORLD_NOW;
	signing.extensions = point_a;
	world_put_cert_of(world, "trust.d/signing.crt", &signing);
	document_spec.extensions = point_b;
	world_put_cert_of(world, "hostkeys.d/one.crt", &document_spec);
	session_load(&session, world);
	g_assert_false(session_says(&session, "http://"));
	world_remove(world, "trust.d/signing.crl");
	session_load(&session, world);
	g_assert_true(session_says(&session, "C=US, http://b/signing.crl); have CRLs fetched"));
	world_remove(world, "trust.d/inter.crl");
	session_load(&session, world);
	g_assert_true(session_says(&session, "C=US, http://a/inter.crl); have CRLs fetched"));
}

static void test_superseded(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	g_auto(PvsStoreIs) is = {{NULL, 0}, {NULL, 0}};
	PvsPkiCert old = world_signing_spec();

	session_time = WORLD_NOW;
	old.from = -WORLD_YEAR;
	old.until = -WORLD_DAY;
	world_put_cert_of(world, "trust.d/old.crt", &old);
	session_put_crl(world, "trust.d/old.crl", -10, 1);
	session_load(&session, world);
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

	session_time = WORLD_NOW;
	session.store = world_load(world);
	session.court = pvs_court_new(session.store, session_clock);
	g_assert_true(session_says(&session, "CrlMarks="));
	pvs_court_set_marks(session.court, pvs_marks_new(-1, NULL));
	g_assert_false(session_says(&session, "CrlMarks="));
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	session_start();
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
	status = g_test_run();
	session_end();
	return status;
}
