/* SPDX-License-Identifier: MIT */
/*
 * brought.h - the certificates and CRLs that a client brings
 *
 * Links for a chain and what was revoked, beside what the daemon's owner installed: never roots,
 * and never signing keys. Read once for a question.
 */
#pragma once

#include "daemon/trust/openssl-auto.h"
#include "protocol/body.h"

typedef struct {
	PvsX509Stack *certs;
	PvsCrlStack *crls;
	guint8 digest[32]; /* SHA-256 of all of it: what is remembered is remembered for this */
} PvsBrought;

void pvs_brought_clear(PvsBrought *brought);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsBrought, pvs_brought_clear)

gboolean pvs_brought_nothing(const PvsBrought *brought);

/* Lists of PvsBlob; in one of them there may be many. Errors: CERT_FORMAT, CRL_FORMAT, and
 * PARAM_CERTS for more than PVS_CERTS_MAX of a kind, with the parameter. What was read until then
 * is to be cleared. */
gboolean pvs_brought_read(const PvsList *certs, const PvsList *crls, PvsBrought *brought,
			  GError **error);
