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
 * host-key signing key; PEM, several in a file, or DER) and keeps their public keys alone, each
 * once. PVS_ERROR_CONFIG with a line for each file that cannot be read. What is no certificate is
 * trust's to complain of. No signing key is no error: then nothing is ever accepted. A directory
 * that does not exist, or NULL, holds none. After pvs_crypto_init(). */
PvsLook *pvs_look_load(const char *trust_directory, GError **error);
void pvs_look_free(PvsLook *look);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsLook, pvs_look_free)

guint pvs_look_size(const PvsLook *look); /* how many signing keys */

/* TRUE if @tbs is signed by one of the keys; then @point is the host key, checked to be on the
 * curve. Errors: HOST_KEY_SIGNATURE, HOST_KEY_INVALID. */
gboolean pvs_look(const PvsLook *look, const guint8 *tbs, gsize tbs_size,
		  PvsSignatureAlgorithm algorithm, const guint8 *signature, gsize signature_size,
		  guint8 point[PVS_POINT_SIZE], GError **error);

/* The skipping alone: @tbs must be a SEQUENCE of exactly @size bytes in DER, version 3, five
 * elements (serial, algorithm, issuer, validity, subject), then exactly the SubjectPublicKeyInfo of
 * an uncompressed point on secp521r1. The point's 160-byte encoding is not yet checked to be on the
 * curve. Calls nothing of OpenSSL. */
gboolean pvs_look_skip(const guint8 *tbs, gsize size, guint8 point[PVS_POINT_SIZE]);
