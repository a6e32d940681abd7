/* SPDX-License-Identifier: MIT */
/*
 * scanner.c - finds where one JSON text ends, and refuses what is not strict, before any parser
 * sees it
 *
 * One state machine over bytes. The grammar is RFC 8259; what is refused beyond it is in the
 * header. After an error the same bytes are followed by a much simpler one, which knows strings and
 * depth alone and finds where reading can go on.
 */
#include "protocol/scanner.h"

#include <string.h>

#include "protocol/lexeme.h"

enum {
	NUMBER_MAX = 400,   /* characters of a number: more than any finite double needs */
	SECRETS_MAX = 1024, /* spans in one text; a batch has fewer calls */
	WORD_MAX = 8,	    /* of what is looked at to tell HTTP from rubbish */
};

typedef enum {
	MODE_BETWEEN, /* white space between texts */
	MODE_TEXT,
	MODE_SKIP,    /* behind an error, up to the end of that text */
	MODE_GARBAGE, /* not a text: not known yet whether it is HTTP */
	MODE_LINE,    /* behind garbage, up to a line feed */
	MODE_DEAD,
} Mode;

/* What may come next where no token is under way, and the tokens that take more than a byte. */
typedef enum {
	WANT_VALUE,
	WANT_VALUE_OR_END,
	WANT_NAME,
	WANT_NAME_OR_END,
	WANT_COLON,
	WANT_COMMA_OR_END,
	IN_STRING,
	IN_ESCAPE,
	IN_UNICODE,
	AFTER_HIGH,	  /* a high surrogate came: a backslash must follow */
	AFTER_HIGH_SLASH, /* and a u */
	IN_NUMBER,
	IN_LITERAL,
} State;

typedef enum { MEMBER_OTHER, MEMBER_SECRET, MEMBER_VALUE } Member;

/* One open object or array. */
typedef struct {
	gboolean object;
	Member member;	  /* the name whose value is under way */
	guint first_name; /* of this object, in names */
	gsize first_byte; /* of this object's names, in bytes */
} Level;

typedef struct {
	guint64 hash;
	guint32 offset; /* in bytes */
	guint32 size;
} Name;

struct PvsScanner {
	PvsScannerLimits limits;
	guint64 seed;
	Mode mode;
	gsize text_size;
	gboolean text_done; /* text_size is that of a text that ended */

	State state;
	guint tokens;
	guint depth;
	Level levels[PVS_SCANNER_MAX_DEPTH];
	GArray *names;	   /* of Name: of the open objects, the innermost last */
	GByteArray *bytes; /* of the names, unescaped */
	GArray *secrets;   /* of PvsSecretSpan */

	/* The string under way. */
	gboolean is_name;
	gboolean is_secret;
	gsize string_start; /* behind its quote, from the text's first byte */
	guint64 hash;
	gsize name_start; /* in bytes */
	guint utf8_left;  /* continuation bytes to come */
	guint8 utf8_low;  /* the next of them is at least this */
	guint8 utf8_high; /* and at most this */
	guint hex_left;
	guint32 unicode;
	guint32 high; /* surrogate; 0: none */

	char number[NUMBER_MAX + 1];
	guint number_size;
	const char *literal; /* what is left of it */

	/* While skipping. */
	guint64 skip_depth;
	gboolean skip_string;
	gboolean skip_escape;

	char word[WORD_MAX + 1];
	guint word_size;
};

PvsScanner *pvs_scanner_new(const PvsScannerLimits *limits)
{
	PvsScanner *scanner = g_new0(PvsScanner, 1);

	scanner->limits = *limits;
	scanner->limits.depth = MIN(limits->depth, PVS_SCANNER_MAX_DEPTH);
	scanner->seed = (guint64)g_random_int() << 32 | g_random_int();
	scanner->names = g_array_new(FALSE, FALSE, sizeof(Name));
	scanner->bytes = g_byte_array_new();
	scanner->secrets = g_array_new(FALSE, FALSE, sizeof(PvsSecretSpan));
	return scanner;
}

