/* SPDX-License-Identifier: MIT */
/*
 * rules.h - access rules for tests, from text as it stands in pvsecretd.conf
 */
#pragma once

#include "protocol/bodies.h"

/* Everything for everybody. */
#define RULE_ALL                                                       \
	"Users=*\nMethods=*\nCcks=*\nExtensionSecrets=*\nSignKeys=*\n" \
	"Names=*\nAllowNoVerify=yes\n"

/* The same, but for verified host keys alone. */
#define RULE_VERIFIED                                                  \
	"Users=*\nMethods=*\nCcks=*\nExtensionSecrets=*\nSignKeys=*\n" \
	"Names=*\n"

/* A section of these lines; several sections are parted by an empty line, and are called s0, s1 and
 * so on. Fails where the text is wrong. */
PvsList rules_of(const char *text);
void rules_clear(PvsList *rules);
