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

/* Each option that the command takes is in its help and its page, and no other. */
static void check_help(const PvsCommand *const *path, guint depth, gpointer user)
{
	g_autofree char *help = help_of(path, depth);
	g_autofree char *page = surroundings_page(path, depth);

	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];
		gboolean shown = pvs_option_shown(option, path, depth);
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

/* What the completion offers for a command line, in order. */
static char *complete(const char *const *words, const char *shell)
{
	g_autofree char *script = source("client/completion/pvsecretctl.bash");
	g_autoptr(GString) line = g_string_new(NULL);
	g_autofree char *out = NULL;
	const char *argv[] = {shell, "-c", NULL, NULL};
	guint n = 0;

	g_string_append_printf(line, "source %s; COMP_WORDS=(", script);
	for (; words[n]; n++) {
		g_autofree char *quoted = g_shell_quote(words[n]);

		g_string_append_printf(line, "%s ", quoted);
	}
	g_string_append_printf(line, "); COMP_CWORD=%u; _pvsecretctl; echo \"${COMPREPLY[*]}\"",
			       n - 1);
	argv[2] = line->str;
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
				   NULL, NULL, NULL));
	g_strchomp(out);
	return g_steal_pointer(&out);
}

static void test_bash(void)
{
	static const struct {
		const char *words[9];
		const char *offered;
	} rows[] = {
		{{"pvsecretctl", "cr"}, "create"},
		{{"pvsecretctl", "create", "a"}, "association"},
		{{"pvsecretctl", "create", "-k", "x", "--cck", "create", "ret"},
		 "retrievable retr"},
		{{"pvsecretctl", "create", "retr", "--ty"}, "--type"},
		{{"pvsecretctl", "create", "retr", "--type", "aes"}, "aes aes-xts"},
		{{"pvsecretctl", "create", "retr", "--type", "=", "hm"}, "hmac-sha"},
		{{"pvsecretctl", "create", "association", "--ty"}, ""},
		{{"pvsecretctl", "create", "meta", "--flags", ""}, "disable-dump"},
		{{"pvsecretctl", "verify", "--u"}, "--user-cert"},
		{{"pvsecretctl", "create", "meta", "--cck", ""}, ""},
		{{"pvsecretctl", "help", "st"}, "status"},
		{{"pvsecretctl", "help", "create", "me"}, "meta"},
		/* A name is no file, and neither is what is not taken at all. */
		{{"pvsecretctl", "create", "association", "M"}, ""},
		{{"pvsecretctl", "ping", "M"}, ""},
		{{"pvsecretctl", "describe", "/proc/versio"}, "/proc/version"},
		{{"pvsecretctl", "create", "meta", "--hdr", "/proc/uptim"}, "/proc/uptime"},
		{{"pvsecretctl", "ping", "--json", "=", "s"}, "short"},
		{{"pvsecretctl", "ping", "--json", "="}, "pretty short off"},
		{{"pvsecretctl", "ping", "--json", "s"}, ""},
		/* Hidden ones are not offered. */
		{{"pvsecretctl", "create", "meta", "--pc"}, ""},
		{{"pvsecretctl", "create", "association", "--output"}, "--output"},
	};
	g_autofree char *bash = g_find_program_in_path("bash");

	if (!bash) {
		g_test_skip("there is no bash");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *offered = complete(rows[i].words, bash);

		g_assert_cmpstr(offered, ==, rows[i].offered);
	}
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
	offered = complete(words, bash);
	each = g_strsplit(offered, " ", -1);
	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];
		g_autofree char *word = g_strdup_printf("--%s", option->name);
		gboolean shown = option->group != PVS_GROUP_HIDDEN && (option->scopes & scopes);

		g_assert_cmpint(g_strv_contains((const char *const *)each, word), ==, shown);
		if (shown)
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
	g_autofree char *script = source("client/completion/_pvsecretctl");
	g_autofree char *zsh = g_find_program_in_path("zsh");
	const char *argv[] = {"zsh", "-n", script, NULL};
	int status = -1;

	if (!zsh) {
		g_test_skip("there is no zsh");
		return;
	}
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
				   NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
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
