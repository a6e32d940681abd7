/* SPDX-License-Identifier: MIT */
/*
 * test-surroundings.c - completion, --help and manual pages say what the tables of commands and
 * options say
 *
 * PVS_WRITE_SURROUNDINGS=1 PVS_SRC_DIR=. tests/unit/test-surroundings writes the files anew.
 */
#include <string.h>

#include "tests/unit/surroundings.h"

static char *source(const char *path)
{
	const char *top = g_getenv("PVS_SRC_DIR");

	g_assert_nonnull(top);
	return g_build_filename(top, path, NULL);
}

static void compare(const char *path, const char *text)
{
	g_autofree char *whole = source(path);
	g_autofree char *there = NULL;

	if (g_getenv("PVS_WRITE_SURROUNDINGS")) {
		g_assert_true(g_file_set_contents(whole, text, -1, NULL));
		return;
	}
	if (!g_file_get_contents(whole, &there, NULL, NULL))
		g_error("%s is missing", whole);
	if (strcmp(there, text) != 0)
		g_error("%s is not what the tables say; see the top of test-surroundings.c", whole);
}

static void compare_page(const PvsCommand *const *path, guint depth, gpointer user G_GNUC_UNUSED)
{
	g_autofree char *words = pvs_command_words(path, depth);
	g_autofree char *file = g_strdup_printf("man/%s.1", g_strdelimit(words, " ", '-'));
	g_autofree char *text = surroundings_page(path, depth);

	compare(file, text);
}

static void test_pages(void)
{
	surroundings_commands(compare_page, NULL);
}

static void test_completions(void)
{
	g_autofree char *bash = surroundings_bash();
	g_autofree char *zsh = surroundings_zsh();

	compare("client/completion/pvsecretctl.bash", bash);
	compare("client/completion/_pvsecretctl", zsh);
}

static char *help_of(const PvsCommand *const *path, guint depth)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	pvs_help_print(file, path, depth);
	(void)fclose(file);
	return text;
}

/* Has any row of this name it? */
static gboolean is_option_of(const char *name, guint scopes)
{
	for (guint i = 0; i < pvs_n_options; i++)
		if (strcmp(pvs_options[i].name, name) == 0 &&
		    pvs_options[i].group != PVS_GROUP_HIDDEN && (pvs_options[i].scopes & scopes))
			return TRUE;
	return FALSE;
}

/* Does any row of this name stand in the help of this command? */
static gboolean is_shown(const char *name, const PvsCommand *const *path, guint depth)
{
	for (guint i = 0; i < pvs_n_options; i++)
		if (strcmp(pvs_options[i].name, name) == 0 &&
		    pvs_option_shown(&pvs_options[i], path, depth))
			return TRUE;
	return FALSE;
}

/* Each option that the command takes is in its help and its page, and no other. */
static void check_help(const PvsCommand *const *path, guint depth, gpointer user)
{
	g_autofree char *help = help_of(path, depth);
	g_autofree char *page = surroundings_page(path, depth);

	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];
		gboolean shown = is_shown(option->name, path, depth);
		g_autoptr(GRegex) in_help = NULL, in_page = NULL;
		g_autofree char *help_line =
			g_strdup_printf("(?m)^  .{4}--%s([\\[= ]|$)", option->name);
		g_autofree char *page_line =
			g_strdup_printf("(?m)^\\.It.* Fl -%s( |$)", option->name);

		in_help = g_regex_new(help_line, 0, 0, NULL);
		in_page = g_regex_new(page_line, 0, 0, NULL);
		if (g_regex_match(in_help, help, 0, NULL) != shown ||
		    g_regex_match(in_page, page, 0, NULL) != shown)
			g_error("%s: --%s", path[depth - 1]->name, option->name);
	}
	++*(guint *)user;
}

static void test_help(void)
{
	guint n = 0;

	surroundings_commands(check_help, &n);
	g_assert_cmpuint(n, >=, 12);
}

/* What a shell is told to do with the words of a command line, the last of which is completed; the
 * offer is in one line. */
static char *complete(const char *const *words, const char *shell, const char *before,
		      const char *behind)
{
	g_autoptr(GString) line = g_string_new(before);
	g_autofree char *out = NULL;
	const char *argv[] = {shell, "-c", NULL, NULL};
	guint n = 0;

	for (; words[n]; n++) {
		g_autofree char *quoted = g_shell_quote(words[n]);

		g_string_append_printf(line, "%s ", quoted);
	}
	g_string_append_printf(line, "); n=%u; %s", n, behind);
	argv[2] = line->str;
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
				   NULL, NULL, NULL));
	g_strchomp(out);
	return g_steal_pointer(&out);
}

/* What bash offers, or FILES. */
static char *complete_bash(const char *const *words, const char *shell)
{
	g_autofree char *script = source("client/completion/pvsecretctl.bash");
	g_autofree char *before =
		g_strdup_printf("source %s; compopt() { echo FILES; exit; }; COMP_WORDS=(", script);

	return complete(words, shell, before,
			"COMP_CWORD=$((n - 1)); _pvsecretctl; echo \"${COMPREPLY[*]}\"");
}

/* What zsh offers, or FILES. Its functions for that are those of an interactive shell: others stand
 * in their place here, which say what they were asked for. */
static char *complete_zsh(const char *const *words, const char *shell)
{
	g_autofree char *script = source("client/completion/_pvsecretctl");
	g_autofree char *behind =
		g_strdup_printf("CURRENT=$n; found=(); "
				"compadd() { shift; local w; for w; do "
				"[[ $w == ${cur#--*=}* ]] && found+=($w); done }; "
				"compset() { }; _message() { }; _files() { found=(FILES) }; "
				"source %s; print -r -- $found",
				script);

	return complete(words, shell, "words=(", behind);
}

