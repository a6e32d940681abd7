/* SPDX-License-Identifier: MIT */
/*
 * test-verdict-chain.c - from the signing key to the root, and the CRLs on the way
 *
 * The document is good; what is installed, or brought, has one thing wrong.
 */
#include "daemon/trust/verdict.h"

#include <string.h>

#include "tests/unit/trust-world.h"

#define GOOD PVS_ERROR_LAST_

static EVP_PKEY *stranger; /* RSA-4096, nobody's */
static X509 *host;

static void expect(World *world, const X509 *document, PvsError wanted)
{
	if (wanted == GOOD)
		world_accepts(world, document);
	else
		world_refuses(world, document, wanted);
}

/* Refused, and it is said which of the chain is to be seen to. */
static void expect_at(World *world, const X509 *document, PvsError wanted, const char *level)
{
	g_autoptr(GError) error = NULL;

	if (wanted == GOOD) {
		world_accepts(world, document);
		return;
	}
	g_assert_null(world_judge_cert(world, document, &error));
	world_assert_reason(error, wanted);
	world_assert_level(error, level);
}

/* ---- certificates ---- */

typedef void (*ChangeCert)(PvsPkiCert *spec);

static void as_it_is(PvsPkiCert *spec G_GNUC_UNUSED)
{
}

static void expired(PvsPkiCert *spec)
{
	spec->from = -WORLD_YEAR;
	spec->until = 0;
}

static void not_yet(PvsPkiCert *spec)
{
	spec->from = 1;
	spec->until = WORLD_YEAR;
}

static void signed_by_a_stranger(PvsPkiCert *spec)
{
	spec->issuer_key = stranger;
}

static void sha1(PvsPkiCert *spec)
{
	spec->digest = EVP_sha1();
}

static void critical(PvsPkiCert *spec)
{
	spec->critical = TRUE;
}

static void no_ca(PvsPkiCert *spec)
{
	spec->ca = FALSE;
}

static void may_not_sign(PvsPkiCert *spec)
{
	spec->key_usage = "critical,digitalSignature";
}

static void another_key(PvsPkiCert *spec)
{
	spec->key = stranger;
}

static void another_issuer_name(PvsPkiCert *spec)
{
	spec->issuer_name = "C=US/O=Tests/CN=Root CA of the toasts";
}

static void another_akid(PvsPkiCert *spec)
{
	spec->akid_hex = "00112233445566778899aabbccddeeff00112233";
}

static void path_of_none(PvsPkiCert *spec)
{
	static const char *const extensions[] = {"basicConstraints=critical,CA:TRUE,pathlen:0",
						 NULL};

	spec->ca = FALSE;
	spec->key_usage = "critical,keyCertSign,cRLSign";
	spec->extensions = extensions;
}