/* Names are a client's bytes: not left in freed memory. */
static void drop_names(PvsScanner *scanner)
{
	if (scanner->bytes->len > 0)
		explicit_bzero(scanner->bytes->data, scanner->bytes->len);
	if (scanner->bytes->len > 4096) {
		g_byte_array_unref(scanner->bytes);
		scanner->bytes = g_byte_array_new();
		g_array_unref(scanner->names);
		scanner->names = g_array_new(FALSE, FALSE, sizeof(Name));
	} else {
		g_byte_array_set_size(scanner->bytes, 0);
		g_array_set_size(scanner->names, 0);
	}
	explicit_bzero(scanner->number, sizeof scanner->number);
}

void pvs_scanner_free(PvsScanner *scanner)
{
	if (!scanner)
		return;
	drop_names(scanner);
	g_byte_array_unref(scanner->bytes);
	g_array_unref(scanner->names);
	g_array_unref(scanner->secrets);
	g_free(scanner);
}

static void begin_text(PvsScanner *scanner)
{
	scanner->mode = MODE_TEXT;
	scanner->state = WANT_VALUE;
	scanner->tokens = 0;
	scanner->depth = 0;
	g_array_set_size(scanner->secrets, 0);
}

/* A token begins; FALSE if the text has too many. */
static gboolean count(PvsScanner *scanner, PvsError *error)
{
	if (scanner->tokens >= scanner->limits.tokens) {
		*error = PVS_ERROR_TOO_MANY_TOKENS;
		return FALSE;
	}
	scanner->tokens++;
	return TRUE;
}

static gboolean syntax(PvsError *error)
{
	*error = PVS_ERROR_PARSE;
	return FALSE;
}

static Level *innermost(PvsScanner *scanner)
{
	return &scanner->levels[scanner->depth - 1];
}

/* A value ended: what comes depends on what it stands in. */
static void value_ended(PvsScanner *scanner)
{
	scanner->state = WANT_COMMA_OR_END;
	if (scanner->depth > 0)
		innermost(scanner)->member = MEMBER_OTHER;
}

static gboolean open_level(PvsScanner *scanner, gboolean object, PvsError *error)
{
	if (scanner->depth >= scanner->limits.depth) {
		*error = PVS_ERROR_TOO_DEEP;
		return FALSE;
	}
	if (!count(scanner, error))
		return FALSE;
	scanner->levels[scanner->depth++] = (Level){
		.object = object,
		.first_name = scanner->names->len,
		.first_byte = scanner->bytes->len,
	};
	scanner->state = object ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
	return TRUE;
}

static gboolean close_level(PvsScanner *scanner, gboolean object, PvsError *error)
{
	Level *level = innermost(scanner);

	if (level->object != object)
		return syntax(error);
	g_array_set_size(scanner->names, level->first_name);
	g_byte_array_set_size(scanner->bytes, (guint)level->first_byte);
	scanner->depth--;
	value_ended(scanner);
	return TRUE;
}

static gboolean begin_string(PvsScanner *scanner, gboolean is_name, PvsError *error)
{
	if (!count(scanner, error))
		return FALSE;
	scanner->state = IN_STRING;
	scanner->is_name = is_name;
	scanner->is_secret = FALSE;
	scanner->string_start = scanner->text_size; /* the quote is counted already */
	scanner->utf8_left = 0;
	scanner->high = 0;
	scanner->hash = scanner->seed;
	scanner->name_start = scanner->bytes->len;
	if (!is_name && scanner->depth >= 2 && innermost(scanner)->member == MEMBER_VALUE &&
	    scanner->levels[scanner->depth - 2].member == MEMBER_SECRET)
		scanner->is_secret = TRUE;
	return TRUE;
}

