/* SPDX-License-Identifier: MIT */
/*
 * request-view.h - what can be read of an add-secret request without any key
 *
 * Everything but the secret and the extension secret is in the clear, vouched for by the request's
 * tag, which only the ultravisor can check. So this tells what a request says, not that it is true.
 */
#pragma once

#include "protocol/request-layout.h"

/* A request at most: 255 host keys and the longest secret. */
#define PVS_REQUEST_MAX (32 * 1024) /* bytes */

typedef struct {
	PvsUserDataType user_data_type;
	guint64 flags;
	guint keyslots;
	guint secret_type; /* PvsSecretType, or one that is not known here */
	guint32 secret_length;
	/* Within the bytes that were looked at. */
	const PvsRequestHead *head;
	const guint8 *slots; /* keyslots of sizeof(PvsKeyslot) */
	const guint8 *id;    /* PVS_ID_SIZE; NULL: a meta secret has none */
	const guint8 *tag;   /* PVS_TAG_SIZE */
} PvsRequestView;

/* Looks at @data, which must be one whole request: magic, version, and all sizes that it states add
 * up to @size, nothing missing and nothing behind. *@view points into @data. PARAM_REQUEST. */
gboolean pvs_request_view(const guint8 *data, gsize size, PvsRequestView *view, GError **error);

/* How much of the 512 bytes of user data is the user's; the rest is the signature. 0: none. */
gsize pvs_user_data_size(PvsUserDataType type);

/* The API's word for it: "none", "unsigned", "ec-secp521r1", "rsa-2048", "rsa-3072"; static. */
const char *pvs_user_data_word(PvsUserDataType type);
