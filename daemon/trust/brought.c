/* SPDX-License-Identifier: MIT */
/*
 * brought.c - the certificates and CRLs that a client brings
 */
#include "daemon/trust/brought.h"

#include "daemon/trust/x509.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

void pvs_brought_clear(PvsBrought *brought)
{
	g_clear_pointer(&brought->certs, pvs_x509_stack_free);
	g_clear_pointer(&brought->crls, pvs_crl_stack_free);
}

gboolean pvs_brought_nothing(const PvsBrought *brought)
{
	return sk_X509_num(brought->certs) == 0 && sk_X509_CRL_num(brought->crls) == 0;
}

static gboolean read_blobs(const PvsList *blobs, gboolean crls, GChecksum *sum, PvsBrought *brought,
			   GError **error)
{
	for (guint i = 0; i < blobs->n; i++) {
		GBytes *bytes = pvs_list_nth(*blobs, PvsBlob, i)->bytes;
		gsize size = 0;
		const guint8 *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
		guint64 length = GUINT64_TO_BE((guint64)size);

		if (!data || !pvs_x509_read_some(data, size, crls, brought->certs, brought->crls)) {
			g_autofree char *at =
				g_strdup_printf(crls ? "/crls/%u" : "/certificates/%u", i);

			return pvs_fail(error, crls ? PVS_ERROR_CRL_FORMAT : PVS_ERROR_CERT_FORMAT,
					at, NULL);
		}
		/* In one file there may be many; and each costs a signature's verification. */
		if (sk_X509_num(brought->certs) > PVS_CERTS_MAX ||
		    sk_X509_CRL_num(brought->crls) > PVS_CERTS_MAX)
			return pvs_fail(error, PVS_ERROR_PARAM_CERTS,
					crls ? "/crls" : "/certificates", NULL);
		g_checksum_update(sum, (const guchar *)&length, sizeof length);
		g_checksum_update(sum, data, (gssize)size);
	}
	return TRUE;
}

gboolean pvs_brought_read(const PvsList *certs, const PvsList *crls, PvsBrought *brought,
			  GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize size = sizeof brought->digest;

	brought->certs = sk_X509_new_null();
	brought->crls = sk_X509_CRL_new_null();
	if (!read_blobs(certs, FALSE, sum, brought, error) ||
	    !read_blobs(crls, TRUE, sum, brought, error))
		return FALSE;
	g_checksum_get_digest(sum, brought->digest, &size);
	return TRUE;
}
