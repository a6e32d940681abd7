/* SPDX-License-Identifier: MIT */
/*
 * config.c - pvsecretd.conf, read once by the monitor
 *
 * A reader of its own: GKeyFile knows no line numbers and takes the last of two lines in silence,
 * and here a line that does not do what it seems to do is a hole in somebody's protection.
 */
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/config-access.h"
#include "daemon/owners.h"
#include "protocol/error.h"
#include "protocol/names.h"

enum {
	FILE_SIZE_MAX = 256 * 1024, /* bytes: far more than every key with the longest path */
	PATH_SIZE_MAX = 4095,	    /* bytes: what open(2) takes */
	SHOWN_MAX = 64,		    /* bytes of a key or section that an error repeats */
	KIB = 1024,
	MIB = 1024 * 1024,
	YEAR = 365 * 24 * 60 * 60, /* seconds */
};

#define ACCESS	 "access"
#define SECTIONS "[daemon], [limits] or [access NAME]"

typedef enum {
	PATH,	/* absolute */
	NUMBER, /* decimal digits */
	SIZE,	/* bytes; K and M are powers of 1024 */
	TIME,	/* seconds; s, min and h */
	SYNC,	/* batch or always: 0 or 1 */
	ISSUER, /* name or akid: 0 or 1 */
} Kind;

typedef struct {
	const char *section;
	const char *key;
	Kind kind;
	gsize offset; /* in PvsConfig */
	guint min, max, number;
	const char *path; /* the default of a path; may be NULL */
} Row;

#define AT(member) G_STRUCT_OFFSET(PvsConfig, member)

/* The upper ends keep within what other parts of the daemon can do: descriptors of the processes,
 * the cap of a message between them, the address space of trust. Depth= has to let a batch of calls
 * with host keys through. */
/* clang-format off */
static const Row rows[] = {
	{"daemon", "RootCA", PATH, AT(root_ca), 0, 0, 0, NULL},
	{"daemon", "TrustDirectory", PATH, AT(trust_directory), 0, 0, 0, PVS_CONFIG_DIR "/trust.d"},
	{"daemon", "CrlDirectory", PATH, AT(crl_directory), 0, 0, 0, PVS_CRL_DIR},
	{"daemon", "CrlMarks", PATH, AT(crl_marks), 0, 0, 0, PVS_CRL_MARKS},
	{"daemon", "HostKeyDirectory", PATH, AT(host_key_directory), 0, 0, 0, PVS_CONFIG_DIR "/hostkeys.d"},
	{"daemon", "ImageDirectory", PATH, AT(image_directory), 0, 0, 0, PVS_CONFIG_DIR "/images.d"},
	{"daemon", "CckDirectory", PATH, AT(cck_directory), 0, 0, 0, PVS_CONFIG_DIR "/cck.d"},
	{"daemon", "ExtensionSecretDirectory", PATH, AT(extension_secret_directory), 0, 0, 0, PVS_CONFIG_DIR "/ext.d"},
	{"daemon", "SignKeyDirectory", PATH, AT(sign_key_directory), 0, 0, 0, PVS_CONFIG_DIR "/sign.d"},
	{"daemon", "AssociationMaster", PATH, AT(association_master), 0, 0, 0, NULL},
	{"daemon", "AuditLog", PATH, AT(audit_log), 0, 0, 0, PVS_AUDIT_LOG},
	{"daemon", "AuditSync", SYNC, AT(audit_always), 0, 1, 0, NULL},
	{"daemon", "HostKeyIssuer", ISSUER, AT(issuer_by_key_id), 0, 1, 0, NULL},
	{"daemon", "IdleExitSec", TIME, AT(idle_exit_sec), 0, YEAR, 0, NULL},
	{"daemon", "MaxHostKeys", NUMBER, AT(max_host_keys), 1, 255, 20, NULL},
	{"limits", "Connections", NUMBER, AT(connections), 1, 16384, 256, NULL},
	{"limits", "ConnectionsPerUser", NUMBER, AT(connections_per_user), 1, 1024, 64, NULL},
	{"limits", "Calls", NUMBER, AT(calls), 1, 4096, 64, NULL},
	{"limits", "CallsPerUser", NUMBER, AT(calls_per_user), 1, 1024, 16, NULL},
	{"limits", "MessageSize", SIZE, AT(message_size), 16 * KIB, 2 * MIB, MIB, NULL},
	{"limits", "Depth", NUMBER, AT(depth), 8, 64, 16, NULL},
	{"limits", "Tokens", NUMBER, AT(tokens), 64, 16384, 4096, NULL},
	{"limits", "BatchSize", NUMBER, AT(batch_size), 1, 1024, 64, NULL},
	{"limits", "ReceiveSec", TIME, AT(receive_sec), 1, 3600, 10, NULL},
	{"limits", "ReplySec", TIME, AT(reply_sec), 1, 3600, 10, NULL},
	{"limits", "IdleSec", TIME, AT(idle_sec), 1, 24 * 3600, 60, NULL},
	{"limits", "CrlSize", SIZE, AT(crl_size), 4 * KIB, 64 * MIB, 8 * MIB, NULL},
	{"limits", "CrlEntries", NUMBER, AT(crl_entries), 1, 1000000, 200000, NULL},
};
/* clang-format on */

