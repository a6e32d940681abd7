/* SPDX-License-Identifier: MIT */
/*
 * test-verdict-odd.c - documents, files and CRLs that are odd in one thing which hardly anybody has
 *
 * Well signed by who may sign, so that nothing but the check for the one thing stands in the way.
 */
#include "daemon/trust/verdict.h"

#include <string.h>

#include "tests/unit/trust-world.h"

#define GOOD PVS_ERROR_LAST_

static X509 *host;

static void expect(World *world, const X509 *document, PvsError wanted)
{
	if (wanted == GOOD)
		world_accepts(world, document);
	else
		world_refuses(world, document, wanted);
}

/* ---- times that are none ---- */

/* With Z, as it has to be, within the validity of all that is installed; and what is no time. */
#define TIME_FROM  "330101000000Z"
#define TIME_UNTIL "340101000000Z"

static const char *const no_times[] = {"", "soon", "3301010000", "331301000000Z", "330101000000"};

/* Where nobody verifies, its end has to be one all the same: it is said. */
static void expect_unverified(const X509 *document, gboolean odd)
{
	g_autoptr(GBytes) der = pvs_pki_der(document);
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) verdict = pvs_verdict_unverified(
		g_bytes_get_data(der, NULL), g_bytes_get_size(der), WORLD_NOW, &error);

	if (odd)
		world_assert_reason(error, PVS_ERROR_HOST_KEY_FORMAT);
	else
		g_assert_no_error(error);
	g_assert_true((verdict == NULL) == odd);
}

static void test_document_times(void)
{
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i <= G_N_ELEMENTS(no_times); i++) {
		const char *odd = i < G_N_ELEMENTS(no_times) ? no_times[i] : NULL;

		for (guint until = 0; until < 2; until++) {
			PvsPkiCert spec = world_host_spec();
			g_autoptr(X509) document = NULL;

			spec.from_text = odd && !until ? odd : TIME_FROM;
			spec.until_text = odd && until ? odd : TIME_UNTIL;
			g_test_message("%s, %s", spec.from_text, spec.until_text);
			document = pvs_pki_cert(&spec);
			expect(world, document, odd ? PVS_ERROR_HOST_KEY_FORMAT : GOOD);
			expect_unverified(document, odd && until);
		}
	}
}

static void test_crl_times(void)
{
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i <= G_N_ELEMENTS(no_times); i++) {
		const char *odd = i < G_N_ELEMENTS(no_times) ? no_times[i] : NULL;

		for (guint until = 0; until < 2; until++) {
			PvsPkiCrl spec = world_signing_crl_spec();

			spec.from_text = odd && !until ? odd : TIME_FROM;
			spec.until_text = odd && until ? odd : TIME_UNTIL;
			g_test_message("%s, %s", spec.from_text, spec.until_text);
			world_put_crl_of(world, "trust.d/signing.crl", &spec);
			expect(world, host, odd ? PVS_ERROR_CRL_SIGNATURE : GOOD);
		}
	}
}

/* ---- authorities that do not say so in the usual place ---- */

static void test_authorities(void)
{
	static const struct {
		const char *what, *key_usage, *extension;
		PvsError error;
	} cases[] = {
		{"a key that signs certificates", "critical,keyCertSign", NULL,
		 PVS_ERROR_HOST_KEY_IS_CA},
		{"and agrees on keys", "critical,keyCertSign,keyAgreement", NULL,
		 PVS_ERROR_HOST_KEY_IS_CA},
		{"Netscape's", "", "nsCertType=sslCA", PVS_ERROR_HOST_KEY_IS_CA},
		{"Netscape's, of a client", "", "nsCertType=client", GOOD},
		{"a key that signs CRLs", "critical,cRLSign", NULL, GOOD},
		{"no usage", "", NULL, GOOD},
		{"said not to be one", NULL, "basicConstraints=critical,CA:FALSE", GOOD},
	};
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsPkiCert spec = world_host_spec();
		const char *const extensions[] = {cases[i].extension, NULL};
		g_autoptr(X509) document = NULL;

		g_test_message("%s", cases[i].what);
		spec.key_usage = cases[i].key_usage;
		spec.extensions = extensions;
		document = pvs_pki_cert(&spec);
		expect(world, document, cases[i].error);
	}
}

/* ---- PEM ---- */

#define END_CERTIFICATE "-----END CERTIFICATE-----\n"

/* @der between the lines for @kind, below @header; @behind follows. */
static GBytes *armoured(const char *kind, const char *header, GBytes *der, const char *behind)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(der, &size);
	g_autofree char *base64 = g_base64_encode(data, size);
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "-----BEGIN %s-----\n%s", kind, header);
	for (const char *p = base64; *p; p += MIN(strlen(p), 64))
		g_string_append_printf(text, "%.64s\n", p);
	g_string_append_printf(text, "-----END %s-----\n%s", kind, behind);
	return g_string_free_to_bytes(text);
}