static const struct {
	const char *words[9];
	const char *offered;
} offers[] = {
	{{"pvsecretctl", "cr"}, "create"},
	{{"pvsecretctl", "create", "a"}, "association"},
	{{"pvsecretctl", "create", "-k", "x", "--cck", "create", "ret"}, "retrievable retr"},
	{{"pvsecretctl", "create", "retr", "--ty"}, "--type"},
	{{"pvsecretctl", "create", "retr", "--type", "aes"}, "aes aes-xts"},
	{{"pvsecretctl", "create", "association", "--ty"}, ""},
	{{"pvsecretctl", "create", "meta", "--flags", ""}, "disable-dump"},
	{{"pvsecretctl", "verify", "--u"}, "--user-cert"},
	{{"pvsecretctl", "verify", ""}, "FILES"},
	{{"pvsecretctl", "create", "meta", "--cck", ""}, ""},
	{{"pvsecretctl", "create", "meta", "--user-data", ""}, "FILES"},
	/* Once, though it has two rows; and a file of one, but a name of the other. */
	{{"pvsecretctl", "create", "--sec"}, "--secret"},
	{{"pvsecretctl", "create", "retr", "--secret", ""}, "FILES"},
	{{"pvsecretctl", "create", "retrievable", "--secret", ""}, "FILES"},
	{{"pvsecretctl", "create", "update-cck", "--secret", ""}, ""},
	{{"pvsecretctl", "create", "cck", "--secret", ""}, ""},
	{{"pvsecretctl", "help", "st"}, "status"},
	{{"pvsecretctl", "help", "create", "me"}, "meta"},
	/* A name is no file, and neither is what is not taken at all. */
	{{"pvsecretctl", "create", "association", "M"}, ""},
	{{"pvsecretctl", "ping", "M"}, ""},
	{{"pvsecretctl", "describe", "M"}, "FILES"},
	{{"pvsecretctl", "ping", "--json", "s"}, ""},
	/* Hidden ones are not offered. */
	{{"pvsecretctl", "create", "meta", "--pc"}, ""},
	{{"pvsecretctl", "create", "association", "--output"}, "--output"},
};

static void check_offers(const char *program,
			 char *(*complete_in)(const char *const *words, const char *shell))
{
	g_autofree char *shell = g_find_program_in_path(program);

	if (!shell) {
		g_test_skip("there is no such shell");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(offers); i++) {
		g_autofree char *offered = complete_in(offers[i].words, shell);

		if (strcmp(offered, offers[i].offered) != 0) {
			g_autofree char *line = g_strjoinv(" ", (char **)offers[i].words);

			g_error("%s: %s: \"%s\", not \"%s\"", program, line, offered,
				offers[i].offered);
		}
	}
}

/* An option and its value with "=": three words to bash, one to zsh. */
static void test_bash(void)
{
	static const char *const words[] = {"pvsecretctl", "create", "retr", "--type",
					    "=",	   "hm",     NULL};
	g_autofree char *bash = g_find_program_in_path("bash");
	g_autofree char *offered = NULL;

	check_offers("bash", complete_bash);
	if (!bash)
		return;
	offered = complete_bash(words, bash);
	g_assert_cmpstr(offered, ==, "hmac-sha");
}

/* Every option, long and short, for every command: as the parser takes them. */
static void check_offered(const PvsCommand *const *path, guint depth, gpointer bash)
{
	const char *words[PVS_COMMAND_DEPTH + 2] = {NULL};
	g_autofree char *offered = NULL;
	g_auto(GStrv) each = NULL;
	guint scopes = surroundings_scopes(path, depth), n = 0;

	for (guint i = 0; i < depth; i++)
		words[i] = path[i]->name;
	words[depth] = "-";
	offered = complete_bash(words, bash);
	each = g_strsplit(offered, " ", -1);
	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];
		g_autofree char *word = g_strdup_printf("--%s", option->name);
		gboolean shown = is_option_of(option->name, scopes);
		guint before = 0;

		g_assert_cmpint(g_strv_contains((const char *const *)each, word), ==, shown);
		while (strcmp(pvs_options[before].name, option->name) != 0)
			before++;
		/* Once, however many rows it has. */
		if (shown && before == i)
			n += 1 + (option->letter != 0) + (option->alias != NULL);
	}
	g_assert_cmpuint(g_strv_length(each), ==, n);
}

static void test_offered(void)
{
	g_autofree char *bash = g_find_program_in_path("bash");

	if (!bash) {
		g_test_skip("there is no bash");
		return;
	}
	surroundings_commands(check_offered, bash);
}

static void test_zsh(void)
{
	static const char *const words[] = {"pvsecretctl", "create", "retr", "--type=hm", NULL};
	g_autofree char *zsh = g_find_program_in_path("zsh");
	g_autofree char *offered = NULL;

	check_offers("zsh", complete_zsh);
	if (!zsh)
		return;
	offered = complete_zsh(words, zsh);
	g_assert_cmpstr(offered, ==, "hmac-sha");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/surroundings/pages", test_pages);
	g_test_add_func("/surroundings/completions", test_completions);
	g_test_add_func("/surroundings/help", test_help);
	g_test_add_func("/surroundings/bash", test_bash);
	g_test_add_func("/surroundings/offered", test_offered);
	g_test_add_func("/surroundings/zsh", test_zsh);
	return g_test_run();
}