static void add_name_byte(PvsScanner *scanner, guint8 c)
{
	g_byte_array_append(scanner->bytes, &c, 1);
	scanner->hash = (scanner->hash ^ c) * G_GUINT64_CONSTANT(0x100000001b3);
}

static gboolean end_name(PvsScanner *scanner, PvsError *error)
{
	Level *level = innermost(scanner);
	const guint8 *bytes = scanner->bytes->data;
	Name name = {
		.hash = scanner->hash,
		.offset = (guint32)scanner->name_start,
		.size = (guint32)(scanner->bytes->len - scanner->name_start),
	};

	for (guint i = level->first_name; i < scanner->names->len; i++) {
		const Name *other = &g_array_index(scanner->names, Name, i);

		if (other->hash == name.hash && other->size == name.size &&
		    (name.size == 0 ||
		     memcmp(bytes + other->offset, bytes + name.offset, name.size) == 0)) {
			*error = PVS_ERROR_PARSE_DUPLICATE;
			return FALSE;
		}
	}
	g_array_append_val(scanner->names, name);
	level->member = MEMBER_OTHER;
	if (name.size == 6 && memcmp(bytes + name.offset, "secret", 6) == 0)
		level->member = MEMBER_SECRET;
	else if (name.size == 5 && memcmp(bytes + name.offset, "value", 5) == 0)
		level->member = MEMBER_VALUE;
	scanner->state = WANT_COLON;
	return TRUE;
}

static gboolean end_string(PvsScanner *scanner, PvsError *error)
{
	if (scanner->is_name)
		return end_name(scanner, error);
	if (scanner->is_secret) {
		PvsSecretSpan span = {
			.offset = scanner->string_start,
			.size = scanner->text_size - 1 - scanner->string_start,
		};

		if (scanner->secrets->len >= SECRETS_MAX) {
			*error = PVS_ERROR_TOO_MANY_TOKENS;
			return FALSE;
		}
		g_array_append_val(scanner->secrets, span);
	}
	value_ended(scanner);
	return TRUE;
}

/* The first byte of a character of more than one byte: how many follow, and what the next may be,
 * so that no overlong form, no surrogate and nothing above U+10FFFF gets through (RFC 3629 section
 * 4). */
static gboolean begin_utf8(PvsScanner *scanner, guint8 c, PvsError *error)
{
	scanner->utf8_low = 0x80;
	scanner->utf8_high = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		scanner->utf8_left = 1;
	} else if (c >= 0xe0 && c <= 0xef) {
		scanner->utf8_left = 2;
		if (c == 0xe0)
			scanner->utf8_low = 0xa0;
		else if (c == 0xed)
			scanner->utf8_high = 0x9f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		scanner->utf8_left = 3;
		if (c == 0xf0)
			scanner->utf8_low = 0x90;
		else if (c == 0xf4)
			scanner->utf8_high = 0x8f;
	} else {
		*error = PVS_ERROR_PARSE_UTF8;
		return FALSE;
	}
	return TRUE;
}

static gboolean string_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	if (scanner->utf8_left > 0) {
		if (c < scanner->utf8_low || c > scanner->utf8_high) {
			*error = PVS_ERROR_PARSE_UTF8;
			return FALSE;
		}
		scanner->utf8_left--;
		scanner->utf8_low = 0x80;
		scanner->utf8_high = 0xbf;
	} else if (c == '"') {
		return end_string(scanner, error);
	} else if (c == '\\') {
		scanner->state = IN_ESCAPE;
		return TRUE;
	} else if (c < 0x20) {
		return syntax(error);
	} else if (c >= 0x80 && !begin_utf8(scanner, c, error)) {
		return FALSE;
	}
	if (scanner->is_name)
		add_name_byte(scanner, c);
	return TRUE;
}

