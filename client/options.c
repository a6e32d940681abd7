/* SPDX-License-Identifier: MIT */
/*
 * options.c - the options, and how a command line is read
 *
 * Not getopt_long(3): options stand before and after the words of a command, several of a table
 * that all commands share, and a doubled option or a value that looks like an option shall be an
 * error (as with pvsecret), not taken in silence.
 */
#include <stddef.h>
#include <string.h>

#include "client/command.h"
#include "client/failure.h"

#define AT(member) offsetof(PvsArguments, member)

const PvsOption pvs_options[] = {
	{'k', "host-key-document", NULL, "FILE|NAME", PVS_OPTION_LIST, AT(host_keys),
	 PVS_SCOPE_CREATE, PVS_GROUP_TARGET,
	 "Host-key document of a machine that shall be able to use the request: a file, or, where "
	 "there is no such file, the name of a document that is installed in the daemon. May be "
	 "repeated, or name several with commas between."},
	{0, "hdr", NULL, "FILE|NAME", PVS_OPTION_TEXT, AT(hdr), PVS_SCOPE_CREATE, PVS_GROUP_TARGET,
	 "SE header of the guest's image, or the image itself, of which only the header is read "
	 "(not from a pipe); or, where there is no such file, the name of a header that is "
	 "installed in the daemon."},
	{0, "cck", NULL, "NAME", PVS_OPTION_TEXT, AT(cck), PVS_SCOPE_CREATE, PVS_GROUP_TARGET,
	 "Derive the extension secret from the customer communication key that the daemon holds "
	 "under this name."},
	{0, "extension-secret", NULL, "NAME", PVS_OPTION_TEXT, AT(extension_secret),
	 PVS_SCOPE_CREATE, PVS_GROUP_TARGET,
	 "Use the extension secret that the daemon holds under this name. Not together with "
	 "--cck."},
	{0, "cuid-hex", NULL, "HEX", PVS_OPTION_TEXT, AT(cuid), PVS_SCOPE_CREATE, PVS_GROUP_TARGET,
	 "Bind the request to the one running guest with this configuration unique id: 32 "
	 "hexadecimal digits, with or without 0x before them."},
	{0, "cuid", NULL, "FILE", PVS_OPTION_TEXT, AT(cuid_file), PVS_SCOPE_CREATE,
	 PVS_GROUP_TARGET,
	 "The same, from a file: 16 bytes, or YAML with an entry cuid, as pvattest writes it."},
	{0, "pcf", NULL, "HEX", PVS_OPTION_TEXT, AT(pcf), PVS_SCOPE_CREATE, PVS_GROUP_HIDDEN,
	 "All 64 flags of the request as hexadecimal digits; nobody checks what they mean."},
	{0, "flags", NULL, "disable-dump", PVS_OPTION_LIST, AT(flags), PVS_SCOPE_CREATE,
	 PVS_GROUP_TARGET,
	 "disable-dump: no host-initiated dumps of the guest from then on. May be repeated."},
	{'C', "cert", "crt", "FILE", PVS_OPTION_LIST, AT(certs),
	 PVS_SCOPE_CREATE | PVS_SCOPE_HOST_KEY_VERIFY, PVS_GROUP_TRUST,
	 "Certificate that the daemon may use as a link between its root CA and its signing keys. "
	 "Not needed where the daemon has it. May be repeated, or name several."},
	{0, "crl", NULL, "FILE", PVS_OPTION_LIST, AT(crls),
	 PVS_SCOPE_CREATE | PVS_SCOPE_HOST_KEY_VERIFY, PVS_GROUP_TRUST,
	 "Certificate revocation list that the daemon does not have. May be repeated, or name "
	 "several."},
	{0, "offline", NULL, NULL, PVS_OPTION_FLAG, AT(offline), PVS_SCOPE_CREATE, PVS_GROUP_TRUST,
	 "Accepted, and does nothing: nothing is ever downloaded."},
	{0, "root-ca", NULL, "FILE", PVS_OPTION_TEXT, AT(root_ca), PVS_SCOPE_CREATE,
	 PVS_GROUP_TRUST,
	 "Make sure that this is a root CA that the daemon trusts; else nothing is done. Roots are "
	 "for the daemon's owner to choose: RootCA= in pvsecretd.conf(5)."},
	{0, "no-verify", NULL, NULL, PVS_OPTION_FLAG, AT(no_verify), PVS_SCOPE_CREATE,
	 PVS_GROUP_TRUST,
	 "Do not verify the host-key documents. Whoever made them can read the secret. Only where "
	 "the daemon's rules allow it."},
	{0, "input-secret", NULL, "FILE", PVS_OPTION_TEXT, AT(input_secret), PVS_SCOPE_ASSOCIATION,
	 PVS_GROUP_SECRET,
	 "Use the 32 bytes of FILE as the secret (\"-\" is a file of this name). Without it the "
	 "daemon draws a random one, which "
	 "nobody ever sees outside the guest."},
	{0, "derive", NULL, NULL, PVS_OPTION_FLAG, AT(derive), PVS_SCOPE_ASSOCIATION,
	 PVS_GROUP_SECRET,
	 "Have the secret derived from the daemon's master and NAME: the same name gives the same "
	 "secret again, for the next image and on another machine with this master, and nobody "
	 "ever holds it in a file. Only for images that are installed in the daemon and names that "
	 "its rules allow: who could have it put into an image of his own would have it."},
	{0, "output-secret", NULL, "FILE", PVS_OPTION_TEXT, AT(output_secret),
	 PVS_SCOPE_ASSOCIATION, PVS_GROUP_HIDDEN,
	 "Refused: no secret leaves the daemon. See --derive and --input-secret."},
	{0, "secret", NULL, "FILE", PVS_OPTION_TEXT, AT(secret), PVS_SCOPE_RETRIEVABLE,
	 PVS_GROUP_SECRET, "The file with the value of the retrievable secret."},
	{0, "secret", NULL, "NAME", PVS_OPTION_TEXT, AT(secret), PVS_SCOPE_UPDATE_CCK,
	 PVS_GROUP_SECRET, "The name under which the daemon holds the new CCK."},
	{0, "type", NULL, "plain|aes|aes-xts|hmac-sha|ec", PVS_OPTION_TEXT, AT(type),
	 PVS_SCOPE_RETRIEVABLE, PVS_GROUP_SECRET,
	 "What the value is. plain: up to 8190 bytes; aes: 16, 24 or 32; aes-xts: 32 or 64; "
	 "hmac-sha: 64 or 128; ec: a private key in PEM or DER, on secp256r1, secp384r1 or "
	 "secp521r1, or of Ed25519 or Ed448."},
	{0, "use-name", NULL, NULL, PVS_OPTION_FLAG, AT(use_name), PVS_SCOPE_CREATE,
	 PVS_GROUP_SECRET,
	 "Take the name itself, at most 31 bytes, for the secret's id, not its hash. Has no "
	 "meaning where there is no name."},
	{0, "user-data", NULL, "FILE", PVS_OPTION_TEXT, AT(user_data), PVS_SCOPE_CREATE,
	 PVS_GROUP_USER_DATA,
	 "Put the contents of FILE into the request, in the clear: up to 512 bytes, signed up to "
	 "256 (EC, RSA 2048) or 128 (RSA 3072)."},
	{0, "user-sign-key", NULL, "NAME", PVS_OPTION_TEXT, AT(user_sign_key), PVS_SCOPE_CREATE,
	 PVS_GROUP_USER_DATA,
	 "Sign the request with the key that the daemon holds under this name."},
	{0, "policy", NULL, "FILE", PVS_OPTION_TEXT, AT(policy), PVS_SCOPE_CREATE,
	 PVS_GROUP_USER_DATA,
	 "Put a reference to the policy FILE into the user data: its SHA-256 and its path as "
	 "given. Not together with user data or a signing key."},
	{0, "toc-policy", NULL, "FILE", PVS_OPTION_TEXT, AT(toc_policy), PVS_SCOPE_CREATE,
	 PVS_GROUP_USER_DATA, "Append the request's tag to FILE, as a line of hexadecimal digits."},
	{'i', "input", NULL, "FILE", PVS_OPTION_TEXT, AT(input),
	 PVS_SCOPE_VERIFY | PVS_SCOPE_DESCRIBE, PVS_GROUP_INPUT,
	 "The request, as an option (\"-\": from standard input)."},
	{0, "user-cert", NULL, "FILE", PVS_OPTION_TEXT, AT(user_cert), PVS_SCOPE_VERIFY,
	 PVS_GROUP_INPUT,
	 "Certificate, PEM or DER, of the key that signed the user data. Whether it is to be "
	 "trusted is for you to know."},
	{'o', "output", NULL, "FILE", PVS_OPTION_TEXT, AT(request), PVS_SCOPE_CREATE,
	 PVS_GROUP_OUTPUT,
	 "Write the request to FILE (\"-\": to standard output); NAME.yaml goes to the same "
	 "directory. A file that is there is replaced and keeps its mode; what is no regular file, "
	 "or may not be written to, is refused."},
	{'o', "output", NULL, "FILE", PVS_OPTION_TEXT, AT(request), PVS_SCOPE_VERIFY,
	 PVS_GROUP_OUTPUT,
	 "Write the user data to FILE (\"-\": to standard output), where the request has any."},
	{0, "stdout", NULL, NULL, PVS_OPTION_FLAG, AT(to_stdout),
	 PVS_SCOPE_ASSOCIATION | PVS_SCOPE_RETRIEVABLE, PVS_GROUP_OUTPUT,
	 "Write the secret info to standard output instead of NAME.yaml. Needed where NAME cannot "
	 "name a file: where it is empty, \".\" or \"..\", has \"/\" or a control character in it, "
	 "is too long, or would name the request's own file."},
	{'f', "force", NULL, NULL, PVS_OPTION_FLAG, AT(force), PVS_SCOPE_CREATE, PVS_GROUP_GENERAL,
	 "Make the request even where this is a Secure Execution guest itself."},
	{0, "warn-days", NULL, "N", PVS_OPTION_TEXT, AT(warn_days),
	 PVS_SCOPE_HOST_KEY_VERIFY | PVS_SCOPE_HOST_KEY_LIST | PVS_SCOPE_TRUST_LIST,
	 PVS_GROUP_GENERAL,
	 "Exit with 5 where all is good, but something expires in less than N days; with 1 where "
	 "something has, or is not good."},
	{0, "socket", NULL, "PATH", PVS_OPTION_TEXT, AT(socket_path), PVS_SCOPE_ALL,
	 PVS_GROUP_GENERAL, "Ask the daemon that listens at PATH."},
	{'j', "json", NULL, "pretty|short|off", PVS_OPTION_JSON, AT(output.json), PVS_SCOPE_ALL,
	 PVS_GROUP_GENERAL,
	 "Write the daemon's result or error to standard output as JSON; by default pretty on a "
	 "terminal and short elsewhere."},
	{'q', "quiet", NULL, NULL, PVS_OPTION_FLAG, AT(output.quiet), PVS_SCOPE_ALL,
	 PVS_GROUP_GENERAL, "Say nothing of what went well."},
	{'v', "verbose", NULL, NULL, PVS_OPTION_COUNT, AT(output.verbose), PVS_SCOPE_ALL,
	 PVS_GROUP_GENERAL, "Say more, and names in tables in full. May be repeated."},
	{0, "version", NULL, NULL, PVS_OPTION_FLAG, AT(version), PVS_SCOPE_ALL, PVS_GROUP_GENERAL,
	 "Print the version."},
	{'h', "help", NULL, NULL, PVS_OPTION_FLAG, AT(help), PVS_SCOPE_ALL, PVS_GROUP_GENERAL,
	 "Print this text."},
};
const guint pvs_n_options = G_N_ELEMENTS(pvs_options);
G_STATIC_ASSERT(G_N_ELEMENTS(pvs_options) <= 64);

