// Does what its args say, and tells what it was given: echo, in C. The order is that of `work`.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "flyball_worker.h"
#include "json.h"

static const char *const CLASSES[] = {"transient", "permanent", "validation", "timeout", "resource"};
static const char *const CAUSES[] = {"cancel", "drain", "deadline"};
static const char *const STATES[] = {"succeeded", "cancelled", "discarded", "unfinished"};

static ended_t failed(int class, text_t message) {
    return (ended_t){.failed = 1, .as.failure = {.class = class, .message = message}};
}

static maybe_text_t maybe(text_t value) { return (maybe_text_t){value.ptr != NULL, value}; }

static maybe_u64_t maybe_whole(text_t value) { return (maybe_u64_t){value.ptr != NULL, json_whole(value, 0)}; }

static void speak(text_t orders, const job_t *job) {
    text_t said = json_text(json_member(orders, "log"));
    if (said.ptr != NULL) {
        buffer_t attempt = {0}, length = {0};
        put(&attempt, "%u", job->attempt);
        put(&length, "%u", said.len);
        const field_t fields[] = {{literal("attempt"), {attempt.ptr, attempt.len}},
                                  {literal("length"), {length.ptr, length.len}}};
        log_write(LOG_INFO, said.ptr, said.len, fields, 2);
    }
    said = json_text(json_member(orders, "stdout"));
    if (said.ptr != NULL) { printf("%.*s\n", (int)said.len, said.ptr); fflush(stdout); }
    said = json_text(json_member(orders, "stderr"));
    if (said.ptr != NULL) fprintf(stderr, "%.*s\n", (int)said.len, said.ptr);
    said = json_member(orders, "progress");
    if (said.ptr != NULL) progress_report(atof(said.ptr), 1, "echo", 4);
    said = json_member(orders, "cost");
    if (said.ptr != NULL) cost_add((uint64_t)json_whole(said, 0));
}