static const struct {
	Kind kind;
	const char *suffix;
	guint factor;
} units[] = {
	{NUMBER, "", 1}, {SIZE, "", 1},	 {SIZE, "K", KIB},  {SIZE, "M", MIB},
	{TIME, "", 1},	 {TIME, "s", 1}, {TIME, "min", 60}, {TIME, "h", 3600},
};

static const char *const forms[] = {
	[PATH] = "an absolute path",
	[NUMBER] = "a number in decimal digits",
	[SIZE] = "a number of bytes in decimal digits, with K or M behind it if need be",
	[TIME] = "a number of seconds in decimal digits, or a number followed by s, min or h",
	[SYNC] = "batch or always",
	[ISSUER] = "name or akid",
};

static char **path_at(PvsConfig *config, const Row *row)
{
	return G_STRUCT_MEMBER_P(config, row->offset);
}

static guint *number_at(PvsConfig *config, const Row *row)
{
	return G_STRUCT_MEMBER_P(config, row->offset);
}

static void clear_rule(gpointer rule)
{
	pvs_access_rule_clear(rule);
}

PvsConfig *pvs_config_new(void)
{
	PvsConfig *config = g_new0(PvsConfig, 1);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].kind == PATH)
			*path_at(config, &rows[i]) = g_strdup(rows[i].path);
		else
			*number_at(config, &rows[i]) = rows[i].number;
	config->places = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	config->rules = g_array_new(FALSE, TRUE, sizeof(PvsAccessRule));
	g_array_set_clear_func(config->rules, clear_rule);
	config->warnings = g_ptr_array_new_with_free_func(g_free);
	return config;
}

void pvs_config_free(PvsConfig *config)
{
	if (!config)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].kind == PATH)
			g_free(*path_at(config, &rows[i]));
	g_hash_table_unref(config->places);
	g_array_unref(config->rules);
	g_ptr_array_unref(config->warnings);
	g_free(config);
}

/* One file being read. */
typedef struct {
	PvsConfig *config;
	const char *path;
	GString *errors;		/* of all files; a line for each */
	guint line;			/* from 1 */
	const char *section;		/* as in the table; NULL: none yet, or not a known one */
	gboolean in_unknown;		/* its keys are not judged: the section was */
	guint seen[G_N_ELEMENTS(rows)]; /* line of each key; 0: not yet */
	GHashTable *sections;		/* section -> line */
	PvsAccessRule *rule;		/* of the [access] section that is being read; NULL: none */
	guint rule_line;		/* where it began */
	guint rule_seen[PVS_ACCESS_KEYS]; /* as seen, of this section */
} Reader;

static void complain(Reader *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void complain(Reader *r, const char *format, ...)
{
	va_list args;

	g_string_append_printf(r->errors, "%s%s:", r->errors->len > 0 ? "\n" : "", r->path);
	if (r->line > 0)
		g_string_append_printf(r->errors, "%u:", r->line);
	g_string_append_c(r->errors, ' ');
	va_start(args, format);
	g_string_append_vprintf(r->errors, format, args);
	va_end(args);
}

/* A name for an error: only if it looks like one, since a file that was given by mistake (a key, a
 * password) must not reach the log by way of its errors. */
static char *shown(const char *name)
{
	gsize length = strlen(name);
	gboolean fit = length > 0 && length <= SHOWN_MAX;

	for (const char *c = name; fit && *c; c++)
		fit = g_ascii_isalnum(*c) || strchr("_-. ", *c);
	return fit ? g_strdup_printf(" '%s'", name) : g_strdup("");
}

static gboolean known_section(const char *name, const char **section)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].section, name) == 0) {
			*section = rows[i].section;
			return TRUE;
		}
	return FALSE;
}

