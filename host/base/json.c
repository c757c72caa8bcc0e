#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_LIMIT = sizeof((struct json *)0)->first };

void json_begin(struct json *json, FILE *file)
{
    *json = (struct json){.file = file, .first = {true}};
}

static void print_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        int length = utf8_length(at);
        if (length == 0)
            fputs("\xEF\xBF\xBD", file);
        else if (*at == '"' || *at == '\\')
            fprintf(file, "\\%c", *at);
        else if (*at < 0x20)
            fprintf(file, "\\u%04x", *at);
        else
            fwrite(at, 1, (size_t)length, file);
        at += length ? length : 1;
    }
    fputc('"', file);
}

/* Comma, then the key. */
static void begin_value(struct json *json, const char *key)
{
    if (!json->first[json->depth])
        fputs(json->depth ? ", " : "\n", json->file);
    json->first[json->depth] = false;
    if (key) {
        print_text(json->file, key);
        fputs(": ", json->file);
    }
}

void json_open(struct json *json, const char *key, char bracket)
{
    begin_value(json, key);
    fputc(bracket, json->file);
    assert(json->depth + 1 < DEPTH_LIMIT);
    json->first[++json->depth] = true;
}

void json_close(struct json *json, char bracket)
{
    assert(json->depth > 0);
    json->depth--;
    fputc(bracket, json->file);
}

const char *number_text(char text[NUMBER_TEXT_SIZE], double value)
{
    char shortest[NUMBER_TEXT_SIZE];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, value);
        if (strtod(shortest, NULL) == value)
            break;
    }
    return memcpy(text, shortest, sizeof shortest);
}

void json_number(struct json *json, const char *key, double value)
{
    char text[NUMBER_TEXT_SIZE];
    begin_value(json, key);
    fputs(isfinite(value) ? number_text(text, value) : "null", json->file);
}

void json_integer(struct json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    fprintf(json->file, "%lld", (long long)value);
}

void json_string(struct json *json, const char *key, const char *value)
{
    begin_value(json, key);
    print_text(json->file, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin_value(json, key);
    fputs(value ? "true" : "false", json->file);
}

void json_end(struct json *json)
{
    assert(json->depth == 0);
    fputc('\n', json->file);
}
