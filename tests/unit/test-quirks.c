/* SPDX-License-Identifier: MIT */
/*
 * test-quirks.c - names as the real world has them, and what only looks like them
 */
#include <string.h>

#include "daemon/trust/names.h"
#include "tests/unit/trust-world.h"

#define GOOD PVS_ERROR_LAST_

#define ARMONK "C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=IBM Z Host Key Signing Service"
/* The order that CRLs and documents of the real world have. */
#define O_IBM  "O=International Business Machines Corporation"
#define CN_IBM "CN=International Business Machines Corporation"
#define CRL_ORDER(place) \
	"C=US/" O_IBM "/OU=IBM Z Host Key Signing Service/L=" place "/ST=New York/" CN_IBM

static EVP_PKEY *stranger; /* RSA-4096, nobody's */

static void expect(World *world, GBytes *document, PvsError wanted)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) verdict = world_judge(world, document, &error);

	if (wanted == GOOD) {
		g_assert_no_error(error);
		g_assert_nonnull(verdict);
	} else {
		g_assert_null(verdict);
		world_assert_reason(error, wanted);
	}
}

static void expect_cert(World *world, const X509 *document, PvsError wanted)
{
	g_autoptr(GBytes) pem = pvs_pki_pem(document);

	expect(world, pem, wanted);
}

/* Several files' contents in one. */
static GBytes *joined(GBytes *first, ...)
{
	GByteArray *all = g_byte_array_new();
	va_list args;

	va_start(args, first);
	for (GBytes *part = first; part; part = va_arg(args, GBytes *)) {
		gsize size;
		const guint8 *data = g_bytes_get_data(part, &size);

		g_byte_array_append(all, data, (guint)size);
		g_bytes_unref(part);
	}
	va_end(args);
	return g_byte_array_free_to_bytes(all);
}

/* ---- what is genuine ---- */

typedef struct {
	guint signing, document, crl; /* 0 Poughkeepsie, 1 Armonk */
	gboolean order;		      /* the CRL's issuer has its entries in the other order, */
	gboolean document_order;      /* so has the document's */
	gboolean der;
	gboolean bundle;
	gboolean no_akid; /* neither the document nor the CRL */
	enum { ALONE, BESIDE_EXPIRED, BESIDE_LIVE, GENERATIONS } generation;
} Genuine;

static void put(World *world, const char *name, gboolean der, GBytes *as_der, GBytes *as_pem)
{
	world_put(world, name, g_bytes_ref(der ? as_der : as_pem));
	g_bytes_unref(as_der);
	g_bytes_unref(as_pem);
}

/* The signing key of another generation, of the same name as some have: expired, or good with a CRL
 * of its own that lists the document. */
static void install_other(World *world, const Genuine *g, const X509 *document)
{
	PvsPkiCert spec = world_signing_spec();
	PvsPkiCrl crl = world_signing_crl_spec();
	const X509 *list[] = {document, NULL};
	g_autoptr(X509) other = NULL;
	g_autoptr(X509_CRL) its_crl = NULL;

	if (g->generation == ALONE)
		return;
	spec.key = stranger;
	if (g->generation == BESIDE_EXPIRED) {
		spec.from = -2 * WORLD_YEAR;
		spec.until = -WORLD_YEAR;
	}
	other = pvs_pki_cert(&spec);
	crl.issuer = other;
	crl.issuer_key = stranger;
	crl.revoked = list;
	its_crl = pvs_pki_crl(&crl);
	if (g->bundle) {
		world_put(world, "trust.d/0-other.pem",
			  joined(pvs_pki_pem(other), pvs_pki_crl_pem(its_crl), NULL));
		return;
	}
	put(world, "trust.d/0-other", g->der, pvs_pki_der(other), pvs_pki_pem(other));
	put(world, "trust.d/0-list", g->der, pvs_pki_crl_der(its_crl), pvs_pki_crl_pem(its_crl));
}

static void install(World *world, const Genuine *g, X509 *signing, X509_CRL *crl)
{
	world_remove(world, "trust.d/signing.crt");
	world_remove(world, "trust.d/signing.crl");
	if (g->bundle) {
		/* Certificates and CRLs in one file; that is PEM. */
		world_remove(world, "trust.d/inter.crt");
		world_remove(world, "trust.d/inter.crl");
		world_put(world, "trust.d/all.pem",
			  joined(pvs_pki_crl_pem(world_pki->inter_crl), pvs_pki_pem(signing),
				 pvs_pki_crl_pem(crl), pvs_pki_pem(world_pki->inter), NULL));
		return;
	}
	put(world, "trust.d/signing", g->der, pvs_pki_der(signing), pvs_pki_pem(signing));
	put(world, "trust.d/list", g->der, pvs_pki_crl_der(crl), pvs_pki_crl_pem(crl));
}

