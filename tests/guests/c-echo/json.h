// As much JSON as echo needs. What is read comes from the host, which has parsed it: it is valid and compact.

#ifndef JSON_H
#define JSON_H

#include "flyball_worker.h"

// A member of an object, or an item of an array, as it stands there. Its `ptr` is null if there is none.
text_t json_member(text_t object, const char *key);
text_t json_next(text_t array, text_t before);
// What a string says, its escapes undone.
text_t json_text(text_t value);
long long json_whole(text_t value, long long otherwise);
int json_is_true(text_t value);

// A text that grows.
typedef struct { char *ptr; uint32_t len, room; } buffer_t;
void put(buffer_t *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void put_raw(buffer_t *, text_t);
void put_quoted(buffer_t *, text_t);
void put_maybe(buffer_t *, maybe_text_t);
text_t literal(const char *);

#endif
