//! Typed args: a type that names the kind whose worker it is for.

use serde::Serialize;

use super::json::MAX_ARGS_BYTES;
use super::{AdmitError, InsertOpts, Json, Kind};

/// The args of one kind, as a type.
///
/// ```
/// use flyball::job::JobArgs;
///
/// #[derive(serde::Serialize)]
/// struct WordCount {
///     text: String,
/// }
///
/// impl JobArgs for WordCount {
///     const KIND: &'static str = "word-count";
/// }
/// ```
pub trait JobArgs: Serialize {
    /// The kind: `[a-z][a-z0-9_-]{0,63}`.
    const KIND: &'static str;
}

/// What a job is made from: args that name their kind, or all that can be said about it.
pub trait IntoInsertOpts {
    /// What is asked for.
    ///
    /// # Errors
    /// [`AdmitError`] if the type names no kind, or its value is not JSON that a job can have.
    fn into_insert_opts(self) -> Result<InsertOpts, AdmitError>;
}

impl IntoInsertOpts for InsertOpts {
    fn into_insert_opts(self) -> Result<InsertOpts, AdmitError> {
        Ok(self)
    }
}

impl<T: JobArgs> IntoInsertOpts for &T {
    fn into_insert_opts(self) -> Result<InsertOpts, AdmitError> {
        InsertOpts::of(self)
    }
}

impl InsertOpts {
    /// A job with these args, of the kind that their type names; the rest as [`InsertOpts::new`] has it.
    ///
    /// # Errors
    /// As [`IntoInsertOpts::into_insert_opts`].
    pub fn of<T: JobArgs>(args: &T) -> Result<Self, AdmitError> {
        let json = Json::from_value(args, MAX_ARGS_BYTES).map_err(AdmitError::Args)?;
        Ok(Self::new(Kind::new(T::KIND)?, json.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Resize<'a> {
        width: f64,
        name: &'a str,
    }

    impl JobArgs for Resize<'_> {
        const KIND: &'static str = "resize";
    }

    #[derive(Serialize)]
    struct Shouted;

    impl JobArgs for Shouted {
        const KIND: &'static str = "SHOUTED";
    }

    #[test]
    fn typed_args_name_their_kind_and_become_json() {
        let opts = (&Resize { width: 1.5, name: "a" }).into_insert_opts().expect("taken");
        assert_eq!((opts.kind.as_str(), &*opts.args), ("resize", r#"{"width":1.5,"name":"a"}"#));
    }

    #[test]
    fn a_type_that_names_no_kind_and_a_value_that_is_no_json_are_refused_by_name() {
        let refused = InsertOpts::of(&Shouted).expect_err("no kind").to_string();
        assert!(refused.starts_with("kind \"SHOUTED\" is not valid"), "{refused}");
        let refused = InsertOpts::of(&Resize { width: 1.0, name: "a\0b" }).expect_err("NUL").to_string();
        assert!(refused.starts_with("args: a string holds NUL"), "{refused}");
    }
}
