/* SPDX-License-Identifier: MIT */
/*
 * surroundings.h - what is installed around pvsecretctl, made from its tables of commands and
 * options: manual pages and completions
 */
#pragma once

#include "client/command.h"

/* Each as the text of a file, newly allocated. */
char *surroundings_bash(void);
char *surroundings_zsh(void);
/* Of one command: the page's name is its words with "-" between. */
char *surroundings_page(const PvsCommand *const *path, guint depth);

/* Calls @each for every command but the root and help, groups before what is in them. */
void surroundings_commands(void (*each)(const PvsCommand *const *path, guint depth, gpointer user),
			   gpointer user);

/* The scopes of a command with those above it, and, where it is a group, of those below it. */
guint surroundings_scopes(const PvsCommand *const *path, guint depth);

/* Text for people as mdoc: a sentence a line, nothing taken for a macro. */
void surroundings_mdoc(GString *page, const char *text);
