/* SPDX-License-Identifier: MIT */
/*
 * root-ca.c - --root-ca: is it a root that the daemon trusts?
 *
 * A client cannot bring a root: what it trusts would otherwise decide for the owner of the keys.
 * Who moves over with his command line shall still hear whether his root is the one in use.
 */
#include "client/root-ca.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "client/ask.h"
#include "client/failure.h"
#include "client/input.h"
#include "protocol/encoding.h"

const char *pvs_root_ca_bundle = "/etc/ssl/certs/ca-certificates.crt";

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)

static char *fingerprint_of(X509 *cert)
{
	guint8 digest[EVP_MAX_MD_SIZE];
	guint size = 0;

	return X509_digest(cert, EVP_sha256(), digest, &size) == 1 ? pvs_hex(digest, size) : NULL;
}

/* The first certificate of a file. */
static char *fingerprint_of_file(GBytes *bytes)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	g_autoptr(X509) der = d2i_X509(NULL, &data, (long)size);
	g_autoptr(BIO) bio = BIO_new_mem_buf(g_bytes_get_data(bytes, NULL), (int)size);
	g_autoptr(X509) pem = bio && !der ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	return der || pem ? fingerprint_of(der ? der : pem) : NULL;
}

static gboolean in_bundle(const char *fingerprint)
{
	g_autoptr(BIO) bio = BIO_new_file(pvs_root_ca_bundle, "r");
	gboolean found = FALSE;

	while (bio && !found) {
		g_autoptr(X509) cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		g_autofree char *own = cert ? fingerprint_of(cert) : NULL;

		if (!cert)
			break;
		found = g_strcmp0(own, fingerprint) == 0;
	}
	return found;
}

/* The daemon lists a configured root; of a bundle it lists none. */
static gboolean is_daemons(JsonArray *entries, const char *fingerprint)
{
	gboolean any = FALSE;

	for (guint i = 0; i < pvs_array_length(entries); i++) {
		JsonObject *entry = pvs_item_object(entries, i);

		if (g_strcmp0(pvs_member_text(entry, "kind"), "root") != 0)
			continue;
		any = TRUE;
		if (g_strcmp0(pvs_member_text(entry, "fingerprint"), fingerprint) == 0)
			return TRUE;
	}
	return !any && in_bundle(fingerprint);
}

gboolean pvs_root_ca_check(const PvsArguments *arguments, PvsRpc *rpc, GError **error)
{
	g_autofree char *label = NULL, *fingerprint = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(PvsCall) call = NULL;
	g_autoptr(PvsReply) reply = NULL;
	JsonArray *entries;
	gboolean is;

	if (!arguments->root_ca)
		return TRUE;
	label = g_strdup_printf("--root-ca %s", arguments->root_ca);
	bytes = pvs_input_read(arguments->root_ca, label, error);
	if (!bytes)
		return FALSE;
	fingerprint = fingerprint_of_file(bytes);
	ERR_clear_error();
	if (!fingerprint)
		return pvs_failure(error, PVS_EXIT_FAILED, "give the root CA's certificate",
				   "%s: is not a certificate in PEM or DER", label);
	call = pvs_call_new("get_status");
	reply = pvs_ask(arguments, rpc, call, error);
	if (!reply)
		return FALSE;
	entries = pvs_member_array(pvs_member_object(pvs_reply_result(reply), "trust"), "entries");
	is = is_daemons(entries, fingerprint);
	ERR_clear_error();
	return is ||
	       pvs_failure(error, PVS_EXIT_FAILED,
			   "have the daemon's owner set RootCA= in pvsecretd.conf(5) to it, "
			   "or leave --root-ca out; pvsecretctl status shows the daemon's root",
			   "%s: is not a root CA that the daemon trusts, and a client cannot "
			   "bring one",
			   label);
}
