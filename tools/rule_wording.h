/* SPDX-License-Identifier: MIT */
/* rule_wording.h - rules in plain words. What comes from outside is escaped. */
#ifndef TOOLS_RULE_WORDING_H
#define TOOLS_RULE_WORDING_H

#include "core/rules.h"
#include "tools/host.h"

enum { RULE_PLACE_MAX = 512, RULE_EFFECT_MAX = 512, RULE_PRINT_MAX = 1 << 16 };

/* Where it stands: "web.rules:3", to a buffer of RULE_PLACE_MAX bytes. Returns it. */
const char *rule_place(char *buf, const struct rules *rules, const struct rule *rule);

/* The rule as the language says it, to a buffer of RULE_PRINT_MAX bytes. Returns it. */
const char *rule_words(char *buf, const struct rules *rules, const struct rule *rule);

/* What it does to a call that it matches: "told :80, goes to 127.0.0.1:8080". On this host,
 * or on any (NULL). To a buffer of RULE_EFFECT_MAX bytes. Returns it. */
const char *rule_effect(char *buf, const struct rules *rules, const struct rule *rule,
                        const struct host *host);

/* What a fault does to a call whose turn it is: "ETIMEDOUT, with a chance of 5%". To a buffer
 * of RULE_EFFECT_MAX bytes. Returns it. */
const char *fault_effect(char *buf, const struct rule *rule);

/* What a pattern asks for: "10.0.0.0/8:80-90", "*" for anything. */
const char *pattern_words(char *buf, const struct rules *rules, const struct pattern *pattern);

#endif
