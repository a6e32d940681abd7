/* SPDX-License-Identifier: MIT */
/*
 * x509.c - reading certificates and CRLs, and the few facts about them that trust asks for
 */
#include "daemon/trust/x509.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "daemon/trust/names.h"
#include "protocol/error.h"

enum {
	NAME_MAX_ = 512, /* bytes of a name as text */
	SERIAL_MAX = 64, /* digits */
};

#define BEGIN "-----BEGIN "

static gboolean is_pem(const guint8 *data, gsize size)
{
	return memmem(data, size, BEGIN, strlen(BEGIN)) != NULL;
}

/* How many lines start with @begin: only a line can start a PEM block. */
static guint count_lines(const guint8 *data, gsize size, const char *begin)
{
	guint n = 0;
	const guint8 *p = data, *end = data + size;

	while ((p = memmem(p, (gsize)(end - p), begin, strlen(begin)))) {
		if (p == data || p[-1] == '\n' || p[-1] == '\r')
			n++;
		p += strlen(begin);
	}
	return n;
}

/* OpenSSL reads the extensions of a certificate when it first needs them, and some of its functions
 * (X509_check_akid() among them) take what was not read yet for absent. So that is done here. */
static X509 *with_extensions(X509 *cert)
{
	if (cert)
		(void)X509_check_purpose(cert, -1, 0);
	return cert;
}

static X509 *cert_of(const guint8 *data, long size)
{
	const guint8 *p = data;
	g_autoptr(X509) cert = with_extensions(d2i_X509(NULL, &p, size));

	return cert && p == data + size ? g_steal_pointer(&cert) : NULL;
}

static X509_CRL *crl_of(const guint8 *data, long size)
{
	const guint8 *p = data;
	g_autoptr(X509_CRL) crl = d2i_X509_CRL(NULL, &p, size);

	return crl && p == data + size ? g_steal_pointer(&crl) : NULL;
}

/* One PEM block; FALSE if it is neither of the two or cannot be read. */
static gboolean add_block(const char *kind, const guint8 *data, long size, PvsX509Stack *certs,
			  PvsCrlStack *crls)
{
	if (strcmp(kind, PEM_STRING_X509) == 0 || strcmp(kind, PEM_STRING_X509_OLD) == 0) {
		X509 *cert = cert_of(data, size);

		if (cert && sk_X509_push(certs, cert) > 0)
			return TRUE;
		X509_free(cert);
	} else if (strcmp(kind, PEM_STRING_X509_CRL) == 0) {
		X509_CRL *crl = crl_of(data, size);

		if (crl && sk_X509_CRL_push(crls, crl) > 0)
			return TRUE;
		X509_CRL_free(crl);
	}
	return FALSE;
}

static gboolean read_pem(const guint8 *data, gsize size, PvsX509Stack *certs, PvsCrlStack *crls)
{
	g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
	guint n = count_lines(data, size, BEGIN);

	if (!bio)
		return FALSE;
	for (guint i = 0; i < n; i++) {
		char *kind = NULL, *header = NULL;
		guint8 *block = NULL;
		long block_size;
		gboolean good;

		/* The blocks were counted, so that the end of the file and a damaged block can be
		 * told apart without asking the error queue. */
		if (PEM_read_bio(bio, &kind, &header, &block, &block_size) != 1)
			return FALSE;
		good = !*header && add_block(kind, block, block_size, certs, crls);
		OPENSSL_free(kind);
		OPENSSL_free(header);
		OPENSSL_free(block);
		if (!good)
			return FALSE;
	}
	return n > 0;
}

static gboolean read_der(const guint8 *data, gsize size, PvsX509Stack *certs, PvsCrlStack *crls)
{
	X509 *cert = cert_of(data, (long)size);
	X509_CRL *crl;

	if (cert)
		return sk_X509_push(certs, cert) > 0;
	crl = crl_of(data, (long)size);
	return crl && sk_X509_CRL_push(crls, crl) > 0;
}

gboolean pvs_x509_read(const guint8 *data, gsize size, PvsX509Stack *certs, PvsCrlStack *crls)
{
	gboolean good;

	ERR_clear_error();
	if (size == 0 || size > G_MAXINT)
		return FALSE;
	good = is_pem(data, size) ? read_pem(data, size, certs, crls)
				  : read_der(data, size, certs, crls);
	ERR_clear_error();
	return good;
}

gboolean pvs_x509_read_some(const guint8 *data, gsize size, gboolean want_crls, PvsX509Stack *certs,
			    PvsCrlStack *crls)
{
	int had_certs = sk_X509_num(certs), had_crls = sk_X509_CRL_num(crls);

	if (!pvs_x509_read(data, size, certs, crls))
		return FALSE;
	return want_crls ? sk_X509_CRL_num(crls) > had_crls : sk_X509_num(certs) > had_certs;
}

