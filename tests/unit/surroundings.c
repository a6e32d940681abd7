/* SPDX-License-Identifier: MIT */
/*
 * surroundings.c - manual pages and completions, made from the tables of commands and options
 *
 * They are files of the repository, so that building needs nothing of this; a test makes them again
 * and compares.
 */
#include "tests/unit/surroundings.h"

#include <string.h>

typedef void (*Each)(const PvsCommand *const *path, guint depth, gpointer user);

static void walk(const PvsCommand **path, guint depth, Each each, gpointer user)
{
	for (const PvsCommand *c = path[depth - 1]->children; c && c->name; c++) {
		if (c->scope == PVS_SCOPE_HELP)
			continue;
		path[depth] = c;
		each(path, depth + 1, user);
		walk(path, depth + 1, each, user);
	}
}

void surroundings_commands(Each each, gpointer user)
{
	const PvsCommand *path[PVS_COMMAND_DEPTH + 1] = {&pvs_command_root};

	walk(path, 1, each, user);
}

static guint below(const PvsCommand *command)
{
	guint scopes = 0;

	for (const PvsCommand *c = command->children; c && c->name; c++)
		scopes |= c->scope | below(c);
	return scopes;
}

guint surroundings_scopes(const PvsCommand *const *path, guint depth)
{
	guint scopes = below(path[depth - 1]);

	for (guint i = 0; i < depth; i++)
		scopes |= path[i]->scope;
	return scopes;
}

static gboolean is_shown(const PvsOption *option)
{
	return option->group != PVS_GROUP_HIDDEN;
}

/* ---- manual pages ---- */

static void escape(GString *page, const char *text, gsize size)
{
	if (*text == '.' || *text == '\'')
		g_string_append(page, "\\&");
	for (gsize i = 0; i < size; i++)
		if (text[i] == '\\')
			g_string_append(page, "\\e");
		else
			g_string_append_c(page, text[i]);
	g_string_append_c(page, '\n');
}

void surroundings_mdoc(GString *page, const char *text)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		gsize size = end ? (gsize)(end + 1 - text) : strlen(text);

		escape(page, text, size);
		text += size;
		text += strspn(text, " ");
	}
}

static void put_arguments(GString *page, const char *argument)
{
	g_auto(GStrv) words = g_strsplit(argument, "|", -1);
	gboolean literal = g_ascii_islower(argument[0]);

	for (guint i = 0; words[i]; i++)
		g_string_append_printf(page, "%s%s %s", i ? " Ns | Ns " : " ",
				       literal ? "Cm" : "Ar", words[i]);
}

static void put_option(GString *page, const PvsOption *option, guint scopes)
{
	const char *argument = pvs_option_argument(option, scopes);

	g_string_append(page, ".It");
	if (option->letter)
		g_string_append_printf(page, " Fl %c ,", option->letter);
	g_string_append_printf(page, " Fl -%s", option->name);
	if (option->alias)
		g_string_append_printf(page, " , Fl -%s", option->alias);
	if (option->kind == PVS_OPTION_JSON)
		g_string_append(page, " Ns Op = Ns Cm pretty | short | off");
	else if (argument)
		put_arguments(page, argument);
	g_string_append_c(page, '\n');
	surroundings_mdoc(page, pvs_option_help(option, scopes));
}

static void put_options(GString *page, const PvsCommand *const *path, guint depth)
{
	g_string_append(page, ".Sh OPTIONS\n");
	for (guint group = 0; group < PVS_GROUP_HIDDEN; group++) {
		gboolean any = FALSE;

		for (guint i = 0; i < pvs_n_options; i++) {
			const PvsOption *option = &pvs_options[i];

			if ((guint)option->group != group || !pvs_option_shown(option, path, depth))
				continue;
			if (!any)
				g_string_append_printf(page, ".Ss %s\n.Bl -tag -width Ds\n",
						       pvs_help_heading(group));
			any = TRUE;
			put_option(page, option, path[depth - 1]->scope);
		}
		if (any)
			g_string_append(page, ".El\n");
	}
}

