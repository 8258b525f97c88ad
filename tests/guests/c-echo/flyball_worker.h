// The contract in C, written by hand: the records of worker.wit as structs, its functions as imports.
// The canonical ABI lays records out as C does on wasm32; a linker that knows the contract checks the signatures.
// The builds of others take what wit-bindgen generates instead; this shows that nothing more is behind it.

#ifndef FLYBALL_WORKER_H
#define FLYBALL_WORKER_H

#include <stdint.h>

typedef struct { const char *ptr; uint32_t len; } text_t;
typedef struct { const text_t *ptr; uint32_t len; } texts_t;
typedef struct { uint8_t some; text_t value; } maybe_text_t;
typedef struct { uint8_t some; uint8_t value; } maybe_byte_t;
typedef struct { uint8_t some; uint16_t value; } maybe_u16_t;
typedef struct { uint8_t some; uint32_t value; } maybe_u32_t;
typedef struct { uint8_t some; uint64_t value; } maybe_u64_t;

typedef struct {
    text_t id, run_id, kind, queue, args;
    uint32_t attempt, failures, max_attempts;
    maybe_text_t parent_id;
    int64_t created_at, scheduled_at, deadline;
    texts_t tags;
    maybe_text_t request_id, traceparent;
    text_t metadata;
} job_t;

enum { TRANSIENT, PERMANENT, VALIDATION, TIMEOUT, RESOURCE };
typedef struct { uint8_t class; text_t message; maybe_text_t detail; maybe_u64_t retry_after_ms; } failure_t;

enum { COMPLETE, SNOOZE, CANCEL };
typedef struct {
    uint8_t tag;
    union { maybe_text_t output; uint64_t delay_ms; text_t reason; } as;
} outcome_t;
typedef struct { uint8_t failed; union { outcome_t outcome; failure_t failure; } as; } ended_t;

typedef struct {
    maybe_u64_t timeout_ms, fuel, memory_bytes;
    maybe_u32_t max_attempts;
    maybe_u64_t backoff_base_ms, backoff_cap_ms;
} defaults_t;
typedef struct { text_t summary; maybe_text_t args_schema; defaults_t defaults; texts_t needs; } description_t;

typedef struct {
    text_t kind, args;
    maybe_text_t queue;
    maybe_u16_t priority;
    maybe_u64_t delay_ms;
    maybe_text_t unique_key, unique_active_key;
    maybe_u32_t max_attempts;
    maybe_text_t executor_class;
    texts_t tags;
} follow_up_t;
typedef struct { uint8_t refused; struct { uint8_t tag; text_t why; } as; } asked_t;

enum { SUCCEEDED, CANCELLED, DISCARDED, UNFINISHED };
typedef struct {
    text_t id, kind;
    uint8_t state;
    uint32_t attempts;
    maybe_text_t output;
    maybe_byte_t error_class;
    maybe_text_t error_message;
} child_t;
typedef struct { const child_t *ptr; uint32_t len; } children_t;
typedef struct { text_t name, value; } field_t;
typedef struct { uint8_t refused; text_t why; } saved_t;

#define FROM(interface, name) \
    __attribute__((import_module("flyball:worker/" interface "@0.1.0"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

enum { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
FROM("log", "write") void log_write(int level, const char *, uint32_t, const field_t *, uint32_t);
FROM("progress", "report") void progress_report(double fraction, int has_note, const char *, uint32_t);
FROM("stopping", "stopping") void stopping(maybe_byte_t *cause);
FROM("follow-ups", "add") void follow_up_add(const follow_up_t *, asked_t *);
FROM("barrier", "set") void barrier_set(const follow_up_t *, asked_t *);
FROM("children", "list") void children_list(uint32_t offset, uint32_t limit, children_t *);
FROM("checkpoint", "load") void checkpoint_load(maybe_text_t *);
FROM("checkpoint", "save") void checkpoint_save(const char *, uint32_t, saved_t *);
FROM("cost", "add") void cost_add(uint64_t micros);

#endif
