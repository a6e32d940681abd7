/* SPDX-License-Identifier: MIT */
/*
 * value.c - the secret itself, by type: what a command line may say of it, and what is sent
 */
#include "client/value.h"

#include <string.h>

#include "client/ec-key.h"
#include "client/failure.h"
#include "client/target.h"
#include "protocol/secret-type.h"

enum { KEY_FILE_MAX = 16384 }; /* bytes of an EC key in PEM with its parameters and comments */

static gboolean is_missing(const PvsArguments *arguments, const char *what, GError **error)
{
	g_autofree char *words = pvs_command_words(arguments->path, arguments->depth);
	g_autofree char *hint = g_strconcat(words, " --help", NULL);

	return pvs_failure(error, PVS_EXIT_USAGE, hint, "%s is missing", what);
}

/* The value goes out as base64; what it was made from is wiped here. */
static void put_value(PvsCall *call, const PvsClientSecret *secret, PvsValue *value,
		      const char *label)
{
	value->base64 = pvs_client_secret_base64(secret);
	pvs_call_open(call, "secret", '{', label);
	pvs_call_secret(call, "value", value->base64, label);
	pvs_call_close(call);
}

gboolean pvs_value_check_association(const PvsArguments *arguments, GError **error)
{
	if (arguments->output_secret)
		return pvs_failure(
			error, PVS_EXIT_USAGE,
			"to have the same secret in another image use --derive: it comes from the "
			"daemon's master and NAME, always the same, and is never in a file; a "
			"secret of your own goes in with --input-secret FILE",
			"--output-secret %s: is refused, since no secret leaves the daemon",
			arguments->output_secret);
	if (arguments->derive && arguments->input_secret)
		return pvs_failure(error, PVS_EXIT_USAGE, "give one of them only",
				   "--derive and --input-secret: each says what the secret is");
	return TRUE;
}

gboolean pvs_value_put_association(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
				   GError **error)
{
	g_autofree char *label = NULL;
	g_autoptr(PvsClientSecret) secret = NULL;

	value->type = "association";
	if (!arguments->input_secret) {
		pvs_call_open(call, "secret", '{', arguments->derive ? "--derive" : NULL);
		pvs_call_true(call, arguments->derive ? "derive" : "random",
			      arguments->derive ? "--derive" : NULL);
		pvs_call_close(call);
		return TRUE;
	}
	label = g_strdup_printf("--input-secret %s", arguments->input_secret);
	secret =
		pvs_client_secret_read(arguments->input_secret, PVS_ASSOCIATION_SIZE, label, error);
	if (!secret)
		return FALSE;
	put_value(call, secret, value, label);
	return TRUE;
}

gboolean pvs_value_check_meta(const PvsArguments *arguments G_GNUC_UNUSED,
			      GError **error G_GNUC_UNUSED)
{
	return TRUE;
}

gboolean pvs_value_put_meta(const PvsArguments *arguments G_GNUC_UNUSED,
			    PvsCall *call G_GNUC_UNUSED, PvsValue *value,
			    GError **error G_GNUC_UNUSED)
{
	value->type = "meta";
	return TRUE;
}

#define SIZES                                                                                     \
	"bytes: plain 0 to 8190; aes 16, 24 or 32; aes-xts 32 or 64; hmac-sha 64 or 128; for ec " \
	"a private key in PEM or DER"

gboolean pvs_value_check_retrievable(const PvsArguments *arguments, GError **error)
{
	if (!arguments->secret)
		return is_missing(arguments, "--secret FILE", error);
	if (!arguments->type)
		return is_missing(arguments, "--type TYPE", error);
	if (!pvs_secret_type_kind(arguments->type))
		return pvs_failure(error, PVS_EXIT_USAGE,
				   "the types are plain, aes, aes-xts, hmac-sha and ec",
				   "--type %s: is not known", arguments->type);
	return TRUE;
}

/* "6 (AES-256-KEY)" */
static char *yaml_kind_of(guint type)
{
	g_autofree char *word = g_ascii_strup(pvs_secret_type_word(type), -1);

	return g_strdup_printf("%u (%s)", type, word);
}

gboolean pvs_value_put_retrievable(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
				   GError **error)
{
	g_autofree char *label = g_strdup_printf("--secret %s", arguments->secret);
	gboolean ec = strcmp(arguments->type, "ec") == 0;
	g_autoptr(PvsClientSecret) secret = pvs_client_secret_load(
		arguments->secret, ec ? KEY_FILE_MAX : PVS_PLAINTEXT_MAX, label, SIZES, error);
	const char *curve = NULL;
	guint16 type;

	if (!secret)
		return FALSE;
	if (ec) {
		PvsClientSecret *scalar = pvs_ec_key_decode(secret, label, &curve, error);

		if (!scalar)
			return FALSE;
		pvs_client_secret_free(secret);
		secret = scalar;
	}
	if (!pvs_secret_type_find(arguments->type, curve, pvs_client_secret_size(secret), &type))
		return pvs_failure(error, PVS_EXIT_FAILED, SIZES,
				   "%s: has %" G_GSIZE_FORMAT " bytes, which --type %s has not",
				   label, pvs_client_secret_size(secret), arguments->type);
	/* As pvsecret takes it, and most likely a mistake. */
	if (pvs_client_secret_size(secret) == 0)
		pvs_output_warning(&arguments->output, "%s: is empty", label);
	value->type = pvs_secret_type_word(type);
	value->yaml_kind = yaml_kind_of(type);
	pvs_call_text(call, "type", arguments->type, "--type");
	if (curve)
		pvs_call_text(call, "curve", curve, label);
	put_value(call, secret, value, label);
	return TRUE;
}

gboolean pvs_value_check_update_cck(const PvsArguments *arguments, GError **error)
{
	if (!arguments->secret)
		return is_missing(arguments, "--secret NAME", error);
	return pvs_target_check_key(arguments->secret, "--secret", "CCK", "cck.d", error);
}

gboolean pvs_value_put_update_cck(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
				  GError **error G_GNUC_UNUSED)
{
	g_autofree char *label = g_strdup_printf("--secret %s", arguments->secret);

	value->type = "update-cck";
	pvs_call_text(call, "new_cck", arguments->secret, label);
	return TRUE;
}
