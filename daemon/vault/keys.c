/* SPDX-License-Identifier: MIT */
/*
 * keys.c - the keys of 32 bytes that the vault holds, by name
 */
#include "daemon/vault/keys.h"

#include <string.h>

#include "daemon/vault/key-files.h"
#include "daemon/vault/request.h"

typedef struct {
	PvsKey key; /* first: what the others see of it */
	char *name;
	PvsSecret *secret;
} Entry;

struct PvsKeys {
	GPtrArray *entries; /* of Entry, sorted by name once all are loaded */
};

static const PvsKeyKind ccks = {"CCK",		 "a CCK",      "cck_",
				"CckDirectory=", PVS_KEY_SIZE, PVS_KEYS_MAX};
static const PvsKeyKind extension_secrets = {
	"extension secret",	     "an extension secret", "ext_",
	"ExtensionSecretDirectory=", PVS_KEY_SIZE,	    PVS_KEYS_MAX};
static const PvsKeyKind master = {
	"master", "a master", "assoc_master", "AssociationMaster=", PVS_KEY_SIZE, 1};

static void entry_free(gpointer data)
{
	Entry *entry = data;

	pvs_secret_free(entry->secret);
	g_free(entry->name);
	g_free(entry);
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
	const Entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static gboolean add(gpointer user, PvsKeyFile *file, GPtrArray *lines G_GNUC_UNUSED,
		    GError **error G_GNUC_UNUSED)
{
	PvsKeys *keys = user;
	Entry *entry = g_new0(Entry, 1);

	entry->name = g_strdup(file->name);
	entry->secret = g_steal_pointer(&file->content);
	entry->key = (PvsKey){.name = entry->name, .secret = entry->secret};
	g_ptr_array_add(keys->entries, entry);
	return TRUE;
}

static PvsKeys *load(const PvsKeyKind *kind, const char *directory, const char *credentials,
		     GError **error)
{
	g_autoptr(PvsKeys) keys = g_new0(PvsKeys, 1);

	keys->entries = g_ptr_array_new_with_free_func(entry_free);
	if (!pvs_key_files_read(kind, directory, credentials, add, keys, error))
		return NULL;
	g_ptr_array_sort(keys->entries, compare_entries);
	return g_steal_pointer(&keys);
}

PvsKeys *pvs_keys_load(const char *directory, const char *credentials, GError **error)
{
	g_autoptr(PvsKeys) keys = load(&ccks, directory, credentials, error);

	for (guint i = 0; keys && i < keys->entries->len; i++) {
		Entry *entry = g_ptr_array_index(keys->entries, i);

		if (!pvs_request_check_value(entry->secret, entry->key.check_value, error))
			return NULL;
	}
	return g_steal_pointer(&keys);
}

PvsKeys *pvs_keys_load_extension_secrets(const char *directory, const char *credentials,
					 GError **error)
{
	return load(&extension_secrets, directory, credentials, error);
}

gboolean pvs_keys_load_master(const char *path, const char *credentials, PvsSecret **secret,
			      GError **error)
{
	return pvs_key_files_read_one(&master, path, credentials, secret, error);
}

void pvs_keys_free(PvsKeys *keys)
{
	if (!keys)
		return;
	g_ptr_array_unref(keys->entries);
	g_free(keys);
}

const PvsKey *pvs_keys_find(const PvsKeys *keys, const char *name)
{
	for (guint i = 0; i < keys->entries->len; i++) {
		const Entry *entry = g_ptr_array_index(keys->entries, i);

		if (strcmp(entry->name, name) == 0)
			return &entry->key;
	}
	return NULL;
}

guint pvs_keys_size(const PvsKeys *keys)
{
	return keys->entries->len;
}

const PvsKey *pvs_keys_nth(const PvsKeys *keys, guint i)
{
	const Entry *entry;

	g_assert(i < keys->entries->len);
	entry = g_ptr_array_index(keys->entries, i);
	return &entry->key;
}
