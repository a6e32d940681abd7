/* SPDX-License-Identifier: MIT */
/*
 * config-paths.c - what the paths in pvsecretd.conf lead to
 *
 * Those who read the files say what is wrong with each. Here it is known which setting, in which
 * line, led there; and that is what has to be corrected where it leads to the wrong thing.
 */
#include "daemon/config-paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/owners.h"
#include "protocol/error.h"

typedef enum {
	DIRECTORY,
	OTHERS_DIRECTORY, /* not the owner's: what is in there is not believed by its place */
	REGULAR_FILE,
	KEY_FILE, /* whose owner and mode are judged with those of all keys */
} Kind;

static const struct {
	const char *key;
	gsize offset; /* in PvsConfig */
	Kind kind;
} paths[] = {
	{"RootCA", offsetof(PvsConfig, root_ca), REGULAR_FILE},
	{"TrustDirectory", offsetof(PvsConfig, trust_directory), DIRECTORY},
	{"CrlDirectory", offsetof(PvsConfig, crl_directory), OTHERS_DIRECTORY},
	{"HostKeyDirectory", offsetof(PvsConfig, host_key_directory), DIRECTORY},
	{"ImageDirectory", offsetof(PvsConfig, image_directory), DIRECTORY},
	{"CckDirectory", offsetof(PvsConfig, cck_directory), DIRECTORY},
	{"ExtensionSecretDirectory", offsetof(PvsConfig, extension_secret_directory), DIRECTORY},
	{"SignKeyDirectory", offsetof(PvsConfig, sign_key_directory), DIRECTORY},
	{"AssociationMaster", offsetof(PvsConfig, association_master), KEY_FILE},
};

static gboolean is_directory(Kind kind)
{
	return kind == DIRECTORY || kind == OTHERS_DIRECTORY;
}

static void add_error(GString *errors, const char *where, const char *text)
{
	g_string_append_printf(errors, "%s%s: %s", errors->len > 0 ? "\n" : "", where, text);
}

/* What the line at @place names is not there. */
static void missing(PvsConfig *config, gsize i, const char *place, const char *path,
		    GString *errors)
{
	/* As in many other formats, and the most likely cause. */
	const char *comment = strstr(path, " #") || strstr(path, " ;")
				      ? " (a comment stands on a line of its own)"
				      : "";
	g_autofree char *text = NULL;

	if (!is_directory(paths[i].kind)) {
		text = g_strdup_printf("%s= names %s, and there is no such file; correct the "
				       "path%s, or put the file there",
				       paths[i].key, path, comment);
		add_error(errors, place, text);
		return;
	}
	g_ptr_array_add(config->warnings,
			g_strdup_printf("%s: %s= names %s, and there is no such directory: it "
					"counts as empty; correct the path%s, or make the "
					"directory and restart the daemon",
					place, paths[i].key, path, comment));
}

static void check(PvsConfig *config, gsize i, GString *errors)
{
	const char *path = *(char *const *)G_STRUCT_MEMBER_P(config, paths[i].offset);
	const char *place = g_hash_table_lookup(config->places, paths[i].key);
	g_autofree char *text = NULL;
	struct stat st;

	if (!path)
		return;
	if (stat(path, &st) < 0) {
		if (place && (errno == ENOENT || errno == ENOTDIR))
			missing(config, i, place, path, errors);
		return;
	}
	if (is_directory(paths[i].kind) ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode)) {
		text = g_strdup_printf("%s= names %s, which is not a %s; correct the path",
				       paths[i].key, path,
				       is_directory(paths[i].kind) ? "directory" : "regular file");
		add_error(errors, place ? place : path, text);
		return;
	}
	if (paths[i].kind == OTHERS_DIRECTORY || paths[i].kind == KEY_FILE)
		return;
	text = pvs_owners_wrong(&st, path);
	if (text)
		add_error(errors, path, text);
}

gboolean pvs_config_paths_check(PvsConfig *config, GError **error)
{
	g_autoptr(GString) errors = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
		check(config, i, errors);
	if (errors->len > 0)
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, errors->str);
	return errors->len == 0;
}
