/* SPDX-License-Identifier: MIT */
/*
 * look.c - the vault's own look at a host key
 *
 * Two halves that share nothing: loading, which parses X.509 but only the owner's files and before
 * the cage; and looking, which gets bytes from trust, verifies a signature over them and then
 * skips.
 */
#include "daemon/vault/look.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "daemon/owners.h"
#include "daemon/vault/crypto.h"
#include "protocol/error.h"
#include "protocol/names.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)

enum {
	FILE_SIZE_MAX = 16 * 1024 * 1024, /* bytes; twice what the CRLs of a store may have */
	CERTIFICATE_MAX = 64 * 1024,	  /* bytes; it is parsed in the arena */
	RSA_BITS_MIN = 3072,
};

#define BEGIN "-----BEGIN "

struct PvsLook {
	GPtrArray *keys; /* of EVP_PKEY: public halves */
};

/* ---- loading: the owner's files ---- */

/* The subject of an IBM Z host-key signing key: these six entries, each once, and no other. */
static const struct {
	int nid;
	const char *values[2]; /* one of them */
	gboolean suffix;       /* only the end must be equal */
} subject[] = {
	{NID_countryName, {"US"}, FALSE},
	{NID_stateOrProvinceName, {"New York"}, FALSE},
	{NID_localityName, {"Poughkeepsie", "Armonk"}, FALSE},
	{NID_organizationName, {"International Business Machines Corporation"}, FALSE},
	{NID_commonName, {"International Business Machines Corporation"}, FALSE},
	{NID_organizationalUnitName, {"Key Signing Service"}, TRUE},
};

static gboolean value_fits(const X509_NAME_ENTRY *entry, const char *wanted, gboolean suffix)
{
	const ASN1_STRING *data = X509_NAME_ENTRY_get_data(entry);
	int type = ASN1_STRING_type(data);
	gsize size = strlen(wanted);
	guint8 *text = NULL;
	gboolean fits = FALSE;
	int got;

	/* No other may be in use (RFC 5280 section 4.1.2.4), and trust takes no other. */
	if (type != V_ASN1_PRINTABLESTRING && type != V_ASN1_UTF8STRING)
		return FALSE;
	got = ASN1_STRING_to_UTF8(&text, data);
	if (got >= 0 && (suffix ? (gsize)got >= size : (gsize)got == size))
		fits = memcmp(text + (gsize)got - size, wanted, size) == 0;
	OPENSSL_free(text);
	return fits;
}

static gboolean is_signing_key(const X509 *certificate)
{
	const X509_NAME *name = X509_get_subject_name(certificate);

	/* As many entries as rows, and one for each row: so each is there once. */
	if (X509_NAME_entry_count(name) != G_N_ELEMENTS(subject))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(subject); i++) {
		int at = X509_NAME_get_index_by_NID(name, subject[i].nid, -1);
		gboolean fits = FALSE;

		for (gsize j = 0; at >= 0 && !fits && j < G_N_ELEMENTS(subject[i].values); j++)
			fits = subject[i].values[j] &&
			       value_fits(X509_NAME_get_entry(name, at), subject[i].values[j],
					  subject[i].suffix);
		if (!fits)
			return FALSE;
	}
	return TRUE;
}

static gboolean is_group(const EVP_PKEY *key, const char *wanted)
{
	char group[32];

	return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
	       strcmp(group, wanted) == 0;
}

/* Of a kind that may sign host-key documents. Another key is not kept at all. */
static gboolean is_strong(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
	return EVP_PKEY_is_a(key, "EC") &&
	       (is_group(key, "secp384r1") || is_group(key, "secp521r1"));
}

static void add_key(PvsLook *look, EVP_PKEY *key)
{
	/* A signing key is certified more than once when IBM renews the certificate or moves. */
	for (guint i = 0; i < look->keys->len; i++)
		if (EVP_PKEY_eq(g_ptr_array_index(look->keys, i), key) == 1)
			return;
	EVP_PKEY_up_ref(key);
	g_ptr_array_add(look->keys, key);
}

static void add_certificate(PvsLook *look, const guint8 *der, gsize size)
{
	g_autoptr(X509) certificate = NULL;
	g_autoptr(EVP_PKEY) key = NULL;

	if (size > CERTIFICATE_MAX)
		return;
	certificate = d2i_X509(NULL, &der, (long)size);
	if (!certificate || !is_signing_key(certificate))
		return;
	key = X509_get_pubkey(certificate);
	if (key && is_strong(key))
		add_key(look, key);
}

static const char *find(const char *text, const char *end, const char *what)
{
	return memmem(text, (gsize)(end - text), what, strlen(what));
}

/* Every certificate in PEM (RFC 7468) in @text. The blocks are found and decoded here, in ordinary
 * memory: OpenSSL would decode the CRLs beside them, too, and those are larger than the arena. */
