/* SPDX-License-Identifier: MIT */
/*
 * test-look.c - the vault's own look at a host key
 */
#include "daemon/vault/look.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "protocol/error.h"
#include "tests/unit/document.h"
#include "tests/unit/request-case.h"

/* Made once: RSA keys take their time. */
static EVP_PKEY *rsa3072, *rsa2048, *p256, *p384, *p521, *host;
static guint8 host_point[PVS_POINT_SIZE];

static X509 *signing_certificate(EVP_PKEY *key)
{
	return test_certificate(test_ibm, TEST_IBM, key, p384, EVP_sha384());
}

/* ---- loading ---- */

typedef struct {
	char *directory;
} Fixture;

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->directory = g_dir_make_tmp("pvs-look-XXXXXX", NULL);
}

static void empty(const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);

		g_remove(path);
	}
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	empty(f->directory);
	g_rmdir(f->directory);
	g_free(f->directory);
}

static char *put(Fixture *f, const char *name, GBytes *bytes)
{
	char *path = g_build_filename(f->directory, name, NULL);
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);

	g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
	return path;
}

static void put_text(Fixture *f, const char *name, const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));

	g_free(put(f, name, bytes));
}

static void put_pem(Fixture *f, const char *name, X509 *cert)
{
	g_autoptr(GBytes) pem = test_pem_of(cert);

	g_free(put(f, name, pem));
}

static guint loaded(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsLook) look = pvs_look_load(f->directory, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	return pvs_look_size(look);
}

static void test_formats(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(X509) a = signing_certificate(rsa3072);
	g_autoptr(X509) b = signing_certificate(p384);
	g_autoptr(X509) c = signing_certificate(p521);
	g_autoptr(X509) other = test_certificate(test_ibm, 5, p521, p521, EVP_sha512());
	g_autoptr(GBytes) pem_a = test_pem_of(a);
	g_autoptr(GBytes) pem_b = test_pem_of(b);
	g_autoptr(GBytes) pem_other = test_pem_of(other);
	g_autoptr(GBytes) der = test_der_of(c);
	g_autoptr(GString) several = g_string_new("what people write above a certificate\n");
	g_auto(GStrv) lines = NULL;
	g_autofree char *crlf = NULL;

	g_assert_cmpuint(loaded(f), ==, 0);
	g_free(put(f, "a.pem", pem_a));
	g_assert_cmpuint(loaded(f), ==, 1);
	g_free(put(f, "c.der", der));
	g_assert_cmpuint(loaded(f), ==, 2);

	/* Several in a file, with others between; a CRL that is no base64 at all is passed over. */
	g_string_append_len(several, g_bytes_get_data(pem_other, NULL),
			    (gssize)g_bytes_get_size(pem_other));
	g_string_append(several, "-----BEGIN X509 CRL-----\n!!!!\n-----END X509 CRL-----\n");
	g_string_append(several, "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
	g_string_append_len(several, g_bytes_get_data(pem_b, NULL),
			    (gssize)g_bytes_get_size(pem_b));
	put_text(f, "several", several->str);
	g_assert_cmpuint(loaded(f), ==, 3);

	/* The same keys once more, with other line ends: each counts once. */
	lines = g_strsplit(several->str, "\n", -1);
	crlf = g_strjoinv("\r\n", lines);
	put_text(f, "crlf", crlf);
	g_assert_cmpuint(loaded(f), ==, 3);
	empty(f->directory);
	put_text(f, "crlf", crlf);
	g_assert_cmpuint(loaded(f), ==, 1);
}

/* What trust takes for a signing key the vault must take for one, too: or it would refuse each of
 * the documents that trust found good. So it tells PEM from DER in the same way. */
static void test_text_above(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *what;
		gsize size;
		guint keys;
	} texts[] = {
		{"", 0, 1},
		{"0 is how a SEQUENCE in DER begins, too\n", 39, 1},
		{"a\0b\n", 4, 1},
		{"in the middle of a line ", 24, 0},
	};
	g_autoptr(X509) cert = signing_certificate(p521);
	g_autoptr(GBytes) pem = test_pem_of(cert);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GByteArray) all = g_byte_array_new();
		g_autoptr(GBytes) bytes = NULL;

		g_byte_array_append(all, (const guint8 *)texts[i].what, (guint)texts[i].size);
		g_byte_array_append(all, g_bytes_get_data(pem, NULL), (guint)g_bytes_get_size(pem));
		bytes = g_bytes_new(all->data, all->len);
		g_free(put(f, "cert", bytes));
		g_test_message("%s", texts[i].what);
		g_assert_cmpuint(loaded(f), ==, texts[i].keys);
	}
}