static gboolean escape_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (c == 'u') {
		scanner->state = IN_UNICODE;
		scanner->hex_left = 4;
		scanner->unicode = 0;
		return TRUE;
	}
	found = c ? strchr(from, c) : NULL;
	if (!found)
		return syntax(error);
	if (scanner->is_name)
		add_name_byte(scanner, (guint8)to[found - from]);
	scanner->state = IN_STRING;
	return TRUE;
}

static gboolean unicode_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	char utf8[6];
	gint size;

	if (!g_ascii_isxdigit(c))
		return syntax(error);
	scanner->unicode = scanner->unicode << 4 | (guint32)g_ascii_xdigit_value((char)c);
	if (--scanner->hex_left > 0)
		return TRUE;

	if (scanner->high) {
		if (scanner->unicode < 0xdc00 || scanner->unicode > 0xdfff)
			return syntax(error);
		scanner->unicode =
			0x10000 + ((scanner->high - 0xd800) << 10) + (scanner->unicode - 0xdc00);
		scanner->high = 0;
	} else if (scanner->unicode >= 0xd800 && scanner->unicode <= 0xdbff) {
		scanner->high = scanner->unicode;
		scanner->state = AFTER_HIGH;
		return TRUE;
	} else if (scanner->unicode >= 0xdc00 && scanner->unicode <= 0xdfff) {
		return syntax(error);
	} else if (scanner->unicode == 0) {
		*error = PVS_ERROR_PARSE_NUL;
		return FALSE;
	}
	scanner->state = IN_STRING;
	if (scanner->is_name) {
		size = g_unichar_to_utf8(scanner->unicode, utf8);
		for (gint i = 0; i < size; i++)
			add_name_byte(scanner, (guint8)utf8[i]);
	}
	return TRUE;
}

static gboolean end_number(PvsScanner *scanner, PvsError *error)
{
	scanner->number[scanner->number_size] = '\0';
	if (!pvs_lexeme_number(scanner->number, error))
		return FALSE;
	value_ended(scanner);
	return TRUE;
}

static gboolean begin_value(PvsScanner *scanner, guint8 c, PvsError *error)
{
	switch (c) {
	case '{':
	case '[':
		return open_level(scanner, c == '{', error);
	case '"':
		return begin_string(scanner, FALSE, error);
	case 't':
		scanner->literal = "rue";
		break;
	case 'f':
		scanner->literal = "alse";
		break;
	case 'n':
		scanner->literal = "ull";
		break;
	default:
		if (c != '-' && !g_ascii_isdigit(c)) {
			if (c >= 0x80)
				*error = PVS_ERROR_PARSE_UTF8;
			return c >= 0x80 ? FALSE : syntax(error);
		}
		scanner->number[0] = (char)c;
		scanner->number_size = 1;
		scanner->state = IN_NUMBER;
		return count(scanner, error);
	}
	scanner->state = IN_LITERAL;
	return count(scanner, error);
}

/* A byte where no token is under way. */
static gboolean structure_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	if (pvs_lexeme_space(c))
		return TRUE;
	switch (scanner->state) {
	case WANT_VALUE_OR_END:
		if (c == ']')
			return close_level(scanner, FALSE, error);
		return begin_value(scanner, c, error);
	case WANT_VALUE:
		return begin_value(scanner, c, error);
	case WANT_NAME_OR_END:
		if (c == '}')
			return close_level(scanner, TRUE, error);
		return c == '"' ? begin_string(scanner, TRUE, error) : syntax(error);
	case WANT_NAME:
		return c == '"' ? begin_string(scanner, TRUE, error) : syntax(error);
	case WANT_COLON:
		scanner->state = WANT_VALUE;
		return c == ':' ? TRUE : syntax(error);
	case WANT_COMMA_OR_END:
		if (c == '}' || c == ']')
			return close_level(scanner, c == '}', error);
		scanner->state = innermost(scanner)->object ? WANT_NAME : WANT_VALUE;
		return c == ',' ? TRUE : syntax(error);
	default:
		g_assert_not_reached();
	}
}

