/* SPDX-License-Identifier: MIT */
/* json.h - cJSON for people who have enough memory: numbers of 64 bits, strings of
 * any bytes, unknown values as null. All add a member of that name to an object. */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* Takes item over. */
void json_add(cJSON *object, const char *name, cJSON *item);

/* The same for an array. */
void json_push(cJSON *array, cJSON *item);

/* A new member, empty. */
cJSON *json_array(cJSON *object, const char *name);
cJSON *json_object(cJSON *object, const char *name);

void json_bool(cJSON *object, const char *name, bool value);
void json_number(cJSON *object, const char *name, uint64_t number);

/* null where it is 0. */
void json_known(cJSON *object, const char *name, uint64_t number);

/* RFC 3339; null where it is 0. */
void json_time(cJSON *object, const char *name, uint64_t real_ns);

/* Bytes that may be anything; null where there are none (NULL). */
void json_string(cJSON *object, const char *name, const char *bytes);

/* The same by itself, not NULL. */
cJSON *json_string_of(const char *bytes);

#endif
