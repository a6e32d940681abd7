/* SPDX-License-Identifier: MIT */
/*
 * names.c - when a name of X.509 is that of a host-key signing key
 */
#include "daemon/trust/names.h"

#include <string.h>

#include <openssl/err.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_NAME, X509_NAME_free)

/* Where IBM was, and where it is. */
static const char *const places[] = {"Poughkeepsie", "Armonk"};

/* The text of an entry; NULL for one in an encoding that no authority may use any more, or with a
 * NUL in it. */
static char *text_of(const X509_NAME_ENTRY *entry)
{
	const ASN1_STRING *data = X509_NAME_ENTRY_get_data(entry);
	int type = ASN1_STRING_type(data);
	g_autofree char *text = NULL;
	guint8 *utf8;
	int size;

	if (type != V_ASN1_PRINTABLESTRING && type != V_ASN1_UTF8STRING)
		return NULL;
	size = ASN1_STRING_to_UTF8(&utf8, data);
	if (size < 0)
		return NULL;
	text = g_strndup((const char *)utf8, (gsize)size);
	OPENSSL_free(utf8);
	return strlen(text) == (gsize)size ? g_steal_pointer(&text) : NULL;
}

static gboolean is_place(const char *text)
{
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		if (g_strcmp0(text, places[i]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean is_service(const char *text)
{
	return text && g_str_has_suffix(text, "Key Signing Service");
}

gboolean pvs_name_is_signing_key(const X509_NAME *name)
{
	static const struct {
		int nid;
		const char *value; /* or: */
		gboolean (*fits)(const char *text);
	} wanted[] = {
		{NID_countryName, "US", NULL},
		{NID_stateOrProvinceName, "New York", NULL},
		{NID_localityName, NULL, is_place},
		{NID_organizationName, "International Business Machines Corporation", NULL},
		{NID_commonName, "International Business Machines Corporation", NULL},
		{NID_organizationalUnitName, NULL, is_service},
	};

	/* As many entries as rows, and one for each row: so each is there once. */
	if (X509_NAME_entry_count(name) != (int)G_N_ELEMENTS(wanted))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
		int at = X509_NAME_get_index_by_NID((X509_NAME *)name, wanted[i].nid, -1);
		g_autofree char *text = at >= 0 ? text_of(X509_NAME_get_entry(name, at)) : NULL;

		if (wanted[i].fits ? !wanted[i].fits(text) : g_strcmp0(text, wanted[i].value) != 0)
			return FALSE;
	}
	return TRUE;
}

static int by_type(gconstpointer a, gconstpointer b)
{
	return OBJ_cmp(X509_NAME_ENTRY_get_object(*(X509_NAME_ENTRY *const *)a),
		       X509_NAME_ENTRY_get_object(*(X509_NAME_ENTRY *const *)b));
}

static gboolean add(X509_NAME *name, const X509_NAME_ENTRY *entry, guint quirks)
{
	if ((quirks & PVS_NAME_PLACE) &&
	    OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == NID_localityName) {
		g_autofree char *text = text_of(entry);

		if (is_place(text))
			return X509_NAME_add_entry_by_NID(name, NID_localityName, V_ASN1_UTF8STRING,
							  (const guint8 *)places[0], -1, -1,
							  0) == 1;
	}
	return X509_NAME_add_entry(name, entry, -1, 0) == 1;
}

/* @name without what the quirks allow to differ: one place for both, entries by their type. */
static X509_NAME *settled(const X509_NAME *name, guint quirks)
{
	g_autoptr(X509_NAME) copy = X509_NAME_new();
	g_autoptr(GPtrArray) entries = g_ptr_array_new();
	int n = X509_NAME_entry_count(name);

	for (int i = 0; i < n; i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		/* Several types in one part (C=US+ST=New York) would be taken apart below. */
		if (X509_NAME_ENTRY_set(entry) != i)
			return NULL;
		g_ptr_array_add(entries, entry);
	}
	if (quirks & PVS_NAME_ORDER)
		g_ptr_array_sort(entries, by_type);
	for (guint i = 0; copy && i < entries->len; i++)
		if (!add(copy, entries->pdata[i], quirks))
			return NULL;
	return g_steal_pointer(&copy);
}

gboolean pvs_name_means(const X509_NAME *name, const X509_NAME *subject, guint quirks)
{
	g_autoptr(X509_NAME) one = NULL, other = NULL;

	if (X509_NAME_cmp(name, subject) == 0)
		return TRUE;
	if (!quirks || X509_NAME_entry_count(name) != X509_NAME_entry_count(subject) ||
	    !pvs_name_is_signing_key(subject))
		return FALSE;
	one = settled(name, quirks);
	other = settled(subject, quirks);
	ERR_clear_error();
	return one && other && X509_NAME_cmp(one, other) == 0;
}
