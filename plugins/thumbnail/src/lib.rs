//! Makes a small picture of a PNG or JPEG, in the same format and the same proportions.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flyball_worker::{Classify, Failure, Job, Result, log, worker};
use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No picture is decoded that is wider or higher, or takes more memory: a few bytes of PNG can
/// ask for gigabytes.
const MAX_SIDE: u32 = 12_000;
const MAX_DECODED: u64 = 96 << 20;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The bytes of a PNG or JPEG, in base64.
    image: String,
    /// The greatest width of the result, in pixels.
    #[serde(default = "small")]
    #[schemars(range(min = 1, max = 4096))]
    max_width: u32,
    /// The greatest height of the result, in pixels.
    #[serde(default = "small")]
    #[schemars(range(min = 1, max = 4096))]
    max_height: u32,
}

fn small() -> u32 {
    256
}

#[derive(Serialize)]
struct Thumbnail {
    format: &'static str,
    width: u32,
    height: u32,
    from_width: u32,
    from_height: u32,
    /// The bytes, in base64.
    image: String,
}

fn run(args: Args, _job: &Job) -> Result<Thumbnail> {
    if !(1..=4096).contains(&args.max_width) || !(1..=4096).contains(&args.max_height) {
        return Err(Failure::invalid("max_width and max_height are from 1 to 4096"));
    }
    let bytes = BASE64
        .decode(&args.image)
        .map_err(|error| Failure::invalid(format!("image is not base64: {error}")))?;
    let (format, picture) = decode(&bytes)?;
    log::debug!(width = picture.width(), height = picture.height(), "decoded {} bytes", bytes.len());

    let small = shrink(&picture, args.max_width, args.max_height);
    let mut out = Cursor::new(Vec::new());
    small.write_to(&mut out, format).permanent()?;
    Ok(Thumbnail {
        format: if format == ImageFormat::Png { "png" } else { "jpeg" },
        width: small.width(),
        height: small.height(),
        from_width: picture.width(),
        from_height: picture.height(),
        image: BASE64.encode(out.into_inner()),
    })
}

fn decode(bytes: &[u8]) -> Result<(ImageFormat, DynamicImage)> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let format = match reader.format() {
        Some(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        _ => return Err(Failure::permanent("this is neither a PNG nor a JPEG")),
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    match reader.decode() {
        Ok(picture) => Ok((format, picture)),
        Err(error @ ImageError::Limits(_)) => {
            Err(Failure::resource(format!("this picture is too large: {error}")))
        }
        Err(error) => Err(error).permanent(),
    }
}

/// The picture within the box; one that fits already stays as it is.
fn shrink(picture: &DynamicImage, max_width: u32, max_height: u32) -> DynamicImage {
    if picture.width() <= max_width && picture.height() <= max_height {
        return picture.clone();
    }
    picture.thumbnail(max_width, max_height)
}

worker! { run, summary: "Makes a small picture of a PNG or JPEG" }

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, format).expect("a picture can be written");
        out.into_inner()
    }

    fn class_of(bytes: &[u8]) -> String {
        format!("{:?}", decode(bytes).expect_err("this is no picture"))
    }

    #[test]
    fn both_formats_are_read_and_shrunk_in_proportion() {
        let picture = DynamicImage::new_rgb8(300, 100);
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let (read, picture) = decode(&encoded(&picture, format)).expect("it is a picture");
            assert_eq!(read, format);
            let small = shrink(&picture, 60, 60);
            assert_eq!((small.width(), small.height()), (60, 20));
        }
    }

    #[test]
    fn a_small_picture_is_not_blown_up() {
        let small = shrink(&DynamicImage::new_rgb8(30, 10), 60, 60);
        assert_eq!((small.width(), small.height()), (30, 10));
    }

    #[test]
    fn what_is_no_picture_is_a_permanent_failure() {
        assert!(class_of(b"GIF89a and more").contains("Permanent"));
        assert!(class_of(b"").contains("Permanent"));
        let png = encoded(&DynamicImage::new_rgb8(30, 10), ImageFormat::Png);
        assert!(class_of(&png[..png.len() / 2]).contains("Permanent"));
    }

    #[test]
    fn a_picture_that_is_too_large_takes_too_much() {
        let wide = encoded(&DynamicImage::new_luma8(MAX_SIDE + 1, 1), ImageFormat::Png);
        assert!(class_of(&wide).contains("Resource"), "{}", class_of(&wide));
    }
}
