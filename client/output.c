/* SPDX-License-Identifier: MIT */
/*
 * output.c - what people and programs get to see
 */
#include "client/output.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "client/failure.h"
#include "client/text.h"

gboolean pvs_output_json_mode(const char *text, PvsJsonMode *mode)
{
	static const char *const names[] = {
		[PVS_JSON_OFF] = "off",
		[PVS_JSON_PRETTY] = "pretty",
		[PVS_JSON_SHORT] = "short",
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*mode = (PvsJsonMode)i;
			return TRUE;
		}
	return FALSE;
}

void pvs_output_put(FILE *file, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	(void)fputs(text, file);
}

/* One write for a line, so that lines of several programs do not mix. */
static void put_line(FILE *file, const char *before, const char *text)
{
	g_autofree char *shown = pvs_text_show(text, 0);
	g_autofree char *line = g_strconcat(before, shown, "\n", NULL);

	pvs_output_put(file, "%s", line);
}

void pvs_output_error(const GError *error)
{
	const char *hint = pvs_failure_hint(error);

	put_line(stderr, "pvsecretctl: error: ", error->message);
	/* Always two lines: a hint is missing only where a daemon gave none. */
	put_line(stderr, "pvsecretctl: hint: ", hint ? hint : "see pvsecretd-protocol(7)");
}

void pvs_output_note(const PvsOutput *output, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	if (output->quiet)
		return;
	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	put_line(stderr, "", text);
}

void pvs_output_detail(const PvsOutput *output, guint level, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	if (output->verbose < level)
		return;
	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	put_line(stderr, "", text);
}

void pvs_output_warning(const PvsOutput *output, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	if (output->quiet)
		return;
	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	put_line(stderr, "pvsecretctl: warning: ", text);
}

void pvs_output_line(const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	put_line(stdout, "", text);
}

/* Columns on the screen; wide and combining characters counted as what they are. */
static guint width_of(const char *text)
{
	guint width = 0;

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		width += g_unichar_iswide(c) ? 2 : g_unichar_iszerowidth(c) ? 0 : 1;
	}
	return width;
}

void pvs_output_table(const GPtrArray *cells, guint columns)
{
	g_autofree guint *widths = g_new0(guint, columns);
	g_autoptr(GPtrArray) shown = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < cells->len; i++) {
		const char *cell = g_ptr_array_index(cells, i);
		char *text = pvs_text_show(cell ? cell : "", 0);

		g_ptr_array_add(shown, text);
		widths[i % columns] = MAX(widths[i % columns], width_of(text));
	}
	for (guint i = 0; i < shown->len; i += columns) {
		g_autoptr(GString) line = g_string_new(" ");

		for (guint j = 0; j < columns; j++) {
			const char *text = g_ptr_array_index(shown, i + j);

			g_string_append_printf(line, " %s%*s", text,
					       (int)(widths[j] - width_of(text) + 1), "");
		}
		pvs_output_put(stdout, "%s\n", g_strchomp(line->str));
	}
}

static void put_string(FILE *file, const char *text)
{
	(void)fputc('"', file);
	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (c == '"' || c == '\\')
			pvs_output_put(file, "\\%c", (char)c);
		else if (c == ' ' || pvs_text_visible(c))
			(void)fwrite(text, 1, (gsize)(g_utf8_next_char(text) - text), file);
		else if (c < 0x10000)
			pvs_output_put(file, "\\u%04x", c);
		else
			pvs_output_put(file, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
				       0xdc00 + (c & 0x3ff));
	}
	(void)fputc('"', file);
}

typedef struct {
	FILE *file;
	gboolean pretty;
	guint level;
} Writer;

static void new_line(const Writer *w)
{
	if (w->pretty)
		pvs_output_put(w->file, "\n%*s", (int)w->level * 2, "");
}

static void put_object(Writer *w, JsonObject *object);

static void put_value(Writer *w, JsonNode *node)
{
	char number[G_ASCII_DTOSTR_BUF_SIZE];
	JsonArray *array;
	guint n;

	switch (JSON_NODE_TYPE(node)) {
	case JSON_NODE_OBJECT:
		put_object(w, json_node_get_object(node));
		return;
	case JSON_NODE_ARRAY:
		array = json_node_get_array(node);
		n = json_array_get_length(array);
		(void)fputc('[', w->file);
		w->level++;
		for (guint i = 0; i < n; i++) {
			if (i > 0)
				(void)fputc(',', w->file);
			new_line(w);
			put_value(w, json_array_get_element(array, i));
		}
		w->level--;
		if (n > 0)
			new_line(w);
		(void)fputc(']', w->file);
		return;
	case JSON_NODE_VALUE:
		switch (json_node_get_value_type(node)) {
		case G_TYPE_STRING:
			put_string(w->file, json_node_get_string(node));
			return;
		case G_TYPE_BOOLEAN:
			(void)fputs(json_node_get_boolean(node) ? "true" : "false", w->file);
			return;
		case G_TYPE_INT64:
			pvs_output_put(w->file, "%" G_GINT64_FORMAT, json_node_get_int(node));
			return;
		case G_TYPE_DOUBLE:
			(void)fputs(
				g_ascii_dtostr(number, sizeof number, json_node_get_double(node)),
				w->file);
			return;
		default:
			break;
		}
		break;
	case JSON_NODE_NULL:
		break;
	}
	(void)fputs("null", w->file);
}

static void put_object(Writer *w, JsonObject *object)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;
	gboolean any = FALSE;

	(void)fputc('{', w->file);
	w->level++;
	json_object_iter_init_ordered(&iter, object);
	while (json_object_iter_next_ordered(&iter, &name, &node)) {
		if (any)
			(void)fputc(',', w->file);
		any = TRUE;
		new_line(w);
		put_string(w->file, name);
		(void)fputs(w->pretty ? ": " : ":", w->file);
		put_value(w, node);
	}
	w->level--;
	if (any)
		new_line(w);
	(void)fputc('}', w->file);
}

void pvs_output_json(FILE *file, PvsJsonMode mode, JsonObject *object)
{
	Writer w = {.file = file, .pretty = mode == PVS_JSON_PRETTY};

	if (mode == PVS_JSON_AUTO)
		w.pretty = isatty(fileno(file));
	if (mode == PVS_JSON_OFF)
		return;
	put_object(&w, object);
	(void)fputc('\n', file);
}

void pvs_output_raw(const void *data, gsize size)
{
	(void)fwrite(data, 1, size, stdout);
}

gboolean pvs_output_finish(GError **error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return TRUE;
	return pvs_failure_system(error, errno, "standard output", "cannot be written");
}