static gboolean is_blank(const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (!g_ascii_isspace(data[i]))
			return FALSE;
	return TRUE;
}

static X509 *document_of_der(const guint8 *data, gsize size, GError **error)
{
	const guint8 *p = data, *second;
	g_autoptr(X509) cert = with_extensions(d2i_X509(NULL, &p, (long)size));
	g_autoptr(X509) another = NULL;

	if (!cert) {
		pvs_fail(error, PVS_ERROR_HOST_KEY_FORMAT, NULL, NULL);
		return NULL;
	}
	if (p == data + size)
		return g_steal_pointer(&cert);
	second = p;
	another = d2i_X509(NULL, &second, (long)(data + size - p));
	pvs_fail(error, another ? PVS_ERROR_HOST_KEY_SEVERAL : PVS_ERROR_HOST_KEY_TRAILING, NULL,
		 NULL);
	return NULL;
}

/* The first PEM block; NULL where it is not a certificate's or cannot be read. */
static guint8 *read_block(const guint8 *data, gsize size, long *block_size)
{
	g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
	char *kind = NULL, *header = NULL;
	guint8 *block = NULL;

	if (!bio || PEM_read_bio(bio, &kind, &header, &block, block_size) != 1)
		return NULL;
	if (strcmp(kind, PEM_STRING_X509) != 0 || *header) {
		OPENSSL_free(block);
		block = NULL;
	}
	OPENSSL_free(kind);
	OPENSSL_free(header);
	return block;
}

static X509 *document_of_pem(const guint8 *data, gsize size, GError **error)
{
	static const char end[] = "-----END " PEM_STRING_X509 "-----";
	const guint8 *behind = memmem(data, size, end, sizeof end - 1);
	guint8 *block = NULL;
	long block_size;
	X509 *cert = NULL;

	/* How many there are is said even where one of them cannot be read. */
	if (count_lines(data, size, BEGIN PEM_STRING_X509 "-----") > 1) {
		pvs_fail(error, PVS_ERROR_HOST_KEY_SEVERAL, NULL, NULL);
		return NULL;
	}
	if (behind)
		block = read_block(data, size, &block_size);
	if (!block) {
		pvs_fail(error, PVS_ERROR_HOST_KEY_FORMAT, NULL, NULL);
		return NULL;
	}
	behind += sizeof end - 1;
	if (!is_blank(behind, size - (gsize)(behind - data)))
		pvs_fail(error, PVS_ERROR_HOST_KEY_TRAILING, NULL, NULL);
	else
		cert = document_of_der(block, (gsize)block_size, error);
	OPENSSL_free(block);
	return cert;
}

X509 *pvs_x509_read_document(const guint8 *data, gsize size, GError **error)
{
	X509 *cert;

	ERR_clear_error();
	if (size == 0 || size > G_MAXINT) {
		pvs_fail(error, PVS_ERROR_HOST_KEY_FORMAT, NULL, NULL);
		return NULL;
	}
	cert = is_pem(data, size) ? document_of_pem(data, size, error)
				  : document_of_der(data, size, error);
	ERR_clear_error();
	return cert;
}

/* Cut to @max bytes at the start of a character; @text is freed. */
static char *cut(char *text, gsize max)
{
	gsize size = strlen(text);

	if (size > max) {
		while (max > 0 && ((guint8)text[max] & 0xc0) == 0x80)
			max--;
		text[max] = '\0';
	}
	return text;
}

/* FALSE for what a terminal or a log acts on instead of showing it: controls (C1's among them,
 * which RFC 2253 knows nothing of), directions of writing, ends of lines. */
static gboolean is_shown(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_FORMAT:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
		return FALSE;
	default:
		return TRUE;
	}
}

/* What is not shown becomes \XX for each byte, as RFC 2253 has it. */
static char *escape(const char *text)
{
	GString *out = g_string_sized_new(strlen(text));

	for (const char *c = text; *c; c = g_utf8_next_char(c)) {
		const char *end = g_utf8_next_char(c);

		if (is_shown(g_utf8_get_char(c)))
			g_string_append_len(out, c, end - c);
		else
			for (const char *byte = c; byte < end; byte++)
				g_string_append_printf(out, "\\%02X", (guint8)*byte);
	}
	return g_string_free(out, FALSE);
}

