/* SPDX-License-Identifier: MIT */
/*
 * api.c - the methods and their parameters, as tables
 */
#include "protocol/api.h"

#include <string.h>

#include "protocol/encoding.h"
#include "protocol/error.h"
#include "protocol/names.h"
#include "protocol/request-view.h"
#include "protocol/secret-type.h"

enum { FIELDS_MAX = 24 };

/* Decodes @node to the member at @to; @at is the JSON pointer of the parameter. */
typedef gboolean (*Decode)(PvsParams *params, gpointer to, JsonNode *node, const char *at,
			   GError **error);

typedef struct {
	const char *name;
	Decode decode;
	gsize offset;
	gboolean required;
} Field;

typedef struct {
	const char *name;
	const Field *fields;
} Method;

static gboolean wrong(GError **error, PvsError code, const char *at)
{
	return pvs_fail(error, code, at, NULL);
}

/* The string of @node; NULL with an error if it is none. */
static const char *string_of(JsonNode *node, const char *at, GError **error)
{
	if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
		return json_node_get_string(node);
	wrong(error, PVS_ERROR_PARAM_TYPE, at);
	return NULL;
}

static gboolean decode_name(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			    const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	char **name = to;

	if (!text)
		return FALSE;
	if (strlen(text) > PVS_SECRET_NAME_MAX)
		return wrong(error, PVS_ERROR_PARAM_NAME, at);
	*name = g_strdup(text);
	return TRUE;
}

static gboolean decode_key_name(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
				const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	char **name = to;

	if (!text)
		return FALSE;
	if (!pvs_key_name_valid(text))
		return wrong(error, PVS_ERROR_PARAM_KEY_NAME, at);
	*name = g_strdup(text);
	return TRUE;
}

static gboolean decode_header(PvsParams *params, gpointer to, JsonNode *node, const char *at,
			      GError **error)
{
	const char *text = string_of(node, at, error);
	g_autoptr(GBytes) bytes = NULL;
	gsize size;
	const guint8 *data;

	if (!text)
		return FALSE;
	bytes = pvs_base64_decode(text, strlen(text));
	if (!bytes)
		return wrong(error, PVS_ERROR_PARAM_BASE64, at);
	data = g_bytes_get_data(bytes, &size);
	params->has_header = TRUE;
	if (pvs_header_parse(data, size, to, error))
		return TRUE;
	if (error)
		pvs_error_prefix_param(*error, at);
	return FALSE;
}

/* A certificate or CRL: PEM text as it is, anything else is base64 of DER. What is empty or larger
 * than a message to trust can hold is none. */
static gboolean decode_document(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
				const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	g_autoptr(GBytes) bytes = NULL;
	GBytes **document = to;

	if (!text)
		return FALSE;
	if (strstr(text, "-----BEGIN "))
		bytes = g_bytes_new(text, strlen(text));
	else
		bytes = pvs_base64_decode(text, strlen(text));
	if (!bytes)
		return wrong(error, PVS_ERROR_PARAM_BASE64, at);
	if (g_bytes_get_size(bytes) == 0 || g_bytes_get_size(bytes) > PVS_DOCUMENT_MAX)
		return wrong(error, PVS_ERROR_HOST_KEY_FORMAT, at);
	*document = g_steal_pointer(&bytes);
	return TRUE;
}

