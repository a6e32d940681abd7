/* SPDX-License-Identifier: MIT */
/*
 * test-verdict-crl.c - which certificates a CRL speaks of, and which of several CRLs counts
 */
#include "daemon/trust/verdict.h"

#include "tests/unit/trust-world.h"

#define GOOD PVS_ERROR_LAST_

/* In DER: the URIs http://a/ and http://b/ as the full name of a distribution point. */
#define PLACE_A "a00da00b8609687474703a2f2f612f"
#define PLACE_B "a00da00b8609687474703a2f2f622f"

static EVP_PKEY *stranger; /* RSA-3072, nobody's */
static X509 *host;

static void expect(World *world, const X509 *document, PvsError wanted)
{
	if (wanted == GOOD)
		world_accepts(world, document);
	else
		world_refuses(world, document, wanted);
}

/* ---- what a CRL speaks of (RFC 5280, section 5.2.5) ---- */

#define ONLY_USERS	 "2.5.29.28=critical,DER:30038101ff"
#define ONLY_AUTHORITIES "2.5.29.28=critical,DER:30038201ff"
#define ONLY_ATTRIBUTES	 "2.5.29.28=critical,DER:30038501ff"
#define UNREADABLE	 "2.5.29.28=critical,DER:0500"
#define SECOND_KEY_ID	 "2.5.29.35=DER:3000" /* beside the good one */

enum { SIGNING, INTER, ROOT };
static const char *const files[] = {"trust.d/signing.crl", "trust.d/inter.crl", "trust.d/root.crl"};

static void put_with(World *world, const char *file, int which, const char *extension)
{
	PvsPkiCrl specs[] = {world_signing_crl_spec(), world_inter_crl_spec(),
			     world_root_crl_spec()};
	const char *const extensions[] = {extension, NULL};

	specs[which].extensions = extensions;
	world_put_crl_of(world, file, &specs[which]);
}