char *pvs_x509_text(const char *text, gsize size, gsize max)
{
	g_autofree char *valid = NULL;

	/* A name without entries is one: RFC 5280 asks for more, the encoding does not. OpenSSL has
	 * no bytes of it, not even a place for them. */
	if (size == 0)
		return g_strdup("");
	valid = g_utf8_make_valid(text, (gssize)size);
	return cut(escape(valid), max);
}

char *pvs_x509_name(const X509_NAME *name)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	char *text;
	long size;

	/* UTF-8 as it is; \XX, in ASCII, for the controls of ASCII and NUL. */
	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
		ERR_clear_error();
		return g_strdup("");
	}
	size = BIO_get_mem_data(bio, &text);
	ERR_clear_error();
	return pvs_x509_text(text, (gsize)size, NAME_MAX_);
}

char *pvs_x509_serial(const ASN1_INTEGER *number)
{
	const guint8 *data;
	int size;
	GString *text = g_string_new(NULL);

	if (!number)
		return g_string_free(text, FALSE);
	data = ASN1_STRING_get0_data(number);
	size = ASN1_STRING_length(number);
	for (int i = 0; i < size && i < SERIAL_MAX / 2; i++)
		g_string_append_printf(text, "%02x", data[i]);
	return g_string_free(text, FALSE);
}

gboolean pvs_x509_time(const ASN1_TIME *time, gint64 *seconds)
{
	struct tm tm;

	if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
		return FALSE;
	*seconds = timegm(&tm);
	return TRUE;
}

gboolean pvs_x509_algorithm(int signature_nid, PvsSignatureAlgorithm *algorithm)
{
	static const struct {
		int nid;
		PvsSignatureAlgorithm algorithm;
	} rows[] = {
		{NID_sha256WithRSAEncryption, PVS_SIGNATURE_RSA_SHA256},
		{NID_sha384WithRSAEncryption, PVS_SIGNATURE_RSA_SHA384},
		{NID_sha512WithRSAEncryption, PVS_SIGNATURE_RSA_SHA512},
		{NID_ecdsa_with_SHA384, PVS_SIGNATURE_ECDSA_SHA384},
		{NID_ecdsa_with_SHA512, PVS_SIGNATURE_ECDSA_SHA512},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].nid == signature_nid) {
			*algorithm = rows[i].algorithm;
			return TRUE;
		}
	}
	return FALSE;
}

gboolean pvs_x509_strong(int signature_nid)
{
	PvsSignatureAlgorithm ignored;

	return pvs_x509_algorithm(signature_nid, &ignored) ||
	       signature_nid == NID_ecdsa_with_SHA256;
}

gboolean pvs_x509_crl_has_critical_entry(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);

	for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);

		for (int e = 0; e < X509_REVOKED_get_ext_count(entry); e++)
			if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, e)))
				return TRUE;
	}
	return FALSE;
}

gboolean pvs_x509_crl_names(const X509_CRL *crl, const X509 *issuer)
{
	return pvs_name_means(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer),
			      PVS_NAME_PLACE | PVS_NAME_ORDER);
}

gboolean pvs_x509_crl_is_signed(X509_CRL *crl, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	gboolean is_signed;

	/* X509_CRL_verify() itself takes any digest. */
	is_signed = key && pvs_x509_strong(X509_CRL_get_signature_nid(crl)) &&
		    X509_CRL_verify(crl, key) == 1;
	ERR_clear_error();
	return is_signed;
}

/* NULL where @point is no such URI. */
static char *uri_of(const DIST_POINT *point)
{
	const GENERAL_NAMES *names = point->distpoint && point->distpoint->type == 0
					     ? point->distpoint->name.fullname
					     : NULL;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_STRING *value =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		g_autofree char *text =
			type == GEN_URI ? pvs_x509_text((const char *)ASN1_STRING_get0_data(value),
							(gsize)ASN1_STRING_length(value), NAME_MAX_)
					: NULL;

		if (text &&
		    (g_str_has_prefix(text, "http://") || g_str_has_prefix(text, "https://")))
			return g_steal_pointer(&text);
	}
	return NULL;
}

char *pvs_x509_crl_point(X509 *cert)
{
	g_autoptr(CRL_DIST_POINTS) points =
		X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	char *uri = NULL;

	ERR_clear_error();
	for (int i = 0; i < sk_DIST_POINT_num(points) && !uri; i++)
		uri = uri_of(sk_DIST_POINT_value(points, i));
	return uri;
}

gboolean pvs_x509_may_sign(X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	char curve[32] = "";

	if (!key)
		return FALSE;
	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= 3072;
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1)
		return FALSE;
	return strcmp(curve, SN_secp384r1) == 0 || strcmp(curve, SN_secp521r1) == 0;
}
