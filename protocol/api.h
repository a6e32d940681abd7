/* SPDX-License-Identifier: MIT */
/*
 * api.h - the methods and their parameters, as tables
 *
 * A method is a row: its name and the rows of its fields. One function decodes the parameters of
 * any method into one struct, which one function clears. A parameter that the method does not have
 * is an error. Secrets are not decoded here: the caller took them out of the text and left the
 * number of each, in decimal, in its place; only the empty string is still what it was.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "protocol/bodies.h"

typedef enum {
	PVS_METHOD_CREATE_ASSOCIATION,
	PVS_METHOD_CREATE_META,
	PVS_METHOD_CREATE_RETRIEVABLE,
	PVS_METHOD_CREATE_UPDATE_CCK,
	PVS_METHOD_VERIFY_REQUEST,
	PVS_METHOD_DESCRIBE_REQUEST,
	PVS_METHOD_VERIFY_HOST_KEY,
	PVS_METHOD_LIST_CCKS,
	PVS_METHOD_GET_ACCESS,
	PVS_METHOD_GET_STATUS,
	PVS_METHOD_PING,
	PVS_METHOD_LAST_
} PvsMethod;

#define PVS_DOCUMENT_MAX PVS_HEADER_MAX /* bytes of a host-key document, certificate or CRL */

/* A secret of no bytes: there is nothing to take out of the text, and no room for a number. */
#define PVS_VALUE_EMPTY G_MAXUINT

typedef struct {
	guint max_host_keys;

	/* What the fields decode to. */
	char *name; /* of the secret; may be empty */
	gboolean use_name;
	const char *kind;  /* of a retrievable secret; protocol/secret-type.h */
	const char *curve; /* of an EC key; NULL: none */
	PvsValueKind value_kind;
	guint value;	    /* number of the secret, where it is given; or PVS_VALUE_EMPTY */
	PvsHeaderTags tags; /* where there is a header; else there is an image */
	gboolean has_header;
	char *image;	   /* name of an installed header; NULL: none */
	PvsList host_keys; /* of PvsHostKey */
	char *cck;	   /* NULL: none; likewise the next three */
	char *extension_secret;
	char *new_cck;
	char *user_sign_key;
	GBytes *user_data; /* NULL: none; may be empty */
	gboolean no_verify;
	guint8 cuid[PVS_CUID_SIZE];
	guint64 flags;
	PvsList certs; /* of PvsBlob */
	PvsList crls;  /* of PvsBlob */
	GBytes *document;
	GBytes *request; /* an add-secret request: pvs_request_view() takes it */
} PvsParams;

void pvs_params_clear(PvsParams *params);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsParams, pvs_params_clear)

/* FALSE with PVS_ERROR_METHOD if there is none of this name. */
gboolean pvs_method_find(const char *name, PvsMethod *method, GError **error);

const char *pvs_method_name(PvsMethod method);

/* Does it make a request? */
gboolean pvs_method_creates(PvsMethod method);

/* The names of the method's parameters, NULL-terminated; not owned. */
const char *const *pvs_method_params(PvsMethod method);

/* Was anything but zeros given? A zero CUID binds a request to nothing. */
gboolean pvs_params_have_cuid(const PvsParams *params);

/* Decodes @object into @params (zeroed but for max_host_keys). Errors: rows of -32602 and -32002
 * with a pointer to the parameter, or none where the method has no parameter of a name that was
 * sent (it is not repeated; pvs_method_params() says which there are). @params is cleared then. */
gboolean pvs_params_decode(PvsMethod method, JsonObject *object, PvsParams *params, GError **error);