static void add_pem(PvsLook *look, const char *text, gsize text_size)
{
	static const char *const labels[] = {"CERTIFICATE-----", "X509 CERTIFICATE-----",
					     "TRUSTED CERTIFICATE-----"};
	const char *at = text, *behind = text + text_size;

	while ((at = find(at, behind, BEGIN))) {
		const char *end = find(at, behind, "-----END ");
		gboolean is_line;

		/* As PEM has it: elsewhere it is text. */
		is_line = at == text || at[-1] == '\n' || at[-1] == '\r';
		at += strlen(BEGIN);
		if (!end)
			return;
		for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
			g_autofree char *block = NULL;
			g_autofree guint8 *der = NULL;
			gsize size;

			if (!is_line || end < at + strlen(labels[i]) ||
			    memcmp(at, labels[i], strlen(labels[i])) != 0)
				continue;
			block = g_strndup(at + strlen(labels[i]),
					  (gsize)(end - at) - strlen(labels[i]));
			der = g_base64_decode(block, &size);
			add_certificate(look, der, size);
		}
		at = end;
	}
}

static void add_file(PvsLook *look, const char *path, GPtrArray *lines)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *data = NULL;
	struct stat st;
	gsize size;

	/* Links are followed here: these files are public, and belong to the owner like the
	 * configuration that names their directory. */
	if (stat(path, &st) < 0) {
		g_ptr_array_add(lines, pvs_owners_no_file(AT_FDCWD, path, path, errno));
		return;
	}
	if (!S_ISREG(st.st_mode))
		return;
	if (st.st_size > FILE_SIZE_MAX) {
		g_ptr_array_add(lines, g_strdup_printf("%s: is larger than %u MiB; mv %s /root/",
						       path, FILE_SIZE_MAX / (1024 * 1024), path));
		return;
	}
	if (!g_file_get_contents(path, &data, &size, &error)) {
		/* In the words of trust, which reads the same files: so the line is told once. */
		int err = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ? EACCES : EIO;

		g_ptr_array_add(lines, pvs_owners_no_file(AT_FDCWD, path, path, err));
		return;
	}
	/* As trust has it, or one would take for a signing key what the other does not: PEM may
	 * have any text before it, a digit as well. */
	if (find(data, data + size, BEGIN))
		add_pem(look, data, size);
	else
		add_certificate(look, (const guint8 *)data, size);
}

PvsLook *pvs_look_load(const char *trust_directory, GError **error)
{
	g_autoptr(PvsLook) look = g_new0(PvsLook, 1);
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) local = NULL;
	g_autoptr(GDir) directory = NULL;
	g_autofree char *line = NULL;
	const char *name;

	look->keys = g_ptr_array_new_with_free_func((GDestroyNotify)EVP_PKEY_free);
	if (!trust_directory)
		return g_steal_pointer(&look);
	directory = g_dir_open(trust_directory, 0, &local);
	if (!directory) {
		if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			return g_steal_pointer(&look);
		line = pvs_owners_no_directory(
			trust_directory, g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_ACCES)
						 ? EACCES
						 : ENOTDIR);
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, line);
		return NULL;
	}
	ERR_clear_error();
	while ((name = g_dir_read_name(directory))) {
		g_autofree char *path = g_build_filename(trust_directory, name, NULL);

		/* As trust has it. */
		if (!pvs_file_is_aside(name))
			add_file(look, path, lines);
	}
	ERR_clear_error();
	if (lines->len > 0) {
		g_autofree char *text = NULL;

		g_ptr_array_add(lines, NULL);
		text = g_strjoinv("\n", (char **)lines->pdata);
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, text);
		return NULL;
	}
	return g_steal_pointer(&look);
}

void pvs_look_free(PvsLook *look)
{
	if (!look)
		return;
	g_ptr_array_unref(look->keys);
	g_free(look);
}

guint pvs_look_size(const PvsLook *look)
{
	return look->keys->len;
}

/* ---- looking: bytes from trust ---- */

typedef struct {
	const guint8 *data;
	gsize size;
} Bytes;

enum { DER_INTEGER = 0x02, DER_SEQUENCE = 0x30 };

/* The first element of @from must be @tag with a definite length in its shortest form (X.690
 * section 10.1) that lies within @from; leaves the rest in @from. */
static gboolean take(Bytes *from, guint8 tag, Bytes *content)
{
	gsize head = 2, length;

	if (from->size < head || from->data[0] != tag)
		return FALSE;
	length = from->data[1];
	if (length >= 0x80) {
		gsize n = length & 0x7f;

		if (n < 1 || n > 3 || from->size < head + n)
			return FALSE;
		length = 0;
		for (gsize i = 0; i < n; i++)
			length = length << 8 | from->data[head + i];
		if (length < 0x80 || length >> (8 * (n - 1)) == 0)
			return FALSE;
		head += n;
	}
	if (length > from->size - head)
		return FALSE;
	*content = (Bytes){from->data + head, length};
	*from = (Bytes){from->data + head + length, from->size - head - length};
	return TRUE;
}