/* Nor is one a signing key here whose name is in an encoding that trust does not take. */
static void test_encodings(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		int type;
		guint keys;
	} cases[] = {
		{V_ASN1_UTF8STRING, 1},
		{V_ASN1_PRINTABLESTRING, 1},
		{V_ASN1_T61STRING, 0},
		{V_ASN1_IA5STRING, 0},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(X509) cert = signing_certificate(p521);
		X509_NAME *name = X509_NAME_dup(X509_get_subject_name(cert));
		int at = X509_NAME_get_index_by_NID(name, NID_localityName, -1);

		X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
		g_assert_cmpint(X509_NAME_add_entry_by_NID(name, NID_localityName, cases[i].type,
							   (const guint8 *)"Armonk", 6, at, 0),
				==, 1);
		g_assert_true(X509_set_subject_name(cert, name) &&
			      X509_sign(cert, p521, EVP_sha512()) > 0);
		X509_NAME_free(name);
		put_pem(f, "cert", cert);
		g_assert_cmpuint(loaded(f), ==, cases[i].keys);
	}
}

static void test_passed_over(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(X509) cert = signing_certificate(p521);
	g_autoptr(GBytes) pem = test_pem_of(cert);
	g_autoptr(GBytes) der = test_der_of(cert);
	g_autoptr(GBytes) cut = g_bytes_new_from_bytes(der, 0, g_bytes_get_size(der) - 1);
	g_autofree char *sub = g_build_filename(f->directory, "sub", NULL);
	g_autofree char *fifo = g_build_filename(f->directory, "fifo", NULL);
	g_autofree char *half = g_strndup(g_bytes_get_data(pem, NULL), 200);

	put_text(f, "empty", "");
	put_text(f, "text", "hello\n");
	put_text(f, "sequence", "0");
	put_text(f, "half", half);
	put_text(f, "begin", "-----BEGIN ");
	put_text(f, "begin-end", "-----BEGIN CERTIFICATE-----END ");
	put_text(f, "overlap", "-----BEGIN CERTIFICATE-----END CERTIFICATE-----");
	put_text(f, "nothing-between", "-----BEGIN CERTIFICATE----------END CERTIFICATE-----");
	put_pem(f, ".hidden.pem", cert);
	put_pem(f, "copy.pem~", cert);
	g_free(put(f, "cut.der", cut));
	g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	g_assert_cmpuint(loaded(f), ==, 0);
	put_pem(f, "good.pem", cert);
	g_assert_cmpuint(loaded(f), ==, 1);
}

/* A certificate is parsed in the arena, so it may not be larger than there is room. */
static void test_large(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		gsize size; /* of an extension */
		guint kept;
	} rows[] = {{60 * 1024, 1}, {64 * 1024, 0}};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree guint8 *zeros = g_malloc0(rows[i].size);
		g_autoptr(X509) cert = signing_certificate(p521);
		ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
		X509_EXTENSION *extension;
		g_autoptr(GBytes) der = NULL;

		g_assert_cmpint(ASN1_OCTET_STRING_set(value, zeros, (int)rows[i].size), ==, 1);
		extension = X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, 0, value);
		g_assert_true(X509_add_ext(cert, extension, -1) &&
			      X509_sign(cert, p384, EVP_sha384()) > 0);
		der = test_der_of(cert);
		g_free(put(f, "large.der", der));
		g_assert_cmpuint(loaded(f), ==, rows[i].kept);
		X509_EXTENSION_free(extension);
		ASN1_OCTET_STRING_free(value);
	}
}