static char *page_name(const PvsCommand *const *path, guint depth)
{
	g_autofree char *words = pvs_command_words(path, depth);

	return g_strdelimit(g_steal_pointer(&words), " ", '-');
}

/* Short pages: what each of a group takes stands in its own. */
static void put_children(GString *page, const PvsCommand *const *path, guint depth)
{
	g_autofree char *name = page_name(path, depth);

	g_string_append(page, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
	for (const PvsCommand *c = path[depth - 1]->children; c->name; c++) {
		g_string_append_printf(page, ".It Cm %s", c->name);
		if (c->alias)
			g_string_append_printf(page, " , Cm %s", c->alias);
		if (c->operand)
			g_string_append_printf(page, " Ar %s", c->operand);
		g_string_append_printf(page, "\n%s: see\n.Xr %s-%s 1 .\n", c->summary, name,
				       c->name);
	}
	g_string_append(page, ".El\n");
}

static void put_examples(GString *page, const char *examples)
{
	g_auto(GStrv) lines = g_strsplit(examples, "\n", -1);

	g_string_append(page, ".Sh EXAMPLES\n.Bd -literal\n");
	for (guint i = 0; lines[i]; i++)
		if (*lines[i])
			escape(page, lines[i] + 2, strlen(lines[i] + 2));
	g_string_append(page, ".Ed\n");
}

/* What the daemon's owner has to allow. */
static void put_needs(GString *page, const PvsCommand *command)
{
	if (command->method)
		g_string_append_printf(page,
				       ".Pp\nNeeds an access rule of\n.Xr pvsecretd.conf 5\n"
				       "with\n.Cm Methods= Ns Ar %s .\n",
				       command->method);
}

static void put_statuses(GString *page, const PvsCommand *const *path, guint depth)
{
	guint scopes = surroundings_scopes(path, depth);

	g_string_append(page, ".Sh EXIT STATUS\n"
			      "0: done; 1: refused, or something failed; 2: the command line is "
			      "wrong");
	if (!path[depth - 1]->local)
		g_string_append(page, "; 3: the daemon cannot be reached");
	for (guint i = 0; i < pvs_n_options; i++)
		if (strcmp(pvs_options[i].name, "warn-days") == 0 &&
		    (pvs_options[i].scopes & scopes))
			g_string_append(page, "; 5: all is good, but not for as many days as\n"
					      ".Fl -warn-days\nasks for");
	g_string_append(page, ".\n");
}

char *surroundings_page(const PvsCommand *const *path, guint depth)
{
	const PvsCommand *command = path[depth - 1];
	g_autofree char *words = pvs_command_words(path, depth);
	g_autofree char *name = page_name(path, depth);
	g_autofree char *title = g_ascii_strup(name, -1);
	GString *page = g_string_new(".\\\" SPDX-License-Identifier: MIT\n"
				     ".\\\" Made from the tables in client/ by "
				     "tests/unit/test-surroundings.\n"
				     ".Dd November 23, 2026\n");

	g_string_append_printf(page, ".Dt %s 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd %c%s\n", title, name,
			       g_ascii_tolower(command->summary[0]), command->summary + 1);
	g_string_append_printf(page, ".Sh SYNOPSIS\n.Nm %s\n.Op Ar option ...\n", words);
	if (command->children)
		g_string_append(page, ".Ar command\n");
	else if (command->operand)
		g_string_append_printf(page, ".Ar %s\n", command->operand);
	if (command->alias)
		g_string_append_printf(page, ".Pp\n.Nm pvsecretctl create %s\nmeans the same.\n",
				       command->alias);
	g_string_append(page, ".Sh DESCRIPTION\n");
	surroundings_mdoc(page, command->about);
	if (command->children)
		put_children(page, path, depth);
	put_needs(page, command);
	put_options(page, path, depth);
	put_statuses(page, path, depth);
	if (command->examples)
		put_examples(page, command->examples);
	g_string_append(page, ".Sh SEE ALSO\n.Xr pvsecretctl 1 ,\n");
	if (depth > 2)
		g_string_append_printf(page, ".Xr pvsecretctl-%s 1 ,\n", path[1]->name);
	g_string_append(page, ".Xr pvsecretctl-from-pvsecret 7 ,\n.Xr pvsecretd 8\n");
	return g_string_free(page, FALSE);
}

/* ---- completions ---- */

static void put_children_words(const PvsCommand *const *path, guint depth, gpointer user)
{
	g_autofree char *words = pvs_command_words(path, depth);
	GString *text = user;

	if (!path[depth - 1]->children)
		return;
	g_string_append_printf(text, "\t'%s') echo '", words);
	for (const PvsCommand *c = path[depth - 1]->children; c->name; c++) {
		g_string_append_printf(text, "%s ", c->name);
		if (c->alias)
			g_string_append_printf(text, "%s ", c->alias);
	}
	g_string_truncate(text, text->len - 1);
	g_string_append(text, "' ;;\n");
}

static void put_aliases(const PvsCommand *const *path, guint depth, gpointer user)
{
	g_autofree char *words = pvs_command_words(path, depth);
	g_autofree char *above = pvs_command_words(path, depth - 1);

	if (path[depth - 1]->alias)
		g_string_append_printf(user, "\t'%s %s') echo '%s' ;;\n", above,
				       path[depth - 1]->alias, words);
}

/* The first row of an option's name that these commands have; itself where it is alone. */
static const PvsOption *first_of(const PvsOption *option, guint scopes)
{
	for (guint i = 0; i < pvs_n_options; i++)
		if (strcmp(pvs_options[i].name, option->name) == 0 &&
		    (pvs_options[i].scopes & scopes))
			return &pvs_options[i];
	return option;
}

static gboolean is_repeated(const PvsOption *option, guint scopes)
{
	return first_of(option, scopes) != option;
}

static void put_option_words(const PvsCommand *const *path, guint depth, gpointer user)
{
	g_autofree char *words = pvs_command_words(path, depth);
	guint scopes = surroundings_scopes(path, depth);
	GString *text = user;

	g_string_append_printf(text, "\t'%s') echo '", words);
	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];

		if (!is_shown(option) || !(option->scopes & scopes) || is_repeated(option, scopes))
			continue;
		if (option->letter)
			g_string_append_printf(text, "-%c ", option->letter);
		g_string_append_printf(text, "--%s ", option->name);
		if (option->alias)
			g_string_append_printf(text, "--%s ", option->alias);
	}
	g_string_truncate(text, text->len - 1);
	g_string_append(text, "' ;;\n");
}