#define ENCRYPTED \
	"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899aabbccddeeff\n\n"
#define COMMENT "Comment: a header\n\n"

/* A block of another kind is no document, whatever is in it; nor is one that says it is encrypted
 * or has another header. */
static void test_document_block(void)
{
	static const struct {
		const char *kind, *header, *behind;
		PvsError error;
	} cases[] = {
		{"CERTIFICATE", "", "", GOOD},
		{"CERTIFICATE", COMMENT, "", PVS_ERROR_HOST_KEY_FORMAT},
		{"CERTIFICATE", ENCRYPTED, "", PVS_ERROR_HOST_KEY_FORMAT},
		{"X509 CERTIFICATE", "", "", PVS_ERROR_HOST_KEY_FORMAT},
		{"TRUSTED CERTIFICATE", "", "", PVS_ERROR_HOST_KEY_FORMAT},
		/* Where a certificate's end is found as well: */
		{"X509 CERTIFICATE", "", END_CERTIFICATE, PVS_ERROR_HOST_KEY_FORMAT},
		{"TRUSTED CERTIFICATE", "", END_CERTIFICATE, PVS_ERROR_HOST_KEY_FORMAT},
		{"X509 CRL", "", END_CERTIFICATE, PVS_ERROR_HOST_KEY_FORMAT},
		{"PKCS7", "", END_CERTIFICATE, PVS_ERROR_HOST_KEY_FORMAT},
	};
	g_autoptr(World) world = world_new();
	g_autoptr(GBytes) der = pvs_pki_der(host);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) pem =
			armoured(cases[i].kind, cases[i].header, der, cases[i].behind);
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsVerdict) verdict = world_judge(world, pem, &error);

		g_test_message("%s %s%s", cases[i].kind, cases[i].header, cases[i].behind);
		g_assert_cmpint(verdict != NULL, ==, cases[i].error == GOOD);
		if (!verdict)
			world_assert_reason(error, cases[i].error);
	}
}

static void test_installed_block(void)
{
	static const struct {
		const char *kind, *header;
		gboolean good;
	} cases[] = {
		{"CERTIFICATE", "", TRUE},
		{"X509 CERTIFICATE", "", TRUE},
		{"CERTIFICATE", COMMENT, FALSE},
		{"CERTIFICATE", ENCRYPTED, FALSE},
		{"TRUSTED CERTIFICATE", "", FALSE},
		{"X509 CRL", "", FALSE},
		{"PKCS7", "", FALSE},
	};
	g_autoptr(World) world = world_new();
	g_autoptr(GBytes) der = pvs_pki_der(world_pki->inter);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s %s", cases[i].kind, cases[i].header);
		world_put(world, "trust.d/inter.crt",
			  armoured(cases[i].kind, cases[i].header, der, ""));
		if (cases[i].good) {
			expect(world, host, GOOD);
		} else {
			g_autofree char *said = world_load_error(world);

			g_assert_nonnull(strstr(said, "trust.d/inter.crt: not certificates"));
		}
	}
}

/* ---- entries of CRLs ---- */

/* Whatever the reason of the entry. The last takes one off hold, and has its place in a delta CRL
 * alone: it was listed, so a full one that has it is not one to believe in. */
static void test_reasons(void)
{
	static const int reasons[] = {0,
				      CRL_REASON_KEY_COMPROMISE,
				      CRL_REASON_CA_COMPROMISE,
				      CRL_REASON_SUPERSEDED,
				      CRL_REASON_CESSATION_OF_OPERATION,
				      CRL_REASON_CERTIFICATE_HOLD,
				      CRL_REASON_PRIVILEGE_WITHDRAWN,
				      CRL_REASON_REMOVE_FROM_CRL};
	g_autoptr(X509) another = pvs_pki_host(world_pki, world_host_key);
	const X509 *list[] = {host, NULL};

	for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCrl spec = world_signing_crl_spec();

		g_test_message("%d", reasons[i]);
		spec.revoked = list;
		spec.reason = reasons[i];
		world_put_crl_of(world, "trust.d/signing.crl", &spec);
		expect(world, host, PVS_ERROR_HOST_KEY_REVOKED);
		expect(world, another, GOOD);
	}
}

/* ---- distribution points relative to the issuer ---- */

/* In DER: the place CN=a below the issuer's name, and the place CN=b; and http://a/ in full. */
#define RELATIVE_A "a00ca10a300806035504030c0161"
#define RELATIVE_B "a00ca10a300806035504030c0162"
#define FULL_A	   "a00da00b8609687474703a2f2f612f"