/* Keys that may not sign host-key documents are not kept, whatever their certificate says. */
static void test_weak(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	EVP_PKEY *weak[] = {rsa2048, p256};

	for (gsize i = 0; i < G_N_ELEMENTS(weak); i++) {
		g_autoptr(X509) cert = signing_certificate(weak[i]);

		put_pem(f, "weak.pem", cert);
		g_assert_cmpuint(loaded(f), ==, 0);
	}
}

static void test_subjects(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		gsize at; /* the entry that is another */
		TestEntry entry;
		gboolean good;
	} cases[] = {
		{2, {"L", "Armonk"}, TRUE},
		{4, {"OU", "Key Signing Service"}, TRUE},
		{4, {"OU", "IBM Z Host Key Signing Service (z17) Key Signing Service"}, TRUE},
		{0, {"C", "DE"}, FALSE},
		{0, {"DC", "US"}, FALSE},
		{1, {"ST", "New York "}, FALSE},
		{1, {"ST", "new york"}, FALSE},
		{1, {"ST", "NY"}, FALSE},
		{2, {"L", "Poughkeepsi"}, FALSE},
		{2, {"L", "armonk"}, FALSE},
		{2, {"L", "New York"}, FALSE},
		{2, {"ST", "New York"}, FALSE},
		{3, {"O", "International Business Machines"}, FALSE},
		{3, {"O", "IInternational Business Machines Corporation"}, FALSE},
		{4, {"OU", "Key Signing Service "}, FALSE},
		{4, {"OU", "Key Signing Services"}, FALSE},
		{4, {"OU", "Signing Service"}, FALSE},
		{4, {"CN", "Key Signing Service"}, FALSE},
		{5, {"CN", "International Business Machines Corporation2"}, FALSE},
		{5, {"CN", "Key Signing Service"}, FALSE},
		{5, {"emailAddress", "a@example.com"}, FALSE},
		{5, {"OU", "Key Signing Service"}, FALSE},
	};
	static const gsize order[] = {0, 3, 4, 2, 1, 5}; /* C, O, OU, L, ST, CN */
	TestEntry entries[TEST_IBM + 1];

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(X509) cert = NULL;

		memcpy(entries, test_ibm, sizeof test_ibm);
		entries[cases[i].at] = cases[i].entry;
		cert = test_certificate(entries, TEST_IBM, p521, p521, EVP_sha512());
		put_pem(f, "cert", cert);
		g_test_message("%s=%s", cases[i].entry.key, cases[i].entry.value);
		g_assert_cmpuint(loaded(f), ==, cases[i].good);
	}
	for (gsize left_out = 0; left_out < TEST_IBM; left_out++) {
		g_autoptr(X509) cert = NULL;
		gsize n = 0;

		for (gsize i = 0; i < TEST_IBM; i++)
			if (i != left_out)
				entries[n++] = test_ibm[i];
		cert = test_certificate(entries, n, p521, p521, EVP_sha512());
		put_pem(f, "cert", cert);
		g_assert_cmpuint(loaded(f), ==, 0);
	}
	for (gsize twice = 0; twice < TEST_IBM; twice++) {
		g_autoptr(X509) cert = NULL;

		memcpy(entries, test_ibm, sizeof test_ibm);
		entries[TEST_IBM] = test_ibm[twice];
		cert = test_certificate(entries, G_N_ELEMENTS(entries), p521, p521, EVP_sha512());
		put_pem(f, "cert", cert);
		g_assert_cmpuint(loaded(f), ==, 0);
	}
	{
		g_autoptr(X509) cert = NULL;

		for (gsize i = 0; i < TEST_IBM; i++)
			entries[i] = test_ibm[order[i]];
		cert = test_certificate(entries, TEST_IBM, p521, p521, EVP_sha512());
		put_pem(f, "cert", cert);
		g_assert_cmpuint(loaded(f), ==, 1);
	}
}

