/* SPDX-License-Identifier: MIT */
/*
 * points.h - where the certificates that the owner installed say that their CRLs are
 *
 * Only a certificate that another one of the store signed counts: whoever gets a document of his
 * own into hostkeys.d does not decide what is fetched.
 */
#pragma once

#include "daemon/trust/store.h"

/* A certificate that names a point, and one of the store that signed it; neither is owned. */
typedef struct {
	X509 *cert, *issuer;
	char *file; /* where the certificate came from */
} PvsClaim;

typedef struct {
	char *url;	/* http or https, printable ASCII, no user in it */
	GArray *claims; /* of PvsClaim; one at least */
} PvsPoint;

typedef struct PvsPoints PvsPoints;

/* The points of all that @store (not owned, must live on) holds, but for the system's own bundle of
 * roots. */
PvsPoints *pvs_points_find(const PvsStore *store);
void pvs_points_free(PvsPoints *points);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsPoints, pvs_points_free)

guint pvs_points_n(const PvsPoints *points);
const PvsPoint *pvs_points_get(const PvsPoints *points, guint i);

/* The installed host-key documents, not owned, and the file's name of each. */
guint pvs_points_n_documents(const PvsPoints *points);
X509 *pvs_points_document(const PvsPoints *points, guint i, const char **file);

/* What was passed over and why, of char *. */
const GPtrArray *pvs_points_notes(const PvsPoints *points);

/* TRUE for a URL that is fetched. @url: any bytes that end with NUL. */
gboolean pvs_points_is_plain(const char *url);
