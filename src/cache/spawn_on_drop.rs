//! A future that continues in the background after it is dropped.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// Future that continues in its own task if it is dropped before it ends. A task from the
/// start would move the work to another worker thread and back.
pub(super) struct SpawnOnDrop<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> SpawnOnDrop<T> {
    /// Wraps a future.
    pub(super) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<T: Send + 'static> Future for SpawnOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let output = ready!(future.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<T: Send + 'static> Drop for SpawnOnDrop<T> {
    fn drop(&mut self) {
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::poll;
    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn dropped_future_continues() {
        let (start, started) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let mut future = SpawnOnDrop::new(async move {
            drop(started.await);
            end.send(1).unwrap();
        });
        assert!(poll!(&mut future).is_pending());
        drop(future);
        drop(start);
        assert_eq!(timeout(Duration::from_secs(10), ended).await, Ok(Ok(1)));
    }

    #[tokio::test]
    async fn finished_future_spawns_no_task() {
        assert_eq!(SpawnOnDrop::new(async { 1 }).await, 1);
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }
}