static void refuses(Fixture *f, const char *path, const char *rule)
{
	g_autoptr(GError) error = NULL;
	const char *tail;

	g_assert_null(pvs_look_load(f->directory, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_test_message("%s", error->message);
	g_assert_null(strchr(error->message, '\n'));
	g_assert_true(g_str_has_prefix(error->message, path));
	tail = strstr(error->message + strlen(path), rule);
	g_assert_nonnull(tail);
	g_assert_nonnull(strstr(tail, "; "));
}

static void test_unreadable(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *link = g_build_filename(f->directory, "link", NULL);
	g_autofree char *big = g_build_filename(f->directory, "big", NULL);
	g_autofree char *missing = g_build_filename(f->directory, "missing", NULL);
	g_autoptr(PvsLook) none = pvs_look_load(missing, NULL);
	g_autoptr(PvsLook) null = pvs_look_load(NULL, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(pvs_look_size(none), ==, 0);
	g_assert_cmpuint(pvs_look_size(null), ==, 0);
	g_assert_cmpint(symlink("nowhere", link), ==, 0);
	refuses(f, link, "cannot be read");
	g_remove(link);
	put_text(f, "big", "x");
	g_assert_cmpint(truncate(big, 16 * 1024 * 1024 + 1), ==, 0);
	refuses(f, big, "larger than 16 MiB");
	g_assert_null(pvs_look_load(big, &error)); /* not a directory */
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_remove(big);
	if (geteuid() != 0) {
		put_text(f, "secret", "x");
		g_free(link);
		link = g_build_filename(f->directory, "secret", NULL);
		g_assert_cmpint(g_chmod(link, 0), ==, 0);
		refuses(f, link, "cannot be read");
	}
}

/* ---- looking ---- */

static PvsLook *look_with(EVP_PKEY *const *keys, gsize n)
{
	Fixture f;
	PvsLook *look;

	set_up(&f, NULL);
	for (gsize i = 0; i < n; i++) {
		g_autoptr(X509) cert = signing_certificate(keys[i]);
		g_autofree char *name = g_strdup_printf("%zu.pem", i);

		put_pem(&f, name, cert);
	}
	look = pvs_look_load(f.directory, NULL);
	g_assert_cmpuint(pvs_look_size(look), ==, n);
	tear_down(&f, NULL);
	return look;
}

static PvsLook *look_with_all(void)
{
	EVP_PKEY *keys[] = {rsa3072, p384, p521};

	return look_with(keys, G_N_ELEMENTS(keys));
}

static gboolean look_at(const PvsLook *look, GBytes *tbs, PvsSignatureAlgorithm algorithm,
			GBytes *signature, guint8 point[PVS_POINT_SIZE], GError **error)
{
	gsize tbs_size, signature_size;
	const guint8 *tbs_data = g_bytes_get_data(tbs, &tbs_size);
	const guint8 *signature_data = g_bytes_get_data(signature, &signature_size);
	gboolean good = pvs_look(look, tbs_data, tbs_size, algorithm, signature_data,
				 signature_size, point, error);

	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	return good;
}

static void refused(const PvsLook *look, GBytes *tbs, PvsSignatureAlgorithm algorithm,
		    GBytes *signature, PvsError code)
{
	g_autoptr(GError) error = NULL;
	guint8 point[PVS_POINT_SIZE], untouched[PVS_POINT_SIZE];

	memset(point, 0xee, sizeof point);
	memset(untouched, 0xee, sizeof untouched);
	g_assert_false(look_at(look, tbs, algorithm, signature, point, &error));
	g_assert_error(error, PVS_ERROR, (gint)code);
	g_assert_cmpmem(point, sizeof point, untouched, sizeof untouched);
}

typedef struct {
	EVP_PKEY **key;
	const EVP_MD *(*digest)(void);
	PvsSignatureAlgorithm algorithm; /* 0: none that is allowed */
} Way;

static const Way ways[] = {
	{&rsa3072, EVP_sha256, PVS_SIGNATURE_RSA_SHA256},
	{&rsa3072, EVP_sha384, PVS_SIGNATURE_RSA_SHA384},
	{&rsa3072, EVP_sha512, PVS_SIGNATURE_RSA_SHA512},
	{&p384, EVP_sha384, PVS_SIGNATURE_ECDSA_SHA384},
	{&p384, EVP_sha512, PVS_SIGNATURE_ECDSA_SHA512},
	{&p521, EVP_sha384, PVS_SIGNATURE_ECDSA_SHA384},
	{&p521, EVP_sha512, PVS_SIGNATURE_ECDSA_SHA512},
	{&p384, EVP_sha256, 0},
	{&rsa3072, EVP_sha1, 0},
	{&rsa3072, EVP_sha224, 0},
};

/* Each way of signing is accepted under its own name and no other. */
static void test_algorithms(void)
{
	g_autoptr(PvsLook) look = look_with_all();
	g_autoptr(X509) document = test_certificate(test_ibm, 3, host, p521, EVP_sha512());
	g_autoptr(GBytes) tbs = test_tbs_of(document);

	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autoptr(GBytes) signature = test_sign(*ways[i].key, ways[i].digest(), tbs);

		for (guint a = 0; a <= PVS_SIGNATURE_ECDSA_SHA512 + 2; a++) {
			guint8 point[PVS_POINT_SIZE];

			if (a == 0 || a != ways[i].algorithm) {
				refused(look, tbs, (PvsSignatureAlgorithm)a, signature,
					PVS_ERROR_HOST_KEY_SIGNATURE);
				continue;
			}
			g_assert_true(
				look_at(look, tbs, ways[i].algorithm, signature, point, NULL));
			g_assert_cmpmem(point, sizeof point, host_point, sizeof host_point);
		}
	}
}

static void test_pss_is_not_pkcs1(void)
{
	g_autoptr(PvsLook) look = look_with_all();
	g_autoptr(X509) document = test_certificate(test_ibm, 3, host, p521, EVP_sha512());
	g_autoptr(GBytes) tbs = test_tbs_of(document);
	g_autoptr(GBytes) bytes = NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context;
	guint8 signature[1024];
	gsize size = sizeof signature;

	g_assert_true(EVP_DigestSignInit(context, &key_context, EVP_sha512(), NULL, rsa3072) == 1 &&
		      EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
		      EVP_DigestSign(context, signature, &size, g_bytes_get_data(tbs, NULL),
				     g_bytes_get_size(tbs)) == 1);
	EVP_MD_CTX_free(context);
	bytes = g_bytes_new(signature, size);
	refused(look, tbs, PVS_SIGNATURE_RSA_SHA512, bytes, PVS_ERROR_HOST_KEY_SIGNATURE);
}

static void test_strangers(void)
{
	EVP_PKEY *one[] = {p384};
	g_autoptr(PvsLook) look = look_with(one, 1);
	g_autoptr(PvsLook) empty_look = pvs_look_load(NULL, NULL);
	g_autoptr(X509) document = test_certificate(test_ibm, 3, host, p521, EVP_sha512());
	g_autoptr(GBytes) tbs = test_tbs_of(document);
	g_autoptr(GBytes) good = test_sign(p384, EVP_sha384(), tbs);
	g_autoptr(GBytes) stranger = test_sign(p521, EVP_sha384(), tbs);
	g_autoptr(GBytes) weak = test_sign(rsa2048, EVP_sha512(), tbs);
	g_autoptr(GBytes) none = g_bytes_new_static("", 0);
	guint8 point[PVS_POINT_SIZE];

	g_assert_true(look_at(look, tbs, PVS_SIGNATURE_ECDSA_SHA384, good, point, NULL));
	refused(look, tbs, PVS_SIGNATURE_ECDSA_SHA384, stranger, PVS_ERROR_HOST_KEY_SIGNATURE);
	refused(look, tbs, PVS_SIGNATURE_RSA_SHA512, weak, PVS_ERROR_HOST_KEY_SIGNATURE);
	refused(look, tbs, PVS_SIGNATURE_ECDSA_SHA384, none, PVS_ERROR_HOST_KEY_SIGNATURE);
	refused(look, none, PVS_SIGNATURE_ECDSA_SHA384, good, PVS_ERROR_HOST_KEY_SIGNATURE);
	refused(empty_look, tbs, PVS_SIGNATURE_ECDSA_SHA384, good, PVS_ERROR_HOST_KEY_SIGNATURE);
}

/* No byte of the signed part can be changed. */
static void test_every_byte(void)
{
	EVP_PKEY *one[] = {rsa3072};
	g_autoptr(PvsLook) look = look_with(one, 1);
	g_autoptr(X509) document = test_certificate(test_ibm, 3, host, p521, EVP_sha512());
	g_autoptr(GBytes) tbs = test_tbs_of(document);
	g_autoptr(GBytes) signature = test_sign(rsa3072, EVP_sha512(), tbs);
	gsize size = g_bytes_get_size(tbs);
	g_autofree guint8 *bytes = g_memdup2(g_bytes_get_data(tbs, NULL), size);

	for (gsize i = 0; i < size; i++) {
		g_autoptr(GBytes) changed = NULL;

		bytes[i] ^= 1;
		changed = g_bytes_new(bytes, size);
		refused(look, changed, PVS_SIGNATURE_RSA_SHA512, signature,
			PVS_ERROR_HOST_KEY_SIGNATURE);
		bytes[i] ^= 1;
	}
}

/* What is genuinely signed, and is no host key all the same. */
static void refused_though_signed(const PvsLook *look, const guint8 *data, gsize size)
{
	g_autoptr(GBytes) tbs = g_bytes_new(data, size);
	g_autoptr(GBytes) signature = test_sign(p384, EVP_sha384(), tbs);

	refused(look, tbs, PVS_SIGNATURE_ECDSA_SHA384, signature, PVS_ERROR_HOST_KEY_INVALID);
}

static void test_other_keys(void)
{
	EVP_PKEY *others[] = {rsa2048, rsa3072, p256, p384};
	EVP_PKEY *one[] = {p384};
	g_autoptr(PvsLook) look = look_with(one, 1);

	for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autoptr(X509) document =
			test_certificate(test_ibm, 3, others[i], p521, EVP_sha512());
		g_autoptr(GBytes) tbs = test_tbs_of(document);

		refused_though_signed(look, g_bytes_get_data(tbs, NULL), g_bytes_get_size(tbs));
	}
}

static gsize find_point(const guint8 *tbs, gsize size)
{
	static const guint8 before[] = {0x03, 0x81, 0x86, 0x00, 0x04};
	const guint8 *at = memmem(tbs, size, before, sizeof before);

	g_assert_nonnull(at);
	return (gsize)(at - tbs) + sizeof before;
}

static void test_off_the_curve(void)
{
	EVP_PKEY *one[] = {p384};
	g_autoptr(PvsLook) look = look_with(one, 1);
	g_autoptr(X509) document = test_certificate(test_ibm, 3, host, p521, EVP_sha512());
	g_autoptr(GBytes) tbs = test_tbs_of(document);
	gsize size = g_bytes_get_size(tbs);
	g_autofree guint8 *bytes = g_memdup2(g_bytes_get_data(tbs, NULL), size);
	gsize at = find_point(bytes, size);
	static const gsize places[] = {0, 1, 65, 66, 131};

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		bytes[at + places[i]] ^= 2;
		refused_though_signed(look, bytes, size);
		bytes[at + places[i]] ^= 2;
	}
	memset(bytes + at, 0, 132);
	refused_though_signed(look, bytes, size);
	memset(bytes + at, 0xff, 132);
	refused_though_signed(look, bytes, size);
	/* Compressed, hybrid, infinity. */
	memcpy(bytes, g_bytes_get_data(tbs, NULL), size);
	for (guint8 form = 0; form < 8; form++) {
		bytes[at - 1] = form;
		if (form != 4)
			refused_though_signed(look, bytes, size);
	}
}