/* The commands whose words behind them are files. */
static void put_operand(const PvsCommand *const *path, guint depth, gpointer user)
{
	g_autofree char *words = pvs_command_words(path, depth);
	const char *operand = path[depth - 1]->operand;

	if (operand && (strstr(operand, "FILE") || strstr(operand, "REQUEST")))
		g_string_append_printf(user, "\t'%s') echo FILE ;;\n", words);
}

/* "FILE", "NAME" or the words that it may be. */
static char *argument_kind(const PvsOption *option)
{
	g_autofree char *words = g_strdelimit(g_strdup(option->argument), "|", ' ');

	if (g_ascii_islower(words[0]))
		return g_steal_pointer(&words);
	return g_strdup(strstr(words, "FILE") || strstr(words, "PATH") ? "FILE" : "NAME");
}

/* The argument of --json is never a word of its own. */
static gboolean has_argument(const PvsOption *option)
{
	return option->argument && option->kind != PVS_OPTION_JSON;
}

/* Where an option is something else to this command than to the first that has it. */
static void put_own_kinds(const PvsCommand *const *path, guint depth, gpointer text)
{
	g_autofree char *words = pvs_command_words(path, depth);

	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];
		g_autofree char *own = NULL, *first = NULL;

		if (!has_argument(option) || !(option->scopes & (guint)path[depth - 1]->scope))
			continue;
		own = argument_kind(option);
		first = argument_kind(first_of(option, G_MAXUINT));
		if (strcmp(own, first) != 0)
			g_string_append_printf(text, "\t'%s --%s') echo '%s'; return ;;\n", words,
					       option->name, own);
	}
}

