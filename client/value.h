/* SPDX-License-Identifier: MIT */
/*
 * value.h - the secret itself, by type: what a command line may say of it, and what is sent
 */
#pragma once

#include "client/call.h"
#include "client/command.h"
#include "client/secret.h"

typedef struct {
	const char *type;	 /* what the daemon's result must call it */
	char *yaml_kind;	 /* the kind in the secret info; NULL: none */
	PvsClientSecret *base64; /* what the call points to; NULL: nothing is sent */
} PvsValue;

/* Wipes what was sent. */
static inline void pvs_value_wipe(PvsValue *value)
{
	g_clear_pointer(&value->base64, pvs_client_secret_free);
}

static inline void pvs_value_clear(PvsValue *value)
{
	pvs_value_wipe(value);
	g_clear_pointer(&value->yaml_kind, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsValue, pvs_value_clear)

/* What can be told without reading a file. */
gboolean pvs_value_check_association(const PvsArguments *arguments, GError **error);
gboolean pvs_value_check_meta(const PvsArguments *arguments, GError **error);
gboolean pvs_value_check_retrievable(const PvsArguments *arguments, GError **error);
gboolean pvs_value_check_update_cck(const PvsArguments *arguments, GError **error);

/* Adds the members that say what the secret is; *@value must outlive the call. */
gboolean pvs_value_put_association(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
				   GError **error);
gboolean pvs_value_put_meta(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
			    GError **error);
gboolean pvs_value_put_retrievable(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
				   GError **error);
gboolean pvs_value_put_update_cck(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
				  GError **error);
