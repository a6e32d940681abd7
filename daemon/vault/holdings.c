/* SPDX-License-Identifier: MIT */
/*
 * holdings.c - all that the vault has from the owner's files
 */
#include "daemon/vault/holdings.h"

#include "daemon/log.h"
#include "protocol/error.h"

gboolean pvs_holdings_load(const PvsVaultStart *start, PvsHoldings *holdings, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const char *credentials = start->credentials_directory;
	gint code = PVS_ERROR_CONFIG;
	GError *errors[6] = {NULL};

	holdings->ccks = pvs_keys_load(start->cck_directory, credentials, &errors[0]);
	holdings->extension_secrets = pvs_keys_load_extension_secrets(
		start->extension_secret_directory, credentials, &errors[1]);
	holdings->signers = pvs_signers_load(start->sign_key_directory, credentials, &errors[2]);
	pvs_keys_load_master(start->association_master, credentials, &holdings->master, &errors[3]);
	holdings->look = pvs_look_load(start->trust_directory, &errors[4]);
	holdings->images = pvs_images_load(start->image_directory, &errors[5]);
	for (gsize i = 0; i < G_N_ELEMENTS(errors); i++) {
		if (!errors[i])
			continue;
		if (errors[i]->code != PVS_ERROR_CONFIG)
			code = errors[i]->code;
		g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", errors[i]->message);
		g_clear_error(&errors[i]);
	}
	if (text->len == 0)
		return TRUE;
	g_set_error_literal(error, PVS_ERROR, code, text->str);
	return FALSE;
}

static void warn_of_zeros(const char *what, const char *name, const PvsSecret *secret)
{
	guint8 bits = 0;

	for (gsize i = 0; i < secret->size; i++)
		bits |= secret->bytes[i];
	if (bits == 0)
		pvs_warning("the %s %s is all zeros, which everybody can guess; make another one: "
			    "head -c 32 /dev/urandom",
			    what, name);
}

static void warn_of_zero_keys(const char *what, const PvsKeys *keys)
{
	for (guint i = 0; i < pvs_keys_size(keys); i++)
		warn_of_zeros(what, pvs_keys_nth(keys, i)->name, pvs_keys_nth(keys, i)->secret);
}

void pvs_holdings_warn(const PvsHoldings *holdings)
{
	warn_of_zero_keys("CCK", holdings->ccks);
	warn_of_zero_keys("extension secret", holdings->extension_secrets);
	if (holdings->master)
		warn_of_zeros("master", "assoc_master", holdings->master);
}
