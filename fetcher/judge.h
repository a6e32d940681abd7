/* SPDX-License-Identifier: MIT */
/*
 * judge.h - whether what came is a CRL that the daemon can use
 *
 * Asked with the daemon's own rules: a CRL that it would not use must not take the place of one
 * that it does.
 */
#pragma once

#include "fetcher/points.h"

typedef struct PvsJudge PvsJudge;

/* @entries: revocations that a CRL may have, @now: seconds since the epoch. PVS_ERROR_CONFIG where
 * the system's bundle of roots cannot be read. */
PvsJudge *pvs_judge_new(guint entries, gint64 now, GError **error);
void pvs_judge_free(PvsJudge *judge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsJudge, pvs_judge_free)

/* The one CRL in @body (PEM or DER) if it is of the issuer of a certificate that names @point,
 * whole, signed by that issuer and inside its dates; *@issuer is that certificate of the store. On
 * failure the reason, with an error of the list in protocol/error.h. */
X509_CRL *pvs_judge_body(const PvsJudge *judge, const PvsPoint *point, GBytes *body, X509 **issuer,
			 GError **error);

/* The one CRL in a file's bytes; NULL for anything else. */
X509_CRL *pvs_judge_read(const guint8 *data, gsize size);
