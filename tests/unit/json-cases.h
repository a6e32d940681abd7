/* SPDX-License-Identifier: MIT */
/*
 * json-cases.h - texts that are JSON, that are none, and that some take for JSON
 */
#pragma once

#include <glib.h>

typedef struct {
	const char *text;
	gsize size;
} JsonCase;

typedef struct {
	const JsonCase *cases;
	gsize n;
	gboolean passes;
} JsonCases;

/* What RFC 8259 has; what it has not; what it leaves to the reader and is refused here. */
enum { JSON_YES, JSON_NO, JSON_NARROW, JSON_CASES };
extern const JsonCases json_cases[JSON_CASES];