/* Exactly these bytes come next. */
static gboolean take_exactly(Bytes *from, const guint8 *wanted, gsize size)
{
	if (from->size < size || memcmp(from->data, wanted, size) != 0)
		return FALSE;
	*from = (Bytes){from->data + size, from->size - size};
	return TRUE;
}

gboolean pvs_look_skip(const guint8 *tbs, gsize size, guint8 point[PVS_POINT_SIZE])
{
	static const guint8 version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
	/* RFC 5280 section 4.1: serial number, algorithm, issuer, validity, subject. */
	static const guint8 elements[] = {DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE,
					  DER_SEQUENCE};
	/* RFC 5480: id-ecPublicKey on secp521r1, a BIT STRING without unused bits. The last byte is
	 * the point's first: 04, uncompressed. */
	static const guint8 key_info[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
					  0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
					  0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04};
	Bytes whole = {tbs, size}, rest, skipped;

	G_STATIC_ASSERT(sizeof key_info == 26);
	if (!take(&whole, DER_SEQUENCE, &rest) || whole.size != 0 ||
	    !take_exactly(&rest, version_3, sizeof version_3))
		return FALSE;
	for (gsize i = 0; i < sizeof elements; i++)
		if (!take(&rest, elements[i], &skipped))
			return FALSE;
	if (!take_exactly(&rest, key_info, sizeof key_info) ||
	    rest.size < PVS_ENCODED_POINT_SIZE - 1)
		return FALSE;
	return pvs_crypto_point(rest.data - 1, point);
}

/* hostkey.h's list, and nothing else. */
static const struct {
	PvsSignatureAlgorithm algorithm;
	const char *key;
	const char *digest;
} algorithms[] = {
	{PVS_SIGNATURE_RSA_SHA256, "RSA", "SHA2-256"},
	{PVS_SIGNATURE_RSA_SHA384, "RSA", "SHA2-384"},
	{PVS_SIGNATURE_RSA_SHA512, "RSA", "SHA2-512"},
	{PVS_SIGNATURE_ECDSA_SHA384, "EC", "SHA2-384"},
	{PVS_SIGNATURE_ECDSA_SHA512, "EC", "SHA2-512"},
};

static gboolean verify(EVP_PKEY *key, const char *digest, Bytes tbs, Bytes signature)
{
	g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context; /* owned by context */

	if (!context || EVP_DigestVerifyInit_ex(context, &key_context, digest, NULL,
						"provider=default", key, NULL) != 1)
		return FALSE;
	/* Said, not left to a default: PKCS#1 v1.5 (RFC 8017 section 8.2). */
	if (EVP_PKEY_is_a(key, "RSA") &&
	    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PADDING) != 1)
		return FALSE;
	return EVP_DigestVerify(context, signature.data, signature.size, tbs.data, tbs.size) == 1;
}

static gboolean is_signed(const PvsLook *look, PvsSignatureAlgorithm algorithm, Bytes tbs,
			  Bytes signature)
{
	for (gsize i = 0; i < G_N_ELEMENTS(algorithms); i++) {
		if (algorithms[i].algorithm != algorithm)
			continue;
		for (guint j = 0; j < look->keys->len; j++) {
			EVP_PKEY *key = g_ptr_array_index(look->keys, j);

			if (EVP_PKEY_is_a(key, algorithms[i].key) &&
			    verify(key, algorithms[i].digest, tbs, signature))
				return TRUE;
		}
	}
	return FALSE;
}

static gboolean is_on_curve(const guint8 point[PVS_POINT_SIZE])
{
	g_autoptr(EVP_PKEY) key = pvs_crypto_host_key(point, NULL);
	g_autoptr(EVP_PKEY_CTX) context =
		key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, "provider=default") : NULL;

	return context && EVP_PKEY_public_check(context) == 1;
}

gboolean pvs_look(const PvsLook *look, const guint8 *tbs, gsize tbs_size,
		  PvsSignatureAlgorithm algorithm, const guint8 *signature, gsize signature_size,
		  guint8 point[PVS_POINT_SIZE], GError **error)
{
	guint8 found[PVS_POINT_SIZE];
	gboolean is_genuine, good;

	ERR_clear_error();
	/* The signature first: what nobody signed is not even skipped through. */
	is_genuine = is_signed(look, algorithm, (Bytes){tbs, tbs_size},
			       (Bytes){signature, signature_size});
	good = is_genuine && pvs_look_skip(tbs, tbs_size, found) && is_on_curve(found);
	ERR_clear_error();
	if (!is_genuine)
		return pvs_fail(error, PVS_ERROR_HOST_KEY_SIGNATURE, NULL, NULL);
	if (!good)
		return pvs_fail(error, PVS_ERROR_HOST_KEY_INVALID, NULL, NULL);
	memcpy(point, found, sizeof found);
	return TRUE;
}
