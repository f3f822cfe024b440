//! Announcements between the replicas: ended fetches, and purges.
//!
//! Announcements only save time. They may be lost, so the receivers also poll.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{
    sync::broadcast::{self, Receiver, Sender, error::RecvError},
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::server::Connector;

/// Announcements that a slow receiver may be behind.
const BUFFER: usize = 1024;
/// Longest time to subscribe.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before the next subscription after a connection has ended.
const PAUSE: Duration = Duration::from_millis(500);
/// Announcement of a purge. No page has this name.
pub(super) const PURGE: &str = "purge";

/// Subscription of this process. Clones share it, and the last clone ends it.
#[derive(Clone)]
pub(super) struct Announcements {
    /// Channel on the server.
    pub(super) channel: Arc<str>,
    heard: Sender<Arc<str>>,
    _task: Arc<AbortOnDropHandle<()>>,
}

/// Announcements since [`Announcements::listen`].
pub(super) struct Listener(Receiver<Arc<str>>);

impl Announcements {
    /// Subscribes in the background.
    pub(super) fn subscribe(connector: Connector, channel: &str) -> Self {
        let channel: Arc<str> = channel.into();
        let (heard, _) = broadcast::channel(BUFFER);
        let task = tokio::spawn(keep_subscribed(connector, Arc::clone(&channel), heard.clone()));
        Self { channel, heard, _task: Arc::new(AbortOnDropHandle::new(task)) }
    }

    /// Returns the announcements from now on.
    pub(super) fn listen(&self) -> Listener {
        Listener(self.heard.subscribe())
    }
}

impl Listener {
    /// Waits for an announcement, at most for a time. Lost announcements count as heard.
    pub(super) async fn wait_for(&mut self, name: &str, longest: Duration) {
        let heard = async {
            loop {
                match self.0.recv().await {
                    Ok(announced) if *announced != *name => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Without an announcement, the receiver polls.
        let _ = timeout(longest, heard).await;
    }
}

/// Receives announcements forever.
async fn keep_subscribed(mut connector: Connector, channel: Arc<str>, heard: Sender<Arc<str>>) {
    loop {
        let subscribe = async {
            let mut subscription = connector.client().await?.get_async_pubsub().await?;
            subscription.subscribe(&*channel).await?;
            Ok::<_, ::redis::RedisError>(subscription)
        };
        // The link reports the loss of the server.
        if let Ok(Ok(subscription)) = timeout(SUBSCRIBE_TIMEOUT, subscribe).await {
            let mut messages = subscription.into_on_message();
            while let Some(message) = messages.next().await {
                if let Ok(name) = message.get_payload::<String>() {
                    // Fails without a listener.
                    let _ = heard.send(name.into());
                }
            }
        }
        sleep(PAUSE).await;
    }
}
