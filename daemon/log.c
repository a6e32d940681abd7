/* SPDX-License-Identifier: MIT */
/*
 * log.c - lines for the journal
 */
#include "daemon/log.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LINE_MAX_ = 2048 }; /* bytes; a longer line is cut, so that one write is one line */

static PvsRole speaker;
static gboolean for_people; /* standard error is a terminal */

/* Shows control characters and what is not ASCII-safe for a terminal as \xNN. */
static void escape(GString *line, const char *text)
{
	for (const guchar *c = (const guchar *)text; *c && line->len < LINE_MAX_ - 8; c++)
		if (*c < 0x20 || *c == 0x7f)
			g_string_append_printf(line, "\\x%02x", *c);
		else
			g_string_append_c(line, (char)*c);
}

static void add_prefix(GString *line, PvsLogLevel level)
{
	if (for_people) {
		g_string_append(line, level == PVS_LOG_WARNING ? "warning: " : "");
		return;
	}
	g_string_append_printf(line, "<%d>", level);
	if (speaker)
		g_string_append_printf(line, "%s: ", pvs_role_name(speaker));
}

static void write_line(PvsLogLevel level, const char *text)
{
	g_autoptr(GString) line = g_string_sized_new(256);
	ssize_t ignored;

	if (for_people && level == PVS_LOG_DEBUG)
		return;
	add_prefix(line, level);
	escape(line, text);
	g_string_append_c(line, '\n');
	ignored = write(STDERR_FILENO, line->str, line->len);
	(void)ignored; /* there is nobody to tell */
}

static GLogWriterOutput write_glib(GLogLevelFlags flags, const GLogField *fields, gsize n,
				   gpointer data G_GNUC_UNUSED)
{
	const char *text = NULL;

	for (gsize i = 0; i < n; i++)
		if (strcmp(fields[i].key, "MESSAGE") == 0)
			text = fields[i].value;
	if (text)
		write_line(flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? PVS_LOG_ERROR
									      : PVS_LOG_WARNING,
			   text);
	return G_LOG_WRITER_HANDLED;
}

/* isatty(3) makes a call that no cage lets through, and a worker begins in the monitor's. Character
 * devices that are no terminal are the memory's: /dev/null, and /dev/kmsg, which wants a level. */
static gboolean is_terminal(void)
{
	struct stat st;

	return fstat(STDERR_FILENO, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) != 1;
}

void pvs_log_init(PvsRole role)
{
	for_people = is_terminal();
	speaker = role;
	g_log_set_writer_func(write_glib, NULL, NULL);
}

void pvs_log(PvsLogLevel level, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	write_line(level, text);
}