const PvsOptionOther pvs_option_others[] = {
	{"secret", PVS_SCOPE_RETRIEVABLE, "FILE", "The file with the secret's value, see --type."},
	{"secret", PVS_SCOPE_UPDATE_CCK, "NAME",
	 "The name under which the daemon holds the new CCK."},
	{"use-name", PVS_SCOPE_META | PVS_SCOPE_UPDATE_CCK, NULL,
	 "Accepted, and does nothing: there is no name."},
	{NULL, 0, NULL, NULL},
};

typedef struct {
	PvsArguments *out;
	guint64 given;	  /* bit i: row i of pvs_options */
	gboolean help_of; /* the words are those of a command to print help of */
} Parser;

static const PvsCommand *command_of(const PvsArguments *arguments)
{
	return arguments->path[arguments->depth - 1];
}

static gboolean usage(const Parser *parser, GError **error, const char *text)
{
	g_autofree char *words = pvs_command_words(parser->out->path, parser->out->depth);
	g_autofree char *hint = g_strconcat(words, " --help", NULL);

	return pvs_failure(error, PVS_EXIT_USAGE, hint, "%s", text);
}

/* Formats, and frees what it was given: the text of a usage error is used once. */
static gboolean usage_take(const Parser *parser, GError **error, char *text)
{
	gboolean failed = usage(parser, error, text);

	g_free(text);
	return failed;
}