/* The document and the signing key are no authorities; the intermediate and the root are. */
static void test_kinds(void)
{
	static const struct {
		int which;
		const char *extension;
		PvsError error;
	} cases[] = {
		{SIGNING, ONLY_USERS, GOOD},
		{SIGNING, ONLY_AUTHORITIES, PVS_ERROR_CRL_MISSING},
		{SIGNING, ONLY_ATTRIBUTES, PVS_ERROR_CRL_SIGNATURE},
		{SIGNING, UNREADABLE, PVS_ERROR_CRL_SIGNATURE},
		{SIGNING, SECOND_KEY_ID, PVS_ERROR_CRL_SIGNATURE},
		{INTER, ONLY_USERS, GOOD},
		{INTER, ONLY_AUTHORITIES, PVS_ERROR_CRL_MISSING},
		{INTER, ONLY_ATTRIBUTES, PVS_ERROR_CRL_SIGNATURE},
		{ROOT, ONLY_AUTHORITIES, GOOD},
		{ROOT, ONLY_USERS, PVS_ERROR_CRL_MISSING},
		{ROOT, ONLY_ATTRIBUTES, PVS_ERROR_CRL_SIGNATURE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();

		g_test_message("%s: %s", files[cases[i].which], cases[i].extension);
		put_with(world, files[cases[i].which], cases[i].which, cases[i].extension);
		expect(world, host, cases[i].error);
		/* It stands in nobody's way. */
		put_with(world, "trust.d/0.crl", cases[i].which, NULL);
		expect(world, host, GOOD);
	}
}

/* A CRL for others does not revoke: its serial numbers are not of this kind. */
static void test_revoked_of_another_kind(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCrl spec = world_signing_crl_spec();
	const X509 *list[] = {host, NULL};
	const char *others[] = {ONLY_AUTHORITIES, NULL}, *its[] = {ONLY_USERS, NULL};

	spec.revoked = list;
	spec.extensions = others;
	world_put_crl_of(world, "trust.d/0.crl", &spec);
	expect(world, host, GOOD);
	spec.extensions = its;
	world_put_crl_of(world, "trust.d/0.crl", &spec);
	expect(world, host, PVS_ERROR_HOST_KEY_REVOKED);
}

/* A CRL of one place speaks of certificates that name the place, for all reasons and issuers. */
static void test_places(void)
{
	static const struct {
		const char *name;
		const char *document; /* its distribution points; NULL: none */
		const char *crl;
		PvsError error;
	} cases[] = {
		{"the same", "2.5.29.31=DER:3011300f" PLACE_A,
		 "2.5.29.28=critical,DER:300f" PLACE_A, GOOD},
		{"the second of two", "2.5.29.31=DER:3022300f" PLACE_B "300f" PLACE_A,
		 "2.5.29.28=critical,DER:300f" PLACE_A, GOOD},
		{"another", "2.5.29.31=DER:3011300f" PLACE_B, "2.5.29.28=critical,DER:300f" PLACE_A,
		 PVS_ERROR_CRL_MISSING},
		{"none", NULL, "2.5.29.28=critical,DER:300f" PLACE_A, PVS_ERROR_CRL_MISSING},
		{"for some reasons", "2.5.29.31=DER:30153013" PLACE_A "81020640",
		 "2.5.29.28=critical,DER:300f" PLACE_A, PVS_ERROR_CRL_MISSING},
		{"of another issuer", "2.5.29.31=DER:301e301c" PLACE_A "a20b8609687474703a2f2f612f",
		 "2.5.29.28=critical,DER:300f" PLACE_A, PVS_ERROR_CRL_MISSING},
		{"a CRL of no place", "2.5.29.31=DER:3011300f" PLACE_A, NULL, GOOD},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert spec = world_host_spec();
		const char *const points[] = {cases[i].document, NULL};
		g_autoptr(X509) document = NULL;

		g_test_message("%s", cases[i].name);
		spec.extensions = points;
		document = pvs_pki_cert(&spec);
		put_with(world, "trust.d/signing.crl", SIGNING, cases[i].crl);
		expect(world, document, cases[i].error);
	}
}

/* ---- which of several counts ---- */

/* The verdict lasts as long as the newest, even where an older one would last longer. */
static void test_newest(void)
{
	for (guint order = 0; order < 2; order++) {
		g_autoptr(World) world = world_new();
		PvsPkiCrl older = world_signing_crl_spec(), newer = world_signing_crl_spec();
		g_autoptr(PvsVerdict) verdict = NULL;
		g_autoptr(GError) error = NULL;

		older.from = -2 * WORLD_DAY;
		older.until = 60 * WORLD_DAY;
		newer.from = -1;
		newer.until = 30 * WORLD_DAY;
		world_remove(world, "trust.d/signing.crl");
		world_put_crl_of(world, order ? "trust.d/a.crl" : "trust.d/b.crl", &older);
		world_put_crl_of(world, order ? "trust.d/b.crl" : "trust.d/a.crl", &newer);
		verdict = world_judge_cert(world, host, &error);
		g_assert_no_error(error);
		g_assert_cmpint(verdict->until, ==, WORLD_NOW + 30 * WORLD_DAY);
		g_assert_cmpint(verdict->from, ==, WORLD_NOW - 1);
	}
}

/* Of several that may not be used, the one that came closest is the reason, in any order. */
static void test_closest(void)
{
	enum { FORGED, NOT_YET, EXPIRED, KINDS };
	static const PvsError errors[] = {
		[FORGED] = PVS_ERROR_CRL_SIGNATURE,
		[NOT_YET] = PVS_ERROR_CRL_NOT_YET,
		[EXPIRED] = PVS_ERROR_CRL_EXPIRED,
	};

	for (guint a = 0; a < KINDS; a++) {
		for (guint b = 0; b < KINDS; b++) {
			g_autoptr(World) world = world_new();
			PvsPkiCrl kinds[KINDS];

			for (guint i = 0; i < KINDS; i++)
				kinds[i] = world_signing_crl_spec();
			kinds[FORGED].issuer_key = stranger;
			kinds[NOT_YET].from = 1;
			kinds[NOT_YET].until = WORLD_YEAR;
			kinds[EXPIRED].from = -WORLD_YEAR;
			kinds[EXPIRED].until = -1;
			g_test_message("%u before %u", a, b);
			world_remove(world, "trust.d/signing.crl");
			world_put_crl_of(world, "trust.d/a.crl", &kinds[a]);
			world_put_crl_of(world, "trust.d/b.crl", &kinds[b]);
			expect(world, host, errors[MAX(a, b)]);
		}
	}
}

/* ---- certificates of one key ---- */

/* A CRL that says by issuer and number which certificate of the signing key it belongs to. */
static PvsPkiCrl crl_of_one(X509 *signing)
{
	static const char *const extensions[] = {"authorityKeyIdentifier=keyid,issuer:always",
						 NULL};
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.issuer = signing;
	spec.no_akid = TRUE;
	spec.extensions = extensions;
	return spec;
}

/* A certificate that was renewed for the same key, while both hold: the CRL belongs to the new one,
 * and the order in which the files are read makes no difference. */
static void test_renewed(void)
{
	static const char *const olds[] = {"trust.d/1-old.pem", "trust.d/3-old.pem"};
	const X509 *list[] = {host, NULL};

	for (gsize i = 0; i < G_N_ELEMENTS(olds); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert spec = world_signing_spec();
		g_autoptr(X509) old = pvs_pki_cert(&spec), new = pvs_pki_cert(&spec);
		PvsPkiCrl of_new = crl_of_one(new), of_old = crl_of_one(old), own = of_new;
		g_autoptr(PvsStore) store = NULL;
		g_autoptr(PvsVerdict) verdict = NULL;

		g_test_message("%s", olds[i]);
		world_remove(world, "trust.d/signing.crt");
		world_remove(world, "trust.d/signing.crl");
		world_put_cert(world, olds[i], old);
		world_put_cert(world, "trust.d/2-new.pem", new);
		expect(world, host, PVS_ERROR_CRL_MISSING);
		own.from = -WORLD_YEAR;
		own.until = -1;
		world_put_crl_of(world, "trust.d/signing.crl", &own);
		expect(world, host, PVS_ERROR_CRL_EXPIRED);
		world_put_crl_of(world, "trust.d/signing.crl", &of_new);
		expect(world, host, GOOD);
		store = world_load(world);
		g_assert_false(world_warned(store, "signing.crl", "authority key id"));
		/* What begins later for either ends it. */
		of_old.revoked = list;
		of_old.from = 300;
		of_old.until = WORLD_YEAR;
		world_put_crl_of(world, "trust.d/old.crl", &of_old);
		verdict = world_judge_cert(world, host, NULL);
		g_assert_nonnull(verdict);
		g_assert_cmpint(verdict->until, ==, WORLD_NOW + 300);
		/* It is the same key that says so. */
		of_old.from = -WORLD_DAY;
		world_put_crl_of(world, "trust.d/old.crl", &of_old);
		expect(world, host, PVS_ERROR_HOST_KEY_REVOKED);
	}
}

/* One of them has the chain, the other the CRL: no document rests on two halves. */
static void test_halves(void)
{
	for (guint order = 0; order < 2; order++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert spec = world_signing_spec(), over = world_signing_spec();
		g_autoptr(X509) good = pvs_pki_cert(&spec), old = NULL;
		PvsPkiCrl of_old;

		over.from = -WORLD_YEAR;
		over.until = -1;
		old = pvs_pki_cert(&over);
		of_old = crl_of_one(old);
		world_remove(world, "trust.d/signing.crt");
		world_put_cert(world, "trust.d/2-good.pem", good);
		world_put_cert(world, order ? "trust.d/3-old.pem" : "trust.d/1-old.pem", old);
		expect(world, host, GOOD);
		world_put_crl_of(world, "trust.d/signing.crl", &of_old);
		expect(world, host, PVS_ERROR_CRL_SIGNATURE);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	stranger = pvs_pki_rsa(3072);
	host = pvs_pki_host(world_pki, world_host_key);
	g_test_add_func("/crl/kinds", test_kinds);
	g_test_add_func("/crl/kinds/revoked", test_revoked_of_another_kind);
	g_test_add_func("/crl/places", test_places);
	g_test_add_func("/crl/newest", test_newest);
	g_test_add_func("/crl/closest", test_closest);
	g_test_add_func("/crl/renewed", test_renewed);
	g_test_add_func("/crl/renewed/halves", test_halves);
	status = g_test_run();
	X509_free(host);
	EVP_PKEY_free(stranger);
	world_end();
	return status;
}