static gboolean number_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	if (!g_ascii_isdigit(c) && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-')
		return end_number(scanner, error) && structure_byte(scanner, c, error);
	if (scanner->number_size >= NUMBER_MAX) {
		*error = PVS_ERROR_PARSE_NUMBER;
		return FALSE;
	}
	scanner->number[scanner->number_size++] = (char)c;
	return TRUE;
}

static gboolean text_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	switch (scanner->state) {
	case IN_STRING:
		return string_byte(scanner, c, error);
	case IN_ESCAPE:
		return escape_byte(scanner, c, error);
	case IN_UNICODE:
		return unicode_byte(scanner, c, error);
	case AFTER_HIGH:
		scanner->state = AFTER_HIGH_SLASH;
		return c == '\\' ? TRUE : syntax(error);
	case AFTER_HIGH_SLASH:
		scanner->state = IN_UNICODE;
		scanner->hex_left = 4;
		scanner->unicode = 0;
		return c == 'u' ? TRUE : syntax(error);
	case IN_NUMBER:
		return number_byte(scanner, c, error);
	case IN_LITERAL:
		if (c != (guint8)*scanner->literal)
			return syntax(error);
		if (!*++scanner->literal)
			value_ended(scanner);
		return TRUE;
	default:
		return structure_byte(scanner, c, error);
	}
}

static gboolean in_string(State state)
{
	return state == IN_STRING || state == IN_ESCAPE || state == IN_UNICODE ||
	       state == AFTER_HIGH || state == AFTER_HIGH_SLASH;
}

/* Behind an error only strings and depth count. A raw line feed in a string ends the skipping: no
 * valid text has one, so it is where a client that ends its calls with one goes on. */
static void skip_byte(PvsScanner *scanner, guint8 c)
{
	if (scanner->skip_string) {
		if (c == '\n')
			scanner->mode = MODE_BETWEEN;
		else if (scanner->skip_escape)
			scanner->skip_escape = FALSE;
		else if (c == '\\')
			scanner->skip_escape = TRUE;
		else if (c == '"')
			scanner->skip_string = FALSE;
	} else if (c == '"') {
		scanner->skip_string = TRUE;
	} else if (c == '{' || c == '[') {
		scanner->skip_depth++;
	} else if (c == '}' || c == ']') {
		if (--scanner->skip_depth == 0)
			scanner->mode = MODE_BETWEEN;
	}
}

/* The byte @c of a text was wrong, or too much; @before is the state in which it was met. */
static void begin_skip(PvsScanner *scanner, State before, guint depth, guint8 c)
{
	drop_names(scanner);
	scanner->mode = MODE_SKIP;
	scanner->skip_depth = depth;
	scanner->skip_string = in_string(before);
	scanner->skip_escape = before == IN_ESCAPE || before == AFTER_HIGH_SLASH;
	skip_byte(scanner, c);
}

static PvsScanResult garbage_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	if (c != '\n') {
		scanner->word[scanner->word_size++] = (char)c;
		switch (pvs_lexeme_http(scanner->word, scanner->word_size)) {
		case PVS_HTTP:
			scanner->mode = MODE_DEAD;
			*error = PVS_ERROR_HTTP;
			return PVS_SCAN_FATAL;
		case PVS_HTTP_PERHAPS:
			return PVS_SCAN_MORE;
		case PVS_HTTP_NOT:
			break;
		}
	}
	scanner->mode = c == '\n' ? MODE_BETWEEN : MODE_LINE;
	*error = PVS_ERROR_PARSE_GARBAGE;
	return PVS_SCAN_ERROR;
}

static PvsScanResult between_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	if (pvs_lexeme_space(c))
		return PVS_SCAN_MORE;
	if (c == '{' || c == '[') {
		begin_text(scanner);
		scanner->text_size = 1;
		if (open_level(scanner, c == '{', error))
			return PVS_SCAN_MORE;
		begin_skip(scanner, WANT_VALUE, 0, c);
		return PVS_SCAN_ERROR;
	}
	scanner->mode = MODE_GARBAGE;
	scanner->text_size = 0;
	scanner->word_size = 0;
	return garbage_byte(scanner, c, error);
}