static void close_access(Reader *r)
{
	const char *wrong = r->rule ? pvs_config_access_check(r->rule) : NULL;
	g_autofree char *place = g_strdup_printf("%s:%u", r->path, r->rule_line);
	guint line = r->line;

	if (wrong) {
		r->line = r->rule_line;
		complain(r, "%s", wrong);
		r->line = line;
	} else if (r->rule) {
		pvs_config_access_warn(r->rule, place, r->config->warnings);
	}
	r->rule = NULL;
}

/* Rules do not override each other as settings do: two sections of one name, in one file or two,
 * would make a third that nobody wrote. */
static void open_access(Reader *r, const char *name)
{
	g_autofree char *file = g_utf8_make_valid(r->path, -1);
	g_autofree char *place = g_strdup_printf("%s:%u", file, r->line);
	PvsAccessRule rule;

	if (!pvs_key_name_valid(name)) {
		complain(r,
			 "an [access] section has a name of letters, digits and _ . -, at most 64, "
			 "not starting with a sign; write [access NAME]");
		return;
	}
	for (guint i = 0; i < r->config->rules->len; i++) {
		const PvsAccessRule *other = &g_array_index(r->config->rules, PvsAccessRule, i);

		if (strcmp(other->name, name) == 0) {
			complain(r,
				 "section [access %s] stands twice, first in %s; give one of them "
				 "another name, or put their keys into one",
				 name, other->place);
			return;
		}
	}
	if (r->config->rules->len == PVS_RULES_MAX) {
		complain(r, "there are more than %d [access] sections; put users into groups",
			 PVS_RULES_MAX);
		return;
	}
	pvs_config_access_init(&rule, name, place);
	g_array_append_val(r->config->rules, rule);
	r->rule = &g_array_index(r->config->rules, PvsAccessRule, r->config->rules->len - 1);
	r->rule_line = r->line;
	memset(r->rule_seen, 0, sizeof r->rule_seen);
	r->in_unknown = FALSE;
}

static void open_section(Reader *r, char *text)
{
	gsize length = strlen(text);
	g_autofree char *name = NULL;
	guint before;

	close_access(r);
	r->section = NULL;
	r->in_unknown = TRUE;
	if (text[length - 1] != ']') {
		complain(r, "a section's line must end with ]; write " SECTIONS ", with a comment "
			    "on a line of its own");
		return;
	}
	name = g_strndup(text + 1, length - 2);
	if (strncmp(name, ACCESS, strlen(ACCESS)) == 0 &&
	    (!name[strlen(ACCESS)] || g_ascii_isspace(name[strlen(ACCESS)]))) {
		open_access(r, g_strstrip(name + strlen(ACCESS)));
		return;
	}
	if (!known_section(name, &r->section)) {
		g_autofree char *quoted = shown(name);

		complain(r, "unknown section%s; there are " SECTIONS, quoted);
		return;
	}
	r->in_unknown = FALSE;
	before = GPOINTER_TO_UINT(g_hash_table_lookup(r->sections, name));
	if (before > 0)
		complain(r,
			 "section [%s] stands twice in this file, first in line %u; put its keys "
			 "into one",
			 r->section, before);
	else
		g_hash_table_insert(r->sections, g_steal_pointer(&name), GUINT_TO_POINTER(r->line));
}

static void unknown_key(Reader *r, const char *key)
{
	g_autofree char *quoted = shown(key);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (g_ascii_strcasecmp(rows[i].key, key) != 0)
			continue;
		complain(r, "no key of this spelling in [%s]; %s= belongs into [%s]", r->section,
			 rows[i].key, rows[i].section);
		return;
	}
	complain(r, "unknown key%s in [%s]; pvsecretd.conf(5) lists the keys", quoted, r->section);
}

static gsize find_row(const char *section, const char *key)
{
	gsize i = 0;

	while (i < G_N_ELEMENTS(rows) &&
	       (strcmp(rows[i].section, section) != 0 || strcmp(rows[i].key, key) != 0))
		i++;
	return i;
}

static gboolean parse_number(const char *text, Kind kind, guint64 *number)
{
	guint64 value = 0;
	const char *c = text;

	/* Ten digits are more than every range here, and fewer than overflow. */
	for (; g_ascii_isdigit(*c) && c - text <= 10; c++)
		value = value * 10 + (guint64)(*c - '0');
	if (c == text)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
		if (units[i].kind == kind && strcmp(units[i].suffix, c) == 0) {
			*number = value * units[i].factor;
			return TRUE;
		}
	return FALSE;
}