static guint scopes_below(const PvsCommand *command)
{
	guint scopes = command->scope;

	for (const PvsCommand *child = command->children; child && child->name; child++)
		scopes |= scopes_below(child);
	return scopes;
}

/* All scopes that the command may still turn out to have: those on the path and those below. */
static guint scopes_of(const Parser *parser, gboolean below)
{
	guint scopes = 0;

	for (guint i = 0; i < parser->out->depth; i++)
		scopes |= parser->out->path[i]->scope;
	if (below)
		scopes |= scopes_below(command_of(parser->out));
	return scopes;
}

static gboolean is_called(const PvsOption *option, char letter, const char *name, gsize size)
{
	const char *const names[] = {option->name, option->alias};

	if (!name)
		return option->letter == letter;
	for (guint j = 0; j < G_N_ELEMENTS(names); j++)
		if (names[j] && strlen(names[j]) == size && strncmp(names[j], name, size) == 0)
			return TRUE;
	return FALSE;
}

/* By @letter, or by @name where there is one. Of two rows that say what one option is to different
 * commands, the one of a command that this may still be; else the first. */
static const PvsOption *find(const Parser *parser, char letter, const char *name, gsize size)
{
	const PvsOption *first = NULL;

	for (guint i = 0; i < pvs_n_options; i++) {
		if (!is_called(&pvs_options[i], letter, name, size))
			continue;
		if (pvs_options[i].scopes & scopes_of(parser, TRUE))
			return &pvs_options[i];
		if (!first)
			first = &pvs_options[i];
	}
	return first;
}

