//! Stored lists on the server.
//!
//! All keys of an account have one hash tag. `{prefix}:v1:{account}:list1:{resource}:` is
//! followed by:
//!
//! | key | value |
//! |---|---|
//! | `lease` | string: the replica that walks |
//! | `head` | hash: the published list without its blocks |
//! | `requests` | set: requests for the replica that walks |
//! | `block:{id}:{part}` | string: part of a block |
//!
//! Lists share the numbered purges of the pages ([`super::pages`]). A list carries the
//! number of the last purge that it contains.

mod server;

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use ::redis::{Pipeline, ScriptInvocation};
use async_trait::async_trait;

use crate::shared::{
    Block, Fingerprint, Head, LIST_LEASE, ListRequest, ListState, ListVersion, LoadedHead, Publication, PurgeCount,
    SharedList, Unavailable, micros,
};

use super::{millis, pages::PURGES_TTL};
pub(super) use server::{ListServer, TIMEOUT};

/// Size of a part of a block in bytes. A larger value would delay other operations.
const PART: usize = 1 << 20;
/// Time after which a request for the replica that walks is forgotten.
const REQUEST_TTL: Duration = Duration::from_mins(1);

/// List of one resource of an account.
pub(super) struct RedisList {
    server: Arc<ListServer>,
    /// Common part of the keys.
    prefix: String,
    purges: String,
}

impl RedisList {
    pub(super) fn new(server: Arc<ListServer>, account: Fingerprint, resource: &str) -> Self {
        let prefix = server.pages.account_key(account, &format!("list1:{resource}"));
        let purges = server.pages.account_key(account, "purges");
        Self { server, prefix, purges }
    }

    fn key(&self, kind: &str) -> String {
        format!("{}:{kind}", self.prefix)
    }

    fn part_key(&self, id: [u8; 16], part: u16) -> String {
        self.key(&format!("block:{:032x}:{part}", u128::from_be_bytes(id)))
    }

    fn part_keys(&self, block: Block) -> impl Iterator<Item = String> {
        (0..block.parts).map(move |part| self.part_key(block.id, part))
    }

    /// Opens the id of a purged customer. Fails for the seal of another key, since the
    /// id may be any.
    fn customer(&self, sealed: &[u8]) -> Result<String, Unavailable> {
        let opened = self.server.pages.seal.open(&self.purges, sealed);
        opened.and_then(|id| String::from_utf8(id).ok()).ok_or(Unavailable::Unreadable)
    }

    async fn run(&self, invocation: &ScriptInvocation<'_>) -> Result<Vec<Vec<u8>>, Unavailable> {
        // The purges of this replica may be missing on the server.
        self.server.pages.check()?;
        let result = self.server.link.run(invocation).await;
        self.server.metrics.count_error(result)
    }

    fn open_head(&self, version: &[u8], sealed: &[u8]) -> Option<Head> {
        let packed = self.server.seal.open(&self.key("head"), sealed)?;
        postcard::from_bytes(packed.strip_prefix(version)?.strip_prefix(b"\n")?).ok()
    }
}

