/* SPDX-License-Identifier: MIT */
/*
 * pki.c - certificates and CRLs for the tests, right in everything or wrong in one thing
 */
#include "tests/pki/pki.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define DAY  (24 * 3600)
#define YEAR (365 * DAY)

/* Not g_assert(): the tools use this too, and want to be told even without a test. */
#define MUST(condition)                                                       \
	do {                                                                  \
		if (!(condition))                                             \
			g_error("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

static gint64 set_now;

void pvs_pki_set_now(gint64 now)
{
	set_now = now;
}

gint64 pvs_pki_now(void)
{
	return set_now ? set_now : time(NULL);
}

static X509_NAME *name_of(const char *text, int type)
{
	g_auto(GStrv) entries = g_strsplit(text, "/", -1);
	X509_NAME *name = X509_NAME_new();

	for (char **entry = entries; *entry; entry++) {
		char *value = strchr(*entry, '=');

		MUST(value != NULL);
		*value++ = '\0';
		MUST(X509_NAME_add_entry_by_txt(name, *entry, type ? type : MBSTRING_UTF8,
						(const guchar *)value, -1, -1, 0) == 1);
	}
	return name;
}

static void set_serial(ASN1_INTEGER *to, guint64 serial)
{
	if (serial == 0) {
		MUST(RAND_bytes((guint8 *)&serial, sizeof serial) == 1);
		serial &= G_MAXINT64;
	}
	MUST(ASN1_INTEGER_set_uint64(to, serial) == 1);
}

static X509_EXTENSION *extension(X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

	MUST(ext != NULL);
	return ext;
}

static void add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = extension(ctx, nid, value);

	MUST(X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

/* "NAME=VALUE". */
static X509_EXTENSION *extension_of(X509V3_CTX *ctx, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "=", 2);
	X509_EXTENSION *ext = X509V3_EXT_nconf(NULL, ctx, parts[0], parts[1]);

	MUST(ext != NULL);
	return ext;
}

/* One that nobody knows, critical: an object id of the range for examples. */
static X509_EXTENSION *unknown_critical(void)
{
	ASN1_OBJECT *id = OBJ_txt2obj("2.999.42", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	MUST(id && value && ASN1_OCTET_STRING_set(value, (const guchar *)"\x05\x00", 2) == 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, id, 1, value);
	MUST(ext != NULL);
	ASN1_OBJECT_free(id);
	ASN1_OCTET_STRING_free(value);
	return ext;
}

/* An authority key id with the key id @hex (two digits a byte, no colons). */
static X509_EXTENSION *akid_of(const char *hex)
{
	AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
	X509_EXTENSION *ext;
	long size;
	guint8 *bytes = OPENSSL_hexstr2buf(hex, &size);

	akid->keyid = ASN1_OCTET_STRING_new();
	MUST(bytes && ASN1_OCTET_STRING_set(akid->keyid, bytes, (int)size) == 1);
	OPENSSL_free(bytes);
	ext = X509V3_EXT_i2d(NID_authority_key_identifier, 0, akid);
	MUST(ext != NULL);
	AUTHORITY_KEYID_free(akid);
	return ext;
}

static void set_time(ASN1_TIME *to, gint64 offset)
{
	MUST(ASN1_TIME_adj(to, (time_t)pvs_pki_now(), (int)(offset / DAY), (long)(offset % DAY)) !=
	     NULL);
}

/* Any text in the place of a time; NULL: none. */
static ASN1_TIME *time_of(const char *text)
{
	ASN1_TIME *when = text ? ASN1_STRING_type_new(V_ASN1_UTCTIME) : NULL;

	MUST(!text || (when && ASN1_STRING_set(when, text, -1) == 1));
	return when;
}

static void set_odd_times(X509 *cert, const PvsPkiCert *spec)
{
	ASN1_TIME *from = time_of(spec->from_text), *until = time_of(spec->until_text);

	MUST(!from || X509_set1_notBefore(cert, from) == 1);
	MUST(!until || X509_set1_notAfter(cert, until) == 1);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
}

static void set_odd_crl_times(X509_CRL *crl, const PvsPkiCrl *spec)
{
	ASN1_TIME *from = time_of(spec->from_text), *until = time_of(spec->until_text);

	MUST(!from || X509_CRL_set1_lastUpdate(crl, from) == 1);
	MUST(!until || X509_CRL_set1_nextUpdate(crl, until) == 1);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
}

static void add_key_ids(X509 *cert, const PvsPkiCert *spec, X509 *issuer)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	if (!spec->no_skid)
		add_extension(cert, &ctx, NID_subject_key_identifier, "hash");
	if (spec->no_akid)
		return;
	if (spec->akid_hex) {
		ext = akid_of(spec->akid_hex);
		MUST(X509_add_ext(cert, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	} else if (spec->issuer) {
		add_extension(cert, &ctx, NID_authority_key_identifier, "keyid");
	}
}

static void add_extensions(X509 *cert, const PvsPkiCert *spec, X509 *issuer)
{
	const char *usage = spec->key_usage;
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	if (spec->ca)
		add_extension(cert, &ctx, NID_basic_constraints, "critical,CA:TRUE");
	if (!usage)
		usage = spec->ca ? "critical,keyCertSign,cRLSign" : "critical,keyAgreement";
	if (*usage)
		add_extension(cert, &ctx, NID_key_usage, usage);
	add_key_ids(cert, spec, issuer);
	for (PvsPkiExtensions text = spec->extensions; text && *text; text++) {
		ext = extension_of(&ctx, *text);
		MUST(X509_add_ext(cert, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	if (spec->critical) {
		ext = unknown_critical();
		MUST(X509_add_ext(cert, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
}

static void set_key(X509 *cert, const PvsPkiCert *spec)
{
	gsize size;
	const guint8 *point;

	if (!spec->point) {
		MUST(X509_set_pubkey(cert, spec->key) == 1);
		return;
	}
	point = g_bytes_get_data(spec->point, &size);
	MUST(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert),
				    OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
				    OBJ_nid2obj(spec->curve_nid ? spec->curve_nid : NID_secp521r1),
				    OPENSSL_memdup(point, size), (int)size) == 1);
}

static void sign(X509 *cert, const PvsPkiCert *spec)
{
	EVP_PKEY *key = spec->issuer_key ? spec->issuer_key : spec->key;
	const EVP_MD *digest = spec->digest ? spec->digest : EVP_sha512();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;

	MUST(md && EVP_DigestSignInit(md, &ctx, digest, NULL, key) == 1);
	if (spec->pss)
		MUST(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0);
	MUST(X509_sign_ctx(cert, md) > 0);
	EVP_MD_CTX_free(md);
}

X509 *pvs_pki_cert(const PvsPkiCert *spec)
{
	X509 *cert = X509_new();
	X509 *issuer = spec->issuer ? spec->issuer : cert;
	X509_NAME *subject = name_of(spec->subject, spec->name_type);
	gboolean dated = spec->from || spec->until;

	MUST(X509_set_version(cert, spec->version ? spec->version - 1 : X509_VERSION_3) == 1);
	set_serial(X509_get_serialNumber(cert), spec->serial);
	set_time(X509_getm_notBefore(cert), dated ? spec->from : -DAY);
	set_time(X509_getm_notAfter(cert), dated ? spec->until : 10 * YEAR);
	set_odd_times(cert, spec);
	MUST(X509_set_subject_name(cert, subject) == 1);
	X509_NAME_free(subject);
	set_key(cert, spec);
	if (spec->issuer_name) {
		X509_NAME *name = name_of(spec->issuer_name, spec->name_type);

		MUST(X509_set_issuer_name(cert, name) == 1);
		X509_NAME_free(name);
	} else {
		MUST(X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1);
	}
	if (X509_get_version(cert) == X509_VERSION_3)
		add_extensions(cert, spec, issuer);
	sign(cert, spec);
	return cert;
}

static void add_reason(X509_REVOKED *entry, int reason)
{
	ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();

	MUST(ASN1_ENUMERATED_set(value, reason) == 1);
	MUST(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0) == 1);
	ASN1_ENUMERATED_free(value);
}

static void add_revoked(X509_CRL *crl, const ASN1_INTEGER *serial, gboolean critical, int reason)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_new();

	set_time(when, -DAY);
	MUST(X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)serial) == 1);
	MUST(X509_REVOKED_set_revocationDate(entry, when) == 1);
	if (critical) {
		X509_EXTENSION *ext = unknown_critical();

		MUST(X509_REVOKED_add_ext(entry, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	if (reason)
		add_reason(entry, reason);
	MUST(X509_CRL_add0_revoked(crl, entry) == 1);
	ASN1_TIME_free(when);
}

static void add_more(X509_CRL *crl, guint n)
{
	g_autoptr(GRand) dice = g_rand_new_with_seed(n);
	ASN1_INTEGER *serial = ASN1_INTEGER_new();

	while (n-- > 0) {
		MUST(ASN1_INTEGER_set_uint64(serial, g_rand_int(dice)) == 1);
		add_revoked(crl, serial, FALSE, 0);
	}
	ASN1_INTEGER_free(serial);
}

static void add_crl_extensions(X509_CRL *crl, const PvsPkiCrl *spec)
{
	X509_EXTENSION *ext = NULL;

	if (spec->akid_hex) {
		ext = akid_of(spec->akid_hex);
	} else if (!spec->no_akid) {
		X509V3_CTX ctx;

		X509V3_set_ctx(&ctx, spec->issuer, NULL, NULL, crl, 0);
		ext = extension(&ctx, NID_authority_key_identifier, "keyid");
	}
	if (ext) {
		MUST(X509_CRL_add_ext(crl, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	if (spec->number) {
		ASN1_INTEGER *number = ASN1_INTEGER_new();

		MUST(ASN1_INTEGER_set_uint64(number, spec->number) == 1);
		MUST(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1);
		ASN1_INTEGER_free(number);
	}
	for (PvsPkiExtensions text = spec->extensions; text && *text; text++) {
		X509V3_CTX ctx;

		X509V3_set_ctx(&ctx, spec->issuer, NULL, NULL, crl, 0);
		ext = extension_of(&ctx, *text);
		MUST(X509_CRL_add_ext(crl, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	if (spec->critical) {
		ext = unknown_critical();
		MUST(X509_CRL_add_ext(crl, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
}

X509_CRL *pvs_pki_crl(const PvsPkiCrl *spec)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *when = ASN1_TIME_new();
	gboolean dated = spec->from || spec->until;

	MUST(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	if (spec->issuer_name) {
		X509_NAME *name = name_of(spec->issuer_name, spec->name_type);

		MUST(X509_CRL_set_issuer_name(crl, name) == 1);
		X509_NAME_free(name);
	} else {
		MUST(X509_CRL_set_issuer_name(crl, X509_get_subject_name(spec->issuer)) == 1);
	}
	set_time(when, dated ? spec->from : -DAY);
	MUST(X509_CRL_set1_lastUpdate(crl, when) == 1);
	if (!spec->no_until) {
		set_time(when, dated ? spec->until : YEAR);
		MUST(X509_CRL_set1_nextUpdate(crl, when) == 1);
	}
	ASN1_TIME_free(when);
	set_odd_crl_times(crl, spec);
	for (const X509 *const *cert = spec->revoked; cert && *cert; cert++)
		add_revoked(crl, X509_get0_serialNumber(*cert), spec->critical_entry, spec->reason);
	add_crl_extensions(crl, spec);
	if (spec->more)
		add_more(crl, spec->more);
	else
		MUST(X509_CRL_sort(crl) == 1);
	MUST(X509_CRL_sign(crl, spec->issuer_key, spec->digest ? spec->digest : EVP_sha512()) > 0);
	return crl;
}

EVP_PKEY *pvs_pki_ec(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	MUST(key != NULL);
	return key;
}

EVP_PKEY *pvs_pki_ec_explicit(const char *curve)
{
	EVP_PKEY *key = pvs_pki_ec(curve);

	MUST(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
					    OSSL_PKEY_EC_ENCODING_EXPLICIT) == 1);
	return key;
}

static EVP_PKEY *read_key(const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

/* A large key takes longer than all that is done with it. Where the same tests run a hundred times
 * (tests/mutate), PVS_TEST_KEYS is a directory for those that were made: the Nth of a process is
 * the Nth of the next. */
EVP_PKEY *pvs_pki_rsa(guint bits)
{
	static guint n;
	const char *dir = g_getenv("PVS_TEST_KEYS");
	g_autofree char *name = g_strdup_printf("%u-%u.key", bits, n++);
	g_autofree char *path = dir ? g_build_filename(dir, name, NULL) : NULL;
	EVP_PKEY *key = path ? read_key(path) : NULL;

	if (key)
		return key;
	key = EVP_RSA_gen(bits);
	MUST(key != NULL);
	if (path)
		pvs_pki_write_key(dir, name, key);
	return key;
}

static GBytes *bytes_of(BIO *bio)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);
	GBytes *bytes = g_bytes_new(data, (gsize)size);

	BIO_free_all(bio);
	return bytes;
}

GBytes *pvs_pki_pem(const X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && PEM_write_bio_X509(bio, (X509 *)cert) == 1);
	return bytes_of(bio);
}

GBytes *pvs_pki_der(const X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && i2d_X509_bio(bio, (X509 *)cert) == 1);
	return bytes_of(bio);
}

GBytes *pvs_pki_crl_pem(const X509_CRL *crl)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && PEM_write_bio_X509_CRL(bio, (X509_CRL *)crl) == 1);
	return bytes_of(bio);
}

GBytes *pvs_pki_crl_der(const X509_CRL *crl)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && i2d_X509_CRL_bio(bio, (X509_CRL *)crl) == 1);
	return bytes_of(bio);
}

void pvs_pki_write(const char *dir, const char *name, GBytes *bytes)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);

	/* GLib neither cuts an old file nor replaces it without fsync(). */
	(void)unlink(path);
	if (!g_file_set_contents_full(path, data, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0644,
				      &error))
		g_error("%s", error->message);
	g_bytes_unref(bytes);
}

void pvs_pki_write_key(const char *dir, const char *name, EVP_PKEY *key)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	pvs_pki_write(dir, name, bytes_of(bio));
	MUST(chmod(path, 0600) == 0);
}

PvsPkiCert pvs_pki_host_spec(const PvsPki *pki, EVP_PKEY *key)
{
	return (PvsPkiCert){
		.subject = "C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=IBM Z Host Key",
		.key = key,
		.issuer = pki->signing,
		.issuer_key = pki->signing_key,
	};
}

X509 *pvs_pki_host(const PvsPki *pki, EVP_PKEY *key)
{
	PvsPkiCert spec = pvs_pki_host_spec(pki, key);

	return pvs_pki_cert(&spec);
}

PvsPki *pvs_pki_new(void)
{
	PvsPki *pki = g_new0(PvsPki, 1);
	const X509 *revoked[2] = {NULL, NULL};
	PvsPkiCert root, inter, signing;
	PvsPkiCrl root_crl, inter_crl, signing_crl;

	pki->root_key = pvs_pki_ec("P-521");
	pki->inter_key = pvs_pki_ec("P-384");
	pki->signing_key = pvs_pki_rsa(3072);
	pki->revoked_key = pvs_pki_ec("P-521");

	root = (PvsPkiCert){.subject = "C=US/O=Tests/CN=Root CA of the tests",
			    .key = pki->root_key,
			    .ca = TRUE};
	pki->root = pvs_pki_cert(&root);
	inter = (PvsPkiCert){.subject = "C=US/O=Tests/CN=Intermediate CA of the tests",
			     .key = pki->inter_key,
			     .issuer = pki->root,
			     .issuer_key = pki->root_key,
			     .ca = TRUE};
	pki->inter = pvs_pki_cert(&inter);
	signing = (PvsPkiCert){.subject = PVS_PKI_SIGNING_KEY,
			       .key = pki->signing_key,
			       .issuer = pki->inter,
			       .issuer_key = pki->inter_key,
			       .key_usage = "critical,digitalSignature,keyEncipherment"};
	pki->signing = pvs_pki_cert(&signing);
	pki->revoked = pvs_pki_host(pki, pki->revoked_key);

	revoked[0] = pki->revoked;
	root_crl = (PvsPkiCrl){.issuer = pki->root, .issuer_key = pki->root_key, .number = 1};
	pki->root_crl = pvs_pki_crl(&root_crl);
	inter_crl = (PvsPkiCrl){.issuer = pki->inter, .issuer_key = pki->inter_key, .number = 1};
	pki->inter_crl = pvs_pki_crl(&inter_crl);
	signing_crl = (PvsPkiCrl){.issuer = pki->signing,
				  .issuer_key = pki->signing_key,
				  .revoked = revoked,
				  .number = 1};
	pki->signing_crl = pvs_pki_crl(&signing_crl);
	return pki;
}

void pvs_pki_free(PvsPki *pki)
{
	if (!pki)
		return;
	EVP_PKEY_free(pki->root_key);
	EVP_PKEY_free(pki->inter_key);
	EVP_PKEY_free(pki->signing_key);
	EVP_PKEY_free(pki->revoked_key);
	X509_free(pki->root);
	X509_free(pki->inter);
	X509_free(pki->signing);
	X509_free(pki->revoked);
	X509_CRL_free(pki->root_crl);
	X509_CRL_free(pki->inter_crl);
	X509_CRL_free(pki->signing_crl);
	g_free(pki);
}

void pvs_pki_install(const PvsPki *pki, const char *dir)
{
	g_autofree char *trust = g_build_filename(dir, "trust.d", NULL);

	MUST(g_mkdir_with_parents(trust, 0755) == 0);
	pvs_pki_write(dir, "root.crt", pvs_pki_pem(pki->root));
	pvs_pki_write(trust, "signing.crt", pvs_pki_pem(pki->signing));
	pvs_pki_write(trust, "inter.crt", pvs_pki_pem(pki->inter));
	pvs_pki_write(trust, "root.crl", pvs_pki_crl_pem(pki->root_crl));
	pvs_pki_write(trust, "inter.crl", pvs_pki_crl_pem(pki->inter_crl));
	pvs_pki_write(trust, "signing.crl", pvs_pki_crl_pem(pki->signing_crl));
}
