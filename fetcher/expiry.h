/* SPDX-License-Identifier: MIT */
/*
 * expiry.h - what is installed and will not be good for much longer
 */
#pragma once

#include "fetcher/points.h"

/* Lines, of char *, "FILE: what expires and when; what to do", for the certificates (but for the
 * system's bundle), the CRLs of @store and the documents of @points that expire before @now +
 * @days, or have; CRLs not before the last third of their life (due.h). What has a successor is
 * passed over: a CRL where there is one of the same issuer, signed, that lasts longer, a
 * certificate where there is one of the same key or, once it has expired, of the same name. */
GPtrArray *pvs_expiry_look(const PvsStore *store, const PvsPoints *points, gint64 now, guint days);
