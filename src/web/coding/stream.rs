//! Encoded streams.

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{ContentCoding, Encoder, run};

/// State of an encoded stream.
enum State {
    /// More parts may follow.
    Running(BodyDataStream, Encoder),
    /// The stream has ended or failed.
    Ended,
}

/// Error of an encoder.
#[derive(Debug, thiserror::Error)]
#[error("the encoder of the response failed")]
struct EncoderFailed;

/// Encodes a stream part by part. Each part is flushed, so a reader can decode it
/// before the next part is produced. An error of the stream ends the encoded
/// stream without the end of the coding. Returns the body if it cannot be encoded.
pub(crate) fn encode_stream(body: Body, coding: ContentCoding) -> Result<Body, Body> {
    let Ok(encoder) = Encoder::new(coding) else { return Err(body) };
    let state = State::Running(body.into_data_stream(), encoder);
    let parts = stream::unfold(state, async |state| {
        let State::Running(mut body, encoder) = state else { return None };
        let (part, state) = match body.next().await {
            Some(Ok(part)) => match encode(encoder, part).await {
                Some((encoder, part)) => (Ok(part), State::Running(body, encoder)),
                None => (Err(axum::Error::new(EncoderFailed)), State::Ended),
            },
            Some(Err(error)) => (Err(error), State::Ended),
            None => (encoder.finish(&[]).map_err(axum::Error::new), State::Ended),
        };
        Some((part, state))
    });
    Ok(Body::from_stream(parts))
}

async fn encode(mut encoder: Encoder, part: Bytes) -> Option<(Encoder, Bytes)> {
    run(part.len(), move || {
        let output = encoder.encode(&part)?;
        Ok((encoder, output))
    })
    .await
}