/* ---- documents that others made ---- */

static X509 *asset(const char *name)
{
	g_autofree char *path = g_build_filename(g_getenv("S390_TOOLS_ASSETS"), "cert", name, NULL);
	g_autofree char *data = NULL;
	g_autoptr(BIO) bio = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	bio = BIO_new_mem_buf(data, (int)size);
	return PEM_read_bio_X509(bio, NULL, NULL, NULL);
}

static void copy(Fixture *f, const char *name)
{
	g_autofree char *path = g_build_filename(g_getenv("S390_TOOLS_ASSETS"), "cert", name, NULL);
	char *data;
	gsize size;
	g_autoptr(GBytes) bytes = NULL;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	bytes = g_bytes_new_take(data, size);
	g_free(put(f, name, bytes));
}

static void test_published(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const others[] = {
		"ibm.crl", "inter_ca.crl",	    "inter_ca.crt",	  "root_ca.crt",
		"der.crl", "ibm_wrong_subject.crt", "root_ca.chained.crt"};
	static const char *const signing[] = {"ibm.crt", "der.crt", "ibm_armonk.crt"};
	/* The vault alone does not know of time and revocation. */
	static const char *const documents[] = {"host.crt", "host2.crt", "host_rev.crt",
						"host_crt_expired.crt"};
	g_autoptr(PvsLook) look = NULL;

	if (!g_getenv("S390_TOOLS_ASSETS")) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		copy(f, others[i]);
	g_assert_cmpuint(loaded(f), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(signing); i++) {
		copy(f, signing[i]);
		g_assert_cmpuint(loaded(f), ==, 1);
	}
	look = pvs_look_load(f->directory, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
		g_autoptr(X509) document = asset(documents[i]);
		g_autoptr(GBytes) tbs = test_tbs_of(document);
		g_autoptr(GBytes) signature = NULL;
		const ASN1_BIT_STRING *bits;
		guint8 point[PVS_POINT_SIZE], expected[PVS_POINT_SIZE];

		X509_get0_signature(&bits, NULL, document);
		signature = g_bytes_new(bits->data, (gsize)bits->length);
		g_assert_true(look_at(look, tbs, PVS_SIGNATURE_RSA_SHA512, signature, point, NULL));
		g_assert_true(pvs_request_point(X509_get0_pubkey(document), expected, NULL));
		g_assert_cmpmem(point, sizeof point, expected, sizeof expected);
		refused(look, tbs, PVS_SIGNATURE_RSA_SHA256, signature,
			PVS_ERROR_HOST_KEY_SIGNATURE);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	rsa2048 = EVP_RSA_gen(2048);
	rsa3072 = EVP_RSA_gen(3072);
	p256 = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	p521 = EVP_EC_gen("P-521");
	host = test_new_key(host_point);
	g_assert_true(rsa2048 && rsa3072 && p256 && p384 && p521);

#define ADD(name, function) g_test_add("/look/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("load/formats", test_formats);
	ADD("load/text-above", test_text_above);
	ADD("load/encodings", test_encodings);
	ADD("load/passed-over", test_passed_over);
	ADD("load/large", test_large);
	ADD("load/weak", test_weak);
	ADD("load/subjects", test_subjects);
	ADD("load/unreadable", test_unreadable);
	ADD("published", test_published);
	g_test_add_func("/look/algorithms", test_algorithms);
	g_test_add_func("/look/pss-is-not-pkcs1", test_pss_is_not_pkcs1);
	g_test_add_func("/look/strangers", test_strangers);
	g_test_add_func("/look/every-byte", test_every_byte);
	g_test_add_func("/look/other-keys", test_other_keys);
	g_test_add_func("/look/off-the-curve", test_off_the_curve);
	return g_test_run();
}
