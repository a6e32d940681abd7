/* SPDX-License-Identifier: MIT */
/*
 * request-view.c - what can be read of an add-secret request without any key
 */
#include "protocol/request-view.h"

#include <string.h>

#include "protocol/error.h"

enum {
	EXTENSION_SECRET = 32, /* bytes behind the secret, encrypted as it is */
	LENGTH_MAX = 8192,     /* of a secret: 2 + 8190, which is a multiple of 16 */
};

static const struct {
	PvsUserDataType type;
	const char *word;
	gsize size;
} kinds[] = {
	{PVS_USER_DATA_NONE, "none", 0},
	{PVS_USER_DATA_UNSIGNED, "unsigned", PVS_USER_DATA_SIZE},
	{PVS_USER_DATA_EC_SECP521R1, "ec-secp521r1", 256},
	{PVS_USER_DATA_RSA_2048, "rsa-2048", 256},
	{PVS_USER_DATA_RSA_3072, "rsa-3072", 128},
};

gsize pvs_user_data_size(PvsUserDataType type)
{
	g_assert((guint)type < G_N_ELEMENTS(kinds));
	return kinds[type].size;
}

const char *pvs_user_data_word(PvsUserDataType type)
{
	g_assert((guint)type < G_N_ELEMENTS(kinds));
	return kinds[type].word;
}

static gboolean is_zero(const guint8 *data, gsize size)
{
	guint8 bits = 0;

	for (gsize i = 0; i < size; i++)
		bits |= data[i];
	return bits == 0;
}

/* The head's own statements. A request that says to have no user data and has some was made by
 * nobody: one bit of the type may have been turned to get rid of the signature. */
static gboolean check_head(const PvsRequestHead *head, gsize size, PvsRequestView *view)
{
	guint type = GUINT16_FROM_BE(head->user_data_type);

	if (memcmp(head->magic, PVS_REQUEST_MAGIC, sizeof head->magic) != 0 ||
	    GUINT32_FROM_BE(head->version) != PVS_REQUEST_VERSION ||
	    GUINT32_FROM_BE(head->size) != size || type >= G_N_ELEMENTS(kinds) ||
	    head->keyslots == 0)
		return FALSE;
	if (type == PVS_USER_DATA_NONE && !is_zero(head->user_data, sizeof head->user_data))
		return FALSE;
	view->user_data_type = (PvsUserDataType)type;
	view->flags = GUINT64_FROM_BE(head->flags);
	view->keyslots = head->keyslots;
	view->head = head;
	return TRUE;
}

/* From the secret header on: @data has @size bytes, the tag among them. */
static gboolean check_secret(const guint8 *data, gsize size, guint32 encrypted,
			     PvsRequestView *view)
{
	PvsSecretHeader header;
	gsize own;

	if (size < PVS_SECRET_HEADER_NULL)
		return FALSE;
	memcpy(&header, data, PVS_SECRET_HEADER_NULL);
	view->secret_type = GUINT16_FROM_BE(header.type);
	view->secret_length = GUINT32_FROM_BE(header.length);
	own = view->secret_type == PVS_SECRET_NULL ? PVS_SECRET_HEADER_NULL : sizeof header;
	if (view->secret_length > LENGTH_MAX ||
	    (view->secret_type == PVS_SECRET_NULL) != (view->secret_length == 0) ||
	    encrypted != view->secret_length + EXTENSION_SECRET ||
	    size != own + encrypted + PVS_TAG_SIZE)
		return FALSE;
	view->id =
		view->secret_type == PVS_SECRET_NULL ? NULL : data + offsetof(PvsSecretHeader, id);
	view->tag = data + size - PVS_TAG_SIZE;
	return TRUE;
}

gboolean pvs_request_view(const guint8 *data, gsize size, PvsRequestView *view, GError **error)
{
	/* Packed, so that it may stand anywhere. */
	const PvsRequestHead *head = (const PvsRequestHead *)data;
	PvsRequestView seen = {.head = NULL};
	gsize slots;

	if (size < sizeof *head || size > PVS_REQUEST_MAX || !check_head(head, size, &seen))
		return pvs_fail(error, PVS_ERROR_PARAM_REQUEST, NULL, NULL);
	slots = seen.keyslots * sizeof(PvsKeyslot);
	if (size - sizeof *head < slots ||
	    !check_secret(data + sizeof *head + slots, size - sizeof *head - slots,
			  GUINT32_FROM_BE(head->encrypted_size), &seen))
		return pvs_fail(error, PVS_ERROR_PARAM_REQUEST, NULL, NULL);
	seen.slots = data + sizeof *head;
	*view = seen;
	return TRUE;
}
