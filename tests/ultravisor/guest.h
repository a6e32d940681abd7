/* SPDX-License-Identifier: MIT */
/*
 * guest.h - one secure-execution guest, its machine's host key and its store of secrets
 *
 * The simulated firmware's decisions: whom a request is for, whether it may be opened, whether what
 * is in it may be stored. See asrcb.h for the request itself and for why nothing is shared with the
 * daemon.
 */
#pragma once

#include "tests/ultravisor/asrcb.h"

#define PVS_UV_ERROR (pvs_uv_error_quark())
GQuark pvs_uv_error_quark(void); /* one code, 0: something that was given is not usable */

#define PVS_UV_SLOTS 500 /* secrets that a store takes unless told otherwise */

typedef struct PvsUvGuest PvsUvGuest;

/* What sits in the store. */
typedef struct {
	guint16 type;
	guint8 id[PVS_UV_ID_SIZE];
	guint64 flags;		/* those of the request that brought it */
	guint16 user_data_type; /* likewise */
	guint8 extension[PVS_UV_EXTENSION_SIZE];
	gsize size;
	guint8 *secret; /* as decrypted: padded, and a plaintext with its length before it */
} PvsUvSecret;

/* A guest made from an image with the SE header that starts at @header; what stands behind the
 * header's own size is ignored. It has no machine yet: give it a host key before anything else.
 * Fails where the header's sizes do not add up. */
PvsUvGuest *pvs_uv_guest_new(const guint8 *header, gsize size, GError **error);
void pvs_uv_guest_free(PvsUvGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsUvGuest, pvs_uv_guest_free)

/* The machine's host key: @pem holds a private key on P-521. */
gboolean pvs_uv_guest_set_host_key(PvsUvGuest *guest, const char *pem, gsize size, GError **error);

/* A machine whose private key nobody published: it can open just those requests that were made with
 * the customer's private @scalar (PVS_UV_SCALAR_SIZE bytes), since the shared secret of the two
 * keys follows from that scalar and the host's public key in the certificate @pem as well. */
gboolean pvs_uv_guest_set_host_public(PvsUvGuest *guest, const char *pem, gsize size,
				      const guint8 *scalar, GError **error);

/* The CCK that the image was built with. If @enforce, requests must carry the extension secret
 * derived from the CCK; else the first accepted request fixes what all later ones must carry. */
void pvs_uv_guest_set_cck(PvsUvGuest *guest, const guint8 *cck, gboolean enforce);

/* PVS_UV_CUID_SIZE bytes. A guest that was given none takes only requests without one. */
void pvs_uv_guest_set_cuid(PvsUvGuest *guest, const guint8 *cuid);

/* How many secrets the store has room for. */
void pvs_uv_guest_set_slots(PvsUvGuest *guest, guint slots);

/* Judges a request and, unless @dry_run, does what it says: stores the secret (in place of one with
 * the same id), takes the new CCK, notes the flags. A meta secret and a CCK need no room. Where the
 * verdict is PVS_UV_NONE, the public part of the request is in *@request (which may be NULL). */
PvsUvVerdict pvs_uv_guest_add(PvsUvGuest *guest, const guint8 *data, gsize size, gboolean dry_run,
			      PvsUvRequest *request);

/* Takes no more requests, of any type, until the guest restarts. */
void pvs_uv_guest_lock(PvsUvGuest *guest);

/* The guest restarts: an empty, open store, no extension secret fixed, dumps allowed, and the
 * image's own CCK again. */
void pvs_uv_guest_reset(PvsUvGuest *guest);

guint pvs_uv_guest_n_secrets(const PvsUvGuest *guest);
const PvsUvSecret *pvs_uv_guest_secret(const PvsUvGuest *guest, guint i);
guint pvs_uv_guest_slots(const PvsUvGuest *guest);
gboolean pvs_uv_guest_locked(const PvsUvGuest *guest);

/* TRUE once an accepted request had the flag for it. */
gboolean pvs_uv_guest_dump_disabled(const PvsUvGuest *guest);

/* What the next request's extension secret must be; NULL while any is good. */
const guint8 *pvs_uv_guest_extension(PvsUvGuest *guest);

/* The guest as text and back; for pvs_uv_guest_from_text() the text is as trusted as the program.
 * The text has every key and secret in it. */
char *pvs_uv_guest_to_text(const PvsUvGuest *guest);
PvsUvGuest *pvs_uv_guest_from_text(const char *text, GError **error);

/* Lower-case hex, newly allocated; and back, exactly @size bytes to @out. */
char *pvs_uv_hex(const guint8 *data, gsize size);
gboolean pvs_uv_unhex(const char *hex, guint8 *out, gsize size);