static void try_genuine(const Genuine *g)
{
	static const char *const subjects[] = {PVS_PKI_SIGNING_KEY, ARMONK};
	static const char *const orders[] = {CRL_ORDER("Poughkeepsie"), CRL_ORDER("Armonk")};
	g_autoptr(World) world = world_new();
	PvsPkiCert signing = world_signing_spec(), host = world_host_spec();
	PvsPkiCrl crl = world_signing_crl_spec();
	g_autoptr(X509) key = NULL, document = NULL, revoked = NULL;
	g_autoptr(X509_CRL) list = NULL;
	g_autoptr(GBytes) bytes = NULL;
	const X509 *revoke[] = {NULL, NULL};

	signing.subject = subjects[g->signing];
	key = pvs_pki_cert(&signing);
	host.issuer = key;
	host.issuer_name = g->document_order ? orders[g->document] : subjects[g->document];
	host.no_akid = g->no_akid;
	document = pvs_pki_cert(&host);
	revoked = pvs_pki_cert(&host);
	revoke[0] = revoked;
	crl.issuer = key;
	crl.issuer_name = g->order ? orders[g->crl] : subjects[g->crl];
	crl.no_akid = g->no_akid;
	crl.revoked = revoke;
	list = pvs_pki_crl(&crl);
	install(world, g, key, list);
	install_other(world, g, document);
	bytes = g->der ? pvs_pki_der(document) : pvs_pki_pem(document);
	expect(world, bytes, GOOD);
	/* Whatever the CRL is called, it is heard. */
	expect_cert(world, revoked, PVS_ERROR_HOST_KEY_REVOKED);
}

static void test_genuine(void)
{
	for (guint bits = 0; bits < 256 * GENERATIONS; bits++) {
		const Genuine g = {
			.signing = bits & 1,
			.document = bits >> 1 & 1,
			.crl = bits >> 2 & 1,
			.order = bits >> 3 & 1,
			.der = bits >> 4 & 1,
			.bundle = bits >> 5 & 1,
			.no_akid = bits >> 6 & 1,
			.document_order = bits >> 7 & 1,
			.generation = bits >> 8,
		};

		if (g.der && g.bundle)
			continue;
		g_test_message("signing key %u, document %u, CRL %u, orders %d %d, DER %d, "
			       "bundle %d, no key id %d, generation %u",
			       g.signing, g.document, g.crl, g.document_order, g.order, g.der,
			       g.bundle, g.no_akid, g.generation);
		try_genuine(&g);
	}
}

/* ---- a quirk is a way to find a CRL, and proves nothing ---- */

static void test_forged(void)
{
	static const char *const names[] = {ARMONK, CRL_ORDER("Poughkeepsie"), CRL_ORDER("Armonk")};
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCrl crl = world_signing_crl_spec();
		const X509 *list[] = {host, NULL};

		g_test_message("%s", names[i]);
		crl.issuer_name = names[i];
		crl.issuer_key = stranger;
		crl.revoked = list;
		/* It revokes nothing, and stands in nobody's way; */
		world_put_crl_of(world, "trust.d/0.crl", &crl);
		expect_cert(world, host, GOOD);
		/* and where it is all there is, there is none. */
		crl.revoked = NULL;
		world_put_crl_of(world, "trust.d/0.crl", &crl);
		world_remove(world, "trust.d/signing.crl");
		expect_cert(world, host, PVS_ERROR_CRL_SIGNATURE);
	}
}

/* ---- names that are off ---- */

#define SERVICE "OU=IBM Z Host Key Signing Service"

static const struct {
	const char *what;
	const char *name;
} off[] = {
	{"another place", "C=US/" PVS_PKI_IBM "/ST=New York/L=Albany/" SERVICE},
	{"a place in capitals", "C=US/" PVS_PKI_IBM "/ST=New York/L=ARMONK/" SERVICE},
	{"another state", "C=US/" PVS_PKI_IBM "/ST=New Jersey/L=Armonk/" SERVICE},
	{"another country", "C=DE/" PVS_PKI_IBM "/ST=New York/L=Armonk/" SERVICE},
	{"another organization",
	 "C=US/O=International Business Machines/" CN_IBM "/ST=New York/L=Armonk/" SERVICE},
	{"another common name", "C=US/" O_IBM "/CN=IBM/ST=New York/L=Armonk/" SERVICE},
	{"another unit", "C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=Key Signing Servant"},
	{"an entry less", "C=US/" PVS_PKI_IBM "/ST=New York/" SERVICE},
	{"a seventh entry", "C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/" SERVICE "/OU=Z"},
	{"a place twice", "C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/L=Armonk"},
	{"a place of another type", "C=US/" PVS_PKI_IBM "/ST=New York/street=Armonk/" SERVICE},
	{"places exchanged", "C=US/" PVS_PKI_IBM "/L=New York/ST=Armonk/" SERVICE},
};

