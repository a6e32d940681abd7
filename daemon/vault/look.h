/* SPDX-License-Identifier: MIT */
/*
 * look.h - the vault's own look at a host key
 *
 * Trust does the X.509. The vault does not believe it: it checks the document's signature with the
 * signing keys that the owner installed, whose public halves it read itself before its cage, and
 * takes the host key's point out of the signed bytes by skipping, not by parsing. So trust, taken
 * over, can pass a document that is revoked or expired, never one of its own making.
 */
#pragma once

#include <glib.h>

#include "protocol/hostkey.h"
#include "protocol/request-layout.h"

typedef struct PvsLook PvsLook;

/* Reads the signing-key certificates of @trust_directory (those whose subject is that of an IBM Z
 * host-key signing key) and keeps their public keys alone. PVS_ERROR_CONFIG with a line for each
 * file that cannot be read. No signing key is no error: then nothing is ever accepted. */
PvsLook *pvs_look_load(const char *trust_directory, GError **error);
void pvs_look_free(PvsLook *look);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsLook, pvs_look_free)

guint pvs_look_size(const PvsLook *look); /* how many signing keys */

/* TRUE if @tbs is signed by one of the keys; then @point is the host key, checked to be on the curve.
 * Errors: HOST_KEY_SIGNATURE, HOST_KEY_INVALID. */
gboolean pvs_look(const PvsLook *look, const guint8 *tbs, gsize tbs_size,
		  PvsSignatureAlgorithm algorithm, const guint8 *signature, gsize signature_size,
		  guint8 point[PVS_POINT_SIZE], GError **error);