/* Plain characters inside a string that is no name: most of all bytes there are, since documents
 * and headers are base64. Returns how many of @size are plain. */
static gsize plain(const guint8 *data, gsize size)
{
	gsize n = 0;

	while (n < size && data[n] >= 0x20 && data[n] < 0x80 && data[n] != '"' && data[n] != '\\')
		n++;
	return n;
}

static PvsScanResult one_byte(PvsScanner *scanner, guint8 c, PvsError *error)
{
	State before = scanner->state;
	guint depth = scanner->depth;

	switch (scanner->mode) {
	case MODE_BETWEEN:
		return between_byte(scanner, c, error);
	case MODE_GARBAGE:
		return garbage_byte(scanner, c, error);
	case MODE_LINE:
	case MODE_TEXT:
	case MODE_SKIP:
		if (++scanner->text_size > scanner->limits.size) {
			drop_names(scanner);
			scanner->mode = MODE_DEAD;
			*error = PVS_ERROR_TOO_LARGE;
			return PVS_SCAN_FATAL;
		}
		break;
	case MODE_DEAD:
		return PVS_SCAN_MORE;
	}
	if (scanner->mode == MODE_SKIP || scanner->mode == MODE_LINE) {
		if (scanner->mode == MODE_SKIP)
			skip_byte(scanner, c);
		else if (c == '\n')
			scanner->mode = MODE_BETWEEN;
		return PVS_SCAN_MORE;
	}
	if (!text_byte(scanner, c, error)) {
		begin_skip(scanner, before, depth, c);
		return PVS_SCAN_ERROR;
	}
	if (scanner->depth > 0)
		return PVS_SCAN_MORE;
	drop_names(scanner);
	scanner->mode = MODE_BETWEEN;
	scanner->text_done = TRUE;
	return PVS_SCAN_TEXT;
}

PvsScanResult pvs_scanner_feed(PvsScanner *scanner, const guint8 *data, gsize size, gsize *used,
			       PvsError *error)
{
	gsize i = 0;

	if (scanner->text_done) {
		scanner->text_done = FALSE;
		scanner->text_size = 0;
	}
	while (i < size) {
		PvsScanResult result;

		if (scanner->mode == MODE_TEXT && scanner->state == IN_STRING &&
		    !scanner->is_name && scanner->utf8_left == 0) {
			gsize room = scanner->limits.size - scanner->text_size;
			gsize n = plain(data + i, MIN(size - i, room));

			scanner->text_size += n;
			i += n;
			if (i == size)
				break;
		}
		result = one_byte(scanner, data[i++], error);
		if (result != PVS_SCAN_MORE) {
			*used = i;
			return result;
		}
	}
	*used = i;
	return PVS_SCAN_MORE;
}

gsize pvs_scanner_text_size(const PvsScanner *scanner)
{
	return scanner->mode == MODE_TEXT || scanner->text_done ? scanner->text_size : 0;
}

gboolean pvs_scanner_idle(const PvsScanner *scanner)
{
	return scanner->mode == MODE_BETWEEN;
}

gboolean pvs_scanner_finish(PvsScanner *scanner, PvsError *error)
{
	gboolean owed = scanner->mode == MODE_GARBAGE;

	scanner->mode = MODE_DEAD;
	drop_names(scanner);
	if (owed)
		*error = PVS_ERROR_PARSE_GARBAGE;
	return owed;
}

const PvsSecretSpan *pvs_scanner_secrets(const PvsScanner *scanner, guint *n)
{
	*n = scanner->secrets->len;
	return (const PvsSecretSpan *)(const void *)scanner->secrets->data;
}