/* Of the signing key: then it is none. */
static void test_signing_key_off(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(off); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert signing = world_signing_spec(), host = world_host_spec();
		PvsPkiCrl crl = world_signing_crl_spec();
		g_autoptr(X509) key = NULL, document = NULL;

		g_test_message("%s", off[i].what);
		signing.subject = off[i].name;
		key = pvs_pki_cert(&signing);
		host.issuer = key;
		document = pvs_pki_cert(&host);
		crl.issuer = key;
		world_put_cert(world, "trust.d/signing.crt", key);
		world_put_crl_of(world, "trust.d/signing.crl", &crl);
		expect_cert(world, document, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY);
	}
}

/* Case and encoding count in a signing key's own name. */
static void test_signing_key_text(void)
{
	static const struct {
		const char *what, *name;
		int type;
		PvsError error;
	} cases[] = {
		{"UTF-8", ARMONK, MBSTRING_UTF8, GOOD},
		{"PrintableString", ARMONK, V_ASN1_PRINTABLESTRING, GOOD},
		{"T61String", ARMONK, V_ASN1_T61STRING, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
		{"IA5String", ARMONK, V_ASN1_IA5STRING, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
		{"case", "C=US/" PVS_PKI_IBM "/ST=New York/L=armonk/" SERVICE, MBSTRING_UTF8,
		 PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
		{"case of the unit",
		 "C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=IBM Z Host Key signing service",
		 MBSTRING_UTF8, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
		{"a space more", "C=US/" PVS_PKI_IBM "/ST=New  York/L=Armonk/" SERVICE,
		 MBSTRING_UTF8, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert signing = world_signing_spec(), host = world_host_spec();
		PvsPkiCrl crl = world_signing_crl_spec();
		g_autoptr(X509) key = NULL, document = NULL;

		g_test_message("%s", cases[i].what);
		signing.subject = cases[i].name;
		signing.name_type = cases[i].type;
		key = pvs_pki_cert(&signing);
		host.issuer = key;
		document = pvs_pki_cert(&host);
		crl.issuer = key;
		world_put_cert(world, "trust.d/signing.crt", key);
		world_put_crl_of(world, "trust.d/signing.crl", &crl);
		expect_cert(world, document, cases[i].error);
	}
}

/* Of the document's issuer and of the CRL's: signed with the right key, and yet not the signing
 * key's. */
static void test_issuer_off(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(off); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert host = world_host_spec();
		PvsPkiCrl crl = world_signing_crl_spec();
		g_autoptr(X509) document = NULL, good = pvs_pki_host(world_pki, world_host_key);

		host.issuer_name = off[i].name;
		g_test_message("%s", host.issuer_name);
		document = pvs_pki_cert(&host);
		expect_cert(world, document, PVS_ERROR_HOST_KEY_ISSUER);
		/* Where no key id says whose it might be: */
		host.no_akid = TRUE;
		g_clear_pointer(&document, X509_free);
		document = pvs_pki_cert(&host);
		expect_cert(world, document, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY);
		crl.issuer_name = off[i].name;
		world_put_crl_of(world, "trust.d/signing.crl", &crl);
		expect_cert(world, good, PVS_ERROR_CRL_MISSING);
	}
}

/* The order of a document's issuer is no more than its place: a way to find the key that must have
 * signed it. */
static void test_order_forged(void)
{
	static const char *const names[] = {CRL_ORDER("Poughkeepsie"), CRL_ORDER("Armonk")};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert host = world_host_spec();
		g_autoptr(X509) document = NULL, forged = NULL, other = NULL;

		host.issuer_name = names[i];
		document = pvs_pki_cert(&host);
		expect_cert(world, document, GOOD);
		host.issuer_key = stranger;
		forged = pvs_pki_cert(&host);
		expect_cert(world, forged, PVS_ERROR_HOST_KEY_SIGNATURE);
		host.issuer_key = world_pki->signing_key;
		host.akid_hex = "00112233445566778899aabbccddeeff00112233";
		other = pvs_pki_cert(&host);
		expect_cert(world, other, PVS_ERROR_HOST_KEY_AKID);
	}
}

/* The quirks are the signing key's: an authority has to be called what it is called. */
static void test_not_for_authorities(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	PvsPkiCrl crl = world_inter_crl_spec();
	g_autoptr(X509_CRL) list = NULL;

	crl.issuer_name = "O=Tests/C=US/CN=Intermediate CA of the tests";
	list = pvs_pki_crl(&crl);
	world_put_crl(world, "trust.d/inter.crl", list);
	expect_cert(world, host, PVS_ERROR_CRL_MISSING);
	/* OpenSSL would not have it either; but it is not even found. */
	g_assert_false(pvs_name_means(X509_CRL_get_issuer(list),
				      X509_get_subject_name(world_pki->inter),
				      PVS_NAME_PLACE | PVS_NAME_ORDER));
}

/* C=US+ST=New York is not C=US, ST=New York. */
static void test_parts(void)
{
	static const struct {
		const char *type, *value;
	} entries[] = {
		{"C", "US"},
		{"O", "International Business Machines Corporation"},
		{"CN", "International Business Machines Corporation"},
		{"ST", "New York"},
		{"L", "Armonk"},
		{"OU", "IBM Z Host Key Signing Service"},
	};

	for (guint joined_at = 0; joined_at < G_N_ELEMENTS(entries); joined_at++) {
		X509_NAME *name = X509_NAME_new();
		const X509_NAME *subject = X509_get_subject_name(world_pki->signing);

		for (guint i = 0; i < G_N_ELEMENTS(entries); i++)
			g_assert_cmpint(X509_NAME_add_entry_by_txt(
						name, entries[i].type, MBSTRING_UTF8,
						(const guint8 *)entries[i].value, -1, -1,
						joined_at > 0 && i == joined_at ? -1 : 0),
					==, 1);
		g_assert_cmpint(pvs_name_means(name, subject, PVS_NAME_PLACE | PVS_NAME_ORDER), ==,
				joined_at == 0);
		g_assert_false(pvs_name_means(name, subject, 0));
		g_assert_false(pvs_name_means(name, subject, PVS_NAME_ORDER));
		X509_NAME_free(name);
	}
}

/* ---- HostKeyIssuer=akid ---- */

static void test_by_key_id(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert host = world_host_spec();
	g_autoptr(X509) document = NULL, without = NULL, other = NULL, forged = NULL;

	host.issuer_name = "C=US/CN=Somebody else";
	document = pvs_pki_cert(&host);
	host.issuer_key = stranger;
	forged = pvs_pki_cert(&host);
	host.issuer_key = world_pki->signing_key;
	host.akid_hex = "00112233445566778899aabbccddeeff00112233";
	other = pvs_pki_cert(&host);
	host.akid_hex = NULL;
	host.no_akid = TRUE;
	without = pvs_pki_cert(&host);
	expect_cert(world, document, PVS_ERROR_HOST_KEY_ISSUER);
	world->paths.issuer_by_key_id = TRUE;
	expect_cert(world, document, GOOD);
	/* It takes a key id that fits, and the signature. */
	expect_cert(world, without, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY);
	expect_cert(world, other, PVS_ERROR_HOST_KEY_NO_SIGNING_KEY);
	expect_cert(world, forged, PVS_ERROR_HOST_KEY_SIGNATURE);
	/* A key id that does not fit is wrong whatever the name. */
	host = world_host_spec();
	host.akid_hex = "00112233445566778899aabbccddeeff00112233";
	g_clear_pointer(&other, X509_free);
	other = pvs_pki_cert(&host);
	expect_cert(world, other, PVS_ERROR_HOST_KEY_AKID);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	stranger = pvs_pki_rsa(4096);
	g_test_add_func("/quirks/genuine", test_genuine);
	g_test_add_func("/quirks/forged", test_forged);
	g_test_add_func("/quirks/signing-key", test_signing_key_off);
	g_test_add_func("/quirks/signing-key/text", test_signing_key_text);
	g_test_add_func("/quirks/issuer", test_issuer_off);
	g_test_add_func("/quirks/issuer/order", test_order_forged);
	g_test_add_func("/quirks/authorities", test_not_for_authorities);
	g_test_add_func("/quirks/parts", test_parts);
	g_test_add_func("/quirks/by-key-id", test_by_key_id);
	status = g_test_run();
	EVP_PKEY_free(stranger);
	world_end();
	return status;
}
