// The types of flyball-worker: what a worker in JavaScript or TypeScript may say.

/** Text such as "500ms", "30s", "10m", or its parts: `{ minutes: 10 }`. A bare number is refused: it has no unit. */
export type Duration = string | DurationParts;
export interface DurationParts {
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  milliseconds?: number;
}
export type ErrorClass = "transient" | "permanent" | "validation" | "timeout" | "resource";
export type Fields = Record<string, unknown>;

/** The attempt that a worker is asked to make. Times are microseconds since 1970, in UTC. */
export interface Job {
  /** The job's id, a UUID. The same over all attempts: the key that makes an outside effect happen once. */
  readonly id: string;
  /** The id of this attempt, a UUID. */
  readonly runId: string;
  readonly kind: string;
  readonly queue: string;
  /** The number of this attempt, from 1. It only grows. */
  readonly attempt: number;
  /** How many attempts failed and were charged to the job. */
  readonly failures: number;
  readonly maxAttempts: number;
  /** The job whose attempt asked for this one, if it is a follow-up. */
  readonly parentId?: string;
  readonly createdAt: number;
  /** When the job was due. */
  readonly scheduledAt: number;
  /** When this attempt is stopped, at the latest. */
  readonly deadline: number;
  readonly tags: readonly string[];
  readonly requestId?: string;
  readonly traceparent?: string;
  /** Whatever else was enqueued with the job. */
  readonly metadata: Record<string, unknown>;
}

/** What a worker says about itself. What it wishes for its jobs counts where neither the job nor the manifest says
 * otherwise. */
export interface About {
  /** One line for people: what this worker does. */
  summary: string;
  /** A JSON Schema of the args. Args that do not match it fail the job before the worker runs. */
  args?: object | boolean;
  timeout?: Duration;
  /** Instructions, roughly: "5G". A billion is about 0.4 s of a tight loop. */
  fuel?: number | string;
  /** Bytes, or text such as "64MiB". */
  memory?: number | string;
  maxAttempts?: number;
  backoffBase?: Duration;
  backoffCap?: Duration;
  /** The grants without which the worker can't work: `["enqueue:report"]`. It grants nothing. */
  needs?: string[];
}

declare const outcome: unique symbol;
export interface Snooze { readonly [outcome]: "snooze" }
export interface Cancel { readonly [outcome]: "cancel" }

/** Makes a function the worker of this component: `export const { describe, run } = worker({ … }, (args, job) => …)`.
 * What the function returns is the output, written as JSON. It can't be async. */
export function worker<Args = unknown, Output = unknown>(
  about: About,
  work: (args: Args, job: Job) => Output | Snooze | Cancel,
): { describe(): unknown; run(job: unknown): unknown };

/** Return it: not yet, run the job again after this delay. It costs no attempt. */
export function snooze(delay: Duration): Snooze;
/** Return it: the job is no longer wanted. The reason is for people. */
export function cancel(reason: string): Cancel;

export interface FailureOptions {
  /** More of it: causes, a response body. */
  detail?: string;
  /** When to try again; without it the kind's backoff decides. */
  retryAfter?: Duration;
  cause?: unknown;
}

/** A failed attempt. Throw it; anything else that is thrown counts as transient. */
export class Failure extends Error {
  constructor(errorClass: ErrorClass, message: string, options?: FailureOptions);
  readonly errorClass: ErrorClass;
  readonly detail?: string;
  readonly retryAfterMs?: number;
  /** It may work next time: tried again after a delay. */
  static transient(message: string, options?: FailureOptions): Failure;
  /** It will never work: the job is discarded. */
  static permanent(message: string, options?: FailureOptions): Failure;
  /** The args are wrong: the job is discarded. */
  static invalid(message: string, options?: FailureOptions): Failure;
  /** Something took too long: tried again. */
  static timeout(message: string, options?: FailureOptions): Failure;
  /** It takes more than the job may use: the job is discarded. */
  static resource(message: string, options?: FailureOptions): Failure;
}

export interface FollowUpOptions {
  queue?: string;
  /** 0 to 32767; lower runs first, 100 is usual. */
  priority?: number;
  delay?: Duration;
  /** Not enqueued if any job with this key is still on record. */
  uniqueKey?: string;
  /** Not enqueued if an unfinished job has this key. */
  uniqueActiveKey?: string;
  maxAttempts?: number;
  executorClass?: string;
  tags?: Iterable<string>;
}

/** The host did not take a follow-up. Not caught, it is a permanent failure. */
export class Refused extends Failure {
  readonly reason: "not-granted" | "too-many" | "invalid";
}

/** Asks for a job that is enqueued if, and only if, this attempt completes. Throws `Refused`. */
export function followUp(kind: string, args?: unknown, options?: FollowUpOptions): void;
/** Sets the barrier behind the follow-ups of this attempt: this job, the continuation, is enqueued once, when all of
 * them have ended, whatever they came to. Set again, the last one counts. Throws `Refused`. */
export function setBarrier(kind: string, args?: unknown, options?: FollowUpOptions): void;

/** A job that has ended, and what it came to. */
export interface Child {
  readonly id: string;
  readonly kind: string;
  readonly state: "succeeded" | "cancelled" | "discarded" | "unfinished";
  readonly attempts: number;
  readonly errorClass?: ErrorClass;
  readonly errorMessage?: string;
  /** What it returned; undefined if nothing. Throws a permanent `Failure` if it did not succeed. */
  output<T = unknown>(): T;
}

/** The follow-ups that this job continues, in the order in which they were asked for, read page by page. */
export function children(): Generator<Child, void>;

/** Says that `fraction` of the work (0 to 1) is done. At most one report a second is stored, the last one wins. */
export function progress(fraction: number, note?: string): void;
/** Why the host wants this attempt to end, if it does. Return soon then: a short grace is left. */
export function stopping(): "cancel" | "drain" | "deadline" | undefined;
/** Adds to what this attempt cost its owner: millionths of your unit of account. */
export function cost(micros: number): void;

/** Log lines of this attempt, kept with its run. */
export declare namespace log {
  function trace(message: string, fields?: Fields): void;
  function debug(message: string, fields?: Fields): void;
  function info(message: string, fields?: Fields): void;
  function warn(message: string, fields?: Fields): void;
  function error(message: string, fields?: Fields): void;
}

/** What one attempt leaves for the next: up to 1 MiB that outlives a failure, a snooze, a crash and a move to another
 * node. It goes when the job succeeds. */
export declare namespace checkpoint {
  /** What was saved last; undefined if nothing was. */
  function load<T = unknown>(): T | undefined;
  /** Takes the place of what was saved before. */
  function save(state: unknown): void;
  function loadBytes(): Uint8Array | undefined;
  function saveBytes(bytes: Uint8Array): void;
}