/* As a document, which another row is for: the sentence is about another one. */
static gboolean decode_other(PvsParams *params, gpointer to, JsonNode *node, const char *at,
			     PvsError row, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (decode_document(params, to, node, at, &why))
		return TRUE;
	if (g_error_matches(why, PVS_ERROR, PVS_ERROR_HOST_KEY_FORMAT))
		return wrong(error, row, at);
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

static gboolean decode_user_certificate(PvsParams *params, gpointer to, JsonNode *node,
					const char *at, GError **error)
{
	return decode_other(params, to, node, at, PVS_ERROR_USER_CERT_FORMAT, error);
}

static gboolean decode_request(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			       const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	g_autoptr(GBytes) bytes = NULL;
	GBytes **request = to;
	PvsRequestView view;
	const guint8 *data;
	gsize size;

	if (!text)
		return FALSE;
	bytes = pvs_base64_decode(text, strlen(text));
	if (!bytes)
		return wrong(error, PVS_ERROR_PARAM_BASE64, at);
	data = g_bytes_get_data(bytes, &size);
	if (!pvs_request_view(data, size, &view, NULL))
		return wrong(error, PVS_ERROR_PARAM_REQUEST, at);
	*request = g_steal_pointer(&bytes);
	return TRUE;
}

static gboolean decode_documents(PvsParams *params, gpointer to, JsonNode *node, const char *at,
				 PvsError row, GError **error)
{
	PvsList *list = to;
	JsonArray *array;
	PvsBlob *blobs;
	guint n;

	if (!JSON_NODE_HOLDS_ARRAY(node))
		return wrong(error, PVS_ERROR_PARAM_TYPE, at);
	array = json_node_get_array(node);
	n = json_array_get_length(array);
	if (n > PVS_CERTS_MAX)
		return wrong(error, PVS_ERROR_PARAM_CERTS, at);
	blobs = pvs_list_init(list, PvsBlob, n);
	for (guint i = 0; i < n; i++) {
		g_autofree char *here = g_strdup_printf("%s/%u", at, i);

		if (!decode_other(params, &blobs[i].bytes, json_array_get_element(array, i), here,
				  row, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean decode_certificates(PvsParams *params, gpointer to, JsonNode *node, const char *at,
				    GError **error)
{
	return decode_documents(params, to, node, at, PVS_ERROR_CERT_FORMAT, error);
}

static gboolean decode_crls(PvsParams *params, gpointer to, JsonNode *node, const char *at,
			    GError **error)
{
	return decode_documents(params, to, node, at, PVS_ERROR_CRL_FORMAT, error);
}

/* {"document": ...} or {"name": ...} */
static gboolean decode_host_key(PvsParams *params, PvsHostKey *key, JsonNode *node, const char *at,
				GError **error)
{
	g_autofree char *document = g_strconcat(at, "/document", NULL);
	g_autofree char *name = g_strconcat(at, "/name", NULL);
	JsonObjectIter iter;
	const char *member;
	JsonNode *value;

	if (!JSON_NODE_HOLDS_OBJECT(node))
		return wrong(error, PVS_ERROR_PARAM_TYPE, at);
	json_object_iter_init(&iter, json_node_get_object(node));
	while (json_object_iter_next(&iter, &member, &value)) {
		if (strcmp(member, "document") == 0) {
			if (!decode_document(params, &key->document, value, document, error))
				return FALSE;
		} else if (strcmp(member, "name") == 0) {
			if (!decode_key_name(params, &key->name, value, name, error))
				return FALSE;
		} else {
			return wrong(error, PVS_ERROR_PARAM_UNKNOWN, at);
		}
	}
	if (!key->document == !key->name)
		return wrong(error, PVS_ERROR_PARAM_HOST_KEY, at);
	return TRUE;
}

static gboolean decode_host_keys(PvsParams *params, gpointer to, JsonNode *node, const char *at,
				 GError **error)
{
	PvsList *list = to;
	JsonArray *array;
	PvsHostKey *keys;
	guint n;

	if (!JSON_NODE_HOLDS_ARRAY(node))
		return wrong(error, PVS_ERROR_PARAM_TYPE, at);
	array = json_node_get_array(node);
	n = json_array_get_length(array);
	if (n < 1 || n > params->max_host_keys)
		return wrong(error, PVS_ERROR_PARAM_HOST_KEYS, at);
	keys = pvs_list_init(list, PvsHostKey, n);
	for (guint i = 0; i < n; i++) {
		g_autofree char *here = g_strdup_printf("%s/%u", at, i);

		if (!decode_host_key(params, &keys[i], json_array_get_element(array, i), here,
				     error))
			return FALSE;
	}
	return TRUE;
}

static gboolean decode_cuid(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			    const char *at, GError **error)
{
	const char *text = string_of(node, at, error);

	if (!text)
		return FALSE;
	return pvs_hex_decode(text, to, PVS_CUID_SIZE) || wrong(error, PVS_ERROR_PARAM_CUID, at);
}

static gboolean decode_flags(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			     const char *at, GError **error)
{
	static const struct {
		const char *name;
		guint64 bit;
	} known[] = {{"disable-dump", PVS_FLAG_DISABLE_DUMP}};
	guint64 *flags = to;
	JsonArray *array;

	if (!JSON_NODE_HOLDS_ARRAY(node))
		return wrong(error, PVS_ERROR_PARAM_TYPE, at);
	array = json_node_get_array(node);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		g_autofree char *here = g_strdup_printf("%s/%u", at, i);
		const char *text = string_of(json_array_get_element(array, i), here, error);
		gsize k = 0;

		if (!text)
			return FALSE;
		while (k < G_N_ELEMENTS(known) && strcmp(known[k].name, text) != 0)
			k++;
		if (k == G_N_ELEMENTS(known))
			return wrong(error, PVS_ERROR_PARAM_FLAG, here);
		*flags |= known[k].bit;
	}
	return TRUE;
}

/* The same flags, and those that have no name yet, as the 64 bits themselves. */
static gboolean decode_pcf(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			   const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	guint64 *flags = to;
	gsize length;

	if (!text)
		return FALSE;
	length = strlen(text);
	if (length < 1 || length > 16 || strspn(text, "0123456789abcdefABCDEF") != length)
		return wrong(error, PVS_ERROR_PARAM_PCF, at);
	*flags = g_ascii_strtoull(text, NULL, 16);
	return TRUE;
}

static gboolean decode_boolean(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			       const char *at, GError **error)
{
	gboolean *value = to;

	if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN)
		return wrong(error, PVS_ERROR_PARAM_TYPE, at);
	*value = json_node_get_boolean(node);
	return TRUE;
}

static gboolean decode_user_data(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
				 const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	g_autoptr(GBytes) bytes = NULL;
	GBytes **user_data = to;

	if (!text)
		return FALSE;
	bytes = pvs_base64_decode(text, strlen(text));
	if (!bytes)
		return wrong(error, PVS_ERROR_PARAM_BASE64, at);
	if (g_bytes_get_size(bytes) > PVS_USER_DATA_SIZE)
		return wrong(error, PVS_ERROR_PARAM_USER_DATA, at);
	*user_data = g_steal_pointer(&bytes);
	return TRUE;
}

static gboolean decode_kind(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			    const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	const char **kind = to;

	if (!text)
		return FALSE;
	*kind = pvs_secret_type_kind(text);
	return *kind || wrong(error, PVS_ERROR_PARAM_RETRIEVABLE, at);
}

static gboolean decode_curve(PvsParams *params G_GNUC_UNUSED, gpointer to, JsonNode *node,
			     const char *at, GError **error)
{
	const char *text = string_of(node, at, error);
	const char **curve = to;

	if (!text)
		return FALSE;
	*curve = pvs_secret_type_curve(text);
	return *curve || wrong(error, PVS_ERROR_PARAM_CURVE, at);
}

/* How the daemon is to come by the secret. */
static const struct {
	const char *member;
	PvsValueKind kind;
} sources[] = {{"random", PVS_VALUE_RANDOM}, {"derive", PVS_VALUE_DERIVED}};

/* {"random": true}, {"derive": true}, or {"value": ...} where the value's number stands by now. */
static gboolean decode_secret(PvsParams *params, gpointer to G_GNUC_UNUSED, JsonNode *node,
			      const char *at, GError **error)
{
	JsonObject *object;
	JsonNode *value;
	const char *text;
	guint64 number;

	if (!JSON_NODE_HOLDS_OBJECT(node))
		return wrong(error, PVS_ERROR_PARAM_TYPE, at);
	object = json_node_get_object(node);
	if (json_object_get_size(object) != 1)
		return wrong(error, PVS_ERROR_PARAM_SECRET, at);
	for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
		value = json_object_get_member(object, sources[i].member);
		if (!value)
			continue;
		if (!JSON_NODE_HOLDS_VALUE(value) ||
		    json_node_get_value_type(value) != G_TYPE_BOOLEAN ||
		    !json_node_get_boolean(value))
			return wrong(error, PVS_ERROR_PARAM_SECRET, at);
		params->value_kind = sources[i].kind;
		return TRUE;
	}
	value = json_object_get_member(object, "value");
	if (!value)
		return wrong(error, PVS_ERROR_PARAM_SECRET, at);
	text = string_of(value, "/secret/value", error);
	if (!text)
		return FALSE;
	/* Nothing in base64 is nothing, and too short to be overwritten by a number. */
	number = PVS_VALUE_EMPTY;
	if (*text && !g_ascii_string_to_unsigned(text, 10, 0, PVS_VALUE_EMPTY - 1, &number, NULL))
		return wrong(error, PVS_ERROR_PARAM_BASE64, "/secret/value");
	params->value_kind = PVS_VALUE_GIVEN;
	params->value = (guint)number;
	return TRUE;
}

/* clang-format off */
#define FIELD(name, decode, member, required) \
	{ name, decode, offsetof(PvsParams, member), required }

/* What every create method shares. */
#define TARGET_FIELDS \
	FIELD("hdr", decode_header, tags, FALSE), \
	FIELD("image", decode_key_name, image, FALSE), \
	FIELD("host_keys", decode_host_keys, host_keys, TRUE), \
	FIELD("cck", decode_key_name, cck, FALSE), \
	FIELD("extension_secret", decode_key_name, extension_secret, FALSE), \
	FIELD("cuid", decode_cuid, cuid, FALSE), \
	FIELD("flags", decode_flags, flags, FALSE), \
	FIELD("pcf", decode_pcf, flags, FALSE), \
	FIELD("user_data", decode_user_data, user_data, FALSE), \
	FIELD("user_sign_key", decode_key_name, user_sign_key, FALSE), \
	FIELD("no_verify", decode_boolean, no_verify, FALSE), \
	FIELD("certificates", decode_certificates, certs, FALSE), \
	FIELD("crls", decode_crls, crls, FALSE)

static const Field create_association_fields[] = {
	FIELD("name", decode_name, name, TRUE),
	FIELD("use_name", decode_boolean, use_name, FALSE),
	FIELD("secret", decode_secret, value_kind, FALSE),
	TARGET_FIELDS,
	{ 0 },
};

static const Field create_meta_fields[] = {
	TARGET_FIELDS,
	{ 0 },
};

static const Field create_retrievable_fields[] = {
	FIELD("name", decode_name, name, TRUE),
	FIELD("use_name", decode_boolean, use_name, FALSE),
	FIELD("type", decode_kind, kind, TRUE),
	FIELD("curve", decode_curve, curve, FALSE),
	FIELD("secret", decode_secret, value_kind, TRUE),
	TARGET_FIELDS,
	{ 0 },
};

static const Field create_update_cck_fields[] = {
	FIELD("new_cck", decode_key_name, new_cck, TRUE),
	TARGET_FIELDS,
	{ 0 },
};

static const Field verify_host_key_fields[] = {
	FIELD("host_key_document", decode_document, document, TRUE),
	FIELD("certificates", decode_certificates, certs, FALSE),
	FIELD("crls", decode_crls, crls, FALSE),
	{ 0 },
};

static const Field verify_request_fields[] = {
	FIELD("request", decode_request, request, TRUE),
	FIELD("user_certificate", decode_user_certificate, document, FALSE),
	{ 0 },
};

static const Field describe_request_fields[] = {
	FIELD("request", decode_request, request, TRUE),
	{ 0 },
};

static const Field no_fields[] = { { 0 } };

static const Method methods[PVS_METHOD_LAST_] = {
	[PVS_METHOD_CREATE_ASSOCIATION] = { "create_association", create_association_fields },
	[PVS_METHOD_CREATE_META] = { "create_meta", create_meta_fields },
	[PVS_METHOD_CREATE_RETRIEVABLE] = { "create_retrievable", create_retrievable_fields },
	[PVS_METHOD_CREATE_UPDATE_CCK] = { "create_update_cck", create_update_cck_fields },
	[PVS_METHOD_VERIFY_REQUEST] = { "verify_request", verify_request_fields },
	[PVS_METHOD_DESCRIBE_REQUEST] = { "describe_request", describe_request_fields },
	[PVS_METHOD_VERIFY_HOST_KEY] = { "verify_host_key", verify_host_key_fields },
	[PVS_METHOD_LIST_CCKS] = { "list_ccks", no_fields },
	[PVS_METHOD_GET_ACCESS] = { "get_access", no_fields },
	[PVS_METHOD_GET_STATUS] = { "get_status", no_fields },
	[PVS_METHOD_PING] = { "ping", no_fields },
};
/* clang-format on */

void pvs_params_clear(PvsParams *params)
{
	for (guint i = 0; i < params->host_keys.n; i++) {
		PvsHostKey *key = pvs_list_nth(params->host_keys, PvsHostKey, i);

		g_clear_pointer(&key->document, g_bytes_unref);
		g_clear_pointer(&key->name, g_free);
	}
	for (guint i = 0; i < params->certs.n; i++)
		g_clear_pointer(&pvs_list_nth(params->certs, PvsBlob, i)->bytes, g_bytes_unref);
	for (guint i = 0; i < params->crls.n; i++)
		g_clear_pointer(&pvs_list_nth(params->crls, PvsBlob, i)->bytes, g_bytes_unref);
	g_clear_pointer(&params->host_keys.items, g_free);
	g_clear_pointer(&params->certs.items, g_free);
	g_clear_pointer(&params->crls.items, g_free);
	g_clear_pointer(&params->name, g_free);
	g_clear_pointer(&params->image, g_free);
	g_clear_pointer(&params->cck, g_free);
	g_clear_pointer(&params->extension_secret, g_free);
	g_clear_pointer(&params->new_cck, g_free);
	g_clear_pointer(&params->user_sign_key, g_free);
	g_clear_pointer(&params->user_data, g_bytes_unref);
	g_clear_pointer(&params->document, g_bytes_unref);
	g_clear_pointer(&params->request, g_bytes_unref);
	params->host_keys.n = params->certs.n = params->crls.n = 0;
}

gboolean pvs_method_find(const char *name, PvsMethod *method, GError **error)
{
	for (guint i = 0; i < PVS_METHOD_LAST_; i++) {
		if (strcmp(methods[i].name, name) == 0) {
			*method = (PvsMethod)i;
			return TRUE;
		}
	}
	return pvs_fail(error, PVS_ERROR_METHOD, NULL, NULL);
}

const char *pvs_method_name(PvsMethod method)
{
	return methods[method].name;
}

const char *const *pvs_method_params(PvsMethod method)
{
	static const char *names[PVS_METHOD_LAST_][FIELDS_MAX];
	const Field *fields = methods[method].fields;

	for (guint i = 0; fields[i].name; i++) {
		g_assert(i < FIELDS_MAX - 1);
		names[method][i] = fields[i].name;
	}
	return names[method];
}

static const Field *find_field(PvsMethod method, const char *name)
{
	for (const Field *f = methods[method].fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

gboolean pvs_method_creates(PvsMethod method)
{
	return find_field(method, "host_keys") != NULL;
}

/* Parameters of which each says what the other says. */
static const struct {
	const char *one, *other;
	PvsError error;
} alternatives[] = {
	{"hdr", "image", PVS_ERROR_PARAM_IMAGE},
	{"cck", "extension_secret", PVS_ERROR_PARAM_EXTENSION},
	{"flags", "pcf", PVS_ERROR_PARAM_FLAGS_OR_PCF},
};

/* What no parameter says alone. */
static gboolean check_target(JsonObject *object, const PvsParams *params, GError **error)
{
	if (!params->has_header && !params->image)
		return wrong(error, PVS_ERROR_PARAM_MISSING, "/hdr");
	for (gsize i = 0; i < G_N_ELEMENTS(alternatives); i++) {
		g_autofree char *at = g_strconcat("/", alternatives[i].other, NULL);

		if (json_object_has_member(object, alternatives[i].one) &&
		    json_object_has_member(object, alternatives[i].other))
			return wrong(error, alternatives[i].error, at);
	}
	if (params->use_name && strlen(params->name) > PVS_USE_NAME_MAX)
		return wrong(error, PVS_ERROR_PARAM_USE_NAME, "/name");
	if (params->kind && !pvs_secret_type_fits(params->kind, params->curve))
		return wrong(error, PVS_ERROR_PARAM_CURVE, "/curve");
	if (params->kind && params->value_kind != PVS_VALUE_GIVEN)
		return wrong(error, PVS_ERROR_PARAM_SECRET_VALUE, "/secret");
	return TRUE;
}

static gboolean decode_all(PvsMethod method, JsonObject *object, PvsParams *params, GError **error)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;

	json_object_iter_init(&iter, object);
	while (json_object_iter_next(&iter, &name, &node)) {
		/* Without a pointer: it would repeat what the client sent. The caller says which
		 * names there are. */
		if (!find_field(method, name))
			return wrong(error, PVS_ERROR_PARAM_UNKNOWN, NULL);
	}
	for (const Field *f = methods[method].fields; f->name; f++) {
		g_autofree char *at = g_strconcat("/", f->name, NULL);

		node = json_object_get_member(object, f->name);
		if (!node) {
			if (f->required)
				return wrong(error, PVS_ERROR_PARAM_MISSING, at);
			continue;
		}
		if (!f->decode(params, (char *)params + f->offset, node, at, error))
			return FALSE;
	}
	return !pvs_method_creates(method) || check_target(object, params, error);
}

gboolean pvs_params_have_cuid(const PvsParams *params)
{
	guint8 bits = 0;

	for (gsize i = 0; i < sizeof params->cuid; i++)
		bits |= params->cuid[i];
	return bits != 0;
}

gboolean pvs_params_decode(PvsMethod method, JsonObject *object, PvsParams *params, GError **error)
{
	/* Where nothing is said, what has a secret of its own has one that is drawn. */
	params->value_kind = find_field(method, "secret") ? PVS_VALUE_RANDOM : PVS_VALUE_NONE;
	if (decode_all(method, object, params, error))
		return TRUE;
	pvs_params_clear(params);
	return FALSE;
}