/* The first row of the same option; and the commands of all of its rows. */
static guint row_of(const PvsOption *option, guint *scopes)
{
	guint first = pvs_n_options;

	*scopes = 0;
	for (guint i = pvs_n_options; i > 0; i--)
		if (pvs_options[i - 1].offset == option->offset) {
			*scopes |= pvs_options[i - 1].scopes;
			first = i - 1;
		}
	return first;
}

/* Of the type that the option's kind says. */
static void *member_at(PvsArguments *arguments, const PvsOption *option)
{
	return (char *)arguments + option->offset;
}

/* A file whose name has a comma is meant as it stands: it could not be named otherwise. */
static void add_to_list(GPtrArray *list, const char *value)
{
	g_auto(GStrv) parts = NULL;

	if (!strchr(value, ',') || g_file_test(value, G_FILE_TEST_EXISTS)) {
		g_ptr_array_add(list, g_strdup(value));
		return;
	}
	parts = g_strsplit(value, ",", -1);
	for (guint i = 0; parts[i]; i++)
		g_ptr_array_add(list, g_strdup(parts[i]));
}

static gboolean has_empty_part(const char *value)
{
	g_assert(value); /* what takes a list takes an argument */
	return (!*value || value[0] == ',' || g_str_has_suffix(value, ",") ||
		strstr(value, ",,")) &&
	       !g_file_test(value, G_FILE_TEST_EXISTS);
}

/* Stores an option that was given as @shown. @value is NULL where there was none. */
static gboolean store(Parser *parser, const PvsOption *option, const char *shown, const char *value,
		      GError **error)
{
	guint scopes;
	guint64 bit = G_GUINT64_CONSTANT(1) << row_of(option, &scopes);
	void *at = member_at(parser->out, option);

	if (option->kind == PVS_OPTION_LIST && has_empty_part(value))
		return usage_take(
			parser, error,
			g_strdup_printf("%s %s: there is nothing before or behind a comma", shown,
					value));
	if (option->kind == PVS_OPTION_TEXT && (parser->given & bit))
		return usage_take(parser, error, g_strdup_printf("%s: is given twice", shown));
	parser->given |= bit;
	switch (option->kind) {
	case PVS_OPTION_FLAG:
		*(gboolean *)at = TRUE;
		return TRUE;
	case PVS_OPTION_COUNT:
		++*(guint *)at;
		return TRUE;
	case PVS_OPTION_TEXT:
		*(const char **)at = value;
		return TRUE;
	case PVS_OPTION_LIST:
		if (!*(GPtrArray **)at)
			*(GPtrArray **)at = g_ptr_array_new_with_free_func(g_free);
		add_to_list(*(GPtrArray **)at, value);
		return TRUE;
	case PVS_OPTION_JSON:
		*(PvsJsonMode *)at = PVS_JSON_AUTO;
		if (!value || pvs_output_json_mode(value, at))
			return TRUE;
		return usage_take(parser, error,
				  g_strdup_printf("%s: \"%s\" is not one of pretty, short and off",
						  shown, value));
	}
	g_assert_not_reached();
}

