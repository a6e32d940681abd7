/* SPDX-License-Identifier: MIT */
/*
 * help.c - the help of a command, from the two tables
 */
#include <stddef.h>
#include <string.h>

#include "client/command.h"

enum {
	WIDTH = 80,
	COLUMN = 28, /* where explanations start */
};

static const char *const headings[PVS_GROUPS] = {
	[PVS_GROUP_TARGET] = "Where the secret shall go",
	[PVS_GROUP_TRUST] = "Verifying host keys",
	[PVS_GROUP_SECRET] = "Secret",
	[PVS_GROUP_USER_DATA] = "User data",
	[PVS_GROUP_INPUT] = "Input",
	[PVS_GROUP_OUTPUT] = "Output",
	[PVS_GROUP_GENERAL] = "General",
};

const char *pvs_help_heading(PvsOptionGroup group)
{
	return headings[group];
}

/* Breaks @text (ASCII) into lines from column @indent to the width; @used columns of the first one
 * are taken already. */
static void put_wrapped(FILE *file, const char *text, guint indent, guint used)
{
	if (used + 1 >= indent && indent > 0 && used > 0) {
		(void)fputc('\n', file);
		used = 0;
	}
	pvs_output_put(file, "%*s", (int)(indent - used), "");
	used = indent;
	while (*text) {
		gsize word = strcspn(text, " ");

		if (used > indent && used + 1 + word > WIDTH - 1) {
			pvs_output_put(file, "\n%*s", (int)indent, "");
			used = indent;
		} else if (used > indent) {
			(void)fputc(' ', file);
			used++;
		}
		(void)fwrite(text, 1, word, file);
		used += (guint)word;
		text += word;
		text += strspn(text, " ");
	}
	(void)fputc('\n', file);
}

/* The root's help would have everybody's options in it. */
gboolean pvs_option_shown(const PvsOption *option, const PvsCommand *const *path, guint depth)
{
	guint scopes = 0;

	for (guint i = 0; i < depth; i++)
		scopes |= path[i]->scope;
	for (const PvsCommand *c = path[depth - 1]->children; depth > 1 && c && c->name; c++)
		scopes |= c->scope;
	/* Taken by all, so that it can stand in an alias. */
	if (path[depth - 1]->local && option->offset == offsetof(PvsArguments, socket_path))
		return FALSE;
	return option->group != PVS_GROUP_HIDDEN && (option->scopes & scopes);
}

static const PvsOptionOther *other_of(const PvsOption *option, guint scopes)
{
	for (const PvsOptionOther *other = pvs_option_others; other->name; other++)
		if (strcmp(other->name, option->name) == 0 && (other->scopes & scopes))
			return other;
	return NULL;
}

const char *pvs_option_argument(const PvsOption *option, guint scopes)
{
	const PvsOptionOther *other = other_of(option, scopes);

	return other ? other->argument : option->argument;
}

const char *pvs_option_help(const PvsOption *option, guint scopes)
{
	const PvsOptionOther *other = other_of(option, scopes);

	return other ? other->help : option->help;
}

static void put_option(FILE *file, const PvsOption *option, guint scopes)
{
	g_autoptr(GString) left = g_string_new("  ");
	gboolean optional = option->kind == PVS_OPTION_JSON;
	const char *argument = pvs_option_argument(option, scopes);

	if (option->letter)
		g_string_append_printf(left, "-%c, ", option->letter);
	else
		g_string_append(left, "    ");
	g_string_append_printf(left, "--%s", option->name);
	if (argument)
		g_string_append_printf(left, "%s=%s%s", optional ? "[" : "", argument,
				       optional ? "]" : "");
	pvs_output_put(file, "%s", left->str);
	put_wrapped(file, pvs_option_help(option, scopes), COLUMN, (guint)left->len);
}

static void put_options(FILE *file, const PvsCommand *const *path, guint depth)
{
	for (guint group = 0; group < PVS_GROUP_HIDDEN; group++) {
		gboolean any = FALSE;

		for (guint i = 0; i < pvs_n_options; i++) {
			const PvsOption *option = &pvs_options[i];

			if ((guint)option->group != group || !pvs_option_shown(option, path, depth))
				continue;
			if (!any)
				pvs_output_put(file, "\n%s:\n", headings[group]);
			any = TRUE;
			put_option(file, option, path[depth - 1]->scope);
		}
	}
}

void pvs_help_print(FILE *file, const PvsCommand *const *path, guint depth)
{
	const PvsCommand *command = path[depth - 1];
	g_autofree char *words = pvs_command_words(path, depth);
	const char *operand = command->children ? "COMMAND" : command->operand;

	pvs_output_put(file, "Usage: %s [OPTION...]%s%s\n\n", words, operand ? " " : "",
		       operand ? operand : "");
	put_wrapped(file, command->about, 0, 0);
	if (command->children)
		pvs_output_put(file, "\nCommands:\n");
	for (const PvsCommand *child = command->children; child && child->name; child++) {
		g_autofree char *left =
			g_strdup_printf("  %s%s%s%s%s", child->name, child->alias ? ", " : "",
					child->alias ? child->alias : "", child->operand ? " " : "",
					child->operand ? child->operand : "");

		pvs_output_put(file, "%s", left);
		put_wrapped(file, child->summary, COLUMN, (guint)strlen(left));
	}
	put_options(file, path, depth);
	if (command->method)
		pvs_output_put(file,
			       "\nNeeds an access rule with Methods=%s, see pvsecretd.conf(5).\n",
			       command->method);
	if (command->examples)
		pvs_output_put(file, "\nExamples:\n%s", command->examples);
	pvs_output_put(file, "\nSee pvsecretctl(1).\n");
}