static void sleep_ms(long long ms) {
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static maybe_byte_t pass_time(text_t orders) {
    sleep_ms(json_whole(json_member(orders, "sleep_ms"), 0));
    maybe_byte_t cause = {0};
    for (stopping(&cause); json_is_true(json_member(orders, "until_stopped")) && !cause.some; stopping(&cause)) sleep_ms(5);
    return cause;
}

static follow_up_t wanted_by(text_t wish) {
    const text_t args = json_member(wish, "args"), tags = json_member(wish, "tags");
    text_t *said = malloc(32 * sizeof *said);
    uint32_t count = 0;
    for (text_t tag = json_next(tags, (text_t){0, 0}); tag.ptr != NULL && count < 32; tag = json_next(tags, tag))
        said[count++] = json_text(tag);
    const maybe_u64_t priority = maybe_whole(json_member(wish, "priority"));
    const maybe_u64_t attempts = maybe_whole(json_member(wish, "max_attempts"));
    return (follow_up_t){
        .kind = json_text(json_member(wish, "kind")),
        .args = args.ptr == NULL ? literal("null") : args,
        .queue = maybe(json_text(json_member(wish, "queue"))),
        .priority = {priority.some, priority.value},
        .delay_ms = maybe_whole(json_member(wish, "delay_ms")),
        .unique_key = maybe(json_text(json_member(wish, "unique_key"))),
        .unique_active_key = maybe(json_text(json_member(wish, "unique_active_key"))),
        .max_attempts = {attempts.some, attempts.value},
        .executor_class = maybe(json_text(json_member(wish, "executor_class"))),
        .tags = {said, count},
    };
}

// Adds what was refused to the list; the failure, if that is not wanted.
static int refused(text_t orders, const asked_t *asked, buffer_t *refusals, ended_t *ended) {
    if (!asked->refused) return 0;
    buffer_t why = {0};
    put_raw(&why, literal("follow-up refused: "));
    put_raw(&why, asked->as.why);
    const text_t text = {why.ptr, why.len};
    *ended = failed(PERMANENT, text);
    if (refusals->len > 1) put(refusals, ",");
    put_quoted(refusals, text);
    return !json_is_true(json_member(orders, "despite_refusals"));
}

static int ask(text_t orders, buffer_t *refusals, ended_t *ended) {
    const text_t wishes = json_member(orders, "follow_ups"), barrier = json_member(orders, "barrier");
    asked_t asked;
    put(refusals, "[");
    for (text_t wish = json_next(wishes, (text_t){0, 0}); wish.ptr != NULL; wish = json_next(wishes, wish)) {
        const follow_up_t job = wanted_by(wish);
        for (long long n = json_whole(json_member(wish, "times"), 1); n > 0; n--) {
            follow_up_add(&job, &asked);
            if (refused(orders, &asked, refusals, ended)) return 1;
        }
    }
    put(refusals, "]");
    if (barrier.ptr == NULL) return 0;
    const follow_up_t continuation = wanted_by(barrier);
    barrier_set(&continuation, &asked);
    if (asked.refused) *ended = failed(PERMANENT, asked.as.why);
    return asked.refused;
}

static void put_children(buffer_t *to) {
    children_t page;
    uint32_t offset = 0;
    put(to, "[");
    for (children_list(offset, 100, &page); page.len > 0; children_list(offset, 100, &page)) {
        for (const child_t *child = page.ptr; child < page.ptr + page.len; child++) {
            put(to, "%s{\"id\":", offset++ > 0 ? "," : "");
            put_quoted(to, child->id);
            put(to, ",\"kind\":");
            put_quoted(to, child->kind);
            put(to, ",\"state\":\"%s\",\"attempts\":%u,\"output\":", STATES[child->state], child->attempts);
            put_raw(to, child->output.some ? child->output.value : literal("null"));
            put(to, ",\"error\":");
            put_maybe(to, child->error_message);
            put(to, "}");
        }
    }
    put(to, "]");
}

static void put_job(buffer_t *to, const job_t *job) {
    const struct { const char *name; text_t text; } texts[] = {
        {"id", job->id}, {"run_id", job->run_id}, {"kind", job->kind}, {"queue", job->queue}};
    put(to, "{");
    for (size_t n = 0; n < 4; n++) { put(to, "\"%s\":", texts[n].name); put_quoted(to, texts[n].text); put(to, ","); }
    put(to, "\"attempt\":%u,\"failures\":%u,\"max_attempts\":%u,", job->attempt, job->failures, job->max_attempts);
    put(to, "\"created_at\":%lld,\"scheduled_at\":%lld,\"deadline\":%lld,\"parent_id\":", job->created_at,
        job->scheduled_at, job->deadline);
    put_maybe(to, job->parent_id);
    put(to, ",\"tags\":[");
    for (uint32_t n = 0; n < job->tags.len; n++) { put(to, n ? "," : ""); put_quoted(to, job->tags.ptr[n]); }
    put(to, "],\"request_id\":");
    put_maybe(to, job->request_id);
    put(to, ",\"traceparent\":");
    put_maybe(to, job->traceparent);
    put(to, ",\"metadata\":");
    put_raw(to, job->metadata);
    put(to, "}");
}

static ended_t failure(text_t wrong) {
    const text_t class = json_text(json_member(wrong, "class"));
    ended_t ended = failed(TRANSIENT, json_text(json_member(wrong, "message")));
    for (int n = 0; n < 5; n++)
        if (class.len == strlen(CLASSES[n]) && memcmp(class.ptr, CLASSES[n], class.len) == 0) ended.as.failure.class = n;
    ended.as.failure.detail = maybe(json_text(json_member(wrong, "detail")));
    ended.as.failure.retry_after_ms = maybe_whole(json_member(wrong, "retry_after_ms"));
    return ended;
}

static void count_on(buffer_t *counted) {
    maybe_text_t saved;
    saved_t answer;
    checkpoint_load(&saved);
    long long number = 0;
    for (uint32_t n = 0; saved.some && n < saved.value.len; n++) number = 10 * number + saved.value.ptr[n] - '0';
    buffer_t next = {0};
    put(&next, "%lld", number + 1);
    checkpoint_save(next.ptr, next.len, &answer);
    put(counted, "%lld", number);
}

// What the host gives is all the chance there is: `rand` is the same in every attempt, as the standard wants it.
static ended_t draw(void) {
    uint64_t drawn[2];
    buffer_t said = {0};
    if (getentropy(drawn, sizeof drawn) != 0) return failed(PERMANENT, literal("no chance"));
    put(&said, "[\"%llu\",\"%llu\"]", (unsigned long long)drawn[0], (unsigned long long)drawn[1]);
    return (ended_t){.as.outcome = {COMPLETE, .as.output = maybe((text_t){said.ptr, said.len})}};
}

static ended_t work(const job_t *job) {
    const text_t orders = job->args;
    buffer_t counted = {0}, refusals = {0}, family = {0}, echo = {0};
    ended_t ended = {0};
    speak(orders, job);
    if (json_is_true(json_member(orders, "count_on"))) count_on(&counted);
    else put(&counted, "null");
    const maybe_byte_t stopped = pass_time(orders);
    if (json_is_true(json_member(orders, "draw"))) return draw();
    if (ask(orders, &refusals, &ended)) return ended;
    if (json_is_true(json_member(orders, "children"))) put_children(&family);
    else put(&family, "null");
    if (json_member(orders, "panic").ptr != NULL) {
        fprintf(stderr, "%.*s\n", (int)json_text(json_member(orders, "panic")).len, json_text(json_member(orders, "panic")).ptr);
        __builtin_trap();
    }
    const text_t wrong = json_member(orders, "fail");
    if (wrong.ptr != NULL && job->failures < json_whole(json_member(wrong, "times"), 1LL << 40)) return failure(wrong);
    const text_t delay = json_member(orders, "snooze_ms"), reason = json_text(json_member(orders, "cancel"));
    if (delay.ptr != NULL) return (ended_t){.as.outcome = {SNOOZE, .as.delay_ms = (uint64_t)json_whole(delay, 0)}};
    if (reason.ptr != NULL) return (ended_t){.as.outcome = {CANCEL, .as.reason = reason}};
    put(&echo, "{\"args\":");
    put_raw(&echo, job->args);
    put(&echo, ",\"job\":");
    put_job(&echo, job);
    put(&echo, ",\"stopped\":");
    put_maybe(&echo, stopped.some ? maybe(literal(CAUSES[stopped.value])) : (maybe_text_t){0});
    put(&echo, ",\"refusals\":");
    put_raw(&echo, (text_t){refusals.ptr, refusals.len});
    put(&echo, ",\"counted\":%.*s,\"children\":", (int)counted.len, counted.ptr);
    put_raw(&echo, (text_t){family.ptr, family.len});
    put(&echo, "}");
    const text_t output = json_member(orders, "output");
    ended.failed = 0;
    ended.as.outcome = (outcome_t){COMPLETE, .as.output = maybe(output.ptr ? output : (text_t){echo.ptr, echo.len})};
    return ended;
}

EXPORT("run") ended_t *run(const job_t *job) {
    static ended_t ended;
    ended = work(job);
    return &ended;
}

EXPORT("describe") const description_t *describe(void) {
    static const text_t needs[] = {{"enqueue:report", 14}};
    static description_t said;
    said = (description_t){
        .summary = literal("Does what its args say, and tells what it was given"),
        .args_schema = maybe(literal("{\"properties\":{\"snooze_ms\":{\"type\":[\"integer\",\"null\"],\"minimum\":0}}}")),
        .defaults = {.timeout_ms = {1, 60000}, .fuel = {1, 20000000000}, .memory_bytes = {1, 128 << 20},
                     .max_attempts = {1, 25}, .backoff_base_ms = {1, 1000}, .backoff_cap_ms = {1, 60000}},
        .needs = {needs, 1},
    };
    return &said;
}

// How the host asks for room to put args and answers into.
EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)old_size, (void)align; // `realloc` aligns for every type, and knows the old size.
    return realloc(old, size ? size : 1);
}