static void put_argument_kinds(GString *text)
{
	for (guint i = 0; i < pvs_n_options; i++) {
		const PvsOption *option = &pvs_options[i];
		g_autofree char *kind = NULL;

		if (option->kind == PVS_OPTION_JSON) {
			kind = argument_kind(option);
			g_string_append_printf(text, "\t-%c=|--%s=) echo '%s' ;;\n", option->letter,
					       option->name, kind);
			continue;
		}
		if (!has_argument(option) || is_repeated(option, G_MAXUINT))
			continue;
		g_string_append_c(text, '\t');
		if (option->letter)
			g_string_append_printf(text, "-%c|", option->letter);
		if (option->alias)
			g_string_append_printf(text, "--%s|", option->alias);
		kind = argument_kind(option);
		g_string_append_printf(text, "--%s) echo '%s' ;;\n", option->name, kind);
	}
}

/* The four tables as functions of a shell; bash and zsh read them alike. */
static void put_tables(GString *text)
{
	const PvsCommand *root[] = {&pvs_command_root};

	g_string_append(text, "_pvsecretctl_commands()\n{\n\tcase $1 in\n");
	put_children_words(root, 1, text);
	surroundings_commands(put_children_words, text);
	g_string_append(text, "\tesac\n}\n\n_pvsecretctl_command()\n{\n\tcase $1 in\n");
	surroundings_commands(put_aliases, text);
	g_string_append(text, "\t*) echo \"$1\" ;;\n\tesac\n}\n\n"
			      "_pvsecretctl_options()\n{\n\tcase $1 in\n");
	put_option_words(root, 1, text);
	surroundings_commands(put_option_words, text);
	g_string_append(text, "\tesac\n}\n\n"
			      "# FILE, where the words behind a command are files.\n"
			      "_pvsecretctl_operand()\n{\n\tcase $1 in\n");
	surroundings_commands(put_operand, text);
	g_string_append(text, "\tesac\n}\n\n"
			      "# What stands behind an option of a command: FILE, NAME, or one of "
			      "these words; nothing for a flag.\n"
			      "_pvsecretctl_argument()\n{\n\tcase \"$2 $1\" in\n");
	surroundings_commands(put_own_kinds, text);
	g_string_append(text, "\tesac\n\tcase $1 in\n");
	put_argument_kinds(text);
	g_string_append(text, "\tesac\n}\n\n");
}

#define HEAD                                                               \
	"# SPDX-License-Identifier: MIT\n"                                 \
	"#\n"                                                              \
	"# Completion of pvsecretctl. Made from the tables in client/ by " \
	"tests/unit/test-surroundings.\n\n"

