/* SPDX-License-Identifier: MIT */
/*
 * input.h - the files that a command sends
 */
#pragma once

#include <glib.h>

#define PVS_INPUT_MAX (1024 * 1024) /* bytes of one certificate file, CRL or host-key document */

/* Reads all of @path, at most PVS_INPUT_MAX bytes and not empty. @label names it in an error. */
GBytes *pvs_input_read(const char *path, const char *label, GError **error);

/* The same; the file may be empty. */
GBytes *pvs_input_read_any(const char *path, const char *label, GError **error);

/* The same; "-" is standard input. */
GBytes *pvs_input_read_or_stdin(const char *path, const char *label, GError **error);

/* Finds the SE header of a header file or a whole image and reads it, and nothing else of a file
 * that may be gigabytes long. *@header is complete and adds up (pvs_header_parse()). */
gboolean pvs_input_header(const char *path, const char *label, GBytes **header, GError **error);