static gboolean takes_value(const PvsOption *option)
{
	return option->kind == PVS_OPTION_TEXT || option->kind == PVS_OPTION_LIST;
}

/* The value that stands behind an option, at argv[*i + 1]. "-" alone is one: standard output. */
static gboolean next_value(Parser *parser, char **argv, int argc, int *i, const PvsOption *option,
			   const char *shown, const char **value, GError **error)
{
	const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;

	if (!next || (next[0] == '-' && next[1]))
		return usage_take(parser, error,
				  g_strdup_printf("%s: the %s behind it is missing", shown,
						  option->argument));
	*value = next;
	++*i;
	return TRUE;
}

static gboolean check_reach(Parser *parser, const PvsOption *option, const char *shown,
			    GError **error)
{
	g_autofree char *words = NULL;

	if (option && (option->scopes & scopes_of(parser, TRUE)))
		return TRUE;
	words = pvs_command_words(parser->out->path, parser->out->depth);
	if (!option)
		return usage_take(parser, error,
				  g_strdup_printf("%s: there is no such option", shown));
	return usage_take(parser, error,
			  g_strdup_printf("%s: is not an option of %s", shown, words));
}

static gboolean parse_long(Parser *parser, char **argv, int argc, int *i, GError **error)
{
	const char *name = argv[*i] + 2;
	const char *equals = strchr(name, '=');
	gsize size = equals ? (gsize)(equals - name) : strlen(name);
	const PvsOption *option = find(parser, 0, name, size);
	g_autofree char *shown = g_strdup_printf("--%.*s", (int)size, name);
	const char *value = equals ? equals + 1 : NULL;

	if (!check_reach(parser, option, shown, error))
		return FALSE;
	if (takes_value(option)) {
		if (!value && !next_value(parser, argv, argc, i, option, shown, &value, error))
			return FALSE;
		if (!value || !*value)
			return usage_take(parser, error,
					  g_strdup_printf("%s: the %s behind it is empty", shown,
							  option->argument));
	} else if (value && option->kind != PVS_OPTION_JSON) {
		return usage_take(parser, error, g_strdup_printf("%s: takes no value", shown));
	}
	return store(parser, option, shown, value, error);
}

/* What stands behind -j in the same word, where it is a mode: "-j=short" or "-jshort". Else they
 * are letters, as in "-jq". NULL: no mode. */
static const char *json_value(const char *behind)
{
	PvsJsonMode mode;

	if (*behind == '=')
		return behind + 1;
	return pvs_output_json_mode(behind, &mode) ? behind : NULL;
}

/* "-vj", "-o FILE", "-oFILE" and, as with pvsecret, "-o=FILE". */
static gboolean parse_short(Parser *parser, char **argv, int argc, int *i, GError **error)
{
	for (const char *letter = argv[*i] + 1; *letter; letter++) {
		/* -V: what pvsecret called -v once, and still takes. */
		const PvsOption *option = find(parser, *letter == 'V' ? 'v' : *letter, NULL, 0);
		gsize bytes = (gsize)(g_utf8_find_next_char(letter, NULL) - letter);
		g_autofree char *shown = g_strdup_printf("-%.*s", (int)bytes, letter);
		const char *value = NULL;

		if (!check_reach(parser, option, shown, error))
			return FALSE;
		if (option->kind == PVS_OPTION_JSON && (value = json_value(letter + 1)))
			return store(parser, option, shown, value, error);
		if (!takes_value(option)) {
			if (!store(parser, option, shown, NULL, error))
				return FALSE;
			continue;
		}
		if (letter[1])
			value = letter + (letter[1] == '=' ? 2 : 1);
		else if (!next_value(parser, argv, argc, i, option, shown, &value, error))
			return FALSE;
		if (!value || !*value)
			return usage_take(parser, error,
					  g_strdup_printf("%s: the %s behind it is empty", shown,
							  option->argument));
		return store(parser, option, shown, value, error);
	}
	return TRUE;
}

