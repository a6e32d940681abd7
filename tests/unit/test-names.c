/* SPDX-License-Identifier: MIT */
/*
 * test-names.c - the text of names: what counts as the same, and what hides behind a NUL
 */
#include "daemon/trust/names.h"

#include <string.h>

#include "daemon/trust/x509.h"
#include "tests/unit/trust-world.h"

#define GOOD PVS_ERROR_LAST_

#define SERVICE	      "OU=IBM Z Host Key Signing Service"
#define IBM_AT(place) "C=US/" PVS_PKI_IBM "/ST=New York/L=" place "/" SERVICE

typedef struct {
	const char *type, *value;
} Entry;

static const Entry entries[] = {
	{"C", "US"},
	{"O", "International Business Machines Corporation"},
	{"CN", "International Business Machines Corporation"},
	{"ST", "New York"},
	{"L", "Armonk"},
	{"OU", "IBM Z Host Key Signing Service"},
};

/* ---- NUL ---- */

/* A signing key's name with @behind after the text of entry @at; @size bytes. */
static X509_NAME *name_with(guint at, const char *behind, gsize size)
{
	X509_NAME *name = X509_NAME_new();

	for (guint i = 0; i < G_N_ELEMENTS(entries); i++) {
		g_autoptr(GByteArray) value = g_byte_array_new();

		g_byte_array_append(value, (const guint8 *)entries[i].value,
				    (guint)strlen(entries[i].value));
		if (i == at)
			g_byte_array_append(value, (const guint8 *)behind, (guint)size);
		/* Not as a string of characters: OpenSSL would count those of a country. */
		g_assert_cmpint(X509_NAME_add_entry_by_txt(name, entries[i].type, V_ASN1_UTF8STRING,
							   value->data, (int)value->len, -1, 0),
				==, 1);
	}
	return name;
}

/* Read as a text of C, each of them would be that of a signing key. */
static void test_nul(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(entries); i++) {
		X509_NAME *plain = name_with(i, "", 0);
		X509_NAME *hidden = name_with(i, "\0evil", 5);
		X509_NAME *ends = name_with(i, "\0", 1);

		g_test_message("%s", entries[i].type);
		g_assert_cmpint(X509_NAME_entry_count(hidden), ==, (int)G_N_ELEMENTS(entries));
		g_assert_true(pvs_name_is_signing_key(plain));
		g_assert_false(pvs_name_is_signing_key(hidden));
		g_assert_false(pvs_name_is_signing_key(ends));
		/* Nor is it the other place's. */
		g_assert_true(pvs_name_means(plain, X509_get_subject_name(world_pki->signing),
					     PVS_NAME_PLACE));
		g_assert_false(pvs_name_means(hidden, X509_get_subject_name(world_pki->signing),
					      PVS_NAME_PLACE | PVS_NAME_ORDER));
		X509_NAME_free(plain);
		X509_NAME_free(hidden);
		X509_NAME_free(ends);
	}
}

/* ---- no entries ---- */

static void test_empty(void)
{
	X509_NAME *name = X509_NAME_new();
	g_autofree char *shown = pvs_x509_name(name), *text = pvs_x509_text(NULL, 0, 100);

	g_assert_cmpstr(shown, ==, "");
	g_assert_cmpstr(text, ==, "");
	g_assert_false(pvs_name_is_signing_key(name));
	g_assert_true(pvs_name_means(name, name, PVS_NAME_PLACE | PVS_NAME_ORDER));
	g_assert_false(pvs_name_means(name, X509_get_subject_name(world_pki->signing),
				      PVS_NAME_PLACE | PVS_NAME_ORDER));
	X509_NAME_free(name);
}

/* ---- case, spaces and encoding of an issuer's name ---- */

/* Two names that differ in these alone are the same (RFC 5280, section 7.1); OpenSSL has it so. It
 * is not for the quirk: another place has to be written as IBM writes it. */
static const struct {
	const char *what, *name;
	int type;
	gboolean good;
} texts[] = {
	{"as it is", IBM_AT("Poughkeepsie"), MBSTRING_UTF8, TRUE},
	{"case", IBM_AT("POUGHKEEPSIE"), MBSTRING_UTF8, TRUE},
	{"case of the unit",
	 "C=us/" PVS_PKI_IBM "/ST=new york/L=poughkeepsie/OU=ibm z host key signing service",
	 MBSTRING_UTF8, TRUE},
	{"a space more",
	 "C=US/" PVS_PKI_IBM "/ST=New  York/L= Poughkeepsie/OU=IBM Z Host Key Signing Service ",
	 MBSTRING_UTF8, TRUE},
	{"PrintableString", IBM_AT("Poughkeepsie"), V_ASN1_PRINTABLESTRING, TRUE},
	{"T61String", IBM_AT("Poughkeepsie"), V_ASN1_T61STRING, TRUE},
	{"the other place", IBM_AT("Armonk"), MBSTRING_UTF8, TRUE},
	{"the other place, PrintableString", IBM_AT("Armonk"), V_ASN1_PRINTABLESTRING, TRUE},
	{"the other place, case", IBM_AT("ARMONK"), MBSTRING_UTF8, FALSE},
	{"the other place, a space more", IBM_AT(" Armonk"), MBSTRING_UTF8, FALSE},
	{"the other place, T61String", IBM_AT("Armonk"), V_ASN1_T61STRING, FALSE},
	{"the other place, IA5String", IBM_AT("Armonk"), V_ASN1_IA5STRING, FALSE},
};

static void expect(World *world, const X509 *document, PvsError wanted)
{
	if (wanted == GOOD)
		world_accepts(world, document);
	else
		world_refuses(world, document, wanted);
}

static void test_issuer_of_document(void)
{
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		PvsPkiCert spec = world_host_spec();
		g_autoptr(X509) document = NULL;

		g_test_message("%s", texts[i].what);
		spec.issuer_name = texts[i].name;
		spec.name_type = texts[i].type;
		/* Its own name in an encoding that is allowed to nobody is of no interest. */
		document = pvs_pki_cert(&spec);
		expect(world, document, texts[i].good ? GOOD : PVS_ERROR_HOST_KEY_ISSUER);
	}
}

static void test_issuer_of_crl(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		PvsPkiCrl spec = world_signing_crl_spec();

		g_test_message("%s", texts[i].what);
		spec.issuer_name = texts[i].name;
		spec.name_type = texts[i].type;
		world_put_crl_of(world, "trust.d/signing.crl", &spec);
		expect(world, host, texts[i].good ? GOOD : PVS_ERROR_CRL_MISSING);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	g_test_add_func("/names/nul", test_nul);
	g_test_add_func("/names/empty", test_empty);
	g_test_add_func("/names/issuer/document", test_issuer_of_document);
	g_test_add_func("/names/issuer/crl", test_issuer_of_crl);
	status = g_test_run();
	world_end();
	return status;
}
