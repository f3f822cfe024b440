//! Encoded exports.

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::upstream::Window;
use reqwest::Response;

use super::{CODINGS, client, decode, decode_start, fetch, stage};
use crate::support::{Gateway, Stage};

const NDJSON: &str = "application/x-ndjson";
const TARGET: &str = "/customers?connection=affiliates";

/// An encoded export that is read chunk by chunk.
struct Reader {
    response: Response,
    coding: &'static str,
    body: Vec<u8>,
}

impl Reader {
    async fn open(gateway: &Gateway, coding: &'static str) -> Self {
        let request = client().get(format!("{}{TARGET}", gateway.url));
        let response = request.header("accept", NDJSON).header("accept-encoding", coding).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-encoding"]),
            (200, &coding.parse().unwrap())
        );
        Self { response, coding, body: Vec::new() }
    }

    /// Reads until a decoder has this many checkpoints.
    async fn read_checkpoints(&mut self, checkpoints: usize) {
        loop {
            let text = String::from_utf8(decode_start(self.coding, &self.body)).unwrap();
            if text.matches("{\"export\":").count() >= checkpoints {
                return;
            }
            self.body.extend(self.response.chunk().await.unwrap().expect("the export continues"));
        }
    }

    async fn finish(mut self) -> String {
        while let Some(chunk) = self.response.chunk().await.unwrap() {
            self.body.extend(chunk);
        }
        String::from_utf8(decode(self.coding, &self.body)).unwrap()
    }
}

/// Starts a stage whose vendor admits one call per minute.
async fn slow_stage() -> Stage {
    let windows = vec![Window { requests: NonZeroU32::MIN, per: Duration::from_mins(1) }];
    let stage = stage().configure_first(|connection| connection.rate_limit.windows = windows);
    stage.configure(|config| config.server.max_requests = 1).start().await
}

#[tokio::test]
async fn checkpoint_is_flushed_before_the_next_page() {
    for coding in CODINGS {
        let stage = slow_stage().await;
        let mut reader = Reader::open(&stage.gateway, coding).await;
        reader.read_checkpoints(1).await;
        assert_eq!(stage.tolt_calls(), 1, "{coding}: the first page is decoded before the second call");
        // The encoded stream holds its permit until its end.
        assert_eq!(stage.get("/connections").await.code(503), "overloaded");

        let mut finishing = std::pin::pin!(reader.finish());
        let text = loop {
            tokio::select! {
                text = &mut finishing => break text,
                () = tokio::time::sleep(Duration::from_millis(1)) => stage.gateway.clock.advance(Duration::from_secs(1)),
            }
        };
        assert_eq!(text.lines().filter(|line| !line.starts_with("{\"export\":")).count(), 250, "{coding}");
        assert!(text.ends_with("}\n") && text.contains("\"status\":\"complete\""), "{coding}");
        stage.get("/connections").await.ok();
    }
}

#[tokio::test]
async fn encoded_export_equals_the_plain_export() {
    let stage = stage().start().await;
    for accept in [NDJSON, "text/csv"] {
        // The rows are cached from now on, so the exports are equal.
        fetch(&stage.gateway, TARGET, &[("accept", accept)]).await;
        let target = format!("{TARGET}&marks=none");
        let rows =
            |text: String| text.lines().filter(|line| !line.starts_with("{\"export\"")).map(str::to_owned).collect();
        let plain: Vec<_> = rows(fetch(&stage.gateway, &target, &[("accept", accept)]).await.decoded());
        for coding in CODINGS {
            let headers = [("accept", accept), ("accept-encoding", coding)];
            let answer = fetch(&stage.gateway, &target, &headers).await;
            assert_eq!(answer.header("content-encoding"), coding);
            assert_eq!(answer.header("vary"), "authorization, accept, accept-encoding, prefer");
            assert_eq!(rows(answer.decoded()), plain, "{accept} {coding}");
        }
    }
}

#[tokio::test]
async fn failed_export_does_not_end_its_coding() {
    for coding in CODINGS {
        let stage = stage().start().await;
        let tolt = stage.vendors.tolt();
        tolt.fail_next(1, customer_gateway::sandbox::Fault::Stall(Duration::ZERO));
        tolt.fail_next(20, customer_gateway::sandbox::Fault::Status(401));
        let request = client().get(format!("{}{TARGET}&marks=none", stage.gateway.url));
        let response = request.header("accept", "text/csv").header("accept-encoding", coding).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.bytes().await.is_err(), "{coding}: the stream is interrupted");
    }
}