static gboolean path_is_plain(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (const char *c = path; *c; c++)
		if (g_ascii_iscntrl(*c))
			return FALSE;
	for (char **part = parts; *part; part++)
		if (strcmp(*part, "..") == 0)
			return FALSE;
	return path[0] == '/' && strlen(path) <= PATH_SIZE_MAX;
}

static void set_path(Reader *r, const Row *row, const char *value)
{
	char **path = path_at(r->config, row);

	if (!path_is_plain(value)) {
		complain(r,
			 "%s= takes %s without .. and control characters, of at most %d bytes; "
			 "write it as it stands, without quotation marks",
			 row->key, forms[row->kind], PATH_SIZE_MAX);
		return;
	}
	g_free(*path);
	*path = g_strdup(value);
	g_hash_table_replace(r->config->places, (gpointer)(gintptr)row->key,
			     g_strdup_printf("%s:%u", r->path, r->line));
}

static void set_number(Reader *r, const Row *row, const char *value)
{
	guint64 number;

	if (!parse_number(value, row->kind, &number))
		complain(r, "%s= takes %s; write nothing else behind it", row->key,
			 forms[row->kind]);
	else if (number < row->min || number > row->max)
		complain(r, "%s= is out of range; choose from %u to %u%s", row->key, row->min,
			 row->max,
			 row->kind == SIZE   ? " bytes"
			 : row->kind == TIME ? " seconds"
					     : "");
	else
		*number_at(r->config, row) = (guint)number;
}

/* A word of two: the number is which. */
static void set_word(Reader *r, const Row *row, const char *value)
{
	static const char *const words[][2] = {
		[SYNC] = {"batch", "always"},
		[ISSUER] = {"name", "akid"},
	};

	if (strcmp(value, words[row->kind][0]) != 0 && strcmp(value, words[row->kind][1]) != 0)
		complain(r, "%s= takes %s; write nothing else behind it", row->key,
			 forms[row->kind]);
	else
		*number_at(r->config, row) = strcmp(value, words[row->kind][1]) == 0;
}

static void set_access_key(Reader *r, const char *key, const char *value)
{
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *wrong = NULL;
	int i = pvs_config_access_key(key);

	if (i < 0) {
		g_autofree char *quoted = shown(key);

		complain(r, "unknown key%s in [access %s]; pvsecretd.conf(5) lists the keys",
			 quoted, r->rule->name);
		return;
	}
	if (r->rule_seen[i] > 0) {
		complain(r,
			 "%s= stands twice in this section, first in line %u; keep one of the two",
			 key, r->rule_seen[i]);
		return;
	}
	r->rule_seen[i] = r->line;
	if (!*value)
		complain(r, "%s= has no value; give one, or leave the line out", key);
	else if (!pvs_config_access_set(r->rule, i, value, warnings, &wrong))
		complain(r, "%s", wrong);
	for (guint w = 0; w < warnings->len; w++)
		g_ptr_array_add(r->config->warnings,
				g_strdup_printf("%s:%u: %s", r->path, r->line,
						(const char *)warnings->pdata[w]));
}

static void set_key(Reader *r, char *text)
{
	char *equals = strchr(text, '=');
	const char *value;
	gsize i;

	if (!equals) {
		complain(r, "neither a section, nor Key=value, nor a comment; write one of these");
		return;
	}
	if (!r->section && !r->rule) {
		if (!r->in_unknown)
			complain(r, "a key stands before the first section; put " SECTIONS
				    " before it");
		return;
	}
	*equals = '\0';
	g_strchomp(text);
	value = g_strchug(equals + 1);
	if (r->rule) {
		set_access_key(r, text, value);
		return;
	}
	i = find_row(r->section, text);
	if (i == G_N_ELEMENTS(rows)) {
		unknown_key(r, text);
		return;
	}
	if (r->seen[i] > 0) {
		complain(r, "%s= stands twice in this file, first in line %u; keep one of the two",
			 rows[i].key, r->seen[i]);
		return;
	}
	r->seen[i] = r->line;
	if (!*value)
		complain(r, "%s= has no value; give one, or leave the line out for the default",
			 rows[i].key);
	else if (rows[i].kind == PATH)
		set_path(r, &rows[i], value);
	else if (rows[i].kind == SYNC || rows[i].kind == ISSUER)
		set_word(r, &rows[i], value);
	else
		set_number(r, &rows[i], value);
}

static void read_line(Reader *r, char *text)
{
	g_strstrip(text);
	if (!*text || *text == '#' || *text == ';')
		return;
	if (g_str_has_suffix(text, "\\"))
		complain(r, "a line cannot go on in the next one; write it as one line");
	else if (*text == '[')
		open_section(r, text);
	else
		set_key(r, text);
}

