/* SPDX-License-Identifier: MIT */
/*
 * target.c - where a secret shall go: the parameters that requests of all types share
 */
#include "client/target.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "client/ask.h"
#include "client/cuid.h"
#include "client/failure.h"
#include "client/input.h"
#include "client/policy.h"
#include "protocol/encoding.h"
#include "protocol/names.h"
#include "protocol/request-layout.h"

static gboolean check_given(const PvsArguments *arguments, GError **error)
{
	const struct {
		gboolean given;
		const char *option;
	} needed[] = {
		{arguments->host_keys != NULL, "-k/--host-key-document FILE|NAME"},
		{arguments->hdr != NULL, "--hdr FILE|NAME"},
		{arguments->request != NULL, "-o/--output FILE"},
	};
	g_autofree char *words = pvs_command_words(arguments->path, arguments->depth);
	g_autofree char *hint = g_strconcat(words, " --help", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
		if (!needed[i].given)
			return pvs_failure(error, PVS_EXIT_USAGE, hint, "%s is missing",
					   needed[i].option);
	return TRUE;
}

/* Options of which each says what the other says, or takes the other's place in the request. */
static gboolean check_alternatives(const PvsArguments *arguments, GError **error)
{
	const struct {
		gboolean first, second;
		const char *names, *why;
	} rows[] = {
		{arguments->cck != NULL, arguments->extension_secret != NULL,
		 "--cck and --extension-secret", "each gives the extension secret"},
		{arguments->cuid != NULL, arguments->cuid_file != NULL, "--cuid-hex and --cuid",
		 "each gives the CUID"},
		{arguments->flags != NULL, arguments->pcf != NULL, "--flags and --pcf",
		 "each gives the flags"},
		{arguments->policy != NULL, arguments->user_data != NULL,
		 "--policy and --user-data",
		 "both need the request's user data; pvsecret drops the policy there and says "
		 "nothing"},
		{arguments->policy != NULL, arguments->user_sign_key != NULL,
		 "--policy and --user-sign-key",
		 "a reference to a policy cannot be signed; pvsecret drops it there and says "
		 "nothing"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].first && rows[i].second)
			return pvs_failure(error, PVS_EXIT_USAGE, "give one of them only", "%s: %s",
					   rows[i].names, rows[i].why);
	return TRUE;
}

gboolean pvs_target_check_key(const char *name, const char *option, const char *kind,
			      const char *directory, GError **error)
{
	g_autofree char *hint = NULL;

	if (!name || pvs_key_name_valid(name))
		return TRUE;
	hint = g_strdup_printf(
		"give the %s's name; the daemon's owner adds one to " PVS_CONFIG_DIR "/%s%s", kind,
		directory,
		strcmp(kind, "CCK") == 0 ? ", and pvsecretctl status lists those that there are"
					 : "");
	return pvs_failure(error, PVS_EXIT_USAGE, hint, "%s %s: %s%s%s", option, name,
			   strchr(name, '/') ? "is a path, and " : "is not the name of a ", kind,
			   strchr(name, '/')
				   ? "s live in the daemon and are named"
				   : " (letters, digits and _ . - only, at most 64, the first a "
				     "letter or a digit)");
}

gboolean pvs_target_check(const PvsArguments *arguments, GError **error)
{
	return check_given(arguments, error) && check_alternatives(arguments, error) &&
	       pvs_target_check_key(arguments->cck, "--cck", "CCK", "cck.d", error) &&
	       pvs_target_check_key(arguments->extension_secret, "--extension-secret",
				    "extension secret", "ext.d", error) &&
	       pvs_target_check_key(arguments->user_sign_key, "--user-sign-key", "user signing key",
				    "sign.d", error);
}

/* An argument that is not the name of a file that is there is a name in the daemon, if it can be
 * one; a directory is no file. What cannot be looked at is one: the error about it says more. */
static gboolean is_name(const char *given)
{
	struct stat st;

	if (!pvs_key_name_valid(given))
		return FALSE;
	return stat(given, &st) == 0 ? S_ISDIR(st.st_mode) : errno == ENOENT;
}

/* A file where there is one, else the name of an installed header. */
static gboolean put_header(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	g_autofree char *label = g_strdup_printf("--hdr %s", arguments->hdr);
	g_autoptr(GBytes) header = NULL;

	if (is_name(arguments->hdr)) {
		g_autofree char *as_name = g_strdup_printf("%s (no file, so a name)", label);

		pvs_call_text(call, "image", arguments->hdr, as_name);
		return TRUE;
	}

	if (!pvs_input_header(arguments->hdr, label, &header, error))
		return FALSE;
	pvs_call_base64(call, "hdr", header, label);
	return TRUE;
}

/* A file where there is one, else the name of an installed document. */
static gboolean put_host_key(PvsCall *call, const char *given, GError **error)
{
	g_autofree char *label = g_strdup_printf("-k %s", given);

	if (!is_name(given)) {
		g_autoptr(GBytes) bytes = pvs_input_read(given, label, error);

		if (!bytes)
			return FALSE;
		pvs_call_open(call, NULL, '{', label);
		pvs_call_document(call, "document", bytes, NULL);
	} else {
		g_autofree char *as_name = g_strdup_printf("%s (no file, so a name)", label);

		pvs_call_open(call, NULL, '{', as_name);
		pvs_call_text(call, "name", given, NULL);
	}
	pvs_call_close(call);
	return TRUE;
}

static gboolean put_host_keys(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	pvs_call_open(call, "host_keys", '[', "-k");
	for (guint i = 0; i < arguments->host_keys->len; i++)
		if (!put_host_key(call, g_ptr_array_index(arguments->host_keys, i), error))
			return FALSE;
	pvs_call_close(call);
	return TRUE;
}

static gboolean hex_of(const PvsArguments *arguments, guint8 bytes[PVS_CUID_SIZE],
		       const char *label, GError **error)
{
	const char *digits = arguments->cuid;

	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		digits += 2;
	if (pvs_hex_decode(digits, bytes, PVS_CUID_SIZE))
		return TRUE;
	return pvs_failure(error, PVS_EXIT_USAGE, "give the 32 digits from the guest's attestation",
			   "%s: is not %d hexadecimal digits, with or without 0x before them",
			   label, 2 * PVS_CUID_SIZE);
}

static gboolean put_cuid(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	guint8 bytes[PVS_CUID_SIZE];
	g_autofree char *label = NULL;
	g_autofree char *hex = NULL;

	if (!arguments->cuid && !arguments->cuid_file)
		return TRUE;
	label = arguments->cuid ? g_strdup_printf("--cuid-hex %s", arguments->cuid)
				: g_strdup_printf("--cuid %s", arguments->cuid_file);
	if (arguments->cuid ? !hex_of(arguments, bytes, label, error)
			    : !pvs_cuid_read(arguments->cuid_file, label, bytes, error))
		return FALSE;
	hex = pvs_hex(bytes, sizeof bytes);
	if (strspn(hex, "0") == strlen(hex))
		pvs_output_warning(&arguments->output,
				   "%s: is all zeros, which binds the request to no guest", label);
	pvs_call_text(call, "cuid", hex, label);
	return TRUE;
}

static gboolean put_flags(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	static const char *const known[] = {"disable-dump", NULL};

	if (!arguments->flags)
		return TRUE;
	pvs_call_open(call, "flags", '[', "--flags");
	for (guint i = 0; i < arguments->flags->len; i++) {
		const char *flag = g_ptr_array_index(arguments->flags, i);
		g_autofree char *label = g_strdup_printf("--flags %s", flag);

		if (!g_strv_contains(known, flag))
			return pvs_failure(error, PVS_EXIT_USAGE, "the known flag is disable-dump",
					   "%s: is not known", label);
		pvs_call_text(call, NULL, flag, label);
	}
	pvs_call_close(call);
	return TRUE;
}

/* All 64 flags at once; as pvsecret, with 0x. */
static gboolean put_pcf(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	const char *digits = arguments->pcf;
	g_autofree char *label = NULL;
	gsize n;

	if (!digits)
		return TRUE;
	label = g_strdup_printf("--pcf %s", digits);
	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		digits += 2;
	n = strspn(digits, "0123456789abcdefABCDEF");
	if (n < 1 || n > 16 || digits[n])
		return pvs_failure(error, PVS_EXIT_USAGE, "give 0x and at most 16 digits",
				   "%s: is not 0x and 1 to 16 hexadecimal digits", label);
	pvs_call_text(call, "pcf", digits, label);
	return TRUE;
}

static gboolean put_user_data(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	g_autofree char *label = NULL;
	g_autoptr(GBytes) bytes = NULL;

	if (arguments->policy) {
		label = g_strdup_printf("--policy %s", arguments->policy);
		bytes = pvs_policy_reference(arguments->policy, label, error);
	} else if (arguments->user_data) {
		label = g_strdup_printf("--user-data %s", arguments->user_data);
		bytes = pvs_input_read_any(arguments->user_data, label, error);
	} else {
		return TRUE;
	}
	if (!bytes)
		return FALSE;
	if (g_bytes_get_size(bytes) > PVS_USER_DATA_SIZE)
		return pvs_failure(
			error, PVS_EXIT_FAILED,
			"user data are at most 512 bytes; signed 256 (EC, RSA 2048) or 128 (RSA "
			"3072)",
			"%s: has %" G_GSIZE_FORMAT " bytes", label, g_bytes_get_size(bytes));
	if (g_bytes_get_size(bytes) == 0)
		pvs_output_warning(&arguments->output, "%s: is empty", label);
	pvs_call_base64(call, "user_data", bytes, label);
	return TRUE;
}

static void put_name(PvsCall *call, const char *member, const char *option, const char *name)
{
	g_autofree char *label = name ? g_strdup_printf("%s %s", option, name) : NULL;

	if (name)
		pvs_call_text(call, member, name, label);
}

gboolean pvs_target_put(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	if (!put_cuid(arguments, call, error) || !put_flags(arguments, call, error) ||
	    !put_pcf(arguments, call, error) || !put_user_data(arguments, call, error))
		return FALSE;
	put_name(call, "user_sign_key", "--user-sign-key", arguments->user_sign_key);
	put_name(call, "cck", "--cck", arguments->cck);
	put_name(call, "extension_secret", "--extension-secret", arguments->extension_secret);
	if (arguments->no_verify)
		pvs_call_true(call, "no_verify", "--no-verify");
	return put_header(arguments, call, error) && put_host_keys(arguments, call, error) &&
	       pvs_ask_documents(call, "certificates", arguments->certs, "-C", error) &&
	       pvs_ask_documents(call, "crls", arguments->crls, "--crl", error);
}
