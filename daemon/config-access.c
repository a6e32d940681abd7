/* SPDX-License-Identifier: MIT */
/*
 * config-access.c - what stands in an [access NAME] section of pvsecretd.conf
 */
#include "daemon/config-access.h"

#include <errno.h>
#include <string.h>

#include "daemon/accounts.h"
#include "policy/glob.h"
#include "protocol/api.h"

enum {
	ACCOUNT_MAX = 256, /* bytes of a user's or group's name */
	UNMAPPED = 65534,  /* what the kernel calls users of another user namespace */
};

typedef struct Key Key;

struct Key {
	const char *name;
	gsize offset; /* in PvsAccessRule */
	gboolean (*set)(PvsAccessRule *rule, const Key *key, const char *value, GPtrArray *warnings,
			char **wrong);
};

static gboolean G_GNUC_PRINTF(2, 3) fail(char **wrong, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*wrong = g_strdup_vprintf(format, args);
	va_end(args);
	return FALSE;
}

/* The words of a value; at least one, since a key without a value is an error elsewhere. */
static GPtrArray *words_of(const char *value)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) parts = g_strsplit_set(value, " \t", -1);

	for (char **part = parts; *part; part++)
		if (**part)
			g_ptr_array_add(words, g_strdup(*part));
	return words;
}

/* ---- users and groups ---- */

/* Names come from several systems (DOMAIN\user, user@realm): what they may not have is what makes
 * lists and patterns. */
static gboolean is_account(const char *word)
{
	if (strlen(word) > ACCOUNT_MAX)
		return FALSE;
	for (const char *c = word; *c; c++)
		if (!g_ascii_isgraph(*c) || strchr("*?[],:;'\"", *c))
			return FALSE;
	return TRUE;
}

static gboolean is_number(const char *word, guint32 *id)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT32 - 1, &value, NULL))
		return FALSE;
	*id = (guint32)value;
	return TRUE;
}

static gboolean set_ids(PvsAccessRule *rule, const Key *key, const char *value, GPtrArray *warnings,
			char **wrong)
{
	gboolean groups = key->offset == offsetof(PvsAccessRule, groups);
	int (*look_up)(const char *name, guint32 *id) =
		groups ? pvs_accounts_group : pvs_accounts_user;
	PvsList *list = G_STRUCT_MEMBER_P(rule, key->offset);
	g_autoptr(GPtrArray) words = words_of(value);
	PvsId *ids;
	guint n = 0;

	if (words->len > PVS_RULE_IDS_MAX)
		return fail(wrong, "%s= has more than %d names; put the users into a group",
			    key->name, PVS_RULE_IDS_MAX);
	ids = pvs_list_init(list, PvsId, words->len);
	list->n = 0;
	for (guint i = 0; i < words->len; i++) {
		const char *word = words->pdata[i];
		int error = 0;
		guint32 id;

		if (!groups && strcmp(word, "*") == 0) {
			rule->everybody = 1;
			continue;
		}
		if (!is_account(word))
			return fail(wrong,
				    "%s= takes names or numbers with blanks between%s; write each "
				    "out, there are no patterns here",
				    key->name, groups ? "" : ", or * alone for everybody");
		if (!is_number(word, &id))
			error = look_up(word, &id);
		/* Nobody is to lose what he may do because a file cannot be read just now. */
		if (error != 0 && error != ENOENT)
			return fail(
				wrong,
				"%s= names %s, and %s cannot be read: %s; see to that, or write "
				"the number",
				key->name, word, groups ? "/etc/group" : "/etc/passwd",
				g_strerror(error));
		if (error != 0)
			g_ptr_array_add(warnings,
					g_strdup_printf("%s= names %s, and there is no such %s; "
							"correct the name, or restart the daemon "
							"when there is",
							key->name, word,
							groups ? "group" : "user"));
		else if (id == UNMAPPED)
			g_ptr_array_add(warnings,
					g_strdup_printf("%s= names %s, which stands for everybody "
							"who is not known here; nobody is meant by "
							"it",
							key->name, word));
		else
			ids[n++].id = id;
	}
	list->n = n;
	return TRUE;
}

/* ---- patterns ---- */

static gboolean is_key_pattern(const char *word)
{
	if (strlen(word) > PVS_KEY_NAME_MAX)
		return FALSE;
	for (const char *c = word; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("_.-*?", *c))
			return FALSE;
	return TRUE;
}

/* Tidy lists are left in place also where a later word is wrong: rules are freed whole. */
static gboolean set_list(PvsAccessRule *rule, const Key *key, const char *value,
			 gboolean (*good)(const char *word), const char *form, char **wrong)
{
	PvsList *list = G_STRUCT_MEMBER_P(rule, key->offset);
	g_autoptr(GPtrArray) words = words_of(value);
	PvsPattern *patterns;

	if (words->len > PVS_RULE_PATTERNS_MAX)
		return fail(wrong, "%s= has more than %d patterns; say it with fewer", key->name,
			    PVS_RULE_PATTERNS_MAX);
	patterns = pvs_list_init(list, PvsPattern, words->len);
	for (guint i = 0; i < words->len; i++) {
		if (!good(words->pdata[i]))
			return fail(wrong, "%s= takes %s, with blanks between; write it so",
				    key->name, form);
		patterns[i].text = g_strdup(words->pdata[i]);
	}
	return TRUE;
}

static gboolean set_keys(PvsAccessRule *rule, const Key *key, const char *value,
			 GPtrArray *warnings G_GNUC_UNUSED, char **wrong)
{
	return set_list(rule, key, value, is_key_pattern,
			"names as keys have them (letters, digits and _ . -, at most 64), in which "
			"* stands for any characters and ? for one",
			wrong);
}