static void test_certificates(void)
{
	enum { SIGNING, INTER, ROOT };
	static const char *const files[] = {"trust.d/signing.crt", "trust.d/inter.crt", "root.crt"};
	static const char *const levels[] = {"signing-key", "intermediate", "root"};
	static const struct {
		int which;
		const char *name;
		ChangeCert change;
		PvsError error;
	} cases[] = {
		{SIGNING, "as it is", as_it_is, GOOD},
		{SIGNING, "expired", expired, PVS_ERROR_SIGNING_KEY_EXPIRED},
		{SIGNING, "not yet valid", not_yet, PVS_ERROR_SIGNING_KEY_EXPIRED},
		{SIGNING, "a stranger's", signed_by_a_stranger, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{SIGNING, "SHA-1", sha1, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{SIGNING, "critical extension", critical, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{SIGNING, "another key", another_key, PVS_ERROR_HOST_KEY_AKID},
		{SIGNING, "issuer", another_issuer_name, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{SIGNING, "key id of its issuer", another_akid, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "as it is", as_it_is, GOOD},
		{INTER, "expired", expired, PVS_ERROR_SIGNING_KEY_EXPIRED},
		{INTER, "not yet valid", not_yet, PVS_ERROR_SIGNING_KEY_EXPIRED},
		{INTER, "a stranger's", signed_by_a_stranger, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "SHA-1", sha1, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "critical extension", critical, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "no CA", no_ca, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "may not sign certificates", may_not_sign, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "look-alike", another_key, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "issuer", another_issuer_name, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{INTER, "path of none", path_of_none, GOOD},
		{ROOT, "as it is", as_it_is, GOOD},
		{ROOT, "expired", expired, PVS_ERROR_SIGNING_KEY_EXPIRED},
		{ROOT, "not yet valid", not_yet, PVS_ERROR_SIGNING_KEY_EXPIRED},
		{ROOT, "look-alike", another_key, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
		{ROOT, "path of none", path_of_none, PVS_ERROR_SIGNING_KEY_UNTRUSTED},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert specs[] = {world_signing_spec(), world_inter_spec(), world_root_spec()};
		PvsPkiCert *spec = &specs[cases[i].which];

		g_test_message("%s: %s", files[cases[i].which], cases[i].name);
		cases[i].change(spec);
		world_put_cert_of(world, files[cases[i].which], spec);
		/* Which of them is out of date can be said for sure. */
		if (cases[i].error == PVS_ERROR_SIGNING_KEY_EXPIRED)
			expect_at(world, host, cases[i].error, levels[cases[i].which]);
		else
			expect(world, host, cases[i].error);
	}
}

static void test_missing(void)
{
	static const struct {
		const char *file;
		PvsError error;
		const char *level;
	} cases[] = {
		{"trust.d/signing.crt", PVS_ERROR_HOST_KEY_NO_SIGNING_KEY, NULL},
		{"trust.d/inter.crt", PVS_ERROR_SIGNING_KEY_UNTRUSTED, "intermediate"},
		{"trust.d/signing.crl", PVS_ERROR_CRL_MISSING, "signing-key"},
		{"trust.d/inter.crl", PVS_ERROR_CRL_MISSING, "intermediate"},
		{"trust.d/root.crl", PVS_ERROR_CRL_MISSING, "root"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();

		g_test_message("%s", cases[i].file);
		world_remove(world, cases[i].file);
		expect_at(world, host, cases[i].error, cases[i].level);
	}
}

/* The root that is installed is not the one that the chain leads to. */
static void test_another_root(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert root = world_root_spec();

	root.subject = "CN=Another";
	root.key = stranger;
	world_put_cert_of(world, "root.crt", &root);
	expect_at(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED, "root");
}

/* What a client brings: links and CRLs, never a signing key, never a root. */
static void test_brought(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert root = world_root_spec();

	world_remove(world, "trust.d/inter.crt");
	expect(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
	world_bring_cert(world, world_pki->inter);
	expect(world, host, GOOD);
	world_remove(world, "trust.d/inter.crl");
	world_remove(world, "trust.d/signing.crl");
	world_remove(world, "trust.d/root.crl");
	expect(world, host, PVS_ERROR_CRL_MISSING);
	world_bring_crl(world, world_pki->inter_crl);
	expect(world, host, PVS_ERROR_CRL_MISSING);
	world_bring_crl(world, world_pki->root_crl);
	expect(world, host, PVS_ERROR_CRL_MISSING);
	world_bring_crl(world, world_pki->signing_crl);
	expect(world, host, GOOD);

	world_bring_cert(world, world_pki->root);
	world_bring_cert(world, world_pki->signing);
	root.key = stranger;
	world_put_cert_of(world, "root.crt", &root);
	expect(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
	world_remove(world, "trust.d/signing.crt");
	expect(world, host, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY);
}

/* The wrong roads that a client may offer beside the right one do no harm. */
static void test_brought_beside(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert inter = world_inter_spec(), signing = world_signing_spec();
	g_autoptr(X509) look_alike = NULL, other = NULL, self = NULL;

	inter.key = stranger;
	look_alike = pvs_pki_cert(&inter);
	inter.issuer = NULL;
	inter.issuer_key = NULL;
	self = pvs_pki_cert(&inter);
	signing.issuer_key = stranger;
	other = pvs_pki_cert(&signing);
	world_bring_cert(world, look_alike);
	world_bring_cert(world, self);
	world_bring_cert(world, other);
	world_bring_cert(world, host);
	expect(world, host, GOOD);
}

/* A document of the signing key that is installed, whoever else signed one like it. */
static X509 *host_of(X509 *signing, EVP_PKEY *key)
{
	PvsPkiCert spec = world_host_spec();

	spec.issuer = signing;
	spec.issuer_key = key;
	return pvs_pki_cert(&spec);
}

/* Signing keys that may not be ones, though everything else about them is right. */
static void test_weak_signing_keys(void)
{
	static const struct {
		const char *curve; /* NULL: RSA */
		guint bits;
		PvsError error;
	} cases[] = {
		{NULL, 4096, GOOD}, {NULL, 3072, GOOD}, {NULL, 2048, PVS_ERROR_HOST_KEY_WEAK},
		{"P-521", 0, GOOD}, {"P-384", 0, GOOD}, {"P-256", 0, PVS_ERROR_HOST_KEY_WEAK},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		EVP_PKEY *key =
			cases[i].curve ? pvs_pki_ec(cases[i].curve) : pvs_pki_rsa(cases[i].bits);
		PvsPkiCert spec = world_signing_spec();
		g_autoptr(X509) signing = NULL, document = NULL;
		PvsPkiCrl crl = world_signing_crl_spec();

		g_test_message("%s %u", cases[i].curve ? cases[i].curve : "RSA", cases[i].bits);
		spec.key = key;
		signing = pvs_pki_cert(&spec);
		world_put_cert(world, "trust.d/signing.crt", signing);
		crl.issuer = signing;
		crl.issuer_key = key;
		world_put_crl_of(world, "trust.d/signing.crl", &crl);
		document = host_of(signing, key);
		expect(world, document, cases[i].error);
		EVP_PKEY_free(key);
	}
}

/* Several signing keys of one name, as a generation's successor has; and two certificates of one
 * key, as after a renewal. */
static void test_generations(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert spec = world_signing_spec(), old = world_signing_spec();
	PvsPkiCrl crl = world_signing_crl_spec();
	g_autoptr(X509) second = NULL, document = NULL, revoked = NULL;
	const X509 *list[] = {NULL, NULL};

	spec.key = stranger;
	second = pvs_pki_cert(&spec);
	document = host_of(second, stranger);
	expect(world, document, PVS_ERROR_HOST_KEY_AKID);
	world_put_cert(world, "trust.d/0-second.crt", second);
	expect(world, host, GOOD);
	/* The first one's CRL is not the second one's, though their names are the same. */
	expect(world, document, PVS_ERROR_CRL_SIGNATURE);
	revoked = host_of(second, stranger);
	list[0] = revoked;
	crl.issuer = second;
	crl.issuer_key = stranger;
	crl.revoked = list;
	world_put_crl_of(world, "trust.d/0-second.crl", &crl);
	expect(world, document, GOOD);
	expect(world, host, GOOD);
	expect(world, revoked, PVS_ERROR_HOST_KEY_REVOKED);

	old.from = -WORLD_YEAR;
	old.until = -1;
	world_put_cert_of(world, "trust.d/0-old.crt", &old);
	world_put_cert_of(world, "trust.d/z-old.crt", &old);
	expect(world, host, GOOD);
}

/* ---- revoked ---- */

static void test_revoked(void)
{
	static const struct {
		const char *file;
		PvsError error;
		const char *level;
	} cases[] = {
		{"trust.d/signing.crl", PVS_ERROR_HOST_KEY_REVOKED, NULL},
		{"trust.d/inter.crl", PVS_ERROR_SIGNING_KEY_REVOKED, "signing-key"},
		{"trust.d/root.crl", PVS_ERROR_SIGNING_KEY_REVOKED, "intermediate"},
	};
	const X509 *revoked[] = {host, world_pki->signing, world_pki->inter};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCrl specs[] = {world_signing_crl_spec(), world_inter_crl_spec(),
				     world_root_crl_spec()};
		const X509 *list[] = {revoked[i], NULL};

		g_test_message("%s", cases[i].file);
		world_put_crl_of(world, cases[i].file, &specs[i]);
		expect(world, host, GOOD);
		specs[i].revoked = list;
		world_put_crl_of(world, cases[i].file, &specs[i]);
		expect_at(world, host, cases[i].error, cases[i].level);
	}
}

/* An older CRL that may still be used lists the document, the newest does not: it is not
 * believed to have been forgotten. And one that the client brings counts against it, too. */
static void test_revoked_in_any(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCrl older = world_signing_crl_spec(), newer = world_signing_crl_spec();
	const X509 *list[] = {host, NULL};
	g_autoptr(X509_CRL) brought = NULL;

	newer.from = -1;
	newer.until = WORLD_YEAR;
	older.from = -100;
	older.until = WORLD_YEAR;
	older.revoked = list;
	world_put_crl_of(world, "trust.d/signing.crl", &newer);
	expect(world, host, GOOD);
	world_put_crl_of(world, "crl.d/older.crl", &older);
	expect(world, host, PVS_ERROR_HOST_KEY_REVOKED);
	world_remove(world, "crl.d/older.crl");
	expect(world, host, GOOD);
	brought = pvs_pki_crl(&older);
	world_bring_crl(world, brought);
	expect(world, host, PVS_ERROR_HOST_KEY_REVOKED);
}

/* ---- CRLs that may not be used ---- */

typedef void (*ChangeCrl)(PvsPkiCrl *spec);

static void crl_expired(PvsPkiCrl *spec)
{
	spec->from = -WORLD_YEAR;
	spec->until = 0;
}

static void crl_not_yet(PvsPkiCrl *spec)
{
	spec->from = 1;
	spec->until = WORLD_YEAR;
}

static void crl_begins_now(PvsPkiCrl *spec)
{
	spec->from = 0;
	spec->until = 1;
}

static void crl_forged(PvsPkiCrl *spec)
{
	spec->issuer_key = stranger;
}

static void crl_forged_newer(PvsPkiCrl *spec)
{
	spec->issuer_key = stranger;
	spec->from = -1;
	spec->until = 2 * WORLD_YEAR;
}

static void crl_of_another(PvsPkiCrl *spec)
{
	spec->issuer_name = "C=US/O=Tests/CN=Somebody else";
}

static void crl_akid(PvsPkiCrl *spec)
{
	spec->akid_hex = "00112233445566778899aabbccddeeff00112233";
}

static void crl_no_akid(PvsPkiCrl *spec)
{
	spec->no_akid = TRUE;
}

static void crl_critical(PvsPkiCrl *spec)
{
	spec->critical = TRUE;
}

static void crl_critical_entry(PvsPkiCrl *spec)
{
	static const X509 *list[2];

	list[0] = world_pki->revoked;
	spec->revoked = list;
	spec->critical_entry = TRUE;
}

static void crl_no_until(PvsPkiCrl *spec)
{
	spec->no_until = TRUE;
}

static void crl_sha1(PvsPkiCrl *spec)
{
	spec->digest = EVP_sha1();
}

static void crl_delta(PvsPkiCrl *spec)
{
	static const char *const extensions[] = {"2.5.29.27=critical,DER:020101", NULL};

	spec->extensions = extensions;
}

static void crl_quiet_delta(PvsPkiCrl *spec)
{
	static const char *const extensions[] = {"2.5.29.27=DER:020101", NULL};

	spec->extensions = extensions;
}

static void crl_indirect(PvsPkiCrl *spec)
{
	static const char *const extensions[] = {"2.5.29.28=critical,DER:30038401ff", NULL};

	spec->extensions = extensions;
}

static void crl_some_reasons(PvsPkiCrl *spec)
{
	static const char *const extensions[] = {"2.5.29.28=critical,DER:300483020640", NULL};

	spec->extensions = extensions;
}

static const struct {
	const char *name;
	ChangeCrl change;
	PvsError error;
} crl_cases[] = {
	{"begins now", crl_begins_now, GOOD},
	{"no key id", crl_no_akid, GOOD},
	{"expired", crl_expired, PVS_ERROR_CRL_EXPIRED},
	{"not yet valid", crl_not_yet, PVS_ERROR_CRL_NOT_YET},
	{"forged", crl_forged, PVS_ERROR_CRL_SIGNATURE},
	{"forged, newer", crl_forged_newer, PVS_ERROR_CRL_SIGNATURE},
	{"of another", crl_of_another, PVS_ERROR_CRL_MISSING},
	{"another key id", crl_akid, PVS_ERROR_CRL_SIGNATURE},
	{"critical extension", crl_critical, PVS_ERROR_CRL_SIGNATURE},
	{"critical extension of an entry", crl_critical_entry, PVS_ERROR_CRL_SIGNATURE},
	{"no nextUpdate", crl_no_until, PVS_ERROR_CRL_SIGNATURE},
	{"SHA-1", crl_sha1, PVS_ERROR_CRL_SIGNATURE},
	{"delta", crl_delta, PVS_ERROR_CRL_SIGNATURE},
	{"delta that does not say so loudly", crl_quiet_delta, PVS_ERROR_CRL_SIGNATURE},
	{"indirect", crl_indirect, PVS_ERROR_CRL_SIGNATURE},
	{"for some reasons", crl_some_reasons, PVS_ERROR_CRL_SIGNATURE},
};

static gboolean is_never_used(PvsError error)
{
	return error == PVS_ERROR_CRL_SIGNATURE || error == PVS_ERROR_CRL_MISSING;
}

/* That a CRL is not used is said when the store is loaded; not what time alone makes of it. */
static void expect_warning(World *world, const char *file, gboolean wanted)
{
	g_autoptr(PvsStore) store = world_load(world);
	const GPtrArray *warnings = pvs_store_warnings(store);
	guint n = 0;

	for (guint i = 0; i < warnings->len; i++)
		n += g_str_has_prefix(warnings->pdata[i], file) &&
		     strstr(warnings->pdata[i], " is not used: ");
	g_assert_cmpuint(n, ==, wanted);
}

/* Each of them at each place: instead of the good one it is refused, beside it does no harm, but is
 * said. */
static void test_crls(void)
{
	static const char *const files[] = {"trust.d/signing.crl", "trust.d/inter.crl",
					    "trust.d/root.crl"};
	static const char *const levels[] = {"signing-key", "intermediate", "root"};

	for (gsize place = 0; place < G_N_ELEMENTS(files); place++) {
		for (gsize i = 0; i < G_N_ELEMENTS(crl_cases); i++) {
			g_autoptr(World) world = world_new();
			PvsPkiCrl specs[] = {world_signing_crl_spec(), world_inter_crl_spec(),
					     world_root_crl_spec()};

			g_test_message("%s: %s", files[place], crl_cases[i].name);
			crl_cases[i].change(&specs[place]);
			world_put_crl_of(world, "trust.d/0.crl", &specs[place]);
			specs[place].number = 2; /* or it would be the same one again */
			world_put_crl_of(world, "trust.d/z.crl", &specs[place]);
			expect(world, host, GOOD);
			expect_warning(world, "0.crl", is_never_used(crl_cases[i].error));
			expect_warning(world, "z.crl", is_never_used(crl_cases[i].error));
			expect_warning(world, strrchr(files[place], '/') + 1, FALSE);
			world_remove(world, files[place]);
			expect_at(world, host, crl_cases[i].error, levels[place]);
		}
	}
}

/* What the client brings harms no more than what is installed. */
static void test_crls_brought(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(crl_cases); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCrl specs[] = {world_signing_crl_spec(), world_inter_crl_spec(),
				     world_root_crl_spec()};

		for (gsize place = 0; place < G_N_ELEMENTS(specs); place++) {
			g_autoptr(X509_CRL) crl = NULL;

			crl_cases[i].change(&specs[place]);
			crl = pvs_pki_crl(&specs[place]);
			world_bring_crl(world, crl);
		}
		g_test_message("%s", crl_cases[i].name);
		expect(world, host, GOOD);
		world_remove(world, "trust.d/signing.crl");
		expect(world, host, crl_cases[i].error);
	}
}

/* ---- certificates that others made ---- */

static void install(World *world, const char *assets, const char *from, const char *to)
{
	g_autofree char *path = g_build_filename(assets, "cert", from, NULL);
	g_autofree char *data = NULL;
	gsize size;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_get_contents(path, &data, &size, &error));
	g_assert_no_error(error);
	world_put(world, to, g_bytes_new(data, size));
}

static void judge_file(World *world, const char *assets, const char *name, PvsError wanted)
{
	g_autofree char *path = g_build_filename(assets, "cert", name, NULL);
	g_autofree char *data = NULL;
	gsize size;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(PvsVerdict) verdict = NULL;

	g_test_message("%s", name);
	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	bytes = g_bytes_new(data, size);
	verdict = world_judge(world, bytes, &error);
	if (wanted == GOOD) {
		g_assert_no_error(error);
		g_assert_nonnull(verdict);
	} else {
		g_assert_null(verdict);
		world_assert_reason(error, wanted);
	}
}

static void test_published(void)
{
	static const struct {
		const char *crt, *crl; /* of the signing key */
		const char *document;
		PvsError error;
	} cases[] = {
		{"ibm.crt", "ibm.crl", "host.crt", GOOD},
		{"ibm.crt", "ibm.crl", "host2.crt", GOOD},
		{"der.crt", "der.crl", "host.crt", GOOD},
		{"ibm.crt", "ibm.crl", "host_rev.crt", PVS_ERROR_HOST_KEY_REVOKED},
		{"ibm.crt", "ibm.crl", "host_crt_expired.crt", PVS_ERROR_HOST_KEY_EXPIRED},
		{"ibm.crt", "ibm.crl", "ibm.crt", PVS_ERROR_HOST_KEY_TYPE},
		{"ibm.crt", "ibm_outdated_late.crl", "host.crt", PVS_ERROR_CRL_EXPIRED},
		{"ibm.crt", "inter_ca.crl", "host.crt", PVS_ERROR_CRL_MISSING},
		{"ibm_wrong_subject.crt", "ibm.crl", "host.crt", PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
		/* After the move; documents and CRL are from before it. */
		{"ibm_armonk.crt", "ibm.crl", "host.crt", GOOD},
		{"ibm_armonk.crt", "ibm.crl", "host2.crt", GOOD},
		{"ibm_armonk.crt", "ibm.crl", "host_rev.crt", PVS_ERROR_HOST_KEY_REVOKED},
		{"ibm_armonk.crt", "ibm.crl", "host_crt_expired.crt", PVS_ERROR_HOST_KEY_EXPIRED},
		{"ibm_armonk.crt", "ibm_outdated_late.crl", "host.crt", PVS_ERROR_CRL_EXPIRED},
	};
	const char *assets = g_getenv("S390_TOOLS_ASSETS");

	if (!assets) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new_empty();

		install(world, assets, "root_ca.crt", "root.crt");
		install(world, assets, "root_ca.crl", "trust.d/root.crl");
		install(world, assets, "inter_ca.crt", "trust.d/inter.crt");
		install(world, assets, "inter_ca.crl", "trust.d/inter.crl");
		install(world, assets, cases[i].crt, "trust.d/signing.crt");
		install(world, assets, cases[i].crl, "trust.d/signing.crl");
		judge_file(world, assets, cases[i].document, cases[i].error);
		/* The root's certificate and CRL in one file. */
		install(world, assets, "root_ca.chained.crt", "trust.d/root.crl");
		judge_file(world, assets, cases[i].document, cases[i].error);
		/* And that file as RootCA=, which is then all that there is of the root. */
		install(world, assets, "root_ca.chained.crt", "root.crt");
		world_remove(world, "trust.d/root.crl");
		judge_file(world, assets, cases[i].document, cases[i].error);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	stranger = pvs_pki_rsa(4096);
	host = pvs_pki_host(world_pki, world_host_key);
	g_test_add_func("/chain/certificates", test_certificates);
	g_test_add_func("/chain/missing", test_missing);
	g_test_add_func("/chain/missing/root", test_another_root);
	g_test_add_func("/chain/brought", test_brought);
	g_test_add_func("/chain/brought/beside", test_brought_beside);
	g_test_add_func("/chain/weak-signing-keys", test_weak_signing_keys);
	g_test_add_func("/chain/generations", test_generations);
	g_test_add_func("/chain/revoked", test_revoked);
	g_test_add_func("/chain/revoked/in-any", test_revoked_in_any);
	g_test_add_func("/chain/crls", test_crls);
	g_test_add_func("/chain/crls/brought", test_crls_brought);
	g_test_add_func("/chain/published", test_published);
	status = g_test_run();
	X509_free(host);
	EVP_PKEY_free(stranger);
	world_end();
	return status;
}