char *surroundings_bash(void)
{
	GString *text = g_string_new("# shellcheck shell=bash\n" HEAD);

	put_tables(text);
	g_string_append(
		text,
		"_pvsecretctl()\n"
		"{\n"
		"\tlocal i word kind known at=pvsecretctl cur=${COMP_WORDS[COMP_CWORD]}\n"
		"\tlocal before=${COMP_WORDS[COMP_CWORD - 1]} assigned=\n"
		"\n"
		"\t# Bash takes \"--type=aes\" for three words.\n"
		"\tif [[ $cur == = ]]; then\n"
		"\t\tcur= assigned='='\n"
		"\telif [[ $before == = ]]; then\n"
		"\t\tbefore=${COMP_WORDS[COMP_CWORD - 2]} assigned='='\n"
		"\tfi\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tword=${COMP_WORDS[i]}\n"
		"\t\tif [[ $word == -* ]]; then\n"
		"\t\t\tif [[ ${COMP_WORDS[i + 1]} == = ]]; then\n"
		"\t\t\t\t((i += 2))\n"
		"\t\t\telif [[ -n $(_pvsecretctl_argument \"$word\" \"$at\") ]]; then\n"
		"\t\t\t\t((i++))\n"
		"\t\t\tfi\n"
		"\t\t\tcontinue\n"
		"\t\tfi\n"
		"\t\tfor known in $(_pvsecretctl_commands \"$at\"); do\n"
		"\t\t\tif [[ $known == \"$word\" && $word != help ]]; then\n"
		"\t\t\t\tat=$(_pvsecretctl_command \"$at $word\")\n"
		"\t\t\t\tbreak\n"
		"\t\t\tfi\n"
		"\t\tdone\n"
		"\tdone\n"
		"\tkind=\n"
		"\tif [[ $before == -* ]]; then\n"
		"\t\tkind=$(_pvsecretctl_argument \"$before$assigned\" \"$at\")\n"
		"\t\t[[ -z $kind ]] && kind=$(_pvsecretctl_argument \"$before\" \"$at\")\n"
		"\tfi\n"
		"\tif [[ $kind == NAME ]]; then\n"
		"\t\tCOMPREPLY=()\n"
		"\telif [[ -n $kind && $kind != FILE ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$kind\" -- \"$cur\")\n"
		"\telif [[ -z $kind && $cur == -* ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_pvsecretctl_options \"$at\")\" "
		"-- \"$cur\")\n"
		"\telif [[ -z $kind && -n $(_pvsecretctl_commands \"$at\") ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_pvsecretctl_commands \"$at\")\" "
		"-- \"$cur\")\n"
		"\telif [[ -z $kind && -z $(_pvsecretctl_operand \"$at\") ]]; then\n"
		"\t\tCOMPREPLY=()\n"
		"\telse\n"
		"\t\tcompopt -o filenames 2>/dev/null\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		"\tfi\n"
		"}\n"
		"complete -F _pvsecretctl pvsecretctl\n");
	return g_string_free(text, FALSE);
}

char *surroundings_zsh(void)
{
	GString *text = g_string_new("#compdef pvsecretctl\n" HEAD);

	put_tables(text);
	g_string_append(
		text,
		"_pvsecretctl()\n"
		"{\n"
		"\tlocal word kind at=pvsecretctl cur=${words[CURRENT]} "
		"before=${words[CURRENT - 1]}\n"
		"\tlocal -i i\n"
		"\n"
		"\tfor ((i = 2; i < CURRENT; i++)); do\n"
		"\t\tword=${words[i]}\n"
		"\t\tif [[ $word == -* ]]; then\n"
		"\t\t\tif [[ $word != *=* && -n $(_pvsecretctl_argument $word $at) ]]; then\n"
		"\t\t\t\t((i++))\n"
		"\t\t\tfi\n"
		"\t\telif [[ $word != help && \" $(_pvsecretctl_commands $at) \" == "
		"*\" $word \"* ]]; then\n"
		"\t\t\tat=$(_pvsecretctl_command \"$at $word\")\n"
		"\t\tfi\n"
		"\tdone\n"
		"\tkind=\n"
		"\tif [[ $cur == -*=* ]]; then\n"
		"\t\tbefore=${cur%%=*}\n"
		"\t\tkind=$(_pvsecretctl_argument $before= $at)\n"
		"\t\tcompset -P '*='\n"
		"\tfi\n"
		"\t[[ -z $kind && $before == -* ]] && kind=$(_pvsecretctl_argument $before $at)\n"
		"\tif [[ $kind == NAME ]]; then\n"
		"\t\t_message 'a name in the daemon'\n"
		"\telif [[ -n $kind && $kind != FILE ]]; then\n"
		"\t\tcompadd -- ${=kind}\n"
		"\telif [[ -z $kind && $cur == -* ]]; then\n"
		"\t\tcompadd -- ${=$(_pvsecretctl_options $at)}\n"
		"\telif [[ -z $kind && -n $(_pvsecretctl_commands $at) ]]; then\n"
		"\t\tcompadd -- ${=$(_pvsecretctl_commands $at)}\n"
		"\telif [[ -n $kind || -n $(_pvsecretctl_operand $at) ]]; then\n"
		"\t\t_files\n"
		"\tfi\n"
		"}\n"
		"_pvsecretctl \"$@\"\n");
	return g_string_free(text, FALSE);
}