impl std::fmt::Debug for RedisList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisList").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl SharedList for RedisList {
    async fn poll(&self, basis: Option<PurgeCount>) -> Result<ListState, Unavailable> {
        let mut invocation = self.server.poll.prepare_invoke();
        for kind in ["lease", "head"] {
            invocation.key(self.key(kind));
        }
        invocation.key(&self.purges).key(self.key("requests"));
        let basis = basis.map(|PurgeCount(number)| number.to_string()).unwrap_or_default();
        invocation.arg(&*self.server.pages.id).arg(millis(LIST_LEASE)).arg(basis).arg(millis(PURGES_TTL));
        let values = self.run(&invocation).await?;
        let [lease, number, version, validity, requests, rows @ ..] = &*values else {
            return Err(Unavailable::Unreadable);
        };
        let (pairs, _) = rows.as_chunks();
        let row = |[sealed, number]: &[Vec<u8>; 2]| Ok((self.customer(sealed)?, PurgeCount(read(number)?)));
        let purged = (validity == b"1").then(|| pairs.iter().map(row).collect::<Result<_, _>>()).transpose()?;
        Ok(ListState {
            is_holder: lease == b"1",
            version: ListVersion::read(version),
            purges: PurgeCount(read(number)?),
            purged,
            requests: requests.split(|byte| *byte == b' ').filter_map(ListRequest::read).collect(),
        })
    }

    async fn request(&self, request: ListRequest) -> Result<(), Unavailable> {
        let key = self.key("requests");
        let mut pipeline = ::redis::pipe();
        pipeline.cmd("SADD").arg(&key).arg(request.name()).ignore();
        pipeline.cmd("PEXPIRE").arg(&key).arg(millis(REQUEST_TTL)).ignore();
        self.server.link.pipeline(&pipeline).await
    }

    async fn load(&self) -> Result<Option<LoadedHead>, Unavailable> {
        let mut invocation = self.server.load.key(self.key("head"));
        invocation.key(&self.purges);
        let values = self.run(&invocation).await?;
        let [version, age, basis, sealed, purged @ ..] = &*values else { return Ok(None) };
        let head = self.open_head(version, sealed);
        self.server.metrics.count_load(head.is_some());
        Ok(Some(LoadedHead {
            head: head.ok_or(Unavailable::Unreadable)?,
            version: ListVersion::read(version).ok_or(Unavailable::Unreadable)?,
            age: Duration::from_micros(read(age)?),
            basis: PurgeCount(read(basis)?),
            purged: purged.iter().map(|sealed| self.customer(sealed)).collect::<Result<_, _>>()?,
        }))
    }

    async fn load_block(&self, block: Block) -> Result<Option<Vec<u8>>, Unavailable> {
        let mut bytes = Vec::new();
        for key in self.part_keys(block) {
            let part = self.server.link.query::<Option<Vec<u8>>>(::redis::cmd("GET").arg(&key)).await;
            let part = self.server.metrics.count_error(part)?;
            let Some(part) = part.and_then(|sealed| self.server.seal.open(&key, &sealed)) else { return Ok(None) };
            bytes.extend_from_slice(&part);
        }
        Ok(Some(bytes))
    }

    async fn store_block(&self, id: [u8; 16], bytes: &[u8], lifetime: Duration) -> Result<Block, Unavailable> {
        let mut parts = 0;
        for (part, bytes) in (0..).zip(bytes.chunks(PART)) {
            let key = self.part_key(id, part);
            let mut command = ::redis::cmd("SET");
            command.arg(&key).arg(self.server.seal.seal(&key, bytes)).arg("PX").arg(millis(lifetime));
            let stored = self.server.link.query::<()>(&command).await;
            self.server.metrics.count_error(stored)?;
            parts = part + 1;
        }
        Ok(Block { id, parts })
    }

    async fn keep_blocks(&self, blocks: &[Block], lifetime: Duration) -> Result<Vec<[u8; 16]>, Unavailable> {
        let parts = || blocks.iter().flat_map(|block| self.part_keys(*block).map(|key| (block.id, key)));
        let mut pipeline = Pipeline::new();
        for (_, key) in parts() {
            pipeline.cmd("PEXPIRE").arg(key).arg(millis(lifetime));
        }
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let kept = self.server.link.pipeline::<Vec<u64>>(&pipeline).await;
        let kept = self.server.metrics.count_error(kept)?;
        let mut lost: Vec<_> = parts().zip(kept).filter(|(_, kept)| *kept == 0).map(|((id, _), _)| id).collect();
        lost.dedup();
        Ok(lost)
    }

    async fn publish(&self, head: Head, rest: &Publication) -> Result<Option<ListVersion>, Unavailable> {
        let key = self.key("head");
        let number = self.server.pages.claims.fetch_add(1, Relaxed);
        let version = format!("{}{number:x}", self.server.pages.id);
        // Serialization to memory does not fail.
        let packed = postcard::to_extend(&head, format!("{version}\n").into_bytes()).unwrap_or_default();
        let mut invocation = self.server.publish.key(self.key("lease"));
        invocation.key(&key).key(&self.purges);
        invocation
            .arg(&*self.server.pages.id)
            .arg(self.server.seal.seal(&key, &packed))
            .arg(&version)
            .arg(rest.basis.0)
            // An age is rounded up.
            .arg(micros(rest.age).saturating_add(1))
            .arg(millis(rest.lifetime));
        self.server.pages.check()?;
        let published = self.server.link.run::<u64>(&invocation).await;
        let is_published = self.server.metrics.count_error(published)? == 1;
        self.server.metrics.count_publication(is_published);
        Ok(is_published.then(|| ListVersion(version.into())))
    }
}

impl ListRequest {
    fn name(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Publish => "publish",
        }
    }

    fn read(name: &[u8]) -> Option<Self> {
        [Self::Walk, Self::Publish].into_iter().find(|request| request.name().as_bytes() == name)
    }
}

impl ListVersion {
    /// Reads the version of a head. `None` if there is none.
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        (!text.is_empty()).then(|| Self(text.into()))
    }
}

/// Reads a number that a script has written.
fn read(text: &[u8]) -> Result<u64, Unavailable> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Unavailable::Unreadable)
}