static void read_text(Reader *r, char *text, gsize size)
{
	g_auto(GStrv) lines = NULL;

	if (memchr(text, '\0', size) || !g_utf8_validate(text, (gssize)size, NULL)) {
		complain(r, "the file is not text in UTF-8; write it anew with an editor");
		return;
	}
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		r->line++;
		read_line(r, *line);
	}
	close_access(r);
	r->line = 0;
}

/* The whole file, with a zero byte behind it. What cannot be a configuration is not waited for: a
 * FIFO would stop the daemon, a device fill its memory. */
static char *slurp(Reader *r, gsize *size)
{
	g_autofree char *text = g_malloc(FILE_SIZE_MAX + 2);
	g_autofree char *wrong = NULL;
	int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;

	if (fd < 0) {
		complain(r,
			 "cannot be opened: %s; the file must exist and be readable for the "
			 "daemon's user",
			 g_strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		complain(r, "not a regular file; put the configuration into one, or remove it");
		return NULL;
	}
	wrong = pvs_owners_wrong(&st, r->path);
	if (wrong)
		complain(r, "%s", wrong);
	*size = 0;
	do {
		n = read(fd, text + *size, FILE_SIZE_MAX + 1 - *size);
		if (n > 0)
			*size += (gsize)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	if (n < 0) {
		complain(r, "cannot be read: %s; see to the file system", g_strerror(errno));
		return NULL;
	}
	if (*size > FILE_SIZE_MAX) {
		complain(r, "larger than %d bytes; this is not a configuration", FILE_SIZE_MAX);
		return NULL;
	}
	text[*size] = '\0';
	return g_steal_pointer(&text);
}

static void read_file(PvsConfig *config, const char *path, GString *errors)
{
	g_autoptr(GHashTable) sections =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Reader r = {.config = config, .path = path, .errors = errors, .sections = sections};
	gsize size;
	g_autofree char *text = slurp(&r, &size);

	if (text)
		read_text(&r, text, size);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As with systemd: a file of this name that came from elsewhere shall not count. */
static gboolean is_masked(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static void judge_directory(const char *path, GString *errors)
{
	Reader r = {.path = path, .errors = errors};
	g_autofree char *wrong = NULL;
	struct stat st;

	if (stat(path, &st) == 0)
		wrong = pvs_owners_wrong(&st, path);
	if (wrong)
		complain(&r, "%s", wrong);
}

static void read_directory(PvsConfig *config, const char *path, GString *errors)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	if (!dir) {
		Reader r = {.path = path, .errors = errors};

		if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			complain(&r, "cannot be opened as a directory; it must be readable for the "
				     "daemon's user, or not be there");
		return;
	}
	judge_directory(path, errors);
	/* Editors leave .#NAME.conf behind. */
	while ((name = g_dir_read_name(dir)))
		if (name[0] != '.' && g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(names, g_build_filename(path, name, NULL));
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		if (!is_masked(names->pdata[i]))
			read_file(config, names->pdata[i], errors);
}

/* They go to trust and the vault in one message. */
static void check_rules(const PvsConfig *config, const char *path, GString *errors)
{
	Reader r = {.path = path, .errors = errors};
	g_auto(PvsWriter) w = pvs_writer();

	for (guint i = 0; i < config->rules->len; i++)
		pvs_body_put(&w, pvs_access_rule_fields,
			     &g_array_index(config->rules, PvsAccessRule, i));
	if (w.size > PVS_RULES_SIZE_MAX)
		complain(&r,
			 "the [access] sections are too large together (more than %d bytes); say "
			 "it with fewer patterns and users",
			 PVS_RULES_SIZE_MAX);
	else if (config->rules->len == 0 && errors->len == 0)
		g_ptr_array_add(
			config->warnings,
			g_strdup_printf("%s: there is no [access] section, so nobody may do "
					"anything; pvsecretd.conf(5) has examples",
					path));
}

PvsConfig *pvs_config_read(const char *path, GError **error)
{
	g_autoptr(PvsConfig) config = pvs_config_new();
	g_autoptr(GString) errors = g_string_new(NULL);
	g_autofree char *directory = g_strconcat(path, ".d", NULL);

	read_file(config, path, errors);
	read_directory(config, directory, errors);
	check_rules(config, path, errors);
	if (errors->len > 0) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, errors->str);
		return NULL;
	}
	return g_steal_pointer(&config);
}
