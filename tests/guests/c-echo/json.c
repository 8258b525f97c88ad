// As much JSON as echo needs.

#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

text_t literal(const char *words) { return (text_t){words, strlen(words)}; }

// Behind the value that begins here.
static const char *behind(const char *at, const char *end) {
    int depth = 0;
    for (; at < end; at++) {
        if (*at == '"')
            for (at++; *at != '"'; at++)
                if (*at == '\\') at++;
        if (*at == '{' || *at == '[') depth++;
        if ((*at == '}' || *at == ']') && depth-- == 0) return at;
        if (*at == ',' && depth == 0) return at;
        if (*at == ':' && depth == 0) return at;
    }
    return end;
}

static text_t value_at(const char *at, const char *end) { return (text_t){at, behind(at, end) - at}; }

text_t json_member(text_t object, const char *key) {
    const text_t none = {0, 0};
    if (object.ptr == NULL || object.len < 3 || object.ptr[0] != '{') return none;
    const char *end = object.ptr + object.len - 1;
    for (const char *at = object.ptr + 1; at < end;) {
        const text_t name = value_at(at, end), value = value_at(name.ptr + name.len + 1, end);
        if (name.len == strlen(key) + 2 && memcmp(name.ptr + 1, key, strlen(key)) == 0)
            return value.len == 4 && memcmp(value.ptr, "null", 4) == 0 ? none : value;
        at = value.ptr + value.len + 1;
    }
    return none;
}

text_t json_next(text_t array, text_t before) {
    const char *end = array.ptr + array.len - 1;
    const char *at = before.ptr == NULL ? array.ptr + 1 : before.ptr + before.len + 1;
    return array.ptr == NULL || at >= end ? (text_t){0, 0} : value_at(at, end);
}

static char *put_code(char *to, unsigned code) {
    if (code < 0x80) { *to++ = (char)code; return to; }
    if (code < 0x800) *to++ = (char)(0xc0 | code >> 6);
    else if (code < 0x10000) { *to++ = (char)(0xe0 | code >> 12); *to++ = (char)(0x80 | (code >> 6 & 0x3f)); }
    else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

static unsigned four_digits(const char *at) {
    char digits[5] = {at[0], at[1], at[2], at[3], 0};
    return (unsigned)strtoul(digits, NULL, 16);
}

text_t json_text(text_t value) {
    if (value.ptr == NULL || value.ptr[0] != '"') return (text_t){0, 0};
    char *said = malloc(value.len), *to = said;
    for (const char *at = value.ptr + 1, *end = value.ptr + value.len - 1; at < end; at++) {
        if (*at != '\\') { *to++ = *at; continue; }
        const char *escape = strchr("n\nt\tr\rb\bf\f", *++at);
        if (*at == 'u') {
            unsigned code = four_digits(at + 1);
            at += 4;
            if (code >> 10 == 0x36) { code = 0x10000 + ((code & 0x3ff) << 10) + (four_digits(at + 3) & 0x3ff); at += 6; }
            to = put_code(to, code);
        } else *to++ = escape ? escape[1] : *at;
    }
    return (text_t){said, to - said};
}

long long json_whole(text_t value, long long otherwise) { return value.ptr == NULL ? otherwise : atoll(value.ptr); }

int json_is_true(text_t value) { return value.ptr != NULL && value.ptr[0] == 't'; }

void put_raw(buffer_t *to, text_t text) {
    if (to->len + text.len > to->room) {
        to->room = 2 * (to->len + text.len);
        to->ptr = realloc(to->ptr, to->room);
    }
    memcpy(to->ptr + to->len, text.ptr, text.len);
    to->len += text.len;
}

void put(buffer_t *to, const char *format, ...) {
    char line[512];
    va_list given;
    va_start(given, format);
    const int length = vsnprintf(line, sizeof line, format, given);
    va_end(given);
    put_raw(to, (text_t){line, (uint32_t)length});
}

void put_quoted(buffer_t *to, text_t text) {
    put(to, "\"");
    for (uint32_t n = 0; n < text.len; n++) {
        const unsigned char letter = (unsigned char)text.ptr[n];
        if (letter < 0x20) put(to, "\\u%04x", letter);
        else if (letter == '"' || letter == '\\') put(to, "\\%c", letter);
        else put_raw(to, (text_t){text.ptr + n, 1});
    }
    put(to, "\"");
}

void put_maybe(buffer_t *to, maybe_text_t text) {
    if (text.some) put_quoted(to, text.value);
    else put(to, "null");
}