/* Nobody uses them, and they are no match for anything. */
static void test_relative(void)
{
	static const struct {
		const char *document, *crl;
		PvsError error;
	} cases[] = {
		{"2.5.29.31=DER:3011300f" FULL_A, "2.5.29.28=critical,DER:300f" FULL_A, GOOD},
		{"2.5.29.31=DER:3010300e" RELATIVE_A, "2.5.29.28=critical,DER:300f" FULL_A,
		 PVS_ERROR_CRL_MISSING},
		{"2.5.29.31=DER:3011300f" FULL_A, "2.5.29.28=critical,DER:300e" RELATIVE_A,
		 PVS_ERROR_CRL_MISSING},
		{"2.5.29.31=DER:3010300e" RELATIVE_A, "2.5.29.28=critical,DER:300e" RELATIVE_A,
		 PVS_ERROR_CRL_MISSING},
		{"2.5.29.31=DER:3010300e" RELATIVE_A, "2.5.29.28=critical,DER:300e" RELATIVE_B,
		 PVS_ERROR_CRL_MISSING},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert document = world_host_spec();
		PvsPkiCrl crl = world_signing_crl_spec();
		const char *const points[] = {cases[i].document, NULL};
		const char *const scope[] = {cases[i].crl, NULL};
		g_autoptr(X509) one = NULL;

		g_test_message("%s, %s", cases[i].document, cases[i].crl);
		document.extensions = points;
		crl.extensions = scope;
		one = pvs_pki_cert(&document);
		world_put_crl_of(world, "trust.d/signing.crl", &crl);
		expect(world, one, cases[i].error);
	}
}

/* ---- names without entries ---- */

/* One that a client made up stands in for the intermediate that is not installed, and above it
 * stands nobody. */
static void test_link_of_nobody(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert spec = world_inter_spec();
	g_autoptr(X509) link = NULL;

	spec.key = world_host_key;
	spec.issuer = NULL;
	spec.issuer_key = NULL;
	spec.issuer_name = "";
	spec.no_skid = spec.no_akid = TRUE;
	link = pvs_pki_cert(&spec);
	world_remove(world, "trust.d/inter.crt");
	world_bring_cert(world, link);
	expect(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
}

/* A document of nobody, good or not. */
static void test_document_of_nobody(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert spec = world_host_spec();
	EVP_PKEY *small = pvs_pki_ec("P-384");

	spec.subject = "";
	for (guint i = 0; i < 2; i++) {
		g_autoptr(X509) document = pvs_pki_cert(&spec);
		g_autoptr(GBytes) der = pvs_pki_der(document);
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsVerdict) verdict = pvs_verdict_unverified(
			g_bytes_get_data(der, NULL), g_bytes_get_size(der), WORLD_NOW, &error);

		if (i == 0) {
			g_assert_no_error(error);
			g_assert_cmpstr(verdict->subject, ==, "");
		} else {
			world_assert_reason(error, PVS_ERROR_HOST_KEY_TYPE);
		}
		expect(world, document, i == 0 ? GOOD : PVS_ERROR_HOST_KEY_TYPE);
		spec.key = small;
	}
	EVP_PKEY_free(small);
}

/* ---- marks ---- */

/* CRLs of authorities are not marked, so a mark of an authority's key, whoever left it, is not
 * heard: the one that is installed is what there is. */
static void test_marks_of_authorities(void)
{
	g_autoptr(World) world = world_new();
	X509 *const keys[] = {world_pki->root, world_pki->inter, world_pki->signing};
	PvsPkiCrl specs[] = {world_root_crl_spec(), world_inter_crl_spec(),
			     world_signing_crl_spec()};

	world->marks = pvs_marks_new(-1, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(X509_CRL) newer = NULL;

		specs[i].from = -1;
		specs[i].until = WORLD_YEAR;
		newer = pvs_pki_crl(&specs[i]);
		g_assert_true(pvs_marks_see(world->marks, keys[i], newer, NULL));
		expect(world, host,
		       keys[i] == world_pki->signing ? PVS_ERROR_CRL_ROLLED_BACK : GOOD);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	host = pvs_pki_host(world_pki, world_host_key);
	g_test_add_func("/odd/times/document", test_document_times);
	g_test_add_func("/odd/times/crl", test_crl_times);
	g_test_add_func("/odd/authorities", test_authorities);
	g_test_add_func("/odd/block/document", test_document_block);
	g_test_add_func("/odd/block/installed", test_installed_block);
	g_test_add_func("/odd/reasons", test_reasons);
	g_test_add_func("/odd/relative", test_relative);
	g_test_add_func("/odd/nobody/link", test_link_of_nobody);
	g_test_add_func("/odd/nobody/document", test_document_of_nobody);
	g_test_add_func("/odd/marks", test_marks_of_authorities);
	status = g_test_run();
	X509_free(host);
	world_end();
	return status;
}
