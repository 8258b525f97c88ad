// Does what its args say, and tells what it was given: echo, in JavaScript. The order is that of `work`.

import {
  Failure, Refused, cancel, checkpoint, children, cost, followUp, log, progress, setBarrier, snooze, stopping, worker,
} from "flyball-worker";

const about = {
  summary: "Does what its args say, and tells what it was given",
  args: { properties: { snooze_ms: { type: ["integer", "null"], minimum: 0 } } },
  timeout: "60s",
  fuel: "20G",
  memory: "128MiB",
  maxAttempts: 25,
  backoffBase: "1s",
  backoffCap: "1m",
  needs: ["enqueue:report"],
};

export const { describe, run } = worker(about, work);

function work(args, job) {
  const orders = typeof args === "object" && args !== null ? args : {};
  speak(orders, job);
  const counted = orders.count_on ? countOn() : null;
  const stopped = passTime(orders);
  if (orders.draw) return draw();
  const refusals = ask(orders);
  const family = orders.children ? Array.from(children(), toldOf) : null;
  if (orders.panic) throw new RangeError(orders.panic);
  if (orders.fail && job.failures < (orders.fail.times ?? Infinity)) throw failure(orders.fail);
  if (orders.snooze !== undefined) return snooze(orders.snooze);
  if (orders.snooze_ms !== undefined) return snooze({ milliseconds: orders.snooze_ms });
  if (orders.cancel) return cancel(orders.cancel);
  return orders.output ?? { args, job: told(job), stopped: stopped ?? null, refusals, counted, children: family };
}

function speak(orders, job) {
  if (orders.log) log.info(orders.log, { attempt: job.attempt, length: orders.log.length });
  if (orders.stdout) console.log(orders.stdout);
  if (orders.stderr) console.warn(orders.stderr);
  if (orders.progress !== undefined) progress(orders.progress, "echo");
  if (orders.cost !== undefined) cost(orders.cost);
}

function passTime(orders) {
  const until = Date.now() + (orders.sleep_ms ?? 0);
  while (Date.now() < until || (orders.until_stopped && stopping() === undefined));
  return stopping();
}

function ask(orders) {
  const refusals = [];
  for (const wanted of orders.follow_ups ?? []) {
    for (let n = 0; n < (wanted.times ?? 1); n += 1) {
      try {
        followUp(wanted.kind, wanted.args, options(wanted));
      } catch (refusal) {
        if (!(refusal instanceof Refused) || !orders.despite_refusals) throw refusal;
        refusals.push(refusal.message);
      }
    }
  }
  if (orders.barrier) setBarrier(orders.barrier.kind, orders.barrier.args, options(orders.barrier));
  return refusals;
}

function options(wanted) {
  return {
    queue: wanted.queue,
    priority: wanted.priority,
    delay: wanted.delay ?? milliseconds(wanted.delay_ms),
    uniqueKey: wanted.unique_key,
    uniqueActiveKey: wanted.unique_active_key,
    maxAttempts: wanted.max_attempts,
    executorClass: wanted.executor_class,
    tags: wanted.tags,
  };
}

function milliseconds(number) {
  return number === undefined ? undefined : { milliseconds: number };
}

/** From each source of chance that there is. */
function draw() {
  const drawn = [Math.random(), Math.random()];
  if (typeof crypto !== "undefined") drawn.push(crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(4)).join());
  return drawn.map(String);
}

function countOn() {
  const counted = checkpoint.load() ?? 0;
  checkpoint.save(counted + 1);
  return counted;
}

function toldOf(child) {
  const { id, kind, state, attempts } = child;
  const output = state === "succeeded" ? child.output() ?? null : null;
  return { id, kind, state, attempts, output, error: child.errorMessage ?? null };
}

function failure(wrong) {
  const { message = "", detail } = wrong;
  const retryAfter = wrong.retry_after ?? milliseconds(wrong.retry_after_ms);
  return new Failure(wrong.class ?? "transient", message, { detail, retryAfter });
}

function told(job) {
  return {
    id: job.id,
    run_id: job.runId,
    kind: job.kind,
    queue: job.queue,
    attempt: job.attempt,
    failures: job.failures,
    max_attempts: job.maxAttempts,
    parent_id: job.parentId ?? null,
    created_at: job.createdAt,
    scheduled_at: job.scheduledAt,
    deadline: job.deadline,
    tags: job.tags,
    request_id: job.requestId ?? null,
    traceparent: job.traceparent ?? null,
    metadata: job.metadata,
  };
}
