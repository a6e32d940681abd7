/* SPDX-License-Identifier: MIT */
/*
 * intake.c - bytes that a client sent and that are still needed
 */
#include "daemon/front/intake.h"

#include <string.h>

enum { CAPACITY_MIN = 16 * 1024 }; /* bytes; most calls fit */

void pvs_intake_reserve(PvsIntake *intake, gsize size)
{
	gsize kept = intake->end - intake->start, capacity = intake->capacity;
	guint8 *to = intake->data;

	if (capacity - intake->end >= size)
		return;
	/* Moving what is kept pays where it is not much, else it would be moved again and again. */
	if (kept > capacity / 2 || capacity - kept < size) {
		capacity = MAX(MAX(2 * capacity, CAPACITY_MIN), kept + size);
		to = g_malloc(capacity);
	}
	if (kept > 0)
		memmove(to, intake->data + intake->start, kept);
	if (to == intake->data) {
		explicit_bzero(to + kept, intake->end - kept);
	} else if (intake->data) {
		explicit_bzero(intake->data, intake->end);
		g_free(intake->data);
	}
	*intake = (PvsIntake){
		.data = to,
		.capacity = capacity,
		.scanned = intake->scanned - intake->start,
		.end = kept,
	};
}

void pvs_intake_forget(PvsIntake *intake, gsize upto)
{
	g_assert(upto >= intake->start && upto <= intake->end);
	if (upto > intake->start)
		explicit_bzero(intake->data + intake->start, upto - intake->start);
	intake->start = upto;
	if (intake->scanned < upto)
		intake->scanned = upto;
	if (upto < intake->end)
		return;
	/* Everything before start is wiped already. */
	g_free(intake->data);
	*intake = (PvsIntake){.data = NULL};
}

void pvs_intake_clear(PvsIntake *intake)
{
	pvs_intake_forget(intake, intake->end);
}