static gboolean json_word(const char *word, GError **error)
{
	g_autofree char *hint = g_strconcat("write it with the option: --json=", word, NULL);

	return pvs_failure(error, PVS_EXIT_USAGE, hint, "\"%s\": there is no such command", word);
}

static gboolean parse_word(Parser *parser, const char *word, GError **error)
{
	const PvsCommand *command = command_of(parser->out);
	const PvsCommand *child = pvs_command_child(command, word);
	PvsJsonMode mode;

	if (child && child->scope == PVS_SCOPE_HELP) {
		parser->help_of = TRUE;
		parser->out->help = TRUE;
		return TRUE;
	}
	if (child) {
		parser->out->path[parser->out->depth++] = child;
		return TRUE;
	}
	/* As with another client, where the word behind -j is its argument. */
	if (command->children && parser->out->output.json != PVS_JSON_OFF &&
	    pvs_output_json_mode(word, &mode))
		return json_word(word, error);
	if (command->children)
		return usage_take(parser, error,
				  g_strdup_printf("\"%s\": there is no such command", word));
	if (command->operand && (command->many || !parser->out->operand) && !parser->help_of) {
		if (!parser->out->operand)
			parser->out->operand = word;
		if (!parser->out->operands)
			parser->out->operands = g_ptr_array_new();
		g_ptr_array_add(parser->out->operands, (gpointer)(gintptr)word);
		return TRUE;
	}
	return usage_take(parser, error, g_strdup_printf("\"%s\": is one word too many", word));
}

/* What can be told only now: whether the command is complete and takes all options that were given
 * before it was known. */
static gboolean check_whole(Parser *parser, GError **error)
{
	const PvsCommand *command = command_of(parser->out);
	guint scopes = scopes_of(parser, FALSE);

	for (guint i = 0; i < pvs_n_options; i++) {
		g_autofree char *words = NULL;
		guint all;

		if (!(parser->given >> i & 1))
			continue;
		row_of(&pvs_options[i], &all);
		if (all & scopes)
			continue;
		words = pvs_command_words(parser->out->path, parser->out->depth);
		return usage_take(parser, error,
				  g_strdup_printf("--%s: is not an option of %s",
						  pvs_options[i].name, words));
	}
	if (!command->run)
		return usage(parser, error,
			     command == &pvs_command_root ? "a command is missing"
							  : "the command is not complete");
	if (command->operand && !command->may_lack && !parser->out->operand)
		return usage_take(parser, error,
				  g_strdup_printf("%s is missing", command->operand));
	return TRUE;
}

gboolean pvs_arguments_parse(int argc, char **argv, PvsArguments *arguments, GError **error)
{
	Parser parser = {.out = arguments};
	gboolean words_only = FALSE;

	*arguments = (PvsArguments){.path = {&pvs_command_root}, .depth = 1};
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		gboolean good;

		if (words_only || word[0] != '-' || !word[1]) {
			good = parse_word(&parser, word, error);
		} else if (strcmp(word, "--") == 0) {
			words_only = TRUE;
			good = TRUE;
		} else if (word[1] == '-') {
			good = parse_long(&parser, argv, argc, &i, error);
		} else {
			good = parse_short(&parser, argv, argc, &i, error);
		}
		if (!good)
			return FALSE;
		/* At once: who asks for help need not get the rest right. */
		if ((arguments->help && !parser.help_of) || arguments->version)
			return TRUE;
	}
	return arguments->help || check_whole(&parser, error);
}

void pvs_arguments_clear(PvsArguments *arguments)
{
	g_clear_pointer(&arguments->operands, g_ptr_array_unref);
	for (guint i = 0; i < pvs_n_options; i++)
		if (pvs_options[i].kind == PVS_OPTION_LIST) {
			GPtrArray **list = member_at(arguments, &pvs_options[i]);

			g_clear_pointer(list, g_ptr_array_unref);
		}
}
