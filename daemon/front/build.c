/* SPDX-License-Identifier: MIT */
/*
 * build.c - what a create call asks of the vault
 */
#include "daemon/front/build.h"

#include <string.h>

#include "protocol/error.h"
#include "protocol/secret-type.h"

/* The type of the secret; FALSE if there is none for a value of this size. */
static gboolean find_type(PvsMethod method, const PvsParams *params, gsize value_size,
			  guint16 *type)
{
	switch (method) {
	case PVS_METHOD_CREATE_META:
		*type = PVS_SECRET_NULL;
		return TRUE;
	case PVS_METHOD_CREATE_UPDATE_CCK:
		*type = PVS_SECRET_UPDATE_CCK;
		return TRUE;
	case PVS_METHOD_CREATE_RETRIEVABLE:
		return pvs_secret_type_find(params->kind, params->curve, value_size, type);
	default:
		*type = PVS_SECRET_ASSOCIATION;
		return params->value_kind != PVS_VALUE_GIVEN ||
		       pvs_secret_type_takes(PVS_SECRET_ASSOCIATION, value_size);
	}
}

/* NULL, perhaps with @why: there is none of this number. */
static PvsSecret *take(const PvsParams *params, PvsSecrets *secrets, GError **why)
{
	PvsSecret *empty;

	if (params->value != PVS_VALUE_EMPTY)
		return secrets ? pvs_secrets_take(secrets, params->value, why) : NULL;
	empty = pvs_secret_new(0);
	if (!empty)
		pvs_fail(why, PVS_ERROR_TOO_FAST, NULL, NULL);
	return empty;
}

gboolean pvs_build_take(PvsMethod method, const PvsParams *params, PvsSecrets *secrets,
			PvsSecret **value, GError **error)
{
	g_autoptr(PvsSecret) taken = NULL;
	g_autoptr(GError) why = NULL;
	guint16 type;

	if (params->value_kind != PVS_VALUE_GIVEN)
		return TRUE;
	taken = take(params, secrets, &why);
	if (!taken)
		return pvs_fail(error, why ? (PvsError)why->code : PVS_ERROR_PARAM_BASE64,
				"/secret/value", NULL);
	if (!find_type(method, params, taken->size, &type))
		return pvs_fail(error, PVS_ERROR_PARAM_SECRET_SIZE, "/secret/value", NULL);
	*value = g_steal_pointer(&taken);
	return TRUE;
}

PvsBuild pvs_build_of(PvsMethod method, const PvsParams *params, const PvsSecret *value)
{
	PvsBuild body = {
		.flags = params->flags,
		.value_kind = (guint8)params->value_kind,
		.name = params->name,
		.use_name = params->use_name != FALSE,
		.cck = params->cck,
		.extension_secret = params->extension_secret,
		.new_cck = params->new_cck,
		.has_user_data = params->user_data != NULL,
		.user_data = params->user_data,
		.user_sign_key = params->user_sign_key,
		.no_verify = params->no_verify != FALSE,
		.image = params->image,
	};

	/* A value of a size that there is not was refused by pvs_build_take(). */
	g_assert(find_type(method, params, value ? value->size : 0, &body.type));
	memcpy(body.tags, &params->tags, sizeof body.tags);
	memcpy(body.cuid, params->cuid, sizeof body.cuid);
	return body;
}

PvsAccessCall pvs_build_access(PvsMethod method, const PvsParams *params, const char *image[2])
{
	image[0] = params->image;
	image[1] = NULL;
	return (PvsAccessCall){
		.method = pvs_method_name(method),
		.cck = params->cck,
		.new_cck = params->new_cck,
		.extension_secret = params->extension_secret,
		.user_sign_key = params->user_sign_key,
		.images = image,
		.image_named = params->image != NULL,
		.name = params->name,
		.derive = params->value_kind == PVS_VALUE_DERIVED,
		.no_verify = params->no_verify,
		.has_cuid = pvs_params_have_cuid(params),
	};
}
