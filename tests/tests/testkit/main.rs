//! The kit by which authors of workers try them: a component, a job, stubs for its HTTP, and no database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use flyball_testkit::{
    Answer, ErrorClass, Http, Job, LogLevel, StopCause, TestKit, TestKitError, Verdict, Worker,
};
use flyball_tests::guests;
use serde_json::{Value, json};

/// Kept for the next run of the tests, like what cargo keeps there.
static KIT: LazyLock<Arc<TestKit>> =
    LazyLock::new(|| TestKit::caching_in(concat!(env!("CARGO_TARGET_TMPDIR"), "/testkit")).unwrap());

fn worker(kind: &str) -> Worker {
    KIT.worker(guests::find(kind).unwrap().component).unwrap()
}

#[test]
fn what_a_worker_returned_logged_and_asked_for_is_told_as_values() {
    let orders = json!({
        "log": "look",
        "progress": 0.5,
        "follow_ups": [{"kind": "echo", "args": {"n": 1}, "unique_key": "k"}],
        "cost": 7,
        "output": {"n": 2},
    });
    let ended = worker("echo").run(Job::new(&orders)).unwrap();
    assert!(ended.completed(), "{:?}", ended.verdict);
    assert_eq!(ended.output::<Value>(), Some(json!({"n": 2})));
    let line = ended.log.iter().find(|line| line.message == "look").unwrap();
    let fields: Value = serde_json::from_str(line.fields.as_ref().unwrap().as_str()).unwrap();
    assert_eq!((line.level, &fields["length"]), (LogLevel::Info, &json!("4")));
    let [follow_up] = ended.follow_ups.as_slice() else { panic!("{:?}", ended.follow_ups) };
    assert_eq!((follow_up.kind.as_str(), follow_up.args.as_str()), ("echo", r#"{"n":1}"#));
    let last = ended.progress.last().unwrap();
    assert_eq!((last.fraction, last.note.as_deref()), (0.5, Some("echo")));
    assert_eq!(ended.cost_micros, 7);
    assert!(ended.meter.fuel_used > 0 && ended.meter.peak_memory_bytes > 0);
}

#[test]
fn a_failure_is_told_with_its_class_and_what_a_node_would_do() {
    let orders = json!({"fail": {"class": "transient", "message": "later", "retry_after_ms": 60_000}});
    let ended = worker("echo").run(Job::new(&orders).at("2030-01-31T12:00:00Z").unwrap()).unwrap();
    let failure = ended.failure().unwrap();
    assert_eq!((failure.class(), failure.message()), (ErrorClass::Transient, "later"));
    let retry = ended.transition.due().unwrap();
    assert!(retry.to_string().starts_with("2030-01-31T12:01:00"), "{retry}");
    let last = worker("echo").run(Job::new(&orders).failures(24).attempt(25)).unwrap();
    assert_eq!(last.transition.due(), None, "a node would give it up");
}

#[test]
fn args_that_do_not_match_the_workers_schema_fail_as_on_a_node() {
    let ended = worker("fetch").run(Job::new(&json!({"url": 7}))).unwrap();
    assert_eq!(ended.failure().unwrap().class(), ErrorClass::Validation);
    let refused = worker("fetch").run(Job::with_text("{")).unwrap_err();
    assert!(matches!(refused, TestKitError::Json { what: "args", .. }), "{refused}");
}

#[test]
fn the_job_is_as_the_test_says() {
    let job = Job::new(&json!({}))
        .attempt(3)
        .failures(2)
        .max_attempts(9)
        .queue("mail")
        .and_then(|job| job.tag("a"))
        .and_then(|job| job.at("2030-01-31T12:00:00.000001Z"))
        .unwrap();
    let ended = worker("echo").run(job).unwrap();
    let told: Value = ended.output().unwrap();
    assert_eq!(told["job"]["attempt"], 3, "{told}");
    assert_eq!((&told["job"]["failures"], &told["job"]["max_attempts"]), (&json!(2), &json!(9)));
    assert_eq!((&told["job"]["queue"], &told["job"]["tags"]), (&json!("mail"), &json!(["a"])));
}

#[test]
fn http_goes_to_stubs_by_url_and_what_was_requested_is_told() {
    let rates = Answer::ok(r#"{"EUR": 1.1}"#).header("content-type", "application/json");
    let http = Http::new()
        .on("POST", "https://api.example.com/rates?of=EUR", rates)
        .otherwise(Answer::status(404).body("nothing here"));
    let fetch = worker("fetch");
    let at = "2030-01-31T12:00:00Z";
    let asked = json!({"url": "https://api.example.com/rates?of=EUR", "body": "x".repeat(5000)});
    let ended = fetch.run(Job::new(&asked).http(http.clone()).at(at).unwrap()).unwrap();
    let fetched: Value = ended.output().unwrap_or_else(|| panic!("{:?}", ended.verdict));
    let expected = json!({"status": 200, "kind": "application/json", "body": r#"{"EUR": 1.1}"#});
    for name in ["status", "kind", "body"] {
        assert_eq!(fetched[name], expected[name]);
    }
    let [request] = ended.requests.as_slice() else { panic!("{:?}", ended.requests) };
    assert_eq!((request.method.as_str(), request.body.len()), ("POST", 5000));
    assert_eq!(request.url, "https://api.example.com/rates?of=EUR");
    assert_eq!(request.headers["x-asked-by"], "fetch");

    let now = fetched["now"].as_u64().unwrap() - 1_896_091_200;
    assert!(now < 60, "its clock begins at the time of the job and goes on: {now} s");

    let elsewhere = json!({"url": "https://other.example.com/"});
    let ended = fetch.run(Job::new(&elsewhere).http(http)).unwrap();
    let fetched: Value = ended.output().unwrap();
    assert_eq!((&fetched["status"], &fetched["body"]), (&json!(404), &json!("nothing here")));
    assert_eq!(ended.requests[0].method, "GET");
}

#[test]
fn http_fails_as_the_test_says() {
    let url = "https://api.example.com/";
    let fetch = worker("fetch");
    let failed = |answer: Answer| {
        let ended =
            fetch.run(Job::new(&json!({"url": url})).http(Http::new().on("get", url, answer))).unwrap();
        ended.failure().unwrap().message().to_owned()
    };
    assert_eq!(failed(Answer::Refused), "no response: ErrorCode::ConnectionRefused");
    assert_eq!(failed(Answer::TimedOut), "no response: ErrorCode::ConnectionReadTimeout");
    assert_eq!(failed(Answer::ok("half of it").breaking_off()), "the body broke off after 10 bytes");
}

#[test]
fn http_without_stubs_is_denied_as_on_a_node() {
    let ended = worker("fetch").run(Job::new(&json!({"url": "https://api.example.com/"}))).unwrap();
    assert_eq!(ended.failure().unwrap().message(), "no response: ErrorCode::HttpRequestDenied");
    assert!(ended.log.iter().any(|line| line.message.starts_with("denied: GET to api.example.com")));
    assert!(ended.requests.is_empty());
}

#[test]
fn a_worker_that_never_returns_is_ended_by_its_limits() {
    let orders = json!({"spin_ms": 600_000});
    let ended = worker("echo").run(Job::new(&orders).timeout(Duration::from_millis(200))).unwrap();
    assert_eq!(ended.failure().unwrap().class(), ErrorClass::Timeout);
    let ended = worker("echo").run(Job::new(&orders).fuel(50_000_000)).unwrap();
    assert_eq!(ended.failure().unwrap().class(), ErrorClass::Resource);
}

#[test]
fn a_worker_is_asked_to_stop_from_the_beginning() {
    let echo = worker("echo");
    let polite = echo.run(Job::new(&json!({"until_stopped": true})).stopping(StopCause::Drain)).unwrap();
    assert_eq!(polite.output::<Value>().unwrap()["stopped"], "drain");
    let deaf = echo.run(Job::new(&json!({"spin_ms": 600_000})).stopping(StopCause::Cancel)).unwrap();
    assert!(matches!(deaf.verdict, Verdict::Stopped), "{:?}", deaf.verdict);
}

#[test]
fn what_is_no_worker_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rubbish.wasm");
    let told = |result: Result<Worker, TestKitError>| result.err().unwrap().to_string();
    assert!(told(KIT.worker(&file)).starts_with("reading "), "a file that is not there");
    std::fs::write(&file, "rubbish").unwrap();
    assert!(told(KIT.worker(&file)).starts_with("rubbish.wasm: "), "{}", told(KIT.worker(&file)));
    assert!(told(KIT.worker(folder.path().join("No Kind.wasm"))).contains("is not valid"));
    assert!(told(KIT.build(folder.path())).starts_with("building "), "{}", told(KIT.build(folder.path())));
}

#[test]
fn a_worker_is_built_from_its_crate() {
    let plugins = flyball_tests::house::root().join("plugins/word-count");
    let ended = KIT.build(plugins).unwrap().run(Job::new(&json!({"text": "a b a"}))).unwrap();
    assert_eq!(ended.output::<Value>().unwrap()["words"], 3);
}

#[test]
fn a_checkpoint_goes_in_and_comes_out() {
    let fetch = worker("echo");
    let ended = fetch.run(Job::new(&json!({"count_on": true})).checkpoint("41")).unwrap();
    assert_eq!(ended.checkpoint.as_deref(), Some(&b"42"[..]), "{:?}", ended.verdict);
    let ended = fetch.run(Job::new(&json!({}))).unwrap();
    assert_eq!(ended.checkpoint, None);
}

#[test]
fn a_continuation_reads_the_children_that_it_is_given() {
    let mut job = Job::new(&json!({"children": true}));
    for n in 0..7 {
        job = job.child("echo", &n).unwrap();
    }
    let ended =
        worker("echo").run(job.discarded_child("echo", ErrorClass::Permanent, "no").unwrap()).unwrap();
    let told: Value = ended.output().unwrap();
    assert_eq!(told["children"].as_array().map(Vec::len), Some(8), "{told}");
}

#[test]
fn a_barrier_is_told_beside_the_follow_ups_and_both_only_of_what_completed() {
    let asks = |fail: bool| {
        let mut orders = json!({"follow_ups": [{"kind": "echo"}], "barrier": {"kind": "echo", "args": [7]}});
        if fail {
            orders["fail"] = json!({"class": "transient"});
        }
        worker("echo").run(Job::new(&orders)).unwrap()
    };
    let ended = asks(false);
    assert_eq!((ended.follow_ups.len(), ended.barrier.unwrap().args.as_str()), (1, "[7]"));
    let ended = asks(true);
    assert!(ended.follow_ups.is_empty() && ended.barrier.is_none());
}
