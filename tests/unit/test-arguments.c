/* SPDX-License-Identifier: MIT */
/*
 * test-arguments.c - the command line and the help, which come from the same tables
 */
#include <string.h>

#include "client/command.h"
#include "client/failure.h"

/* Reads a command line; it stands in the shell's quoting. */
static gboolean parse(const char *line, PvsArguments *arguments, GError **error)
{
	/* The strings in the arguments are argv's: kept until the program ends. */
	static GPtrArray *kept;
	char **argv = NULL;
	int argc = 0;
	gboolean good = g_shell_parse_argv(line, &argc, &argv, NULL);

	g_assert_true(good);
	if (!kept)
		kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	g_ptr_array_add(kept, argv);
	return pvs_arguments_parse(argc, argv, arguments, error);
}

static void assert_list(const GPtrArray *list, const char *expected)
{
	g_autoptr(GString) joined = g_string_new(NULL);

	for (guint i = 0; list && i < list->len; i++)
		g_string_append_printf(joined, "%s%s", i ? " " : "",
				       (const char *)g_ptr_array_index(list, i));
	g_assert_cmpstr(joined->str, ==, expected);
}

static const char *command_name(const PvsArguments *arguments)
{
	return arguments->path[arguments->depth - 1]->name;
}

/* The line of IBM's documentation, with another program's name. */
static void test_documented_line(void)
{
	g_auto(PvsArguments) a = {.depth = 0};
	g_autoptr(GError) error = NULL;

	parse("pvsecretctl create association -k z16.crt --hdr se.hdr -o addSecretReqCCK "
	      "-C DigiCertCA.crt -C ibm-sign.crt --cck cck \"myConfidentialSecret\"",
	      &a, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(command_name(&a), ==, "association");
	g_assert_cmpstr(a.operand, ==, "myConfidentialSecret");
	assert_list(a.host_keys, "z16.crt");
	assert_list(a.certs, "DigiCertCA.crt ibm-sign.crt");
	g_assert_null(a.crls);
	g_assert_cmpstr(a.hdr, ==, "se.hdr");
	g_assert_cmpstr(a.request, ==, "addSecretReqCCK");
	g_assert_cmpstr(a.cck, ==, "cck");
	g_assert_false(a.to_stdout);
	g_assert_null(a.socket_path);
}

/* The same, said otherwise. */
static void test_same_in_other_words(void)
{
	static const char *const lines[] = {
		"pvsecretctl create association NAME -k a -k b --hdr h -o r --stdout --socket s -v",
		"pvsecretctl create -k a -k b --hdr h -o r --stdout --socket s -v association NAME",
		"pvsecretctl --socket s -v create --stdout -o r -k a association --hdr h NAME -k b",
		"pvsecretctl -v --socket=s create -k a,b association --hdr=h --output=r --stdout "
		"NAME",
		"pvsecretctl create --host-key-document a,b association -vor --hdr h --socket s "
		"--stdout NAME",
		"pvsecretctl create -ka -k=b -o=r association --hdr h --socket s --stdout -v -- "
		"NAME",
		"pvsecretctl -k a -k b create association -o r --hdr h --socket s --stdout "
		"--verbose "
		"NAME",
		"pvsecretctl -V create association NAME -ka -kb -o r --hdr h "
		"--socket s --stdout",
		"pvsecretctl -- create association NAME",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_auto(PvsArguments) a = {.depth = 0};
		g_autoptr(GError) error = NULL;

		parse(lines[i], &a, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(command_name(&a), ==, "association");
		g_assert_cmpstr(a.operand, ==, "NAME");
		if (i + 1 == G_N_ELEMENTS(lines))
			continue;
		assert_list(a.host_keys, "a b");
		g_assert_cmpstr(a.hdr, ==, "h");
		g_assert_cmpstr(a.request, ==, "r");
		g_assert_cmpstr(a.socket_path, ==, "s");
		g_assert_true(a.to_stdout);
		g_assert_cmpuint(a.output.verbose, ==, 1);
	}
}

static void test_all_options(void)
{
	g_auto(PvsArguments) a = {.depth = 0};
	g_autoptr(GError) error = NULL;

	parse("pvsecretctl create association --crt c1 --cert c2,c3 --crl l1 --crl l2 --offline "
	      "--cuid-hex 0x11 --flags disable-dump --input-secret i -qvv -j -o - -- -NAME",
	      &a, &error);
	g_assert_no_error(error);
	assert_list(a.certs, "c1 c2 c3");
	assert_list(a.crls, "l1 l2");
	assert_list(a.flags, "disable-dump");
	g_assert_true(a.offline);
	g_assert_cmpstr(a.cuid, ==, "0x11");
	g_assert_cmpstr(a.input_secret, ==, "i");
	g_assert_true(a.output.quiet);
	g_assert_cmpuint(a.output.verbose, ==, 2);
	g_assert_cmpint(a.output.json, ==, PVS_JSON_AUTO);
	g_assert_cmpstr(a.request, ==, "-");
	g_assert_cmpstr(a.operand, ==, "-NAME");
}

static void test_json(void)
{
	static const struct {
		const char *line;
		PvsJsonMode mode;
	} rows[] = {
		{"pvsecretctl ping", PVS_JSON_OFF},
		{"pvsecretctl -j ping", PVS_JSON_AUTO},
		{"pvsecretctl ping --json", PVS_JSON_AUTO},
		{"pvsecretctl --json ping", PVS_JSON_AUTO},
		{"pvsecretctl ping --json=short", PVS_JSON_SHORT},
		{"pvsecretctl ping -j", PVS_JSON_AUTO},
		{"pvsecretctl -j ping", PVS_JSON_AUTO},
		{"pvsecretctl ping -qj", PVS_JSON_AUTO},
		{"pvsecretctl ping -jq", PVS_JSON_AUTO},
		{"pvsecretctl -j=short ping", PVS_JSON_SHORT},
		{"pvsecretctl ping -jpretty", PVS_JSON_PRETTY},
		{"pvsecretctl ping -vj=off", PVS_JSON_OFF},
		{"pvsecretctl ping --json=pretty", PVS_JSON_PRETTY},
		{"pvsecretctl ping --json=pretty --json=off", PVS_JSON_OFF},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PvsArguments) a = {.depth = 0};

		g_assert_true(parse(rows[i].line, &a, NULL));
		g_assert_cmpint(a.output.json, ==, rows[i].mode);
		g_assert_cmpstr(command_name(&a), ==, "ping");
	}
}

static void test_refused(void)
{
	static const struct {
		const char *line;
		const char *why;
		const char *hint;
	} rows[] = {
		{"pvsecretctl", "a command is missing", "pvsecretctl --help"},
		{"pvsecretctl -v", "a command is missing", "pvsecretctl --help"},
		{"pvsecretctl create", "the command is not complete", "pvsecretctl create --help"},
		{"pvsecretctl host-key", "the command is not complete",
		 "pvsecretctl host-key --help"},
		{"pvsecretctl frobnicate", "\"frobnicate\": there is no such command",
		 "pvsecretctl --help"},
		{"pvsecretctl create frobnicate", "\"frobnicate\": there is no such command",
		 "pvsecretctl create --help"},
		{"pvsecretctl - ping", "\"-\": there is no such command", "pvsecretctl --help"},
		{"pvsecretctl create association", "NAME is missing",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association A B", "\"B\": is one word too many",
		 "pvsecretctl create association --help"},
		{"pvsecretctl ping x", "\"x\": is one word too many", "pvsecretctl ping --help"},
		{"pvsecretctl --frobnicate ping", "--frobnicate: there is no such option",
		 "pvsecretctl --help"},
		{"pvsecretctl -X ping", "-X: there is no such option", "pvsecretctl --help"},
		{"pvsecretctl -v\303\274 ping", "-\303\274: there is no such option",
		 "pvsecretctl --help"},
		{"pvsecretctl ping -k a", "-k: is not an option of pvsecretctl ping",
		 "pvsecretctl ping --help"},
		{"pvsecretctl -k a ping",
		 "--host-key-document: is not an option of pvsecretctl ping",
		 "pvsecretctl ping --help"},
		{"pvsecretctl --stdout status", "--stdout: is not an option of pvsecretctl status",
		 "pvsecretctl status --help"},
		{"pvsecretctl host-key verify f --cck c",
		 "--cck: is not an option of pvsecretctl host-key verify",
		 "pvsecretctl host-key verify --help"},
		/* Of another type's request. */
		{"pvsecretctl create association --type aes N",
		 "--type: is not an option of pvsecretctl create association",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create --derive retr N",
		 "--derive: is not an option of pvsecretctl create retrievable",
		 "pvsecretctl create retrievable --help"},
		{"pvsecretctl create meta N", "\"N\": is one word too many",
		 "pvsecretctl create meta --help"},
		{"pvsecretctl create cck --stdout",
		 "--stdout: is not an option of pvsecretctl create update-cck",
		 "pvsecretctl create update-cck --help"},
		{"pvsecretctl verify r --cck x", "--cck: is not an option of pvsecretctl verify",
		 "pvsecretctl verify --help"},
		/* Values. */
		{"pvsecretctl create association N -o", "-o: the FILE behind it is missing",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association N -o --cck c", "-o: the FILE behind it is missing",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association N --hdr",
		 "--hdr: the FILE|NAME behind it is missing",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association N --hdr=",
		 "--hdr: the FILE|NAME behind it is empty",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association N -o ''", "-o: the FILE behind it is empty",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association N -o a -o b", "-o: is given twice",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association N --cck a --cck=a", "--cck: is given twice",
		 "pvsecretctl create association --help"},
		{"pvsecretctl create association N --stdout=yes", "--stdout: takes no value",
		 "pvsecretctl create association --help"},
		{"pvsecretctl -j short ping", "\"short\": there is no such command",
		 "write it with the option: --json=short"},
		{"pvsecretctl ping -j=colour", "-j: \"colour\" is not one of pretty, short and off",
		 "pvsecretctl ping --help"},
		{"pvsecretctl ping -j=", "-j: \"\" is not one of pretty, short and off",
		 "pvsecretctl ping --help"},
		{"pvsecretctl create meta -k z16.crt,",
		 "-k z16.crt,: there is nothing before or behind a comma",
		 "pvsecretctl create meta --help"},
		{"pvsecretctl create meta -k ,z16.crt",
		 "-k ,z16.crt: there is nothing before or behind a comma",
		 "pvsecretctl create meta --help"},
		{"pvsecretctl create meta -C a,,b",
		 "-C a,,b: there is nothing before or behind a comma",
		 "pvsecretctl create meta --help"},
		{"pvsecretctl ping --json=colour",
		 "--json: \"colour\" is not one of pretty, short and off",
		 "pvsecretctl ping --help"},
		/* Abbreviations would come to mean something else one day. */
		{"pvsecretctl ping --sock=s", "--sock: there is no such option",
		 "pvsecretctl ping --help"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PvsArguments) a = {.depth = 0};
		g_autoptr(GError) error = NULL;

		g_assert_false(parse(rows[i].line, &a, &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
		g_assert_cmpstr(error->message, ==, rows[i].why);
		g_assert_cmpstr(pvs_failure_hint(error), ==, rows[i].hint);
	}
}

/* Says what an option, which has a row already, is to other commands: it is read alike. */
static gboolean is_further_row(guint i)
{
	const PvsOption *option = &pvs_options[i];

	for (guint k = 0; k < i; k++) {
		const PvsOption *other = &pvs_options[k];

		if (strcmp(other->name, option->name) != 0)
			continue;
		g_assert_true(other->letter == option->letter);
		g_assert_cmpstr(other->alias, ==, option->alias);
		g_assert_cmpuint(other->kind, ==, option->kind);
		g_assert_cmpuint(other->offset, ==, option->offset);
		g_assert_cmpuint(other->scopes & option->scopes, ==, 0);
		return TRUE;
	}
	return FALSE;
}

/* An option that is a file of one command and a name of another, before and behind them. */
static void test_two_rows(void)
{
	static const char *const lines[] = {
		"pvsecretctl create retr --secret s N", "pvsecretctl --secret s create retr N",
		"pvsecretctl create cck --secret s",	"pvsecretctl --secret=s create cck",
		"pvsecretctl create --secret s cck",
	};
	static const struct {
		const char *line, *why;
	} refused[] = {
		{"pvsecretctl create cck --secret s --secret s", "--secret: is given twice"},
		{"pvsecretctl --secret s create cck --secret s", "--secret: is given twice"},
		{"pvsecretctl create retr --secret s N --secret s", "--secret: is given twice"},
		{"pvsecretctl --secret s create association N",
		 "--secret: is not an option of pvsecretctl create association"},
		{"pvsecretctl create meta --secret s",
		 "--secret: is not an option of pvsecretctl create meta"},
		{"pvsecretctl create cck --secret", "--secret: the NAME behind it is missing"},
		{"pvsecretctl create retr --secret", "--secret: the FILE behind it is missing"},
		{"pvsecretctl -o f status", "--output: is not an option of pvsecretctl status"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_auto(PvsArguments) a = {.depth = 0};
		g_autoptr(GError) error = NULL;

		parse(lines[i], &a, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(a.secret, ==, "s");
	}
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_auto(PvsArguments) a = {.depth = 0};
		g_autoptr(GError) error = NULL;

		g_assert_false(parse(refused[i].line, &a, &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
		g_assert_cmpstr(error->message, ==, refused[i].why);
	}
}

/* An option's letter and names mean one thing wherever it stands, since it may stand before the
 * command. */
static void test_table(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];

		g_assert_cmpuint(option->scopes, !=, 0);
		if (is_further_row(i))
			continue;
		if (option->letter)
			g_assert_true(
				g_hash_table_add(seen, g_strdup_printf("%c", option->letter)));
		g_assert_true(g_hash_table_add(seen, g_strdup(option->name)));
		if (option->alias)
			g_assert_true(g_hash_table_add(seen, g_strdup(option->alias)));
		g_assert_true((option->argument == NULL) == (option->kind == PVS_OPTION_FLAG ||
							     option->kind == PVS_OPTION_COUNT));
	}
}

static char *help_of(const PvsArguments *arguments)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	pvs_help_print(file, arguments->path, arguments->depth);
	(void)fclose(file);
	return text;
}

static void test_help(void)
{
	static const struct {
		const char *line;
		const char *command;
		const char *has;
		const char *has_not;
	} rows[] = {
		{"pvsecretctl --help", "pvsecretctl", "  host-key", "--cck=NAME"},
		{"pvsecretctl -h", "pvsecretctl", "--socket=PATH", "--cck=NAME"},
		{"pvsecretctl help", "pvsecretctl", "  create", "--cck=NAME"},
		{"pvsecretctl create --help", "create", "association NAME", "--frob"},
		{"pvsecretctl help create", "create", "--stdout", "--frob"},
		{"pvsecretctl help create association", "association", "--cck=NAME", "Commands:"},
		/* Whatever else is missing or wrong behind it. */
		{"pvsecretctl create association --help --frob", "association",
		 "-k, --host-key-document=FILE|NAME", "Commands:"},
		{"pvsecretctl create association --version --frob", "association", "", "--frob"},
		{"pvsecretctl host-key verify -h", "verify", "-C, --cert=FILE", "--cck=NAME"},
		{"pvsecretctl ping -h", "ping", "--json[=pretty|short|off]", "--crl"},
		{"pvsecretctl help status", "status", "Shows", "--crl"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PvsArguments) a = {.depth = 0};
		g_autoptr(GError) error = NULL;
		g_autofree char *text = NULL;
		g_auto(GStrv) lines = NULL;

		parse(rows[i].line, &a, &error);
		g_assert_no_error(error);
		g_assert_true(a.help || a.version);
		g_assert_cmpstr(command_name(&a), ==, rows[i].command);
		text = help_of(&a);
		g_assert_true(g_str_has_prefix(text, "Usage: pvsecretctl "));
		g_assert_nonnull(strstr(text, rows[i].has));
		g_assert_null(strstr(text, rows[i].has_not));
		lines = g_strsplit(text, "\n", -1);
		for (guint j = 0; lines[j]; j++) {
			g_assert_cmpuint(strlen(lines[j]), <=, 80);
			g_assert_false(g_str_has_suffix(lines[j], " "));
		}
	}
}

static void test_help_refused(void)
{
	g_auto(PvsArguments) a = {.depth = 0};
	g_autoptr(GError) error = NULL;

	g_assert_false(parse("pvsecretctl help frobnicate", &a, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
	g_clear_error(&error);
	g_assert_false(parse("pvsecretctl help ping x", &a, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/arguments/documented-line", test_documented_line);
	g_test_add_func("/arguments/same-in-other-words", test_same_in_other_words);
	g_test_add_func("/arguments/all-options", test_all_options);
	g_test_add_func("/arguments/json", test_json);
	g_test_add_func("/arguments/refused", test_refused);
	g_test_add_func("/arguments/table", test_table);
	g_test_add_func("/arguments/two-rows", test_two_rows);
	g_test_add_func("/arguments/help", test_help);
	g_test_add_func("/arguments/help-refused", test_help_refused);
	return g_test_run();
}