static gboolean set_images(PvsAccessRule *rule, const Key *key, const char *value,
			   GPtrArray *warnings, char **wrong)
{
	rule->any_image = 0;
	return set_keys(rule, key, value, warnings, wrong);
}

static gboolean is_name_pattern(const char *word)
{
	return strlen(word) <= PVS_SECRET_NAME_MAX;
}

static gboolean set_names(PvsAccessRule *rule, const Key *key, const char *value,
			  GPtrArray *warnings G_GNUC_UNUSED, char **wrong)
{
	return set_list(rule, key, value, is_name_pattern,
			"names of secrets of at most 4096 bytes, in which * stands for any "
			"characters and ? for one",
			wrong);
}

static gboolean is_method(const char *pattern)
{
	for (guint i = 0; i < PVS_METHOD_LAST_; i++)
		if (pvs_glob_match(pattern, pvs_method_name((PvsMethod)i)))
			return TRUE;
	return FALSE;
}

static gboolean set_methods(PvsAccessRule *rule, const Key *key, const char *value,
			    GPtrArray *warnings, char **wrong)
{
	if (!set_list(rule, key, value, is_key_pattern,
		      "names of methods, in which * stands for any characters and ? for one",
		      wrong))
		return FALSE;
	for (guint i = 0; i < rule->methods.n; i++) {
		const char *pattern = pvs_list_nth(rule->methods, PvsPattern, i)->text;

		if (!is_method(pattern))
			g_ptr_array_add(warnings,
					g_strdup_printf("%s= has %s, which no method fits; "
							"pvsecretd-protocol(7) lists the methods",
							key->name, pattern));
	}
	return TRUE;
}

/* ---- yes and no ---- */

static gboolean set_boolean(PvsAccessRule *rule, const Key *key, const char *value,
			    GPtrArray *warnings G_GNUC_UNUSED, char **wrong)
{
	static const struct {
		const char *word;
		guint8 value;
	} words[] = {{"yes", 1}, {"no", 0},  {"true", 1}, {"false", 0},
		     {"on", 1},	 {"off", 0}, {"1", 1},	  {"0", 0}};
	guint8 *member = G_STRUCT_MEMBER_P(rule, key->offset);

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(words[i].word, value) == 0) {
			*member = words[i].value;
			return TRUE;
		}
	return fail(wrong, "%s= takes yes or no; write one of these", key->name);
}

/* ---- the section ---- */

#define AT(member) offsetof(PvsAccessRule, member)

static const Key keys[] = {
	{"Users", AT(users), set_ids},
	{"Groups", AT(groups), set_ids},
	{"Methods", AT(methods), set_methods},
	{"Ccks", AT(ccks), set_keys},
	{"ExtensionSecrets", AT(extension_secrets), set_keys},
	{"SignKeys", AT(sign_keys), set_keys},
	{"Images", AT(images), set_images},
	{"Names", AT(names), set_names},
	{"RequireCuid", AT(require_cuid), set_boolean},
	{"AllowNoVerify", AT(allow_no_verify), set_boolean},
};
G_STATIC_ASSERT(G_N_ELEMENTS(keys) == PVS_ACCESS_KEYS);

void pvs_config_access_init(PvsAccessRule *rule, const char *name, const char *place)
{
	*rule = (PvsAccessRule){
		.name = g_strdup(name),
		.place = g_strdup(place),
		.any_image = 1,
	};
}

int pvs_config_access_key(const char *key)
{
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (strcmp(keys[i].name, key) == 0)
			return (int)i;
	return -1;
}

gboolean pvs_config_access_set(PvsAccessRule *rule, int key, const char *value, GPtrArray *warnings,
			       char **wrong)
{
	return keys[key].set(rule, &keys[key], value, warnings, wrong);
}

/* Methods that always name something, and the list without which nothing may be named. */
static const struct {
	const char *method;
	const char *key;
	gsize offset; /* of the list in PvsAccessRule */
	const char *what;
} needed[] = {
	{"create_association", "Names", AT(names), "names that secrets may have"},
	{"create_retrievable", "Names", AT(names), "names that secrets may have"},
	{"create_update_cck", "Ccks", AT(ccks), "CCKs that may be given to a guest"},
};

static gboolean has_method(const PvsAccessRule *rule, const char *method)
{
	for (guint i = 0; i < rule->methods.n; i++) {
		const char *pattern = pvs_list_nth(rule->methods, PvsPattern, i)->text;

		/* A list that was wrong ends where it was. */
		if (pattern && pvs_glob_match(pattern, method))
			return TRUE;
	}
	return FALSE;
}

void pvs_config_access_warn(const PvsAccessRule *rule, const char *place, GPtrArray *warnings)
{
	const char *said = "";

	for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
		const PvsList *list = G_STRUCT_MEMBER_P(rule, needed[i].offset);

		/* Once for a key, however many methods need it. */
		if (list->n > 0 || strcmp(said, needed[i].key) == 0 ||
		    !has_method(rule, needed[i].method))
			continue;
		said = needed[i].key;
		g_ptr_array_add(warnings,
				g_strdup_printf("%s: Methods= has %s and there is no %s=, so each "
						"such call is refused; add %s= with the %s",
						place, needed[i].method, needed[i].key,
						needed[i].key, needed[i].what));
	}
}

const char *pvs_config_access_check(const PvsAccessRule *rule)
{
	/* A list that was read is there, even where nobody of it is known. */
	if (!rule->everybody && !rule->users.items && !rule->groups.items)
		return "the section is nobody's; say with Users= or Groups= whom it is for";
	return NULL;
}
